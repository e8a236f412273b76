//! `/livez` and `/readyz`: whether to restart this program, and whether to send it requests.
//!
//! 1. Alive is whoever answers. Nothing outside the process may say otherwise.
//! 2. Ready needs the program up and its database there with the right schema. Broken files and providers are
//!    warnings with status 200: the last good version is in force, the next provider takes over, and the pages by
//!    which customers say stop must stay reachable.

use super::Web;
use crate::health::{Phase, Report};
use crate::store::migrate::is_current;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;

/// How long the database may take over one row.
const DATABASE_LIMIT: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pass,
    Warn,
    Fail,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Readiness {
    status: Status,
    /// What does not pass; with `?verbose` everything.
    checks: Vec<Check>,
}

/// The process answers.
pub async fn livez() -> Response {
    uncached(StatusCode::OK, Json(serde_json::json!({ "status": "pass" })))
}

/// Whether requests may be sent here, with what stands in the way.
pub async fn readyz(State(web): State<Web>, RawQuery(query): RawQuery) -> Response {
    let verbose = query.iter().flat_map(|query| query.split('&')).any(|key| key == "verbose" || key == "verbose=1");
    let mut checks = Vec::from(database(&web).await);
    checks.extend(program(&web.health.report()));
    let status = checks.iter().map(|check| check.status).max().unwrap_or(Status::Pass);
    checks.retain(|check| verbose || check.status != Status::Pass);
    let code = if status == Status::Fail { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    uncached(code, Json(Readiness { status, checks }))
}

async fn database(web: &Web) -> [Check; 2] {
    let answer = tokio::time::timeout(DATABASE_LIMIT, is_current(&web.db)).await;
    let (database, migrations) = match answer {
        Ok(Ok(true)) => (None, None),
        Ok(Ok(false)) => (None, Some("its schema is not the one that this program knows")),
        Ok(Err(error)) => {
            // The text of the error may name hosts and files; it is for the log.
            tracing::debug!(%error, "not ready: the database refuses");
            (Some("the database refuses"), Some("not known"))
        }
        Err(_) => (Some("the database does not answer"), Some("not known")),
    };
    [("database", database), ("migrations", migrations)].map(|(name, trouble)| Check {
        name,
        status: if trouble.is_some() { Status::Fail } else { Status::Pass },
        details: trouble.map(str::to_owned).into_iter().collect(),
    })
}

fn program(report: &Report) -> [Check; 3] {
    let (phase, said) = match report.phase {
        Phase::Starting => (Status::Fail, Some("starting")),
        Phase::Running => (Status::Pass, None),
        Phase::Stopping => (Status::Fail, Some("stopping")),
    };
    let trouble = |(name, trouble): (&String, &Option<String>)| Some(format!("{name}: {}", trouble.as_ref()?));
    let providers: Vec<String> = report.providers.iter().filter_map(trouble).collect();
    let warn = |details: &[String]| if details.is_empty() { Status::Pass } else { Status::Warn };
    [
        Check { name: "program", status: phase, details: said.map(str::to_owned).into_iter().collect() },
        Check { name: "configuration", status: warn(&report.configuration), details: report.configuration.clone() },
        Check { name: "providers", status: warn(&providers), details: providers },
    ]
}

fn uncached(status: StatusCode, body: impl IntoResponse) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}
