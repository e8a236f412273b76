//! Laws over made-up templates: what check lets pass renders, needs are exact, and the syntax means what Handlebars says.

use super::fixtures::{catalogue, checked, checked_with, data, env, template};
use crate::messages::OfferTerms;
use crate::messages::context::{Record, Value};
use crate::messages::needs::Shape;
use crate::rules::Channel;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

/// Pieces that stand at the top of a template about a cart.
fn piece() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("Hi "),
        Just("{{default customer.first_name \"you\"}} "),
        Just("{{customer.first_name}} "),
        Just("{{cart.total}} "),
        Just("{{money cart.total}} "),
        Just("{{default (date cart.updated_at) \"soon\"}} "),
        Just("{{cart.customer.email}} "),
        Just("{{customer.phone}} "),
        Just("{{business.name}} {{date now format=\"long\"}} "),
        Just("{{customer.frist_name}} "),
        Just("{{cart.lines}} "),
        Just("{{#each (top cart.lines 1 by=\"price\")}}{{default product.name \"?\"}} {{/each}}"),
        Just("{{#each cart.lines as |line i|}}{{i}}{{#if line.quantity}}{{line.quantity}}{{/if}} {{/each}}"),
        Just("{{#with cart.customer}}{{id}}{{/with}} "),
    ];
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|body| format!("{{{{#if customer.first_name}}}}{body}{{{{else}}}}-{{{{/if}}}}")),
            inner.clone().prop_map(|body| format!("{{{{#if (and cart.total cart.updated_at)}}}}{body}{{{{/if}}}}")),
            inner
                .clone()
                .prop_map(|body| format!("{{{{#unless customer.gold}}}}{body}{{{{else}}}}{body}{{{{/unless}}}}")),
            (inner.clone(), inner).prop_map(|(first, second)| first + &second),
        ]
    })
}

/// `row` with nothing but what `shape` names.
fn only(row: &Value, shape: &Shape) -> Value {
    let Value::Record(record) = row else { return Value::Missing };
    let field = |name: &String| (name.clone(), record.get(name).cloned().unwrap_or_default());
    let fields = shape.fields.iter().map(field);
    let ones = shape.ones.iter().map(|(name, shape)| (name.clone(), only(&record[name], shape)));
    let lists = shape.lists.iter().map(|(name, list)| {
        let rows = match &record[name] {
            Value::List(rows) => rows.iter().map(|row| only(row, &list.rows)).collect(),
            _ => Vec::new(),
        };
        (name.clone(), Value::List(rows))
    });
    Value::Record(fields.chain(ones).chain(lists).collect())
}

proptest! {
    #[test]
    fn what_check_lets_pass_renders_and_reads_only_what_it_needs(source in piece()) {
        let template = template(&[("templates/t/sms.hbs", &source)]);
        let all = data();
        let whole = template.render(Channel::Sms, &env(), &all);
        if checked(&source).is_empty() && !matches!(whole, Err(crate::messages::RenderError::Empty(_))) {
            assert!(whole.is_ok(), "{source}: {whole:?}");
        }
        let needs = template.needs(&catalogue(), "cart", &[Channel::Sms]);
        let mut least: Record = all.clone();
        least.insert("customer".to_owned(), only(&all["customer"], &needs.customer));
        least.insert("cart".to_owned(), only(&all["cart"], &needs.row));
        assert_eq!(template.render(Channel::Sms, &env(), &least), whole, "{source}");
    }
}

