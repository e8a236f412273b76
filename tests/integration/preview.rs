//! `preview`: every part of a message on every channel and in every language, the worst cases of an audience, and the
//! page for a browser.

use crate::harness::home::Home;
use crate::harness::{chromium, node_modules};
use crate::pages::drive;
use crate::shop::{NOON, Shop, at, customers, on_both, rule};
use plusone::delivery::sample::Samples;
use plusone::rules::Channel;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

fn sample() -> Home {
    let home = Home::new();
    home.copy("config");
    home.copy("templates");
    home
}

fn messages(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let ran = home.plusone(&[&["preview"], arguments, &["--json"]].concat()).ended_with(0);
    ran.json()["messages"].as_array().expect("a list").clone()
}

#[test]
fn every_channel_of_a_rule_is_shown_with_all_its_parts() {
    let home = sample();
    let shown = messages(&home, &["birthday", "--customer", "c01"]);
    let channels: Vec<&str> = shown.iter().map(|one| one["channel"].as_str().expect("a name")).collect();
    assert_eq!(channels, ["email", "sms"]);
    let (mail, sms) = (&shown[0], &shown[1]["sms"]);
    for part in ["subject", "preheader", "html", "text"] {
        assert!(mail[part].as_str().is_some_and(|text| !text.trim().is_empty()), "{part}: {mail}");
    }
    assert_eq!((sms["segments"].as_u64(), sms["encoding"].as_str()), (Some(1), Some("GSM-7")), "{sms}");
    let text = home.plusone(&["preview", "birthday", "--customer", "c01"]).ended_with(0).stdout;
    for said in ["== email in en-GB, for customer c01 ==", "Subject:   ", "Preheader: ", "== sms", "-- 1 segment, "] {
        assert!(text.contains(said), "no `{said}` in\n{text}");
    }
}

#[test]
fn the_character_that_makes_a_text_dear_is_named_with_its_place() {
    let home = crate::shop::home(&crate::harness::home::Settings::default())
        .file("customers.csv", &customers(&["c1,ann@shop.test,Ann,,"]))
        .file("config/rules/note.toml", &rule(&[("channels", "[\"sms\"]")]));
    let long = "a".repeat(80);
    home.write("templates/note/sms.hbs", &format!("It’s {{{{customer.id}}}} {long}"));
    let shown = messages(&home, &["note", "--customer", "c1"]);
    let sms = &shown[0]["sms"];
    assert_eq!((sms["encoding"].as_str(), sms["segments"].as_u64()), (Some("UCS-2"), Some(2)));
    assert_eq!((sms["forced_by"].as_str(), sms["forced_at"].as_u64()), (Some("’"), Some(3)));
    assert!(shown[0]["remarks"][0].as_str().expect("a remark").contains("would cost 1"), "{}", shown[0]);
    let text = home.plusone(&["preview", "note", "--customer", "c1"]).ended_with(0).stdout;
    assert!(text.contains("since character 3 is `’`"), "{text}");
}

#[test]
fn every_language_of_the_template_is_shown_and_an_absent_one_is_told() {
    let home = sample();
    let locales = |asked: &str| -> Vec<String> {
        let shown = messages(&home, &["delivery-update", "--customer", "c02", "--locale", asked]);
        shown.iter().map(|one| one["locale"].as_str().expect("a locale").to_owned()).collect()
    };
    assert_eq!(locales("all"), ["en-GB", "fr"]);
    assert_eq!(locales("fr-CA"), ["fr"]);
    let shown = messages(&home, &["delivery-update", "--customer", "c02", "--locale", "pl"]);
    assert_eq!(shown[0]["remarks"][0], "the template has no words in pl: customers read the ones in en-GB");
    let ran = home.plusone(&["preview", "delivery-update", "--customer", "c02", "--locale", "?"]).ended_with(2);
    assert!(ran.stderr.contains("`?` is no language"), "{}", ran.stderr);
}

