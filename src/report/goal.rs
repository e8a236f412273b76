//! The statement that counts how often a rule's goal was reached. Pure: it writes SQL, `store::report` runs it.

use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Type, quoted};
use crate::expr::Aliases;
use crate::expr::goal::TOUCHPOINT;
use crate::rules::{Goal, Rule};
use crate::sql::{Dialect, Sql};
use crate::time::Timestamp;

/// A row for those held out (1) and one for those sent (0), each by variant; how many, how many reached the goal, and how
/// many of the others still may. A message counts from when it was sent, one held out from when it would have been.
pub fn counts(
    rule: &Rule,
    goal: &Goal,
    catalogue: &Catalogue,
    dialect: Dialect,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Sql {
    let aliases = Aliases { root: if rule.for_each == CUSTOMER { "c" } else { "e" }, customer: "c" };
    let moment = rule.moment(now, catalogue);
    let mut sql = Sql::default();
    sql.push(
        "select g.held_out, count(*), cast(sum(g.reached) as bigint), \
         cast(sum(case when g.reached = 0 then g.open else 0 end) as bigint), g.variant \
         from (select _touch.held_out, _touch.variant, case when true",
    );
    for clause in &goal.when {
        sql.push(" and ");
        clause.write_sql(&mut sql, dialect, catalogue, aliases, moment);
    }
    sql.push(" then 1 else 0 end as reached, case when _touch.at > ").bind(now.minus(goal.within));
    sql.push(" then 1 else 0 end as open from ");
    push_touchpoints(&mut sql, rule, since);
    let customer = catalogue.customer();
    push_join(&mut sql, customer, "c", "customer");
    if let Some(entity) = catalogue.entity(&rule.for_each).filter(|entity| entity.name != CUSTOMER) {
        push_join(&mut sql, entity, "e", "entity_id");
    }
    sql.push(") g group by g.held_out, g.variant order by g.held_out, g.variant");
    sql
}

/// The rule's messages that went out or were held out, one row each.
fn push_touchpoints(sql: &mut Sql, rule: &Rule, since: Option<Timestamp>) {
    sql.push(
        "(select t.bucket, t.customer, t.entity_id, coalesce(t.sent_at, t.created_at) as at, t.variant, \
         case when t.state = 'held_out' then 1 else 0 end as held_out from touchpoints t where t.rule = ",
    );
    sql.bind(&rule.name);
    sql.push(" and t.step = 0 and t.test = 0 and t.state in ('sent', 'delivered', 'bounced', 'held_out')");
    if let Some(since) = since {
        sql.push(" and t.created_at >= ").bind(since);
    }
    sql.push(") as ").push(TOUCHPOINT);
}

/// The row of `entity` that the touchpoint's `column` names; a row that is gone reaches no goal.
fn push_join(sql: &mut Sql, entity: &Entity, alias: &str, column: &str) {
    let key =
        key_is(entity.key_field(), &format!("{alias}.{}", quoted(&entity.key)), &format!("{TOUCHPOINT}.{column}"));
    let table = entity.table();
    sql.push(&format!(" left join {table} {alias} on {alias}._bucket = {TOUCHPOINT}.bucket and {key}"));
}

/// Keys stand as text in touchpoints.
fn key_is(key: &Field, column: &str, text: &str) -> String {
    if key.ty == Type::Text { format!("{column} = {text}") } else { format!("cast({column} as text) = {text}") }
}
