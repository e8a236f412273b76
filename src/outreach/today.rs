//! What today's data say of rules: how many match, which conditions tell nobody from anybody, and which events never came.
//!
//! 1. Nothing is written, and nothing is said where there is no data, or where the tables are not yet as declared.
//! 2. One statement per rule, over whole buckets of customers: of many, those of as many buckets as make a sample. Buckets
//!    are a hash of the customer, so the sample is a fair one.
//! 3. A condition that asks the clock is not called useless because nobody matches at this moment.

mod events;
mod values;

use crate::catalogue::{CUSTOMER, quoted};
use crate::config::{Project, places};
use crate::courtesy::pauses::Pauses;
use crate::expr::Clause;
use crate::ids::BUCKETS;
use crate::outreach::judge::Question;
use crate::plan::audience::Among;
use crate::problem::{Problem, Source, nearest};
use crate::rules::Rule;
use crate::sql::Sql;
use crate::store::db::{Db, Result, Row};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Rows that are looked at for all rules together.
const ROWS: i64 = 200_000;
/// And for one rule.
const MOST: i64 = 20_000;
/// So many names or texts are told where none is near.
const NAMED: usize = 5;
/// Of fewer rows it says little that a condition is true of all.
const FEW: i64 = 100;

/// How many rows a rule matches now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matches {
    pub rule: String,
    pub entity: String,
    pub matching: i64,
    /// The rows that were looked at.
    pub looked_at: i64,
    /// All rows.
    pub all: i64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    pub matches: Vec<Matches>,
    pub problems: Vec<Problem>,
}

/// Looks at every rule.
///
/// # Errors
/// None of the data's: a rule whose statement the database refuses is passed over.
pub async fn look(db: &Db, project: &Project, now: Timestamp) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut sizes: BTreeMap<&str, i64> = BTreeMap::new();
    let most = (ROWS / i64::try_from(project.rules.len().max(1)).unwrap_or(ROWS)).min(MOST);
    for rule in project.rules.values().filter(|rule| !rule.confirms) {
        let all = match sizes.get(rule.for_each.as_str()) {
            Some(size) => *size,
            None => {
                let size = size(db, project, rule).await.unwrap_or(0);
                sizes.insert(&rule.for_each, size);
                size
            }
        };
        if all == 0 {
            continue;
        }
        let last = if all <= most { BUCKETS - 1 } else { (BUCKETS * most / all - 1).max(0) };
        let pauses = Pauses::default();
        let question = Question::new(project, rule, now, &pauses, false, db.dialect());
        if let Ok(Some(row)) = db.fetch_one(question.audience().tally(Among::Buckets(0, last))).await {
            let instead = instead_of(db, project, rule, &row).await;
            judge(project, rule, &row, all, &instead, &mut findings);
        }
    }
    // Without a table of events there is nothing to say of them.
    findings.problems.extend(events::never_came(db, project).await.unwrap_or_default());
    Ok(findings)
}

/// What the data have in the place of texts that conditions ask for and no row has; by the place of the condition.
async fn instead_of(db: &Db, project: &Project, rule: &Rule, row: &Row) -> BTreeMap<usize, String> {
    let mut told = BTreeMap::new();
    for (place, clause) in rule.when.iter().chain(&rule.unless).enumerate().filter(|(place, _)| holds(row, *place) == 0)
    {
        if let Ok(Some(help)) = values::had_instead(db, project, rule, clause).await {
            told.insert(place, help);
        }
    }
    told
}

/// Of how many rows the condition at `place` holds.
fn holds(row: &Row, place: usize) -> i64 {
    row.int(2 + 2 * place)
}

/// What is most likely meant by `wanted`, which is not among `those`; `[names, came, came]` are the words for them, for
/// one that is there and for several.
fn instead(wanted: &str, those: &[String], [names, is_there, are_there]: [&str; 3]) -> String {
    if let Some(near) = nearest(wanted, those.iter().map(String::as_str)) {
        return format!("the nearest that {is_there} is `{near}`; {names} count to the letter");
    }
    let mut some: Vec<String> = those.iter().map(|name| format!("`{name}`")).collect();
    some.sort();
    some.truncate(NAMED);
    format!("{names} count to the letter; among those that {are_there} are {}", some.join(", "))
}

