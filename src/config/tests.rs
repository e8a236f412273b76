//! Configuration: what is read, and every problem at its place.

mod keys;
mod variants;

use super::*;
use crate::rules::{Channel, Existing, Live, OnDoubt, OncePart, OncePer, Period};
use crate::time::{Span, Timestamp};

const PLUSONE: &str = r#"
[business]
name = "Harbour"
time_zone = "Europe/London"
locale = "en-GB"
country = "GB"
currency = "GBP"
[channels.email]
from = "Harbour <hello@harbour.example>"
providers = ["outbox"]
[channels.voice]
from = "+442079460018"
providers = ["outbox"]
[providers.outbox]
type = "folder"
path = "var/outbox"
[topics]
deliveries = { purpose = "transactional", name = "Deliveries" }
offers = { purpose = "promotional", name = "Offers" }
"#;

const DATA: &str = r#"
[customer]
key = "id"
roles = { email = "email", phone = "phone" }
[customer.fields]
id = "text"
email = "text"
phone = "text"
opt_in = "boolean"
[delivery]
key = "id"
plural = "deliveries"
belongs_to = { customer = "customer_id" }
[delivery.fields]
id = "text"
customer_id = "text"
status = "text"
[shop]
key = "id"
fields = { id = "text" }
"#;

const RULE: &str = r#"
live = true
kind = "status"
topic = "deliveries"
schedule = "every 15 minutes"
for_each = "delivery"
channels = ["email"]
template = "update"
"#;

fn files() -> Files {
    let mut files = Files::default();
    files.insert(PLUSONE_TOML, PLUSONE);
    files.insert(DATA_TOML, DATA);
    files.insert("config/rules/update.toml", RULE);
    files.insert("templates/update/subject.hbs", "Hello");
    files
}

fn loaded_with(path: &str, text: &str) -> Loaded {
    let mut files = files();
    files.insert(path, text);
    load_from(&files, &Environment::default())
}

/// All problems, one a line, with their help.
fn told(loaded: &Loaded) -> String {
    loaded.problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn told_with(path: &str, text: &str) -> String {
    told(&loaded_with(path, text))
}

fn rule(text: &str) -> Rule {
    let loaded = loaded_with("config/rules/update.toml", text);
    assert_eq!(told(&loaded), "");
    loaded.project.expect("it is good").rules.remove("update").expect("it is good")
}

#[test]
fn the_sample_business_loads_without_a_problem() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let loaded = load_from(&Files::read(home), &Environment::default());
    assert_eq!(told(&loaded), "");
    let project = loaded.project.expect("it is good");
    assert_eq!(project.rules.len(), 9);
    assert!(project.rules.values().all(|rule| rule.live == Live::Always));
    let used = |channel| project.rules.values().any(|rule: &Rule| rule.channels.contains(&channel));
    assert!(Channel::ALL.iter().all(|channel| used(*channel)));
}

#[test]
fn what_is_not_written_has_the_defaults_of_the_design() {
    let status = rule(RULE);
    assert_eq!(status.existing, Existing::Skip);
    assert_eq!(status.once_per, OncePer::Parts(vec![OncePart::Entity("delivery".to_owned())]));
    assert_eq!((status.priority, status.recheck), (50, true));
    assert_eq!(status.expires_after, Span::from_days(1));
    assert_eq!(status.catch_up_window.to_string(), "6h");
    assert_eq!(status.catch_up, crate::rules::CatchUp::Latest);
    assert_eq!(status.on_doubt(Channel::Email), OnDoubt::Resend);
    assert_eq!(status.on_doubt(Channel::Voice), OnDoubt::Drop);

    let reminder =
        rule("kind = 'reminder'\ntopic = 'offers'\nschedule = 'manual'\nchannels = 'email'\ntemplate = 'update'\n");
    assert_eq!(reminder.live, Live::Draft);
    assert_eq!(reminder.existing, Existing::Include);
    assert_eq!(reminder.for_each, "customer");
    assert_eq!(reminder.once_per, OncePer::Parts(vec![OncePart::Customer]));
    let again = rule(
        "kind = 'survey'\ntopic = 'offers'\nschedule = 'manual'\nchannels = 'email'\ntemplate = 'update'\nagain_after = '2w'\n",
    );
    assert_eq!(again.once_per, OncePer::Numbered);
    assert_eq!(again.on_doubt(Channel::Email), OnDoubt::Ask);
}

