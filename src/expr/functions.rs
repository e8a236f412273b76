//! What conditions can call, as a reference: for `explain functions` and for nearest names.

/// A function, an operator or a list macro.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    pub name: &'static str,
    /// How it is written.
    pub form: &'static str,
    pub meaning: &'static str,
}

const fn function(name: &'static str, form: &'static str, meaning: &'static str) -> Function {
    Function { name, form, meaning }
}

/// Called by themselves: `days_since(x)`.
pub const CALLED: [Function; 13] = [
    function("has", "has(customer.tier)", "whether a value is there; never unknown"),
    function("ago", "ago(\"60d\")", "the instant so long before now; a day is 24 hours"),
    function("ahead", "ahead(\"2d\")", "the instant so long after now; a day is 24 hours"),
    function("today", "today()", "the date in the rule's zone"),
    function("days_since", "days_since(customer.joined_on)", "calendar days from a date or a timestamp to today"),
    function("days_until", "days_until(customer.card_expires_on)", "calendar days from today to a date or a timestamp"),
    function("years_since", "years_since(customer.birthday)", "anniversaries passed since a date"),
    function(
        "days_between",
        "days_between(order.placed_at, order.sent_at)",
        "calendar days from the first to the second",
    ),
    function(
        "is_anniversary",
        "is_anniversary(customer.birthday)",
        "whether month and day are today's; 29 February is kept on the 28th in other years",
    ),
    function(
        "days_until_anniversary",
        "days_until_anniversary(customer.birthday)",
        "days until month and day come round; 0 on the day",
    ),
    function("duration", "duration(\"4h\")", "an elapsed time in hours, minutes and seconds"),
    function("timestamp", "timestamp(\"2026-11-03T09:00:00Z\")", "an instant"),
    function("size", "size(customer.orders)", "how many there are"),
];

/// Called on a text: `customer.email.endsWith(".example")`.
pub const ON_TEXT: [Function; 5] = [
    function("startsWith", "x.startsWith(\"a\")", "whether a text begins so"),
    function("endsWith", "x.endsWith(\"z\")", "whether a text ends so"),
    function("contains", "x.contains(\"m\")", "whether a text has that in it"),
    function("matches", "x.matches(\"^[A-Z]{2}\")", "whether a pattern is found in a text"),
    function("lower", "x.lower()", "the text with A to Z as a to z"),
];

/// Called on a list: `customer.orders.exists(o, o.total > 20)`.
pub const ON_LISTS: [Function; 8] = [
    function("exists", "customer.orders.exists(o, o.total > 20)", "whether it is true of any"),
    function(
        "all",
        "customer.orders.all(o, o.total > 20)",
        "whether it is true of every one; true where there is none",
    ),
    function("filter", "customer.orders.filter(o, o.total > 20)", "those of which it is true, for a further call"),
    function("size", "customer.orders.size()", "how many there are"),
    function("sum", "customer.orders.sum(o, o.total)", "the sum; 0 where there is none"),
    function("min", "customer.orders.min(o, o.total)", "the least; missing where there is none"),
    function("max", "customer.orders.max(o, o.placed_at)", "the greatest; missing where there is none"),
    function("avg", "customer.orders.avg(o, o.total)", "the average; missing where there is none"),
];
