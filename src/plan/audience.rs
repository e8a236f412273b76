//! The question that finds a rule's candidates, with every fact that the decision needs, as one statement.
//!
//! Pure: it writes SQL and reads rows, `store` runs it. Laws:
//!
//! 1. Rows come ordered by bucket, customer and entity: of several rows with one key the smallest entity key is first.
//! 2. Nothing is fetched per customer afterwards but by the chunk.
//! 3. `as_of` is the tick's instant: asked again after a crash, the question has the same answer on the same data.

use crate::catalogue::{CUSTOMER, Catalogue, Field, Type, quoted};
use crate::courtesy::consent::current_sql;
use crate::expr::{Aliases, Clause, Moment};
use crate::offers::Offer;
use crate::plan::decide::{Address, Candidate, ExistingRow, OfferFacts};
use crate::rules::{OncePart, OncePer, Period, Rule};
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::{Date, Timestamp};
use chrono::Datelike;

/// A rule's audience at one instant.
#[derive(Clone, Copy)]
pub struct Audience<'a> {
    pub rule: &'a Rule,
    /// The rule's offers, in its order.
    pub offers: &'a [&'a Offer],
    pub catalogue: &'a Catalogue,
    pub dialect: Dialect,
    pub as_of: Timestamp,
}

/// Which rows are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Among<'a> {
    /// Customers of these buckets, both ends included.
    Buckets(i64, i64),
    /// One customer.
    Customer { bucket: i64, customer: &'a str },
    /// A JSON array of `[bucket, entity key]`.
    Rows(&'a str),
}

/// Columns before those of the offers.
const FIXED: usize = 15;

impl Audience<'_> {
    /// Every candidate that was not touched yet; read each row with [`Audience::read`].
    pub fn candidates(&self, among: Among<'_>) -> Sql {
        self.candidates_where(among, " and (t.id is null or t.state = 'skipped')")
    }

    /// As [`Audience::candidates`], with those that were touched already.
    pub fn everyone(&self, among: Among<'_>) -> Sql {
        self.candidates_where(among, "")
    }

    fn candidates_where(&self, among: Among<'_>, condition: &str) -> Sql {
        let mut sql = Sql::default();
        self.select(&mut sql);
        self.from(&mut sql);
        self.join_existing(&mut sql);
        self.selected(&mut sql, among);
        sql.push(condition);
        sql.push(" order by c._bucket, ").push(&self.customer_key()).push(", 3");
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
        for offer in self.offers {
            sql.push(", ");
            self.push_eligible(offer, &mut sql);
            sql.push(", 1");
        }
        sql.push(", case when true");
        self.push_conditions(&mut sql);
        sql.push(" then 1 else 0 end");
        self.from(&mut sql);
        sql.push(" where ");
        self.among(&mut sql, among);
        sql
    }

    /// For one customer, every row of the rule's entity, selected or not: the entity's key, then for each clause of
    /// `when` and `unless` its truth (1, 0 or NULL), then every value used. For `why`.
    pub fn clause_by_clause(&self, among: Among<'_>) -> Sql {
        let mut sql = Sql::default();
        sql.push("select ").push(&self.entity_key());
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

    /// The clauses in the order of [`Audience::clause_by_clause`].
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.rule.when.iter().chain(&self.rule.unless)
    }

    fn select(&self, sql: &mut Sql) {
        self.select_person(sql);
        sql.push(", ");
        self.push_occurrence(sql);
        sql.push(", t.id, t.state, t.reason, t.version, t.occurrence, ");
        self.push_last_touch(sql);
        sql.push(", ");
        self.push_consents(sql);
        for offer in self.offers {
            sql.push(", ");
            self.push_eligible(offer, sql);
            sql.push(", ");
            self.push_left(offer, sql);
        }
        self.push_used(sql);
    }

    fn select_person(&self, sql: &mut Sql) {
        let roles = &self.catalogue.roles;
        sql.push("select c._bucket, ").push(&self.customer_key()).push(", ").push(&self.entity_key());
        for role in [&roles.email, &roles.phone, &roles.locale, &roles.time_zone] {
            sql.push(", ");
            match role {
                Some(field) => sql.push("c.").push(&quoted(field)),
                None => sql.push("null"),
            };
        }
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

    /// `t`: the row of this occurrence, or the standing refusal that is moved on to it.
    fn join_existing(&self, sql: &mut Sql) {
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
    fn has_standing_refusals(&self) -> bool {
        match &self.rule.once_per {
            OncePer::Numbered => true,
            OncePer::Parts(parts) => parts.iter().any(|part| matches!(part, OncePart::Period(_))),
        }
    }

    /// Whether several rows of one customer have occurrences of their own beside the period: then each keeps its own
    /// standing refusal, or one row would be moved to and fro between them.
    fn has_rows_of_its_own(&self) -> bool {
        let is_of_row = |part: &OncePart| matches!(part, OncePart::Entity(_) | OncePart::Field { .. });
        matches!(&self.rule.once_per, OncePer::Parts(parts) if parts.iter().any(is_of_row))
    }

    fn selected(&self, sql: &mut Sql, among: Among<'_>) {
        sql.push(" where ");
        self.among(sql, among);
        self.push_conditions(sql);
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
    }

    fn among(&self, sql: &mut Sql, among: Among<'_>) {
        let row = self.row_alias();
        match among {
            Among::Buckets(from, until) => {
                sql.push(&format!("{row}._bucket between ")).bind(from).push(" and ").bind(until);
            }
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
            Among::Rows(rows) => {
                let place = sql.reserve(rows);
                let rows = self.dialect.rows(&place, &[("b", ColumnType::Int), ("k", ColumnType::Text)], "r");
                sql.push(&format!("({row}._bucket, {}) in (select b, k from {rows})", self.entity_key()));
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

    /// What tells this candidate from the rule's other messages to the customer.
    fn push_occurrence(&self, sql: &mut Sql) {
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
                OncePart::Period(period) => {
                    sql.bind(self.period(*period));
                }
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
             and {alias}.state <> 'skipped'"
        ));
    }

    fn push_last_touch(&self, sql: &mut Sql) {
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
        sql.push(&as_text(field, &column, self.dialect));
    }

    /// The calendar period of the tick in the rule's zone: `2026-03-01`, `2026-W09`, `2026-03`, `2026`.
    fn period(&self, period: Period) -> String {
        let date: Date = self.as_of.date(self.rule.time_zone);
        let day = date.naive();
        match period {
            Period::Day => date.to_string(),
            Period::Week => format!("{:04}-W{:02}", day.iso_week().year(), day.iso_week().week()),
            Period::Month => format!("{:04}-{:02}", day.year(), day.month()),
            Period::Year => format!("{:04}", day.year()),
        }
    }

    /// The current answers about the rule's topic, by channel: `email -sms` is a yes to email and a no to SMS. An
    /// answer for every channel (`*`) counts for each; the latest counts, of two at one instant the no.
    fn push_consents(&self, sql: &mut Sql) {
        let topic = sql.reserve(&self.rule.topic);
        for (place, channel) in self.rule.channels.iter().enumerate() {
            if place > 0 {
                sql.push(" || ");
            }
            let answer = current_sql("c._bucket", &self.customer_key(), &topic, &format!("'{channel}'"));
            sql.push(&format!("case {answer} when 1 then '{channel} ' when 0 then '-{channel} ' else '' end"));
        }
    }

    fn push_eligible(&self, offer: &Offer, sql: &mut Sql) {
        let aliases = Aliases { root: "c", customer: "c" };
        sql.push("case when true");
        for clause in &offer.eligible {
            sql.push(" and ");
            clause.write_sql(sql, self.dialect, self.catalogue, aliases, self.moment());
        }
        sql.push(" then 1 else 0 end");
    }

    /// How many more the customer may have by the offer's limit.
    fn push_left(&self, offer: &Offer, sql: &mut Sql) {
        let Some(limit) = offer.per_customer else {
            sql.bind(i64::MAX);
            return;
        };
        let since = limit.per.map_or(i64::MIN, |span| self.as_of.minus(span).micros());
        sql.push("(")
            .bind(i64::from(limit.max))
            .push(" - (select count(*) from offer_grants g where g.bucket = c._bucket");
        sql.push(" and g.customer = ").push(&self.customer_key()).push(" and g.offer = ").bind(&offer.name);
        sql.push(" and g.state not in ('freed', 'released') and g.granted_at > ").bind(since).push("))");
    }

    const fn moment(&self) -> Moment {
        Moment { now: self.as_of, zone: self.rule.time_zone }
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
        let entity = self.catalogue.entity(&self.rule.for_each).expect("config knows the for_each entity");
        key_text(self.row_alias(), entity.key_field())
    }

    /// Reads a row of [`Audience::candidates`]; the values used follow in [`Audience::facts`].
    pub fn read(&self, row: &impl Columns) -> Candidate {
        let text = |index: usize| row.text(index).map(str::to_owned);
        let answers = || row.text(14).unwrap_or("").split_whitespace();
        let address = |index: usize| text(index).map_or(Address::None, Address::Good);
        let existing = row.text(8).map(|id| ExistingRow {
            id: id.to_owned(),
            state: row.text(9).and_then(|state| state.parse().ok()).expect("the table holds states of ours"),
            reason: row.text(10).and_then(|reason| reason.parse().ok()),
            version: row.int(11).unwrap_or(0),
            occurrence: text(12).unwrap_or_default(),
        });
        let offers = (0..self.offers.len()).map(|place| OfferFacts {
            eligible: row.int(FIXED + 2 * place) == Some(1),
            left: row.int(FIXED + 2 * place + 1).unwrap_or(0),
        });
        Candidate {
            bucket: row.int(0).expect("a customer has a bucket"),
            customer: text(1).expect("a customer has a key"),
            entity: text(2).expect("a row has a key"),
            email: address(3),
            phone: address(4),
            locale: text(5),
            zone: row.text(6).and_then(|zone| zone.parse().ok()),
            occurrence: text(7).unwrap_or_default(),
            existing,
            last_touch: row.int(13).map(Timestamp::from_micros),
            consents: answers().filter_map(|word| word.parse().ok()).collect(),
            refused: answers().filter_map(|word| word.strip_prefix('-')?.parse().ok()).collect(),
            suppressed: Vec::new(),
            offers: offers.collect(),
        }
    }

    /// Where the values used begin in a row of [`Audience::candidates`].
    pub fn facts_from(&self) -> usize {
        FIXED + 2 * self.offers.len()
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

/// A field of `once_per` as it stands in an occurrence. A missing value is empty.
fn as_text(field: &Field, column: &str, dialect: Dialect) -> String {
    let text = match (field.ty, dialect) {
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
    use crate::touchpoints::Reason;
    let standing = Reason::ALL.iter().filter(|reason| reason.is_standing());
    standing.map(|reason| format!("'{reason}'")).collect::<Vec<_>>().join(", ")
}
