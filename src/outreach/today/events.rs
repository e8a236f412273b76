//! Rules that wait for an event that never came in, though others did: most likely it is sent by another name.

use super::instead;
use crate::catalogue::quoted;
use crate::config::{Project, places};
use crate::plan::audience::EVENT;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::db::{Db, Result};

/// So many names are looked at to find the nearest.
const MOST_NAMES: i64 = 1_000;

/// A warning for each rule whose event never came in, where any did.
///
/// # Errors
/// When there is no table of events, or the database refuses.
pub async fn never_came(db: &Db, project: &Project) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let Some(events) = project.catalogue.entity(EVENT) else { return Ok(problems) };
    let (table, name) = (events.table(), quoted("name"));
    let mut names: Option<Vec<String>> = None;
    for rule in project.rules.values() {
        let (Some(event), Some(source)) = (&rule.on_event, project.rule_files.get(&rule.name)) else { continue };
        let came = Sql::new(format!("select 1 from {table} where {name} = $1 limit 1")).with(event);
        // A slip of a declared name is told of as that.
        if project.catalogue.event_meant(event).is_some() || db.fetch_one(came).await?.is_some() {
            continue;
        }
        if names.is_none() {
            let all = Sql::new(format!("select distinct {name} from {table} limit $1")).with(MOST_NAMES);
            names = Some(db.fetch(all).await?.iter().map(|row| row.text(0).to_owned()).collect());
        }
        let names = names.as_deref().unwrap_or_default();
        if !names.is_empty() {
            let message = format!("no event `{event}` has ever come in, though others have");
            let place = places::place(source, "on_event", None);
            problems.push(Problem::warning(source, place, message).help(instead(
                event,
                names,
                ["names", "came", "came"],
            )));
        }
    }
    Ok(problems)
}
