//! What tells a candidate from the rule's other messages to the customer, in SQL: the occurrence, the row that it has
//! already, and the rule's touches before.

use super::Audience;
use crate::catalogue::{CUSTOMER, Type, quoted};
use crate::expr::Clause;
use crate::rules::{OncePart, OncePer, Period};
use crate::sql::{Dialect, Sql};
use crate::time::Date;
use crate::touchpoints::Reason;
use chrono::Datelike;

impl Audience<'_> {
    /// `t`: the row of this occurrence, or the standing refusal that is moved on to it.
    pub(super) fn join_existing(&self, sql: &mut Sql) {
        let rule = sql.reserve(&self.rule.name);
        sql.push(" left join touchpoints t on t.bucket = c._bucket and t.customer = ").push(&self.customer_key());
        sql.push(&format!(" and t.rule = {rule} and t.step = 0 and "));
        if !self.has_standing_refusals() {
            sql.push("t.occurrence = ");
            self.push_occurrence(sql);
            return;
        }
        // Two questions in the place of one in order of preference: SQLite knows no outer column in an ORDER BY here.
        let of_rule = format!(
            "(select x.id from touchpoints x where x.bucket = c._bucket and x.customer = {} and x.rule = {rule} \
             and x.step = 0 and ",
            self.customer_key()
        );
        sql.push("t.id = coalesce(").push(&of_rule).push("x.occurrence = ");
        self.push_occurrence(sql);
        sql.push("), ")
            .push(&of_rule)
            .push("x.state = 'skipped' and x.reason in (")
            .push(&standing_reasons())
            .push(")");
        if self.has_rows_of_its_own() {
            sql.push(" and x.entity_id = ").push(&self.entity_key());
        }
        sql.push(" order by x.created_at, x.id limit 1))");
    }

    /// Whether a standing refusal keeps one row per customer, moved on from occurrence to occurrence.
    pub(super) fn has_standing_refusals(&self) -> bool {
        match &self.rule.once_per {
            OncePer::Numbered => true,
            OncePer::Parts(parts) => parts.iter().any(|part| matches!(part, OncePart::Period(_))),
        }
    }

    /// Whether several rows of one customer have occurrences of their own beside the period: then each keeps its own
    /// standing refusal, or one row would be moved to and fro between them.
    pub(super) fn has_rows_of_its_own(&self) -> bool {
        let is_of_row = |part: &OncePart| matches!(part, OncePart::Entity(_) | OncePart::Field { .. });
        matches!(&self.rule.once_per, OncePer::Parts(parts) if parts.iter().any(is_of_row))
    }

    /// What tells this candidate from the rule's other messages to the customer.
    pub(super) fn push_occurrence(&self, sql: &mut Sql) {
        if self.rule.confirms {
            let last = self.last_waiting(sql);
            sql.push(&as_text(Type::Timestamp, &last, self.dialect));
            return;
        }
        let parts = match &self.rule.once_per {
            OncePer::Numbered => {
                sql.push("('#' || (1 + (select count(*) from touchpoints n where ");
                self.push_touches_of(sql, "n");
                sql.push(")))");
                return;
            }
            OncePer::Parts(parts) => parts,
        };
        let mut first = true;
        sql.push("(");
        for part in parts.iter().filter(|part| **part != OncePart::Customer) {
            if !std::mem::take(&mut first) {
                sql.push(" || '|' || ");
            }
            match part {
                OncePart::Customer => {}
                OncePart::Period(period) => self.push_period(*period, sql),
                OncePart::Entity(entity) => self.push_entity_key(entity, sql),
                OncePart::Field { entity, field } => self.push_field(entity, field, sql),
            }
        }
        if first {
            sql.push("'-'");
        }
        sql.push(")");
    }

    /// Touchpoints `alias` of this rule and customer that count as touched.
    fn push_touches_of(&self, sql: &mut Sql, alias: &str) {
        let rule = sql.reserve(&self.rule.name);
        let key = self.customer_key();
        sql.push(&format!(
            "{alias}.bucket = c._bucket and {alias}.customer = {key} and {alias}.rule = {rule} and {alias}.step = 0 \
             and {alias}.state <> 'skipped' and {alias}.test = 0"
        ));
    }

    pub(super) fn push_last_touch(&self, sql: &mut Sql) {
        if self.rule.again_after.is_none() {
            sql.push("null");
            return;
        }
        sql.push("(select max(coalesce(l.sent_at, l.due_at, l.created_at)) from touchpoints l where ");
        self.push_touches_of(sql, "l");
        sql.push(")");
    }

    fn push_entity_key(&self, entity: &str, sql: &mut Sql) {
        if entity == self.rule.for_each {
            sql.push(&self.entity_key());
        } else {
            let key = self.catalogue.entity(entity).expect("config knows the entity of once_per").key.clone();
            self.push_field(entity, &key, sql);
        }
    }

    /// `entity.field` as text, where `entity` is the rule's own, the customer, or one that the row belongs to.
    fn push_field(&self, entity: &str, name: &str, sql: &mut Sql) {
        let owner = self.catalogue.entity(entity).expect("config knows the entity of once_per");
        let field = owner.field(name).expect("config knows the field of once_per");
        let column = if entity == self.rule.for_each {
            format!("{}.{}", self.row_alias(), quoted(name))
        } else if entity == CUSTOMER {
            format!("c.{}", quoted(name))
        } else {
            let (link, owner) = self.catalogue.one(&self.rule.for_each, entity).expect("config knows the relation");
            let (table, key) = (owner.table(), quoted(&owner.key));
            let (row, link) = (self.row_alias(), quoted(&link.field));
            format!("(select o.{} from {table} o where o.{key} = {row}.{link})", quoted(name))
        };
        sql.push(&as_text(field.ty, &column, self.dialect));
    }

    /// The calendar period of the tick in the rule's zone, or in the customer's: then one who moves between zones has
    /// each of their days once.
    fn push_period(&self, period: Period, sql: &mut Sql) {
        let moment = self.moment();
        if !moment.in_customers_time {
            sql.bind(period_of(period, moment.now.date(moment.zone)));
            return;
        }
        sql.push("case ");
        Clause::write_today(sql, self.dialect, self.catalogue, self.aliases(), moment);
        for day in moment.days() {
            sql.push(&format!(" when {day} then ")).bind(period_of(period, Date::from_days(day)));
        }
        sql.push(" end");
    }
}

