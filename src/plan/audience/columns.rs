//! The facts of a candidate as columns of the statement, and a candidate read from its row.

use super::consent::SOFT;
use super::{Asleep, Audience, Columns};
use crate::catalogue::quoted;
use crate::courtesy::legal_hours::{country_code, region_code};
use crate::courtesy::preferences::Preferences;
use crate::expr::Aliases;
use crate::offers::{Offer, PerCustomer};
use crate::plan::candidate::{Address, Candidate, ExistingRow, OfferFacts};
use crate::sql::Sql;
use crate::time::{Timestamp, zone_named};

/// Columns before those of the offers.
const FIXED: usize = 19;
/// Columns of each offer.
const OF_OFFER: usize = 3;

/// For conditions on the customer, whatever the rule's entity.
const AS_CUSTOMER: Aliases<'static> = Aliases { root: "c", customer: "c" };

impl Audience<'_> {
    pub(super) fn select(&self, sql: &mut Sql) {
        self.select_person(sql);
        sql.push(", ");
        self.push_occurrence(sql);
        sql.push(", t.id, t.state, t.reason, t.version, t.occurrence, ");
        self.push_last_touch(sql);
        sql.push(", ");
        self.push_consents(sql);
        self.push_bad_moments(sql);
        self.push_place(sql);
        self.push_event_time(sql);
        for offer in self.offers {
            sql.push(", ");
            self.push_eligible(offer, sql);
            sql.push(", ");
            self.push_left(offer, sql);
            sql.push(", ");
            self.push_first(offer, sql);
        }
    }

    pub(super) fn select_person(&self, sql: &mut Sql) {
        let roles = &self.catalogue.roles;
        sql.push("select c._bucket, ").push(&self.customer_key()).push(", ").push(&self.entity_key());
        for role in [&roles.email, &roles.phone, &roles.locale, &roles.time_zone] {
            push_role(role.as_deref(), sql);
        }
    }

    /// Where they live: country and region.
    pub(super) fn push_place(&self, sql: &mut Sql) {
        let roles = &self.catalogue.roles;
        push_role(roles.country.as_deref(), sql);
        push_role(roles.region.as_deref(), sql);
    }

    /// The names of the bad moments that hold, by blanks: unknown holds nothing back. Nothing is asked for a rule whose
    /// messages are never promotional.
    pub(super) fn push_bad_moments(&self, sql: &mut Sql) {
        let asked = if self.rule.may_be_promotional() { self.bad_moments } else { &[] };
        sql.push(", ''");
        for moment in asked {
            sql.push(" || case when ");
            moment.clause.write_sql(sql, self.dialect, self.catalogue, AS_CUSTOMER, self.moment());
            sql.push(" then ").bind(format!("{} ", moment.name)).push(" else '' end");
        }
    }

    pub(super) fn push_eligible(&self, offer: &Offer, sql: &mut Sql) {
        sql.push("case when true");
        for clause in &offer.eligible {
            sql.push(" and ");
            clause.write_sql(sql, self.dialect, self.catalogue, AS_CUSTOMER, self.moment());
        }
        sql.push(" then 1 else 0 end");
    }

    /// How many more the customer may have by the offer's limit.
    fn push_left(&self, offer: &Offer, sql: &mut Sql) {
        let Some(limit) = offer.per_customer else {
            sql.bind(i64::MAX);
            return;
        };
        sql.push("(").bind(i64::from(limit.max)).push(" - (select count(*)");
        self.push_given(offer, limit, sql);
        sql.push("))");
    }

    fn push_first(&self, offer: &Offer, sql: &mut Sql) {
        match offer.per_customer.filter(|_| self.asleep != Asleep::Nobody) {
            None => sql.push("null"),
            Some(limit) => {
                sql.push("(select min(g.granted_at)");
                self.push_given(offer, limit, sql);
                sql.push(")")
            }
        };
    }

    /// The grants that count against the limit.
    fn push_given(&self, offer: &Offer, limit: PerCustomer, sql: &mut Sql) {
        let since = limit.per.map_or(i64::MIN, |span| self.as_of.minus(span).micros());
        sql.push(" from offer_grants g where g.bucket = c._bucket and g.customer = ").push(&self.customer_key());
        sql.push(" and g.offer = ").bind(&offer.name);
        sql.push(" and g.state not in ('freed', 'released') and g.granted_at > ").bind(since);
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
            eligible: row.int(FIXED + OF_OFFER * place) == Some(1),
            left: row.int(FIXED + OF_OFFER * place + 1).unwrap_or(0),
            first: row.int(FIXED + OF_OFFER * place + 2).map(Timestamp::from_micros),
        });
        let country = row.text(16).and_then(country_code);
        let region = country.as_deref().zip(row.text(17)).and_then(|(country, region)| region_code(country, region));
        Candidate {
            bucket: row.int(0).expect("a customer has a bucket"),
            customer: text(1).expect("a customer has a key"),
            entity: text(2).expect("a row has a key"),
            email: address(3),
            phone: address(4),
            locale: text(5),
            zone: row.text(6).and_then(zone_named),
            zones: Vec::new(),
            country,
            region,
            occurrence: text(7).unwrap_or_default(),
            existing,
            last_touch: row.int(13).map(Timestamp::from_micros),
            consents: answers().filter_map(|word| word.parse().ok()).collect(),
            refused: answers().filter_map(|word| word.strip_prefix('-')?.parse().ok()).collect(),
            unconfirmed: answers().filter_map(|word| word.strip_prefix('?')?.parse().ok()).collect(),
            soft_opt_in: answers().any(|word| word == SOFT),
            suppressed: Vec::new(),
            offers: offers.collect(),
            preferences: Preferences::default(),
            bad_moments: row.text(15).unwrap_or("").split_whitespace().map(str::to_owned).collect(),
            taken: Vec::new(),
            email_place: None,
            phone_place: None,
            event_at: row.int(18).map(Timestamp::from_micros),
        }
    }

    /// Where the values used begin in a row of [`Audience::candidates`].
    pub fn facts_from(&self) -> usize {
        FIXED + OF_OFFER * self.offers.len()
    }
}

fn push_role(role: Option<&str>, sql: &mut Sql) {
    sql.push(", ");
    match role {
        Some(field) => sql.push("c.").push(&quoted(field)),
        None => sql.push("null"),
    };
}
