//! Random bytes at every reader: whatever comes, an answer and never a panic.
//!
//! A few seconds of each, from a fixed seed. Half of the inputs are noise, half are good texts with damage done to
//! them, since noise alone is turned away at the first byte.

use plusone::catalogue::{Catalogue, Entity, Field, Type};
use plusone::config::{Environment, Files, load_from};
use plusone::expr::{Clause, Scope};
use plusone::messages::Templates;
use plusone::rules::Purpose;
use plusone::schedule::parse_when::parse_when;
use plusone::time::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

/// Pieces that the readers' grammars are made of.
const PIECES: [&str; 40] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{{",
    "}}",
    "{{{",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "\n",
    "\r\n",
    ",",
    ";",
    "\t",
    "=",
    "==",
    "&&",
    "||",
    "!",
    "-",
    "1",
    "9999999999",
    ".",
    "customer",
    "customer.id",
    "exists(o, ",
    "#if ",
    "/if",
    "> ",
    "é",
    "\u{202e}",
    "\0",
    "${",
    "every ",
    "at 25:61",
];

struct Noise(StdRng);

impl Noise {
    fn of(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A text: noise, pieces, or `good` with damage.
    fn text(&mut self, good: &[&str]) -> String {
        match self.0.random_range(0..3) {
            0 => String::from_utf8_lossy(&self.bytes()).into_owned(),
            1 => {
                let count = self.0.random_range(0..60);
                (0..count).map(|_| PIECES[self.0.random_range(0..PIECES.len())]).collect()
            }
            _ => {
                let one = self.0.random_range(0..good.len());
                self.damaged(good[one])
            }
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let count = self.0.random_range(0..200);
        (0..count).map(|_| self.0.random()).collect()
    }

    fn damaged(&mut self, good: &str) -> String {
        let mut chars: Vec<char> = good.chars().collect();
        for _ in 0..self.0.random_range(1..6) {
            let at = self.0.random_range(0..=chars.len());
            let end = (at + self.0.random_range(0..8)).min(chars.len());
            let piece = PIECES[self.0.random_range(0..PIECES.len())];
            match self.0.random_range(0..3) {
                0 => drop(chars.drain(at..end)),
                1 => drop(chars.splice(at..end, piece.chars())),
                _ => {
                    let again: Vec<char> = chars[at..end].to_vec();
                    drop(chars.splice(at..at, again));
                }
            }
        }
        chars.into_iter().collect()
    }
}

#[test]
fn the_configuration_reader_answers_whatever_it_reads() {
    let mut noise = Noise::of(1);
    let good = [super::DATA, super::RULE, "[business]\nname = \"a\"\ncountry = \"GB\"\n[web]\nlisten = \"1:2\"\n"];
    for _ in 0..1_500 {
        let mut files = Files::default();
        for path in ["config/plusone.toml", "config/data.toml", "config/rules/a.toml", "config/offers/b.toml"] {
            files.insert(path, &noise.text(&good));
        }
        let loaded = load_from(&files, &Environment::default());
        assert!(loaded.project.is_some() || !loaded.problems.is_empty());
        for problem in &loaded.problems {
            let _ = (problem.to_string(), problem.source.position(problem.span.start));
        }
    }
}

fn catalogue() -> Catalogue {
    let mut customer = Entity::new("customer", "id");
    customer.fields =
        vec![Field::new("id", Type::Text), Field::new("age", Type::Integer), Field::new("born", Type::Date)];
    Catalogue { entities: BTreeMap::from([("customer".to_owned(), customer)]), ..Catalogue::default() }
}

#[test]
fn the_condition_compiler_answers_whatever_it_reads() {
    let mut noise = Noise::of(2);
    let catalogue = catalogue();
    let good = [
        "customer.id == \"a\" && has(customer.age)",
        "customer.touchpoints.exists(o, o.rule == \"x\") || days_since(customer.born) > 3",
        "(customer.age + 1) * 2 in [1, 2, 3] ? true : customer.id.matches(\"^a+$\")",
    ];
    for _ in 0..6_000 {
        let text = noise.text(&good);
        if let Err(faults) = Clause::compile(&text, Scope { catalogue: &catalogue, root: "customer" }) {
            for fault in faults {
                assert!(fault.span.start <= text.len(), "{text:?}: {fault:?}");
            }
        }
    }
}

#[test]
fn the_template_reader_answers_whatever_it_reads() {
    let mut noise = Noise::of(3);
    let good = [
        "Dear {{default customer.first_name \"you\"}}, {{#if offer}}take {{money offer.value}}{{else}}hello{{/if}}",
        "{{#each (top customer.orders 3 by=\"total\")}}<a href=\"{{links.shop}}\">{{id}}</a>{{/each}}{{> footer}}",
    ];
    for _ in 0..4_000 {
        let files: Vec<(String, String)> = ["a/subject.hbs", "a/email.html.hbs", "a/sms.hbs", "_partials/footer.hbs"]
            .map(|path| (format!("templates/{path}"), noise.text(&good)))
            .into();
        let (templates, problems) = Templates::compile(&files, &[]);
        assert!(templates.get("a").is_some() || !problems.is_empty());
    }
}

#[test]
fn times_and_schedules_answer_whatever_they_read() {
    let mut noise = Noise::of(4);
    let now: Timestamp = "2026-11-03T09:00:00Z".parse().expect("an instant");
    let good =
        ["2026-11-03 09:00", "yesterday", "+7d", "every weekday at 9am and 5:30pm", "*/15 9-17 * * 1-5", "every 90s"];
    for _ in 0..30_000 {
        let text = noise.text(&good);
        let _ = parse_when(&text, now, chrono_tz::Europe::London);
        let _ = plusone::schedule::Schedule::parse(&text, chrono_tz::Europe::London);
        let _ = text.parse::<plusone::time::Span>();
        let _ = text.parse::<Purpose>();
    }
}