/// `2026-03-01`, `2026-W09`, `2026-03`, `2026`.
pub(super) fn period_of(period: Period, date: Date) -> String {
    let day = date.naive();
    match period {
        Period::Day => date.to_string(),
        Period::Week => format!("{:04}-W{:02}", day.iso_week().year(), day.iso_week().week()),
        Period::Month => format!("{:04}-{:02}", day.year(), day.month()),
        Period::Year => format!("{:04}", day.year()),
    }
}

/// A value as it stands in an occurrence. A missing value is empty.
fn as_text(ty: Type, column: &str, dialect: Dialect) -> String {
    let text = match (ty, dialect) {
        (Type::Text, _) => column.to_owned(),
        (Type::Date, Dialect::Sqlite) => format!("date({column} * 86400, 'unixepoch')"),
        (Type::Date, Dialect::Postgres) => format!("to_char(date '1970-01-01' + {column}::int, 'YYYY-MM-DD')"),
        (Type::Timestamp, Dialect::Sqlite) => {
            format!("strftime('%Y-%m-%dT%H:%M:%SZ', {column} / 1000000, 'unixepoch')")
        }
        (Type::Timestamp, Dialect::Postgres) => {
            format!("to_char(to_timestamp({column} / 1000000) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
        }
        _ => format!("cast({column} as text)"),
    };
    format!("coalesce({text}, '')")
}

fn standing_reasons() -> String {
    let standing = Reason::ALL.iter().filter(|reason| reason.is_standing());
    standing.map(|reason| format!("'{reason}'")).collect::<Vec<_>>().join(", ")
}
