//! What `offers` shows: each offer's budget and what became of it.

use crate::offers::Offer;
use crate::offers::code::{CodeSource, capacity};
use crate::offers::grant::GrantState;
use crate::sql::Sql;
use crate::store::db::{Db, Result};
use crate::time::Date;
use std::collections::HashMap;

/// Grants of one kind: how many, and what they cost us; money, scaled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Share {
    pub count: u64,
    pub cost: i64,
}

impl Share {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.cost += other.cost;
    }
}

/// One offer's budget and ledger. Money is scaled.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    pub offer: String,
    pub total: Option<i64>,
    pub per_day: Option<i64>,
    /// Ever.
    pub all: Shares,
    /// Taken from today's budget.
    pub today: Shares,
    /// Of the total, where there is one.
    pub left: Option<i64>,
    /// Of today's budget, where there is one; never more than what is left of the total.
    pub left_today: Option<i64>,
    /// Codes that can still be given; absent for fixed codes and offers without codes.
    pub codes_left: Option<u64>,
}

/// What became of grants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shares {
    /// With messages that are planned, on their way or in doubt.
    pub reserved: Share,
    /// With messages that were sent, not redeemed and not over.
    pub spent: Share,
    pub redeemed: Share,
    /// Not used in time, the cost kept.
    pub expired: Share,
    /// Not used in time, the cost given back.
    pub lapsed: Share,
}

/// The summaries of `offers`, in their order, as of the business's calendar day `today`.
///
/// # Errors
/// When the database refuses.
pub async fn summaries(db: &Db, offers: &[&Offer], today: Date) -> Result<Vec<Summary>> {
    if offers.is_empty() {
        return Ok(Vec::new());
    }
    let given = given(db, today).await?;
    let counted = |rows: Vec<crate::store::db::Row>| -> HashMap<String, u64> {
        rows.iter().map(|row| (row.text(0).to_owned(), u64::try_from(row.int(1)).unwrap_or(0))).collect()
    };
    let free =
        counted(db.fetch(Sql::new("select offer, count(*) from offer_codes where taken = 0 group by offer")).await?);
    let used = counted(db.fetch(Sql::new("select offer, used from offer_counters")).await?);
    let mut summaries = Vec::with_capacity(offers.len());
    for offer in offers {
        let (all, today) = given.get(&offer.name).copied().unwrap_or_default();
        let mut summary = Summary {
            offer: offer.name.clone(),
            all,
            today,
            total: offer.budget.total,
            per_day: offer.budget.per_day,
            codes_left: codes_left(offer, &free, &used),
            ..Summary::default()
        };
        summary.left = summary.total.map(|total| (total - summary.all.held()).max(0));
        let left_today = |cap: i64| (cap - summary.today.held()).max(0).min(summary.left.unwrap_or(i64::MAX));
        summary.left_today = summary.per_day.map(left_today);
        summaries.push(summary);
    }
    Ok(summaries)
}

/// The summary of an offer that no file tells of any more, of what is recorded; `None` where none was given.
///
/// # Errors
/// When the database refuses.
pub async fn recorded(db: &Db, offer: &str, today: Date) -> Result<Option<Summary>> {
    let given = given(db, today).await?.remove(offer).filter(|(all, _)| all.count() > 0);
    Ok(given.map(|(all, today)| Summary { offer: offer.to_owned(), all, today, ..Summary::default() }))
}

/// What became of the grants of each offer: of all, and of those taken from the budget of `today`.
async fn given(db: &Db, today: Date) -> Result<HashMap<String, (Shares, Shares)>> {
    let grants = Sql::new(
        "select offer, state, count(*), cast(sum(cost) as bigint),
                cast(sum(case when day = $1 then 1 else 0 end) as bigint),
                cast(sum(case when day = $1 then cost else 0 end) as bigint)
         from offer_grants group by offer, state",
    );
    let mut given: HashMap<String, (Shares, Shares)> = HashMap::new();
    for row in db.fetch(grants.with(today.to_string())).await? {
        let state = row.text(1).parse().unwrap_or(GrantState::Reserved);
        let share = |count, cost| Share { count: u64::try_from(row.int(count)).unwrap_or(0), cost: row.int(cost) };
        let (all, today) = given.entry(row.text(0).to_owned()).or_default();
        all.add(state, share(2, 3));
        today.add(state, share(4, 5));
    }
    Ok(given)
}

impl Shares {
    fn add(&mut self, state: GrantState, share: Share) {
        match state {
            GrantState::Reserved => self.reserved.add(share),
            GrantState::Spent => self.spent.add(share),
            GrantState::Redeemed => self.redeemed.add(share),
            GrantState::Expired => self.expired.add(share),
            GrantState::Lapsed => self.lapsed.add(share),
            GrantState::Freed | GrantState::Released => {}
        }
    }

    /// Each with its state, in the order in which a grant goes through them.
    pub const fn each(&self) -> [(GrantState, Share); 5] {
        [
            (GrantState::Reserved, self.reserved),
            (GrantState::Spent, self.spent),
            (GrantState::Redeemed, self.redeemed),
            (GrantState::Expired, self.expired),
            (GrantState::Lapsed, self.lapsed),
        ]
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.each().iter().map(|(_, share)| share.count).sum()
    }

    /// What they take of a budget; money, scaled.
    fn held(&self) -> i64 {
        self.each().iter().filter(|(state, _)| state.counts_in_budget()).map(|(_, share)| share.cost).sum()
    }
}

fn codes_left(offer: &Offer, free: &HashMap<String, u64>, used: &HashMap<String, u64>) -> Option<u64> {
    match offer.code.as_ref()? {
        CodeSource::Fixed(_) => None,
        CodeSource::File(_) => Some(free.get(&offer.name).copied().unwrap_or(0)),
        CodeSource::Pattern(pattern) => {
            let used = used.get(&offer.name).copied().unwrap_or(0);
            capacity(pattern).map(|all| all.saturating_sub(used))
        }
    }
}
