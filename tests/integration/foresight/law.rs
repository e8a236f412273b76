//! For random rules, data and histories, what `who` and `why` say is what `once` then does.
//!
//! 1. Each question is asked of a tick that then takes place, by the same rule at the same instant.
//! 2. Everything is compared: who, which state, for which reason in which words, on which channel, when, the counts.
//! 3. Where something changes between the question and the tick, the answers differ: the comparison can fail.

use super::world::{World, write_data};
use crate::harness::postgres::Database;
use plusone::courtesy::pauses::Pauses;
use plusone::outreach::foresee::{Explained, Foresight};
use plusone::outreach::tick::History;
use plusone::plan::Counts;
use plusone::plan::decide::Decision;
use plusone::progress::Progress;
use plusone::rules::Rule;
use plusone::sql::Sql;
use plusone::store::db::Row;
use plusone::store::pauses;
use plusone::store::runs::Run;
use plusone::touchpoints::{Reason, State};
use std::collections::BTreeMap;

/// State, reason, channel, due time, and what is told with a refusal.
type Fate = (String, Option<String>, Option<String>, Option<i64>, Option<String>);
/// By customer and entity.
type Fates = BTreeMap<(String, String), Fate>;

/// What was said before a tick.
struct Said {
    counts: Counts,
    held: Option<String>,
    who: Fates,
    why: Fates,
    /// Occurrences by customer and entity.
    occurrences: BTreeMap<(String, String), String>,
}

fn fate(decision: &Decision) -> Fate {
    match decision {
        Decision::Plan(message) => {
            ("planned".to_owned(), None, Some(message.channel.to_string()), Some(message.due_at.micros()), None)
        }
        Decision::HoldOut(message, _) => (
            State::HeldOut.to_string(),
            Some(Reason::HeldOut.to_string()),
            Some(message.channel.to_string()),
            Some(message.due_at.micros()),
            None,
        ),
        Decision::Refuse(refusal) => {
            let reason = refusal.reason.to_string();
            let told = refusal.detail.as_ref().map_or_else(|| reason.clone(), |detail| format!("{reason}: {detail}"));
            ("skipped".to_owned(), Some(reason), None, None, Some(told))
        }
    }
}

async fn ask(world: &World, rule: &Rule) -> Said {
    let (app, at) = (&world.app, world.now);
    app.look().await.expect("the data are up to date");
    let pauses: Pauses = pauses::load(&app.db).await.expect("pauses");
    let project = &app.workspace.project;
    let history = History::load_with_zones(&app.db, project).await.expect("a history");
    let first_run = history.is_first_at(rule, at, at);
    let foresight = Foresight { db: &app.db, project, rule, at, pauses: &pauses, first_run };
    let (mut who, mut occurrences) = (Fates::new(), BTreeMap::new());
    let progress = Progress::default();
    let counts = foresight.everyone(&progress, |one| {
        let candidate = &one.judged.candidate;
        let key = (candidate.customer.clone(), candidate.entity.clone());
        occurrences.insert(key.clone(), candidate.occurrence.clone());
        who.insert(key, fate(&one.decision));
    });
    let counts = counts.await.expect("judged");
    let held = foresight.hold(&history, &counts).await.expect("a guard");
    let mut why = Fates::new();
    let customers = app.db.fetch(Sql::new("select id from d_customer order by id")).await.expect("customers");
    for customer in customers.iter().map(|row| row.text(0)) {
        let rows: Vec<Explained> = foresight.explain(customer).await.expect("explained");
        for row in rows {
            if let Some(decision) = &row.fate {
                assert!(row.clauses.iter().all(|clause| clause.lets_pass()), "{customer} {:?}", row.clauses);
                why.insert((customer.to_owned(), row.entity), fate(decision));
            } else {
                assert!(row.clauses.iter().any(|clause| !clause.lets_pass()), "{customer} {:?}", row.clauses);
            }
        }
    }
    Said { counts, held, who, why, occurrences }
}

/// What the tick wrote, by customer and occurrence, and what stood there before.
async fn touchpoints(world: &World, rule: &str) -> BTreeMap<(String, String), (String, Fate)> {
    let told = "select detail from touchpoint_events e where e.bucket = t.bucket and e.touchpoint = t.id \
                and e.kind = 'skipped' order by n desc limit 1";
    let sql = format!(
        "select customer, occurrence, run_id, state, reason, channel, due_at, \
         case when state = 'skipped' then ({told}) end from touchpoints t where rule = $1"
    );
    let rows = world.app.db.fetch(Sql::new(sql).with(rule)).await.expect("the log");
    let text = |row: &Row, column| row.opt_text(column).map(str::to_owned);
    let read = |row: &Row| {
        let key = (row.text(0).to_owned(), row.text(1).to_owned());
        (
            key,
            (
                row.text(2).to_owned(),
                (row.text(3).to_owned(), text(row, 4), text(row, 5), row.opt_int(6), text(row, 7)),
            ),
        )
    };
    rows.iter().map(read).collect()
}

