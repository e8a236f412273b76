//! What goes wrong, told to people: a page in the look of all others where a browser asks, problem+json elsewhere.

use super::Web;
use super::look::{Page, marked, ways};
use super::texts::Texts;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use maud::{PreEscaped, html};

/// Where programs ask, whatever they say they accept.
const FOR_PROGRAMS: [&str; 6] = ["/api/", "/v1/", "/hooks/", "/livez", "/readyz", "/metrics"];

/// Puts a page in the place of an error that a browser would show as text.
pub async fn for_people(State(web): State<Web>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let is_person = wants_page(request.headers()) && !FOR_PROGRAMS.iter().any(|place| path.starts_with(place));
    let language = text(request.headers(), header::ACCEPT_LANGUAGE).to_owned();
    let answer = next.run(request).await;
    let is_page = text(answer.headers(), header::CONTENT_TYPE).starts_with("text/html");
    if !is_person || is_page || answer.status().as_u16() < 400 {
        return answer;
    }
    let mut page = page(&web, &path, &language, answer.status());
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = answer.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn wants_page(headers: &HeaderMap) -> bool {
    text(headers, header::ACCEPT).contains("text/html")
}

fn page(web: &Web, path: &str, language: &str, status: StatusCode) -> Response {
    let workspace = web.in_force.now();
    let business = &workspace.project.settings.business;
    let texts = Texts::accepted(language, &business.locale);
    let known = [404, 405, 413, 429, 500, 503].contains(&status.as_u16());
    let kind = if known { status.as_str().to_owned() } else { "other".to_owned() };
    let up = "../".repeat(path.matches('/').count().saturating_sub(1));
    let body = html! {
        p { (texts.say(&format!("error-{kind}-lead"), &[])) }
        @if let Some(ways) = ways(business) {
            p { (PreEscaped(marked(texts, "error-contact", &ways))) }
        }
    };
    let heading = texts.say(&format!("error-{kind}-heading"), &[]);
    Page { business, texts, up: &up, heading, body }.answer(status)
}
