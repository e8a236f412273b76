//! `why`, `who` and `diff` as people ask them.

use crate::harness::home::{Home, Settings};
use crate::shop::{customers, home, rule};
use serde_json::Value;

const PEOPLE: [&str; 5] = [
    "ann,ann@shop.test,Ann,gold,yes",
    "ben,ben@shop.test,=Ben,gold,no",
    "cat,,Cat,gold,yes",
    "dan,ann@shop.test,Dan,silver,yes",
    "eve,eve@shop.test,Eve,silver,yes",
];

/// A shop with a rule for gold members, promotional.
fn shop(keys: &[(&str, &str)]) -> Home {
    let home = home(&Settings { more: "[guard]\nmax_share = \"100%\"\n".to_owned(), ..Settings::default() });
    home.write("customers.csv", &customers(&PEOPLE));
    home.write("carts.csv", "id,customer_id,status\n1234,ann,open\n");
    home.write("config/rules/treat.toml", &treat(keys));
    home
}

fn treat(keys: &[(&str, &str)]) -> String {
    let usual = [("topic", "\"offers\""), ("when", "['customer.tier == \"gold\"']"), ("once_per", "\"customer\"")];
    let usual = usual.iter().filter(|(name, _)| keys.iter().all(|(key, _)| key != name));
    rule(&usual.chain(keys).copied().collect::<Vec<_>>())
}

fn one(answer: &Value) -> &Value {
    let all = answer.as_array().expect("a list");
    assert_eq!(all.len(), 1, "{answer:#}");
    &all[0]
}

/// `gate passed` of each gate that is not plainly passed.
fn stops(answer: &Value) -> Vec<String> {
    let gates = answer["gates"].as_array().expect("gates").iter();
    gates
        .filter(|gate| gate["passed"] != true)
        .map(|gate| format!("{} {}", gate["gate"].as_str().expect("a name"), gate["passed"]))
        .collect()
}

