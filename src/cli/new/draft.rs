//! The files of a new rule.

use super::fields::{self, Asked};
use super::words::Message;
use crate::app::rule_path;
use crate::catalogue::{CUSTOMER, Catalogue, Entity};
use crate::config::{Files, TEMPLATES, basic_string as quoted, test_path};
use crate::rules::{Channel, Purpose};
use crate::settings::Settings;
use crate::time::Date;
use std::fmt::Write;

/// What a new rule is made from.
pub struct Draft<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub settings: &'a Settings,
    pub catalogue: &'a Catalogue,
    /// What each message is about.
    pub entity: &'a Entity,
    pub topic: &'a str,
    pub purpose: Purpose,
    pub channel: Channel,
    /// Those by which customers can be reached.
    pub channels: Vec<Channel>,
    pub today: Date,
}

/// Where comments begin.
const COMMENTS: usize = 38;

impl Draft<'_> {
    /// The files by their paths from the home folder, in the order in which they are looked at.
    pub fn files(&self, there: &Files) -> Vec<(String, String)> {
        let has =
            |name: &str| there.under(TEMPLATES).any(|(path, _)| path.ends_with(&format!("/_partials/{name}.hbs")));
        let mut printed = fields::printed(self.catalogue, self.catalogue.customer());
        if !self.is_of_customers() {
            printed.splice(0..0, fields::printed(self.catalogue, self.entity));
        }
        let message = Message {
            locale: &self.settings.business.locale,
            name: self.catalogue.roles.name.as_deref(),
            printed,
            promotional: self.purpose == Purpose::Promotional,
            framed: has("letter-start") && has("letter-end"),
        };
        let parts = message.parts(self.channel).into_iter();
        let parts = parts.map(|(part, text)| (format!("{TEMPLATES}/{}/{part}", self.name), text));
        let mut files = vec![(rule_path(self.name), self.rule())];
        files.extend(parts);
        files.push((test_path(self.name), self.tests()));
        files
    }

    fn is_of_customers(&self) -> bool {
        self.entity.name == CUSTOMER
    }

    /// What the rule asks for at first.
    fn asks_first(&self) -> Option<Asked<'_>> {
        fields::asked(self.catalogue, self.entity).into_iter().next()
    }

    fn rule(&self) -> String {
        let topics = self.settings.topics.iter().map(|(name, topic)| match topic.purpose {
            Purpose::Promotional => format!("{name} (needs their yes)"),
            Purpose::Transactional => name.clone(),
        });
        let topics = topics.collect::<Vec<_>>().join(", ");
        let channels = self.channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ");
        let each = (!self.is_of_customers()).then(|| {
            let comment = format!("one message for each {}, and never a second one", self.entity.name);
            commented(&format!("for_each = {}", quoted(&self.entity.name)), &comment)
        });
        let again = match self.is_of_customers() {
            true => commented("again_after = \"90d\"", "no second one before 90 days; without this line none ever"),
            false => commented("# again_after = \"7d\"", "to one customer not two within 7 days"),
        };
        [
            "#:schema ../.schema/rule.schema.json\n".to_owned(),
            commented(&format!("description = {}", quoted(self.description)), "customers may read it"),
            commented("# live = true", "take the first # away to let it send; until then it is a draft"),
            commented("kind = \"reminder\"", "status, reminder, offer or survey"),
            commented(&format!("topic = {}", quoted(self.topic)), &format!("what customers can leave: {topics}")),
            commented("schedule = \"every day at 10am\"", "or \"every monday at 17:00\", \"every 15 minutes\""),
            each.unwrap_or_default(),
            commented("when = [", "all must hold: take the # from what you need, and put one before the rest"),
            self.conditions(),
            "]\n".to_owned(),
            again,
            commented(
                &format!("channels = [\"{}\"]", self.channel),
                &format!("of {channels}; of several the first that can be used"),
            ),
            commented(&format!("template = {}", quoted(self.name)), "the folder with the words, under templates"),
        ]
        .concat()
    }

    fn conditions(&self) -> String {
        let first = self.asks_first().map(|asked| asked.condition);
        let mut others = fields::conditions(self.catalogue, self.entity);
        if !self.is_of_customers() {
            others.extend(fields::conditions(self.catalogue, self.catalogue.customer()));
        }
        // Of those without a field to ask about there is nothing to say but that they are there.
        let first = first.unwrap_or_else(|| format!("has({}.{})", self.entity.name, self.entity.key));
        let mut text = format!("  {},\n", literal(&first));
        for other in others.iter().filter(|other| **other != first) {
            let _ = writeln!(text, "  # {},", literal(other));
        }
        text
    }

    /// One customer who gets it and one who does not: what the rule says by itself. That nobody is written to without a
    /// yes, or again too soon, holds for every rule and needs no test of its own.
    fn tests(&self) -> String {
        let sent = format!("expect = {{ channel = \"{}\" }}\n", self.channel);
        let mut tests = "#:schema ../.schema/test.schema.json\n\
             # What the rule must do, and what it must not, with made-up customers. `plusone check` tries it. Where that says\n\
             # STOPS, give the customer here the value that the rule asks for: a yes or no is `true` or `false`, money has a\n\
             # point, and days count from `now`.\n"
            .to_owned();
        tests += &self.test("whoever fits gets it", true, &sent);
        if self.asks_first().is_some() {
            tests += &self.test("whoever does not fit is left alone", false, "expect = \"not selected\"\n");
        }
        tests
    }

    /// One test; `fits` says whether the conditions hold.
    fn test(&self, name: &str, fits: bool, expect: &str) -> String {
        let yes = match self.purpose {
            Purpose::Promotional => format!("consent = {{ {} = true }}\n", self.topic),
            Purpose::Transactional => String::new(),
        };
        let asked = fields::asked(self.catalogue, self.entity);
        let value =
            |asked: &Asked<'_>| format!("{} = {}", asked.field.name, if fits { &asked.holds } else { &asked.fails });
        let row: Vec<String> = asked.iter().map(value).collect();
        let (role, address) = match self.channel {
            Channel::Email => (&self.catalogue.roles.email, "ann@example.com"),
            Channel::Sms | Channel::Voice => (&self.catalogue.roles.phone, "+447400123456"),
        };
        let mut customer: Vec<String> = role.iter().map(|role| format!("{role} = {}", quoted(address))).collect();
        let mut list = String::new();
        if self.is_of_customers() {
            customer.extend(row);
        } else {
            list = self.nested(&row.join(", ")) + "\n";
        }
        let at = self.today.naive();
        format!(
            "\n[[test]]\nname = {}\nnow = {at}T12:00:00\ncustomer = {{ {} }}\n{list}{yes}{expect}",
            quoted(name),
            customer.join(", ")
        )
    }

    /// A row of what each message is about, within what it belongs to: `orders = [{ lines = [{ … }] }]`.
    fn nested(&self, row: &str) -> String {
        let path = self.catalogue.path_to_customer(&self.entity.name).unwrap_or_default();
        let between = path.iter().filter_map(|link| self.catalogue.entity(&link.entity));
        let between = between.filter(|entity| entity.name != CUSTOMER);
        std::iter::once(self.entity)
            .chain(between)
            .fold(row.to_owned(), |row, entity| format!("{} = [{{ {row} }}]", entity.plural))
    }
}

/// A condition as a string of TOML: in single quotes, as its own are double.
fn literal(condition: &str) -> String {
    if condition.contains('\'') { quoted(condition) } else { format!("'{condition}'") }
}

/// A line with its comment, those of a file one below the other.
fn commented(code: &str, comment: &str) -> String {
    let width = COMMENTS.max(code.chars().count() + 2);
    format!("{code:<width$}# {comment}\n")
}
