//! `plusone status`: is it well, and if not, what is to be done.
//!
//! The verdict is a list of concerns, each a sentence with its cure; an empty list is well.

use super::print::{Table, local, plain, short, spoken};
use super::shortfall::{self, Shortfall};
use super::{Answer, Failure, opened::Opened, replied};
use crate::amount::{agreeing, counted};
use crate::catalogue::Entity;
use crate::courtesy::pauses::{Pauses, Scope};
use crate::data::sync::such_as;
use crate::rules::{Channel, Rule};
use crate::settings::Way;
use crate::shell::word;
use crate::store::report::{Filter, later};
use crate::store::status::{Standing, standing};
use crate::store::{pauses, replies, sources, strays};
use crate::time::{Span, Timestamp};
use crate::touchpoints::later::Later;
use crate::touchpoints::record::time_json;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

/// A message that waits longer than this past its time is a concern.
const LATE: Span = Span::from_seconds(900);

#[derive(clap::Args)]
pub struct Options {}

pub async fn run(opened: &Opened, json: bool, out: &mut dyn Write) -> Answer {
    let left_out = sources::left_out(&opened.db).await?;
    let status = Status {
        strays: such_strays(opened, &left_out).await?,
        opened,
        standing: standing(&opened.db, opened.now).await?,
        pauses: pauses::load(&opened.db).await?,
        shortfall: shortfall::all(Some(&opened.db), &opened.catalogue, &opened.home, opened.zone()).await?,
        left_out,
        replies: replies::waiting(&opened.db).await?,
        later: later(&opened.db, Filter::default(), opened.now).await?,
    };
    if json {
        writeln!(out, "{:#}", status.to_json())?;
    } else {
        status.write(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Status<'a> {
    opened: &'a Opened,
    standing: Standing,
    pauses: Pauses,
    /// What the data are without.
    shortfall: Vec<Shortfall>,
    /// Among others, rows of customers who are not known.
    left_out: Vec<sources::LeftOut>,
    /// A few of the rows of customers who are not known, by entity.
    strays: BTreeMap<String, String>,
    /// How many replies wait for a person.
    replies: i64,
    /// Touchpoints and runs of later than now.
    later: Option<Later>,
}

/// A few of the rows of customers who are not known, by entity, in words.
async fn such_strays(opened: &Opened, left_out: &[sources::LeftOut]) -> Result<BTreeMap<String, String>, Failure> {
    let mut such = BTreeMap::new();
    for one in left_out.iter().filter(|one| one.strays > 0) {
        let Some(entity) = opened.catalogue.entity(&one.entity) else { continue };
        let some = strays::some(&opened.db, &opened.catalogue, entity).await?;
        such.insert(one.entity.clone(), such_as(one.strays.unsigned_abs(), &some));
    }
    Ok(such)
}

impl Status<'_> {
    const fn now(&self) -> Timestamp {
        self.opened.now
    }

    fn local(&self, at: Timestamp) -> String {
        local(at, self.opened.zone())
    }

    /// The rules that send, and those that do not (drafts and those outside their time).
    fn rules(&self) -> (Vec<&Rule>, Vec<&Rule>) {
        self.opened.rules.iter().partition(|rule| rule.live.at(self.now()))
    }

    fn next_tick(&self, rule: &Rule) -> Option<Timestamp> {
        rule.schedule.next_after(self.now(), rule.time_zone)
    }

    fn broken(&self) -> &[String] {
        &self.opened.broken
    }

    /// The channels that may send through a provider.
    fn channels_of(&self, provider: &str) -> Vec<Channel> {
        let uses = |(_, settings): &(&Channel, &crate::settings::ChannelSettings)| {
            settings.providers.iter().any(|name| name == provider)
        };
        self.opened.settings.channels.iter().filter(uses).map(|(channel, _)| *channel).collect()
    }

    fn concerns(&self) -> Vec<String> {
        let standing = &self.standing;
        let mut concerns: Vec<String> = Vec::new();
        let broken = self.broken().len();
        if broken > 0 {
            let problems = counted(broken, "problem");
            concerns.push(format!("{problems} in the files, see `broken` below; `plusone check` shows the place"));
        }
        if !standing.daemons.iter().any(|daemon| daemon.is_fresh(self.now())) {
            concerns.push("no daemon is running: nothing is sent but by `plusone run` or `plusone once`".to_owned());
        }
        if self.pauses.at(self.now()).any(|pause| pause.scope == Scope::All) {
            concerns.push("everything is paused: `plusone resume all` lets it go on".to_owned());
        }
        let oldest = standing.lanes.iter().map(|lane| lane.oldest_age(self.now())).max().unwrap_or_default();
        if oldest > LATE {
            concerns.push(format!("the oldest message that is due has waited for {}", spoken(oldest)));
        }
        if standing.in_doubt > 0 {
            let messages = counted(standing.in_doubt, "message");
            let them = agreeing(standing.in_doubt, "it", "them");
            concerns.push(format!(
                "{messages} in doubt: `plusone log --state in_doubt` lists, `plusone resolve` settles {them}"
            ));
        }
        concerns.extend(replied::concern(self.replies));
        for pause in self.pauses.at(self.now()) {
            if let (Scope::Rule(rule), Some(reason)) = (&pause.scope, &pause.reason) {
                concerns.push(format!("{rule} has paused itself: {reason}; `plusone resume {rule}` lets it go on"));
            }
        }
        concerns.extend(self.shortfall.iter().map(|one| one.said.clone()));
        for run in &standing.held {
            let messages = counted(run.touchpoints, "message");
            let id = short(&run.id);
            let rule = &run.rule;
            let why = run.reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
            concerns.push(format!(
                "a run of {rule} with {messages} waits: `plusone approve {id}` or `plusone cancel {id}`{why}"
            ));
        }
        concerns
    }

    /// What the entities that are declared today are without.
    fn left_out(&self) -> impl Iterator<Item = (&Entity, &sources::LeftOut)> {
        self.left_out.iter().filter_map(|one| Some((self.opened.catalogue.entity(&one.entity)?, one)))
    }

    /// What is worth knowing and may be as it should.
    fn notices(&self) -> Vec<String> {
        let strays = self.left_out().filter(|(_, left_out)| left_out.strays > 0);
        let told = strays.map(|(entity, left_out)| {
            let (rows, such) = (counted(left_out.strays, "row"), self.strays.get(&entity.name));
            let such = such.map(|such| format!(" ({such})")).unwrap_or_default();
            let of = &entity.name;
            let then = agreeing(left_out.strays, "it counts once the customer is", "they count once the customers are");
            format!("{rows} of {of} of customers who are not known{such}: {then} there")
        });
        let later = |later: Later| {
            let them = agreeing(later.count, "it", "them");
            let counts = if later.count > 0 { format!(", and the numbers below count {them}") } else { String::new() };
            format!("{}{counts}", later.told(self.opened.zone()))
        };
        told.chain(self.later.map(later)).collect()
    }

    fn to_json(&self) -> Value {
        let (live, drafts) = self.rules();
        let standing = &self.standing;
        let concerns = self.concerns();
        json!({
            "at": self.now().to_string(),
            "later": self.later.map(Later::to_json),
            "well": concerns.is_empty(),
            "concerns": concerns,
            "notices": self.notices(),
            "rules": {
                "live": live.iter().map(|rule| json!({
                    "rule": rule.name, "next_tick": time_json(self.next_tick(rule)),
                })).collect::<Value>(),
                "drafts": drafts.iter().map(|rule| rule.name.as_str()).collect::<Value>(),
                "broken": self.broken(),
                "held": standing.rules.iter().filter_map(|state| {
                    let reason = state.held_reason.as_ref()?;
                    Some(json!({ "rule": state.rule, "reason": reason }))
                }).collect::<Value>(),
            },
            "waiting": standing.lanes.iter().map(|lane| json!({
                "channel": lane.channel.map(Channel::as_str),
                "purpose": lane.purpose.as_str(),
                "waiting": lane.waiting,
                "due": lane.due,
                "first_due_at": time_json(lane.first_due_at),
                "oldest_age_seconds": lane.oldest_age(self.now()).seconds(),
            })).collect::<Value>(),
            "on_their_way": standing.on_their_way,
            "in_doubt": standing.in_doubt,
            "replies_to_read": self.replies,
            "oldest_doubt_at": time_json(standing.oldest_doubt_at),
            "held_runs": standing.held.iter().map(|run| json!({
                "run": run.id, "rule": run.rule, "instant": run.instant.to_string(),
                "touchpoints": run.touchpoints, "reason": run.reason,
            })).collect::<Value>(),
            "pauses": self.pauses.at(self.now()).map(|pause| json!({
                "scope": pause.scope.to_string(),
                "paused_at": pause.paused_at.to_string(),
                "paused_until": time_json(pause.paused_until),
                "reason": pause.reason,
            })).collect::<Value>(),
            "providers": self.opened.settings.providers.iter().map(|(name, settings)| {
                self.provider_json(name, &settings.way)
            }).collect::<Value>(),
            "last_runs": standing.last_runs.iter().map(|run| json!({
                "run": run.id, "rule": run.rule, "instant": run.instant.to_string(),
                "cause": run.cause, "state": run.state, "counts": run.counts,
            })).collect::<Value>(),
            "daemons": standing.daemons.iter().map(|daemon| json!({
                "owner": daemon.owner, "buckets": daemon.buckets,
                "lease_until": daemon.lease_until.to_string(), "fresh": daemon.is_fresh(self.now()),
            })).collect::<Value>(),
        })
    }

    fn provider_json(&self, name: &str, way: &Way) -> Value {
        let traffic = self.standing.traffic.iter().find(|traffic| traffic.provider == name);
        json!({
            "provider": name,
            "type": way_name(way),
            "channels": self.channels_of(name).into_iter().map(Channel::as_str).collect::<Value>(),
            "sent_24h": traffic.map_or(0, |traffic| traffic.sent),
            "failed_24h": traffic.map_or(0, |traffic| traffic.failed),
            "last_sent_at": time_json(traffic.and_then(|traffic| traffic.last_sent_at)),
        })
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let concerns = self.concerns();
        let zone = self.opened.zone();
        if concerns.is_empty() {
            writeln!(out, "All is well.  (times of {zone})")?;
        } else {
            writeln!(out, "{} to look at:  (times of {zone})", counted(concerns.len(), "thing"))?;
            concerns.iter().try_for_each(|concern| writeln!(out, "  - {}", plain(concern)))?;
        }
        self.notices().iter().try_for_each(|notice| writeln!(out, "  by the way: {}", plain(notice)))?;
        self.write_rules(out)?;
        self.write_waiting(out)?;
        self.write_pauses(out)?;
        self.write_providers(out)?;
        self.write_daemons(out)
    }

    fn write_rules(&self, out: &mut dyn Write) -> io::Result<()> {
        let (live, drafts) = self.rules();
        writeln!(out, "\nRules")?;
        let mut table = Table::new(&["RULE", "NEXT TICK", "LAST TICK", "ITS RUN"]);
        for rule in &live {
            let last = self.standing.last_runs.iter().rev().find(|run| run.rule == rule.name);
            table.row(vec![
                rule.name.clone(),
                self.next_tick(rule).map_or_else(|| without_tick(rule), |at| self.local(at)),
                last.map_or_else(|| "never".to_owned(), |run| self.local(run.instant)),
                last.map_or(String::new(), |run| counts_in_words(&run.state, &run.counts)),
            ]);
        }
        if table.is_empty() {
            writeln!(out, "  none is live")?;
        } else {
            table.write(out, "  ")?;
        }
        if !drafts.is_empty() {
            let names: Vec<&str> = drafts.iter().map(|rule| rule.name.as_str()).collect();
            writeln!(out, "  not live, so never sent: {}", names.join(", "))?;
        }
        for state in self.standing.rules.iter() {
            if let Some(reason) = &state.held_reason {
                writeln!(out, "  held: {}: {}", plain(&state.rule), plain(reason))?;
            }
        }
        self.broken().iter().try_for_each(|broken| writeln!(out, "  broken: {}", plain(broken)))
    }

    fn write_waiting(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nWaiting")?;
        let mut table = Table::new(&["CHANNEL", "PURPOSE", "PLANNED", "DUE", "OLDEST", "NEXT"]);
        for lane in &self.standing.lanes {
            let age = lane.oldest_age(self.now());
            let first = lane.first_due_at.filter(|due| *due > self.now());
            table.row(vec![
                lane.channel.map_or(String::new(), |channel| channel.to_string()),
                lane.purpose.to_string(),
                lane.waiting.to_string(),
                lane.due.to_string(),
                if lane.due > 0 { spoken(age) } else { String::new() },
                first.map_or(String::new(), |due| self.local(due)),
            ]);
        }
        if table.is_empty() { writeln!(out, "  nothing") } else { table.write(out, "  ") }?;
        if self.standing.on_their_way > 0 {
            writeln!(out, "  {} on the way", counted(self.standing.on_their_way, "message"))?;
        }
        Ok(())
    }

    fn write_pauses(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut pauses = self.pauses.at(self.now()).peekable();
        if pauses.peek().is_none() {
            return Ok(());
        }
        writeln!(out, "\nPaused")?;
        for pause in pauses {
            let scope = pause.scope.to_string();
            let until = match pause.paused_until {
                Some(until) => format!("until {}", self.local(until)),
                None => format!("until `plusone resume {}`", plain(&word(&scope))),
            };
            let why = pause.reason.as_ref().map_or(String::new(), |reason| format!(": {}", plain(reason)));
            writeln!(out, "  {} since {}, {until}{why}", plain(&scope), self.local(pause.paused_at))?;
        }
        Ok(())
    }

    fn write_providers(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nProviders, last 24 hours")?;
        let mut table = Table::new(&["PROVIDER", "TYPE", "FOR", "SENT", "FAILED", "LAST SENT"]);
        for (name, settings) in &self.opened.settings.providers {
            let traffic = self.standing.traffic.iter().find(|traffic| traffic.provider == *name);
            let channels = self.channels_of(name).into_iter().map(Channel::as_str);
            table.row(vec![
                name.clone(),
                way_name(&settings.way).to_owned(),
                channels.collect::<Vec<_>>().join(" "),
                traffic.map_or(0, |traffic| traffic.sent).to_string(),
                traffic.map_or(0, |traffic| traffic.failed).to_string(),
                traffic.and_then(|traffic| traffic.last_sent_at).map_or(String::new(), |at| self.local(at)),
            ]);
        }
        if table.is_empty() { writeln!(out, "  none") } else { table.write(out, "  ") }
    }

    fn write_daemons(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nDaemons")?;
        if self.standing.daemons.is_empty() {
            return writeln!(out, "  none is at work");
        }
        for daemon in &self.standing.daemons {
            let owner = plain(&daemon.owner);
            let buckets = daemon.buckets;
            if daemon.is_fresh(self.now()) {
                writeln!(out, "  {owner} is at work ({buckets} of 256 buckets)")?;
            } else {
                writeln!(out, "  {owner} is gone since {}", self.local(daemon.lease_until))?;
            }
        }
        Ok(())
    }
}

const fn way_name(way: &Way) -> &'static str {
    match way {
        Way::Folder { .. } => "folder",
        Way::Smtp { .. } => "smtp",
        Way::Twilio { .. } => "twilio",
    }
}

/// `released: 12 matched, 10 planned`; nothing of what is zero or not a number.
fn counts_in_words(state: &str, counts: &Value) -> String {
    let said = counts.as_object().into_iter().flatten().filter_map(|(name, count)| {
        let count = count.as_i64().filter(|count| *count > 0)?;
        Some(format!("{count} {}", name.replace('_', " ")))
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { state.to_owned() } else { format!("{state}: {}", said.join(", ")) }
}

/// When a rule looks that has no schedule.
fn without_tick(rule: &Rule) -> String {
    match &rule.on_event {
        Some(event) => format!("on `{event}`"),
        None => "by hand".to_owned(),
    }
}
