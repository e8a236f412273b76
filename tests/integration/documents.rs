//! The references under `docs/` say what the code says.
//!
//! 1. `docs/configuration.md` is made from the tables of keys. After a change of these, write it anew with
//!    `PLUSONE_WRITE_DOCS=1 cargo test --test integration documents`.
//! 2. Every function of conditions stands in `docs/conditions.md` as the code describes it, and every helper in
//!    `docs/templates.md`.
//! 3. Every example there compiles against the sample's data: blocks of `cel ENTITY` a line each, blocks of
//!    `handlebars ENTITY` as the HTML of a mail.

use crate::harness::root;
use plusone::config::keys::{Default, Key, NameForm, Section, Shape};
use plusone::config::{Environment, FileKind, Files, Project, load_from};
use plusone::expr::functions::{CALLED, Function, ON_LISTS, ON_TEXT};
use plusone::expr::{Clause, Scope};
use plusone::messages::{Helper, Templates, Use};
use plusone::problem::Severity;
use plusone::rules::Channel;
use std::fmt::Write;

const HEAD: &str = "# Configuration

All files lie in one home folder: `config/plusone.toml` (settings), `config/data.toml` (customer data),
`config/rules/*.toml`, `config/offers/*.toml`, and [templates](templates.md) under `templates/`. Paths in them are taken
from the home folder.

- `${NAME}` anywhere in a value reads an environment variable; a missing one is an error.
- `PLUSONE_<SECTION>__<KEY>` overrides a setting of `plusone.toml`: `PLUSONE_WEB__LISTEN=0.0.0.0:8470`.
- A key that is not listed here is an error, with the nearest that is.
- A rule's name is its file's, without `.toml`; its history hangs on it. After renaming a file say `was`.

This page is made from the program's own tables; `plusone schema` gives the same as JSON Schemas for editors.
Conditions have [a page of their own](conditions.md).
";

