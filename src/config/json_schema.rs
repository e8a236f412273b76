//! JSON Schemas (draft-07) of the configuration's files, made from the tables of keys, for editors and `taplo`.

use super::keys::{self, Default, Key, NameForm, Named, Section, Shape};
use serde_json::{Map, Value, json};

/// The kinds of files that have a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    Plusone,
    Data,
    Rule,
    Offer,
    Voice,
    Test,
}

impl FileKind {
    pub const ALL: [Self; 6] = [Self::Plusone, Self::Data, Self::Rule, Self::Offer, Self::Voice, Self::Test];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plusone => "plusone",
            Self::Data => "data",
            Self::Rule => "rule",
            Self::Offer => "offer",
            Self::Voice => "voice",
            Self::Test => "test",
        }
    }

    /// The keys of such a file.
    pub const fn section(self) -> &'static Section {
        match self {
            Self::Plusone => &keys::settings::PLUSONE,
            Self::Data => &keys::data::DATA,
            Self::Rule => &keys::rule::RULE,
            Self::Offer => &keys::offer::OFFER,
            Self::Voice => &keys::menu::MENU,
            Self::Test => &keys::rule_test::RULE_TESTS,
        }
    }
}

/// The schema of one kind of file.
pub fn json_schema(kind: FileKind) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".to_owned(), json!(format!("plusone: {}", kind.section().what)));
    schema.extend(section_schema(kind.section()));
    Value::Object(schema)
}

fn section_schema(section: &Section) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    let properties: Map<String, Value> =
        section.keys.iter().map(|key| (key.name.to_owned(), key_schema(key))).collect();
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
    let required: Vec<&str> =
        section.keys.iter().filter(|key| key.default == Default::Required).map(|key| key.name).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    let others = section.named.map_or(json!(false), |named| named_schema(&named));
    schema.insert("additionalProperties".to_owned(), others);
    if let Some(pattern) = section.named.and_then(|named| name_pattern(named.form)) {
        schema.insert("propertyNames".to_owned(), json!({ "pattern": pattern }));
    }
    schema
}

fn named_schema(named: &Named) -> Value {
    let mut value = shape_schema(&named.shape);
    value.insert("description".to_owned(), json!(named.about));
    value.insert("examples".to_owned(), json!([example(named.example)]));
    Value::Object(value)
}

const fn name_pattern(form: NameForm) -> Option<&'static str> {
    match form {
        NameForm::Word => Some("^[a-z][a-z0-9_]*$"),
        NameForm::Dashed => Some("^[a-z][a-z0-9_-]*$"),
        NameForm::Digit => Some("^[0-9]$"),
        NameForm::Free => None,
    }
}

fn key_schema(key: &Key) -> Value {
    let mut schema = shape_schema(&key.shape);
    let about = match key.default {
        Default::Otherwise(words) => format!("{} Without it: {words}.", key.about),
        Default::Required | Default::Value(_) => key.about.to_owned(),
    };
    schema.insert("description".to_owned(), json!(about));
    schema.insert("examples".to_owned(), json!([example(key.example)]));
    if let Default::Value(toml) = key.default {
        schema.insert("default".to_owned(), example(toml));
    }
    Value::Object(schema)
}

fn shape_schema(shape: &Shape) -> Map<String, Value> {
    let schema = match shape {
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer { min, max: i64::MAX } => json!({ "type": "integer", "minimum": min }),
        Shape::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Money => json!({ "anyOf": [{ "type": "number", "minimum": 0 }, pattern(r"^[0-9]+(\.[0-9]+)?$")] }),
        Shape::Share => pattern(r"^[0-9]+(\.[0-9]+)?%$"),
        Shape::Span => pattern("^[0-9]+[smhdwy]$"),
        Shape::Rate => pattern("^[0-9]+/[smhd]$"),
        Shape::Window => pattern("^([0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}|[A-Za-z]+)$"),
        Shape::OpenHours => {
            pattern("^(not on holidays|([A-Za-z]+(-[A-Za-z]+)? )?[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2})$")
        }
        Shape::CapWindow => pattern("^([0-9]+[smhdw]|day|week|month)$"),
        // A TOML date is no JSON type; checkers hand it over as a string.
        Shape::Date => json!({ "type": "string" }),
        Shape::OneOf(words) => json!({ "type": "string", "enum": words }),
        Shape::List(inner) => json!({ "type": "array", "items": shape_schema(inner) }),
        Shape::OneOrMany(inner) => {
            json!({ "anyOf": [shape_schema(inner), { "type": "array", "items": shape_schema(inner) }] })
        }
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(shape_schema).collect::<Vec<_>>() }),
        Shape::Table(section) => return section_schema(section),
        Shape::Tagged { tag, variants } => return tagged_schema(tag, variants),
        Shape::Moment => json!({ "type": "string", "minLength": 3 }),
        Shape::Rows => {
            let rows = json!({ "type": "array", "items": { "type": "object" } });
            json!({ "anyOf": [{ "type": "object" }, rows] })
        }
        Shape::Consent => {
            let channels = json!({ "type": "object", "additionalProperties": { "type": "boolean" } });
            json!({ "type": "object", "additionalProperties": { "anyOf": [{ "type": "boolean" }, channels] } })
        }
        Shape::Text | Shape::Secret | Shape::Zone | Shape::RuleZone | Shape::SourceFile => {
            json!({ "type": "string", "minLength": 1 })
        }
    };
    match schema {
        Value::Object(schema) => schema,
        _ => unreachable!("every shape above is written as an object"),
    }
}

fn pattern(expression: &str) -> Value {
    json!({ "type": "string", "pattern": expression })
}

fn tagged_schema(tag: &str, variants: &[(&str, &Section)]) -> Map<String, Value> {
    let variant = |(name, section): &(&str, &Section)| {
        let mut schema = section_schema(section);
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            let about = properties.get(tag).and_then(|key| key.get("description")).cloned();
            let mut constant = json!({ "type": "string", "const": name, "examples": [name] });
            if let (Some(about), Value::Object(constant)) = (about, &mut constant) {
                constant.insert("description".to_owned(), about);
            }
            properties.insert(tag.to_owned(), constant);
        }
        Value::Object(schema)
    };
    let mut schema = Map::new();
    schema.insert("oneOf".to_owned(), Value::Array(variants.iter().map(variant).collect()));
    schema
}

/// A TOML value of the tables as JSON.
fn example(toml: &str) -> Value {
    let source = crate::problem::Source::new("example", &format!("value = {toml}\n"));
    let mut problems = Vec::new();
    let environment = super::environment::Environment::of([
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("SMTP_PASSWORD", "${SMTP_PASSWORD}"),
        ("TWILIO_AUTH_TOKEN", "${TWILIO_AUTH_TOKEN}"),
        ("TWILIO_WEBHOOK_KEY", "${TWILIO_WEBHOOK_KEY}"),
    ]);
    let tree = super::node::parse(&source, &environment, &mut problems);
    let value = tree.and_then(|tree| tree.get("value").map(json_of));
    value.expect("a test reads every example of the tables")
}

fn json_of(node: &super::node::Node) -> Value {
    use super::node::Value as Toml;
    match &node.value {
        Toml::Text(text) => json!(text.value),
        Toml::Integer(number) => json!(number),
        Toml::Decimal(digits) => digits.parse::<f64>().map_or(Value::Null, |number| json!(number)),
        Toml::Boolean(truth) => json!(truth),
        Toml::Time(time) => json!(time.to_string()),
        Toml::List(items) => Value::Array(items.iter().map(json_of).collect()),
        Toml::Table(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.node))).collect())
        }
    }
}
