//! The tables of keys: every key is read, explained and described, and no other.

use super::super::keys::{Default, Key, Section, Shape};
use super::super::*;
use super::*;

/// Every table of keys under `section`, itself first.
fn sections(section: &'static Section) -> Vec<&'static Section> {
    fn of_shape(shape: &Shape) -> Vec<&'static Section> {
        match shape {
            Shape::Table(section) => sections(section),
            Shape::Tagged { variants, .. } => variants.iter().flat_map(|(_, section)| sections(section)).collect(),
            Shape::List(inner) | Shape::OneOrMany(inner) => of_shape(inner),
            Shape::Either(shapes) => shapes.iter().flat_map(of_shape).collect(),
            _ => Vec::new(),
        }
    }
    let keys = section.keys.iter().flat_map(|key| of_shape(&key.shape));
    let named = section.named.iter().flat_map(|named| of_shape(&named.shape));
    std::iter::once(section).chain(keys).chain(named).collect()
}

fn all_keys() -> Vec<(&'static Section, &'static Key)> {
    let sections = FileKind::ALL.iter().flat_map(|kind| sections(kind.section()));
    sections.flat_map(|section| section.keys.iter().map(move |key| (section, key))).collect()
}

#[test]
fn every_key_is_read_and_only_keys_of_the_tables_are() {
    reader::read_keys::take();
    let mut files = files();
    let plusone = format!(
        "{PLUSONE}[providers.relay]\ntype = 'smtp'\nurl = 'smtp://mail.example'\n[providers.phone]\ntype = 'twilio'\n\
         account_sid = 'AC00000000000000000000000000000000'\nauth_token = 'x'\nwebhook_keys = {{ k = 'y' }}\n\
         [web]\npublic_url = 'https://plus.example'\n[channels.sms]\nfrom = 'Harbour'\nproviders = ['phone']\n\
         [courtesy]\ncaps = [{{ topic = 'offers', channel = 'email', purpose = 'promotional', max = 1, per = 'day' }}]\n"
    );
    let plusone = format!("{plusone}[courtesy.legal_hours.countries]\nFR = {{ sms = '10:00-20:00' }}\n");
    files.insert(PLUSONE_TOML, &plusone);
    let data = format!(
        "{DATA}[customer.consent]\noffers = {{ email = 'opt_in' }}\n[event.x.fields]\nn = {{ type = 'text' }}\n\
         [stand]\nkey = 'id'\n\
         source = {{ database = 'sqlite://shop.db', query = 'select 1', every = '10m', since = 'at' }}\n\
         [stand.fields]\nid = 'text'\nat = 'timestamp'\n"
    );
    files.insert(DATA_TOML, &data);
    let live = RULE.replace("live = true", "live = { from = 2026-12-01 }");
    let variants =
        "[[variants]]\nname = 'a'\nshare = '50%'\nchannels = 'email'\n[[variants]]\nname = 'b'\nshare = '50%'\n";
    let goal = "[goal]\nwhen = 'now > touchpoint.at'\n";
    files.insert("config/rules/update.toml", &format!("{live}once_per = 'day'\n{goal}{variants}"));
    let offer = "value = 2\nper_customer = { max = 1 }\ncode = { fixed = 'A' }\n";
    files.insert("config/offers/cookie.toml", offer);
    files.insert("templates/update/voice.toml", "[keys.9]\ndoes = 'stop'\n");
    let tests = "[[test]]\nname = 'a'\nnow = 2026-11-23T12:00:00Z\ncustomer = { id = 'c' }\nconsent = { offers = true }\n\
        deliveries = [{ id = 'd' }]\n\
        touchpoints = [{ sent_at = 'now-3d', rule = 'update', channel = 'email', state = 'sent', about = 'd' }]\n\
        expect = { state = 'planned', channel = 'email', offer = 'cookie', due_at = 'today 12:00' }\n\
        [[test]]\nname = 'b'\nnow = 2026-11-23T12:00:00Z\ncustomer = { id = 'c' }\nexpect = { skipped = 'no_consent' }\n";
    files.insert("config/rules/update.test.toml", tests);
    let loaded = load_from(&files, &Environment::default());
    assert_eq!(told(&loaded), "");
    let project = loaded.project.as_ref().expect("a project");
    let (tests, problems) = rule_tests::read(&files, project, &Environment::default());
    assert_eq!((tests.len(), problems), (2, Vec::new()));
    let read = reader::read_keys::take();
    let unread: Vec<String> = all_keys()
        .iter()
        // The `type` of a provider is read to find its table.
        .filter(|(section, key)| !(key.name == "type" && section.what.starts_with("a provider")))
        .filter(|(section, key)| !read.contains(&(section.what.to_owned(), key.name.to_owned())))
        .map(|(section, key)| format!("{}: {}", section.what, key.name))
        .collect();
    assert_eq!(unread, Vec::<String>::new());
}

#[test]
fn every_example_and_default_has_the_shape_of_its_key() {
    for (section, key) in all_keys() {
        let mut texts = vec![key.example];
        if let Default::Value(toml) = key.default {
            texts.push(toml);
        }
        for toml in texts {
            let text = format!("{} = {toml}\n", key.name);
            let source = Source::new("example", &text);
            let variables =
                ["DB_PASSWORD", "SMTP_PASSWORD", "TWILIO_AUTH_TOKEN", "TWILIO_WEBHOOK_KEY"].map(|name| (name, "x"));
            let mut problems = Vec::new();
            let tree = node::parse(&source, &Environment::of(variables), &mut problems);
            let mut tree = tree.unwrap_or_else(|| panic!("{}: {text}", section.what));
            shape::check(&mut tree, section, &mut problems);
            problems
                .retain(|problem| !problem.message.contains(" has no `") && !problem.message.contains("is missing"));
            assert_eq!(problems, [], "{}: {text}", section.what);
        }
    }
}

#[test]
fn every_key_has_a_sentence() {
    for (section, key) in all_keys() {
        assert!(key.about.ends_with('.'), "{}: {}", section.what, key.name);
    }
}

#[test]
fn schemas_describe_every_key() {
    for kind in FileKind::ALL {
        let schema = json_schema(kind).to_string();
        for key in sections(kind.section()).iter().flat_map(|section| section.keys) {
            assert!(schema.contains(&format!("\"{}\"", key.name)), "{} of {}", key.name, kind.as_str());
        }
    }
}
