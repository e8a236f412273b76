//! plusone's own records as entities: they need no declaration and read like any other customer data.

use super::{CUSTOMER, Entity, Field, Link, Place, Type};

/// What was sent, planned or decided not to be sent.
pub fn touchpoint() -> Entity {
    let text = ["customer_id", "rule", "kind", "topic", "channel", "state", "reason", "occurrence", "offer"];
    let times = ["sent_at", "created_at"];
    Entity { place: Place::BuiltIn, ..record("touchpoint", &text, &times) }
}

/// What customers did, as it was tracked, with the properties declared for any event.
pub fn event(properties: Vec<Field>) -> Entity {
    let mut event = record("event", &["customer_id", "name"], &["at"]);
    // Rules wait for events by their names.
    for field in event.fields.iter_mut().filter(|field| field.name == "name") {
        field.index = true;
    }
    event.fields.extend(properties);
    event
}

fn record(name: &str, text: &[&str], times: &[&str]) -> Entity {
    let mut entity = Entity::new(name, "id");
    entity.fields.extend(text.iter().map(|name| Field::new(name, Type::Text)));
    entity.fields.extend(times.iter().map(|name| Field::new(name, Type::Timestamp)));
    entity.belongs_to = vec![Link { entity: CUSTOMER.to_owned(), field: "customer_id".to_owned() }];
    entity
}
