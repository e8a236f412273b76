//! `/p/{token}`: the preference centre. What to hear, where first, in which language, when not.
//!
//! 1. One form, without script. It shows how things are now; saving it unchanged changes nothing.
//! 2. A fault is told at its field and at the top, and nothing is saved until there is none. Fields that are not known
//!    are left out of account.
//! 3. For [`super::visit`]'s time after a message; then the page says how to go on, and stopping still works.

mod choices;
mod sheet;

use super::Web;
use super::form::Form;
use super::peer::Peer;
use super::problems::problem;
use super::visit::{Visit, broken};
use crate::courtesy::consent::SourceKind;
use crate::data::DataError;
use crate::data::wishes::Proof;
use crate::tokens::Purpose;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use choices::Choices;
use maud::html;
use std::sync::Arc;

/// The form as things are.
pub async fn show(State(web): State<Web>, Path(token): Path<String>) -> Response {
    match Visit::begin(&web, Purpose::Preferences, &token).await {
        Ok(visit) if visit.is_editable() => sheet::page(&visit, StatusCode::OK, &Choices::now(&visit), &[]),
        Ok(visit) => expired(&visit),
        Err(answer) => answer,
    }
}

/// Saves a form.
pub async fn change(State(web): State<Web>, Path(token): Path<String>, peer: Peer, request: Request) -> Response {
    let form = match Form::read(request).await {
        Ok(form) => form,
        Err(answer) => return answer,
    };
    let mut visit = match Visit::begin(&web, Purpose::Preferences, &token).await {
        Ok(visit) => visit,
        Err(answer) => return answer,
    };
    if !visit.is_editable() {
        return expired(&visit);
    }
    // What is not our form says nothing about any tick.
    if !form.has(choices::WHOLE) {
        return problem(StatusCode::BAD_REQUEST, "this is no form of ours");
    }
    let (choices, faults) = Choices::read(&visit, &form);
    if !faults.is_empty() {
        return sheet::page(&visit, StatusCode::UNPROCESSABLE_ENTITY, &choices, &faults);
    }
    match save(&web, &mut visit, &choices, peer).await {
        Ok(()) => saved(&visit.in_language_now()),
        Err(error) => broken(error),
    }
}

async fn save(web: &Web, visit: &mut Visit, choices: &Choices, peer: Peer) -> Result<(), DataError> {
    let wording = [visit.say("preferences-heading", &[]), visit.say("preferences-topics-help", &[])].join(" ");
    let touchpoint = visit.touchpoint.id.clone();
    let proof = Proof { kind: SourceKind::PreferencePage, touchpoint: &touchpoint, ip: peer.ip(), wording };
    let workspace = Arc::clone(&visit.workspace);
    let settings = &workspace.project.settings;
    let (db, now, person) = (&web.db, visit.now, &mut visit.person);
    person.choose(db, settings, &choices.topics, &proof, now).await?;
    person.set_extras(db, &settings.business, choices.extras, &proof, now).await?;
    person.prefer(db, choices.preferences.clone(), now).await?;
    person.pause(db, choices.pause, now).await?;
    tracing::info!(touchpoint = visit.touchpoint.id, "a customer has saved their preferences");
    Ok(())
}

/// What was saved, in the language that was chosen.
fn saved(visit: &Visit) -> Response {
    let lines = sheet::lines(visit);
    let body = html! {
        p { (visit.say("saved-lead", &[])) }
        ul { @for line in &lines { li { (line) } } }
        nav { ul { li { a href=(visit.link(Purpose::Preferences)) { (visit.say("saved-again", &[])) } } } }
    };
    visit.page(visit.say("saved-heading", &[]), body)
}

/// What a link of an old message says.
fn expired(visit: &Visit) -> Response {
    let body = html! {
        p { (visit.say("expired-lead", &[])) }
        p { (visit.say("expired-leave", &[])) }
        nav { ul { li { a href=(visit.link(Purpose::Unsubscribe)) { (visit.say("to-leave", &[])) } } } }
    };
    visit.page(visit.say("expired-heading", &[]), body)
}
