//! Mail: locales, styles, and the text made from HTML.

use super::fixtures::{business, catalogue, data, email, env, template};
use crate::messages::{Env, Use};
use crate::rules::Channel;

const SUBJECT: (&str, &str) = ("templates/t/subject.hbs", "A subject");

#[test]
fn a_part_is_looked_for_in_the_customers_locale_then_its_language_then_the_folder() {
    let template = template(&[
        ("templates/t/sms.hbs", "default {{> bye}}"),
        ("templates/t/fr/sms.hbs", "fr {{> bye}}"),
        ("templates/t/fr-CA/voice.hbs", "fr-CA"),
        ("templates/t/voice.hbs", "default"),
        ("templates/_partials/bye.hbs", "bye"),
        ("templates/_partials/fr/bye.hbs", "salut"),
    ]);
    let say = |channel, locale| {
        let words = template.render(channel, &Env { locale, ..env() }, &data()).expect("words");
        (words.sms.or(words.voice).expect("one part"), words.locale)
    };
    assert_eq!(say(Channel::Sms, "fr-CA"), ("fr salut".to_owned(), "fr".to_owned()));
    assert_eq!(say(Channel::Voice, "fr-CA"), ("fr-CA".to_owned(), "fr-CA".to_owned()));
    assert_eq!(say(Channel::Voice, "fr"), ("default".to_owned(), "en-GB".to_owned()));
    assert_eq!(say(Channel::Sms, "de"), ("default bye".to_owned(), "en-GB".to_owned()));
}

#[test]
fn styles_are_put_in_place_once_around_values_and_blocks() {
    let source = "<html><head><style>td { color: red } .big { font-size: 20px }</style></head><body>\
        <p class=\"big\" title=\"{{customer.first_name}}\">Hello {{customer.first_name}}</p>\
        <table><tbody>{{#each cart.lines}}<tr><td>{{product.name}}</td></tr>{{else}}<tr><td>none</td></tr>{{/each}}</tbody></table>\
        {{#if customer.gold}}<p class=\"big\">Gold</p>{{/if}}<a href=\"{{#if customer.gold}}https://a.example/{{else}}https://b.example/{{/if}}\">go</a></body></html>";
    let template = template(&[SUBJECT, ("templates/t/email.html.hbs", source)]);
    assert!(template.parts.values().flat_map(|part| part.values()).all(|tree| !tree.styles_late));
    let words = template.render(Channel::Email, &env(), &data()).expect("a mail");
    let html = words.html.expect("HTML");
    for piece in [
        "<p class=\"big\" title=\"Ana\" style=\"font-size: 20px;\">Hello Ana</p>",
        "<tr><td style=\"color: red;\">Beans</td></tr><tr><td style=\"color: red;\">Filter</td></tr></tbody>",
        "<p class=\"big\" style=\"font-size: 20px;\">Gold</p>",
        "<a href=\"https://a.example/\">go</a>",
    ] {
        assert!(html.contains(piece), "{piece}\n{html}");
    }
    assert!(!html.contains("plusone0mark") && !html.contains("none"), "{html}");
}

#[test]
fn styles_that_hang_on_data_are_put_in_place_in_the_message() {
    let source = "<style>.gold { color: gold }</style><p class=\"{{#if customer.gold}}gold{{/if}}\">x</p>";
    let words = email(&[SUBJECT, ("templates/t/email.html.hbs", source)], &data()).expect("a mail");
    let html = words.html.expect("HTML");
    assert!(html.contains("<p class=\"gold\" style=\"color: gold;\">x</p>"), "{html}");
}

#[test]
fn rows_of_a_table_stay_in_one_body_whatever_a_parser_adds() {
    let source = "<style>td { color: red }</style><table>{{#each cart.lines}}<tr><td>{{product.name}}</td></tr>{{/each}}</table>";
    let words = email(&[SUBJECT, ("templates/t/email.html.hbs", source)], &data()).expect("a mail");
    let html = words.html.expect("HTML");
    assert_eq!((html.matches("<tbody>").count(), html.matches("</tbody>").count()), (1, 1), "{html}");
    assert_eq!(html.matches("<td style=\"color: red;\">").count(), 2, "{html}");
}

#[test]
fn the_text_is_made_from_the_html_with_readable_links() {
    let source = "<h1>Hello {{customer.first_name}}</h1><p>See <a href=\"https://shop.example/?a=1&amp;b=2\">the shop</a>.</p>\
        <ul>{{#each cart.lines}}<li>{{product.name}}</li>{{/each}}</ul>";
    let words = email(&[SUBJECT, ("templates/t/email.html.hbs", source)], &data()).expect("a mail");
    let text = words.text.expect("text");
    assert_eq!(text, "Hello Ana\n\nSee the shop (https://shop.example/?a=1&b=2).\n* Beans\n* Filter\n");
}

#[test]
fn a_text_may_stand_alone_and_channels_miss_their_parts() {
    let template = template(&[("templates/t/email.txt.hbs", "Tom & {{customer.first_name}}")]);
    let (catalogue, business) = (catalogue(), business());
    let channels = [Channel::Email, Channel::Sms];
    let wanted = Use {
        catalogue: &catalogue,
        root: "cart",
        channels: &channels,
        variants: false,
        offer: None,
        business: &business,
        promotional: false,
    };
    let problems: Vec<String> = template.check(&wanted).iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(
        problems,
        [
            "the template `t` has no `subject.hbs`, which email needs",
            "`customer.first_name` may have no value: nobody may read a gap",
            "the template `t` has no `sms.hbs`, which sms needs",
        ]
    );
    let words = email(&[SUBJECT, ("templates/t/email.txt.hbs", "Tom & {{customer.first_name}}")], &data());
    let words = words.expect("a mail");
    assert_eq!((words.html, words.text.as_deref()), (None, Some("Tom & Ana\n")));
}
