//! Which conditions cannot be false, and which only look like it.

use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Link, Type};
use crate::expr::{Clause, Scope};

fn catalogue() -> Catalogue {
    let mut customer = Entity::new(CUSTOMER, "id");
    let fields = [
        ("tier", Type::Text),
        ("points", Type::Integer),
        ("visits", Type::Integer),
        ("vip", Type::Boolean),
        ("birthday", Type::Date),
        ("joined", Type::Date),
        ("seen_at", Type::Timestamp),
    ];
    customer.fields.extend(fields.iter().map(|(name, ty)| Field::new(name, *ty)));
    for field in customer.fields.iter_mut().filter(|field| field.name == "joined") {
        field.required = true;
    }
    let mut order = Entity::new("order", "id");
    order.plural = "orders".to_owned();
    order.fields.push(Field::new("customer_id", Type::Text));
    order.fields.push(Field::new("total", Type::Money));
    order.belongs_to.push(Link { entity: CUSTOMER.to_owned(), field: "customer_id".to_owned() });
    Catalogue { entities: [customer, order].map(|e| (e.name.clone(), e)).into(), ..Catalogue::default() }
}

fn with<T>(text: &str, ask: impl FnOnce(&Clause, Scope<'_>) -> T) -> T {
    let catalogue = catalogue();
    let scope = Scope { catalogue: &catalogue, root: CUSTOMER };
    let clause = Clause::compile(text, scope).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    ask(&clause, scope)
}

fn cannot_be_false(text: &str) -> bool {
    with(text, Clause::cannot_be_false)
}

#[test]
fn a_clause_that_no_row_makes_false_is_found() {
    for text in [
        "true",
        "1 == 1",
        "2 > 1.5",
        r#""a" != "b""#,
        "customer.points > 5 || true",
        "!(customer.points > 5 && false)",
        "customer.tier == customer.tier",
        "customer.points >= customer.points",
        "now == now",
        "has(customer.id)",
        "has(customer.joined)",
        r#"customer.id != """#,
        r#"customer.tier != """#,
        "customer.id != null",
        "customer.vip || !customer.vip",
        "customer.vip == true || customer.vip == false",
        "has(customer.tier) || !has(customer.tier)",
        r#"customer.tier == "gold" || customer.tier != "gold""#,
        r#"customer.tier != "gold" || customer.tier != "silver""#,
        r#"!(customer.tier == "gold") || !(customer.tier == "silver")"#,
        "customer.points > 5 || customer.points <= 5",
        "customer.points > 5 || customer.vip || 10 > customer.points",
        "customer.points < 6 || customer.points > 5",
        "customer.points < customer.visits || customer.visits <= customer.points",
        "customer.orders.size() >= 0",
        "customer.orders.all(o, true)",
        "customer.points != 1.5",
    ] {
        assert!(cannot_be_false(text), "{text}");
    }
}

#[test]
fn what_is_so_by_form_alone_is_told_from_what_the_data_promises() {
    let is_tautology = |text| with(text, Clause::is_tautology);
    for text in ["true", "customer.vip || !customer.vip", r#"customer.tier != "a" || customer.tier != "b""#] {
        assert!(is_tautology(text), "{text}");
    }
    for text in ["has(customer.id)", "has(customer.joined)", r#"customer.id != """#, "customer.vip"] {
        assert!(!is_tautology(text), "{text}");
    }
    assert!(is_tautology("customer.joined == customer.joined"));
}

#[test]
fn a_clause_that_leaves_somebody_out_is_let_be() {
    for text in [
        "customer.vip",
        "has(customer.tier)",
        "customer.joined < today()",
        "customer.joined == customer.birthday",
        "customer.points != customer.points",
        r#"customer.tier != "gold""#,
        r#"customer.tier != "gold" && customer.tier != "silver""#,
        r#"customer.tier == "gold" || customer.tier == "silver""#,
        "customer.points > 5 || customer.points < 5",
        "customer.points > 6 || customer.points <= 5",
        "customer.points > 5 || customer.orders.size() <= 5",
        "customer.vip && true",
        "customer.vip || false",
        "customer.orders.exists(o, true)",
        "customer.orders.all(o, o.total > 1)",
        "customer.orders.size() > 0",
        "customer.seen_at < now",
        "1 == 2",
        "false",
    ] {
        assert!(!cannot_be_false(text), "{text}");
    }
}

#[test]
fn a_part_without_effect_is_found_beside_one_with() {
    let idle = |text| with(text, Clause::has_an_idle_part);
    assert!(idle(r#"customer.vip && (customer.tier != "gold" || customer.tier != "silver")"#));
    assert!(idle("customer.vip && has(customer.id) && customer.points > 1"));
    assert!(!idle(r#"customer.vip && has(customer.tier)"#));
}

#[test]
fn what_is_left_out_for_want_of_a_value_is_named() {
    let left_out = |text| with(text, Clause::left_out_without);
    assert_eq!(left_out(r#"customer.tier != "gold""#).as_deref(), Some("customer.tier"));
    assert_eq!(left_out(r#"customer.vip && !(customer.tier == "gold")"#).as_deref(), Some("customer.tier"));
    assert_eq!(left_out("7 != customer.points").as_deref(), Some("customer.points"));
    let asks = |text: &str| with(text, |clause, scope| clause.asks_for("customer.tier", scope));
    assert!(asks(r#"has(customer.tier) && customer.tier != "gold""#) && asks("customer.tier != null"));
    assert!(!asks("customer.vip || has(customer.tier)") && !asks("has(customer.points)"));
    for meant in [
        r#"customer.id != "17""#,
        r#"customer.tier == "gold""#,
        "customer.vip != true",
        r#"customer.joined != "2026-11-03""#,
        r#"customer.vip || customer.tier != "gold""#,
    ] {
        assert_eq!(left_out(meant), None, "{meant}");
    }
}
