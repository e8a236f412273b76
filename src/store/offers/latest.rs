//! To whom an offer was given last, by which rule, and what became of it.

use crate::sql::Sql;
use crate::store::db::{Db, Result, Row};
use crate::store::page::Grant;
use serde_json::{Value, json};

/// One grant of an offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    pub customer: String,
    /// `None` where the touchpoint is gone.
    pub rule: Option<String>,
    pub grant: Grant,
}

/// The latest grants of `offer`, newest first; those that never went out and went back are none.
///
/// # Errors
/// When the database refuses.
pub async fn latest(db: &Db, offer: &str, limit: i64) -> Result<Vec<Given>> {
    let sql = format!(
        "select {}, g.customer, t.rule from (select * from offer_grants \
         where offer = $1 and state not in ('freed', 'released') order by granted_at desc, touchpoint limit $2) g \
         left join touchpoints t on t.bucket = g.bucket and t.id = g.touchpoint \
         order by g.granted_at desc, g.touchpoint",
        Grant::COLUMNS
    );
    let rows = db.fetch_sorting(Sql::new(sql).with(offer).with(limit)).await?;
    let given = |row: &Row| Given {
        customer: row.text(7).to_owned(),
        rule: row.opt_text(8).map(str::to_owned),
        grant: Grant::read(row),
    };
    Ok(rows.iter().map(given).collect())
}

impl Given {
    pub fn to_json(&self, currency: &str) -> Value {
        let mut value = self.grant.to_json(currency);
        value["customer"] = json!(self.customer);
        value["rule"] = json!(self.rule);
        value
    }
}