#[test]
fn once_per_takes_names_fields_and_periods() {
    let parts = |written: &str| match rule(&format!("{RULE}once_per = {written}\n")).once_per {
        OncePer::Parts(parts) => parts,
        OncePer::Numbered => panic!("parts are written"),
    };
    let status = OncePart::Field { entity: "delivery".to_owned(), field: "status".to_owned() };
    assert_eq!(parts("'customer'"), [OncePart::Customer]);
    assert_eq!(parts("['delivery.status', 'week']"), [status, OncePart::Period(Period::Week)]);
}

#[test]
fn a_rule_may_live_from_one_day_to_another_and_both_are_whole() {
    let live = rule(&RULE.replace("live = true", "live = { from = 2026-12-01, until = 2026-12-24 }")).live;
    let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
    assert!(!live.at(at("2026-11-30T23:59:59Z")));
    assert!(live.at(at("2026-12-01T00:00:00Z")));
    assert!(live.at(at("2026-12-24T23:59:59Z")));
    assert!(!live.at(at("2026-12-25T00:00:00Z")));
}

#[test]
fn every_problem_of_a_rule_is_told_at_its_place() {
    let text = r#"kind = "statuss"
topic = "delivery"
scedule = "every day at 9am"
for_each = "deliverys"
priority = "high"
expires_after = "1 day"
channels = ["email", "sms", "fax", "email"]
template = "updat"
offer = "cookie"
was = "Old Name"
cookies = "5%"
"#;
    insta::assert_snapshot!(told_with("config/rules/update.toml", text), @r#"
    config/rules/update.toml:1:8: `statuss` is not known here (the nearest is `status`; known are `status`, `reminder`, `offer`, `survey`)
    config/rules/update.toml:2:9: there is no topic `delivery` (the nearest topic is `deliveries`)
    config/rules/update.toml:3:1: `scedule` is not a key of a rule (the nearest known key is `schedule`)
    config/rules/update.toml:4:12: there is no entity `deliverys` (the nearest entity is `delivery`)
    config/rules/update.toml:5:12: this takes a whole number, not text (write `priority = 40`)
    config/rules/update.toml:6:17: `1 day` is not a span of time (write `"1d"`)
    config/rules/update.toml:7:22: the channel `sms` is not set up (set it up in plusone.toml: `[channels.sms]`)
    config/rules/update.toml:7:29: `fax` is not known here (known are `email`, `sms`, `voice`)
    config/rules/update.toml:7:36: `email` is named twice
    config/rules/update.toml:8:12: there is no template `updat` (the nearest template is `update`)
    config/rules/update.toml:9:9: there is no offer `cookie` (in config/offers: none)
    config/rules/update.toml:10:7: `Old Name` cannot be a rule's name (write the old file's name without `.toml`: small letters, digits and `-`)
    config/rules/update.toml:11:1: `cookies` is not a key of a rule (known keys: `description`, `live`, `kind`, `topic`, `schedule`, `on_event`, `time_zone`, `catch_up`, `catch_up_window`, `for_each`, `when`, `unless`, `once_per`, `again_after`, `channels`, `template`, `priority`, `expires_after`, `pace`, `recheck`, `offer`, `on_doubt`, `existing`, `counts_toward_cap`, `on_cap`, `urgent`, `holdout`, `variants`, `was`, `goal`)
    "#);
}

