//! What the data are without, in words: sources that cannot be read, rows that were refused, columns that are gone.
//!
//! `status` tells it among its concerns, `check` at its place in `data.toml`, and whatever answers from the data before
//! its answer: whoever asks who would get a message must not take half of the customers for all of them.

use super::print::local;
use super::{Failure, complain};
use crate::amount::counted;
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::config::{DATA_TOML, Files, places};
use crate::data::headings;
use crate::problem::Problem;
use crate::store::db::Db;
use crate::store::sources;
use crate::time::Tz;
use std::path::Path;

/// One thing that the data are without.
pub(super) struct Shortfall {
    entity: String,
    /// The field, where one has no column.
    field: Option<String>,
    /// Whether the file is not read for it.
    stops: bool,
    pub said: String,
}

/// All of it, of the entities that are declared today; what was found when sources were read last is in the database,
/// where there is one.
pub(super) async fn all(
    db: Option<&Db>,
    catalogue: &Catalogue,
    home: &Path,
    zone: Tz,
) -> Result<Vec<Shortfall>, Failure> {
    let mut found = match db {
        Some(db) => recorded(db, catalogue, zone).await?,
        None => Vec::new(),
    };
    for missing in headings::missing(catalogue, home) {
        let headings::Missing { entity, field, stops, error } = missing;
        // That it could not be read for it was told.
        if found.iter().any(|known| known.entity == entity && known.said.contains(&error.to_string())) {
            continue;
        }
        let said = if stops {
            format!("{entity} is not read: {error}")
        } else {
            format!("`{entity}.{field}` stays what it was: {error}")
        };
        found.push(Shortfall { entity, field: Some(field), stops, said });
    }
    Ok(found)
}

async fn recorded(db: &Db, catalogue: &Catalogue, zone: Tz) -> Result<Vec<Shortfall>, Failure> {
    let mut found = Vec::new();
    for problem in sources::problems(db).await? {
        let (entity, why, at) = (problem.entity, problem.why, local(problem.at, zone));
        if catalogue.entity(&entity).is_some() {
            let said = format!("{entity} could not be read at {at}, the last data stay: {why}");
            found.push(Shortfall { entity, field: None, stops: false, said });
        }
    }
    for left_out in sources::left_out(db).await?.into_iter().filter(|left_out| left_out.refused > 0) {
        let Some(entity) = catalogue.entity(&left_out.entity) else { continue };
        let rows = counted(left_out.refused, "row");
        let of = entity.source.as_ref().unwrap_or(&entity.name);
        let see = left_out.errors_file.map_or(String::new(), |file| format!(", see {file}"));
        let said = format!("{rows} of {of} refused{see}");
        found.push(Shortfall { entity: left_out.entity, field: None, stops: false, said });
    }
    Ok(found)
}

/// Says it on standard error, where it is in nobody's way who reads the answer by a program.
pub(super) async fn mention(app: &App) -> Result<(), Failure> {
    let project = &app.workspace.project;
    let zone = project.settings.business.time_zone;
    for one in all(Some(&app.db), &project.catalogue, &app.home, zone).await? {
        complain(format_args!("note: {}", one.said));
    }
    Ok(())
}

/// As problems of `data.toml`.
pub(super) fn problems(found: Vec<Shortfall>, files: &Files) -> Vec<Problem> {
    let Some(source) = files.get(DATA_TOML) else { return Vec::new() };
    let problem = |one: Shortfall| {
        let place = match &one.field {
            Some(field) => places::within(source, &[&one.entity, "fields", field]),
            None => places::within(source, &[&one.entity, "source"]),
        };
        if one.stops { Problem::error(source, place, one.said) } else { Problem::warning(source, place, one.said) }
    };
    found.into_iter().map(problem).collect()
}
