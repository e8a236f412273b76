//! What the pages are dressed in, served by us: the style sheets, and the business's colour and logo.
//!
//! 1. Nothing is fetched from elsewhere, and nothing is a script.
//! 2. A sheet's address changes with its content, so that it can be kept by the browser.
//! 3. The logo is read from the one file that the settings name; no part of a request is a path.

use super::Web;
use super::colour::{self, Colour};
use super::problems::problem;
use crate::ids::content_hash;
use crate::settings::Business;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

/// Pico CSS 2.1.1, classless; its licence (MIT) lies beside it.
const PICO: &str = include_str!("assets/pico.classless.min.css");
const PAGE: &str = include_str!("assets/page.css");
/// The largest logo that is served, in bytes.
const LOGO_LIMIT: u64 = 1024 * 1024;

static VERSION: LazyLock<String> = LazyLock::new(|| content_hash(&[PICO, PAGE])[..8].to_owned());

/// The addresses of the style sheets, below the place where pages begin.
pub fn sheets(business: &Business) -> Vec<String> {
    let version = &*VERSION;
    let mut sheets = vec![format!("assets/pico.css?{version}"), format!("assets/page.css?{version}")];
    if let Some(colour) = business.colour.as_deref().filter(|colour| Colour::read(colour).is_some()) {
        sheets.push(format!("assets/colour.css?{}", &colour[1..]));
    }
    sheets
}

/// Where the logo is shown from: our own address, or the picture itself.
pub fn logo(business: &Business) -> Option<(bool, &str)> {
    let logo = business.logo.as_deref()?;
    Some(if logo.starts_with("data:") { (false, logo) } else { (true, "assets/logo") })
}

/// Serves one of them.
pub async fn serve(State(web): State<Web>, Path(name): Path<String>) -> Response {
    let settings = web.in_force.now();
    let business = &settings.project.settings.business;
    let css = |text: String| {
        let kept = "public, max-age=31536000, immutable";
        let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, kept)];
        (headers, text).into_response()
    };
    match name.as_str() {
        "pico.css" => css(PICO.to_owned()),
        "page.css" => css(PAGE.to_owned()),
        "colour.css" => match business.colour.as_deref().and_then(Colour::read) {
            Some(colour) => css(colour::sheet(colour)),
            None => nothing(),
        },
        "logo" => match business.logo.as_deref().filter(|logo| !logo.starts_with("data:")) {
            Some(path) => picture(&web, path).await,
            None => nothing(),
        },
        _ => nothing(),
    }
}

async fn picture(web: &Web, path: &str) -> Response {
    let kind = match path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        _ => "image/jpeg",
    };
    let file = web.home.join(path);
    let size = tokio::fs::metadata(&file).await.map(|found| found.len());
    match (size, tokio::fs::read(&file).await) {
        (Ok(size), Ok(bytes)) if size <= LOGO_LIMIT => {
            let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")];
            (headers, bytes).into_response()
        }
        (Ok(_), Ok(_)) => {
            tracing::warn!(logo = path, "the logo is larger than {LOGO_LIMIT} bytes and is not shown");
            nothing()
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!(logo = path, %error, "the logo cannot be read");
            nothing()
        }
    }
}

fn nothing() -> Response {
    problem(StatusCode::NOT_FOUND, "nothing lives at this address")
}