#[test]
fn every_problem_of_the_settings_is_told_at_its_place() {
    let text = r#"
[busines]
name = "Harbour"
[business]
name = ""
time_zone = "Europe/Londn"
country = "England"
currency = "GBP"
[database]
url = "mysql://db"
[channels.email]
from = "hello"
providers = ["relay", "phone"]
max_concurrent_calls = 5
[providers.outbx]
type = "folder"
path = "var/outbox"
rate = "5/s"
[providers.phone]
type = "twilio"
account_sid = "AC00c4a4c4a4c4a4c4a4c4a4c4a4c4a4cg"
auth_token = "${TOKEN}"
[providers.fax]
type = "vonage"
[topics]
offers = { purpose = "promotion", name = "Offers" }
[courtesy]
quiet_hours = { email = ["9-17", "Sun", "holidays", "10:00-10:00"] }
[guard]
max_share = 25
max_cost = "-1"
"#;
    insta::assert_snapshot!(told_with(PLUSONE_TOML, text), @r#"
    config/plusone.toml:2:2: `busines` is not a key of plusone.toml (the nearest known key is `business`)
    config/plusone.toml:5:8: this text is empty (write a value, or leave the key out)
    config/plusone.toml:6:13: `Europe/Londn` is not an IANA time zone (the nearest one is `Europe/London`)
    config/plusone.toml:7:11: `England` is not a good `country` (write two capital letters, such as `GB`)
    config/plusone.toml:10:7: this is not the address of a database that plusone knows (write `sqlite://var/plusone.db` or `postgres://user:${DB_PASSWORD}@host/plusone`)
    config/plusone.toml:12:8: `hello` is not a good `from` (write an address, or `Name <address>`)
    config/plusone.toml:13:14: there is no provider `relay` (in [providers]: `outbx`, `phone`)
    config/plusone.toml:13:23: `phone` cannot send email
    config/plusone.toml:14:1: `max_concurrent_calls` is not a key of [channels.email] (known keys: `from`, `providers`)
    config/plusone.toml:18:1: `rate` is not a key of a provider of type `folder` (the nearest known key is `path`)
    config/plusone.toml:21:15: `AC00c4a4c4a4c4a4c4a4c4a4c4a4c4a4cg` is not a good `account_sid` (write the account's SID from Twilio's console: `AC` and 32 digits or letters from a to f)
    config/plusone.toml:22:15: the environment variable `TOKEN` is not set (set it where plusone is started: `TOKEN=… plusone run`)
    config/plusone.toml:24:8: `vonage` is not known here (known are `folder`, `smtp`, `twilio`)
    config/plusone.toml:26:22: `promotion` is not known here (the nearest is `promotional`; known are `transactional`, `promotional`)
    config/plusone.toml:28:26: `9-17` is not a time of silence (write hours such as `20:00-09:00`, a weekday such as `Sun`, or `holidays`)
    config/plusone.toml:28:53: `10:00-10:00` is not a time of silence (both ends are the same: write weekdays for whole days, such as `Sun`)
    config/plusone.toml:30:13: this takes text, not a whole number (write `max_share = "25%"`)
    config/plusone.toml:31:12: `-1` is not an amount of money (write `2.50`: digits, a point, at most four more digits)
    config/rules/update.toml:4:9: there is no topic `deliveries` (in [topics] of plusone.toml: `offers`)
    "#);
}

#[test]
fn every_problem_of_the_data_is_told_at_its_place() {
    let text = r#"
[customer]
key = "ident"
roles = { email = "mail", phone = "opt_in" }
source = { database = "mysql://x", query = "delete from x", every = "often" }
[customer.fields]
id = "integer"
email = "txt"
opt_in = "boolean"
in = "text"
since = { type = "date", format = "DD.MM", one_of = ["a"], yes = "ja" }
news = { type = "boolean", yes = ["ja", "x"], no = "X" }
orders = "text"
[customer.consent]
offer = { email = "opt_in" }
offers = { email = "email", fax = "opt_in" }
[order]
key = "id"
belongs_to = { customer = "customer_id", cart = "cart_id" }
[order.fields]
id = "text"
customer_id = "integer"
cart_id = "text"
[cart]
key = "id"
plural = "orders"
belongs_to = { order = "order_id" }
fields = { id = "text", order_id = "text" }
[touchpoint]
key = "id"
fields = { id = "text" }
[event."Order Completed".fields]
revenue = "money"
at = "timestamp"
[event."Order Refunded".fields]
revenue = "integer"
[Bad-Name]
key = "id"
fields = { id = "text" }
"#;
    insta::assert_snapshot!(told_with(DATA_TOML, text), @r#"
    config/data.toml:3:7: there is no field `ident` (declare it among the fields: `ident = "text"`)
    config/data.toml:4:19: there is no field `mail` (the nearest field is `email`)
    config/data.toml:4:35: `opt_in` is of type boolean; a role is text
    config/data.toml:5:23: this is not the address of a database that plusone can read (write `postgres://user:${SHOP_PASSWORD}@host/name` or `sqlite://path`)
    config/data.toml:5:44: this is not a query that gives rows (write one `select`: whatever gives rows can stand in a `with` or a sub-select)
    config/data.toml:5:69: `often` is not a span of time (write a whole number and a unit, such as `90s`, `15m`, `4h`, `14d`, `2w` or `3y`)
    config/data.toml:8:9: `txt` is not known here (the nearest is `text`; known are `text`, `integer`, `decimal`, `money`, `boolean`, `date`, `timestamp`)
    config/data.toml:10:1: `in` is a word of the expression language (choose another name and say `column = "in"`)
    config/data.toml:11:35: `DD.MM` is not a format of dates or times (write it as `strftime` has it: `%d.%m.%Y` for 24.12.2026)
    config/data.toml:11:53: `one_of` means nothing for a field of type date
    config/data.toml:11:66: `yes` means nothing for a field of type date
    config/data.toml:12:8: `x` is said to mean both yes and no
    config/data.toml:13:1: the field `orders` hides the relation of that name (name the field otherwise and say its `column`)
    config/data.toml:15:1: there is no topic `offer` in plusone.toml (the nearest topic is `offers`)
    config/data.toml:16:20: `email` is of type text, not boolean
    config/data.toml:16:29: `fax` is not a key of `consent` of a topic (known keys: `email`, `sms`, `voice`, `at`, `source`)
    config/data.toml:19:27: `customer_id` is of type integer and cannot hold a key (a key is text: `customer_id = "text"`)
    config/data.toml:26:10: `order` and `cart` both have the plural `orders` (say another: `plural = "cart_list"`)
    config/data.toml:27:14: these belong to each other in a circle: `cart` to `order` to `cart` (take one link out)
    config/data.toml:29:2: `touchpoint` is a reserved name (choose another, such as `touchpoint_record`)
    config/data.toml:34:1: every event has a field `at` already (choose another name and say its `column`)
    config/data.toml:36:1: `revenue` is of type money in another event (a property has one type in all events)
    config/data.toml:37:2: `Bad-Name` is not a good entity name (a name is a small letter, then small letters, digits and `_`)
    config/rules/update.toml:6:12: there is no entity `delivery` (in data.toml: `Bad-Name`, `cart`, `customer`, `event`, `order`, `touchpoint`)
    "#);
}

#[test]
fn computed_fields_and_conditions_are_told_at_their_place_inside_the_text() {
    let data = format!(
        "{DATA}[customer.computed]\na = 'customer.b'\nb = 'customer.a'\nc = 'customer.deliverys.size()'\nd = '1 +'\n"
    );
    insta::assert_snapshot!(told_with(DATA_TOML, &data), @r#"
    config/data.toml:22:15: a computed field that leads back to itself: customer.b -> customer.a -> customer.b
    config/data.toml:23:15: a computed field that leads back to itself: customer.a -> customer.b -> customer.a
    config/data.toml:24:15: `customer` has no field `deliverys` (did you mean `deliveries`? They are many: write `customer.deliveries.exists(x, …)`)
    config/data.toml:25:9: the condition ends too early
    "#);
    let rule = format!("{RULE}when = [\n  'delivery.status == \"late\"',\n  'delivery.stats == \"late\"',\n]\n");
    insta::assert_snapshot!(told_with("config/rules/update.toml", &rule), @r#"
    config/rules/update.toml:11:13: `delivery` has no field `stats` (did you mean `status`?)
    "#);
    let rule = RULE.replace("every 15 minutes", "every 7 minutes");
    insta::assert_snapshot!(told_with("config/rules/update.toml", &rule), @r#"
    config/rules/update.toml:5:19: 7 minutes do not divide an hour, so the ticks would not be evenly spaced (the nearest sentence is `every 6 minutes`)
    "#);
}

#[test]
fn every_problem_of_an_offer_is_told_at_its_place() {
    let text = r#"
valu = 2.5
cost = "free"
budget = { total = 1, per_week = 3 }
per_customer = { per = "90d" }
code = { pattern = "A##", fixed = "B" }
"#;
    insta::assert_snapshot!(told_with("config/offers/cookie.toml", text), @r#"
    config/offers/cookie.toml:2:1: `valu` is not a key of an offer (the nearest known key is `value`)
    config/offers/cookie.toml:3:8: `free` is not an amount of money (write `2.50`: digits, a point, at most four more digits)
    config/offers/cookie.toml:4:23: `per_week` is not a key of `budget` (known keys: `total`, `per_day`)
    config/offers/cookie.toml:5:16: `per_customer` has no `max` (add `max = 1`: So many times.)
    config/offers/cookie.toml:6:8: codes come from one place only (write one of `{ pattern = "COOKIE-######" }`, `{ file = "config/codes.txt" }`, `{ fixed = "THANKS" }`)
    "#);
}

#[test]
fn a_broken_rule_takes_only_itself_out() {
    let mut files = files();
    files.insert("config/rules/broken.toml", "kind = ");
    files.insert("config/rules/empty.toml", "# nothing yet\n");
    files.insert("config/rules/Bad Name.toml", RULE);
    let loaded = load_from(&files, &Environment::default());
    insta::assert_snapshot!(told(&loaded), @r#"
    config/rules/Bad Name.toml:1:1: `Bad Name` cannot be a name here (name the file `bad-name.toml`: small letters, digits and `-`)
    config/rules/broken.toml:1:1: `kind` has no value (write one behind the `=`, or leave `kind` out)
    config/rules/empty.toml:1:1: this file is empty: a rule is expected (write it, or delete the file)
    "#);
    let project = loaded.project.clone().expect("settings and data are good");
    assert_eq!(project.broken, ["Bad Name", "broken", "empty"]);
    assert_eq!(project.rules.keys().collect::<Vec<_>>(), ["update"]);
    assert_eq!(loaded.broken_files().len(), 3);
}

#[test]
fn a_broken_offer_takes_its_rules_along_and_is_told_once() {
    let mut files = files();
    files.insert("config/rules/update.toml", &format!("{RULE}offer = 'cookie'\n"));
    files.insert("config/offers/cookie.toml", "value = 'much'\n");
    let loaded = load_from(&files, &Environment::default());
    assert_eq!(loaded.problems.len(), 1);
    assert_eq!(loaded.project.expect("settings and data are good").broken, ["update"]);
}

#[test]
fn broken_settings_or_data_leave_no_project() {
    assert!(loaded_with(PLUSONE_TOML, "[business]\n").project.is_none());
    assert!(loaded_with(DATA_TOML, "[customer]\nkey = 'id'\nfields = {}\n").project.is_none());
    let mut files = files();
    files.remove(DATA_TOML);
    let loaded = load_from(&files, &Environment::default());
    assert!(loaded.project.is_none());
    assert!(told(&loaded).starts_with("config/data.toml:1:1: there is no such file"), "{}", told(&loaded));
}

#[test]
fn a_fault_inside_a_text_is_told_where_the_text_stands() {
    let environment = Environment::default();
    let text = "plain = \"a ${NOPE}\"\nlong = '''\n  b ${NOPE}'''\nescaped = \"\\t${NOPE}\"\n";
    let source = Source::new("file", text);
    let mut problems = Vec::new();
    node::parse(&source, &environment, &mut problems);
    let places: Vec<(usize, usize)> = problems.iter().map(|problem| source.position(problem.span.start)).collect();
    assert_eq!(places, [(1, 12), (3, 5), (4, 11)]);
}

#[test]
fn the_environment_is_filled_in_and_never_shown() {
    let environment = Environment::of([
        ("FROM", "not an address"),
        ("PLUSONE_BUSINESS__NAME", "Quay"),
        ("PLUSONE_GUARD__MAX_RECIPIENTS", "7"),
        ("PLUSONE_GUARD__MAX_SHARE", "secret"),
        ("PLUSONE_WEB__LISTN", "secret"),
        ("PLUSONE_CHANNELS__EMAIL__PROVIDERS", "['secret']"),
    ]);
    let mut files = files();
    files.insert(PLUSONE_TOML, &PLUSONE.replace("Harbour <hello@harbour.example>", "${FROM}"));
    let loaded = load_from(&files, &environment);
    insta::assert_snapshot!(told(&loaded), @r#"
    config/plusone.toml:9:8: `${FROM}` is not a good `from` (write an address, or `Name <address>`)
    environment:1:1: `PLUSONE_GUARD__MAX_SHARE` is not a share (write `"5%"`, from `"0%"` to `"100%"`)
    environment:1:1: `listn` is not a key of [web] (the nearest known key is `listen`)
    environment:1:1: there is no provider `PLUSONE_CHANNELS__EMAIL__PROVIDERS` (in [providers]: `outbox`)
    "#);
}

#[test]
fn overrides_stand_over_the_file() {
    let environment = Environment::of([
        ("PLUSONE_BUSINESS__NAME", "Quay"),
        ("PLUSONE_GUARD__MAX_RECIPIENTS", "7"),
        ("PLUSONE_DATABASE__URL", "postgres://db/plusone"),
        ("PLUSONE_CHANNELS__EMAIL__PROVIDERS", "['outbox']"),
    ]);
    let settings = load_from(&files(), &environment).project.expect("it is good").settings;
    assert_eq!(settings.business.name, "Quay");
    assert_eq!(settings.guard.max_recipients, Some(7));
    assert_eq!(settings.database_url.expose(), "postgres://db/plusone");
}

#[test]
fn the_version_of_a_rule_follows_its_words() {
    let version = |text: &str| {
        let loaded = loaded_with("templates/update/subject.hbs", text);
        loaded.project.expect("it is good").rules["update"].version.clone()
    };
    assert_eq!(version("Hello"), version("Hello"));
    assert_ne!(version("Hello"), version("Good day"));
}

#[test]
fn files_that_cannot_be_used_are_told() {
    let home = tempfile::tempdir().expect("a folder");
    let rules = home.path().join("config/rules");
    std::fs::create_dir_all(&rules).expect("a folder");
    std::fs::write(rules.join("latin.toml"), b"kind = \"caf\xe9\"\n").expect("a file");
    std::fs::write(rules.join("utf16.toml"), b"\xff\xfek\0").expect("a file");
    std::fs::write(rules.join("huge.toml"), vec![b'#'; 1024 * 1024 + 1]).expect("a file");
    std::fs::write(rules.join("note.txt"), "x").expect("a file");
    std::fs::write(rules.join(".hidden"), "x").expect("a file");
    let files = Files::read(home.path());
    let told: String = files.problems().iter().map(|problem| format!("{problem}\n")).collect();
    insta::assert_snapshot!(told, @r#"
    config/rules/huge.toml:1:1: this file has 1048577 bytes; more than 1048576 are refused
    config/rules/latin.toml:1:1: this file is not UTF-8: line 1 has bytes of another encoding; save the file as UTF-8
    config/rules/note.txt:1:1: this is not read (files here end in `.toml`: name it `note.toml`)
    config/rules/utf16.toml:1:1: this file is UTF-16: save it as UTF-8
    "#);
}

#[test]
fn a_byte_order_mark_is_no_problem() {
    assert_eq!(told_with("config/rules/update.toml", &format!("\u{feff}{RULE}")), "");
}

#[test]
fn the_name_that_is_proposed_for_a_file_can_be_one() {
    for (name, right) in [("Schöne Grüße", "schoene-gruesse"), ("日本", "a-name"), ("a__b!", "a-b")] {
        assert_eq!(super::file_name_instead(name).as_deref(), Some(right));
    }
    let long = super::file_name_instead(&format!("{}-b", "a".repeat(99))).expect("too long a name");
    assert_eq!(super::file_name_instead(&long), None, "{long}");
}
