//! Replies: text messages that customers send back.
//!
//! 1. A stop is heard whoever says it, whether or not the number is a customer's.
//! 2. The network has blocked the number already and says so to its owner: nothing is written to who said stop.
//! 3. What was written is kept word for word, with the text message that it answers.

use super::stop::{self, Stop};
use crate::catalogue::Catalogue;
use crate::channels::twilio::notice::Inbound;
use crate::contact::mask;
use crate::courtesy::phrases;
use crate::courtesy::reply::{self, Meaning};
use crate::data::suppress::Hasher;
use crate::ids::bucket_of;
use crate::rules::Channel;
use crate::store::db::{Db, Result, Tx};
use crate::store::feedback::{self, Notice, Subject};
use crate::store::{rows, suppressions};
use crate::time::Timestamp;
use crate::workspace::Workspace;
use serde_json::json;
use std::collections::BTreeSet;

/// The event of a touchpoint that was answered.
pub const KIND: &str = "replied";
/// More of a reply than any telephone sends is not kept.
const MAX_WORDS: usize = 4_000;

/// Takes a reply; gives the text to answer with, if any.
///
/// # Errors
/// When the database refuses; nothing of it is taken then.
pub async fn take(
    db: &Db,
    workspace: &Workspace,
    provider: &str,
    inbound: &Inbound,
    now: Timestamp,
) -> Result<Option<String>> {
    let read = read(inbound);
    let hasher = Hasher::load(db).await?;
    let customers = customers(db, &workspace.project.catalogue, &inbound.from).await?;
    let mut tx = db.begin().await?;
    let answered = feedback::latest_text(&mut tx, &inbound.from).await?;
    let answer = match read.meaning {
        Meaning::Help if inbound.opt_out.is_none() => Some(help(workspace, answered.as_ref())),
        _ => None,
    };
    let notice = notice(provider, inbound, answered.as_ref(), now);
    let told = event(&words(inbound), read.meaning.as_str(), read.review);
    if !feedback::note(&mut tx, &notice).await? {
        return Ok(answer);
    }
    let kept = kept(&notice, inbound, answered.as_ref(), &customers, &read, hasher.hash(&inbound.from));
    feedback::add_reply(&mut tx, &kept).await?;
    let settings = &workspace.project.settings;
    match read.meaning {
        Meaning::Stop => {
            let source = format!("reply {}", read.keyword.unwrap_or("STOP"));
            let stop = Stop {
                channel: Channel::Sms,
                number: &inbound.from,
                customers: &customers,
                source: &source,
                event: &inbound.sid,
                words: &kept.words,
            };
            stop::hear(&mut tx, settings, &hasher, stop, now).await?;
        }
        Meaning::Start => lift(&mut tx, &hasher, &inbound.from).await?,
        Meaning::Help | Meaning::Other => {}
    }
    if let Some(subject) = &answered
        && !feedback::add_event(&mut tx, subject, KIND, Some(&told), now).await?
    {
        feedback::set_pending(&mut tx, &notice, true).await?;
    }
    tx.commit().await?;
    Ok(answer)
}

/// What a reply means: by its words, and by what the network made of them.
fn read(inbound: &Inbound) -> reply::Reply {
    let read = reply::read(&inbound.text);
    match inbound.opt_out.as_deref() {
        // The network has blocked the number already, by a word of the business's own choice.
        Some("STOP") if read.meaning != Meaning::Stop => {
            reply::Reply { meaning: Meaning::Stop, keyword: None, review: false }
        }
        _ => read,
    }
}

/// The customers with this number.
pub(super) async fn customers(db: &Db, catalogue: &Catalogue, number: &str) -> Result<Vec<String>> {
    match &catalogue.roles.phone {
        Some(field) => rows::owners_by(db, catalogue.customer(), field, number, None).await,
        None => Ok(Vec::new()),
    }
}

fn notice(provider: &str, inbound: &Inbound, answered: Option<&Subject>, now: Timestamp) -> Notice {
    Notice {
        provider: provider.to_owned(),
        event: inbound.sid.clone(),
        kind: KIND.to_owned(),
        touchpoint: answered.map(|subject| subject.id.clone()),
        provider_id: None,
        // The words lie with the reply alone.
        detail: None,
        at: now,
    }
}

/// What a touchpoint's event says of a reply.
pub(super) fn event(words: &str, meaning: &str, review: bool) -> String {
    json!({ "text": words, "meaning": meaning, "review": review }).to_string()
}

/// The text without what a database cannot hold.
fn words(inbound: &Inbound) -> String {
    inbound.text.chars().filter(|c| *c != '\0').take(MAX_WORDS).collect()
}

fn kept(
    notice: &Notice,
    inbound: &Inbound,
    answered: Option<&Subject>,
    customers: &[String],
    read: &reply::Reply,
    address_hash: String,
) -> feedback::Reply {
    let customer = answered.map(|subject| &subject.customer).or(customers.first());
    feedback::Reply {
        bucket: customer.map_or_else(|| bucket_of(&address_hash), |customer| bucket_of(customer)),
        provider: notice.provider.clone(),
        event: notice.event.clone(),
        customer: customer.cloned(),
        touchpoint: notice.touchpoint.clone(),
        channel: Channel::Sms,
        address_hash,
        shown: mask(&inbound.from),
        words: words(inbound),
        meaning: read.meaning.as_str(),
        keyword: read.keyword,
        review: read.review,
        at: notice.at,
    }
}

/// Takes back the number's own stop of text messages, and nothing else: what it said no to stays no.
async fn lift(tx: &mut Tx, hasher: &Hasher, number: &str) -> Result<()> {
    suppressions::lift(tx, &hasher.hash(number), &stop::scope(Channel::Sms), stop::REASON).await.map(|_| ())
}

/// Who writes, about what, how to stop it, and whom to ask.
fn help(workspace: &Workspace, answered: Option<&Subject>) -> String {
    let settings = &workspace.project.settings;
    let business = &settings.business;
    let locale = answered.and_then(|subject| subject.locale.as_deref()).unwrap_or(&business.locale);
    let texts = workspace.project.rules.values().filter(|rule| rule.channels.contains(&Channel::Sms));
    let used: BTreeSet<&str> = texts.map(|rule| rule.topic.as_str()).collect();
    let named = settings.topics.iter().filter(|(topic, _)| used.is_empty() || used.contains(topic.as_str()));
    let topics: Vec<&str> = named.map(|(_, topic)| topic.name.as_str()).collect();
    let contact = business.phone.as_ref().or(business.email.as_ref()).or(business.website.as_ref());
    phrases::of_or_english(locale)
        .help
        .replace("{name}", &business.name)
        .replace("{topics}", &topics.join(", "))
        .replace("{contact}", contact.map_or(business.name.as_str(), String::as_str))
}
