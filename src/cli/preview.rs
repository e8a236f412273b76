//! `plusone preview RULE --customer C`: the message as that customer would get it.

use super::lookup::the_customer;
use super::opened::Opened;
use super::print::{say, say_json};
use super::{Answer, Failure, Global, known_rule, open};
use crate::app::App;
use crate::clock::Clock;
use crate::delivery::facts;
use crate::ids::bucket_of;
use crate::messages::Words;
use crate::messages::segments::segments;
use crate::offers::Offer;
use crate::offers::code::CodeSource;
use crate::outreach::complete::complete;
use crate::outreach::foresee::Foresight;
use crate::plan::audience::{Among, Audience};
use crate::rules::{Channel, Purpose, Rule};
use crate::store::pauses;
use crate::workspace::{PREVIEW, Recipient};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The rule's file name without .toml
    #[arg(value_name = "RULE")]
    rule: String,
    /// An id, an email address, a phone number, or order:1234
    #[arg(long, value_name = "CUSTOMER")]
    customer: String,
    /// email, sms or voice; the rule's first channel where absent
    #[arg(long)]
    channel: Option<Channel>,
    /// A language other than the customer's, such as fr-FR
    #[arg(long)]
    locale: Option<String>,
    /// Print the HTML alone, to be looked at in a browser
    #[arg(long, conflicts_with = "json")]
    html: bool,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let rule = known_rule(&app, &options.rule)?;
    app.refresh().await?;
    let customer = the_customer(&Opened::of(&app), &options.customer).await?;
    let channel = match options.channel {
        Some(channel) if !rule.channels.contains(&channel) => {
            let channels = rule.channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Failure::usage(format!("rule {} does not use {channel}; it uses {channels}", rule.name)));
        }
        Some(channel) => channel,
        None => rule.channels_of(&customer).first().copied().unwrap_or(rule.channels[0]),
    };
    let words = words(&app, rule, &customer, channel, options.locale.as_deref()).await?;
    let dead = format!("/{PREVIEW}");
    if [&words.html, &words.text, &words.sms].into_iter().flatten().any(|part| part.contains(&dead)) {
        super::complain(
            "note: the customer's own links are left out of a preview: nobody should speak for them by trying one",
        );
    }
    if options.html {
        let missing = || Failure::failed(format!("rule {} says nothing in HTML on {channel}", rule.name));
        say(words.html.as_ref().ok_or_else(missing)?)?;
    } else if global.json {
        say_json(to_json(&words))?;
    } else {
        print(&words)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Renders for the customer's row that the rule would be about: a selected one, else any.
async fn words(
    app: &App,
    rule: &Rule,
    customer: &str,
    channel: Channel,
    locale: Option<&str>,
) -> Result<Words, Failure> {
    let (db, project, now) = (&app.db, &app.workspace.project, app.clock.now());
    let pauses = pauses::load(db).await?;
    let foresight = Foresight { db, project, rule, at: now, pauses: &pauses, first_run: false };
    let rows = foresight.explain_alone(customer).await?;
    let row = rows.iter().find(|row| row.is_selected()).or(rows.first());
    let row = row.ok_or_else(|| Failure::failed(format!("customer {customer} has no {} to show", rule.for_each)))?;
    if !row.is_selected() {
        super::complain(format_args!(
            "note: the rule does not select this customer now; `plusone why {customer} {}` says why",
            rule.name
        ));
    }
    let bucket = bucket_of(customer);
    let key = ((bucket, customer.to_owned()), (bucket, row.entity.clone()));
    let mut facts = facts::of_rows(db, &app.workspace, rule, channel, &[key]).await?;
    let (catalogue, dialect) = (&project.catalogue, db.dialect());
    let audience = Audience { rule, offers: &[], bad_moments: &[], catalogue, dialect, as_of: now, fires: None };
    let rows = serde_json::to_string(&[(bucket, &row.entity)]).expect("text and integers serialise");
    let person = db.fetch_one(audience.recheck(Among::Rows(&rows))).await?;
    let mut people = [person.map(|person| audience.read(&person)).unwrap_or_default()];
    complete(db, &mut people, now).await?;
    let [person] = people;
    let offer = rule.offers_of(customer).first().map(|place| &project.offers[&rule.offers[*place]]);
    let code = offer.and_then(sample_code);
    let recipient = Recipient {
        touchpoint: None,
        channel,
        locale: locale.or(person.locale.as_deref()),
        zone: person.zone,
        offer: offer.map(|offer| offer.name.as_str()),
        code: code.as_deref(),
        variant: rule.variant_of(customer).map(|variant| variant.name.as_str()),
        promotional: rule.purpose == Purpose::Promotional || offer.is_some(),
        was_told: false,
        as_of: now,
        now,
    };
    let facts = facts.remove(&row.entity).unwrap_or_default();
    app.workspace.words(rule, &recipient, facts).map_err(|(reason, why)| Failure::failed(format!("{reason}: {why}")))
}

/// A code that shows its shape and that nobody can redeem.
fn sample_code(offer: &Offer) -> Option<String> {
    match offer.code.as_ref()? {
        CodeSource::Pattern(pattern) => Some(pattern.replace('#', "X")),
        CodeSource::Fixed(code) => Some(code.clone()),
        CodeSource::File(_) => Some("SAMPLE-CODE".to_owned()),
    }
}

fn to_json(words: &Words) -> Value {
    let sms = words.sms.as_ref().map(|text| {
        let size = segments(text);
        json!({ "text": text, "encoding": size.encoding.as_str(), "segments": size.count, "units": size.units,
                "forced_by": size.forced_by })
    });
    let menu = words
        .menu
        .iter()
        .map(|choice| json!({ "key": choice.key.to_string(), "does": choice.does.as_str(), "says": choice.says }));
    let menu = words.voice.as_ref().map(|_| menu.collect::<Vec<_>>());
    json!({ "locale": words.locale, "subject": words.subject, "html": words.html, "text": words.text, "sms": sms,
            "voice": words.voice, "menu": menu })
}

fn print(words: &Words) -> std::io::Result<()> {
    if let Some(subject) = &words.subject {
        say(format_args!("Subject: {subject}\n"))?;
    }
    for part in [&words.text, &words.voice].into_iter().flatten() {
        say(format_args!("{}\n", part.trim_end()))?;
    }
    for choice in &words.menu {
        let says = if choice.says.is_empty() { String::new() } else { format!(": {}", choice.says) };
        say(format_args!("-- key {} does {}{says} --", choice.key, choice.does))?;
    }
    if let Some(html) = &words.html {
        let count = html.chars().count();
        say(format_args!("-- and as HTML, {count} characters: --html prints it --"))?;
    }
    if let Some(text) = &words.sms {
        let size = segments(text);
        say(text)?;
        let forced = size.forced_by.map(|c| format!(", since it contains `{c}`")).unwrap_or_default();
        let plural = if size.count == 1 { "" } else { "s" };
        say(format_args!("-- {} segment{plural}, {}{forced} --", size.count, size.encoding.as_str()))?;
    }
    Ok(())
}
