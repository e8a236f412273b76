//! MJML: values and blocks find their places in what it becomes, and what it would leave out is refused.

use super::fixtures::{business, catalogue, data, email, row, template, text};
use crate::messages::{Templates, Use};
use crate::rules::Channel;

const SUBJECT: (&str, &str) = ("templates/t/subject.hbs", "A subject");
const LETTER: &str = r#"<mjml lang="en">
  <mj-head>
    <mj-title>Your cart</mj-title>
    <mj-preview>It is still here, {{customer.first_name}}</mj-preview>
    <mj-attributes><mj-all font-family="Georgia, serif" /></mj-attributes>
    <mj-style>.gold { color: #b8860b; }</mj-style>
  </mj-head>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text>Hello {{customer.first_name}}</mj-text>
        {{#if customer.gold}}<mj-text><p class="gold">Gold</p></mj-text>{{else}}<mj-text>Not yet gold</mj-text>{{/if}}
        <mj-table>{{#each cart.lines}}<tr><td>{{product.name}}</td></tr>{{/each}}</mj-table>
        <mj-button href="https://harbour.example/{{customer.first_name}}">To the cart</mj-button>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>"#;

fn faults(source: &str) -> Vec<String> {
    let files = [SUBJECT, ("templates/t/email.mjml.hbs", source)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let (_, problems) = Templates::compile(&files, &[]);
    problems
        .iter()
        .map(|problem| format!("{}: {}", &problem.source.text[problem.span.clone()], problem.message))
        .collect()
}

fn body(inner: &str) -> String {
    format!("<mjml><mj-body><mj-section><mj-column>{inner}</mj-column></mj-section></mj-body></mjml>")
}

#[test]
fn a_letter_in_mjml_is_html_with_its_values_and_styles_in_place() {
    let words = email(&[SUBJECT, ("templates/t/email.mjml.hbs", LETTER)], &data()).expect("a mail");
    let html = words.html.expect("HTML");
    for piece in [
        "<!doctype html>",
        "<html lang=\"en\"",
        "<title>Your cart</title>",
        "It is still here, Ana",
        "Hello Ana",
        "color: #b8860b",
        "Beans</td></tr><tr><td",
        "href=\"https://harbour.example/Ana\"",
        "Georgia, serif",
        "@media only screen",
    ] {
        assert!(html.to_lowercase().contains(&piece.to_lowercase()), "{piece}\n{html}");
    }
    for absent in ["plusone0", "<mj-", "Not yet gold", "fonts.googleapis", "{{"] {
        assert!(!html.contains(absent), "{absent}\n{html}");
    }
    let text = words.text.expect("a text");
    assert!(text.contains("Hello Ana") && text.contains("Beans"), "{text}");
}

#[test]
fn values_of_a_letter_in_mjml_are_escaped_and_checked_like_any_other() {
    let source = body("<mj-text>{{customer.first_nam}}</mj-text>");
    let template = template(&[SUBJECT, ("templates/t/email.mjml.hbs", &source)]);
    let (catalogue, business) = (catalogue(), business());
    let problems = template.check(&Use {
        catalogue: &catalogue,
        root: "cart",
        channels: &[Channel::Email],
        variants: false,
        offer: None,
        business: &business,
        promotional: false,
    });
    assert!(problems.iter().any(|problem| problem.message.contains("first_nam")), "{problems:?}");
    let mut data = data();
    data.insert("customer".to_owned(), row(&[("first_name", text("<script>alert(1)</script>"))]));
    let source = body("<mj-text>{{customer.first_name}}</mj-text>");
    let html = email(&[SUBJECT, ("templates/t/email.mjml.hbs", &source)], &data).expect("a mail").html.expect("HTML");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>alert"), "{html}");
}

#[test]
fn what_mjml_would_leave_out_is_refused_at_its_place() {
    for (source, told) in [
        (body("<mj-txt>a</mj-txt>"), "MJML knows no such element here"),
        ("<mjml><mj-head><mj-breakpoint wide=\"1\" /></mj-head><mj-body></mj-body></mjml>".to_owned(), "MJML knows no such attribute here"),
        (body("<mj-text>a</mj-text"), "this is not MJML"),
        (body("<mj-text>a"), "an element is not closed"),
        ("<p>Hello</p>".to_owned(), "there is no `<mjml>`"),
        (body("<mj-include path=\"other.mjml\" />"), "`mj-include` is not read"),
        (body("{{#if customer.gold}}<mj-text>a{{/if}}</mj-text>"), "MJML around half an element"),
        (body("<mj-social><mj-social-element name=\"facebook\" href=\"https://a.example/\">a</mj-social-element></mj-social>"), "a picture that would be fetched from somebody else"),
        (body(&format!("{}a{}", "<b>".repeat(80), "</b>".repeat(80))), "elements that stand too deep"),
        ("<mjml><mj-head><mj-style>p { color: {{customer.first_name}} }</mj-style></mj-head><mj-body></mj-body></mjml>".to_owned(), "a value in `<style>`"),
    ] {
        let found = faults(&source);
        assert!(found.iter().any(|found| found.contains(told)), "{source}\n{told}\n{found:?}");
    }
}

#[test]
fn a_mail_has_one_part_in_html() {
    let (html, mjml) = (("templates/t/email.html.hbs", "<p>a</p>"), ("templates/t/email.mjml.hbs", LETTER));
    let files = [SUBJECT, html, mjml].map(|(path, text)| (path.to_owned(), text.to_owned()));
    let (_, problems) = Templates::compile(&files, &[]);
    assert!(problems.iter().any(|problem| problem.message.contains("both are the HTML")), "{problems:?}");
}
