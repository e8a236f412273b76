//! The keys of `config/plusone.toml`.

use super::{Key, NameForm, Named, Section, Shape, key};

pub const PLUSONE: Section = Section::of(
    "plusone.toml",
    &[
        key("business", Shape::Table(&BUSINESS), "Who writes to the customers.", r#"{ name = "Harbour Coffee Club" }"#)
            .required(),
        key(
            "database",
            Shape::Table(&DATABASE),
            "Where plusone keeps its records.",
            "{ url = \"sqlite://var/plusone.db\" }",
        )
        .default("{}"),
        key("web", Shape::Table(&WEB), "The web server's address.", r#"{ listen = "127.0.0.1:8470" }"#).default("{}"),
        key(
            "channels",
            Shape::Table(&CHANNELS),
            "The ways to reach customers.",
            r#"{ email = { from = "Harbour Coffee <hello@harbour.example>", providers = ["outbox"] } }"#,
        )
        .default("{}"),
        key(
            "providers",
            Shape::Table(&PROVIDERS),
            "The ways out of the house.",
            r#"{ outbox = { type = "folder", path = "var/outbox" } }"#,
        )
        .default("{}"),
        key(
            "topics",
            Shape::Table(&TOPICS),
            "What a customer can leave.",
            r#"{ reminders = { purpose = "transactional", name = "Reminders" } }"#,
        )
        .default("{}"),
        key(
            "courtesy",
            Shape::Table(&COURTESY),
            "What a considerate sender observes.",
            r#"{ quiet_hours = { email = "22:00-07:00" } }"#,
        )
        .default("{}"),
        key("guard", Shape::Table(&GUARD), "What a run may do without being asked about.", "{ max_recipients = 5000 }")
            .default("{}"),
        key(
            "retention",
            Shape::Table(&RETENTION),
            "After how long plusone forgets.",
            r#"{ words = "180d", touchpoints = "3y" }"#,
        )
        .default("{}"),
        key("log", Shape::Table(&LOG), "The program's own log.", r#"{ format = "json" }"#).default("{}"),
    ],
);

pub const BUSINESS: Section = Section::of(
    "[business]",
    &[
        key("name", Shape::Text, "The business's name, as customers know it.", r#""Harbour Coffee Club""#).required(),
        key("postal_address", Shape::Text, "The address printed under letters.", r#""1 Quay Street, Bristol BS1 4XX""#),
        key("phone", Shape::Text, "The number customers can call, in international form.", r#""+442071838750""#),
        key("email", Shape::Text, "The address customers can write to.", r#""hello@harbour.example""#),
        key("website", Shape::Text, "The business's own site.", r#""https://harbour.example""#),
        key(
            "logo",
            Shape::Text,
            "The picture on the pages for customers: a file from the home folder, or a `data:image/` address.",
            r#""config/logo.svg""#,
        )
        .otherwise("the name alone"),
        key("colour", Shape::Text, "The colour of buttons and links on the pages for customers.", r##""#7a3b12""##)
            .otherwise("a quiet blue"),
        key(
            "time_zone",
            Shape::Zone,
            "The business's time, and that of customers without a zone.",
            r#""Europe/London""#,
        )
        .required(),
        key("locale", Shape::Text, "The language and region of customers without one (BCP 47).", r#""en-GB""#)
            .default(r#""en""#),
        key("country", Shape::Text, "How phone numbers without a `+` are read (ISO 3166, two letters).", r#""GB""#)
            .required(),
        key("currency", Shape::Text, "The currency of all money (ISO 4217, three letters).", r#""GBP""#).required(),
    ],
);

pub const DATABASE: Section = Section::of(
    "[database]",
    &[key(
        "url",
        Shape::Secret,
        "`sqlite://path` from the home folder, or `postgres://user:${DB_PASSWORD}@host/name`.",
        r#""sqlite://var/plusone.db""#,
    )
    .default(r#""sqlite://var/plusone.db""#)],
);

pub const WEB: Section = Section::of(
    "[web]",
    &[
        key("listen", Shape::Text, "Address and port of the web server.", r#""127.0.0.1:8470""#)
            .default(r#""127.0.0.1:8470""#),
        key(
            "public_url",
            Shape::Text,
            "How customers' browsers reach the web server.",
            r#""https://plus.harbour.example""#,
        )
        .otherwise("`http://` and `listen`"),
    ],
);

pub const CHANNELS: Section = Section::of(
    "[channels]",
    &[
        key(
            "email",
            Shape::Table(&EMAIL),
            "Email.",
            r#"{ from = "Harbour Coffee <hello@harbour.example>", providers = ["outbox"] }"#,
        )
        .otherwise("no email is sent"),
        key("sms", Shape::Table(&SMS), "Text messages.", r#"{ from = "+442071838750", providers = ["outbox"] }"#)
            .otherwise("no text message is sent"),
        key("voice", Shape::Table(&VOICE), "Phone calls.", r#"{ from = "+442071838750", providers = ["outbox"] }"#)
            .otherwise("nobody is called"),
    ],
);

const PROVIDERS_KEY: Key = key(
    "providers",
    Shape::List(&Shape::Text),
    "Names from [providers]: the first healthy one sends, the next is the fallback.",
    r#"["outbox"]"#,
)
.required();

pub const EMAIL: Section = Section::of(
    "[channels.email]",
    &[
        key(
            "from",
            Shape::Text,
            "The sender: an address, or a name and an address.",
            r#""Harbour Coffee <hello@harbour.example>""#,
        )
        .required(),
        PROVIDERS_KEY,
    ],
);

pub const SMS: Section = Section::of(
    "[channels.sms]",
    &[
        key(
            "from",
            Shape::Text,
            "The sender: a number in international form, or up to eleven letters and digits.",
            r#""+442071838750""#,
        )
        .required(),
        PROVIDERS_KEY,
        key(
            "opt_out",
            Shape::Table(&OPT_OUT),
            "How promotional text messages say that an answer stops them.",
            r#"{ every = "always" }"#,
        )
        .default("{}"),
    ],
);

pub const OPT_OUT: Section = Section::of(
    "`opt_out`",
    &[
        key(
            "every",
            Shape::OneOf(&["always", "first", "never"]),
            "Which promotional text messages say it: all, the first to a number, or none, where templates say it.",
            r#""first""#,
        )
        .default(r#""always""#),
        key(
            "words",
            Shape::Table(&OPT_OUT_WORDS),
            "What they say, by language; each names a word such as STOP.",
            r#"{ nl = "Antwoord STOP om je af te melden." }"#,
        )
        .default("{}"),
    ],
);

pub const OPT_OUT_WORDS: Section = Section::named(
    "`words`",
    Named {
        what: "language",
        form: NameForm::Free,
        shape: Shape::Text,
        about: "A language, or a language and a region. English, French, German and Spanish are there already.",
        example: r#""Antwoord STOP om je af te melden.""#,
    },
);

pub const VOICE: Section = Section::of(
    "[channels.voice]",
    &[
        key("from", Shape::Text, "The number that calls, in international form.", r#""+442071838750""#).required(),
        PROVIDERS_KEY,
        key(
            "stop_key",
            Shape::Integer { min: 0, max: 9 },
            "The key that stops calls, where a call's menu has none.",
            "9",
        )
        .default("9"),
    ],
);

pub const PROVIDERS: Section = Section::named(
    "[providers]",
    Named {
        what: "provider",
        form: NameForm::Dashed,
        shape: Shape::Tagged { tag: "type", variants: &[("folder", &FOLDER), ("smtp", &SMTP), ("twilio", &TWILIO)] },
        about: "A way out: a folder of files, an SMTP relay, a Twilio account.",
        example: r#"{ type = "folder", path = "var/outbox" }"#,
    },
);

const TYPE: Key = key(
    "type",
    Shape::OneOf(&["folder", "smtp", "twilio"]),
    "What the provider is: a folder, an SMTP relay, a Twilio account.",
    r#""folder""#,
)
.required();

const RATE: Key = key("rate", Shape::Rate, "At most so many messages in a second, minute, hour or day.", r#""100/s""#)
    .otherwise("as fast as the provider takes them");

pub const FOLDER: Section = Section::of(
    "a provider of type `folder`",
    &[TYPE, key("path", Shape::Text, "The folder: every message becomes a file there.", r#""var/outbox""#).required()],
);

pub const SMTP: Section = Section::of(
    "a provider of type `smtp`",
    &[
        TYPE,
        key(
            "url",
            Shape::Secret,
            "`smtps://user:${SMTP_PASSWORD}@host:465`, `smtp://` for STARTTLS, `?tls=none` for a relay on this host.",
            r#""smtp://127.0.0.1:25?tls=none""#,
        )
        .required(),
        key("connections", Shape::Integer { min: 1, max: 200 }, "Connections kept open to the relay.", "20")
            .default("10"),
        RATE,
        key(
            "ca_file",
            Shape::Text,
            "Certificates (PEM) that vouch for the relay, besides the system's.",
            r#""config/relay-ca.pem""#,
        )
        .otherwise("the system's certificates"),
    ],
);

pub const TWILIO: Section = Section::of(
    "a provider of type `twilio`",
    &[
        TYPE,
        key(
            "account_sid",
            Shape::Text,
            "The account's SID, which begins with `AC`.",
            r#""AC00000000000000000000000000000000""#,
        )
        .required(),
        key(
            "auth_token",
            Shape::Secret,
            "The account's secret; keep it in the environment.",
            r#""${TWILIO_AUTH_TOKEN}""#,
        )
        .required(),
        RATE,
        key(
            "price",
            Shape::Table(&PRICE),
            "What a message costs, for the guard and the log.",
            r#"{ sms = "0.042", voice = "0.015" }"#,
        )
        .default("{}"),
        key(
            "api_base",
            Shape::Text,
            "Another address of the provider: a regional host, a test.",
            r#""https://api.twilio.com""#,
        )
        .otherwise("the provider's own"),
        key(
            "webhook_keys",
            Shape::Table(&WEBHOOK_KEYS),
            "Shared keys that the provider signs its callbacks with, by their ids.",
            r#"{ webhooks_sharedkey_01 = "${TWILIO_WEBHOOK_KEY}" }"#,
        )
        .otherwise("it signs with `auth_token`"),
    ],
);

pub const WEBHOOK_KEYS: Section = Section::named(
    "`webhook_keys`",
    Named {
        what: "key",
        form: NameForm::Free,
        shape: Shape::Secret,
        about: "A shared key's secret.",
        example: r#""${TWILIO_WEBHOOK_KEY}""#,
    },
);

pub const PRICE: Section = Section::of(
    "`price`",
    &[
        key("sms", Shape::Money, "Of one segment of a text message.", r#""0.042""#).otherwise("not counted"),
        key("voice", Shape::Money, "Of one minute of a call.", r#""0.015""#).otherwise("not counted"),
    ],
);

pub const TOPICS: Section = Section::named(
    "[topics]",
    Named {
        what: "topic",
        form: NameForm::Dashed,
        shape: Shape::Table(&TOPIC),
        about: "What a customer can leave: deliveries, reminders, offers.",
        example: r#"{ purpose = "transactional", name = "Reminders" }"#,
    },
);

pub const TOPIC: Section = Section::of(
    "a topic",
    &[
        key(
            "purpose",
            Shape::OneOf(&["transactional", "promotional"]),
            "What the law asks: `transactional` for what customers wait for, `promotional` needs their yes.",
            r#""transactional""#,
        )
        .required(),
        key("name", Shape::Text, "As customers read it.", r#""Delivery updates""#).required(),
        key(
            "quiet_hours",
            Shape::OneOrMany(&Shape::Window),
            "When the topic is silent on every channel, in the customer's time, besides the channel's own quiet hours.",
            r#"["18:00-10:00", "Sun"]"#,
        )
        .otherwise("only the channel's"),
        key(
            "opt_in",
            Shape::OneOf(&["single", "double", "soft"]),
            "What a promotional message needs: a yes; a yes confirmed by the link in a mail; or, by email and SMS, a purchase without a no.",
            r#""double""#,
        )
        .default(r#""single""#),
        key(
            "soft_opt_in",
            Shape::Text,
            "With `opt_in = \"soft\"`: the condition that says who has bought.",
            r#""customer.orders.size() > 0""#,
        )
        .otherwise("required with `soft`, nothing else reads it"),
    ],
);

pub const COURTESY: Section = Section::of(
    "[courtesy]",
    &[
        key(
            "quiet_hours",
            Shape::Table(&QUIET_HOURS),
            "When each channel is silent, in the customer's local time; messages wait for the end.",
            r#"{ sms = ["20:00-09:00", "Sun"], email = "22:00-07:00" }"#,
        )
        .default("{}"),
        key(
            "legal_hours",
            Shape::Table(&super::hours::LEGAL_HOURS),
            "When each channel may be used at all, whatever a rule says; the laws of countries besides.",
            r#"{ voice = "08:00-21:00" }"#,
        )
        .default("{}"),
        super::courtesy::CAPS,
        super::courtesy::HOLDOUT,
        super::courtesy::NO_PROMOTIONS_WHILE,
    ],
);

pub const QUIET_HOURS: Section = Section::of(
    "`quiet_hours`",
    &[
        key("email", Shape::OneOrMany(&Shape::Window), "When no email goes out.", r#""22:00-07:00""#)
            .otherwise("never"),
        key("sms", Shape::OneOrMany(&Shape::Window), "When no text message goes out.", r#"["20:00-09:00", "Sun"]"#)
            .otherwise("never"),
        key(
            "voice",
            Shape::OneOrMany(&Shape::Window),
            "When nobody is called.",
            r#"["20:00-09:00", "Sun", "holidays"]"#,
        )
        .otherwise("never"),
    ],
);

pub const GUARD: Section = Section::of(
    "[guard]",
    &[
        key(
            "max_recipients",
            Shape::Integer { min: 0, max: i64::MAX },
            "A run that would reach more waits for approval.",
            "5000",
        )
        .otherwise("no limit"),
        key(
            "max_share",
            Shape::Share,
            "A run that would reach more of all customers waits (from 200 customers on); `\"100%\"` says that all of them may be reached.",
            r#""25%""#,
        )
        .otherwise("no limit"),
        key("max_cost", Shape::Money, "A run that would cost more, by the providers' prices, waits.", r#""100.00""#)
            .otherwise("no limit"),
        key(
            "max_growth",
            Shape::Integer { min: 1, max: 1_000_000 },
            "A run that would reach more than so many times the median of the rule's last ten runs waits (from 50 customers and three runs on).",
            "3",
        )
        .default("3"),
        key(
            "max_bounce",
            Shape::Share,
            "A rule of whose messages of seven days a larger share met addresses that do not exist pauses itself (from 20 messages on).",
            r#""5%""#,
        )
        .default(r#""5%""#),
        key(
            "max_complaint",
            Shape::Share,
            "A rule of whose messages of seven days a larger share was complained about pauses itself (from 20 messages on).",
            r#""0.3%""#,
        )
        .default(r#""0.3%""#),
        key(
            "only_to",
            Shape::List(&Shape::Text),
            "Addresses and numbers of a test system, `*` for any text; everyone else is skipped.",
            r#"["*@harbour.example", "+44207946*"]"#,
        )
        .otherwise("everyone"),
    ],
);

pub const RETENTION: Section = Section::of(
    "[retention]",
    &[
        key("words", Shape::Span, "How long the words of a message are kept.", r#""180d""#).default(r#""180d""#),
        key(
            "touchpoints",
            Shape::Span,
            "How long more than the bare row of a touchpoint is kept: address, facts, events, codes. What was sent once \
             is never sent again because it was forgotten.",
            r#""3y""#,
        )
        .default(r#""3y""#),
    ],
);

pub const LOG: Section = Section::of(
    "[log]",
    &[key("format", Shape::OneOf(&["text", "json"]), "Lines to read, or JSON for a machine.", r#""json""#)
        .default(r#""text""#)],
);