fn document(name: &str) -> String {
    let path = root().join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_reference_of_the_configuration_is_what_the_tables_say() {
    let made = reference();
    if std::env::var_os("PLUSONE_WRITE_DOCS").is_some() {
        std::fs::write(root().join("docs/configuration.md"), &made).expect("docs/ is ours");
    }
    let written = document("configuration.md");
    let differs = made.lines().zip(written.lines()).find(|(made, written)| made != written);
    assert!(made == written, "docs/configuration.md is old, see the head of this file: {differs:?}");
}

#[test]
fn the_reference_is_what_the_tables_say() {
    let made = plusone::reference::page();
    if std::env::var_os("PLUSONE_WRITE_DOCS").is_some() {
        std::fs::write(root().join("docs/reference.md"), &made).expect("docs/ is ours");
    }
    assert!(made == document("reference.md"), "docs/reference.md is old, see the head of this file");
}

#[test]
fn every_example_of_a_helper_compiles() {
    let sample = sample();
    for entry in plusone::reference::called_in_templates() {
        compiles(&sample, entry.entity.as_deref().expect("an example is about something"), &entry.example);
    }
}

#[test]
fn every_field_has_an_example_that_compiles() {
    let sample = sample();
    let entries = plusone::reference::fields(&sample.catalogue, None).expect("all of them");
    assert!(entries.len() > 40, "{} names", entries.len());
    for entry in entries {
        let Some(entity) = &entry.entity else { continue };
        if !sample.catalogue.is_owned(entity) {
            continue;
        }
        let scope = Scope { catalogue: &sample.catalogue, root: entity };
        if let Err(faults) = Clause::compile(&entry.example, scope) {
            panic!("{}: {faults:?}", entry.example);
        }
        if let Some(text) = entry.template {
            compiles(&sample, entity, &text);
        }
    }
}

#[test]
fn every_function_of_the_reference_compiles() {
    let sample = sample();
    // What stands for any text, and fields that the sample does not have.
    let forms =
        [("x.", "customer.email."), ("customer.card_expires_on", "customer.joined_on"), ("order.sent_at", "now")];
    for entry in plusone::reference::functions() {
        let text = forms.iter().fold(entry.example.clone(), |text, (form, real)| text.replace(form, real));
        let root = if text.contains("order.") && !text.contains("customer.") { "order" } else { "customer" };
        let scope = Scope { catalogue: &sample.catalogue, root };
        let made = [format!("has(customer.id) == {text}"), format!("{text} == {text}"), format!("{text}.size() >= 0")];
        let good = made.iter().any(|text| Clause::compile(text, scope).is_ok());
        let alone =
            entry.example.starts_with("duration") && Clause::compile(&format!("now - now < {text}"), scope).is_ok();
        assert!(good || alone, "{}", entry.example);
    }
}

fn reference() -> String {
    let mut text = HEAD.to_owned();
    let files = [
        (FileKind::Plusone, "config/plusone.toml"),
        (FileKind::Data, "config/data.toml"),
        (FileKind::Rule, "config/rules/*.toml"),
        (FileKind::Offer, "config/offers/*.toml"),
        (FileKind::Voice, "templates/*/voice.toml"),
        (FileKind::Test, "config/rules/*.test.toml"),
    ];
    for (kind, path) in files {
        let _ = writeln!(text, "\n## {path}");
        let mut told = Vec::new();
        section(kind.section(), "", &mut told, &mut text);
    }
    text
}

/// A table of the section's keys, then the sections below it, each once.
fn section(of: &'static Section, path: &str, told: &mut Vec<&'static str>, text: &mut String) {
    if told.contains(&of.what) {
        return;
    }
    told.push(of.what);
    if !path.is_empty() {
        let _ = writeln!(text, "\n### {}", of.what);
        let _ = writeln!(text, "\nAt `{path}`.");
    }
    if !of.keys.is_empty() || of.named.is_some() {
        text.push_str("\n| key | takes | without it | is |\n|---|---|---|---|\n");
    }
    for key in of.keys {
        let about = format!("{} Such as `{}`.", key.about, key.example);
        let _ = writeln!(text, "{}", row(&format!("`{}`", key.name), &key.shape, &without(key), &about));
    }
    if let Some(named) = of.named {
        let form =
            if named.form == NameForm::Free { String::new() } else { format!(" The name: {}.", named.form.rule()) };
        let about = format!("{}{form} Such as `{}`.", named.about, named.example);
        let _ = writeln!(text, "{}", row(&format!("*{}*", named.what), &named.shape, "", &about));
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for key in of.keys {
        tables(&key.shape, &below(key.name), told, text);
    }
    if let Some(named) = of.named {
        tables(&named.shape, &below(&format!("<{}>", named.what)), told, text);
    }
}

fn tables(shape: &Shape, path: &str, told: &mut Vec<&'static str>, text: &mut String) {
    match shape {
        Shape::Table(below) => section(below, path, told, text),
        Shape::Tagged { variants, .. } => variants.iter().for_each(|(_, below)| section(below, path, told, text)),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| tables(shape, path, told, text)),
        Shape::List(inner) | Shape::OneOrMany(inner) => tables(inner, path, told, text),
        _ => {}
    }
}

fn row(name: &str, shape: &Shape, without: &str, about: &str) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    format!("| {name} | {} | {} | {} |", cell(&takes(shape)), cell(without), cell(about))
}

fn without(key: &Key) -> String {
    match key.default {
        Default::Required => "**required**".to_owned(),
        Default::Value("{}") => String::new(),
        Default::Value(toml) => format!("`{toml}`"),
        Default::Otherwise(words) => words.to_owned(),
    }
}

