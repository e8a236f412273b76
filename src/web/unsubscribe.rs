//! `/u/{token}`: leaving, by one click of a mailbox provider or by the button of a page.
//!
//! 1. A GET or HEAD changes nothing, and a page has no script: who merely looks, or has links looked at, stays.
//! 2. A POST leaves at once and answers 200 without a redirect, whatever it holds (RFC 8058 asks for
//!    `List-Unsubscribe=One-Click`; a provider that sends less meant the same). Only our own forms ask for other things.
//! 3. The link never expires, and following it twice is the same as once.

use super::Web;
use super::form::Form;
use super::peer::Peer;
use super::visit::{Visit, broken};
use crate::courtesy::consent::SourceKind;
use crate::data::wishes::{Leaving, Proof, leaving};
use crate::rules::Channel;
use crate::tokens::Purpose;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use maud::{Markup, html};

/// What the buttons of the page ask for.
const WISH: &str = "wish";
const LEAVE: &str = "leave";
const LEAVE_TOPIC: &str = "leave-topic";
const STAY: &str = "stay";
const STAY_TOPIC: &str = "stay-topic";

/// The page that asks.
pub async fn show(State(web): State<Web>, Path(token): Path<String>) -> Response {
    let visit = match Visit::begin(&web, Purpose::Unsubscribe, &token).await {
        Ok(visit) => visit,
        Err(answer) => return answer,
    };
    let (name, purpose) = visit.topic();
    let topic = &visit.touchpoint.topic;
    match leaving(&visit.touchpoint, visit.settings()) {
        _ if visit.person.has_left(topic, purpose) => left(&visit, Leaving::Topic),
        Leaving::Extras if visit.person.no_extras => left(&visit, Leaving::Extras),
        Leaving::Topic => {
            let body = html! {
                p { (visit.say("leave-lead", &[])) }
                (button(LEAVE, &visit.say("leave-button", &[])))
                (further(&visit))
            };
            visit.page(visit.say("leave-heading", &[("topic", name)]), body)
        }
        Leaving::Extras => {
            let body = html! {
                p { (visit.say("leave-extras-lead", &[])) }
                (button(LEAVE, &visit.say("leave-extras-button", &[])))
                p { (visit.say("leave-all-lead", &[])) }
                (button(LEAVE_TOPIC, &visit.say("leave-button", &[])))
                (further(&visit))
            };
            visit.page(visit.say("leave-extras-heading", &[]), body)
        }
    }
}

/// Leaves, or takes it back.
pub async fn change(State(web): State<Web>, Path(token): Path<String>, peer: Peer, request: Request) -> Response {
    // What is too large or breaks off is no form of ours: it leaves.
    let form = Form::read(request).await.unwrap_or_default();
    let mut visit = match Visit::begin(&web, Purpose::Unsubscribe, &token).await {
        Ok(visit) => visit,
        Err(answer) => return answer,
    };
    let wish = if form.has("List-Unsubscribe") { "" } else { form.get(WISH) };
    let how = leaving(&visit.touchpoint, visit.settings());
    let changed = match wish {
        STAY | STAY_TOPIC => stay(&web, &mut visit, wish == STAY_TOPIC, peer).await,
        LEAVE_TOPIC => leave(&web, &mut visit, Leaving::Topic, SourceKind::UnsubscribePage, peer).await,
        LEAVE => leave(&web, &mut visit, how, SourceKind::UnsubscribePage, peer).await,
        _ => leave(&web, &mut visit, how, SourceKind::OneClick, peer).await,
    };
    changed.unwrap_or_else(broken)
}

type Changed = Result<Response, crate::data::DataError>;

