//! The keys of `config/rules/*.test.toml`.
//!
//! The lists of rows that a test may have are named by `data.toml`, and their fields with them: what may stand there is
//! known to `config::rule_tests`.

use super::{NameForm, Named, Section, Shape, key};
use crate::touchpoints::Reason;

pub const RULE_TESTS: Section = Section::of(
    "a file of tests",
    &[key(
        "test",
        Shape::List(&Shape::Table(&TEST)),
        "The tests of the rule of this name, each under a heading `[[test]]`.",
        r#"[{ name = "a cart of five hours", now = 2026-11-23T12:00:00Z, customer = { email = "ben@example.com" }, carts = [{ status = "open" }], expect = { channel = "email" } }]"#,
    )
    .required()],
);

pub const TEST: Section = Section {
    what: "a test",
    keys: &[
        key("name", Shape::Text, "What the test shows, in a sentence.", r#""a cart of five hours gets a letter""#).required(),
        key(
            "now",
            Shape::Moment,
            "The time at which the rule looks; without a zone it is the business's. `today` and `now` in the test count from it.",
            "2026-11-23T12:00:00Z",
        )
        .required(),
        key(
            "customer",
            Shape::Rows,
            "The customer, by the fields of data.toml; what is not written is missing. Lists of theirs may stand inside.",
            r#"{ first_name = "Ben", email = "ben@example.com", joined_on = "today-30d" }"#,
        )
        .required(),
        key(
            "consent",
            Shape::Consent,
            "What the customer said about a topic, beyond what their fields say: on every channel, or by channel.",
            r#"{ offers = true, surveys = { email = false } }"#,
        ),
        key(
            "touchpoints",
            Shape::List(&Shape::Table(&PAST)),
            "What the customer was sent before.",
            r#"[{ sent_at = "now-3d" }, { rule = "birthday", sent_at = "today-40d" }]"#,
        ),
        key(
            "expect",
            Shape::Either(&[Shape::OneOf(&["not selected"]), Shape::Table(&EXPECT), Shape::List(&EXPECTED)]),
            "What is to come out: of every row that the conditions select, or as a list of each row in its order.",
            r#"{ state = "planned", channel = "email", offer = "free-shipping" }"#,
        )
        .required(),
    ],
    named: Some(Named {
        what: "list of rows",
        form: NameForm::Word,
        shape: Shape::Rows,
        about: "Rows of an entity, under its plural; they belong to the test's customer. A time may say `today-3d` or `now-5h`.",
        example: r#"[{ status = "open", total = 30, updated_at = "now-5h" }]"#,
    }),
};

const EXPECTED: Shape = Shape::Either(&[Shape::OneOf(&["not selected"]), Shape::Table(&EXPECT)]);

pub const EXPECT: Section = Section::of(
    "`expect`",
    &[
        key(
            "state",
            Shape::OneOf(&["planned"]),
            "That a message is planned, whatever else is said of it.",
            r#""planned""#,
        )
        .otherwise("a message is expected unless `skipped` stands there"),
        key("channel", Shape::OneOf(&["email", "sms", "voice"]), "The channel of the message.", r#""email""#)
            .otherwise("any"),
        key(
            "offer",
            Shape::Either(&[Shape::Text, Shape::Boolean]),
            "The offer that the message carries; `false` for none.",
            r#""free-shipping""#,
        )
        .otherwise("any, or none"),
        key(
            "variant",
            Shape::Text,
            "The rule's variant that the message is; a customer without a written key is one of those who get it.",
            r#""with-cookie""#,
        )
        .otherwise("any"),
        key(
            "due_at",
            Shape::Moment,
            "When the message goes; what waited for the end of quiet hours goes within a quarter of an hour.",
            r#""today 12:00""#,
        )
        .otherwise("any time"),
        key("skipped", Shape::OneOf(&REASONS), "Why there is no message.", r#""no_consent""#)
            .otherwise("a message is expected"),
    ],
);

pub const PAST: Section = Section::of(
    "a touchpoint",
    &[
        key("sent_at", Shape::Moment, "When it was sent.", r#""now-3d""#).required(),
        key("rule", Shape::Text, "The rule that sent it.", r#""birthday""#).otherwise("the rule of this file"),
        key("channel", Shape::OneOf(&["email", "sms", "voice"]), "The channel it went by.", r#""email""#)
            .otherwise("the rule's first"),
        key("state", Shape::OneOf(&["sent", "delivered", "bounced"]), "What became of it.", r#""delivered""#)
            .default(r#""sent""#),
        key("about", Shape::Text, "The key of the row that it was about, where the test has several.", r#""cart-1""#)
            .otherwise("the only row of the rule's entity"),
    ],
);

/// Every reason, as the log has it.
const REASONS: [&str; Reason::ALL.len()] = {
    let mut words = [""; Reason::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = Reason::ALL[at].as_str();
        at += 1;
    }
    words
};
