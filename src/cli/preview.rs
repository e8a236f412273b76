//! `plusone preview RULE`: the message as a customer would get it, on every channel of the rule, in every language it is
//! written in: as the first who would get it now, as one who is named, or as those whom it fits worst.

mod browser;
mod first;
mod page;
mod shown;
mod worst;

use super::lookup::the_customer_or_name;
use super::opened::Opened;
use super::print::{say, say_json};
use super::{Answer, Failure, Global, known_rule, open, shortfall};
use crate::app::App;
use crate::clock::Clock;
use crate::delivery::sample::{Sample, Samples};
use crate::messages::format::locale;
use crate::rules::{Channel, Rule};
use crate::shell;
use crate::workspace::PREVIEW;
use shown::Shown;
use std::collections::BTreeSet;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The rule's file name without .toml
    #[arg(value_name = "RULE")]
    rule: String,
    /// An id, an email address, a phone number, order:1234, or a name that one person has [default: the first who would get it now]
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// In the place of --customer: those whom the message fits worst, with the longest and with missing values
    #[arg(long, conflicts_with = "customer")]
    worst: bool,
    /// email, sms or voice; every channel of the rule where absent
    #[arg(long)]
    channel: Option<Channel>,
    /// A language other than the customer's, such as fr-FR; `all` for every language of the template
    #[arg(long)]
    locale: Option<String>,
    /// Show it in a browser: on a phone and on a desk, light and dark
    #[arg(long, conflicts_with_all = ["json", "html"])]
    open: bool,
    /// Print the HTML of the mail alone
    #[arg(long, conflicts_with = "json")]
    html: bool,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let rule = known_rule(&app, &options.rule)?;
    app.refresh().await?;
    shortfall::mention(&app).await?;
    let mut channels = channels(rule, options.channel)?;
    let customer = match &options.customer {
        Some(text) => Some(the_customer_or_name(&Opened::of(&app), text).await?),
        None if options.worst => None,
        None => Some(first::of_audience(&app, rule).await?),
    };
    if let (Some(customer), None) = (&customer, options.channel) {
        // of a rule with variants only the customer's own
        channels = rule.channels_of(customer).to_vec();
    }
    let mut shown = Vec::new();
    for channel in channels {
        let (workspace, now) = (&app.workspace, app.clock.now());
        let samples = Samples { db: &app.db, workspace, rule, channel, now };
        for (sample, why) in chosen(&samples, customer.as_deref()).await? {
            for locale in locales(&app, rule, channel, options.locale.as_deref())? {
                shown.push(Shown::of(&samples, &sample, why.clone(), locale.as_deref()));
            }
        }
    }
    tell(global, &app, rule, options, &shown)?;
    let failed = shown.iter().any(|shown| shown.words.is_err());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The channel that was asked for, or all of the rule's.
pub(super) fn channels(rule: &Rule, asked: Option<Channel>) -> Result<Vec<Channel>, Failure> {
    match asked {
        Some(channel) if !rule.channels.contains(&channel) => {
            let channels = rule.channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ");
            Err(Failure::usage(format!("rule {} does not use {channel}; it uses {channels}", rule.name)))
        }
        Some(channel) => Ok(vec![channel]),
        None => Ok(rule.channels.clone()),
    }
}

/// Whom the message is shown for, and why them.
async fn chosen(samples: &Samples<'_>, customer: Option<&str>) -> Result<Vec<(Sample, Option<String>)>, Failure> {
    let Some(customer) = customer else { return worst::cases(samples).await };
    Ok(vec![(the_sample(samples, customer).await?, None)])
}

/// The row of this customer that the message would be about.
pub(super) async fn the_sample(samples: &Samples<'_>, customer: &str) -> Result<Sample, Failure> {
    let sample = samples.of_customer(customer).await?;
    let nothing = || {
        Failure::failed(format!(
            "customer {customer} has no {} to show; --worst finds some that have",
            samples.rule.for_each
        ))
    };
    sample.ok_or_else(nothing)
}

/// `None` is the customer's own language.
fn locales(app: &App, rule: &Rule, channel: Channel, asked: Option<&str>) -> Result<Vec<Option<String>>, Failure> {
    let business = &app.workspace.project.settings.business.locale;
    match asked {
        None => Ok(vec![None]),
        Some("all") => {
            let templates = app.workspace.templates.all_of(rule);
            let found: BTreeSet<&str> = templates.iter().flat_map(|template| template.locales_of(channel)).collect();
            let found = found.into_iter();
            let mut found: Vec<Option<String>> = found
                .map(|locale| Some(if locale.is_empty() { business.clone() } else { locale.to_owned() }))
                .collect();
            found.dedup();
            Ok(found)
        }
        Some(text) => Ok(vec![Some(known_locale(text)?)]),
    }
}

/// A language as a user writes it: `fr`, `fr-CA`, `fr_CA`.
pub(super) fn known_locale(text: &str) -> Result<String, Failure> {
    let known = locale(text).map(|locale| locale.to_string());
    known.ok_or_else(|| Failure::usage(format!("--locale: `{text}` is no language; write `fr`, `fr-CA`, or `all`")))
}

fn tell(global: &Global, app: &App, rule: &Rule, options: &Options, shown: &[Shown]) -> Result<(), Failure> {
    if global.json {
        return Ok(say_json(shown::to_json(rule, shown))?);
    }
    notes(rule, options, shown);
    if options.html {
        let html = shown.iter().find_map(|shown| shown.words.as_ref().ok()?.html.as_ref());
        let missing = || Failure::failed(format!("rule {} says nothing in HTML here", rule.name));
        return Ok(say(html.ok_or_else(missing)?)?);
    }
    if options.open {
        let business = &app.workspace.project.settings;
        return browser::show(&app.home, &rule.name, &page::page(rule, business, shown));
    }
    for (place, one) in shown.iter().enumerate() {
        if place > 0 {
            say("")?;
        }
        shown::print(one, shown.len() > 1)?;
    }
    Ok(())
}

/// What is worth knowing of the whole, on standard error: the answer may be read by a program.
fn notes(rule: &Rule, options: &Options, shown: &[Shown]) {
    if let (Some(one), Some(_)) = (shown.first(), &options.customer)
        && !one.is_selected
    {
        super::complain(format_args!(
            "note: the rule does not select this customer now; `plusone why {} {}` says why",
            shell::customer(&one.customer),
            rule.name
        ));
    }
    let dead = format!("/{PREVIEW}");
    let said = shown.iter().filter_map(|shown| shown.words.as_ref().ok());
    let mut parts = said.flat_map(|words| [&words.html, &words.text, &words.sms]).flatten();
    if parts.any(|part| part.contains(&dead)) {
        super::complain(
            "note: the customer's own links are left out of a preview: nobody should speak for them by trying one",
        );
    }
}