#[test]
fn texts_alone_render_as_handlebars_renders_them() {
    let json = serde_json::json!({
        "customer": { "first_name": "Ana", "nick": "" },
        "cart": { "lines": [{ "id": "1", "product": { "name": "Beans" } }, { "id": "2", "product": { "name": "Filter" } }] },
    });
    for source in [
        "a {{customer.first_name}} b",
        "{{#if customer.nick}}x{{else if customer.first_name}}y{{else}}z{{/if}}",
        "{{#unless customer.nick}}x{{/unless}}",
        "{{#each cart.lines}}{{@index}}{{id}}{{#if @first}} first{{/if}}{{#unless @last}},{{/unless}}{{/each}}",
        "{{#each cart.lines as |l i|}}{{i}} {{l.product.name}} {{../customer.first_name}}|{{/each}}",
        "{{#each cart.lines}}{{#with product}}{{name}} {{../id}} {{@root.customer.first_name}}|{{/with}}{{/each}}",
        "a\n{{#if customer.first_name}}\n  b\n{{/if}}\nc",
        "a {{~customer.first_name~}} b",
        "{{! nothing }}x{{!-- {{nothing}} --}}y",
        "{{#each cart.lines}}{{this.product.name}}{{./id}}{{else}}none{{/each}}",
    ] {
        let theirs = handlebars::Handlebars::new().render_template(source, &json).expect("a template");
        let ours = super::fixtures::sms(source, &data());
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ours.map(|text| squeezed(&text)), Ok(squeezed(&theirs)), "{source}");
    }
}

#[test]
fn each_mistake_is_named_where_it_stands() {
    for (source, problem) in [
        (
            "{{cart.lines}}",
            "1:3: `cart.lines` is not something that can be printed (write `{{#each}}` around what is said of each row)",
        ),
        ("{{customer.gold}}", "1:3: `customer.gold` is not something that can be printed (use it in `{{#if}}`)"),
        (
            "{{first_name}}",
            "1:3: nothing is called `first_name` in a message of a rule about `cart` (did you mean `customer.first_name`?)",
        ),
        ("{{#each cart.line}}{{/each}}", "1:9: cart has no field `line` (did you mean `lines`?)"),
        (
            "{{#each cart.lines}}{{customer.id}}{{/each}}",
            "1:23: line has no field `customer` (inside `each`, `customer` of the message is `@root.customer`)",
        ),
        ("{{date cart.total}}", "1:8: `date` takes a date or a timestamp, and `cart.total` is a money"),
        (
            "{{date now format=\"lang\"}}",
            "1:20: no format is called `lang` (formats are short, medium, long, full, weekday)",
        ),
        ("{{plural customer.id other=\"x\"}}", "1:10: `plural` takes a number, and `customer.id` is a text"),
        ("{{#if (eq customer.id 3)}}x{{/if}}", "1:8: a text is never compared with a integer"),
        (
            "{{links.survey}}",
            "1:3: `links.survey` is not available yet (leave it out until this version serves the page that it leads to)",
        ),
        (
            "{{offer.value}}",
            "1:3: the rule has no offer, so `offer.value` never has a value (write `{{default offer.value \"…\"}}`, or put it inside `{{#if offer.value}}…{{/if}}`)",
        ),
        (
            "{{business.phone}}",
            "1:3: `business.phone` is not set in `[business]` of config/plusone.toml (write `{{default business.phone \"…\"}}`, or put it inside `{{#if business.phone}}…{{/if}}`)",
        ),
        (
            "{{#each (top cart.lines 5 by=\"prise\")}}{{/each}}",
            "1:31: line has no field `prise` (did you mean `price`?)",
        ),
    ] {
        assert_eq!(checked(source), [format!("templates/t/sms.hbs:{problem}")], "{source}");
    }
}

#[test]
fn an_offer_is_certain_where_no_message_leaves_without_it() {
    let terms = OfferTerms { always: true, code: true, expires: false };
    assert_eq!(checked_with("{{offer.value}} {{offer.code}}", Some(terms)), [""; 0]);
    assert_eq!(checked_with("{{date offer.expires_at}}", Some(terms)).len(), 1);
    let carried = OfferTerms { always: false, ..terms };
    assert_eq!(checked_with("{{offer.value}}", Some(carried)).len(), 1);
    assert_eq!(checked_with("{{#if offer}}{{offer.value}} {{offer.code}}{{/if}}", Some(carried)), [""; 0]);
}