async fn size(db: &Db, project: &Project, rule: &Rule) -> Result<i64> {
    let Some(entity) = project.catalogue.entity(&rule.for_each) else { return Ok(0) };
    let sql = Sql::new(format!("select count({}) from {}", quoted("_bucket"), entity.table()));
    Ok(db.fetch_one(sql).await?.map_or(0, |row| row.int(0)))
}

fn judge(
    project: &Project,
    rule: &Rule,
    row: &Row,
    all: i64,
    instead: &BTreeMap<usize, String>,
    findings: &mut Findings,
) {
    let (looked_at, matching) = (row.int(0), row.int(1));
    if looked_at == 0 {
        return;
    }
    let Some(source) = project.rule_files.get(&rule.name) else { return };
    let rows = Rows { rule, source, looked_at, all };
    let mut useless = 0;
    for (place, clause) in rule.when.iter().chain(&rule.unless).enumerate() {
        let (holds, fails) = (holds(row, place), row.int(3 + 2 * place));
        let is_exception = place >= rule.when.len();
        if let Some(mut problem) = rows.problem(clause, is_exception, holds, fails) {
            problem.help = instead.get(&place).cloned().or(problem.help);
            // Told already why nobody is reached.
            useless += usize::from((holds == 0) != is_exception);
            findings.problems.push(problem);
        }
    }
    // The clock, or an event that was none of these, may be what leaves nobody.
    let may_come = rule.on_event.is_some() || rule.when.iter().chain(&rule.unless).any(Clause::asks_the_clock);
    if matching == 0 && useless == 0 && !may_come {
        findings.problems.push(rows.nobody());
    }
    let (rule, entity) = (rule.name.clone(), rule.for_each.clone());
    findings.matches.push(Matches { rule, entity, matching, looked_at, all });
}

/// A rule and how many rows were looked at for it.
struct Rows<'a> {
    rule: &'a Rule,
    source: &'a Source,
    looked_at: i64,
    all: i64,
}

impl Rows<'_> {
    fn problem(&self, clause: &Clause, is_exception: bool, holds: i64, fails: i64) -> Option<Problem> {
        let (key, those) = (if is_exception { "unless" } else { "when" }, self.those());
        let (message, help) = match (is_exception, holds, fails) {
            _ if clause.asks_the_clock() => return None,
            (_, 0, 0) if !is_exception || self.looked_at >= FEW => (
                format!("of {those} nobody can say whether this holds: the value is missing in every one"),
                "is the field filled? `plusone import` and the source's file say which columns they have",
            ),
            (false, 0, _) => (
                format!("this is true of none of {those}, so the rule reaches nobody"),
                "compare it with what the data has: `plusone why CUSTOMER RULE` shows the values",
            ),
            (true, holds, _) if holds == self.looked_at => (
                format!("this is true of all of {those}, so the rule reaches nobody"),
                "is it meant the other way round?",
            ),
            (true, 0, _) if self.looked_at >= FEW => (
                format!("this is true of none of {those}, so it keeps nobody back"),
                "compare it with what the data has, or leave it where it guards against what may come",
            ),
            (false, holds, _) if holds == self.looked_at && self.looked_at >= FEW => (
                format!("this is true of all of {those}, so it leaves nobody out"),
                "take it out, or compare it with what tells them apart",
            ),
            _ => return None,
        };
        let span = places::place(self.source, key, Some(&clause.text));
        Some(Problem::warning(self.source, span, message).help(help))
    }

    fn nobody(&self) -> Problem {
        let message = format!("each condition is true of some, all together of none of {}", self.those());
        let help = "do two of them exclude each other? `plusone why CUSTOMER RULE` shows which holds of whom";
        Problem::warning(self.source, places::place(self.source, "when", None), message).help(help)
    }

    /// `the 12 orders`, `20,000 of the 1,000,000 customers`.
    fn those(&self) -> String {
        let what = if self.rule.for_each == CUSTOMER {
            "customers".to_owned()
        } else {
            format!("rows of `{}`", self.rule.for_each)
        };
        match self.looked_at == self.all {
            true => format!("the {} {what}", self.all),
            false => format!("{} of the {} {what}", self.looked_at, self.all),
        }
    }
}
