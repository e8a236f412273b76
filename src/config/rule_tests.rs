//! The tests of a rule: `config/rules/<rule>.test.toml` into what is given and what is expected.
//!
//! Names are settled here, against the catalogue; the values are read by `data::stated` as those of files are, and the
//! tests are run by `outreach::trial`.
//!
//! 1. What is not written is missing: a test says everything that its rule looks at.
//! 2. Every problem of every test is reported. A test with one is not run.
//! 3. A broken file of tests breaks no rule.

mod expected;
mod rows;

pub use expected::{Expected, Outcome};
pub use rows::{Row, Written};

use super::files::{RULES, TEST_ENDING};
use super::keys::rule_test::{PAST, RULE_TESTS, TEST};
use super::node::{self, Node};
use super::reader::Reader;
use super::settings::unknown_name;
use super::{Environment, Files, Project, shape};
use crate::problem::{Problem, Severity, Source, nearest};
use crate::rules::{Channel, Rule};
use rows::Rows;

/// One test of one rule.
#[derive(Clone, Debug)]
pub struct RuleTest {
    pub rule: String,
    pub name: String,
    pub source: Source,
    pub now: Written,
    /// The customer's first, then all others; each names its parent's place.
    pub rows: Vec<Row>,
    pub consent: Vec<Said>,
    pub history: Vec<Past>,
    pub expected: Expected,
}

/// An answer of the customer's to a topic, on one channel or all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    pub topic: String,
    pub channel: Option<Channel>,
    pub yes: bool,
}

/// Something that the customer was sent.
#[derive(Clone, Debug)]
pub struct Past {
    pub rule: String,
    pub sent_at: Written,
    pub channel: Channel,
    pub state: String,
    /// The place among the test's rows of what it was about; `None` for the customer.
    pub about: Option<usize>,
}

/// All tests of the home folder that can be run, and what is wrong with the others.
pub fn read(files: &Files, project: &Project, environment: &Environment) -> (Vec<RuleTest>, Vec<Problem>) {
    let (mut tests, mut problems) = (Vec::new(), Vec::new());
    for (path, source) in files.tests() {
        let name = &path[RULES.len() + 1..path.len() - TEST_ENDING.len()];
        if !project.rule_files.contains_key(name) {
            problems.push(no_rule(name, source, project));
        }
        let Some(mut tree) = node::parse(source, environment, &mut problems) else { continue };
        let before = problems.len();
        shape::check(&mut tree, &RULE_TESTS, &mut problems);
        let Some(rule) = project.rules.get(name) else { continue };
        if problems.len() == before {
            tests.extend(of_file(rule, &tree, project, &mut problems));
        }
    }
    (tests, problems)
}

fn no_rule(name: &str, source: &Source, project: &Project) -> Problem {
    let help = match nearest(name, project.rule_files.keys().map(String::as_str)) {
        Some(near) => format!("the nearest rule is `{near}`: name this file `{near}{TEST_ENDING}`"),
        None => format!("a file of tests is named as its rule: `{RULES}/{name}.toml` is not there"),
    };
    Problem::error(source, 0..0, format!("there is no rule `{name}` that these tests are for")).help(help)
}

fn of_file(rule: &Rule, tree: &Node, project: &Project, problems: &mut Vec<Problem>) -> Vec<RuleTest> {
    let tables = Reader::new(tree, &RULE_TESTS).get("test").map_or(&[][..], Node::list);
    let mut names: Vec<String> = Vec::new();
    let mut tests = Vec::new();
    for table in tables {
        let before = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        let test = one(rule, table, project, problems);
        if let Some((node, name)) = Reader::new(table, &TEST).get("name").and_then(|node| Some((node, node.text()?))) {
            if names.iter().any(|known| known == name) {
                problems.push(node.warning(format!("two tests are called `{name}`")).help("say what tells them apart"));
            }
            names.push(name.to_owned());
        }
        let after = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        tests.extend(test.filter(|_| after == before));
    }
    tests
}

