//! `/metrics`: the figures for Prometheus, in the format that the reader asks for.

use super::Web;
use crate::metrics::QueueLane;
use crate::store::status::{Lane, lanes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long the queue may take to be counted; the other figures do not wait for it.
const QUEUE_LIMIT: Duration = Duration::from_secs(5);

/// Counts the queue and gives all figures. Where the database does not answer, the queue is as it was last seen.
pub async fn metrics(State(web): State<Web>, headers: HeaderMap) -> Response {
    let now = web.clock.now();
    if let Ok(Ok(found)) = tokio::time::timeout(QUEUE_LIMIT, lanes(&web.db, now)).await {
        let lane = |lane: &Lane| QueueLane {
            channel: lane.channel,
            purpose: lane.purpose,
            depth: lane.waiting,
            oldest_age: lane.oldest_age(now),
        };
        web.metrics.queue(&found.iter().map(lane).collect::<Vec<_>>());
    }
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (kind, text) = if prefers_open_metrics(accepted) {
        (OPEN_METRICS, web.metrics.open_metrics())
    } else {
        (CLASSIC, web.metrics.classic())
    };
    ([(header::CONTENT_TYPE, kind), (header::VARY, "accept")], text).into_response()
}

/// Whether `Accept` puts version 1.0 of OpenMetrics before plain text; of equals, OpenMetrics.
fn prefers_open_metrics<'a>(accepted: impl Iterator<Item = &'a str>) -> bool {
    let (mut open, mut classic) = (0.0_f32, 0.0_f32);
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let value =
            |name: &str| parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|pair| pair.1);
        let quality: f32 = value("q").and_then(|q| q.parse().ok()).unwrap_or(1.0);
        let version = value("version").map(|version| version.trim_matches('"'));
        match kind.as_str() {
            "application/openmetrics-text" if version.is_none_or(|version| version == "1.0.0") => {
                open = open.max(quality);
            }
            "text/plain" | "text/*" | "*/*" => classic = classic.max(quality),
            _ => {}
        }
    }
    open > 0.0 && open >= classic
}

#[cfg(test)]
mod tests {
    use super::prefers_open_metrics;

    #[test]
    fn the_format_is_the_one_asked_for() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("application/openmetrics-text", true),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", true),
            ("application/openmetrics-text;version=\"1.0.0\";q=0.5, text/plain;version=0.0.4;q=0.3, */*;q=0.1", true),
            ("application/openmetrics-text;version=0.0.1", false),
            ("application/openmetrics-text;q=0.1, text/plain;q=0.9", false),
            ("application/openmetrics-text;q=0", false),
            ("application/json", false),
        ] {
            assert_eq!(prefers_open_metrics([accept].into_iter()), expected, "{accept}");
        }
    }
}
