//! The generator: customers and orders of a shop, the same in every run.
//!
//! 1. Everything follows from [`SEED`] and the row's number.
//! 2. Every tenth customer is a gold member whose last order is older than 30 days; the other gold members (another
//!    tenth) ordered within the last month. So a rule that asks for both selects exactly a tenth.
//! 3. Rows come by the thousand: memory does not grow with the shop.

use crate::bench::Result;
use crate::catalogue::Catalogue;
use crate::ids::bucket_of;
use crate::store::db::{Cell, Db};
use crate::store::rows::{self, Record};
use crate::time::{Span, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const SEED: u64 = 20_261_103;
const CHUNK: usize = 1_000;
/// Rows of several chunks in one transaction.
const CHUNKS_A_COMMIT: usize = 50;
/// One customer in so many is selected by [`LAPSED`].
pub const SELECTED: usize = 10;
/// The conditions that select them, as they stand in a rule.
pub const LAPSED: &str = "'customer.tier == \"gold\"', 'customer.last_order_at < ago(\"30d\")'";

const NAMES: [&str; 8] = ["Ada", "Ben", "Chloé", "Dafydd", "Eilidh", "Femi", "Grace", "Hamish"];
const DAY: i64 = 86_400_000_000;

/// A customer or an order: its fields, in the order in which `data.toml` declares them.
pub type Fields = Vec<Cell>;

/// A shop of so many customers with three orders each on average.
pub struct Business {
    now: Timestamp,
    /// Numbers of the customers, by bucket: in this order their rows lie in the tables.
    numbers: Vec<u32>,
}

impl Business {
    pub fn new(customers: usize, now: Timestamp) -> Self {
        let mut numbers: Vec<u32> = (0..u32::try_from(customers).expect("a bench has millions at most")).collect();
        numbers.sort_by_cached_key(|number| (bucket_of(&customer_key(*number)), *number));
        Self { now, numbers }
    }

    /// In the order of their numbers, as a file has them.
    pub fn by_number(mut self) -> Self {
        self.numbers.sort_unstable();
        self
    }

    pub fn customers(&self) -> impl Iterator<Item = Fields> {
        self.numbers.iter().map(|number| self.customer(*number))
    }

    pub fn orders(&self) -> impl Iterator<Item = Fields> {
        self.numbers.iter().flat_map(|number| self.orders_of(*number))
    }

    fn customer(&self, number: u32) -> Fields {
        let mut random = StdRng::seed_from_u64(SEED ^ u64::from(number) << 1);
        let today = self.now.micros() / DAY;
        let tier = match number % 5 {
            0 => "gold",
            1 | 2 => "silver",
            _ => "basic",
        };
        let text = |text: &str| Cell::Text(text.to_owned());
        vec![
            Cell::Text(customer_key(number)),
            text(NAMES[random.random_range(0..NAMES.len())]),
            Cell::Text(format!("c{number}@customers.bench.example")),
            Cell::Text(format!("+4420794{:05}", number % 100_000)),
            text("en-GB"),
            text("Europe/London"),
            text("GB"),
            text(tier),
            Cell::Int(today - random.random_range(18 * 365..80 * 365)),
            Cell::Int(today - random.random_range(0..5 * 365)),
        ]
    }

    fn orders_of(&self, number: u32) -> impl Iterator<Item = Fields> {
        let mut random = StdRng::seed_from_u64(SEED ^ (u64::from(number) << 1 | 1));
        // one to five, but three for each of those who are selected or nearly so
        let count = if number.is_multiple_of(5) { 3 } else { random.random_range(1..=5) };
        let lapsed = number.is_multiple_of(10);
        (0..count).map(move |place| {
            let newest = number.is_multiple_of(5) && !lapsed && place == 0;
            let days = if newest { random.random_range(1..20) } else { random.random_range(40..700) };
            let placed_at = self.now.minus(Span::from_seconds(days * 86_400 + random.random_range(0..86_000)));
            let status = if random.random_range(0..10) == 0 { "cancelled" } else { "paid" };
            vec![
                Cell::Text(format!("o{number:07}-{place}")),
                Cell::Text(customer_key(number)),
                // files have whole seconds
                Cell::Int(placed_at.micros() / 1_000_000 * 1_000_000),
                Cell::Int(random.random_range(250..9_000) * 100),
                Cell::Text(status.to_owned()),
            ]
        })
    }

    /// Writes all of it straight into the tables.
    pub async fn fill(&self, db: &Db, catalogue: &Catalogue) -> Result<()> {
        fill(db, catalogue, "customer", 0, self.customers()).await?;
        fill(db, catalogue, "order", 1, self.orders()).await
    }
}

fn customer_key(number: u32) -> String {
    format!("c{number:07}")
}

/// A row as the tables have it; `owner` is the place of the customer's key among the fields.
pub fn record(fields: Fields, owner: usize, digest: i64) -> Record {
    let Cell::Text(customer) = &fields[owner] else { unreachable!("customers have text for a key") };
    Record { bucket: bucket_of(customer), customer: Some(customer.clone()), digest, values: fields }
}

async fn fill(
    db: &Db,
    catalogue: &Catalogue,
    name: &str,
    owner: usize,
    fields: impl Iterator<Item = Fields>,
) -> Result<()> {
    let entity = catalogue.entity(name).expect("the shop declares it");
    let mut records = fields.zip(0..).map(|(fields, number)| record(fields, owner, number)).peekable();
    while records.peek().is_some() {
        let mut tx = db.begin().await?;
        for _ in 0..CHUNKS_A_COMMIT {
            let chunk: Vec<Record> = records.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            rows::insert(&mut tx, entity, true, &chunk.iter().collect::<Vec<_>>(), false).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::home::Home;

    #[test]
    fn the_same_shop_comes_out_twice() {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let (one, other) = (Business::new(50, now), Business::new(50, now).by_number());
        let sorted = |business: &Business| {
            let mut all: Vec<String> =
                business.customers().chain(business.orders()).map(|row| format!("{row:?}")).collect();
            all.sort();
            all
        };
        assert_eq!(sorted(&one), sorted(&other));
        assert_eq!(one.customers().count(), 50);
    }

    #[tokio::test]
    async fn a_tenth_is_selected() {
        let home = Home::of_shop(1, 1).expect("a folder");
        home.add_rules(["lapsed"], LAPSED).expect("a rule");
        let open = home.open().await.expect("a database");
        let now = open.app.clock.now();
        Business::new(200, now).fill(&open.app.db, &open.app.workspace.project.catalogue).await.expect("rows");
        let planned = open.app.plan(&open.lease, now, Some("lapsed")).await.expect("planned");
        assert_eq!(planned.runs[0].counts.planned, 20);
        assert_eq!(planned.runs[0].counts.matched(), 20);
    }
}