fn takes(shape: &Shape) -> String {
    match shape {
        Shape::Text | Shape::Secret => "text".to_owned(),
        Shape::Boolean => "`true` or `false`".to_owned(),
        Shape::Integer { min, max: i64::MAX } => format!("a whole number from {min}"),
        Shape::Integer { min, max } => format!("a whole number, {min} to {max}"),
        Shape::Money => "money".to_owned(),
        Shape::Share => "a share".to_owned(),
        Shape::Span => "a span: `s m h d w y`".to_owned(),
        Shape::Rate => "a rate".to_owned(),
        Shape::Zone => "an IANA time zone".to_owned(),
        Shape::RuleZone => "`business`, `customer` or an IANA time zone".to_owned(),
        Shape::Date => "a date".to_owned(),
        Shape::Window => "a window, a day or `holidays`".to_owned(),
        Shape::OpenHours => "hours, with days before them, or `not on holidays`".to_owned(),
        Shape::CapWindow => "a span, or `day` `week` `month`".to_owned(),
        Shape::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" "),
        Shape::List(inner) => format!("a list of: {}", takes(inner)),
        Shape::OneOrMany(inner) => format!("one or a list of: {}", takes(inner)),
        Shape::Either(shapes) => shapes.iter().map(takes).collect::<Vec<_>>().join(", or "),
        Shape::Table(below) => format!("a table, {}", below.what),
        Shape::Tagged { tag, variants } => {
            let names = variants.iter().map(|(name, _)| format!("`{name}`"));
            format!("a table, by its `{tag}`: {}", names.collect::<Vec<_>>().join(" "))
        }
        Shape::SourceFile => "the path of a file".to_owned(),
        Shape::Moment => "a date or time".to_owned(),
        Shape::Rows => "a row in braces, or a list of them".to_owned(),
        Shape::Consent => "a table: topics, each `true`, `false` or a table of these by channel".to_owned(),
    }
}

#[test]
fn the_reference_of_conditions_has_every_function() {
    let text = document("conditions.md");
    let row = |function: &Function| format!("| `{}` | {} |", function.form, function.meaning);
    let missing: Vec<String> =
        CALLED.iter().chain(&ON_TEXT).chain(&ON_LISTS).map(row).filter(|row| !text.contains(row)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_reference_of_templates_has_every_helper() {
    let text = document("templates.md");
    let is_told = |helper: &Helper| text.contains(&format!("{{{{{helper} ")) || text.contains(&format!("`({helper} "));
    let missing: Vec<&Helper> = Helper::ALL.iter().filter(|helper| !is_told(helper)).collect();
    assert_eq!(missing, Vec::<&Helper>::new());
}

/// The sample business.
fn sample() -> Project {
    let loaded = load_from(&Files::read(root()), &Environment::of([]));
    loaded.project.expect("the sample is good")
}

/// Blocks of a language that name an entity: the entity and the text.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<(&'a str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        if let Some(info) = line.strip_prefix("```") {
            blocks.extend(open.take());
            open = info.strip_prefix(language).map(|entity| (entity.trim(), String::new()));
        } else if let Some((_, block)) = &mut open {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks
}

#[test]
fn the_examples_of_conditions_compile() {
    let (text, sample) = (document("conditions.md"), sample());
    let blocks = blocks(&text, "cel ");
    assert!(!blocks.is_empty());
    for (root, block) in blocks {
        for line in block.lines() {
            let scope = Scope { catalogue: &sample.catalogue, root };
            if let Err(faults) = Clause::compile(line, scope) {
                panic!("{line}: {faults:?}");
            }
        }
    }
}

#[test]
fn the_examples_of_templates_compile() {
    let (text, sample) = (document("templates.md"), sample());
    let blocks = blocks(&text, "handlebars ");
    assert!(!blocks.is_empty());
    blocks.iter().for_each(|(root, block)| compiles(&sample, root, block));
}

/// Whether a text is good as the HTML of a mail of a rule about `root`.
fn compiles(sample: &Project, root: &str, text: &str) {
    let files = [("email.html.hbs", text), ("subject.hbs", "News")];
    let files = files.map(|(file, text)| (format!("templates/example/{file}"), text.to_owned()));
    let (templates, mut problems) = Templates::compile(&files, &[]);
    let business = &sample.settings.business;
    let channels = &[Channel::Email];
    let wanted = Use {
        catalogue: &sample.catalogue,
        root,
        channels,
        offer: None,
        variants: false,
        promotional: false,
        business,
    };
    problems.extend(templates.get("example").into_iter().flat_map(|template| template.check(&wanted)));
    problems.retain(|problem| problem.severity == Severity::Error);
    assert!(problems.is_empty(), "{text}: {problems:?}");
}
