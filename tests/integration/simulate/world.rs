//! Shops that follow from a seed: customers, carts, rules of every make, offers, caps, hours, a past.

use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{WAY_OUT, home, rule};
use plusone::time::{Span, Timestamp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

const DATA: &str = r#"
[customer]
source = "customers.csv"
key = "id"
roles = { email = "email", phone = "phone", time_zone = "zone" }
[customer.fields]
id = "text"
email = "text"
phone = "text"
zone = "text"
tier = "text"
joined = "date"
birthday = "date"
yes = "boolean"
[customer.consent]
offers = { email = "yes", sms = "yes", source = "the shop" }
[cart]
source = "carts.csv"
key = "id"
belongs_to = { customer = "customer_id" }
absent = "keep"
[cart.fields]
id = "text"
customer_id = "text"
status = "text"
updated_at = "timestamp"
total = "money"
"#;

const ZONES: [&str; 5] = ["Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", ""];

/// Conditions on carts and on customers, with what they hang on.
const OF_CARTS: [&str; 7] = [
    "cart.status == \"open\"",
    "cart.updated_at < ago(\"4h\")",
    "cart.updated_at > ago(\"30h\")",
    "cart.updated_at < ahead(\"5h\")",
    "cart.total >= 20",
    "days_since(cart.updated_at) >= 1",
    "customer.tier != \"gold\"",
];
const OF_CUSTOMERS: [&str; 9] = [
    "customer.id != \"\"",
    "customer.joined < today()",
    "is_anniversary(customer.birthday)",
    "days_until_anniversary(customer.birthday) <= 1",
    "customer.carts.exists(k, k.updated_at < ago(\"20h\") && k.status == \"open\")",
    "customer.carts.max(k, k.updated_at) < ago(\"1d\")",
    "size(customer.carts.filter(k, k.updated_at < ago(\"6h\"))) >= 2",
    "!customer.carts.exists(k, k.updated_at > ago(\"12h\"))",
    "years_since(customer.birthday) >= 30 || customer.tier == \"gold\"",
];
const NEVER: [&str; 5] = [
    "[]",
    "['customer.tier == \"basic\"']",
    "['customer.carts.exists(k, k.updated_at > ago(\"3h\"))']",
    "['customer.touchpoints.exists(t, t.rule == \"rule-0\" && t.sent_at > ago(\"1d\"))']",
    "['days_since(customer.joined) > 400']",
];

/// A shop.
pub struct World {
    chance: StdRng,
    now: Timestamp,
}

impl World {
    /// What the seed gives, seen at `now`.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        Self { chance: StdRng::seed_from_u64(seed), now }
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words.choose(&mut self.chance).expect("some")
    }

    fn often(&mut self, share: f64) -> bool {
        self.chance.random_bool(share)
    }

    /// Writes the shop.
    pub fn home(&mut self, database: Option<&Database>) -> Home {
        let caps = [
            "",
            "caps = [{ purpose = \"promotional\", max = 1, per = \"1d\" }]\n",
            "caps = [{ max = 2, per = \"day\" }, { channel = \"email\", max = 3, per = \"36h\" }]\n",
        ];
        let hours = ["", "quiet_hours = { email = \"22:00-07:00\", sms = [\"20:00-09:00\", \"Sun\"] }\n"];
        let moments =
            ["", "no_promotions_while = { has_cart = 'customer.carts.exists(k, k.updated_at > ago(\"9h\"))' }\n"];
        let holdout = ["", "holdout = \"20%\"\n"];
        let guard = ["max_share = \"100%\"\n", "max_recipients = 3\n"];
        let courtesy = [self.pick(&caps), self.pick(&hours), self.pick(&moments), self.pick(&holdout)].concat();
        let more = format!("[courtesy]\n{courtesy}[guard]\n{}", self.pick(&guard));
        let mut settings = Settings { more, ..Settings::default() };
        if let Some(database) = database {
            settings.database.clone_from(&database.url);
        }
        let home = home(&settings).file("config/data.toml", DATA);
        home.write("templates/note/email.txt.hbs", WAY_OUT);
        home.write("templates/note/voice.hbs", "Hello");
        let unused = self.pick(&["keep", "return"]);
        let offer = format!(
            "description = \"A plus one\"\nvalue = 2.50\ncost = 1.00\nbudget = {{ total = 9, per_day = 3 }}\n\
             per_customer = {{ max = 1, per = \"{}\" }}\neligible = ['customer.tier != \"basic\"']\n\
             code = {{ pattern = \"COOKIE-######\" }}\nvalid_for = \"{}\"\nunused = \"{unused}\"\n",
            self.pick(&["1d", "30d"]),
            self.pick(&["1d", "60d"]),
        );
        home.write("config/offers/cookie.toml", &offer);
        home.write("customers.csv", &self.customers());
        home.write("carts.csv", &self.carts());
        for number in 0..self.chance.random_range(3..7) {
            let text = self.rule(number);
            home.write(&format!("config/rules/rule-{number}.toml"), &text);
        }
        home
    }

    fn customers(&mut self) -> String {
        let mut text = "id,email,phone,zone,tier,joined,birthday,yes\n".to_owned();
        for number in 0..14 {
            let email =
                if self.often(0.85) { format!("c{}@shop.test", number - number % 5 / 4) } else { String::new() };
            let phone = if self.often(0.8) { format!("+4479111{}", 20_000 + number) } else { String::new() };
            let zone = self.pick(&ZONES);
            let tier = self.pick(&["gold", "basic", "silver", ""]);
            let joined = self.day(-600, 3);
            let birthday = self.day(-4, 4).replacen("20", "19", 1);
            let yes = self.pick(&["yes", "yes", "no", ""]);
            text.push_str(&format!("c{number},{email},{phone},{zone},{tier},{joined},{birthday},{yes}\n"));
        }
        text
    }

    fn carts(&mut self) -> String {
        let mut text = "id,customer_id,status,updated_at,total\n".to_owned();
        for number in 0..24 {
            let (customer, status) = (self.chance.random_range(0..14), self.pick(&["open", "open", "paid"]));
            let at = self.now.plus(Span::from_seconds(60 * self.chance.random_range(-3_000..3_000)));
            let total = self.chance.random_range(5..60);
            text.push_str(&format!("k{number},c{customer},{status},{at},{total}\n"));
        }
        text
    }

    fn day(&mut self, from: i64, to: i64) -> String {
        let days = self.now.date(chrono_tz::UTC).days() + self.chance.random_range(from..to);
        plusone::time::Date::from_days(days).to_string()
    }

    fn rule(&mut self, number: usize) -> String {
        let of_carts = self.often(0.4);
        let series = number > 0 && self.often(0.2);
        let promotional = self.often(0.6);
        let mut keys: Vec<(&str, String)> = vec![
            ("topic", if promotional { "\"offers\"" } else { "\"reminders\"" }.to_owned()),
            ("kind", self.pick(&["\"reminder\"", "\"status\"", "\"reminder\""]).to_owned()),
            ("priority", self.pick(&["10", "50", "50", "90"]).to_owned()),
            ("unless", self.pick(&NEVER).to_owned()),
        ];
        let schedules = [
            "\"every hour\"",
            "\"every 15 minutes\"",
            "\"every day at 9am\"",
            "\"every 3 hours\"",
            "\"every weekday at 17:30\"",
            "\"*/20 9-11 * * *\"",
        ];
        keys.push(("schedule", self.pick(&schedules).to_owned()));
        keys.push(("channels", self.pick(&["[\"email\"]", "[\"sms\", \"email\"]", "[\"email\", \"sms\"]"]).to_owned()));
        keys.push(("expires_after", self.pick(&["\"2h\"", "\"1d\"", "\"3d\""]).to_owned()));
        if series {
            keys.push(("for_each", "\"touchpoint\"".to_owned()));
            let when = "['touchpoint.rule == \"rule-0\"', 'touchpoint.sent_at < ago(\"7h\")']";
            keys.push(("when", when.to_owned()));
        } else {
            let (first, second) = if of_carts {
                (self.pick(&OF_CARTS), self.pick(&OF_CARTS))
            } else {
                (self.pick(&OF_CUSTOMERS), self.pick(&OF_CUSTOMERS))
            };
            keys.push(("when", format!("['{first}', '{second}']")));
        }
        if of_carts && !series {
            keys.push(("for_each", "\"cart\"".to_owned()));
            let once = ["[\"cart\"]", "[\"cart\", \"cart.status\"]", "[\"customer\", \"day\"]", "[\"cart\", \"day\"]"];
            keys.push(("once_per", self.pick(&once).to_owned()));
        } else if self.often(0.5) {
            let once = ["[\"customer\", \"day\"]", "[\"customer\", \"week\"]", "\"customer\"", "\"year\""];
            let once = if series { "[\"customer\"]" } else { self.pick(&once) };
            keys.push(("once_per", once.to_owned()));
        }
        self.more(promotional, &mut keys);
        let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (*name, value.as_str())).collect();
        rule(&keys)
    }

    /// What not every rule has.
    fn more(&mut self, promotional: bool, keys: &mut Vec<(&'static str, String)>) {
        let seldom: [(f64, &str, &[&'static str]); 9] = [
            (0.4, "again_after", &["\"5h\"", "\"1d\"", "\"26h\""]),
            (0.4, "on_cap", &["\"defer\"", "\"drop\""]),
            (0.3, "time_zone", &["\"customer\"", "\"America/New_York\""]),
            (0.2, "pace", &["\"1/h\"", "\"4/h\""]),
            (0.2, "holdout", &["\"30%\""]),
            (0.2, "existing", &["\"skip\"", "\"include\""]),
            (0.1, "counts_toward_cap", &["false"]),
            (0.1, "recheck", &["false"]),
            (0.3, "offer", &["[\"cookie\"]"]),
        ];
        for (share, name, values) in seldom {
            if self.often(share) && (name != "offer" || promotional) {
                keys.push((name, self.pick(values).to_owned()));
            }
        }
        if self.often(0.15) {
            let (from, until) = (self.day(0, 2), self.day(2, 4));
            keys.push(("live", format!("{{ from = {from}, until = {until} }}")));
        }
    }
}
