//! `plusone simulate`: the rules forward in time on today's data, in a scratch database. Sends and writes nothing.

mod answer;
mod before;
mod html;
mod tell;

use super::print::{mention, say, say_json};
use super::progress::shown;
use super::{Answer, Failure, Global, known_rule, open, shortfall};
use crate::amount::Amount;
use crate::app::App;
use crate::clock::Clock;
use crate::data::sheet::Sheet;
use crate::outreach::simulate::forecast::{Forecast, Gatherer};
use crate::outreach::simulate::{Rehearsal, Wish, prepare};
use crate::progress::Progress;
use crate::rules::Live;
use crate::schedule::Schedule;
use crate::schedule::parse_when::parse_when;
use crate::store::rehearsal::lines::Line;
use crate::time::{Date, Span, Timestamp, Tz};
use futures_util::TryStreamExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The longest time that is simulated.
const MOST: Span = Span::from_days(400);

#[derive(clap::Args)]
pub struct Options {
    /// Tell what happens from this time on; now, if not given
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    from: Option<String>,
    /// … until this time
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    to: String,
    /// Tell of this rule only, beside the live ones; a draft is taken as live. May be repeated. Without it, and where no
    /// rule is live, all drafts are
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
    /// Also write one line per message and per refusal to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Also write a page with a calendar and charts that can be opened and passed on
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// What is told, and on which grounds.
struct Simulated<'a> {
    from: Timestamp,
    to: Timestamp,
    /// The moment whose data it is.
    now: Timestamp,
    zone: Tz,
    currency: &'a str,
    business: &'a str,
    /// The rules that were asked for; all that are live where empty.
    only: &'a [String],
    forecast: Forecast,
    rehearsal: &'a Rehearsal,
    /// Drafts that were taken as live though nobody named them, as no rule is.
    as_live: Vec<String>,
    /// Rules that are in force and were not simulated, as they are drafts.
    drafts: Vec<String>,
    /// Live rules that wrote nothing in this time.
    silent: Vec<String>,
    refused_before: before::Counts,
}

impl Simulated<'_> {
    /// Every day that is told of, those on which nothing happens too: what is due at the end is not told.
    fn days(&self) -> impl Iterator<Item = Date> + use<> {
        let last = self.to.minus(Span::from_micros(1)).date(self.zone);
        (self.from.date(self.zone).days()..=last.days()).map(Date::from_days)
    }

    /// Whether sending by any channel has a price.
    fn is_priced(&self) -> bool {
        let settings = &self.rehearsal.workspace().project.settings;
        settings.channels.keys().any(|channel| settings.price(*channel) > 0)
    }
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    tokio::select! {
        answer = rehearse(global, options, &app) => answer,
        // The scratch database goes with the rehearsal that is let go of here.
        () = stopped() => Ok(ExitCode::from(130)),
    }
}

/// Ctrl-C, or SIGTERM.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

async fn rehearse(global: &Global, options: &Options, app: &App) -> Answer {
    for rule in &options.rules {
        known_rule(app, rule)?;
    }
    let now = app.clock.now();
    let zone = app.workspace.project.settings.business.time_zone;
    let (from, to) = span(options, now, zone)?;
    let sheet = |path: &Path| Sheet::create(path, &HEADINGS).map_err(|error| cannot(path, &error));
    let sheet = options.csv.as_deref().map(|path| Ok::<_, Failure>((sheet(path)?, path))).transpose()?;
    let as_live = if options.rules.is_empty() { all_drafts(app) } else { Vec::new() };
    let live = if as_live.is_empty() { &options.rules } else { &as_live };
    let wish = Wish { now, to, drafts: live };
    let (copied, walked) = (Progress::default(), Progress::default());
    let prepared = shown("parts of the data copied", &copied, prepare(app, wish, &copied)).await?;
    let rehearsal = shown("hours simulated", &walked, prepared.walk(&walked)).await?;
    shortfall::mention(rehearsal.app()).await?;
    let forecast = gather(&options.rules, sheet, &rehearsal, (from, to), zone).await?;
    let business = &app.workspace.project.settings.business;
    let simulated = Simulated {
        from,
        to,
        now,
        zone,
        currency: &business.currency,
        business: &business.name,
        only: &options.rules,
        drafts: drafts(app, live),
        silent: silent(&rehearsal, &forecast, &options.rules),
        forecast,
        as_live: as_live.clone(),
        refused_before: before::counts(&rehearsal, &options.rules).await?,
        rehearsal: &rehearsal,
    };
    if let Some(path) = &options.html {
        let page = html::page(&simulated);
        std::fs::write(path, page).map_err(|error| cannot(path, &error))?;
    }
    if global.json {
        say_json(answer::json(&simulated))?;
    } else {
        say(tell::told(&simulated))?;
        for path in options.html.iter().chain(&options.csv) {
            mention(format_args!("Written: {}", path.display()));
        }
    }
    rehearsal.end().await;
    Ok(ExitCode::SUCCESS)
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", path.display()))
}

