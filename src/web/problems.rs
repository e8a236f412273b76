//! Errors as `application/problem+json` (RFC 9457). The detail never says more than a stranger may know.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer of this status with one sentence on what is wrong.
pub fn problem(status: StatusCode, detail: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// In how many seconds it is worth trying again.
const AGAIN: HeaderValue = HeaderValue::from_static("60");

/// The answer while something that is needed is away or has too much to do: it is worth trying again.
pub fn busy(detail: &str) -> Response {
    let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, detail);
    answer.headers_mut().insert(header::RETRY_AFTER, AGAIN);
    answer
}
