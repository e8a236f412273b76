//! Sources that are queries to other databases.
//!
//! 1. A query is read again once `every` has gone by, or its declaration has changed; after a failure within a minute.
//! 2. With `since` it is read from the last mark on, that included: a row may come twice, and none is missed. The mark
//!    moves when what was read is written.
//! 3. What was read stays where the query cannot be read now, or has lost more than a fifth of its rows.

use super::import::{Import, import_from};
use super::origin::{Origin, Query};
use super::{DataError, Report};
use crate::catalogue::{Absent, Catalogue, DatabaseSource, Entity};
use crate::ids::content_hash;
use crate::progress::Progress;
use crate::settings::Business;
use crate::store::db::Db;
use crate::store::external::shown;
use crate::store::sources;
use crate::time::{Span, Timestamp};
use std::path::Path;

/// How long after a failure it is tried again, where `every` is not shorter.
const RETRY: Span = Span::from_seconds(60);

/// A source and all that its reading takes.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub db: &'a Db,
    pub catalogue: &'a Catalogue,
    pub business: &'a Business,
    pub entity: &'a Entity,
    pub database: &'a DatabaseSource,
    pub home: &'a Path,
    /// What its rows are read by besides the query.
    pub declaration: &'a str,
    pub now: Timestamp,
}

impl Source<'_> {
    /// Reads the query if it is time; `None` where it is not.
    pub(super) async fn sync(&self) -> Result<Option<Report>, DataError> {
        let name = &self.entity.name;
        let fingerprint = content_hash(&[&shown(self.database.url.expose()), self.declaration]);
        let known = sources::known(self.db, name).await?;
        let same = known.as_ref().filter(|known| known.fingerprint == fingerprint);
        let failed = known.as_ref().and_then(|known| known.problem.as_ref()).map(|problem| problem.at);
        let wait = match (failed, same) {
            (Some(at), _) => Some((at, RETRY.min(self.database.every))),
            (None, Some(known)) => Some((known.synced_at, self.database.every)),
            (None, None) => None,
        };
        if wait.is_some_and(|(at, span)| at <= self.now && self.now < at.plus(span)) {
            return Ok(None);
        }
        let mark = same.and_then(|known| known.mark.clone());
        let zone = self.entity.time_zone.unwrap_or(self.business.time_zone);
        let mut query = Query::open(self.database, self.entity, self.home, zone, mark).await?;
        let mark = query.latest().await?;
        let report = self.import(query).await?;
        sources::remember_mark(self.db, name, &fingerprint, mark.as_deref(), report.rows, self.now).await?;
        Ok(Some(report))
    }

    async fn import(&self, query: Query) -> Result<Report, DataError> {
        let name = &self.entity.name;
        let usual = if self.database.since.is_some() { Absent::Keep } else { Absent::Remove };
        let catalogue = query.reading_of(self.catalogue, name);
        // Refused rows go beside the database, as those of a file go beside the file.
        let folder = self.home.join("var");
        std::fs::create_dir_all(&folder).map_err(|error| DataError::file(&folder, error))?;
        let beside = folder.join(name);
        let job = Import {
            catalogue: &catalogue,
            business: self.business,
            entity: name,
            path: &beside,
            now: self.now,
            absent: self.entity.absent.unwrap_or(usual),
            confirmed: false,
            dry_run: false,
            progress: Progress::default(),
        };
        let mut origin = Origin::Query(Box::new(query));
        let report = import_from(self.db, &job, &mut origin).await.map_err(|error| match error {
            DataError::Shrunk { entity, lost, known, .. } => DataError::Refused(format!(
                "the query has lost {lost} of the {known} rows of `{entity}`; more than a fifth is refused as a mistake. \
                 To remove them write the query's rows to a file and run `plusone import {entity} FILE --absent remove`"
            )),
            error => error,
        })?;
        if let Origin::Query(query) = origin {
            query.close().await;
        }
        Ok(report)
    }
}
