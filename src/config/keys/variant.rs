//! The keys of `[[variants]]` in a rule's file.

use super::{Key, Section, Shape, key};

pub const VARIANTS: Key = key(
    "variants",
    Shape::List(&Shape::Table(&VARIANT)),
    "An experiment: several messages, each for a share of the customers; whom `report` compares.",
    r#"[{ name = "plain", share = "50%" }, { name = "with-picture", share = "50%", template = "abandoned-cart-picture" }]"#,
)
.otherwise("one message for all");

pub const VARIANT: Section = Section::of(
    "a variant",
    &[
        key("name", Shape::Text, "What the log and the report call it.", r#""with-picture""#).required(),
        key("share", Shape::Share, "How many of the rule's customers get it; all shares make 100%.", r#""50%""#)
            .required(),
        key("template", Shape::Text, "The folder under `templates/` with its words.", r#""abandoned-cart-picture""#)
            .otherwise("the rule's"),
        key(
            "subject",
            Shape::Text,
            "Its subject, in the place of the template's; Handlebars as there.",
            r#""Still thinking it over?""#,
        )
        .otherwise("the template's"),
        key(
            "offer",
            Shape::OneOrMany(&Shape::Text),
            "Its plus one, as the rule's `offer`; `[]` is a message without any.",
            r#""free-cookie""#,
        )
        .otherwise("the rule's"),
        key(
            "channels",
            Shape::OneOrMany(&Shape::OneOf(&["email", "sms", "voice"])),
            "Its ways to send, the preferred one first.",
            r#"["sms"]"#,
        )
        .otherwise("the rule's"),
    ],
);
