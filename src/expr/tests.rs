//! Conditions: what is refused and how it is told, and the SQL that is written.

use super::*;
use crate::catalogue::{CUSTOMER, Computed, Entity, Field, Link};

fn entity(name: &str, plural: &str, fields: &[(&str, Type)], parent: Option<&str>) -> Entity {
    let mut entity = Entity::new(name, "id");
    entity.plural = plural.to_owned();
    entity.fields.extend(fields.iter().map(|(name, ty)| Field::new(name, *ty)));
    if let Some(parent) = parent {
        let field = format!("{parent}_id");
        entity.fields.push(Field::new(&field, Type::Text));
        entity.belongs_to.push(Link { entity: parent.to_owned(), field });
    }
    entity
}

fn catalogue() -> Catalogue {
    let fields = [
        ("tier", Type::Text),
        ("points", Type::Integer),
        ("spent", Type::Money),
        ("rate", Type::Decimal(4)),
        ("vip", Type::Boolean),
        ("birthday", Type::Date),
        ("last_order_at", Type::Timestamp),
    ];
    let mut customer = entity(CUSTOMER, "customers", &fields, None);
    customer.fields[1].one_of = ["basic", "silver", "gold"].map(str::to_owned).to_vec();
    let computed = [
        ("newest", "customer.orders.max(o, o.placed_at)"),
        ("loop_a", "customer.loop_b > 1"),
        ("loop_b", "customer.loop_a ? 1 : 2"),
        ("broken", "customer.tierr"),
        ("wide", "customer.points + customer.points + customer.points + customer.points"),
        ("wider", "customer.wide + customer.wide + customer.wide + customer.wide + customer.wide"),
        ("widest", "customer.wider + customer.wider + customer.wider + customer.wider + customer.wider"),
        ("too_wide", "customer.widest + customer.widest + customer.widest + customer.widest"),
    ];
    customer.computed =
        computed.iter().map(|(name, text)| Computed { name: (*name).to_owned(), text: (*text).to_owned() }).collect();
    let order = entity("order", "orders", &[("total", Type::Money), ("placed_at", Type::Timestamp)], Some(CUSTOMER));
    let line = entity("order_line", "lines", &[("quantity", Type::Integer)], Some("order"));
    let note = entity("line_note", "notes", &[("text", Type::Text)], Some("order_line"));
    let word = entity("note_word", "words", &[("text", Type::Text)], Some("line_note"));
    let touchpoint = entity("touchpoint", "touchpoints", &[("rule", Type::Text)], Some(CUSTOMER));
    let entities = [customer, order, line, note, word, touchpoint];
    Catalogue { entities: entities.into_iter().map(|e| (e.name.clone(), e)).collect(), ..Catalogue::default() }
}

fn compile(text: &str) -> Result<Clause, Vec<Fault>> {
    Clause::compile(text, Scope { catalogue: &catalogue(), root: CUSTOMER })
}

/// Faults as `column: message (help)`, the column from 1 in bytes.
fn faults(text: &str) -> Vec<String> {
    let found = compile(text).err().unwrap_or_default();
    found.iter().map(|fault| format!("{}: {fault}", fault.span.start + 1)).collect()
}

