//! The keys of restraint: caps, holdouts and bad moments, in `plusone.toml` and in rules.

use super::{Key, NameForm, Named, Section, Shape, key};

pub const CAPS: Key = key(
    "caps",
    Shape::List(&Shape::Table(&CAP)),
    "At most so many messages to one customer in so long; every entry holds.",
    r#"[{ purpose = "promotional", max = 2, per = "7d" }, { channel = "voice", max = 1, per = "day" }]"#,
)
.default("[]");

pub const CAP: Section = Section::of(
    "an entry of `caps`",
    &[
        key(
            "purpose",
            Shape::OneOf(&["transactional", "promotional"]),
            "Only messages of this purpose count; one that carries an offer is promotional.",
            r#""promotional""#,
        )
        .otherwise("both"),
        key("topic", Shape::Text, "Only messages of this topic count.", r#""offers""#).otherwise("every topic"),
        key("channel", Shape::OneOf(&["email", "sms", "voice"]), "Only messages on this channel count.", r#""voice""#)
            .otherwise("every channel"),
        key("max", Shape::Integer { min: 1, max: 1_000_000 }, "How many a customer may get.", "2").required(),
        key(
            "per",
            Shape::CapWindow,
            "In how long: a span counts back from each message, a period is the customer's calendar (weeks from Monday).",
            r#""7d""#,
        )
        .required(),
    ],
);

pub const HOLDOUT: Key = key(
    "holdout",
    Shape::Share,
    "A share of customers who get nothing promotional; always the same ones, recorded as `held_out`.",
    r#""2%""#,
)
.default(r#""0%""#);

pub const NO_PROMOTIONS_WHILE: Key = key(
    "no_promotions_while",
    Shape::Table(&BAD_MOMENTS),
    "Conditions (CEL) on the customer; while one is true nothing promotional goes to them.",
    "{ open_complaint = 'customer.open_complaint' }",
)
.default("{}");

pub const BAD_MOMENTS: Section = Section::named(
    "`no_promotions_while`",
    Named {
        what: "moment",
        form: NameForm::Word,
        shape: Shape::Text,
        about: "A condition; its name is told with messages that were skipped as `bad_moment`.",
        example: "'customer.open_complaint'",
    },
);

pub const COUNTS_TOWARD_CAP: Key = key(
    "counts_toward_cap",
    Shape::Boolean,
    "Whether its messages take places under `[courtesy] caps`; the caps hold for them either way.",
    "false",
)
.default("true");

pub const ON_CAP: Key = key(
    "on_cap",
    Shape::OneOf(&["drop", "defer"]),
    "What happens under a full cap: `drop` skips as `capped`, `defer` waits for a place until the message expires.",
    r#""defer""#,
)
.default(r#""drop""#);

pub const URGENT: Key = key(
    "urgent",
    Shape::Boolean,
    "Passes quiet hours and caps, never legal hours or a stop; for transactional topics without an offer only.",
    "true",
)
.default("false");

pub const RULE_HOLDOUT: Key = key(
    "holdout",
    Shape::Share,
    "A share of its audience that is not written to, so that `report` can tell what the rule does; always the same ones.",
    r#""5%""#,
)
.default(r#""0%""#);
