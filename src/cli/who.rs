//! `plusone who RULE`: who would get it now and who would not, and why. Sends nothing.
//!
//! 1. Candidates are told as they are judged, a chunk at a time: a list of millions is never in memory.
//! 2. The answer says what a run would do as a whole too: whether it would wait for approval.

use super::print::{local, say, say_json, tame};
use super::progress::shown;
use super::standing::Standing;
use super::{Answer, Failure, Global, known_rule, open, shortfall};
use crate::amount::agreeing;
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::data::sheet::Sheet;
use crate::outreach::foresee::{Fate, Foresight, SAMPLE, outcome, sample_json, variant_of};
use crate::outreach::tick::History;
use crate::plan::Counts;
use crate::plan::decide::{Decision, Message};
use crate::plan::hour::Deferral;
use crate::progress::Progress;
use crate::rules::Rule;
use crate::store::find::{self, Called};
use crate::store::pauses;
use crate::time::{Timestamp, Tz};
use crate::touchpoints::Reason;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Stdout, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The rule's file name without .toml
    #[arg(value_name = "RULE")]
    rule: String,
    /// Judge at this time instead of now
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    at: Option<String>,
    /// Name everybody, not only the first ten; with --json one line each, the counts last
    #[arg(long)]
    list: bool,
    /// Write everybody into this CSV file, a row each
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

const HEADINGS: [&str; 11] = [
    "customer",
    "name",
    "address",
    "entity",
    "occurrence",
    "outcome",
    "reason",
    "detail",
    "channel",
    "variant",
    "due_at",
];