#[test]
fn a_call_is_shown_with_its_words_and_keys() {
    let home = sample();
    let call = home.plusone(&["preview", "invoice-call", "--customer", "c12"]).ended_with(0);
    assert!(
        call.stdout.contains("-- key 9 stops all calls: We will not call you again. Goodbye. --"),
        "{}",
        call.stdout
    );
}

#[tokio::test]
async fn the_worst_cases_are_the_longest_and_the_barest_of_those_whom_the_rule_matches() {
    on_both("", async |home| {
        let rows = [
            "c1,ann@shop.test,Ann,gold,",
            "c2,max@shop.test,Maximiliana Wolfeschlegelsteinhausenbergerdorff von Unterwald,gold,",
            "c3,bo@shop.test,,gold,",
            "c4,leo@shop.test,An even longer name that the rule does not reach since the tier is another one,basic,",
        ];
        home.write("customers.csv", &customers(&rows));
        home.write("templates/note/subject.hbs", "A note for {{default customer.first_name \"you\"}}");
        let gold = [("when", "['customer.tier == \"gold\"']")];
        home.write("config/rules/note.toml", &rule(&gold));
        home.write("config/rules/nobody.toml", &rule(&[("when", "['customer.tier == \"none\"']")]));
        home.write("templates/plain/subject.hbs", "The kettle is on");
        home.write("templates/plain/email.html.hbs", "<p>Come in.</p>");
        home.write("config/rules/plain.toml", &rule(&[("template", "'plain'")]));
        let shop = Shop::open(&home, NOON).await;
        shop.app.refresh().await.expect("data");
        let (db, workspace) = (&shop.app.db, &shop.app.workspace);
        let of = |name: &str| Samples {
            db,
            workspace,
            rule: &workspace.project.rules[name],
            channel: Channel::Email,
            now: at(NOON),
        };
        let extremes = of("note").extremes(1).await.expect("rows");
        let named: Vec<(&str, usize)> = extremes.iter().map(|one| (one.customer.as_str(), one.lacks.len())).collect();
        assert_eq!(named, [("c2", 0), ("c3", 1)]);
        assert_eq!(extremes[1].lacks, ["customer.first_name"]);
        assert!(extremes.iter().all(|one| one.is_selected));
        let all = of("nobody").extremes(1).await.expect("rows");
        assert_eq!(all[1].customer, "c4");
        assert!(!all[1].is_selected);
        let alike = of("plain").extremes(1).await.expect("rows, though the words are the same for everybody");
        assert_eq!(alike.len(), 1, "the longest is the barest, too");
    })
    .await;
}

#[test]
fn the_worst_case_says_whom_it_took_and_why() {
    let home = crate::shop::home(&crate::harness::home::Settings::default())
        .file("customers.csv", &customers(&["c1,ann@shop.test,Ann,,", "c2,bo@shop.test,,,"]))
        .file("config/rules/note.toml", &rule(&[]));
    let long = "{{default customer.first_name \"you\"}}: a subject that says rather more than a list of mails can show";
    home.write("templates/note/subject.hbs", long);
    let shown = messages(&home, &["note", "--worst"]);
    let why: Vec<&str> = shown.iter().map(|one| one["why"].as_str().expect("why")).collect();
    assert_eq!(shown[0]["customer"], "c1");
    assert!(why[0].starts_with("the longest of those whom the rule matches now: a subject of "), "{why:?}");
    assert_eq!(why[1], "the most values missing of those whom the rule matches now: customer.first_name");
    assert!(shown[0]["remarks"][0].as_str().expect("a remark").starts_with("the subject has "), "{}", shown[0]);
}

