//! What the data have to ask about in a new rule, and values that its conditions hold for and do not.

use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Place, Type};
use crate::config::basic_string as quoted;
use crate::plan::audience::EVENT;
use crate::reference::{self, Entry};

/// A field with the condition that stands as its example, and a value for each outcome, as tests write them.
pub struct Asked<'a> {
    pub field: &'a Field,
    pub condition: String,
    pub holds: String,
    pub fails: String,
}

/// The rank of a text that may be anything.
const ANY_TEXT: u8 = 4;

/// The fields of `entity` that say something about its rows, the likeliest to be asked for first: not who they are, where
/// they belong, how to reach them or what they agreed to.
pub fn asked<'a>(catalogue: &'a Catalogue, entity: &'a Entity) -> Vec<Asked<'a>> {
    let says = |field: &&Field| !is_address(catalogue, entity, &field.name);
    let fields = entity.fields.iter().filter(says);
    let mut asked: Vec<Asked<'_>> = fields.filter_map(|field| Asked::about(entity, field)).collect();
    asked.sort_by_key(Asked::rank);
    // Text that may be anything is seldom asked for.
    let worth = asked.iter().take_while(|asked| asked.rank() < ANY_TEXT).count();
    asked.truncate(worth.max(1));
    asked
}

/// Every example of a condition there is on `entity`, without those that [`asked`] leaves out, and without what
/// plusone itself writes down.
pub fn conditions(catalogue: &Catalogue, entity: &Entity) -> Vec<String> {
    let entries = reference::fields(catalogue, Some(&entity.name)).unwrap_or_default();
    let says = |entry: &Entry| {
        let name = entry.name.rsplit('.').next().unwrap_or_default();
        let list = catalogue.many(&entity.name, name);
        let is_record = list.is_some_and(|(_, child)| child.place == Place::BuiltIn || child.name == EVENT);
        let is_parent = entity.belongs_to.iter().any(|link| link.entity == name);
        !is_record && !is_parent && !is_address(catalogue, entity, name)
    };
    entries.into_iter().filter(says).map(|entry| entry.example).collect()
}

/// How templates print what is known of `entity`, but for addresses and what was agreed to.
pub fn printed(catalogue: &Catalogue, entity: &Entity) -> Vec<String> {
    let mut hidden = consent_fields(catalogue);
    hidden.extend([&catalogue.roles.email, &catalogue.roles.phone].into_iter().flatten().map(String::as_str));
    let says = |entry: &Entry| !hidden.iter().any(|field| entry.name == format!("{CUSTOMER}.{field}"));
    let entries = reference::fields(catalogue, Some(&entity.name)).unwrap_or_default();
    entries.into_iter().filter(says).filter_map(|entry| entry.template).collect()
}

fn is_address(catalogue: &Catalogue, entity: &Entity, field: &str) -> bool {
    if field == entity.key || entity.belongs_to.iter().any(|link| link.field == field) {
        return true;
    }
    let roles = &catalogue.roles;
    let roles =
        [&roles.email, &roles.phone, &roles.name, &roles.locale, &roles.time_zone, &roles.country, &roles.region];
    let is_role = || roles.into_iter().flatten().any(|role| role == field);
    entity.name == CUSTOMER && (is_role() || consent_fields(catalogue).contains(&field))
}

fn consent_fields(catalogue: &Catalogue) -> Vec<&str> {
    let columns = catalogue.consent.iter();
    columns
        .flat_map(|topic| topic.channels.values().chain(&topic.at).chain(&topic.source))
        .map(String::as_str)
        .collect()
}

impl<'a> Asked<'a> {
    fn about(entity: &Entity, field: &'a Field) -> Option<Self> {
        let condition = reference::condition(field, &format!("{}.{}", entity.name, field.name));
        let (holds, fails) = match (field.ty, &field.one_of[..]) {
            (Type::Text, [holds, fails, ..]) => (quoted(holds), quoted(fails)),
            (Type::Text, [_]) => return None,
            (Type::Text, []) => (quoted("…"), quoted("another")),
            (Type::Integer | Type::Decimal(_) | Type::Money, _) => ("1000".to_owned(), "1".to_owned()),
            (Type::Boolean, _) => ("true".to_owned(), "false".to_owned()),
            (Type::Date, _) => (quoted("today-400d"), quoted("today-3d")),
            (Type::Timestamp, _) => (quoted("now-1d"), quoted("now-400d")),
        };
        Some(Self { field, condition, holds, fails })
    }

    /// The lower, the likelier that a rule asks for it.
    fn rank(&self) -> u8 {
        match self.field.ty {
            Type::Date | Type::Timestamp => 0,
            Type::Integer | Type::Decimal(_) | Type::Money => 1,
            Type::Boolean => 2,
            Type::Text if !self.field.one_of.is_empty() => 3,
            Type::Text => ANY_TEXT,
        }
    }
}
