//! What a goal may read, and the upper end that its comparisons get.

use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Link, Type};
use crate::expr::{Aliases, Clause, Moment, Scope};
use crate::sql::{Dialect, Sql};
use crate::time::{Span, Tz};

fn catalogue() -> Catalogue {
    let mut customer = Entity::new(CUSTOMER, "id");
    customer.fields.extend([Field::new("seen_on", Type::Date), Field::new("tier", Type::Text)]);
    let mut order = Entity::new("order", "id");
    order.plural = "orders".to_owned();
    order.fields.extend([Field::new("customer_id", Type::Text), Field::new("placed_at", Type::Timestamp)]);
    order.belongs_to.push(Link { entity: CUSTOMER.to_owned(), field: "customer_id".to_owned() });
    Catalogue { entities: [customer, order].map(|e| (e.name.clone(), e)).into(), ..Catalogue::default() }
}

fn sql(text: &str) -> String {
    let catalogue = catalogue();
    let scope = Scope { catalogue: &catalogue, root: CUSTOMER };
    let goal =
        Clause::compile_goal(text, scope, Span::from_days(3)).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    let moment = Moment::new("2026-11-03T09:00:00Z".parse().expect("an instant"), Tz::UTC);
    let mut sql = Sql::default();
    goal.write_sql(&mut sql, Dialect::Sqlite, &catalogue, Aliases { root: "c", customer: "c" }, moment);
    sql.text
}

#[test]
fn what_is_later_than_the_message_must_lie_within_its_span() {
    let text = sql("customer.orders.exists(o, o.placed_at > touchpoint.at)");
    assert!(text.contains(r#"_e0."placed_at" > _touch."at""#), "{text}");
    assert!(text.contains(r#"_e0."placed_at" <= (_touch."at" + $1)"#), "{text}");
    assert_eq!(sql("customer.orders.exists(o, touchpoint.at < o.placed_at)").matches("<=").count(), 1);
    assert_eq!(sql("customer.orders.filter(o, o.placed_at >= touchpoint.at).size() > 1").matches("<=").count(), 1);
    assert!(sql("customer.seen_on >= touchpoint.at").contains(r#"(_touch."at" + $"#));
}

#[test]
fn what_is_earlier_or_has_no_time_gets_no_end() {
    for text in ["customer.orders.exists(o, o.placed_at < touchpoint.at)", r#"customer.tier == "gold""#] {
        assert!(!sql(text).contains("<="), "{text}: {}", sql(text));
    }
}

#[test]
fn only_a_goal_knows_its_message_and_only_its_time() {
    let catalogue = catalogue();
    let scope = Scope { catalogue: &catalogue, root: CUSTOMER };
    let faults = Clause::compile("now > touchpoint.at", scope).expect_err("no goal");
    assert!(faults[0].message.contains("nothing here is called `touchpoint`"), "{faults:?}");
    let faults =
        Clause::compile_goal("touchpoint.reason == now", scope, Span::from_days(3)).expect_err("no such field");
    assert_eq!(faults[0].message, "the message that a goal is judged for has no `reason`");
    assert_eq!(faults[0].span, 11..17);
    let goal = |text| Clause::compile_goal(text, scope, Span::from_days(3)).expect("a goal");
    assert!(goal("customer.seen_on > touchpoint.at").looks_at_the_touchpoint());
    assert!(!goal(r#"customer.tier == "gold""#).looks_at_the_touchpoint());
}