/// Everything in which the tick did something else than was said.
async fn differences(world: &World, rule: &str, said: &Said, run: &Run) -> Vec<String> {
    let mut told = Vec::new();
    let mut counts = said.counts.clone();
    if said.held.is_some() {
        counts.hold();
    }
    if (&counts, &said.held) != (&run.counts, &run.reason) {
        told.push(format!("counts {counts:?} {:?}, the run {:?} {:?}", said.held, run.counts, run.reason));
    }
    let log = touchpoints(world, rule).await;
    let mut foretold: Vec<(String, String)> = Vec::new();
    for (key, expected) in &said.who {
        let occurrence = (key.0.clone(), said.occurrences[key].clone());
        let found = log.get(&occurrence).map(|(run, fate)| (run.as_str(), fate.clone()));
        let leaves_none = matches!(expected.1.as_deref(), Some("again_too_soon" | "already_touched"));
        let mut expected = expected.clone();
        if run.state == "held" && expected.0 == "planned" {
            (expected.0, expected.1) = ("held".to_owned(), Some("guard".to_owned()));
        }
        let is_same = match &found {
            None => leaves_none,
            // A refusal that was written before stays as it is.
            Some((_, fate)) if leaves_none => fate.0 == "skipped",
            // One that stands from before keeps what it was written with: a channel, where it came at sending.
            Some((by, fate)) if expected.0 == "skipped" => {
                (&fate.0, &fate.1) == (&expected.0, &expected.1) && (*by != run.id || fate.4 == expected.4)
            }
            Some((by, fate)) => *fate == expected && *by == run.id,
        };
        if !is_same {
            told.push(format!("who of {key:?}: {expected:?}, the log {found:?}"));
        }
        foretold.push(occurrence);
    }
    for (key, (by, fate)) in &log {
        if *by == run.id && !foretold.contains(key) {
            told.push(format!("nobody spoke of {key:?}: {fate:?}"));
        }
    }
    for (key, fate) in &said.why {
        let expected = said.who.get(key);
        let is_same = match expected {
            Some(expected) => fate == expected,
            None => fate.1.as_deref() == Some(Reason::AlreadyTouched.as_str()),
        };
        if !is_same {
            told.push(format!("why of {key:?}: {fate:?}, who {expected:?}"));
        }
    }
    told.extend(said.who.keys().filter(|key| !said.why.contains_key(*key)).map(|key| format!("no why of {key:?}")));
    told
}

/// What was compared, so that a test of nothing is noticed.
#[derive(Default, Debug)]
struct Seen {
    fates: BTreeMap<String, usize>,
    held: usize,
}

impl Seen {
    fn add(&mut self, said: &Said) {
        self.held += usize::from(said.held.is_some());
        for (state, reason, ..) in said.why.values() {
            *self.fates.entry(reason.clone().unwrap_or_else(|| state.clone())).or_default() += 1;
        }
    }
}

/// Lives one history; at its steps a rule is asked about and then run. `meddle` changes something in between.
async fn compared(seed: u64, database: Option<&Database>, steps: usize, meddle: bool, seen: &mut Seen) -> Vec<String> {
    let mut world = World::begin(seed, database).await;
    let mut told = Vec::new();
    for step in 0..steps {
        for _ in 0..2 {
            world.live().await;
        }
        let name = world.rules[step % world.rules.len()].clone();
        world.pass_by(7);
        let rule = world.app.workspace.project.rules[&name].clone();
        let said = ask(&world, &rule).await;
        seen.add(&said);
        if meddle {
            write_data(&world.home, &mut world.chance);
        }
        let planned = world.app.plan(&world.lease, world.now, Some(&name)).await.expect("planned");
        let [run] = &planned.runs[..] else { panic!("one run of {name}, not {:?}", planned.runs) };
        let found = differences(&world, &name, &said, run).await;
        told.extend(found.into_iter().map(|line| format!("seed {seed}, step {step}, {name} at {}: {line}", world.now)));
    }
    world.app.db.close().await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_who_and_why_say_is_what_the_tick_then_does() {
    let mut seen = Seen::default();
    for seed in 0..14 {
        assert_eq!(compared(seed, None, 5, false, &mut seen).await, Vec::<String>::new(), "SQLite");
    }
    for seed in 0..4 {
        if let Some(database) = Database::create() {
            let told = compared(100 + seed, Some(&database), 4, false, &mut seen).await;
            assert_eq!(told, Vec::<String>::new(), "PostgreSQL");
        }
    }
    for reason in
        ["planned", "already_touched", "no_consent", "no_budget", "held_out", "again_too_soon", "same_address"]
    {
        assert!(seen.fates.get(reason).is_some_and(|count| *count > 2), "{reason}: {seen:?}");
    }
    assert!(seen.held > 1, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_data_change_in_between_the_comparison_fails() {
    let mut seen = Seen::default();
    let mut told = 0;
    for seed in 0..3 {
        told += compared(seed, None, 3, true, &mut seen).await.len();
    }
    assert!(told > 5, "{told} differences");
}
