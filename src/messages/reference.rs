//! What each helper and block of templates is for: the reference, and what is said of one that is written wrongly.
//!
//! 1. Every helper has one sentence and one example. The examples are compiled against the sample business by a test.

use super::tree::Helper;

/// A helper or a block, as the reference tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct About {
    pub name: &'static str,
    /// An example.
    pub form: &'static str,
    /// The entity that the example is about.
    pub entity: &'static str,
    pub meaning: &'static str,
}

const fn about(name: &'static str, entity: &'static str, form: &'static str, meaning: &'static str) -> About {
    About { name, form, entity, meaning }
}

impl Helper {
    /// What the reference says of it.
    pub const fn about(self) -> About {
        let name = self.as_str();
        let (entity, form, meaning) = match self {
            Self::Date => (
                "tasting",
                "{{date tasting.starts_at format=\"long\"}}",
                "a date as the customer's language writes it; formats `short medium long full weekday`, without one `medium`",
            ),
            Self::Time => ("tasting", "{{time tasting.starts_at}}", "the time of day, in the customer's zone"),
            Self::Money => ("cart", "{{money cart.total}}", "an amount in the business's currency"),
            Self::Number => ("tasting", "{{number tasting.guests}}", "a number as the customer's language writes it"),
            Self::Plural => (
                "tasting",
                "{{plural tasting.guests one=\"# guest\" other=\"# guests\"}}",
                "the form that the language wants for a number; `#` is the number",
            ),
            Self::Default => (
                "customer",
                "{{default customer.first_name \"there\"}}",
                "the value, or the second where it is missing",
            ),
            Self::Link => ("customer", "{{link \"https://harbour.example/carts\"}}", "a web address, whole"),
            Self::Top => (
                "cart",
                "{{#each (top cart.lines 5 by=\"price\")}}{{money price}} {{/each}}",
                "for `each`: so many rows, the greatest first",
            ),
            Self::Eq => {
                ("delivery", "{{#if (eq delivery.status \"late\")}}Sorry!{{/if}}", "whether two values are equal")
            }
            Self::Ne => {
                ("delivery", "{{#if (ne delivery.status \"late\")}}Good news!{{/if}}", "whether two values differ")
            }
            Self::Lt => ("cart", "{{#if (lt cart.total 50)}}Delivery is 3.90.{{/if}}", "whether the first is less"),
            Self::Lte => {
                ("cart", "{{#if (lte cart.total 50)}}Delivery is 3.90.{{/if}}", "whether the first is less, or equal")
            }
            Self::Gt => ("cart", "{{#if (gt cart.total 50)}}Delivery is on us.{{/if}}", "whether the first is greater"),
            Self::Gte => (
                "cart",
                "{{#if (gte cart.total 50)}}Delivery is on us.{{/if}}",
                "whether the first is greater, or equal",
            ),
            Self::And => (
                "cart",
                "{{#if (and (gt cart.total 50) customer.email_opt_in)}}A treat.{{/if}}",
                "whether all of them hold",
            ),
            Self::Or => (
                "cart",
                "{{#if (or (gt cart.total 50) customer.email_opt_in)}}A treat.{{/if}}",
                "whether any of them holds",
            ),
            Self::Not => ("customer", "{{#if (not customer.email_opt_in)}}Hear more from us?{{/if}}", "the contrary"),
        };
        about(name, entity, form, meaning)
    }
}

/// The blocks that a template may open.
pub const BLOCKS: [About; 4] = [
    about(
        "if",
        "cart",
        "{{#if customer.first_name}}Dear {{customer.first_name}}{{else}}Hello{{/if}}",
        "what stands inside where the value is there and is not blank, false, zero or an empty list; else what follows `{{else}}`",
    ),
    about(
        "unless",
        "customer",
        "{{#unless customer.email_opt_in}}Hear more from us?{{/unless}}",
        "what stands inside where `if` would not hold",
    ),
    about(
        "each",
        "cart",
        "{{#each cart.lines}}{{number quantity}} for {{money price}} {{else}}Nothing.{{/each}}",
        "what stands inside for each row of a list, at most 50; else what follows `{{else}}`",
    ),
    about(
        "with",
        "cart_line",
        "{{#if cart_line.product}}{{#with cart_line.product}}{{name}}{{/with}}{{/if}}",
        "what stands inside, with the fields of a row by their own names",
    ),
];
