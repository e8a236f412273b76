//! What a path leads to, and what that makes the message need.

use super::{Kind, Spot, Walk};
use crate::catalogue::{CUSTOMER, Entity, Field, Type};
use crate::messages::library::Part;
use crate::messages::needs::{MAX_LIST_DEPTH, Order, Step};
use crate::messages::tree::Path;

/// What can be read of an offer.
pub const OFFER: [(&str, Type); 5] = [
    ("name", Type::Text),
    ("description", Type::Text),
    ("value", Type::Money),
    ("code", Type::Text),
    ("expires_at", Type::Timestamp),
];
/// The name of the rule's variant that the message is.
pub const VARIANT: &str = "variant";
/// What can be read of the business.
pub const BUSINESS: [&str; 5] = ["name", "postal_address", "phone", "email", "website"];
/// Pages that a link can lead to; each is there in every message.
pub const LINKS: [&str; 4] = ["unsubscribe", "preferences", "why", "confirm"];
/// Pages that a link can lead to once they are served.
const LATER: [&str; 1] = ["survey"];

impl<'a> Walk<'a, '_> {
    /// Types a path and notes what it reads.
    pub(super) fn path(&mut self, path: &'a Path) -> Kind<'a> {
        if let Some(row) = path.frame.checked_sub(1) {
            return match self.rows[row].clone() {
                Some(spot) => self.of_row(path, spot, 0),
                None => Kind::Unknown,
            };
        }
        match path.fields.first().map(String::as_str) {
            None => {
                self.fault(path.at, format!("`{}` names nothing here", path.text), None);
                Kind::Unknown
            }
            Some("now") => self.leaf(path, Type::Timestamp, true, 1),
            Some(VARIANT) => self.leaf(path, Type::Text, self.world.variants, 1),
            Some("offer") => self.offer(path),
            Some("business") => self.business(path),
            Some("links") => self.links(path),
            Some("topic") => self.topic(path),
            Some(name) if name == CUSTOMER || name == self.world.root => match self.world.catalogue.entity(name) {
                Some(entity) => {
                    let of_customer = name == CUSTOMER;
                    self.of_row(path, Spot { of_customer, steps: Vec::new(), entity, certain: true }, 1)
                }
                None => Kind::Unknown,
            },
            Some(name) => {
                self.unknown_name(path, name);
                Kind::Unknown
            }
        }
    }

    fn unknown_name(&mut self, path: &Path, name: &str) {
        let root = self.world.root;
        let message = format!("nothing is called `{name}` in a message of a rule about `{root}`");
        let of = [CUSTOMER, root].into_iter().find(|entity| {
            self.world.catalogue.entity(entity).is_some_and(|entity| entity.field(name).is_some())
                || self.world.catalogue.many(entity, name).is_some()
        });
        match of {
            Some(entity) => self.fault(path.at, message, Some(format!("did you mean `{entity}.{name}`?"))),
            None => self.unknown(
                path,
                message,
                name,
                vec![CUSTOMER, root, "offer", "business", "links", "topic", VARIANT, "now"],
            ),
        }
    }

    /// A single value with `used` fields named so far: nothing may follow.
    fn leaf(&mut self, path: &Path, ty: Type, certain: bool, used: usize) -> Kind<'a> {
        if let Some(further) = path.fields.get(used) {
            let message = format!("`{}`: a {} has no `{further}`", path.text, ty.name());
            self.fault(path.at, message, None);
            return Kind::Unknown;
        }
        Kind::Value { ty, certain: certain || self.is_told(path.frame, &path.fields) }
    }

    fn offer(&mut self, path: &Path) -> Kind<'a> {
        let terms = self.world.offer;
        let there = terms.is_some_and(|terms| terms.always) || self.is_told(0, &path.fields[..1]);
        let Some(name) = path.fields.get(1) else { return Kind::Record };
        let Some((name, ty)) = OFFER.into_iter().find(|(known, _)| known == name) else {
            let message = format!("an offer has no `{name}`");
            self.unknown(path, message, name, OFFER.iter().map(|(known, _)| *known).collect());
            return Kind::Unknown;
        };
        let has = match name {
            "code" => terms.is_some_and(|terms| terms.code),
            "expires_at" => terms.is_some_and(|terms| terms.expires),
            _ => true,
        };
        self.leaf(path, ty, there && has, 2)
    }

    fn business(&mut self, path: &Path) -> Kind<'a> {
        let Some(name) = path.fields.get(1) else { return Kind::Record };
        if !BUSINESS.contains(&name.as_str()) {
            let message = format!("templates know no `{name}` of the business");
            self.unknown(path, message, name, BUSINESS.to_vec());
            return Kind::Unknown;
        }
        let certain = self.world.business.is_none_or(|business| match name.as_str() {
            "postal_address" => business.postal_address.is_some(),
            "phone" => business.phone.is_some(),
            "email" => business.email.is_some(),
            "website" => business.website.is_some(),
            _ => true,
        });
        self.leaf(path, Type::Text, certain, 2)
    }

    /// What the message's topic is called.
    fn topic(&mut self, path: &Path) -> Kind<'a> {
        match path.fields.get(1).map(String::as_str) {
            None => return Kind::Record,
            Some("name") => return self.leaf(path, Type::Text, true, 2),
            Some(name) => self.unknown(path, format!("a topic has no `{name}`"), name, vec!["name"]),
        }
        Kind::Unknown
    }

    fn links(&mut self, path: &Path) -> Kind<'a> {
        match path.fields.get(1).map(String::as_str) {
            None => return Kind::Record,
            Some(name) if LINKS.contains(&name) => return self.leaf(path, Type::Text, true, 2),
            Some(name) if LATER.contains(&name) => {
                let help = "leave it out until this version serves the page that it leads to".to_owned();
                self.fault(path.at, format!("`{}` is not available yet", path.text), Some(help));
            }
            Some(name) => self.unknown(path, format!("no link is called `{name}`"), name, LINKS.to_vec()),
        }
        Kind::Unknown
    }

    /// What follows a row, from the `used`-th field on.
    fn of_row(&mut self, path: &'a Path, mut spot: Spot<'a>, used: usize) -> Kind<'a> {
        let Some(name) = path.fields.get(used) else {
            let key = spot.entity.key.clone();
            self.needs.shape(spot.of_customer, &spot.steps).fields.insert(key);
            return Kind::Row;
        };
        if let Some(field) = spot.entity.field(name) {
            self.needs.shape(spot.of_customer, &spot.steps).fields.insert(name.clone());
            let certain = spot.certain && self.is_certain(&spot, field);
            return self.leaf(path, field.ty, certain, used + 1);
        }
        let catalogue = self.world.catalogue;
        if let Some((link, entity)) = catalogue.one(&spot.entity.name, name) {
            let required = spot.entity.field(&link.field).is_some_and(|field| field.required);
            spot.certain = spot.certain && required || self.is_told(path.frame, &path.fields[..=used]);
            spot.entity = entity;
            spot.steps.push(Step::One(name.clone()));
            return self.of_row(path, spot, used + 1);
        }
        if let Some((_, entity)) = catalogue.many(&spot.entity.name, name) {
            return self.of_list(path, spot, entity, used);
        }
        self.unknown_field(path, spot.entity, name);
        Kind::Unknown
    }

    fn of_list(&mut self, path: &'a Path, mut spot: Spot<'a>, entity: &'a Entity, used: usize) -> Kind<'a> {
        let name = &path.fields[used];
        if let Some(further) = path.fields.get(used + 1) {
            let help = format!("write `{{{{#each {name}}}}}` and name `{further}` within it");
            self.fault(path.at, format!("`{name}` is a list: it has no `{further}`"), Some(help));
            return Kind::Unknown;
        }
        let lists = spot.steps.iter().filter(|step| matches!(step, Step::List(_))).count();
        if lists == MAX_LIST_DEPTH {
            let message = format!("lists within lists deeper than {MAX_LIST_DEPTH}");
            self.fault(path.at, message, None);
            return Kind::Unknown;
        }
        self.needs.list(spot.of_customer, &spot.steps, name);
        spot.steps.push(Step::List(name.clone()));
        Kind::List(Spot { entity, certain: true, ..spot })
    }

    /// Notes in which order the rows of a list are wanted.
    pub(super) fn want(&mut self, spot: &Spot<'_>, order: Order) {
        if let Some((Step::List(name), before)) = spot.steps.split_last() {
            self.needs.list(spot.of_customer, before, name).orders.insert(order);
        }
    }

    /// Whether every row has the field: the key, a required one, or the address that the message goes to.
    fn is_certain(&self, spot: &Spot<'_>, field: &Field) -> bool {
        let roles = &self.world.catalogue.roles;
        let address = match self.part {
            Part::Subject | Part::Html | Part::Text => &roles.email,
            Part::Sms | Part::Voice => &roles.phone,
        };
        field.required
            || field.ty == Type::Boolean
            || field.name == spot.entity.key
            || spot.entity.name == CUSTOMER && address.as_deref() == Some(&field.name)
    }

    fn unknown_field(&mut self, path: &Path, entity: &Entity, name: &str) {
        if entity.computed(name).is_some() {
            let help = "conditions can read it; in a template, name the fields it is made of".to_owned();
            return self.fault(path.at, format!("`{name}` is a computed field"), Some(help));
        }
        let message = format!("{} has no field `{name}`", entity.name);
        let outside = path.frame > 0
            && [CUSTOMER, self.world.root, "offer", "business", "links", "topic", VARIANT, "now"].contains(&name);
        if outside {
            let help = format!("inside `each`, `{name}` of the message is `@root.{name}`");
            return self.fault(path.at, message, Some(help));
        }
        if let Some(help) = self.world.catalogue.missing_link(&entity.name, name) {
            return self.fault(path.at, message, Some(help));
        }
        let fields = entity.fields.iter().map(|field| field.name.as_str());
        let ones = entity.belongs_to.iter().map(|link| link.entity.as_str());
        let lists = self.world.catalogue.lists(&entity.name);
        let known: Vec<&str> = fields.chain(ones).chain(lists).collect();
        self.unknown(path, message, name, known);
    }
}