fn sql(text: &str, dialect: Dialect) -> Sql {
    let moment = Moment::new("2026-11-03T09:00:00Z".parse().expect("an instant"), Tz::Europe__London);
    let mut sql = Sql::default();
    let clause = compile(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    clause.write_sql(&mut sql, dialect, &catalogue(), Aliases { root: "c", customer: "c" }, moment);
    sql
}

#[test]
fn a_wrong_name_is_named_at_its_place_with_the_nearest() {
    for (text, expected) in [
        ("custmer.tier == \"gold\"", "1: nothing here is called `custmer` (did you mean `customer`?)"),
        ("tier == \"gold\"", "1: nothing here is called `tier` (did you mean `customer.tier`?)"),
        ("customer.tierr == \"gold\"", "10: `customer` has no field `tierr` (did you mean `tier`?)"),
        (
            "customer.ordres.size() > 1",
            "10: `customer` has no field `ordres` (did you mean `orders`? They are many: write `customer.orders.exists(x, …)`)",
        ),
        ("customer.orders.exist(o, o.total > 1)", "17: lists have no `exist` (did you mean `exists`?)"),
        ("customer.tier.startswith(\"g\")", "15: nothing here has `startswith` (did you mean `startsWith`?)"),
        ("day_since(customer.birthday) > 1", "1: there is no function `day_since` (did you mean `days_since`?)"),
        ("customer.tier == \"gld\"", "18: `tier` is never \"gld\" (did you mean \"gold\"?)"),
        (
            "customer.tier in [\"gold\", \"iron\"]",
            "27: `tier` is never \"iron\" (it is one of `basic`, `silver` and `gold`)",
        ),
        ("customer.orders.exists(o, o.sum > 1)", "29: `order` has no field `sum` (`sum` needs brackets)"),
        (
            "customer.orders.total > 1",
            "17: `orders` are many; none of them is meant by `.total` (write `.exists(x, x.total == …)` or the like)",
        ),
        ("customer.tier.size == 1", "15: `customer.tier` has no fields"),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
}

#[test]
fn a_wrong_type_is_named_at_its_place() {
    for (text, expected) in [
        ("customer.tier", "1: a condition is true or false; this is a text (compare it with something)"),
        ("customer.tier == 5", "1: a text cannot be compared with a number (write the value in quotes)"),
        ("customer.points == \"5\"", "1: an integer cannot be compared with a text (write the number without quotes)"),
        ("customer.vip > true", "1: true and false have no order"),
        (
            "customer.vip && customer.points",
            "17: true or false is needed here; this is an integer (compare it (`customer.points == …`), or ask whether it is there: `has(customer.points)`)",
        ),
        (
            "customer.spent + customer.rate > 1",
            "1: money and a decimal are different things (multiply or divide money by a decimal)",
        ),
        ("customer.spent * customer.spent > 1", "1: money times money has no meaning"),
        ("customer.points / 0 > 1", "1: a division by zero"),
        (
            "customer.birthday - today() > 1",
            "1: a date and a date cannot be subtracted (days are counted by `days_between(from, to)`, `days_since(x)` and `days_until(x)`)",
        ),
        ("customer.birthday < \"2026-13-01\"", "21: `2026-13-01` is not a date: write `2026-11-03`"),
        (
            "customer.last_order_at < ago(\"60\")",
            "30: `60` is not a span: write a whole number and a unit, such as `90s`, `15m`, `4h`, `14d`, `2w` or `3y` (write `\"60d\"`)",
        ),
        (
            "now - customer.last_order_at > duration(\"60d\")",
            "41: a duration knows no days (write `ago(\"60d\")` for the instant so long before now)",
        ),
        (
            "customer.orders",
            "1: this is a list, not a value (add `.exists(x, …)`, `.size()`, `.sum(x, …)` or the like)",
        ),
        (
            "customer == null || customer",
            "21: this is a whole `customer`, not one of its fields (write `customer.id`, or another field)",
        ),
        ("customer.tier in []", "18: nothing is in an empty list"),
        ("customer.tier < null", "1: `null` can only be compared with `==` and `!=` (or write `has(…)`)"),
        ("customer.orders.sum(o, o.id) > 1", "24: `sum` cannot be taken of a text"),
        (
            "customer.orders.exists(customer, true)",
            "24: `customer` is a name already (take another name for the element)",
        ),
        (
            "customer.tier.matches(\"\\\\bgold\")",
            "23: the pattern cannot be used: word boundaries such as `\\b` mean different things to the databases",
        ),
        ("customer.tier.matches(\"(gold\")", "23: the pattern cannot be used: unclosed group"),
        ("customer.tier.lower == \"gold\"", "15: `customer.tier` has no fields"),
        ("customer.orders[0].total > 1", "1: single elements of a list cannot be read"),
        (
            "customer.orders.exists_one(o, o.total > 1)",
            "17: lists have no `exists_one` (write `.filter(x, …).size() == 1`)",
        ),
        (
            "date(\"2026-01-01\") < today()",
            "1: there is no function `date` (a date is written in quotes where it is compared: `customer.joined_on < \"2026-11-03\"`)",
        ),
        ("customer.spent > 99999999999999999", "1: the result is too large to be reckoned with"),
        (
            "customer.points == 5u",
            "20: `5u` is not a number here (write digits with at most one point: `1200`, `2.50`)",
        ),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
}

#[test]
fn a_thousand_of_other_habits_is_refused() {
    for (text, expected) in [
        ("customer.spent > 1.000", "18: `1.000` is 1 here; elsewhere it is 1000 (write `1000`, or `1`)"),
        ("1.240 <= customer.spent", "1: `1.240` is 1.24 here; elsewhere it is 1240 (write `1240`, or `1.24`)"),
        ("customer.spent == -1.245", "19: `1.245` is 1.2450 here; elsewhere it is 1245 (write `1245`, or `1.2450`)"),
        ("customer.points > 12.000", "19: `12.000` is 12 here; elsewhere it is 12000 (write `12000`, or `12`)"),
        ("customer.rate > 1.000", "17: `1.000` is 1 here; elsewhere it is 1000 (write `1000`, or `1`)"),
        ("customer.spent in [5, 1.000]", "23: `1.000` is 1 here; elsewhere it is 1000 (write `1000`, or `1`)"),
        (
            "customer.orders.sum(o, o.total) > 1.000",
            "35: `1.000` is 1 here; elsewhere it is 1000 (write `1000`, or `1`)",
        ),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
    for text in ["customer.rate > 1.245", "customer.spent > 0.500", "customer.spent > 1.2450", "customer.spent > 1000"]
    {
        assert!(compile(text).is_ok(), "{text}");
    }
}

#[test]
fn a_truth_stands_alone() {
    for (text, expected) in [
        ("customer.vip == ja", "17: `customer.vip` is true or false, and never `ja` (write `customer.vip` alone)"),
        (
            "customer.vip == \"Ja\"",
            "17: `customer.vip` is true or false, and never `\"Ja\"` (write `customer.vip` alone)",
        ),
        ("customer.vip != 'oui'", "17: `customer.vip` is true or false, and never `'oui'` (write `!customer.vip`)"),
        ("customer.vip == nein", "17: `customer.vip` is true or false, and never `nein` (write `!customer.vip`)"),
        ("customer.vip == 1", "17: `customer.vip` is true or false, and never `1` (write `customer.vip` alone)"),
        ("customer.vip == 0", "17: `customer.vip` is true or false, and never `0` (write `!customer.vip`)"),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
    assert!(compile("customer.vip == true && customer.points == 1").is_ok());
}

#[test]
fn a_field_without_its_row_is_recognised() {
    for (text, expected) in [
        ("Spent > 200", "1: nothing here is called `Spent` (did you mean `customer.spent`?)"),
        (
            "\"Spent\" > 200",
            "1: a text cannot be compared with a number (did you mean `customer.spent`, without quotes?)",
        ),
        (
            "\"sum\" > 200",
            "1: a text cannot be compared with a number (what stands in quotes is that very text; a field has its row before it: `customer.…`)",
        ),
        ("customer.orders.exists(x, Total > 5)", "27: nothing here is called `Total` (did you mean `x.total`?)"),
        ("Customer.spent > 2", "1: nothing here is called `Customer` (did you mean `customer`?)"),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
    let orders = Clause::compile("TOTAL > 1 || Spent > 1", Scope { catalogue: &catalogue(), root: "order" });
    let told: Vec<String> = orders.err().unwrap_or_default().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "nothing here is called `TOTAL` (did you mean `order.total`?)",
            "nothing here is called `Spent` (did you mean `customer.spent`?)"
        ]
    );
}

#[test]
fn every_fault_of_a_condition_is_found_at_once() {
    assert_eq!(
        faults("customer.tierr == \"gold\" && customer.points > \"x\" || nobody.here"),
        [
            "10: `customer` has no field `tierr` (did you mean `tier`?)",
            "29: an integer cannot be compared with a text",
            "54: nothing here is called `nobody` (known here: `customer` and `now`; a text stands in quotes: `\"nobody\"`)",
        ]
    );
}

#[test]
fn computed_fields_are_bounded_and_may_not_lead_back_to_themselves() {
    assert_eq!(
        faults("customer.loop_a"),
        ["10: a computed field that leads back to itself: customer.loop_a -> customer.loop_b -> customer.loop_a"]
    );
    assert_eq!(
        faults("customer.broken == \"x\""),
        [
            "10: the computed field `broken` of `customer` has a fault: `customer` has no field `tierr` (did you mean `tier`?)"
        ]
    );
    assert!(compile("customer.widest > 1").is_ok());
    assert!(faults("customer.too_wide > 1")[0].contains("too large once its computed fields are expanded"));
}

#[test]
fn lists_are_nested_three_deep_at_most() {
    let three = "customer.orders.exists(o, o.lines.exists(l, l.notes.exists(n, n.text == \"x\")))";
    assert!(compile(three).is_ok());
    let four = "customer.orders.exists(o, o.lines.exists(l, l.notes.exists(n, n.words.exists(w, true))))";
    assert_eq!(
        faults(four),
        ["63: lists are nested deeper than 3 (name a part of it as a computed field of a nearer entity)"]
    );
}

#[test]
fn a_comparison_of_a_field_with_a_constant_is_the_plain_comparison() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        for (text, expected, binds) in [
            (
                "customer.tier == \"gold\" && customer.last_order_at < ago(\"30d\")",
                "((c.\"tier\" = $1) and (c.\"last_order_at\" < $2))",
                2,
            ),
            ("customer.spent >= 20", "(c.\"spent\" >= $1)", 1),
            ("20 <= customer.spent", "(c.\"spent\" >= $1)", 1),
            ("customer.spent > 2.00001", "(c.\"spent\" > $1)", 1),
            ("customer.tier in [\"gold\", \"silver\"]", "(c.\"tier\" in ($1, $2))", 2),
            ("days_until(customer.birthday) == 30", "(c.\"birthday\" = $1)", 1),
            ("days_since(customer.last_order_at) >= 60", "(c.\"last_order_at\" < $1)", 1),
            ("customer.last_order_at < today()", "(c.\"last_order_at\" < $1)", 1),
            ("customer.points + 5 > 10", "(c.\"points\" > $1)", 1),
            (
                "customer.orders.exists(o, o.total > 20)",
                "exists (select 1 from \"d_order\" as _e0 where _e0.\"customer_id\" = c.\"id\" \
                 and _e0.\"_bucket\" = c.\"_bucket\" and (_e0.\"total\" > $1))",
                1,
            ),
        ] {
            let sql = sql(text, dialect);
            assert_eq!((sql.text.as_str(), sql.binds.len()), (expected, binds), "{text}");
        }
    }
}

#[test]
fn no_text_of_a_condition_reaches_the_statement() {
    let nasty = "x'; drop table d_customer; --";
    for text in [
        format!("customer.id == \"{nasty}\" || customer.id.contains(\"{nasty}\")"),
        format!("customer.id in [\"{nasty}\", \"{nasty}2\"] || customer.id.startsWith(\"{nasty}\")"),
        format!("customer.id.matches(\"{nasty}\") || customer.id.endsWith(\"{nasty}\") || customer.id < \"{nasty}\""),
    ] {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            assert!(!sql(&text, dialect).text.contains("drop"), "{text}");
        }
    }
}

#[test]
fn a_rule_does_not_see_its_own_touchpoints() {
    let clause = compile("customer.touchpoints.exists(t, t.rule == \"welcome\")").expect("good").of_rule("second");
    let moment = Moment::new(Timestamp::default(), Tz::UTC);
    let mut sql = Sql::default();
    clause.write_sql(&mut sql, Dialect::Sqlite, &catalogue(), Aliases { root: "c", customer: "c" }, moment);
    assert!(sql.text.contains("and _e0.\"rule\" <> $1 and"), "{}", sql.text);
}

#[test]
fn what_a_condition_reads_is_said_once_and_outermost() {
    let text = "customer.newest < ago(\"30d\") && customer.orders.filter(o, o.total > 5).sum(o, o.total) > 20 && \
                (customer.vip || customer.tier == \"gold\" || has(customer.tier)) && customer.orders.exists(o, o.total > 3)";
    let used: Vec<(String, Type)> = compile(text).expect("good").used().into_iter().map(|u| (u.text, u.ty)).collect();
    let expected = [
        ("customer.newest", Type::Timestamp),
        ("customer.orders.filter(o, o.total > 5).sum(o, o.total)", Type::Money),
        ("customer.vip", Type::Boolean),
        ("customer.tier", Type::Text),
        ("customer.orders.exists(o, o.total > 3)", Type::Boolean),
    ];
    assert_eq!(used, expected.map(|(text, ty)| (text.to_owned(), ty)));
}

#[test]
fn the_largest_conditions_compile_and_are_written_in_proportion() {
    let sum = (0..130).map(|_| "customer.spent").collect::<Vec<_>>().join(" + ");
    assert!(faults(&format!("{sum} > 1"))[0].contains("at most 400"), "five tokens each");
    for text in [
        format!("{} > 1", vec!["customer.spent"; 95].join(" + ")),
        format!("{} > 1", vec!["customer.points"; 95].join(" * ")),
        vec!["customer.vip"; 95].join(" || "),
        format!("{}customer.vip{}", "(".repeat(32), ")".repeat(32)),
        format!("{}customer.vip{}", "!(".repeat(32), ")".repeat(32)),
        format!("{}1 > 0{}", "(customer.vip ? true : ".repeat(32), ")".repeat(32)),
        format!("customer.tier{} == \"\"", ".lower()".repeat(98)),
        format!("{}true{}", "(customer.tier.endsWith(customer.tier) == ".repeat(25), ")".repeat(25)),
    ] {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let length = sql(&text, dialect).text.len();
            assert!(length < 100 * text.len(), "{length}: {text}");
        }
    }
}

#[test]
fn durations_are_read_as_cel_writes_them() {
    for (text, micros) in [
        ("4h", 14_400_000_000_i64),
        ("1h30m", 5_400_000_000),
        ("-90s", -90_000_000),
        ("0.5s", 500_000),
        ("1ms2us", 1_002),
    ] {
        let clause = compile(&format!("now - customer.last_order_at > duration(\"{text}\")")).expect(text);
        let found = format!("{:?}", clause.tree());
        assert!(found.contains(&format!("value: Int({micros})")), "{text}: {found}");
    }
    for text in ["", "4", "h", "1.h.", "1 h", "4x", "1ns", "99999999999999h", "-", "1h-2m"] {
        assert!(compile(&format!("now - customer.last_order_at > duration(\"{text}\")")).is_err(), "{text}");
    }
}
