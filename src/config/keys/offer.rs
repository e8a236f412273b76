//! The keys of `config/offers/*.toml`.

use super::{Section, Shape, key};

pub const OFFER: Section = Section::of(
    "an offer",
    &[
        key("description", Shape::Text, "What is given, in a few words.", r#""A cookie with the next order""#),
        key("value", Shape::Money, "What it is worth to the customer; templates may print it.", "2.50").required(),
        key("cost", Shape::Money, "What one costs the business; the budget counts this.", "0.80")
            .otherwise("its value"),
        key("budget", Shape::Table(&BUDGET), "How much may be given away.", "{ total = 500, per_day = 50 }")
            .default("{}"),
        key(
            "per_customer",
            Shape::Table(&PER_CUSTOMER),
            "How often one customer may get it. Whoever had theirs gets no promotional message with it, and any other without.",
            r#"{ max = 1, per = "90d" }"#,
        )
        .otherwise("any number of times"),
        key(
            "eligible",
            Shape::OneOrMany(&Shape::Text),
            "Conditions (CEL) on the customer; all must hold.",
            r#"['customer.tier in ["silver", "gold"]']"#,
        )
        .otherwise("everyone"),
        key("code", Shape::Table(&CODE), "Where codes come from.", r#"{ pattern = "COOKIE-######" }"#)
            .otherwise("no code"),
        key("valid_for", Shape::Span, "How long a code is good after it was sent.", r#""30d""#).otherwise("for ever"),
        key(
            "unused",
            Shape::OneOf(&["keep", "return"]),
            "Whether an expired code's cost stays in the budget or is given back.",
            r#""return""#,
        )
        .default(r#""keep""#),
    ],
);

pub const BUDGET: Section = Section::of(
    "`budget`",
    &[
        key("total", Shape::Money, "Of all time.", "500").otherwise("no limit"),
        key("per_day", Shape::Money, "Of one day in the business's calendar.", "50").otherwise("no limit"),
    ],
);

pub const PER_CUSTOMER: Section = Section::of(
    "`per_customer`",
    &[
        key("max", Shape::Integer { min: 1, max: 1_000_000 }, "So many times.", "1").required(),
        key("per", Shape::Span, "Within so long.", r#""90d""#).otherwise("ever"),
    ],
);

pub const CODE: Section = Section::of(
    "`code`",
    &[
        key(
            "pattern",
            Shape::Text,
            "Each `#` becomes a letter or digit, a code of its own for everyone.",
            r#""COOKIE-######""#,
        ),
        key("file", Shape::Text, "A file with one code a line, each given once.", r#""config/codes.txt""#),
        key("fixed", Shape::Text, "The same code for everyone.", r#""THANKS""#),
    ],
);
