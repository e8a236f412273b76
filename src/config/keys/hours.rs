//! The keys of legal hours: the business's own, and what holds in place of the law of a country.

use super::{NameForm, Named, Section, Shape, key};

pub const LEGAL_HOURS: Section = Section::of(
    "`legal_hours`",
    &[
        key("email", Shape::OneOrMany(&Shape::OpenHours), "When email may go, of any kind.", r#""06:00-23:00""#)
            .otherwise("at all times"),
        key("sms", Shape::OneOrMany(&Shape::OpenHours), "When text messages may go, of any kind.", r#""08:00-21:00""#)
            .otherwise("at all times"),
        key(
            "voice",
            Shape::OneOrMany(&Shape::OpenHours),
            "When anybody may be called, about anything.",
            r#"["Mon-Sat 08:00-21:00", "not on holidays"]"#,
        )
        .otherwise("at all times"),
        key(
            "countries",
            Shape::Table(&COUNTRIES),
            "What holds for promotional messages in a country or region, in place of the law as plusone knows it.",
            r#"{ FR = { sms = "10:00-20:00" } }"#,
        )
        .default("{}"),
    ],
);

pub const COUNTRIES: Section = Section::named(
    "`countries`",
    Named {
        what: "country",
        form: NameForm::Free,
        shape: Shape::Table(&COUNTRY_HOURS),
        about: "A country (ISO 3166, `FR`) or a region of one (`US-FL`).",
        example: r#"{ voice = ["Mon-Fri 10:00-13:00", "Mon-Fri 14:00-20:00", "not on holidays"] }"#,
    },
);

pub const COUNTRY_HOURS: Section = Section::of(
    "a country's hours",
    &[
        key("email", Shape::OneOrMany(&Shape::OpenHours), "When promotional email may go.", r#""08:00-20:00""#)
            .otherwise("as plusone knows the law"),
        key("sms", Shape::OneOrMany(&Shape::OpenHours), "When promotional text messages may go.", r#""10:00-20:00""#)
            .otherwise("as plusone knows the law"),
        key("voice", Shape::OneOrMany(&Shape::OpenHours), "When promotional calls may be made.", r#""10:00-20:00""#)
            .otherwise("as plusone knows the law"),
    ],
);
