//! `/y/{token}`: confirming an opt-in. Looking changes nothing; the button says yes.

use super::Web;
use super::peer::Peer;
use super::visit::{Visit, broken};
use crate::courtesy::consent::SourceKind;
use crate::data::wishes::Proof;
use crate::tokens::Purpose;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::html;

/// The page that asks.
pub async fn show(State(web): State<Web>, Path(token): Path<String>) -> Response {
    let visit = match Visit::begin(&web, Purpose::Confirm, &token).await {
        Ok(visit) => visit,
        Err(answer) => return answer,
    };
    let channel = visit.touchpoint.channel;
    let address = channel.and_then(|channel| visit.person.masked(channel)).unwrap_or_default();
    let body = html! {
        p { (visit.say("confirm-lead", &[("address", &address)])) }
        form method="post" {
            button type="submit" { (visit.say("confirm-button", &[])) }
        }
    };
    visit.page(visit.say("confirm-heading", &[]), body)
}

/// Says yes.
pub async fn change(State(web): State<Web>, Path(token): Path<String>, peer: Peer) -> Response {
    let mut visit = match Visit::begin(&web, Purpose::Confirm, &token).await {
        Ok(visit) => visit,
        Err(answer) => return answer,
    };
    let (topic, id) = (visit.touchpoint.topic.clone(), visit.touchpoint.id.clone());
    let wording = visit.say("confirm-heading", &[]);
    let proof = Proof { kind: SourceKind::Confirmation, touchpoint: &id, ip: peer.ip(), wording };
    match visit.person.confirm(&web.db, &topic, &proof, visit.now).await {
        Ok(true) => {
            tracing::info!(touchpoint = id, topic, "a customer has confirmed");
            let body = html! { p { (visit.say("confirmed-lead", &[])) } };
            visit.page(visit.say("confirmed-heading", &[]), body)
        }
        Ok(false) => {
            let body = html! { p { (visit.say("confirmed-nothing", &[])) } };
            visit.page(visit.say("confirm-heading", &[]), body)
        }
        Err(error) => broken(error),
    }
}
