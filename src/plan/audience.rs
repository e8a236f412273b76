//! The question that finds a rule's candidates, with every fact that the decision needs, as one statement.
//!
//! Pure: it writes SQL and reads rows, `store` runs it. Laws:
//!
//! 1. Rows come ordered by bucket, customer and entity: of several rows with one key the smallest entity key is first.
//! 2. Nothing is fetched per customer afterwards but by the chunk.
//! 3. `as_of` is the tick's instant: asked again after a crash, the question has the same answer on the same data.

use crate::catalogue::{CUSTOMER, Catalogue, Field, Type, quoted};
use crate::expr::{Aliases, Clause, Moment};
use crate::offers::Offer;
use crate::rules::Rule;
use crate::settings::BadMoment;
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Timestamp;
use crate::touchpoints::Reason;

/// A rule's audience at one instant.
#[derive(Clone, Copy)]
pub struct Audience<'a> {
    pub rule: &'a Rule,
    /// The rule's offers, in its order.
    pub offers: &'a [&'a Offer],
    /// Conditions under which nothing promotional goes to a customer.
    pub bad_moments: &'a [BadMoment],
    pub catalogue: &'a Catalogue,
    pub dialect: Dialect,
    pub as_of: Timestamp,
    /// Whose clocks show the rule's time of day, where that comes for each customer by their own; all where absent.
    pub fires: Option<&'a Fires>,
    /// Whose refusals are not judged again.
    pub asleep: Asleep,
}

/// Refusals that a rehearsal knows to stand, by the column `asleep_until` that its touchpoints have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Asleep {
    /// Outside a rehearsal.
    #[default]
    Nobody,
    /// Those that stand as of the tick.
    ByTime,
    /// Those, too, that stand while budget is out: it is.
    ByBudget,
}

/// The customers whose clocks show a rule's time of day at one instant, by their zones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fires {
    /// A JSON array of arrays of one zone each, as the data has it.
    pub zones: String,
    /// Those without a zone are among them.
    pub without: bool,
}

/// Events by when they came in: those after the one arrival, up to the other. Without `after` what was there when the
/// rule went live, as far back as one of its messages may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrived {
    pub after: Option<i64>,
    pub until: i64,
}

