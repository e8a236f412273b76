//! Partials that several languages print.

use super::fixtures::{business, compile};

/// What is said of a template in English and French that prints a partial, with more files.
fn told(partial: &str, more: &[(&str, &str)]) -> Vec<String> {
    let template = [
        ("templates/t/email.html.hbs", "<p>Hello</p>{{> end lang=\"en\"}}"),
        ("templates/t/fr/email.html.hbs", "<p>Bonjour</p>{{> end lang=\"fr\"}}"),
        ("templates/_partials/end.hbs", partial),
    ];
    warnings(&[&template, more].concat())
}

fn warnings(files: &[(&str, &str)]) -> Vec<String> {
    let (templates, problems) = compile(files);
    assert_eq!(problems, [""; 0]);
    templates.check_languages(&business()).iter().map(ToString::to_string).collect()
}

const UNSUBSCRIBE: &str = "<a href=\"{{links.unsubscribe}}\">Unsubscribe</a>";

#[test]
fn words_in_another_language_are_told_with_the_file_that_cures_them() {
    let told_of_end = "templates/_partials/end.hbs:1:1: the words of the partial `end` are `en`, and messages in `fr` \
                       print them (write them in that language, too: `templates/_partials/fr/end.hbs`)";
    assert_eq!(told(UNSUBSCRIBE, &[]), [told_of_end]);
    let cure = [("templates/_partials/fr/end.hbs", "<a href=\"{{links.unsubscribe}}\">Se désabonner</a>")];
    assert_eq!(told(UNSUBSCRIBE, &cure), [""; 0]);
}

#[test]
fn a_template_has_its_own_partials() {
    let own = ("templates/t/_partials/end.hbs", "Goodbye");
    let said = told(UNSUBSCRIBE, &[own]);
    assert!(said[0].contains("`templates/t/_partials/fr/end.hbs`") && said.len() == 1, "{said:?}");
    assert_eq!(told(UNSUBSCRIBE, &[own, ("templates/t/_partials/fr/end.hbs", "Au revoir")]), [""; 0]);
}

#[test]
fn what_is_the_same_in_every_language_is_no_word() {
    for partial in [
        "<style>p { color: red; }</style><p>{{business.name}} · {{number 5}}</p>",
        "<mj-style>p { color: red; }</mj-style>&nbsp;&copy; 2026 www.harbour.example",
        "<p>Harbour Coffee Club, {{! printed as it is }} 1 Quay Street</p>",
        "{{#if (eq lang \"fr\")}}Au revoir{{else}}Goodbye{{/if}}",
        "{{lang}}",
    ] {
        assert_eq!(told(partial, &[]), [""; 0], "{partial}");
    }
}

#[test]
fn one_language_may_have_words_in_common() {
    let printed = |locale: &str| {
        let path = format!("templates/t/{locale}sms.hbs");
        warnings(&[(&path, "Hi. {{> end}}"), ("templates/_partials/end.hbs", "Goodbye")])
    };
    for locale in ["", "en-US/", "de/"] {
        assert_eq!(printed(locale), [""; 0], "{locale}");
    }
    let regions = [
        ("templates/t/sms.hbs", "Hello. {{> end}}"),
        ("templates/t/en-US/sms.hbs", "Hi. {{> end}}"),
        ("templates/_partials/end.hbs", "Goodbye"),
    ];
    assert_eq!(warnings(&regions), [""; 0]);
}
