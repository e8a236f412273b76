//! The web server: how the program is, for those who watch it, and what providers tell. Pages for people come beside it.
//!
//! 1. `/livez`, `/readyz` and `/metrics` need no sign-in and tell no secret, no customer and no address.
//! 2. Every request has a limit of size and time, and the server stops within [`STOP_LIMIT`], whoever is still there.
//! 3. What does not work is answered with problem+json (RFC 9457).

pub mod figures;
pub mod hooks;
pub mod probes;
pub mod problems;

use crate::clock::Clock;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::store::db::Db;
use crate::workspace::InForce;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;

/// The longest body that is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// How long an answer may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How long open requests may hold up the end.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What the routes work with.
#[derive(Clone)]
pub struct Web {
    pub db: Db,
    pub clock: Clock,
    pub metrics: Metrics,
    pub health: Health,
    pub in_force: InForce,
}

/// Every route there is.
pub fn router(web: Web) -> Router {
    Router::new()
        .route("/livez", get(probes::livez))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(figures::metrics))
        .merge(hooks::routes())
        .fallback(async || problems::problem(StatusCode::NOT_FOUND, "nothing lives at this address"))
        .method_not_allowed_fallback(async || {
            problems::problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(within_time))
        .with_state(web)
}

async fn within_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => problems::problem(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long"),
    }
}

/// Answers on `listener` until `stop` is ready; then finishes what is open, for at most [`STOP_LIMIT`].
pub async fn serve(listener: TcpListener, web: Web, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let signal = async move {
        stop.await;
        // The other end is gone only when the server has ended already.
        let _ = stopping.send(());
    };
    let serving = axum::serve(listener, router(web)).with_graceful_shutdown(signal);
    let out_of_time = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(STOP_LIMIT).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = serving => ended,
        () = out_of_time => {
            tracing::warn!("open requests were cut off after {} seconds", STOP_LIMIT.as_secs());
            Ok(())
        }
    }
}