async fn leave(web: &Web, visit: &mut Visit, how: Leaving, kind: SourceKind, peer: Peer) -> Changed {
    let heading = if how == Leaving::Topic { "leave-heading" } else { "leave-extras-heading" };
    let (topic, id) = (visit.touchpoint.topic.clone(), visit.touchpoint.id.clone());
    let proof = Proof { kind, touchpoint: &id, ip: peer.ip(), wording: visit.say(heading, &[]) };
    match how {
        Leaving::Topic => visit.person.leave_topic(&web.db, &topic, &proof, visit.now).await?,
        Leaving::Extras => {
            let workspace = std::sync::Arc::clone(&visit.workspace);
            let business = &workspace.project.settings.business;
            visit.person.set_extras(&web.db, business, false, &proof, visit.now).await?;
        }
    }
    tracing::info!(touchpoint = visit.touchpoint.id, topic, source = kind.as_str(), "a customer has left");
    Ok(left(visit, how))
}

async fn stay(web: &Web, visit: &mut Visit, whole_topic: bool, peer: Peer) -> Changed {
    let workspace = std::sync::Arc::clone(&visit.workspace);
    let business = &workspace.project.settings.business;
    let purpose = visit.topic().1;
    let (topic, channel) = (visit.touchpoint.topic.clone(), visit.touchpoint.channel);
    let (id, wording) = (visit.touchpoint.id.clone(), visit.say("undo-button", &[]));
    let proof = Proof { kind: SourceKind::UnsubscribePage, touchpoint: &id, ip: peer.ip(), wording };
    let body = further(visit);
    if leaving(&visit.touchpoint, visit.settings()) == Leaving::Extras && !whole_topic {
        visit.person.set_extras(&web.db, business, true, &proof, visit.now).await?;
        let lead = html! { p { (visit.say("back-extras-lead", &[])) } (body) };
        return Ok(visit.page(visit.say("back-heading", &[]), lead));
    }
    visit.person.return_to_topic(&web.db, (&topic, purpose), channel, &proof, visit.now).await?;
    tracing::info!(touchpoint = visit.touchpoint.id, topic, "a customer has come back");
    let lead = html! { p { (visit.say("back-lead", &[])) } (body) };
    Ok(visit.page(visit.say("back-heading", &[]), lead))
}

/// What stops, what goes on, and how to take it back.
fn left(visit: &Visit, how: Leaving) -> Response {
    let (lead, undo, wish) = match how {
        Leaving::Topic => ("left-lead", "undo-button", STAY_TOPIC),
        Leaving::Extras => ("left-extras-lead", "undo-extras-button", STAY),
    };
    let goes_on = going_on(visit);
    let body = html! {
        p { (visit.say(lead, &[])) }
        @if goes_on.is_empty() {
            p { (visit.say("left-nothing", &[])) }
        } @else {
            p { (visit.say("left-goes-on", &[("topics", &goes_on.join(", "))])) }
        }
        h2 { (visit.say("undo-lead", &[])) }
        (button(wish, &visit.say(undo, &[])))
        (further(visit))
    };
    visit.page(visit.say("left-heading", &[]), body)
}

/// The topics that still reach them, by the names that customers read.
fn going_on(visit: &Visit) -> Vec<&str> {
    let settings = visit.settings();
    let reaches = |name: &str, purpose| {
        Channel::ALL.iter().any(|channel| {
            settings.channels.contains_key(channel)
                && visit.person.address(*channel).is_some()
                && visit.person.gets(name, purpose, *channel)
        })
    };
    let topics = settings.topics.iter().filter(|(name, topic)| reaches(name, topic.purpose));
    topics.map(|(_, topic)| topic.name.as_str()).collect()
}

/// One button that posts one wish.
fn button(wish: &str, text: &str) -> Markup {
    html! {
        form method="post" {
            input type="hidden" name=(WISH) value=(wish);
            button type="submit" { (text) }
        }
    }
}

/// The other pages of the same message.
fn further(visit: &Visit) -> Markup {
    html! {
        nav {
            ul {
                @if visit.is_editable() {
                    li { a href=(visit.link(Purpose::Preferences)) { (visit.say("to-preferences", &[])) } }
                }
                li { a href=(visit.link(Purpose::Why)) { (visit.say("to-why", &[])) } }
            }
        }
    }
}
