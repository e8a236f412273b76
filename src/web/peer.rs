//! From where a request came: kept with what a customer says on a page, as a part of the proof.
//!
//! The address of the connection; behind a proxy on this host or in a private network, what that proxy says it was
//! (the last address of `X-Forwarded-For`, which the proxy itself has added). Proof, and what [`super::limit`]
//! counts by; nothing is allowed by it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::net::IpAddr;

/// The address of a connection's other end; the server adds it to each request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Peer(pub Option<IpAddr>);

impl Peer {
    pub fn ip(self) -> Option<String> {
        self.0.map(|ip| ip.to_string())
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Self>().copied().unwrap_or_default();
        let said = parts.headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
        let last = said.and_then(|said| said.rsplit(',').next()?.trim().parse().ok());
        Ok(Self(if peer.0.is_some_and(is_private) { last.or(peer.0) } else { peer.0 }))
    }
}

/// Whether an address is of this host or of a private network.
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}