/// Which rows are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Among<'a> {
    /// Customers of these buckets, both ends included.
    Buckets(i64, i64),
    /// Those of these buckets, both ends included, that events brought in, or whose customer's events did.
    Arrived(i64, i64, Arrived),
    /// One customer.
    Customer { bucket: i64, customer: &'a str },
    /// A JSON array of `[bucket, entity key]`.
    Rows(&'a str),
    /// A JSON array of `[bucket, customer]`.
    Customers(&'a str),
}

/// Of a row and the touchpoint of its occurrence: that nobody was touched.
const UNTOUCHED: &str = " and (t.id is null or t.state = 'skipped')";

mod columns;
mod consent;
mod events;
mod extremes;
mod occurrence;
mod window;

pub use events::EVENT;

impl Audience<'_> {
    /// Every candidate that was not touched yet, with the values that the conditions used; read each row with
    /// [`Audience::read`].
    pub fn candidates(&self, among: Among<'_>) -> Sql {
        self.candidates_where(among, UNTOUCHED, true)
    }

    /// As [`Audience::candidates`], without those values: for a forecast, which keeps no facts.
    pub fn foreseen(&self, among: Among<'_>) -> Sql {
        self.candidates_where(among, UNTOUCHED, false)
    }

    /// As [`Audience::foreseen`], with those that were touched already.
    pub fn everyone(&self, among: Among<'_>) -> Sql {
        self.candidates_where(among, "", false)
    }

    fn candidates_where(&self, among: Among<'_>, condition: &str, with_facts: bool) -> Sql {
        let mut sql = Sql::default();
        self.select(&mut sql);
        if with_facts {
            self.push_used(&mut sql);
        }
        self.from(&mut sql);
        self.join_existing(&mut sql);
        self.selected(&mut sql, among);
        sql.push(condition);
        self.push_awake(&mut sql);
        sql.push(" order by c._bucket, ").push(&self.customer_key());
        // A customer is one row: for a third key SQLite would sort each of them on its own.
        if self.rule.for_each != CUSTOMER {
            sql.push(", 3");
        }
        sql
    }

    /// How many candidates were touched already: one number.
    pub fn touched(&self, among: Among<'_>) -> Sql {
        let mut sql = Sql::default();
        sql.push("select count(*)");
        self.from(&mut sql);
        self.join_existing(&mut sql);
        self.selected(&mut sql, among);
        sql.push(" and t.id is not null and t.state <> 'skipped'");
        sql
    }

    /// The rows of `among` as they are now, whether the conditions hold or not; 1 in the column [`Audience::facts_from`]
    /// where they do. Read with [`Audience::read`].
    pub fn recheck(&self, among: Among<'_>) -> Sql {
        let mut sql = Sql::default();
        self.select_person(&mut sql);
        sql.push(", '', null, null, null, null, null, null, ");
        self.push_consents(&mut sql);
        self.push_bad_moments(&mut sql);
        self.push_place(&mut sql);
        self.push_event_time(&mut sql);
        for offer in self.offers {
            sql.push(", ");
            self.push_eligible(offer, &mut sql);
            sql.push(", 1, null");
        }
        sql.push(", case when true");
        self.push_conditions(&mut sql);
        sql.push(" then 1 else 0 end");
        self.from(&mut sql);
        sql.push(" where ");
        self.among(&mut sql, among);
        sql
    }

    /// For one customer, every row of the rule's entity, selected or not: the entity's key, whether there was the event
    /// that the rule waits for (1 or 0), the name of the event that the row is, then for each clause of `when` and
    /// `unless` its truth (1, 0 or NULL), then every value used. For `why`.
    pub fn clause_by_clause(&self, among: Among<'_>) -> Sql {
        let mut sql = Sql::default();
        sql.push("select ").push(&self.entity_key());
        sql.push(", case when true");
        self.push_event(&mut sql);
        sql.push(" then 1 else 0 end");
        self.push_event_name(&mut sql);
        for clause in self.clauses() {
            sql.push(", case when ");
            self.write(clause, &mut sql);
            sql.push(" then 1 when not (");
            self.write(clause, &mut sql);
            sql.push(") then 0 end");
        }
        self.push_used(&mut sql);
        self.from(&mut sql);
        sql.push(" where ");
        self.among(&mut sql, among);
        sql.push(" order by 1");
        sql
    }

    /// Every row of `among`, selected or not: the entity's key, and the occurrence that a message about it has at
    /// `as_of`.
    pub fn occurrences(&self, among: Among<'_>) -> Sql {
        let mut sql = Sql::default();
        sql.push("select ").push(&self.entity_key()).push(", ");
        self.push_occurrence(&mut sql);
        self.from(&mut sql);
        sql.push(" where ");
        self.among(&mut sql, among);
        sql
    }

    /// One row about the rows of `among`: how many there are, of how many all conditions hold, then for each clause of
    /// how many it is true and of how many it is false.
    pub fn tally(&self, among: Among<'_>) -> Sql {
        let mut sql = Sql::default();
        sql.push("select count(*), cast(coalesce(sum(case when true");
        self.push_conditions(&mut sql);
        sql.push(" then 1 else 0 end), 0) as bigint)");
        for clause in self.clauses() {
            for negated in ["", "not "] {
                sql.push(", cast(coalesce(sum(case when ").push(negated).push("(");
                self.write(clause, &mut sql);
                sql.push(") then 1 else 0 end), 0) as bigint)");
            }
        }
        self.from(&mut sql);
        sql.push(" where ");
        self.among(&mut sql, among);
        sql
    }

    /// The clauses in the order of [`Audience::clause_by_clause`].
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.rule.when.iter().chain(&self.rule.unless)
    }

    fn from(&self, sql: &mut Sql) {
        let customer = self.catalogue.customer();
        if self.rule.for_each == CUSTOMER {
            sql.push(" from ").push(&customer.table()).push(" c");
        } else {
            let entity = self.catalogue.entity(&self.rule.for_each).expect("config knows the for_each entity");
            sql.push(" from ").push(&entity.table()).push(" e join ").push(&customer.table());
            sql.push(" c on c._bucket = e._bucket and ").push(&self.customer_key()).push(" = e._customer");
        }
    }

    fn selected(&self, sql: &mut Sql, among: Among<'_>) {
        sql.push(" where ");
        self.among(sql, among);
        self.push_fires(sql);
        self.push_conditions(sql);
    }

    fn push_awake(&self, sql: &mut Sql) {
        if self.asleep != Asleep::Nobody {
            sql.push(" and (t.asleep_until is null or t.asleep_until < ").bind(self.as_of);
            if self.asleep == Asleep::ByBudget {
                sql.push(" and t.reason <> ").bind(Reason::NoBudget.as_str());
            }
            sql.push(")");
        }
    }

    fn push_fires(&self, sql: &mut Sql) {
        let (Some(fires), Some(field)) = (self.fires, &self.catalogue.roles.time_zone) else { return };
        let place = sql.reserve(&fires.zones);
        let rows = self.dialect.rows(&place, &[("z", ColumnType::Text)], "f");
        let column = quoted(field);
        sql.push(&format!(" and (c.{column} in (select z from {rows})"));
        if fires.without {
            sql.push(&format!(" or c.{column} is null"));
        }
        sql.push(")");
    }

    fn push_conditions(&self, sql: &mut Sql) {
        for clause in &self.rule.when {
            sql.push(" and ");
            self.write(clause, sql);
        }
        for clause in &self.rule.unless {
            sql.push(" and (");
            self.write(clause, sql);
            sql.push(") is not true");
        }
        self.push_event(sql);
        if self.rule.confirms {
            self.push_waits(sql);
        }
    }

    fn among(&self, sql: &mut Sql, among: Among<'_>) {
        let row = self.row_alias();
        match among {
            Among::Buckets(from, until) => {
                sql.push(&format!("{row}._bucket between ")).bind(from).push(" and ").bind(until);
            }
            Among::Arrived(from, until, arrived) => self.push_arrived(sql, from, until, arrived),
            Among::Customer { bucket, customer } => {
                sql.push("c._bucket = ")
                    .bind(bucket)
                    .push(" and ")
                    .push(&self.customer_key())
                    .push(" = ")
                    .bind(customer);
                if row == "e" {
                    sql.push(&format!(" and e._bucket = c._bucket and e._customer = {}", self.customer_key()));
                }
            }
            Among::Customers(customers) => {
                let place = sql.reserve(customers);
                let rows = self.dialect.rows(&place, &[("b", ColumnType::Int), ("k", ColumnType::Text)], "r");
                let owner = if row == "c" { self.customer_key() } else { format!("{row}._customer") };
                sql.push(&format!("({row}._bucket, {owner}) in (select b, k from {rows})"));
            }
            Among::Rows(rows) => {
                let place = sql.reserve(rows);
                let rows = self.dialect.rows(&place, &[("b", ColumnType::Int), ("k", ColumnType::Text)], "r");
                // As the key lies in its table, so that the key's index finds it.
                let key = self.entity_field();
                let column = format!("{row}.{}", quoted(&key.name));
                let value = if key.ty == Type::Text { "k" } else { "cast(k as bigint)" };
                sql.push(&format!("({row}._bucket, {column}) in (select b, {value} from {rows})"));
            }
        }
    }

    fn write(&self, clause: &Clause, sql: &mut Sql) {
        clause.write_sql(sql, self.dialect, self.catalogue, self.aliases(), self.moment());
    }

    fn push_used(&self, sql: &mut Sql) {
        for clause in self.clauses() {
            for index in 0..clause.used().len() {
                sql.push(", ");
                clause.write_used(index, sql, self.dialect, self.catalogue, self.aliases(), self.moment());
            }
        }
    }

    const fn moment(&self) -> Moment {
        self.rule.moment(self.as_of, self.catalogue)
    }

    fn row_alias(&self) -> &'static str {
        if self.rule.for_each == CUSTOMER { "c" } else { "e" }
    }

    fn aliases(&self) -> Aliases<'static> {
        Aliases { root: self.row_alias(), customer: "c" }
    }

    fn customer_key(&self) -> String {
        key_text("c", self.catalogue.customer().key_field())
    }

    fn entity_key(&self) -> String {
        key_text(self.row_alias(), self.entity_field())
    }

    fn entity_field(&self) -> &Field {
        self.catalogue.entity(&self.rule.for_each).expect("config knows the for_each entity").key_field()
    }
}

/// A row as the store gives it.
pub trait Columns {
    fn text(&self, index: usize) -> Option<&str>;
    fn int(&self, index: usize) -> Option<i64>;
}

fn key_text(alias: &str, key: &Field) -> String {
    let column = format!("{alias}.{}", quoted(&key.name));
    if key.ty == Type::Text { column } else { format!("cast({column} as text)") }
}
