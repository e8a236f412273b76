//! The keys of a template's `voice.toml`.

use super::{NameForm, Named, Section, Shape, key};

pub const MENU: Section = Section::of(
    "voice.toml",
    &[key(
        "keys",
        Shape::Table(&KEYS),
        "The keys that somebody who is called can press. Without one that stops, plusone adds it.",
        r#"{ 1 = { does = "repeat" } }"#,
    )
    .required()],
);

pub const KEYS: Section = Section::named(
    "[keys]",
    Named {
        what: "key",
        form: NameForm::Digit,
        shape: Shape::Table(&KEY),
        about: "A key of the phone.",
        example: r#"{ does = "say", prompt = "For our hours, press 2.", says = "We are open from nine to five." }"#,
    },
);

pub const KEY: Section = Section::of(
    "a key",
    &[
        key(
            "does",
            Shape::OneOf(&["stop", "repeat", "say"]),
            "`stop` ends all calls to this number, `repeat` says the call again, `say` says more.",
            r#""stop""#,
        )
        .required(),
        key("prompt", Shape::Text, "How the call announces the key.", r#""For our hours, press 2.""#)
            .otherwise("a sentence of plusone's own, for `stop` and `repeat`"),
        key("says", Shape::Text, "What is said once it is pressed.", r#""We are open from nine to five.""#)
            .otherwise("a sentence of plusone's own, for `stop`"),
    ],
);