fn one(rule: &Rule, table: &Node, project: &Project, problems: &mut Vec<Problem>) -> Option<RuleTest> {
    let root = Reader::new(table, &TEST);
    let mut rows = Rows::new(&project.catalogue, &table.source, problems);
    rows.customer(root.get("customer")?);
    for entry in root.named() {
        rows.named(entry);
    }
    let rows = rows.finish();
    let consent = consent(root, project, problems);
    let history = history(root, rule, project, &rows, problems);
    Some(RuleTest {
        rule: rule.name.clone(),
        name: root.text("name")?,
        source: table.source.clone(),
        now: Written::of(root.get("now")?)?,
        consent,
        history,
        expected: expected::read(root, rule, project, problems)?,
        rows,
    })
}

fn consent(root: Reader<'_>, project: &Project, problems: &mut Vec<Problem>) -> Vec<Said> {
    let mut said = Vec::new();
    for entry in root.get("consent").map_or(&[][..], Node::entries) {
        let topics = &project.settings.topics;
        if !topics.contains_key(&entry.key) {
            let near = nearest(&entry.key, topics.keys().map(String::as_str));
            let all = || topics.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let help = near.map_or_else(|| format!("topics are {}", all()), |near| format!("the nearest is `{near}`"));
            problems.push(entry.key_error(format!("there is no topic `{}`", entry.key)).help(help));
            continue;
        }
        let answer = |channel, yes| Said { topic: entry.key.clone(), channel, yes };
        match &entry.node.value {
            node::Value::Boolean(yes) => said.push(answer(None, *yes)),
            node::Value::Table(channels) => {
                for of in channels {
                    match (of.key.parse::<Channel>(), &of.node.value) {
                        (Ok(channel), node::Value::Boolean(yes)) => said.push(answer(Some(channel), *yes)),
                        (Ok(_), _) => problems.push(yes_or_no(&of.node)),
                        (Err(_), _) => {
                            let problem = of.key_error(format!("`{}` is no channel", of.key));
                            problems.push(problem.help("channels are `email`, `sms` and `voice`"));
                        }
                    }
                }
            }
            _ => problems.push(yes_or_no(&entry.node)),
        }
    }
    said
}

fn yes_or_no(node: &Node) -> Problem {
    node.error(format!("this takes true or false, not {}", node.kind()))
        .help("write `true` for a yes and `false` for a no, or by channel: `{ email = true }`")
}

fn history(root: Reader<'_>, rule: &Rule, project: &Project, rows: &[Row], problems: &mut Vec<Problem>) -> Vec<Past> {
    let tables = root.get("touchpoints").map_or(&[][..], Node::list);
    let mut past = Vec::new();
    for table in tables {
        let table = Reader::new(table, &PAST);
        let of = match table.get("rule").map(|node| (node, project.rules.get(node.text().unwrap_or_default()))) {
            None => rule,
            Some((_, Some(of))) => of,
            Some((node, None)) => {
                problems.push(unknown_name(node, "rule", RULES, project.rules.keys()));
                continue;
            }
        };
        let Some(sent_at) = table.get("sent_at").and_then(Written::of) else { continue };
        let Some(state) = table.text("state") else { continue };
        let first = of.channels.first().copied().unwrap_or(Channel::Email);
        let channel = table.word("channel").unwrap_or(first);
        let about = about(table, of, rows, problems);
        past.push(Past { rule: of.name.clone(), sent_at, channel, state, about });
    }
    past
}

/// The row that a message of `rule` was about.
fn about(table: Reader<'_>, rule: &Rule, rows: &[Row], problems: &mut Vec<Problem>) -> Option<usize> {
    let those: Vec<usize> = (0..rows.len()).filter(|place| rows[*place].entity == rule.for_each).collect();
    let Some(node) = table.get("about") else {
        if those.len() > 1 {
            let message = format!("which {} was it about?", rule.for_each);
            let help = "give the rows keys, and say `about = \"…\"` with the key of one";
            problems.push(table.node.error(message).help(help));
        }
        return those.first().copied();
    };
    let key = node.text().unwrap_or_default();
    let found = those.iter().find(|place| rows[**place].key.as_deref() == Some(key)).copied();
    if found.is_none() {
        let keys = those.iter().filter_map(|place| rows[*place].key.as_deref());
        let problem = node.error(format!("no {} of this test has the key `{key}`", rule.for_each));
        problems.push(match nearest(key, keys) {
            Some(near) => problem.help(format!("the nearest is `{near}`")),
            None => problem,
        });
    }
    found
}
