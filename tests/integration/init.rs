//! `init`: new home folders in each language.

use crate::harness::home::Home;

#[test]
fn a_german_home_speaks_german_to_its_customers() {
    let home = Home::new();
    home.plusone(&["init", "mine", "--locale", "de"]).ended_with(0);
    let mine = home.path().join("mine");
    let mine = mine.to_str().expect("a path");
    let checked = home.plusone(&["check", "--home", mine]).ended_with(0);
    assert!(checked.stdout.contains("no problems"), "{}", checked.stdout);
    let shown = home.plusone(&["preview", "welcome", "--customer", "2", "--home", mine]).ended_with(0).stdout;
    for words in ["Willkommen bei Meine Firma, Ben", "Guten Tag Ben,", "Auswählen, worüber"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let page = home.plusone(&["preview", "welcome", "--customer", "2", "--html", "--home", mine]).ended_with(0).stdout;
    assert!(page.contains("<html lang=\"de\""), "{page}");
    let settings = std::fs::read_to_string(home.path().join("mine/config/plusone.toml")).expect("it is there");
    for line in ["time_zone = \"Europe/Berlin\"", "locale = \"de-DE\"", "country = \"DE\"", "currency = \"EUR\""] {
        assert!(settings.contains(line), "{line}: {settings}");
    }
}

#[test]
fn readers_of_another_language_get_partials_in_it() {
    let home = Home::new();
    home.plusone(&["init", ".", "--locale", "de"]).ended_with(0);
    home.write("templates/welcome/en/email.html.hbs", "{{> letter-start lang=\"en\"}}<p>Welcome</p>{{> letter-end}}");
    let told = "the words of the partial `letter-end` are `de`, and messages in `en` print them";
    let checked = home.plusone(&["check"]).ended_with(0);
    assert!(checked.stderr.contains(told) || checked.stdout.contains(told), "{}{}", checked.stdout, checked.stderr);
    home.write("templates/_partials/en/letter-end.hbs", "<p>Choose what you hear from us</p></main></body></html>");
    let checked = home.plusone(&["check"]).ended_with(0);
    assert!(checked.stdout.contains("no problems"), "{}{}", checked.stdout, checked.stderr);
}

#[test]
fn an_empty_home_has_no_sample_and_takes_data_of_ones_own() {
    let home = Home::new();
    let said = home.plusone(&["init", ".", "--empty", "--locale", "de"]).ended_with(0).stdout;
    assert!(said.contains("plusone infer customers.csv > config/data.toml"), "{said}");
    for absent in ["config/data.toml", "config/customers.csv", "config/rules", "templates/welcome"] {
        assert!(!home.path().join(absent).exists(), "{absent}");
    }
    for present in ["config/.schema/rule.schema.json", "templates/confirm-opt-in/subject.hbs"] {
        assert!(home.path().join(present).exists(), "{present}");
    }
    home.write("customers.csv", "id,email\n1,ann@example.com\n");
    let inferred = home.plusone(&["infer", "customers.csv"]).ended_with(0).stdout;
    home.write("config/data.toml", &inferred);
    let checked = home.plusone(&["check"]).ended_with(0);
    assert!(checked.stdout.contains("no problems; 0 live, 0 draft"), "{}", checked.stdout);
    assert!(home.read("templates/_partials/letter-end.hbs").contains("Auswählen"), "in the language asked for");
}

#[test]
fn a_home_knows_whose_it_is() {
    for (locale, name, address) in [
        ("en", "Smith, Jones & Co.", "2 Quay Street\\Bristol"),
        ("de", "Gärtnerei Blattgrün", "Am \"Mühlbach\" 3, 79098 Freiburg"),
    ] {
        let home = Home::new();
        home.plusone(&["init", ".", "--locale", locale, "--name", name, "--address", address]).ended_with(0);
        assert!(home.plusone(&["check"]).ended_with(0).stdout.contains("no problems"));
        let settings = home.read("config/plusone.toml");
        assert!(settings.contains(&format!("name = \"{name}\"")), "{settings}");
        assert!(settings.contains(&format!("from = \"{name} <")), "{settings}");
        assert!(settings.lines().any(|line| line.starts_with("postal_address = ")), "{settings}");
        let shown = home.plusone(&["preview", "welcome", "--customer", "2"]).ended_with(0).stdout;
        assert!(shown.contains(name) && shown.contains(address), "{shown}");
    }
    let ran = Home::new().plusone(&["init", "mine", "--name", "Our \"Shop\""]).ended_with(2);
    assert!(ran.stderr.contains("it cannot hold"), "{}", ran.stderr);
}

#[test]
fn a_language_that_is_not_there_is_refused_with_those_that_are() {
    let home = Home::new();
    let ran = home.plusone(&["init", "mine", "--locale", "xx"]).ended_with(2);
    assert!(ran.stderr.contains("there are `en`, `de`"), "{}", ran.stderr);
    assert!(!home.path().join("mine").exists());
}
