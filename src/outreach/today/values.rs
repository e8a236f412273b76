//! Conditions that ask for a text which no row has, though others are there: most likely it is spelled in another way.

use super::instead;
use crate::catalogue::{CUSTOMER, quoted};
use crate::config::Project;
use crate::expr::Clause;
use crate::rules::Rule;
use crate::sql::Sql;
use crate::store::db::{Db, Result};

/// Rows that are looked at for their values.
const LOOKED_AT: i64 = 20_000;
/// A column with more texts has no short list of them.
const MOST_TEXTS: usize = 50;

/// What the column has, where `clause`, which holds of no row, asks for another text; `None` where it asks for none, or
/// where the column may have anything.
///
/// # Errors
/// When the database refuses.
pub async fn had_instead(db: &Db, project: &Project, rule: &Rule, clause: &Clause) -> Result<Option<String>> {
    let Some(wanted) = clause.wanted_text() else { return Ok(None) };
    let of = if wanted.of_customer { CUSTOMER } else { &rule.for_each };
    let Some(entity) = project.catalogue.entity(of) else { return Ok(None) };
    let (table, column) = (entity.table(), quoted(wanted.field));
    let rows = format!("select {column} as v from {table} where {column} is not null limit {LOOKED_AT}");
    let texts = Sql::new(format!("select distinct v from ({rows}) r limit {}", MOST_TEXTS + 1));
    let texts: Vec<String> = db.fetch(texts).await?.iter().map(|row| row.text(0).to_owned()).collect();
    let is_short = (1..=MOST_TEXTS).contains(&texts.len());
    Ok(is_short.then(|| instead(wanted.text, &texts, ["texts", "is there", "are there"])))
}
