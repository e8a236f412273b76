//! The keys of `config/rules/*.toml`.

use super::{Section, Shape, key};

pub const RULE: Section = Section::of(
    "a rule",
    &[
        key("description", Shape::Text, "What the rule is for, in a sentence that customers may read: it answers \"Why did I get this?\".", r#""Remind of a cart left for four hours""#),
        key(
            "live",
            Shape::Either(&[Shape::Boolean, Shape::Table(&LIVE)]),
            "Whether the rule sends; without it a draft, which is checked and previewed but never sends.",
            "true",
        )
        .default("false"),
        key(
            "kind",
            Shape::OneOf(&["status", "reminder", "offer", "survey"]),
            "What the rule is, which sets its defaults.",
            r#""reminder""#,
        )
        .required(),
        key("topic", Shape::Text, "The topic from plusone.toml that customers can leave.", r#""offers""#).required(),
        key(
            "schedule",
            Shape::Text,
            "When the rule looks: plain English, five-field cron, one instant, or `manual`.",
            r#""every 15 minutes""#,
        )
        .otherwise("`on_event` is written"),
        key(
            "on_event",
            Shape::Text,
            "In the place of `schedule`: the event that brings the rule up, as it is tracked; it plans within a second.",
            r#""Order Completed""#,
        )
        .otherwise("the rule goes by its schedule"),
        key(
            "time_zone",
            Shape::RuleZone,
            "The zone of the schedule and of days: `business`, `customer` (each customer's own) or an IANA name.",
            r#""business""#,
        )
            .default(r#""business""#),
        key(
            "catch_up",
            Shape::OneOf(&["none", "latest", "all"]),
            "Which of the ticks missed while plusone was down are made up for.",
            r#""latest""#,
        )
        .default(r#""latest""#),
        key("catch_up_window", Shape::Span, "How long ago a missed tick may be.", r#""6h""#).default(r#""6h""#),
        key("for_each", Shape::Text, "The entity each message is about.", r#""cart""#)
            .otherwise("`customer`; `event` for a rule with `on_event`"),
        key(
            "when",
            Shape::OneOrMany(&Shape::Text),
            "Conditions (CEL); all must hold.",
            r#"['cart.status == "open"', 'cart.updated_at < ago("4h")']"#,
        )
        .otherwise("everyone"),
        key(
            "unless",
            Shape::OneOrMany(&Shape::Text),
            "Conditions (CEL); none may hold.",
            r#"['customer.orders.exists(o, o.placed_at > cart.updated_at)']"#,
        )
        .otherwise("nobody is left out"),
        key(
            "once_per",
            Shape::OneOrMany(&Shape::Text),
            "What makes a message unique: `customer`, an entity, a field (`delivery.status`), `day`, `week`, `month`, `year`.",
            r#"["cart"]"#,
        )
        .otherwise("the `for_each` entity; for customers once, or with `again_after` numbered times"),
        key("again_after", Shape::Span, "At least this long between two messages of this rule to one customer.", r#""14d""#),
        key(
            "channels",
            Shape::OneOrMany(&Shape::OneOf(&["email", "sms", "voice"])),
            "The ways to send, the preferred one first.",
            r#"["email", "sms"]"#,
        )
        .required(),
        key("template", Shape::Text, "The folder under `templates/` with the words.", r#""abandoned-cart""#).required(),
        key("priority", Shape::Integer { min: 0, max: 100 }, "Who goes first among what is due at once; 100 is first.", "40")
            .default("50"),
        key("expires_after", Shape::Span, "Later than this after the tick it is not sent.", r#""24h""#).default(r#""24h""#),
        key("pace", Shape::Rate, "At most so many messages in so long, so that those who answer can be served.", r#""200/h""#)
            .otherwise("all at once"),
        key("recheck", Shape::Boolean, "Whether `when` and `unless` must still hold at the moment of sending.", "true")
            .default("true"),
        key(
            "offer",
            Shape::OneOrMany(&Shape::Text),
            "A plus one: the first the customer is eligible for and that has budget; it makes the message promotional.",
            r#"["free-shipping", "free-cookie"]"#,
        )
        .otherwise("no offer"),
        key(
            "on_doubt",
            Shape::OneOf(&["resend", "ask", "drop"]),
            "What happens to a message of which nobody can say whether it was sent.",
            r#""resend""#,
        )
        .otherwise("`resend` for status and reminder, `ask` for offer and survey, `drop` for calls"),
        key(
            "existing",
            Shape::OneOf(&["include", "skip"]),
            "What happens to those who match already when the rule first goes live.",
            r#""skip""#,
        )
        .otherwise("`skip` for status, else `include`"),
        super::courtesy::COUNTS_TOWARD_CAP,
        super::courtesy::ON_CAP,
        super::courtesy::URGENT,
        super::courtesy::RULE_HOLDOUT,
        super::variant::VARIANTS,
        key("was", Shape::Text, "The rule's name before its file was renamed; its history comes along.", r#""cart-2025""#),
        key("goal", Shape::Table(&GOAL), "What counts as success, for `plusone report`.", r#"{ when = 'customer.orders.exists(o, o.placed_at > touchpoint.at)' }"#)
            .otherwise("nothing is counted"),
    ],
);

pub const GOAL: Section = Section::of(
    "`goal`",
    &[
        key(
            "when",
            Shape::OneOrMany(&Shape::Text),
            "Conditions (CEL); all must hold. `touchpoint.at` is when the message was sent, or would have been.",
            r#"'customer.orders.exists(o, o.placed_at > touchpoint.at)'"#,
        )
        .required(),
        key("within", Shape::Span, "How long after the message it still counts.", r#""3d""#).default(r#""3d""#),
    ],
);

pub const LIVE: Section = Section::of(
    "`live`",
    &[
        key("from", Shape::Date, "The first day on which the rule sends.", "2026-12-01").otherwise("at once"),
        key("until", Shape::Date, "The last day on which the rule sends.", "2026-12-24").otherwise("for ever"),
    ],
);
