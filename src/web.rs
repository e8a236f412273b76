//! The web server: the public pages by which customers say stop, what providers tell, and how the program is, for
//! those who watch it.
//!
//! 1. `/livez`, `/readyz` and `/metrics` need no sign-in and tell no secret, no customer and no address.
//! 2. Every request has a limit of size and time, and so has every connection.
//! 3. What does not work is answered with problem+json (RFC 9457), or with a page where a browser asks.
//! 4. No cookie is ever set, and no GET changes anything.
//! 5. One address cannot keep the pages from the others, and nobody is ever kept from leaving.

mod assets;
mod colour;
mod confirm;
mod failures;
pub mod figures;
mod form;
pub mod hooks;
mod limit;
mod look;
mod peer;
mod preferences;
pub mod probes;
pub mod problems;
mod serve;
mod texts;
mod unsubscribe;
mod visit;
mod why;

pub use serve::{listen, serve};

use crate::clock::Clock;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::store::db::Db;
use crate::workspace::InForce;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use std::path::PathBuf;
use std::time::Duration;

/// The longest body that is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// How long an answer may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What the routes work with.
#[derive(Clone)]
pub struct Web {
    pub db: Db,
    pub clock: Clock,
    pub metrics: Metrics,
    pub health: Health,
    pub in_force: InForce,
    /// The home folder, where the logo lies.
    pub home: PathBuf,
}

/// Every route there is.
pub fn router(web: Web) -> Router {
    let limit = limit::Limit::default();
    Router::new()
        .route("/livez", get(probes::livez))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(figures::metrics))
        .route("/u/{token}", get(unsubscribe::show).post(unsubscribe::change))
        .route("/p/{token}", get(preferences::show).post(preferences::change))
        .route("/y/{token}", get(confirm::show).post(confirm::change))
        .route("/w/{token}", get(why::show))
        .route("/assets/{name}", get(assets::serve))
        .merge(hooks::routes())
        .fallback(async || problems::problem(StatusCode::NOT_FOUND, "nothing lives at this address"))
        .method_not_allowed_fallback(async || {
            problems::problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(within_time))
        .layer(from_fn_with_state((web.clone(), limit), limit::bounded))
        .layer(from_fn_with_state(web.clone(), failures::for_people))
        .with_state(web)
}

async fn within_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => problems::busy("the answer took too long"),
    }
}
