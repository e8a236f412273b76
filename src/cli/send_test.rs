//! `plusone send-test RULE --customer C --to ADDRESS`: a real send to one's own address, marked as a test.

use super::lookup::the_customer;
use super::opened::Opened;
use super::preview::{channels, known_locale, the_sample};
use super::print::{say, say_json, short};
use super::{Answer, Failure, Global, known_rule, open};
use crate::app::App;
use crate::clock::Clock;
use crate::data::addresses;
use crate::delivery::sample::Samples;
use crate::delivery::test_send::{self, Gone};
use crate::messages::remarks::remarks;
use crate::rules::{Channel, Rule};
use crate::touchpoints::State;
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The rule's file name without .toml
    #[arg(value_name = "RULE")]
    rule: String,
    /// Whose data the message is made of: an id, an email address, a phone number, or order:1234
    #[arg(long, value_name = "CUSTOMER")]
    customer: String,
    /// Where it goes: your own email address or phone number
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// email, sms or voice; the rule's first channel that the address fits where absent
    #[arg(long)]
    channel: Option<Channel>,
    /// A language other than the customer's, such as fr-FR
    #[arg(long)]
    locale: Option<String>,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let rule = known_rule(&app, &options.rule)?;
    let (channel, to) = way(&app, rule, options)?;
    let locale = options.locale.as_deref().map(known_locale).transpose()?;
    app.refresh().await?;
    let customer = the_customer(&Opened::of(&app), &options.customer).await?;
    let samples = Samples { db: &app.db, workspace: &app.workspace, rule, channel, now: app.clock.now() };
    let sample = the_sample(&samples, &customer).await?;
    let providers = app.providers()?;
    let gone = test_send::send(&samples, &sample, locale.as_deref(), &to, &providers).await;
    let gone = gone.map_err(|refused| Failure::failed(format!("no test was sent: {refused}")))?;
    tell(global, &to, &gone)?;
    Ok(if gone.state == State::Sent { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The channel, and the address in its one form.
fn way(app: &App, rule: &Rule, options: &Options) -> Result<(Channel, String), Failure> {
    let country = addresses::country(&app.workspace.project.settings.business.country);
    let is_email = options.to.contains('@');
    let read = if is_email { addresses::email(&options.to) } else { addresses::phone(&options.to, country) };
    let to = read.ok_or_else(|| {
        Failure::usage(format!("--to: `{}` is neither an email address nor a phone number", options.to))
    })?;
    let fits = |channel: &Channel| (*channel == Channel::Email) == is_email;
    let channels = channels(rule, options.channel)?;
    let channel = channels.iter().copied().find(fits).ok_or_else(|| {
        let names = channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ");
        let kind = if is_email { "an email address" } else { "a phone number" };
        Failure::usage(format!("--to: `{}` is {kind}, and {names} does not go there", options.to))
    })?;
    Ok((channel, to))
}

fn tell(global: &Global, to: &str, gone: &Gone) -> std::io::Result<()> {
    if global.json {
        return say_json(json!({
            "touchpoint": gone.touchpoint, "to": to, "provider": gone.provider, "state": gone.state.as_str(),
            "answer": gone.answer, "subject": gone.words.subject, "locale": gone.words.locale,
        }));
    }
    let id = short(&gone.touchpoint);
    if gone.state == State::Sent {
        say(format_args!("sent to {to} by {}: {}", gone.provider, gone.answer))?;
        say(format_args!("it is marked as a test and counted nowhere; `plusone show {id}` shows it"))?;
    } else {
        say(format_args!("nobody can say whether it arrived, look there: {}: {}", gone.provider, gone.answer))?;
    }
    remarks(&gone.words).iter().try_for_each(|remark| say(format_args!("note: {remark} (with the mark of the test)")))
}
