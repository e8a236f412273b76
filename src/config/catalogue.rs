//! From the tree of `data.toml` to the [`Catalogue`]. How entities hang together is checked in [`super::relations`].

use super::files::Files;
use super::forms;
use super::keys;
use super::node::{Entry, Node};
use super::reader::Reader;
use super::relations;
use super::settings::known_names;
use crate::amount::{SCALE, Style};
use crate::catalogue::{
    Absent, CUSTOMER, Catalogue, Computed, ConsentColumns, DatabaseSource, Entity, Field, Link, Place, Roles, Type,
    builtin,
};
use crate::courtesy::consent::Answer;
use crate::problem::{Problem, nearest};
use crate::rules::Channel;
use crate::settings::{Secret, Settings};
use chrono::format::{Item, StrftimeItems};
use std::collections::BTreeMap;

/// Names that conditions and templates use for something else.
const RESERVED: &[&str] = &[
    "now",
    "touchpoint",
    "event",
    "reply",
    "answer",
    "redemption",
    "note",
    "offer",
    "business",
    "links",
    "topic",
    "variant",
];

/// Words that the expression language keeps for itself.
const CEL_KEYWORDS: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Reads a checked tree. `None` where there is no customer, which was reported already.
pub fn read(tree: &Node, settings: Option<&Settings>, files: &Files, problems: &mut Vec<Problem>) -> Option<Catalogue> {
    let root = Reader::new(tree, &keys::data::DATA);
    let mut entities = BTreeMap::new();
    let customer = root.table("customer")?;
    entities.insert(CUSTOMER.to_owned(), entity(CUSTOMER, customer, problems));
    for entry in root.named() {
        check_entity_name(entry, problems);
        let section = Reader::new(&entry.node, &keys::data::ENTITY);
        entities.insert(entry.key.clone(), entity(&entry.key, section, problems));
    }
    let events = root.table("event")?;
    let declared = event_fields(events, problems);
    let events = events.named().map(|event| event.key.clone()).collect();
    entities.insert("event".to_owned(), builtin::event(declared));
    entities.insert("touchpoint".to_owned(), builtin::touchpoint());
    let roles = roles(customer, &entities[CUSTOMER], problems);
    let consent = consent(customer, &entities[CUSTOMER], settings, problems);
    let catalogue = Catalogue { entities, roles, consent, events };
    relations::check(&catalogue, tree, problems);
    warn_missing_sources(tree, files, problems);
    Some(catalogue)
}

/// A file that is not there yet is no error: another program may write it later.
fn warn_missing_sources(tree: &Node, files: &Files, problems: &mut Vec<Problem>) {
    for entry in tree.entries() {
        let Some(node) = entry.node.get("source") else { continue };
        if let Some(path) = node.text().filter(|path| !path.trim().is_empty() && !files.is_there(path)) {
            let problem = node.warning(format!("there is no file `{path}` yet"));
            problems.push(problem.help("paths begin at the home folder; it is read as soon as it is there"));
        }
    }
}

fn check_entity_name(entry: &Entry, problems: &mut Vec<Problem>) {
    if RESERVED.contains(&entry.key.as_str()) || CEL_KEYWORDS.contains(&entry.key.as_str()) {
        let help = format!("choose another, such as `{}_record`", entry.key);
        problems.push(entry.key_error(format!("`{}` is a reserved name", entry.key)).help(help));
    }
}

fn entity(name: &str, section: Reader<'_>, problems: &mut Vec<Problem>) -> Entity {
    let mut fields = fields(section, problems);
    let key = section.text("key").unwrap_or_else(|| "id".to_owned());
    if let Some(node) = section.get("key") {
        check_key(node, &key, &fields, problems);
    }
    let belongs_to = links(section, &fields, problems);
    let computed = computed(section, &fields, problems);
    // An entity has its key's field even where that is told as missing: all after this may rely on it.
    if !fields.iter().any(|field| field.name == key) {
        fields.push(Field::new(&key, Type::Text));
    }
    let place = section.text("table").map_or(Place::Own, Place::InPlace);
    check_place(section, &place, problems);
    Entity {
        plural: section.text("plural").unwrap_or_else(|| format!("{name}s")),
        key,
        belongs_to,
        computed,
        fields,
        place,
        source: section.text("source"),
        database: database(section, problems),
        absent: section.text("absent").map(|word| if word == "keep" { Absent::Keep } else { Absent::Remove }),
        numbers: numbers(section, problems),
        time_zone: section.get("time_zone").and_then(|node| forms::zone(node).ok()),
        relative_dates: section.boolean("relative_dates").unwrap_or(false),
        ..Entity::new(name, "")
    }
}

