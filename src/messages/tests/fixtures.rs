//! A coffee club: its catalogue, one customer's data, and short ways to render and check a text.

use crate::amount::Amount;
use crate::catalogue::{Catalogue, Entity, Field, Link, Type};
use crate::messages::context::{Record, Value};
use crate::messages::{Env, OfferTerms, RenderError, Template, Templates, Use, Words};
use crate::rules::Channel;
use crate::settings::Business;
use crate::time::{Date, Timestamp, Tz};

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn row(fields: &[(&str, Value)]) -> Value {
    Value::Record(record(fields))
}

pub fn record(fields: &[(&str, Value)]) -> Record {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn entity(name: &str, fields: &[(&str, Type)], belongs_to: &[&str]) -> Entity {
    let mut entity = Entity::new(name, "id");
    entity.fields.extend(fields.iter().map(|(name, ty)| Field::new(name, *ty)));
    for parent in belongs_to {
        let field = format!("{parent}_id");
        entity.fields.push(Field { required: *parent == "customer", ..Field::new(&field, Type::Text) });
        entity.belongs_to.push(Link { entity: (*parent).to_owned(), field });
    }
    entity
}

pub fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    let customer = [
        ("email", Type::Text),
        ("phone", Type::Text),
        ("first_name", Type::Text),
        ("points", Type::Integer),
        ("gold", Type::Boolean),
        ("birthday", Type::Date),
        ("rating", Type::Decimal(2)),
        ("homepage", Type::Text),
    ];
    let mut line = entity("line", &[("quantity", Type::Integer), ("price", Type::Money)], &["cart", "product"]);
    line.plural = "lines".to_owned();
    let mut delivery = entity("delivery", &[("status", Type::Text), ("expected_at", Type::Timestamp)], &["customer"]);
    delivery.plural = "deliveries".to_owned();
    for entity in [
        entity("customer", &customer, &[]),
        entity("cart", &[("total", Type::Money), ("updated_at", Type::Timestamp)], &["customer"]),
        entity("product", &[("name", Type::Text), ("url", Type::Text)], &[]),
        line,
        delivery,
    ] {
        catalogue.entities.insert(entity.name.clone(), entity);
    }
    catalogue.roles.email = Some("email".to_owned());
    catalogue.roles.phone = Some("phone".to_owned());
    catalogue
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

/// Everything that a message about a cart could read.
pub fn data() -> Record {
    let product = |name: &str, url: &str| row(&[("id", text(name)), ("name", text(name)), ("url", text(url))]);
    let line = |id: &str, quantity: i64, price: i64, product: Value| {
        let price = Value::Money(Amount::money(price));
        row(&[("id", text(id)), ("quantity", Value::Integer(quantity)), ("price", price), ("product", product)])
    };
    let lines = vec![
        line("1", 2, 45_000, product("Beans", "https://shop.example/beans?a=1&b=2")),
        line("2", 1, 30_000, product("Filter", "https://shop.example/filter")),
    ];
    let customer = row(&[
        ("id", text("c1")),
        ("email", text("ana@example.com")),
        ("phone", text("+447700900123")),
        ("first_name", text("Ana")),
        ("points", Value::Integer(12_345)),
        ("gold", Value::Boolean(true)),
        ("birthday", Value::Date(date("1990-02-28"))),
        ("rating", Value::Decimal(Amount { units: 450, scale: 2 })),
        ("homepage", text("https://ana.example/")),
        ("deliveries", Value::List(vec![row(&[("id", text("d1")), ("status", text("late"))])])),
    ]);
    let cart = row(&[
        ("id", text("k1")),
        ("total", Value::Money(Amount::money(12_345_000))),
        ("updated_at", Value::Timestamp(at("2026-03-03T09:05:00Z"))),
        ("customer", customer.clone()),
        ("lines", Value::List(lines)),
    ]);
    let offer = row(&[
        ("name", text("cookie")),
        ("description", text("A cookie")),
        ("value", Value::Money(Amount::money(25_000))),
        ("code", text("COOKIE-1")),
        ("expires_at", Value::Timestamp(at("2026-04-02T09:05:00Z"))),
    ]);
    record(&[
        ("customer", customer),
        ("cart", cart),
        ("offer", offer),
        ("business", crate::messages::context::business(&business())),
        ("now", Value::Timestamp(at("2026-07-01T11:00:00Z"))),
    ])
}

pub fn business() -> Business {
    Business {
        name: "Harbour Coffee Club".to_owned(),
        postal_address: Some("1 Quay Street".to_owned()),
        phone: None,
        email: None,
        website: Some("https://harbour.example".to_owned()),
        logo: None,
        colour: None,
        time_zone: Tz::Europe__London,
        locale: "en-GB".to_owned(),
        country: "GB".to_owned(),
        currency: "GBP".to_owned(),
    }
}

pub fn env() -> Env<'static> {
    Env { locale: "en-GB", zone: Tz::Europe__London, business_locale: "en-GB", currency: "GBP" }
}

pub fn compile(files: &[(&str, &str)]) -> (Templates, Vec<String>) {
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let (templates, problems) = Templates::compile(&files, &[]);
    (templates, problems.iter().map(ToString::to_string).collect())
}

/// The template `t` of `files`, which must be without fault.
pub fn template(files: &[(&str, &str)]) -> Template {
    let (templates, problems) = compile(files);
    assert_eq!(problems, [""; 0]);
    templates.get("t").expect("a template `t`").clone()
}

/// The problems of an SMS part.
pub fn problems_of(source: &str) -> Vec<String> {
    compile(&[("templates/t/sms.hbs", source)]).1
}

pub fn sms(source: &str, data: &Record) -> Result<String, RenderError> {
    sms_for(source, data, &env())
}

pub fn sms_for(source: &str, data: &Record, env: &Env<'_>) -> Result<String, RenderError> {
    let words = template(&[("templates/t/sms.hbs", source)]).render(Channel::Sms, env, data)?;
    Ok(words.sms.expect("an SMS has its text"))
}

pub fn email(files: &[(&str, &str)], data: &Record) -> Result<Words, RenderError> {
    template(files).render(Channel::Email, &env(), data)
}

pub fn html(source: &str, data: &Record) -> Result<String, RenderError> {
    let files = [("templates/t/subject.hbs", "A subject"), ("templates/t/email.html.hbs", source)];
    Ok(email(&files, data)?.html.expect("a mail has its HTML"))
}

/// What `check` says of an SMS about a cart, without an offer.
pub fn checked(source: &str) -> Vec<String> {
    checked_with(source, None)
}

pub fn checked_with(source: &str, offer: Option<OfferTerms>) -> Vec<String> {
    let (catalogue, business) = (catalogue(), business());
    let wanted = Use {
        catalogue: &catalogue,
        root: "cart",
        channels: &[Channel::Sms],
        variants: false,
        offer,
        business: &business,
        promotional: false,
    };
    let template = template(&[("templates/t/sms.hbs", source)]);
    template.check(&wanted).iter().map(ToString::to_string).collect()
}