/// The time that is told of.
fn span(options: &Options, now: Timestamp, zone: Tz) -> Result<(Timestamp, Timestamp), Failure> {
    let read = |name: &str, text: &str| {
        parse_when(text, now, zone).map_err(|fault| Failure::usage(format!("--{name}: {fault}")))
    };
    let from = options.from.as_deref().map(|text| read("from", text)).transpose()?.unwrap_or(now);
    let to = read("to", &options.to)?;
    if from < now && from.date(zone) != now.date(zone) {
        return Err(Failure::usage(format!(
            "--from {from} is in the past: a simulation begins now, with the data as they are; `plusone log` and \
             `plusone report` tell what was"
        )));
    }
    if from < now {
        mention(format_args!("What is past of today is in `plusone log`; the simulation begins now."));
    }
    let from = from.max(now);
    if to <= from {
        return Err(Failure::usage(format!("--to {to} is not after --from {from}")));
    }
    if to.since(now) > MOST {
        return Err(Failure::usage(format!(
            "--to {to} is too far away: at most {} days are simulated",
            MOST.seconds() / 86_400
        )));
    }
    Ok((from, to))
}

/// Reads the lines back: counts them, and writes them to the CSV file where one is wanted.
async fn gather(
    only: &[String],
    mut sheet: Option<(Sheet, &Path)>,
    rehearsal: &Rehearsal,
    (from, to): (Timestamp, Timestamp),
    zone: Tz,
) -> Result<Forecast, Failure> {
    if let Some((sheet, path)) = &mut sheet {
        let mut lines = before::lines(rehearsal, only);
        while let Some(line) = lines.try_next().await? {
            sheet.row(cells(&line, zone, true).iter().map(String::as_str)).map_err(|error| cannot(path, &error))?;
        }
    }
    let mut gatherer = Gatherer::new(zone, from, to, only);
    let mut lines = rehearsal.lines();
    while let Some(line) = lines.try_next().await? {
        if let Some((sheet, path)) = &mut sheet
            && gatherer.is_asked(&line)
        {
            sheet.row(cells(&line, zone, false).iter().map(String::as_str)).map_err(|error| cannot(path, &error))?;
        }
        gatherer.add(&line);
    }
    if let Some((sheet, path)) = sheet {
        sheet.close().map_err(|error| cannot(path, &error))?;
    }
    Ok(gatherer.end())
}

const HEADINGS: [&str; 13] = [
    "day",
    "time",
    "rule",
    "customer",
    "about",
    "occurrence",
    "channel",
    "state",
    "reason",
    "offer",
    "cost",
    "offer_cost",
    "before",
];

/// A line of the sheet; `before`: that it stood when the simulation began.
fn cells(line: &Line, zone: Tz, before: bool) -> [String; 13] {
    let local = line.at.local(zone);
    let about = if line.entity == line.customer { String::new() } else { line.entity.clone() };
    [
        local.format("%Y-%m-%d").to_string(),
        local.format("%H:%M:%S").to_string(),
        line.rule.clone(),
        line.customer.clone(),
        about,
        line.occurrence.clone(),
        line.channel.map(|channel| channel.to_string()).unwrap_or_default(),
        line.state.to_string(),
        line.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        line.offer.clone().unwrap_or_default(),
        Amount::money(line.cost).short(),
        Amount::money(line.offer_cost).short(),
        if before { "yes".to_owned() } else { String::new() },
    ]
}

/// The rules that are drafts where every one is, but for those that ask for a confirmation; none where one is live.
fn all_drafts(app: &App) -> Vec<String> {
    let own = || app.workspace.project.rules.values().filter(|rule| !rule.confirms);
    if own().all(|rule| rule.live == Live::Draft) { own().map(|rule| rule.name.clone()).collect() } else { Vec::new() }
}

fn drafts(app: &App, asked: &[String]) -> Vec<String> {
    let rules = app.workspace.project.rules.values();
    rules.filter(|rule| rule.live == Live::Draft && !asked.contains(&rule.name)).map(|rule| rule.name.clone()).collect()
}

/// Rules that were simulated and wrote nothing, those without a schedule left out.
fn silent(rehearsal: &Rehearsal, forecast: &Forecast, only: &[String]) -> Vec<String> {
    let told = forecast.rules();
    let rules = rehearsal.workspace().project.rules.values();
    let rules = rules.filter(|rule| rule.live != Live::Draft && rule.schedule != Schedule::Manual && !rule.confirms);
    let rules = rules.filter(|rule| only.is_empty() || only.contains(&rule.name));
    rules.map(|rule| rule.name.clone()).filter(|rule| !told.contains(&rule.as_str())).collect()
}
