//! The keys of `config/data.toml`.

use super::{Key, NameForm, Named, Section, Shape, key};

pub const DATA: Section = Section {
    what: "data.toml",
    keys: &[
        key(
            "customer",
            Shape::Table(&CUSTOMER),
            "The people messages go to.",
            r#"{ key = "id", roles = { email = "email" }, fields = { id = "text", email = "text" } }"#,
        )
        .required(),
        key(
            "event",
            Shape::Table(&EVENTS),
            "Properties of tracked events that conditions use, by the event's name.",
            r#"{ "Order Completed" = { fields = { revenue = "money" } } }"#,
        )
        .default("{}"),
    ],
    named: Some(Named {
        what: "entity",
        form: NameForm::Word,
        shape: Shape::Table(&ENTITY),
        about: "Another kind of customer data: orders, carts, deliveries, appointments.",
        example: r#"{ key = "id", belongs_to = { customer = "customer_id" }, fields = { id = "text", customer_id = "text" } }"#,
    }),
};

const KEY: Key = key("key", Shape::Text, "The field whose value names a row.", r#""id""#).required();

const SOURCE: Key = key(
    "source",
    Shape::Either(&[Shape::SourceFile, Shape::Table(&DATABASE_SOURCE)]),
    "A CSV or NDJSON file, read again when it changed; or a query to another database.",
    r#""config/sample/orders.csv""#,
)
.otherwise("rows come by `plusone import`");

pub const DATABASE_SOURCE: Section = Section::of(
    "a database source",
    &[
        key(
            "database",
            Shape::Secret,
            "Where the rows are: `postgres://user:${SHOP_PASSWORD}@host/name` or `sqlite://path`. It is only read.",
            r#""postgres://reader@shop.example/shop""#,
        )
        .required(),
        key(
            "query",
            Shape::Text,
            "One `select` that gives a column for each field, by its name or `column`.",
            r#""select id, email, updated_at from customers""#,
        )
        .required(),
        key("every", Shape::Span, "At least so long between two readings.", r#""10m""#).default(r#""10m""#),
        key(
            "since",
            Shape::Text,
            "The query's column that says when a row was last changed: only what is as late as the latest row known is \
             read then. Rows that are gone are not noticed.",
            r#""updated_at""#,
        )
        .otherwise("everything is read each time"),
    ],
);

const TABLE: Key = key(
    "table",
    Shape::Text,
    "A table or view of the same database, read in place and never written.",
    r#""shop.orders""#,
)
.otherwise("plusone keeps a table of its own");

const FIELDS: Key = key(
    "fields",
    Shape::Table(&FIELDS_OF),
    "The columns by name: a type, or a table with a type and options.",
    r#"{ id = "text", placed_at = "timestamp" }"#,
)
.required();

const COMPUTED: Key = key(
    "computed",
    Shape::Table(&COMPUTED_OF),
    "Names for what rules need often; expanded when compiled, nothing is stored.",
    r#"{ last_order_at = "customer.orders.max(o, o.placed_at)" }"#,
)
.default("{}");

const BELONGS_TO: Key = key(
    "belongs_to",
    Shape::Table(&LINKS),
    "For each entity this one belongs to, the field with its key.",
    r#"{ customer = "customer_id" }"#,
)
.default("{}");

const PLURAL: Key =
    key("plural", Shape::Text, "The name of a list of these.", r#""deliveries""#).otherwise("the name and an s");

const ABSENT: Key = key(
    "absent",
    Shape::OneOf(&["keep", "remove"]),
    "What happens to rows that the source no longer has.",
    r#""keep""#,
)
.otherwise("`remove` for a `source` without `since`, `keep` for `import`");

const DECIMAL: Key =
    key("decimal", Shape::OneOf(&[".", ","]), "The decimal sign in files.", r#"",""#).default(r#"".""#);

const THOUSANDS: Key = key(
    "thousands",
    Shape::OneOf(&[".", ",", " ", "'"]),
    "The sign between thousands in files: `1.240,00` has a point. A blank may be of any width.",
    r#"".""#,
)
.otherwise("there is none");

const TIME_ZONE: Key =
    key("time_zone", Shape::Zone, "The zone of times without one.", r#""Europe/London""#).otherwise("the business's");

const RELATIVE_DATES: Key = key(
    "relative_dates",
    Shape::Boolean,
    "Whether a cell may say `today`, `today+3d`, `now-5h`: for samples and tests.",
    "true",
)
.default("false");

pub const CUSTOMER: Section = Section::of(
    "[customer]",
    &[
        KEY,
        SOURCE,
        TABLE,
        PLURAL,
        FIELDS,
        COMPUTED,
        BELONGS_TO,
        ABSENT,
        DECIMAL,
        THOUSANDS,
        TIME_ZONE,
        RELATIVE_DATES,
        key(
            "roles",
            Shape::Table(&ROLES),
            "Which fields say who a customer is and how to reach them.",
            r#"{ email = "email", phone = "phone", name = "first_name" }"#,
        )
        .default("{}"),
        key(
            "consent",
            Shape::Table(&CONSENT),
            "Which columns say yes to what; what is not listed is a no for promotional topics.",
            r#"{ offers = { email = "email_opt_in", at = "opt_in_at", source = "web shop" } }"#,
        )
        .default("{}"),
    ],
);

pub const ENTITY: Section = Section::of(
    "an entity",
    &[KEY, SOURCE, TABLE, PLURAL, FIELDS, COMPUTED, BELONGS_TO, ABSENT, DECIMAL, THOUSANDS, TIME_ZONE, RELATIVE_DATES],
);

pub const ROLES: Section = Section::of(
    "`roles`",
    &[
        key("email", Shape::Text, "The field with the email address.", r#""email""#).otherwise("no email"),
        key("phone", Shape::Text, "The field with the phone number.", r#""phone""#)
            .otherwise("no text messages, no calls"),
        key("name", Shape::Text, "The field with the name.", r#""first_name""#),
        key("locale", Shape::Text, "The field with language and region.", r#""locale""#).otherwise("the business's"),
        key("time_zone", Shape::Text, "The field with the IANA time zone.", r#""time_zone""#)
            .otherwise("the business's; for hours every zone of the customer's country has to agree"),
        key("country", Shape::Text, "The field with the country: of phone numbers, laws, holidays.", r#""country""#)
            .otherwise("the business's"),
        key("region", Shape::Text, "The field with the state or region: `FL` or `US-FL`.", r#""state""#)
            .otherwise("where regions have laws of their own, those of all of them hold"),
    ],
);

pub const CONSENT: Section = Section::named(
    "`consent`",
    Named {
        what: "topic",
        form: NameForm::Dashed,
        shape: Shape::Table(&CONSENT_OF),
        about: "A topic, and the columns that say yes to it.",
        example: r#"{ email = "email_opt_in", source = "web shop" }"#,
    },
);

pub const CONSENT_OF: Section = Section::of(
    "`consent` of a topic",
    &[
        key("email", Shape::Text, "The boolean field that says yes to email.", r#""email_opt_in""#).otherwise("no"),
        key("sms", Shape::Text, "The boolean field that says yes to text messages.", r#""sms_opt_in""#).otherwise("no"),
        key("voice", Shape::Text, "The boolean field that says yes to calls.", r#""call_opt_in""#).otherwise("no"),
        key("at", Shape::Text, "The field with the time of the yes.", r#""opt_in_at""#)
            .otherwise("the time of the import"),
        key(
            "source",
            Shape::Text,
            "Where the yes was given, for the ledger: words, or the name of a field that holds them.",
            r#""checkout of the web shop""#,
        )
        .otherwise("the file's name"),
    ],
);

pub const FIELDS_OF: Section = Section::named(
    "`fields`",
    Named {
        what: "field",
        form: NameForm::Word,
        shape: Shape::Either(&[Shape::OneOf(TYPES), Shape::Table(&FIELD)]),
        about: "A column: its type, or a table with a type and options.",
        example: r#"{ type = "date", format = "%d.%m.%Y" }"#,
    },
);

const TYPES: &[&str] = &["text", "integer", "decimal", "money", "boolean", "date", "timestamp"];

pub const FIELD: Section = Section::of(
    "a field",
    &[
        key("type", Shape::OneOf(TYPES), "What the column holds.", r#""date""#).required(),
        key("column", Shape::Text, "The file's heading.", r#""E-Mail""#).otherwise("the field's name"),
        key("format", Shape::Text, "How dates and times are written, as `strftime` has it.", r#""%d.%m.%Y""#)
            .otherwise("ISO 8601"),
        key("scale", Shape::Integer { min: 0, max: 9 }, "Digits after the point of a decimal.", "2").otherwise("4"),
        key("one_of", Shape::List(&Shape::Text), "The only values a text may have.", r#"["basic", "silver", "gold"]"#)
            .otherwise("any value"),
        key(
            "yes",
            Shape::OneOrMany(&Shape::Text),
            "What a boolean column has for true, besides `true`, `yes` and `1`.",
            r#""ja""#,
        )
        .otherwise("those alone"),
        key(
            "no",
            Shape::OneOrMany(&Shape::Text),
            "What a boolean column has for false, besides `false`, `no` and `0`.",
            r#""nein""#,
        )
        .otherwise("those alone"),
        key("required", Shape::Boolean, "Whether a row without a value is refused.", "true").default("false"),
        key(
            "index",
            Shape::Boolean,
            "Whether the database keeps an index, for columns that many conditions compare.",
            "true",
        )
        .default("false"),
    ],
);

pub const COMPUTED_OF: Section = Section::named(
    "`computed`",
    Named {
        what: "computed field",
        form: NameForm::Word,
        shape: Shape::Text,
        about: "An expression over the entity's data.",
        example: r#""customer.orders.max(o, o.placed_at)""#,
    },
);

pub const LINKS: Section = Section::named(
    "`belongs_to`",
    Named {
        what: "entity",
        form: NameForm::Word,
        shape: Shape::Text,
        about: "The field that holds the key of this entity.",
        example: r#""customer_id""#,
    },
);

pub const EVENTS: Section = Section::named(
    "[event]",
    Named {
        what: "event",
        form: NameForm::Free,
        shape: Shape::Table(&EVENT),
        about: "An event, by the name it is tracked under.",
        example: r#"{ fields = { revenue = "money" } }"#,
    },
);

pub const EVENT: Section = Section::of(
    "an event",
    &[key("fields", Shape::Table(&FIELDS_OF), "The event's properties by name.", r#"{ revenue = "money" }"#)
        .required()],
);
