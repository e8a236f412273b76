//! How often one address may ask for the public pages, so that who tries out links, or asks without end, takes nothing
//! from the others.
//!
//! 1. The way out is never refused: nothing under `/u/` is counted, neither the page nor the one click of a mailbox
//!    provider. Neither are style sheets, probes, figures, and callbacks, which are signed.
//! 2. Many people, or a scanner, behind one address get on: [`BURST`] requests at once, then [`EACH`] between two. A link
//!    that leads nowhere counts as [`LOST`] requests.
//! 3. An address is known in memory only, at most [`MOST`] of them, until it would have its whole burst again. IPv6
//!    counts by its /64, which one household has. When there are too many, newcomers are not counted.
//! 4. An address of this host or of a private network is a proxy that does not say for whom it asks: it is not counted.

use super::Web;
use super::peer::{Peer, is_private};
use super::problems::problem;
use crate::time::{Span, Timestamp};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

/// How many requests an address may make at once.
const BURST: i64 = 1_000;
/// How long it takes until one more may be made.
const EACH: Span = Span::from_micros(50_000);
/// For how many requests a link that leads nowhere counts.
const LOST: i64 = 20;
/// How many addresses are known at once, at most.
const MOST: usize = 10_000;
/// What is counted.
const COUNTED: [&str; 3] = ["/p/", "/y/", "/w/"];

/// When each address would have its whole burst again (the generic cell rate algorithm, ITU-T I.371).
#[derive(Clone, Default)]
pub struct Limit(Arc<Mutex<HashMap<IpAddr, Timestamp>>>);

impl Limit {
    /// Counts so many requests of an address; gives how long it has to wait where that is too many. Those are not
    /// counted.
    fn count(&self, ip: IpAddr, requests: i64, now: Timestamp) -> Result<(), Span> {
        let window = Span::from_micros(EACH.micros() * BURST);
        let mut known = self.0.lock().expect("nobody panics while holding it");
        if known.len() >= MOST && !known.contains_key(&ip) {
            known.retain(|_, whole_again| *whole_again > now);
            if known.len() >= MOST {
                return Ok(());
            }
        }
        let whole_again = known.get(&ip).copied().unwrap_or(now).max(now);
        // A clock that was set back refuses nobody for longer than the burst lasts.
        let whole_again = whole_again.min(now.plus(window));
        let then = whole_again.plus(Span::from_micros(EACH.micros() * requests));
        if then > now.plus(window) {
            return Err(then.since(now.plus(window)));
        }
        known.insert(ip, then);
        Ok(())
    }

    /// As [`Limit::count`], and never refused: what was done already.
    fn add(&self, ip: IpAddr, requests: i64, now: Timestamp) {
        for _ in 0..requests {
            if self.count(ip, 1, now).is_err() {
                return;
            }
        }
    }
}

/// Refuses what an address asks too often.
pub async fn bounded(State((web, limit)): State<(Web, Limit)>, request: Request, next: Next) -> Response {
    let is_counted = COUNTED.iter().any(|place| request.uri().path().starts_with(place));
    let (mut parts, body) = request.into_parts();
    let Ok(peer) = Peer::from_request_parts(&mut parts, &()).await;
    let request = Request::from_parts(parts, body);
    let Some(ip) = peer.0.filter(|ip| is_counted && !is_private(*ip)).map(household) else {
        return next.run(request).await;
    };
    if let Err(wait) = limit.count(ip, 1, web.clock.now()) {
        let mut answer =
            problem(StatusCode::TOO_MANY_REQUESTS, "too many requests of one address; stopping messages works");
        let seconds = wait.seconds().max(0) + 1;
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return answer;
    }
    let answer = next.run(request).await;
    if answer.status() == StatusCode::NOT_FOUND {
        limit.add(ip, LOST - 1, web.clock.now());
    }
    answer
}

/// The address by which a household is counted.
fn household(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_793_707_200);

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// How many of so many requests pass.
    fn passed(limit: &Limit, ip: IpAddr, requests: i64, now: Timestamp) -> i64 {
        (0..requests).map(|_| i64::from(limit.count(ip, 1, now).is_ok())).sum()
    }

    #[test]
    fn a_burst_passes_and_then_one_after_the_other() {
        let (limit, one) = (Limit::default(), ip("203.0.113.7"));
        assert_eq!(passed(&limit, one, 3_000, NOW), BURST);
        assert_eq!(limit.count(one, 1, NOW), Err(EACH));
        assert_eq!(passed(&limit, one, 3_000, NOW.plus(Span::from_seconds(1))), 20);
        assert_eq!(passed(&limit, ip("203.0.113.8"), 3_000, NOW), BURST, "a neighbour has their own");
        assert_eq!(passed(&limit, one, 3_000, NOW.plus(Span::from_seconds(3_600))), BURST, "forgiven");
    }

    #[test]
    fn links_that_lead_nowhere_count_more() {
        let (limit, one) = (Limit::default(), ip("203.0.113.7"));
        let mut tried = 0;
        while limit.count(one, 1, NOW).is_ok() {
            limit.add(one, LOST - 1, NOW);
            tried += 1;
        }
        assert_eq!(tried, BURST / LOST);
    }

    #[test]
    fn the_table_is_bounded_and_newcomers_get_on() {
        let limit = Limit::default();
        let nth = |n: u32| IpAddr::V4(std::net::Ipv4Addr::from(0x0b00_0000 + n));
        for n in 0..20_000 {
            assert_eq!(passed(&limit, nth(n), 1, NOW), 1);
        }
        assert_eq!(limit.0.lock().expect("ours").len(), MOST);
        let later = NOW.plus(Span::from_seconds(60));
        assert_eq!(passed(&limit, nth(30_000), 1, later), 1);
        assert_eq!(limit.0.lock().expect("ours").len(), 1, "who was quiet is forgotten");
    }

    #[test]
    fn a_clock_that_was_set_back_refuses_nobody_for_long() {
        let (limit, one) = (Limit::default(), ip("203.0.113.7"));
        passed(&limit, one, 100, NOW);
        let before = NOW.minus(Span::from_days(1));
        let waits = (0..2 * BURST).filter_map(|_| limit.count(one, 1, before).err()).max();
        assert!(waits.is_some_and(|wait| wait <= EACH), "{waits:?}");
    }

    #[test]
    fn a_household_is_one_address() {
        assert_eq!(household(ip("2001:db8:1:2:3:4:5:6")), household(ip("2001:db8:1:2:ffff::1")));
        assert_ne!(household(ip("2001:db8:1:2::1")), household(ip("2001:db8:1:3::1")));
        assert_eq!(household(ip("::ffff:203.0.113.7")), ip("203.0.113.7"));
    }
}
