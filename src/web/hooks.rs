//! Callbacks of providers: `/hooks/{provider}/inbound`, `/hooks/{provider}/status`, `/hooks/{provider}/voice/{token}`.
//!
//! 1. The signature is checked over the configured public address and the raw fields before anything else is looked
//!    at. What fails leaves no trace but the answer: 404 for a provider that has no callbacks, 403 for a bad signature.
//! 2. 2xx is said only once the database has what was told; a provider tells again what was not taken.
//! 3. A request told twice is answered alike and changes nothing.

use super::Web;
use super::problems::problem;
use crate::channels::twilio::notice::{Inbound, Pressed, Receipt};
use crate::channels::twilio::signature::{self, Body, Request as SignedRequest, Secrets};
use crate::channels::twilio::twiml;
use crate::feedback::{keys, receipts, replies};
use crate::settings::Way;
use crate::store::db::StoreError;
use crate::tokens::Purpose;
use crate::workspace::Workspace;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::sync::Arc;

/// The longest body of a callback, in bytes: a text message of 1,600 characters with all its fields.
const BODY_LIMIT: usize = 32 * 1024;

/// The routes of callbacks.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/hooks/{provider}/inbound", post(inbound))
        .route("/hooks/{provider}/status", post(status))
        .route("/hooks/{provider}/voice/{token}", post(voice))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// A form that a configured provider has signed.
struct Signed {
    provider: String,
    form: Vec<(String, String)>,
    workspace: Arc<Workspace>,
}

impl FromRequest<Web> for Signed {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        let workspace = web.in_force.now();
        let settings = &workspace.project.settings;
        let path = request.uri().clone();
        let provider = path.path().split('/').nth(2).unwrap_or_default().to_owned();
        let Some(Way::Twilio { auth_token, webhook_keys, .. }) = settings.providers.get(&provider).map(|p| &p.way)
        else {
            return Err(problem(StatusCode::NOT_FOUND, "no provider with callbacks has this name"));
        };
        let (token, keys) = (auth_token.clone(), webhook_keys.clone());
        let query = path.path_and_query().map_or(path.path(), |whole| whole.as_str());
        let url = format!("{}{query}", settings.web.public_url);
        let headers = request.headers().clone();
        let Ok(body) = Bytes::from_request(request, web).await else {
            return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or broke off"));
        };
        let is_form = text(&headers, header::CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
        let form: Vec<(String, String)> =
            if is_form { form_urlencoded::parse(&body).into_owned().collect() } else { Vec::new() };
        let signed = SignedRequest {
            url: &url,
            signature: text(&headers, signature::SIGNATURE).unwrap_or_default(),
            settings: text(&headers, signature::SETTINGS),
            body: if is_form { Body::Form(&form) } else { Body::Raw(&body) },
        };
        if !signature::is_signed(&signed, Secrets { token: &token, keys: &keys }) {
            return Err(problem(StatusCode::FORBIDDEN, "the request is not signed by the provider"));
        }
        Ok(Self { provider, form, workspace })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A text message of a customer.
async fn inbound(State(web): State<Web>, signed: Signed) -> Response {
    let Some(inbound) = Inbound::read(&signed.form) else { return unreadable() };
    let taken = replies::take(&web.db, &signed.workspace, &signed.provider, &inbound, web.clock.now()).await;
    match taken {
        Ok(Some(answer)) => xml(twiml::text(&answer)),
        Ok(None) => xml(twiml::NOTHING.to_owned()),
        Err(error) => not_taken(&error),
    }
}

/// What became of a message or a call.
async fn status(State(web): State<Web>, RawQuery(query): RawQuery, signed: Signed) -> Response {
    let Some(receipt) = Receipt::read(&signed.form) else { return unreadable() };
    let touchpoint = parameter(query.as_deref(), "touchpoint");
    let taken = receipts::take(&web.db, &signed.provider, touchpoint.as_deref(), &receipt, web.clock.now()).await;
    match taken {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => not_taken(&error),
    }
}

/// A key that was pressed in a call.
async fn voice(
    State(web): State<Web>,
    Path((_, token)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    signed: Signed,
) -> Response {
    let unknown = || problem(StatusCode::NOT_FOUND, "nothing lives at this address");
    let keys = signed.workspace.keys.as_ref();
    let Some(claims) = keys.and_then(|keys| keys.verify(Purpose::Voice, &token)) else { return unknown() };
    let Some(pressed) = Pressed::read(&signed.form) else { return unreadable() };
    let turn = parameter(query.as_deref(), "turn").and_then(|turn| turn.parse().ok()).unwrap_or(keys::TURNS);
    let Signed { provider, workspace, .. } = &signed;
    let now = web.clock.now();
    let taken = keys::take(&web.db, workspace, provider, &claims.touchpoint, &pressed, turn, now).await;
    let next = match taken {
        Ok(Some(next)) => next,
        Ok(None) => return unknown(),
        Err(error) => return not_taken(&error),
    };
    xml(match next.turn {
        Some(turn) => {
            let base = &workspace.project.settings.web.public_url;
            twiml::ask(&next.spoken, &next.locale, &format!("{base}/hooks/{provider}/voice/{token}?turn={turn}"))
        }
        None => twiml::end(&next.spoken, &next.locale),
    })
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn xml(body: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn unreadable() -> Response {
    problem(StatusCode::UNPROCESSABLE_ENTITY, "fields that this callback needs are missing")
}

fn not_taken(error: &StoreError) -> Response {
    tracing::error!(%error, "what a provider told could not be written down");
    problem(StatusCode::SERVICE_UNAVAILABLE, "the database does not take it now")
}
