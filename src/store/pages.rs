//! What the public pages read of one customer: their own fields, and whether they are paused.

use super::db::{Db, Result};
use crate::catalogue::{Catalogue, quoted};
use crate::courtesy::pauses::Scope;
use crate::ids::bucket_of;
use crate::sql::Sql;
use crate::time::Timestamp;

/// A customer's texts by the roles of their fields.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fields {
    pub email: Option<String>,
    pub phone: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
}

/// The fields of a customer; all empty where the data knows them no longer.
pub async fn fields(db: &Db, catalogue: &Catalogue, customer: &str) -> Result<Fields> {
    let roles = &catalogue.roles;
    let column = |field: &Option<String>| field.as_deref().map_or_else(|| "cast(null as text)".to_owned(), quoted);
    let columns = [&roles.email, &roles.phone, &roles.locale, &roles.time_zone].map(column).join(", ");
    let (table, id) = (catalogue.customer().table(), catalogue.id_of_customer());
    let text = format!("select {columns} from {table} where _bucket = $1 and {id} = $2");
    let row = db.fetch_one(Sql::new(text).with(bucket_of(customer)).with(customer)).await?;
    let Some(row) = row else { return Ok(Fields::default()) };
    let text = |index| row.opt_text(index).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Fields { email: text(0), phone: text(1), locale: text(2), time_zone: text(3) })
}

/// The end of a customer's pause that holds at `now`: none where they are not paused, and none within where it has no
/// end.
pub async fn pause(db: &Db, customer: &str, now: Timestamp) -> Result<Option<Option<Timestamp>>> {
    let scope = Scope::Customer(customer.to_owned()).to_string();
    let text = "select paused_until from pauses where scope = $1 and (paused_until is null or paused_until > $2)";
    let row = db.fetch_one(Sql::new(text).with(scope).with(now)).await?;
    Ok(row.map(|row| row.opt_int(0).map(Timestamp::from_micros)))
}