#[test]
fn why_shows_each_clause_and_every_gate_in_order() {
    let home = shop(&[]);
    let ann = home.plusone(&["why", "ann", "treat", "--json"]).ended_with(0).json();
    let ann = one(&ann);
    assert_eq!(
        (&ann["selected"], &ann["outcome"], &ann["channel"]),
        (&true.into(), &"planned".into(), &"email".into())
    );
    assert_eq!(ann["clauses"][0]["values"]["customer.tier"], "gold");
    let gates: Vec<&str> = ann["gates"].as_array().unwrap().iter().map(|gate| gate["gate"].as_str().unwrap()).collect();
    assert_eq!(
        gates,
        [
            "seen_before",
            "again_after",
            "pauses",
            "moment",
            "address",
            "consent",
            "suppression",
            "hours",
            "caps",
            "same_address",
            "eligibility",
            "holdout",
            "budget",
            "guard"
        ]
    );
    assert_eq!(stops(ann), Vec::<String>::new());
    assert!(ann["consent"][0].as_str().unwrap().contains("yes"), "{ann:#}");
    assert_eq!((&ann["rule_state"], &ann["source"]), (&"live".into(), &"computed".into()));
    let ben = home.plusone(&["why", "ben", "treat", "--json"]).ended_with(0).json();
    assert_eq!(one(&ben)["outcome"], "no_consent");
    assert_eq!(stops(one(&ben))[..3], ["consent false", "suppression null", "hours null"]);
    let eve = home.plusone(&["why", "eve", "treat", "--json"]).ended_with(0).json();
    assert_eq!((&one(&eve)["selected"], &one(&eve)["clauses"][0]["holds"]), (&false.into(), &false.into()));
    assert_eq!(one(&eve)["clauses"][0]["values"]["customer.tier"], "silver", "values of whom it does not select");
    let text = home.plusone(&["why", "ben", "treat"]).ended_with(0).stdout;
    for line in [
        "  passes     customer.tier == \"gold\" is true  [customer.tier = gold]",
        "  passes     pauses: no pause stands in the way",
        "  STOPS      consent: the customer has not said yes to the promotional topic",
        "  not asked  suppression, hours, caps, same address, eligibility, holdout, budget, guard",
        "  ->         would not be sent: no_consent",
        "next tick",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn why_leads_with_the_message_that_a_customer_had() {
    let home = shop(&[]);
    home.plusone(&["once", "--at", "2026-11-03 12:00"]).ended_with(0);
    let why = home.plusone(&["why", "ann", "treat"]).ended_with(0).stdout;
    let id = home.plusone(&["log", "--customer", "ann", "--json"]).ended_with(0).json_lines()[0]["id"].clone();
    let show = format!("plusone show {}", &id.as_str().expect("an id")[..8]);
    let lines: Vec<&str> = why.lines().collect();
    assert_eq!((lines[2], lines[4]), ("What they had of this rule:", "Would there be another?"), "{why}");
    assert!(lines[3].contains(" sent, email to ann@shop.test") && lines[3].contains(&show), "{why}");
    assert!(why.contains("STOPS      seen before: this occurrence was already sent"), "{why}");
    let log = home.plusone(&["log", "--customer", "ann"]).ended_with(0).stdout;
    assert!(log.contains("sent   treat  ann Ann   -      email    ann@shop.test"), "{log}");
    let short = home.plusone(&["why", "ann"]).ended_with(0).stdout;
    assert!(short.contains("already_touched: had one already, ") && short.contains(&show), "{short}");
    let told = home.plusone(&["why", "ann", "treat", "--json"]).ended_with(0).json();
    assert_eq!(one(&told)["had"][0]["id"], id);
    let shown = home.plusone(&["show", &show[13..]]).ended_with(0).stdout;
    assert!(shown.contains("  passes     pauses: no pause stands in the way"), "{shown}");
    let ben = home.plusone(&["log", "--customer", "ben", "--json"]).ended_with(0).json_lines();
    let shown = home.plusone(&["show", ben[0]["id"].as_str().expect("an id")]).ended_with(0).stdout;
    assert!(shown.contains("  STOPS      consent: the customer has not said yes to the promotional topic"), "{shown}");
}

#[test]
fn why_says_what_a_rule_that_does_not_send_would_do() {
    let home = shop(&[("live", "false")]);
    let text = home.plusone(&["why", "ann", "treat"]).ended_with(0).stdout;
    assert!(text.contains("a draft") && text.contains(", once the rule is live"), "{text}");
    let short = home.plusone(&["why", "ann"]).ended_with(0).stdout;
    assert!(short.starts_with("treat") && short.contains("once the rule is live"), "{short}");
    home.write("config/rules/treat.toml", &treat(&[("live", "{ from = 2099-12-01 }")]));
    let later = home.plusone(&["why", "ann", "treat", "--json"]).ended_with(0).json();
    assert_eq!(one(&later)["rule_state"], "not_yet");
}

#[test]
fn a_customer_is_found_by_id_address_phone_and_order() {
    let home = shop(&[]);
    for name in ["eve", "EVE@shop.test", "07911120004", "+44 7911 120004"] {
        let eve = home.plusone(&["why", name, "treat", "--json"]).ended_with(0).json();
        assert_eq!(one(&eve)["customer"], "eve", "{name}");
    }
    let ann = home.plusone(&["why", "cart:1234", "treat", "--json"]).ended_with(0).json();
    assert_eq!(one(&ann)["customer"], "ann");
    let both = home.plusone(&["why", "ann@shop.test", "treat"]).ended_with(1).stderr;
    assert!(both.contains("names more than one customer: ann, dan"), "{both}");
    let nobody = home.plusone(&["why", "zoe@shop.test", "treat"]).ended_with(1).stderr;
    assert!(nobody.contains("no customer is named by `zoe@shop.test`"), "{nobody}");
}

#[test]
fn who_says_what_those_that_go_later_wait_for() {
    let everyone = "['customer.tier in [\"gold\", \"silver\"]']";
    let home = shop(&[("pace", "\"1/h\""), ("when", everyone), ("expires_after", "\"2d\"")]);
    let said = home.plusone(&["who", "treat", "--at", "2026-11-03T12:00:00Z"]).ended_with(0).stdout;
    assert!(said.contains("1  of these later: 1 waits for a turn (`pace`)"), "{said}");
}

#[test]
fn a_question_takes_the_only_person_of_a_name_and_a_change_takes_none() {
    let home = shop(&[]);
    let ben = home.plusone(&["why", "=Ben", "treat", "--json"]).ended_with(0);
    assert_eq!(one(&ben.json())["customer"], "ben");
    assert!(ben.stderr.contains("`=Ben` is customer ben (=Ben)"), "{}", ben.stderr);
    let several = home.plusone(&["why", "shop", "treat"]).ended_with(1).stderr;
    assert!(
        several.contains("write the id of the one you mean: ann (Ann), ben (=Ben), dan (Dan) and more"),
        "{several}"
    );
    let strict = home.plusone(&["pause", "=Ben"]).ended_with(1).stderr;
    assert!(strict.contains("write the id of the one you mean: ben (=Ben)"), "{strict}");
    let set = |customer: &str| home.plusone(&["consent", "set", customer, "offers", "yes", "--source", "a call"]);
    let strict = set("=Ben").ended_with(1).stderr;
    assert!(strict.contains("write the id of the one you mean: ben (=Ben)"), "{strict}");
    set("ben").ended_with(0);
    let ledger = home.plusone(&["consent", "show", "=Ben", "--json"]).ended_with(0).json();
    assert_eq!((&ledger["customer"], &ledger["ledger"][0]["undated"]), (&"ben".into(), &false.into()), "{ledger:#}");
    let ledger = home.plusone(&["consent", "show", "ann", "--json"]).ended_with(0).json();
    assert_eq!(ledger["ledger"][0]["undated"], true, "the data tell no day: {ledger:#}");
}

#[test]
fn of_the_past_why_tells_what_was_recorded() {
    let home = shop(&[]);
    home.plusone(&["once", "--at", "2026-11-03 12:00"]).ended_with(0);
    let version_then = home.plusone(&["log", "--json"]).ended_with(0).json_lines()[0]["rule_version"].clone();
    // Ann is no longer gold, and the rule asks for something else.
    home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,basic,yes", PEOPLE[1], PEOPLE[4]]));
    home.write("config/rules/treat.toml", &treat(&[("when", "['customer.tier == \"silver\"']")]));
    let then = home.plusone(&["why", "ann", "treat", "--at", "2026-11-03 13:00", "--json"]).ended_with(0).json();
    let then = one(&then);
    assert_eq!((&then["source"], &then["outcome"]), (&"recorded".into(), &"planned".into()), "{then:#}");
    assert_eq!(then["clauses"][0]["text"], "customer.tier == \"gold\"");
    assert_eq!(then["clauses"][0]["values"]["customer.tier"], "gold", "the value of then");
    assert_eq!(then["touchpoint"]["rule_version"], version_then);
    assert!(then["rule_text"].as_str().expect("the text of then").contains("gold"));
    let text = home.plusone(&["why", "ann", "treat", "--at", "2026-11-03 13:00"]).ended_with(0).stdout;
    for line in [
        "Recorded: touchpoint",
        "another than today's; it read then:",
        "    | when = ['customer.tier == \"gold\"']",
        "last run by then: 2026-11-03 12:00, released",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let ben = home.plusone(&["why", "ben", "treat", "--at", "2026-11-03 13:00"]).ended_with(0).stdout;
    assert!(ben.contains("STOPS      consent") && ben.contains("values of a skip are not kept"), "{ben}");
    let today = home.plusone(&["why", "ann", "treat", "--json"]).ended_with(0).json();
    assert_eq!((&one(&today)["source"], &one(&today)["outcome"]), (&"computed".into(), &"not_selected".into()));
    let eve = home.plusone(&["why", "eve", "treat", "--at", "2026-11-03 13:00"]).ended_with(0).stdout;
    assert!(eve.contains("nothing") && eve.contains("judged on today's data"), "{eve}");
}

#[test]
fn who_names_people_and_writes_them_down() {
    let home = shop(&[]);
    let who = home.plusone(&["who", "treat", "--json"]).ended_with(0).json();
    assert_eq!((&who["matched"], &who["planned"]), (&3.into(), &1.into()));
    let names: Vec<&str> = who["sample"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"Ann") && names.contains(&"=Ben"), "{names:?}");
    let list = home.plusone(&["who", "treat", "--list"]).ended_with(0).stdout;
    assert!(list.contains("ann Ann  email") && list.contains("cat Cat  no_address"), "{list}");
    // Whoever has no name is told by their address; a time has no fraction of a second.
    home.write("customers.csv", &customers(&[&PEOPLE[..], &["fay,fay@shop.test,,gold,yes"]].concat()));
    let list = home.plusone(&["who", "treat", "--list"]).ended_with(0).stdout;
    assert!(list.contains("fay fay@shop.test  email"), "{list}");
    home.plusone(&["who", "treat", "--csv", "who.csv"]).ended_with(0);
    let csv = home.read("who.csv");
    assert!(csv.starts_with(
        "\"customer\",\"name\",\"address\",\"entity\",\"occurrence\",\"outcome\",\"reason\",\"detail\",\"channel\",\"variant\",\"due_at\"\n"
    ));
    assert!(csv.contains("\"ben\",\"'=Ben\",\"ben@shop.test\",\"ben\",\"-\",\"skipped\",\"no_consent\""), "{csv}");
    assert!(
        csv.contains("\"ann\",\"Ann\",\"ann@shop.test\",\"ann\",\"-\",\"planned\",\"\",\"\",\"email\",\"\","),
        "{csv}"
    );
}

#[test]
fn who_tells_the_variant_of_each_in_lists_and_tables() {
    let variants = "[{ name = \"plain\", share = \"0%\" }, { name = \"bold\", share = \"100%\", subject = \"!\" }]";
    let home = shop(&[("variants", variants)]);
    let list = home.plusone(&["who", "treat", "--list"]).ended_with(0).stdout;
    assert!(list.contains("ann Ann  email, variant bold"), "{list}");
    home.plusone(&["who", "treat", "--csv", "who.csv"]).ended_with(0);
    let csv = home.read("who.csv");
    assert!(
        csv.contains("\"ann\",\"Ann\",\"ann@shop.test\",\"ann\",\"-\",\"planned\",\"\",\"\",\"email\",\"bold\","),
        "{csv}"
    );
    assert!(csv.contains("\"no_consent\",\"email\",\"\",\"\",\"\"\n"), "{csv}");
}

#[test]
fn what_is_asked_between_two_ticks_says_when_the_next_one_is() {
    let home = shop(&[]);
    let who = home.plusone(&["who", "treat"]).ended_with(0).stdout;
    assert!(who.contains("  would get it, if it ran now\n"), "{who}");
    let next = |text: &str, question: &str| {
        let (before, after) = text.split_once(&format!("`plusone {question} --at \"")).expect("a question");
        let (tick, _) = after.split_once('"').expect("a time");
        assert!(before.trim_end().ends_with(&format!("its next tick is at {tick}, and")), "{text}");
        tick.to_owned()
    };
    let tick = next(&who, "who treat");
    let why = home.plusone(&["why", "ann", "treat"]).ended_with(0).stdout;
    assert!(why.contains(" (Europe/London), if it ran now\n"), "{why}");
    next(&why, "why ann treat");
    let at_it = home.plusone(&["who", "treat", "--at", &tick]).ended_with(0).stdout;
    assert!(at_it.contains("  would get it\n") && !at_it.contains("next tick is"), "{at_it}");
    let nobody = home.plusone(&["why", "eve", "treat"]).ended_with(0).stdout;
    assert!(!nobody.contains("its next tick is"), "{nobody}");
}

#[test]
fn a_command_that_is_proposed_can_be_copied_whatever_the_customer_is_called() {
    for (id, named) in [("o'neil & $co", "o'neil & $co"), ("-7", "customer:-7"), ("--json", "customer:--json")] {
        let home = shop(&[]);
        home.write("customers.csv", &customers(&[&format!("{id},ann@shop.test,Ann,gold,yes")]));
        let run = |said: &str, before: &str, after: &str| {
            let (_, command) = said.split_once(before).unwrap_or_else(|| panic!("a command in {said}"));
            let (command, _) = command.split_once(after).expect("its end");
            let printed = std::process::Command::new("sh").args(["-c", &format!("printf '%s\\n' {command}")]).output();
            let words = String::from_utf8(printed.expect("a shell").stdout).expect("it is UTF-8");
            let words: Vec<&str> = words.lines().collect();
            assert_eq!(words[1], named, "{said}");
            home.plusone(&words).ended_with(0).stdout
        };
        let why = home.plusone(&["why", named, "treat"]).ended_with(0).stdout;
        assert!(run(&why, "and `plusone ", "` says").contains("would be sent by email"), "{why}");
        let paused = home.plusone(&["pause", "--", id]).ended_with(0).stdout;
        assert!(run(&paused, "until `plusone ", "`.").contains("Resumed customer"), "{paused}");
        home.plusone(&["pause", named]).ended_with(0);
        let page = home.plusone(&["customer", named]).ended_with(0).stdout;
        assert!(run(&page, "; `plusone ", "` ends it").contains("Resumed customer"), "{page}");
        let status = home.plusone(&["status"]).ended_with(0).stdout;
        assert!(!status.contains("\nPaused"), "{status}");
        // Of one who is gone the log tells by the same name.
        home.plusone(&["once", "--no-send"]).ended_with(0);
        home.write("customers.csv", &customers(&["ben,ben@shop.test,Ben,silver,yes"]));
        home.plusone(&["once", "--no-send"]).ended_with(0);
        let log = home.plusone(&["log", "--customer", named]).ended_with(0).stdout;
        assert!(log.contains("1 touchpoint, newest first"), "{log}");
    }
}

#[test]
fn an_address_that_cannot_be_used_is_shown_wherever_it_stops_a_message() {
    let home = shop(&[]);
    home.write("customers.csv", &customers(&["ann,ann@@shop.test,Ann,gold,yes"]));
    let why = home.plusone(&["why", "ann", "treat"]).ended_with(0).stdout;
    let told = "ann@@shop.test";
    assert!(why.contains(&format!("the customer's address is not a valid one ({told})")), "{why}");
    let who = home.plusone(&["who", "treat"]).ended_with(0).stdout;
    assert!(who.contains(&format!("ann Ann  bad_address: {told}")), "{who}");
    home.plusone(&["once", "--at", "2026-11-03 12:00"]).ended_with(0);
    let log = home.plusone(&["log", "--customer", "ann"]).ended_with(0).stdout;
    assert!(log.contains(&format!("bad_address: {told}")), "{log}");
}

#[test]
fn no_budget_says_which_and_whether_waiting_helps() {
    let home = shop(&[("offer", "\"cookie\"")]);
    home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,gold,yes", "bea,bea@shop.test,Bea,gold,yes"]));
    for (budget, told) in [
        ("{ total = 10, per_day = 1 }", "cookie: today's budget is used up, and there is more tomorrow"),
        ("{ total = 1, per_day = 1 }", "cookie: its whole budget is used up"),
    ] {
        let offer = format!("description = \"A cookie\"\nvalue = \"1\"\ncost = \"1\"\nbudget = {budget}\n");
        home.write("config/offers/cookie.toml", &offer);
        let who = home.plusone(&["who", "treat"]).ended_with(0).stdout;
        assert!(who.contains(&format!("no_budget: {told}\n")), "{who}");
    }
    home.plusone(&["once", "--at", "2026-11-03 12:00"]).ended_with(0);
    let log = home.plusone(&["log", "--reason", "no_budget"]).ended_with(0).stdout;
    assert!(log.contains("no_budget: cookie: its whole budget is used up\n"), "{log}");
}

#[test]
fn why_tells_money_and_times_as_people_read_them_and_keeps_them_exact_for_programs() {
    let home = shop(&[("for_each", "\"order\""), ("when", "['order.total >= 1000', 'order.placed_at < ago(\"1m\")']")]);
    let order = "[order]\nkey = \"id\"\nbelongs_to = { customer = \"customer_id\" }\n[order.fields]\nid = \"text\"\n\
                 customer_id = \"text\"\ntotal = \"money\"\nplaced_at = \"timestamp\"\n";
    home.write("config/data.toml", &format!("{}{order}", home.read("config/data.toml")));
    home.write("orders.csv", "id,customer_id,total,placed_at\no1,ann,1234.5,2026-11-02T11:00:17.25Z\n");
    home.plusone(&["import", "order", "orders.csv"]).ended_with(0);
    let why = home.plusone(&["why", "ann", "treat", "--at", "2026-11-02 12:00"]).ended_with(0).stdout;
    assert!(why.contains("[order.total = 1,234.50]") && why.contains("[order.placed_at = 2026-11-02 11:00]"), "{why}");
    let why = home.plusone(&["why", "ann", "treat", "--json"]).ended_with(0).json();
    assert_eq!(one(&why)["clauses"][0]["values"]["order.total"], "1234.5000", "{why:#}");
}

#[test]
fn who_says_that_a_run_would_wait() {
    let home = shop(&[("topic", "\"reminders\""), ("when", "['has(customer.id)']")]);
    home.write(
        "config/plusone.toml",
        &home.read("config/plusone.toml").replace("[guard]", "[guard]\nmax_recipients = 2"),
    );
    let who = home.plusone(&["who", "treat", "--json"]).ended_with(0).json();
    assert_eq!((&who["planned"], &who["held"]), (&0.into(), &4.into()), "{who:#}");
    let why = home.plusone(&["why", "ann", "treat"]).ended_with(0).stdout;
    assert!(why.contains("STOPS      guard: its run would wait for approval: would reach 4 customers"), "{why}");
}

#[test]
fn diff_tells_who_is_reached_newly_no_longer_and_again() {
    let home = shop(&[("topic", "\"reminders\"")]);
    home.plusone(&["once"]).ended_with(0);
    let silver = treat(&[
        ("topic", "\"reminders\""),
        ("when", "['customer.tier == \"silver\"']"),
        ("schedule", "\"every day at 9am\""),
    ]);
    home.write("new/treat.toml", &silver);
    let diff = home.plusone(&["diff", "new/treat.toml", "--json", "--exit-code"]).ended_with(3).json();
    let counts = |diff: &Value| {
        ["newly_reached", "no_longer_reached", "unchanged", "re_sent"].map(|key| diff[key]["count"].as_u64().unwrap())
    };
    assert_eq!(counts(&diff), [2, 2, 0, 0], "{diff:#}");
    let name = diff["newly_reached"]["examples"][0]["name"].as_str();
    assert!(matches!(name, Some("Dan" | "Eve")), "{name:?}");
    let text = home.plusone(&["diff", "new/treat.toml"]).ended_with(0).stdout;
    assert!(
        text.contains("when: no longer customer.tier == \"gold\"") && text.contains("schedule: every hour becomes"),
        "{text}"
    );
    // Another occurrence: those who have had it would get it again.
    home.write("new/treat.toml", &treat(&[("topic", "\"reminders\""), ("once_per", "\"day\"")]));
    let again = home.plusone(&["diff", "new/treat.toml", "--json"]).ended_with(0).json();
    assert_eq!(counts(&again), [0, 0, 0, 2], "{again:#}");
    // In the home's own place a file is compared with what ran.
    home.write("config/rules/treat.toml", &silver);
    let own = home.plusone(&["diff", "config/rules/treat.toml", "--json"]).ended_with(0).json();
    assert_eq!(counts(&own), [2, 2, 0, 0], "{own:#}");
    home.write("new/fresh.toml", &treat(&[("topic", "\"reminders\"")]));
    let fresh = home.plusone(&["diff", "new/fresh.toml", "--json"]).ended_with(0).json();
    assert_eq!((&fresh["new"], counts(&fresh)), (&true.into(), [2, 0, 0, 0]));
    home.plusone(&["once"]).ended_with(0);
    home.write("new/treat.toml", &silver);
    home.plusone(&["diff", "new/treat.toml", "--exit-code"]).ended_with(0);
    home.write("new/treat.toml", &silver.replace("customer.tier ==", "customer.teir =="));
    let broken = home.plusone(&["diff", "new/treat.toml"]).ended_with(2).stderr;
    assert!(broken.contains("teir") && broken.contains("tier"), "{broken}");
    home.plusone(&["diff", "new/missing.toml"]).ended_with(2);
}

#[test]
fn a_decimal_is_told_without_needless_zeros() {
    let home = shop(&[]);
    let data = home.read("config/data.toml").replace("tier = \"text\"", "tier = { type = \"decimal\" }");
    home.write("config/data.toml", &data);
    home.write("config/rules/treat.toml", &treat(&[("when", "['customer.tier > 1']")]));
    home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,235,yes", "ben,ben@shop.test,Ben,0.0625,yes"]));
    home.plusone(&["once", "--no-send"]).ended_with(0);
    for (customer, told) in [("ann", "235.00\n"), ("ben", "0.0625\n")] {
        let page = home.plusone(&["customer", customer]).ended_with(0).stdout;
        assert!(page.contains(told), "{told}: {page}");
    }
}

#[test]
fn a_yes_of_data_that_tell_no_time_is_known_since_they_were_read() {
    let home = shop(&[]);
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let page = home.plusone(&["customer", "ann"]).ended_with(0).stdout;
    assert!(page.contains("by email, known since the import of ") && !page.contains("by email on "), "{page}");
}

#[test]
fn a_pass_says_when_what_waits_goes_and_how() {
    let more = "[guard]\nmax_share = \"100%\"\n[courtesy]\nquiet_hours = { email = \"11:00-15:00\" }\n";
    let home = home(&Settings { more: more.to_owned(), ..Settings::default() });
    home.write("customers.csv", &customers(&PEOPLE));
    home.write("config/rules/treat.toml", &treat(&[]));
    let hint = "what waits goes from Tue 15:00 on: run `plusone once` again then, or leave `plusone run` running";
    let passed = |at: &str| {
        let ran = home.plusone(&["once", "--at", at]).ended_with(0);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    for at in ["2030-01-01 12:00", "2030-01-01 12:10"] {
        assert!(passed(at).contains(hint), "{at}");
    }
    assert!(!passed("2030-01-01 15:30").contains("what waits"), "nothing does");
}