/// How the files of an entity write numbers.
fn numbers(section: Reader<'_>, problems: &mut Vec<Problem>) -> Style {
    let sign = |name: &str| section.text(name).and_then(|sign| sign.chars().next());
    let style = Style { decimal: sign("decimal").unwrap_or('.'), thousands: sign("thousands") };
    if let (Some(node), true) = (section.get("thousands"), style.thousands == Some(style.decimal)) {
        let other = if style.decimal == '.' { ',' } else { '.' };
        let message = format!("`{}` is the decimal sign of this file already", style.decimal);
        problems.push(node.error(message).help(format!("write `decimal = \"{other}\"`, or leave out `thousands`")));
    }
    style
}

/// `source` where it is a table: a query to another database.
fn database(section: Reader<'_>, problems: &mut Vec<Problem>) -> Option<DatabaseSource> {
    let source = section.table("source")?;
    let known = |url: &str| {
        ["sqlite://", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    };
    if let Some(node) = source.get("database").filter(|node| node.text().is_some_and(|url| !known(url))) {
        let help = "write `postgres://user:${SHOP_PASSWORD}@host/name` or `sqlite://path`";
        problems.push(node.error("this is not the address of a database that plusone can read").help(help));
    }
    if let Some(node) = source.get("query").filter(|node| node.text().is_some_and(|query| !is_select(query))) {
        let help = "write one `select`: whatever gives rows can stand in a `with` or a sub-select";
        problems.push(node.error("this is not a query that gives rows").help(help));
    }
    if let (Some(node), Some(_)) = (section.get("absent"), source.get("since"))
        && node.text() == Some("remove")
    {
        let help = "leave out one of the two: what `since` reads cannot say which rows are gone";
        problems.push(node.error("`absent = \"remove\"` cannot stand beside `since`").help(help));
    }
    Some(DatabaseSource {
        url: Secret::new(source.text("database")?),
        query: source.text("query")?,
        every: source.span("every")?,
        since: source.text("since"),
    })
}

fn is_select(query: &str) -> bool {
    let query = query.trim_start_matches(|sign: char| sign.is_whitespace() || sign == '(');
    let first: String = query.chars().take_while(char::is_ascii_alphabetic).collect();
    ["select", "with", "values", "table"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

fn check_key(node: &Node, key: &str, fields: &[Field], problems: &mut Vec<Problem>) {
    match fields.iter().find(|field| field.name == key) {
        Some(Field { ty: Type::Text, .. }) => {}
        Some(Field { ty, .. }) => {
            let message = format!("the key `{key}` is of type {}", ty.name());
            problems.push(node.error(message).help(format!("a key is text, whatever its digits: `{key} = \"text\"`")));
        }
        None => problems.push(unknown_field(node, key, fields)),
    }
}

fn unknown_field(node: &Node, name: &str, fields: &[Field]) -> Problem {
    let problem = node.error(format!("there is no field `{name}`"));
    match nearest(name, fields.iter().map(|field| field.name.as_str())) {
        Some(near) => problem.help(format!("the nearest field is `{near}`")),
        None => problem.help(format!("declare it among the fields: `{name} = \"text\"`")),
    }
}

fn check_place(section: Reader<'_>, place: &Place, problems: &mut Vec<Problem>) {
    if let (Place::InPlace(table), Some(node)) = (place, section.get("table")) {
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$')
        };
        if table.split('.').count() > 2 || !table.split('.').all(plain) {
            let help = "write `schema.table` or `table`";
            problems.push(node.error(format!("`{table}` is not the name of a table")).help(help));
        }
        for key in ["source", "absent"] {
            if let Some(node) = section.get(key) {
                let help = "what is read in place is never written: leave out one of the two";
                problems.push(node.error(format!("`{key}` cannot stand beside `table`")).help(help));
            }
        }
    }
    if let (Some(node), None, Place::Own) = (section.get("absent"), section.get("source"), place)
        && node.text() == Some("remove")
    {
        let help = "name the `source`, or leave `absent` out: `import` keeps rows";
        problems.push(node.error("`absent = \"remove\"` needs a `source`").help(help));
    }
}

fn fields(section: Reader<'_>, problems: &mut Vec<Problem>) -> Vec<Field> {
    let Some(table) = section.table("fields") else { return Vec::new() };
    let mut fields: Vec<Field> = Vec::new();
    for entry in table.named() {
        check_field_name(entry, problems);
        let field = field(entry, problems);
        if let Some(other) = fields.iter().find(|other| other.heading() == field.heading()) {
            let message = format!("`{}` and `{}` read the same column `{}`", other.name, field.name, field.heading());
            problems.push(entry.key_error(message));
        }
        fields.push(field);
    }
    fields
}

fn check_field_name(entry: &Entry, problems: &mut Vec<Problem>) {
    if CEL_KEYWORDS.contains(&entry.key.as_str()) {
        let message = format!("`{}` is a word of the expression language", entry.key);
        let help = format!("choose another name and say `column = \"{}\"`", entry.key);
        problems.push(entry.key_error(message).help(help));
    }
}

fn field(entry: &Entry, problems: &mut Vec<Problem>) -> Field {
    if let Some(name) = entry.node.text() {
        return Field::new(&entry.key, type_named(name, None));
    }
    let table = Reader::new(&entry.node, &keys::data::FIELD);
    let ty = type_named(&table.text("type").unwrap_or_default(), table.integer("scale"));
    let only = |key: &str, fitting: bool, problems: &mut Vec<Problem>| {
        if let (Some(node), false) = (table.get(key), fitting) {
            problems.push(node.error(format!("`{key}` means nothing for a field of type {}", ty.name())));
        }
    };
    only("format", matches!(ty, Type::Date | Type::Timestamp), problems);
    only("one_of", ty == Type::Text, problems);
    only("scale", matches!(ty, Type::Decimal(_)), problems);
    only("yes", ty == Type::Boolean, problems);
    only("no", ty == Type::Boolean, problems);
    if let Some(node) = table.get("format") {
        check_format(node, problems);
    }
    if let Some(node) = table.get("one_of").filter(|node| node.list().is_empty()) {
        problems.push(node.error("no value would be allowed").help("name the values, or leave `one_of` out"));
    }
    let words = |key: &str| -> Vec<String> { table.texts(key).into_iter().map(|(_, word)| word.to_owned()).collect() };
    let (yes, no) = (words("yes"), words("no"));
    if let Some(word) = yes.iter().find(|word| no.iter().any(|other| other.eq_ignore_ascii_case(word))) {
        problems.push(entry.node.error(format!("`{word}` is said to mean both yes and no")));
    }
    Field {
        column: table.text("column"),
        format: table.text("format"),
        one_of: words("one_of"),
        yes,
        no,
        required: table.boolean("required").unwrap_or(false),
        index: table.boolean("index").unwrap_or(false),
        ..Field::new(&entry.key, ty)
    }
}

fn check_format(node: &Node, problems: &mut Vec<Problem>) {
    let text = node.text().unwrap_or_default();
    if !text.contains('%') || StrftimeItems::new(text).any(|item| item == Item::Error) {
        let help = "write it as `strftime` has it: `%d.%m.%Y` for 24.12.2026";
        problems.push(node.error(format!("`{text}` is not a format of dates or times")).help(help));
    }
}

/// The type of that name; text for an unknown one, which was reported.
fn type_named(name: &str, scale: Option<u8>) -> Type {
    match name {
        "integer" => Type::Integer,
        "decimal" => Type::Decimal(scale.unwrap_or(SCALE)),
        "money" => Type::Money,
        "boolean" => Type::Boolean,
        "date" => Type::Date,
        "timestamp" => Type::Timestamp,
        _ => Type::Text,
    }
}

fn links(section: Reader<'_>, fields: &[Field], problems: &mut Vec<Problem>) -> Vec<Link> {
    let Some(table) = section.table("belongs_to") else { return Vec::new() };
    let mut links = Vec::new();
    for entry in table.named() {
        let Some(field) = entry.node.text() else { continue };
        match fields.iter().find(|known| known.name == field) {
            None => problems.push(unknown_field(&entry.node, field, fields)),
            Some(known) => {
                if known.ty != Type::Text {
                    let message = format!("`{field}` is of type {} and cannot hold a key", known.ty.name());
                    problems.push(entry.node.error(message).help(format!("a key is text: `{field} = \"text\"`")));
                }
                links.push(Link { entity: entry.key.clone(), field: field.to_owned() });
            }
        }
    }
    links
}

fn computed(section: Reader<'_>, fields: &[Field], problems: &mut Vec<Problem>) -> Vec<Computed> {
    let Some(table) = section.table("computed") else { return Vec::new() };
    let mut computed = Vec::new();
    for entry in table.named() {
        check_field_name(entry, problems);
        if fields.iter().any(|field| field.name == entry.key) {
            problems.push(entry.key_error(format!("`{}` is a field already", entry.key)).help("choose another name"));
        }
        if let Some(text) = entry.node.text() {
            computed.push(Computed { name: entry.key.clone(), text: text.to_owned() });
        }
    }
    computed
}

fn event_fields(section: Reader<'_>, problems: &mut Vec<Problem>) -> Vec<Field> {
    let mut merged = builtin::event(Vec::new()).fields;
    let own = merged.len();
    for event in section.named() {
        for entry in Reader::new(&event.node, &keys::data::EVENT).table("fields").iter().flat_map(|table| table.named())
        {
            check_field_name(entry, problems);
            let field = field(entry, problems);
            match merged.iter().position(|known| known.name == field.name) {
                None => merged.push(field),
                Some(at) if at < own => {
                    let message = format!("every event has a field `{}` already", field.name);
                    problems.push(entry.key_error(message).help("choose another name and say its `column`"));
                }
                Some(at) if merged[at].ty != field.ty => {
                    let message = format!("`{}` is of type {} in another event", field.name, merged[at].ty.name());
                    problems.push(entry.key_error(message).help("a property has one type in all events"));
                }
                Some(_) => {}
            }
        }
    }
    merged.split_off(own)
}

fn roles(section: Reader<'_>, customer: &Entity, problems: &mut Vec<Problem>) -> Roles {
    let Some(table) = section.table("roles") else { return Roles::default() };
    let mut role = |key: &str| {
        let node = table.get(key)?;
        let name = node.text()?;
        match customer.field(name) {
            None => problems.push(unknown_field(node, name, &customer.fields)),
            Some(field) if field.ty != Type::Text => {
                problems.push(node.error(format!("`{name}` is of type {}; a role is text", field.ty.name())));
            }
            Some(_) => {}
        }
        Some(name.to_owned())
    };
    Roles {
        email: role("email"),
        phone: role("phone"),
        name: role("name"),
        locale: role("locale"),
        time_zone: role("time_zone"),
        country: role("country"),
        region: role("region"),
    }
}

fn consent(
    section: Reader<'_>,
    customer: &Entity,
    settings: Option<&Settings>,
    problems: &mut Vec<Problem>,
) -> Vec<ConsentColumns> {
    let Some(table) = section.table("consent") else { return Vec::new() };
    let mut consents = Vec::new();
    for entry in table.named() {
        if let Some(settings) = settings.filter(|settings| !settings.topics.contains_key(&entry.key)) {
            let problem = entry.key_error(format!("there is no topic `{}` in plusone.toml", entry.key));
            let help = known_names(&entry.key, "topic", "[topics]", settings.topics.keys());
            problems.push(problem.help(help));
        }
        let columns = Reader::new(&entry.node, &keys::data::CONSENT_OF);
        let mut column = |key: &str, types: &[Type]| {
            let node = columns.get(key)?;
            let name = node.text()?;
            check_column(node, customer, types, problems);
            Some(name.to_owned())
        };
        let channels = Channel::ALL
            .iter()
            .filter_map(|channel| Some((channel.to_string(), column(channel.as_str(), &[Type::Boolean])?)))
            .collect();
        let at = column("at", &[Type::Timestamp, Type::Date]);
        let topic = settings.and_then(|settings| settings.topics.get(&entry.key));
        consents.push(ConsentColumns {
            topic: entry.key.clone(),
            channels,
            at,
            source: columns.text("source"),
            yes: topic.map_or(Answer::Yes, |topic| topic.answer(true)),
        });
    }
    consents
}

fn check_column(node: &Node, customer: &Entity, types: &[Type], problems: &mut Vec<Problem>) {
    let name = node.text().unwrap_or_default();
    match customer.field(name) {
        None => problems.push(unknown_field(node, name, &customer.fields)),
        Some(field) if !types.contains(&field.ty) => {
            let wanted: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
            let message = format!("`{name}` is of type {}, not {}", field.ty.name(), wanted.join(" or "));
            problems.push(node.error(message));
        }
        Some(_) => {}
    }
}