#[test]
fn nobody_named_is_the_first_who_would_get_it() {
    let home = crate::shop::home(&crate::harness::home::Settings::default())
        .file("customers.csv", &customers(&["c1,,Ann,,", "c2,bo@shop.test,,,"]))
        .file("config/rules/note.toml", &rule(&[]));
    let told = |customer: &str, who: &str| {
        let ran = home.plusone(&["preview", "note", "--json"]).ended_with(0);
        assert!(ran.stderr.contains(&format!("note: for customer {customer}, {who}")), "{}", ran.stderr);
        assert_eq!(ran.json()["messages"][0]["customer"], customer);
    };
    told("c2", "the first who would get it now");
    home.write("config/rules/note.toml", &rule(&[("when", "'customer.id == \"c1\"'")]));
    told("c1", "whom the rule matches, though nobody would get it now");
    home.write("config/rules/note.toml", &rule(&[("when", "'customer.id == \"c3\"'")]));
    let ran = home.plusone(&["preview", "note"]).ended_with(0);
    assert!(ran.stderr.contains("since the rule matches nobody now"), "{}", ran.stderr);
    let empty = crate::shop::home(&crate::harness::home::Settings::default())
        .file("customers.csv", &customers(&[]))
        .file("config/rules/note.toml", &rule(&[]));
    let ran = empty.plusone(&["preview", "note"]).ended_with(1);
    assert!(ran.stderr.contains("there is no customer to show rule note for"), "{}", ran.stderr);
}

#[test]
fn the_page_is_private_without_script_and_opened_by_the_system() {
    let home = sample().with("DISPLAY", ":0");
    let bin = home.path().join("bin");
    std::fs::create_dir(&bin).expect("the home is ours");
    let opener = bin.join("xdg-open");
    std::fs::write(&opener, "#!/bin/sh\nprintf %s \"$1\" > opened\n").expect("the home is ours");
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).expect("the home is ours");
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let home = home.with("PATH", &path);
    let arguments = ["preview", "delivery-update", "--customer", "c02", "--locale", "all", "--open"];
    let ran = home.plusone(&arguments).ended_with(0);
    let opened = home.read("opened");
    assert!(ran.stdout.contains(&format!("opened {opened}")), "{}", ran.stdout);
    let mode = std::fs::metadata(&opened).expect("the page").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let page = std::fs::read_to_string(&opened).expect("the page");
    assert_eq!(page.matches("<iframe").count(), 8, "two languages on two devices in two lights");
    assert_eq!(page.matches("sandbox srcdoc=").count(), 8);
    assert!(!page.contains("<script") && page.contains("default-src 'none'"));
    let home = home.with("DISPLAY", "").with("WAYLAND_DISPLAY", "").with("BROWSER", "");
    let ran = home.plusone(&arguments).ended_with(0);
    assert!(ran.stdout.contains("no browser can be opened from here; the page is "), "{}", ran.stdout);
}

#[test]
fn the_page_of_each_channel_is_for_every_reader_on_a_phone_and_on_a_desk() {
    let (Some(modules), Some(browser)) = (node_modules(), chromium()) else { return };
    let home = sample().with("DISPLAY", "").with("WAYLAND_DISPLAY", "").with("BROWSER", "");
    let mut steps = Vec::new();
    for (rule, customer, shows) in [
        ("delivery-update", &["--customer", "c02", "--locale", "all"][..], "In the inbox"),
        ("tasting-reminder", &["--worst"], "segment"),
        ("invoice-call", &["--worst"], "Spoken"),
    ] {
        home.plusone(&[&["preview", rule, "--open"], customer].concat()).ended_with(0);
        let page = home.path().join(format!("var/preview/{rule}.html"));
        let markup = home.read(&format!("var/preview/{rule}.html"));
        assert_eq!(
            markup.contains("<iframe "),
            markup.contains("style=\"height: "),
            "{rule}: a frame as high as its mail"
        );
        steps.push(json!({ "name": rule, "url": format!("file://{}", page.display()), "expect": [shows] }));
    }
    let seen = drive(&home, &modules, &browser, &Value::from(steps));
    assert_eq!(seen["looked"], 12, "three pages at two widths, light and dark: {seen}");
}