/// Where the candidates are told.
struct Telling<'a> {
    app: &'a App,
    json: bool,
    at: Timestamp,
    zone: Tz,
    list: Option<BufWriter<Stdout>>,
    sheet: Option<Sheet>,
    sample: Vec<Value>,
    lines: Vec<String>,
    /// What messages that go later wait for, and how many.
    waits: BTreeMap<&'static str, u64>,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let rule = known_rule(&app, &options.rule)?;
    let at = super::at(&app, options.at.as_deref())?;
    let now = if options.at.is_some() { app.clock.now() } else { at };
    app.look().await?;
    shortfall::mention(&app).await?;
    let (pauses, project) = (pauses::load(&app.db).await?, &app.workspace.project);
    let history = History::load_with_zones(&app.db, project).await?;
    let first_run = history.is_first_at(rule, at, at);
    let foresight = Foresight { db: &app.db, project, rule, at, pauses: &pauses, first_run };
    let zone = project.settings.business.time_zone;
    let sheet = options.csv.as_ref().map(|path| {
        let failed = |error| Failure::failed(format!("cannot write {}: {error}", path.display()));
        Sheet::create(path, &HEADINGS).map_err(failed)
    });
    let list = options.list.then(|| BufWriter::new(std::io::stdout()));
    let (json, sheet) = (global.json, sheet.transpose()?);
    let (sample, lines, waits) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut telling = Telling { app: &app, json, at, zone, list, sheet, sample, lines, waits };
    let progress = Progress::default();
    let looking = foresight.by_chunks(&progress, async |fates: &[Fate]| telling.tell(fates).await);
    let counts = shown("candidates judged", &progress, looking).await?;
    let held = foresight.hold(&history, &counts).await?;
    let standing = Standing::of(&app, &history, rule, None, now);
    let waits = std::mem::take(&mut telling.waits);
    let (sample, lines) = telling.end()?;
    if global.json {
        let mut answer = to_json(counts, held.as_deref());
        answer["rule"] = json!(rule.name);
        answer["instant"] = json!(at.to_string());
        answer["sample"] = Value::from(sample);
        standing.add_to(&mut answer);
        if options.list { say(&answer) } else { say_json(&answer) }?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("{} as of {} ({zone})", rule.name, local(at, zone)))?;
    say(format_args!("  rule: {}", standing.sentence(rule, zone)))?;
    let condition = standing.condition(at, zone);
    let next = standing.next_asked(&format!("who {}", rule.name), at, zone);
    summary(&counts, &waits, held.as_deref(), &condition, next).into_iter().try_for_each(say)?;
    if let Some(cure) = no_yes(&counts, rule, &project.catalogue) {
        say(format_args!("          {cure}"))?;
    }
    if !lines.is_empty() {
        say("\nThe first of them (--list names all, --csv FILE writes them down):")?;
        lines.iter().try_for_each(|line| say(format_args!("  {line}")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How yeses come in, where nobody has said one and the data name no column of them.
fn no_yes(counts: &Counts, rule: &Rule, catalogue: &Catalogue) -> Option<String> {
    let is_named = catalogue.consent.iter().any(|columns| columns.topic == rule.topic);
    let lacks = counts.planned == 0 && counts.skipped.contains_key(&Reason::NoConsent) && !is_named;
    let topic = &rule.topic;
    lacks.then(|| {
        format!(
            "a yes to `{topic}` is read from the column that `[customer.consent]` of data.toml names, which names none"
        )
    })
}

/// With the names of `once --json`; what would wait for approval is held.
fn to_json(mut counts: Counts, held: Option<&str>) -> Value {
    if held.is_some() {
        counts.hold();
    }
    let mut answer = counts.to_json();
    answer["held_reason"] = json!(held);
    answer
}

fn summary(
    counts: &Counts,
    waits: &BTreeMap<&str, u64>,
    held: Option<&str>,
    condition: &str,
    next: Option<String>,
) -> Vec<String> {
    let mut lines = vec![format!("{:>8}  match the conditions", counts.matched())];
    if counts.matched() == 0 {
        lines.push("          `plusone check` says which condition is true of nobody".to_owned());
    }
    lines.push(format!("{:>8}  would get it{condition}", counts.planned));
    lines.extend(next.filter(|_| counts.planned > 0).map(|next| format!("          {next}")));
    if let Some(reason) = held {
        lines.push(format!("          not before somebody approves the run: {reason}"));
    }
    if counts.deferred > 0 {
        let waits: Vec<String> = waits
            .iter()
            .map(|(what, count)| format!("{count} {} for {what}", agreeing(*count, "waits", "wait")))
            .collect();
        lines.push(format!("{:>8}  of these later: {}", counts.deferred, waits.join(", ")));
    }
    if counts.held_out > 0 {
        lines.push(format!("{:>8}  held out, to tell what writing does", counts.held_out));
    }
    if counts.already_touched > 0 {
        lines.push(format!("{:>8}  were touched already", counts.already_touched));
    }
    lines.extend(counts.skipped.iter().map(|(reason, count)| format!("{count:>8}  {reason}: {}", reason.meaning())));
    lines
}

impl Telling<'_> {
    async fn tell(&mut self, fates: &[Fate]) -> Result<(), Failure> {
        for what in fates.iter().filter_map(waits_for) {
            *self.waits.entry(what).or_default() += 1;
        }
        let first = SAMPLE.saturating_sub(self.sample.len()).min(fates.len());
        let wanted = if self.list.is_some() || self.sheet.is_some() { fates.len() } else { first };
        if wanted == 0 {
            return Ok(());
        }
        let key = |fate: &Fate| (fate.judged.candidate.bucket, fate.judged.candidate.customer.clone());
        let keys: Vec<(i64, String)> = fates[..wanted].iter().map(key).collect();
        let keys: Vec<(i64, &str)> = keys.iter().map(|(bucket, customer)| (*bucket, customer.as_str())).collect();
        let called = find::called(&self.app.db, &self.app.workspace.project.catalogue, &keys).await?;
        for (place, fate) in fates[..wanted].iter().enumerate() {
            self.tell_one(fate, &called, place < first)?;
        }
        Ok(())
    }

    fn tell_one(&mut self, fate: &Fate, called: &HashMap<String, Called>, is_sample: bool) -> std::io::Result<()> {
        let nobody = Called::default();
        let called = called.get(&fate.judged.candidate.customer).unwrap_or(&nobody);
        let name = called.told();
        let to_json = || {
            let mut told = sample_json(fate);
            told["name"] = json!(called.name);
            told
        };
        if let Some(sheet) = &mut self.sheet {
            let cells = cells(fate, called);
            sheet.row(cells.iter().map(String::as_str))?;
        }
        if let Some(list) = &mut self.list {
            return match self.json {
                true => writeln!(list, "{}", to_json()),
                false => writeln!(list, "{}", tame(&line(fate, name, self.at, self.zone))),
            };
        }
        if is_sample {
            self.lines.push(line(fate, name, self.at, self.zone));
            self.sample.push(to_json());
        }
        Ok(())
    }

    /// The sample: as JSON, and as lines.
    fn end(self) -> std::io::Result<(Vec<Value>, Vec<String>)> {
        if let Some(mut list) = self.list {
            list.flush()?;
        }
        self.sheet.map_or(Ok(()), Sheet::close)?;
        Ok((self.sample, self.lines))
    }
}

/// What a message that does not go at once waits for.
fn waits_for(fate: &Fate) -> Option<&'static str> {
    let Decision::Plan(message) = &fate.decision else { return None };
    if message.waits.is_some() {
        return Some("a place under a cap");
    }
    message.deferred.map(|why| match why {
        Deferral::QuietHours => "the end of quiet hours",
        Deferral::LegalHours => "the hours that the law allows",
        Deferral::Pace => "a turn (`pace`)",
    })
}

/// A row of the CSV file, in the order of [`HEADINGS`].
fn cells(fate: &Fate, called: &Called) -> [String; 11] {
    let candidate = &fate.judged.candidate;
    let (reason, detail, channel, due_at) = match &fate.decision {
        Decision::Plan(message) => {
            let why = message.deferred.map(|why| why.to_string()).or_else(|| message.waits.clone());
            (None, why, Some(message.channel), Some(message.due_at))
        }
        Decision::HoldOut(message, by) => (Some("held_out"), Some(by.clone()), Some(message.channel), None),
        Decision::Refuse(refusal) => (Some(refusal.reason.as_str()), refusal.detail.clone(), None, None),
    };
    let word = match &fate.decision {
        Decision::Refuse(_) => "skipped".to_owned(),
        decision => outcome(Some(decision)),
    };
    [
        candidate.customer.clone(),
        called.name.clone().unwrap_or_default(),
        called.address.clone().unwrap_or_default(),
        candidate.entity.clone(),
        candidate.occurrence.clone(),
        word,
        reason.unwrap_or_default().to_owned(),
        detail.unwrap_or_default(),
        channel.map(|channel| channel.to_string()).unwrap_or_default(),
        variant_of(&fate.decision).unwrap_or_default().to_owned(),
        due_at.map(Timestamp::to_second).unwrap_or_default(),
    ]
}

/// The variant that a message is, behind its channel.
fn variant(message: &Message) -> String {
    message.variant.as_ref().map(|name| format!(", variant {name}")).unwrap_or_default()
}

fn line(fate: &Fate, name: Option<&str>, at: Timestamp, zone: Tz) -> String {
    let candidate = &fate.judged.candidate;
    let about = if candidate.entity == candidate.customer { String::new() } else { format!(" ({})", candidate.entity) };
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    let told = match &fate.decision {
        Decision::Plan(message) if message.due_at > at => {
            format!(
                "{}{}, at {}",
                message.channel,
                variant(message),
                message.due_at.local(zone).format("%a %-d %b %H:%M")
            )
        }
        Decision::Plan(message) => format!("{}{}", message.channel, variant(message)),
        Decision::HoldOut(_, by) => format!("held out: {by}"),
        Decision::Refuse(refusal) => match &refusal.detail {
            Some(detail) => format!("{}: {detail}", refusal.reason),
            None => outcome(Some(&fate.decision)),
        },
    };
    format!("{}{name}{about}  {told}", candidate.customer)
}
