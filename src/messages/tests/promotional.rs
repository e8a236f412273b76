//! What a promotional letter may not be without.

use super::fixtures::{business, catalogue, compile};
use crate::messages::{OfferTerms, Use};
use crate::rules::Channel;
use crate::settings::Business;

const WHOLE: &str = "<p>{{business.name}}, {{business.postal_address}}</p>\
    <p><a href=\"{{links.unsubscribe}}\">Leave</a> <a href=\"{{links.why}}\">Why?</a></p>";

/// What `check` says of these files for a promotional rule whose messages all carry an offer.
fn told(files: &[(&str, &str)], business: &Business, always: bool) -> Vec<String> {
    let (templates, problems) = compile(files);
    assert_eq!(problems, [""; 0]);
    let catalogue = catalogue();
    let offer = Some(OfferTerms { always, code: true, expires: true });
    let channels = [Channel::Email];
    let wanted = Use {
        catalogue: &catalogue,
        root: "cart",
        channels: &channels,
        variants: false,
        offer,
        business,
        promotional: true,
    };
    templates.get("t").expect("a template").check(&wanted).iter().map(ToString::to_string).collect()
}

fn letter(source: &str) -> Vec<String> {
    let files = [("templates/t/subject.hbs", "A subject"), ("templates/t/email.html.hbs", source)];
    told(&files, &business(), true)
}

#[test]
fn a_letter_with_all_of_it_is_good() {
    assert_eq!(letter(WHOLE), [""; 0]);
    assert_eq!(letter(&WHOLE.replace("links.unsubscribe", "links.preferences")), [""; 0]);
    assert_eq!(letter(&format!("{{{{#if offer}}}}{WHOLE}{{{{/if}}}}")), [""; 0]);
    assert_eq!(letter(&format!("{{{{#if customer.gold}}}}Gold{WHOLE}{{{{else}}}}{WHOLE}{{{{/if}}}}")), [""; 0]);
}

#[test]
fn each_thing_that_is_missing_is_told_with_its_cure() {
    for (name, said) in [
        ("<a href=\"{{links.unsubscribe}}\">Leave</a>", "no way out"),
        ("<a href=\"{{links.why}}\">Why?</a>", "why did I get this?"),
        ("{{business.name}}", "who wrote it"),
        ("{{business.postal_address}}", "no postal address"),
    ] {
        let told = letter(&WHOLE.replace(name, ""));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("templates/t/email.html.hbs:1:"), "{told:?}");
        assert!(told[0].contains(said) && told[0].contains("add `"), "{told:?}");
    }
}

#[test]
fn what_some_readers_do_not_see_does_not_count() {
    for source in [
        format!("{{{{#if customer.first_name}}}}{WHOLE}{{{{/if}}}}"),
        format!("{{{{#unless offer}}}}{WHOLE}{{{{/unless}}}}"),
        format!("{{{{#each cart.lines}}}}{}{{{{/each}}}}", WHOLE.replace("{{", "{{@root.").replace("@root.#", "#")),
    ] {
        assert_eq!(letter(&source).len(), 4, "{source}");
    }
    // A letter that may go without its offer is looked at as it is with one and without.
    let files = [("templates/t/subject.hbs", "S"), ("templates/t/email.html.hbs", "{{#if offer}}x{{/if}}")];
    assert_eq!(told(&files, &business(), false).len(), 4);
}

#[test]
fn a_text_beside_the_html_and_every_locale_needs_it_too() {
    let files = [
        ("templates/t/subject.hbs", "A subject"),
        ("templates/t/email.html.hbs", WHOLE),
        ("templates/t/email.txt.hbs", "Hello"),
        ("templates/t/fr/email.html.hbs", "<p>Bonjour</p>"),
    ];
    let told = told(&files, &business(), true);
    assert_eq!(told.iter().filter(|told| told.starts_with("templates/t/email.txt.hbs")).count(), 4, "{told:?}");
    assert_eq!(told.iter().filter(|told| told.starts_with("templates/t/fr/email.html.hbs")).count(), 4, "{told:?}");
    assert_eq!(told.len(), 8, "{told:?}");
}

#[test]
fn without_a_postal_address_the_cure_is_in_the_settings() {
    let business = Business { postal_address: None, ..business() };
    let source = WHOLE
        .replace("{{business.postal_address}}", "{{#if business.postal_address}}{{business.postal_address}}{{/if}}");
    let told = told(&[("templates/t/subject.hbs", "S"), ("templates/t/email.html.hbs", &source)], &business, true);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("set `postal_address` in `[business]`"), "{told:?}");
}
