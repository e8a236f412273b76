//! Templates end to end: compile, check, needs, render.

mod fixtures;
mod formats;
mod hostile;
mod languages;
mod laws;
mod mail;
mod mjml;
mod promotional;

use crate::catalogue::Type;
use crate::messages::context::Value;
use crate::messages::needs::Order;
use crate::messages::{RenderError, Templates};
use crate::rules::Channel;
use fixtures::{catalogue, checked, data, env, problems_of, row, sms, template, text};

#[test]
fn a_message_is_rendered_with_the_customers_data() {
    let words = sms("Hello {{customer.first_name}}, your cart: {{cart.total}}.", &data());
    assert_eq!(words, Ok("Hello Ana, your cart: £1,234.50.".to_owned()));
}

#[test]
fn rows_of_lists_and_their_relations_are_read() {
    let source = "{{#each cart.lines}}{{quantity}} x {{product.name}}{{#unless @last}}, {{/unless}}{{/each}}";
    assert_eq!(sms(source, &data()), Ok("2 x Beans, 1 x Filter".to_owned()));
    let named = "{{#each cart.lines as |line i|}}{{i}}:{{line.product.name}} for {{../customer.first_name}} {{/each}}";
    assert_eq!(sms(named, &data()), Ok("0:Beans for Ana 1:Filter for Ana".to_owned()));
}

#[test]
fn needs_name_each_field_once_and_nothing_else() {
    let template = template(&[
        (
            "templates/t/sms.hbs",
            "{{customer.first_name}}{{#each (top cart.lines 5 by=\"quantity\")}}{{> line}}{{/each}}",
        ),
        ("templates/_partials/line.hbs", "{{product.name}} {{#if @first}}{{@root.cart.total}}{{/if}}"),
    ]);
    let needs = template.needs(&catalogue(), "cart", &[Channel::Sms]);
    assert_eq!(needs.customer.fields.iter().collect::<Vec<_>>(), ["first_name"]);
    assert_eq!(needs.row.fields.iter().collect::<Vec<_>>(), ["total"]);
    let lines = &needs.row.lists["lines"];
    assert_eq!(lines.orders.iter().collect::<Vec<_>>(), [&Order::Greatest("quantity".to_owned())]);
    assert_eq!(lines.rows.fields.iter().collect::<Vec<_>>(), ["quantity"]);
    assert_eq!(lines.rows.ones["product"].fields.iter().collect::<Vec<_>>(), ["name"]);
}

#[test]
fn a_missing_value_ends_the_message_with_its_name() {
    let mut data = data();
    data.insert("customer".to_owned(), row(&[("first_name", text(" "))]));
    let hello = "Hello {{customer.first_name}},";
    assert_eq!(sms(hello, &data), Err(RenderError::MissingValue("customer.first_name".to_owned())));
    assert_eq!(sms("Hello {{default customer.first_name \"there\"}}", &data), Ok("Hello there".to_owned()));
    assert_eq!(sms("{{#if customer.first_name}}Dear{{else}}Hi{{/if}}", &data), Ok("Hi".to_owned()));
}

#[test]
fn check_finds_what_may_be_missing_at_its_place() {
    let problems = checked("Hello {{customer.first_name}},\n{{cart.totl}}");
    assert_eq!(
        problems,
        [
            "templates/t/sms.hbs:1:9: `customer.first_name` may have no value: nobody may read a gap (write `{{default customer.first_name \"…\"}}`, or put it inside `{{#if customer.first_name}}…{{/if}}`)",
            "templates/t/sms.hbs:2:3: cart has no field `totl` (did you mean `total`?)",
        ]
    );
    assert_eq!(checked("Hello {{#if customer.first_name}}{{customer.first_name}}{{else}}there{{/if}}"), [""; 0]);
}

#[test]
fn one_broken_template_takes_only_itself_out() {
    let files = [("templates/a/sms.hbs", "{{#if x}}"), ("templates/b/sms.hbs", "fine")];
    let (templates, problems) = Templates::compile(&files.map(|(path, text)| (path.to_owned(), text.to_owned())), &[]);
    assert_eq!(templates.names().collect::<Vec<_>>(), ["b"]);
    assert_eq!(templates.broken().collect::<Vec<_>>(), ["a"]);
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems_of("{{#if x}}"),
        ["templates/t/sms.hbs:1:1: this block is never closed (close it with `{{/if}}`)"]
    );
}

#[test]
fn templates_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Templates::default());
}

#[test]
fn what_is_broken_keeps_its_last_good_version() {
    let (last, _) = fixtures::compile(&[("templates/t/sms.hbs", "good")]);
    let (mut templates, problems) = fixtures::compile(&[("templates/t/sms.hbs", "{{#if}}")]);
    assert_eq!(problems.len(), 1);
    templates.keep_last_good(&last);
    assert_eq!(templates.get("t"), last.get("t"));
}

#[test]
fn cells_keep_their_types() {
    assert_eq!(Value::from_integer(Type::Boolean, None), Value::Boolean(false));
    assert_eq!(Value::from_integer(Type::Money, None), Value::Missing);
    assert_eq!(env().currency, "GBP");
}
