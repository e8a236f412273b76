//! Sources: the files and queries that the data declares, read again when they have changed or it is time.
//!
//! When a query is read is for [`queries`].
//!
//! 1. A file whose size and time are as they were is not opened; one whose content and declaration are as they were
//!    is not imported. One with relative dates counts as changed each day.
//! 2. Parents come before children, so that owners are known.
//! 3. What is wrong with one source does not keep the others from being read; its last rows stay.

use super::import::{self, Import};
use super::{DataError, Report, headings, queries, strays};
use crate::amount::counted;
use crate::catalogue::{Absent, Catalogue, DatabaseSource, Entity, Place};
use crate::ids::content_hash;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::store::db::Db;
use crate::store::{foreign, sources};
use crate::time::Timestamp;
use std::path::{Path, PathBuf};

/// What a sync did, source by source.
#[derive(Debug, Default)]
pub struct SyncReport {
    /// Sources that had changed and were read.
    pub read: Vec<Report>,
    /// Sources that were as they had been, by entity.
    pub unchanged: Vec<String>,
    /// Sources that could not be read, by entity.
    pub failed: Vec<(String, DataError)>,
}

impl SyncReport {
    /// What is worth telling, a line for each source that was read or could not be.
    pub fn lines(&self) -> Vec<String> {
        let read = self
            .read
            .iter()
            .filter(|report| report.created + report.updated + report.removed + report.refused + report.erased > 0);
        let read = read.map(|report| {
            let mut line = format!("{:<24} {} read", report.entity, counted(report.rows, "row"));
            for (count, what) in [
                (report.created, "new"),
                (report.updated, "changed"),
                (report.removed, "removed"),
                (report.refused, "refused"),
                (report.erased, "left out: erased people"),
            ] {
                if count > 0 {
                    line.push_str(&format!(", {count} {what}"));
                }
            }
            for (count, such, what) in [
                (report.bad_contacts, &report.such_contacts, "with an address that cannot be used"),
                (report.strays, &report.such_strays, "of customers who are not known"),
            ] {
                if count > 0 {
                    line.push_str(&format!(", {count} {what} ({})", such_as(count, such)));
                }
            }
            if let Some(errors) = &report.errors_file {
                line.push_str(&format!("; see {}", errors.display()));
            }
            line
        });
        let failed = self.failed.iter().map(|(entity, error)| format!("{entity:<24} not read: {error}"));
        read.chain(failed).collect()
    }

    /// Whether any row of any table differs from before.
    pub fn changed_anything(&self) -> bool {
        self.read.iter().any(|report| report.created + report.updated + report.removed + report.consents > 0)
    }
}

/// Reads every source that has changed. `home` is where relative paths begin. The tables must have been prepared.
///
/// # Errors
/// When the database cannot say or keep what was read last; what is wrong with a file is in the report.
pub async fn sync(
    db: &Db,
    catalogue: &Catalogue,
    settings: &Settings,
    home: &Path,
    now: Timestamp,
) -> Result<SyncReport, DataError> {
    foreign::sync_buckets(db, catalogue).await?;
    let mut report = SyncReport::default();
    let failing = sources::problems(db).await?;
    for entity in in_order(catalogue) {
        let path = home.join(entity.source.as_deref().unwrap_or_default());
        let source = Source { db, catalogue, settings, entity, path, now };
        let read = match &entity.database {
            Some(database) => source.query(database, home).await,
            None => source.sync().await,
        };
        match read {
            Err(error) => {
                sources::set_problem(db, &entity.name, &error.to_string(), now).await?;
                report.failed.push((entity.name.clone(), error));
                continue;
            }
            Ok(Some(read)) => {
                let errors = read.errors_file.as_ref().map(|path| path.display().to_string());
                sources::set_refused(db, &entity.name, read.refused, errors.as_deref()).await?;
                report.read.push(read);
            }
            Ok(None) => report.unchanged.push(entity.name.clone()),
        }
        // A query that it is not time for has said nothing.
        if entity.database.is_none() && failing.iter().any(|problem| problem.entity == entity.name) {
            sources::clear_problem(db, &entity.name).await?;
        }
    }
    strays::look(db, catalogue, &mut report.read).await?;
    Ok(report)
}

/// The keys of the first rows of so many: `1017, 1043 and more`.
pub fn such_as(count: u64, keys: &[String]) -> String {
    let more = if count > keys.len() as u64 { " and more" } else { "" };
    format!("{}{more}", keys.join(", "))
}

/// The entities with a source, those nearer to the customer first, shared tables before all.
fn in_order(catalogue: &Catalogue) -> Vec<&Entity> {
    let own = catalogue.entities.values().filter(|entity| entity.place == Place::Own);
    let mut sources: Vec<&Entity> = own.filter(|entity| entity.source.is_some() || entity.database.is_some()).collect();
    sources.sort_by_key(|entity| catalogue.path_to_customer(&entity.name).map_or(0, |path| path.len() + 1));
    sources
}

struct Source<'a> {
    db: &'a Db,
    catalogue: &'a Catalogue,
    settings: &'a Settings,
    entity: &'a Entity,
    path: PathBuf,
    now: Timestamp,
}

/// What a source was when it was last read, as kept: what it looks like from outside, and what is in it.
struct Fingerprint {
    outside: String,
    inside: String,
}

impl Fingerprint {
    fn parse(kept: &str) -> Option<Self> {
        let (outside, inside) = kept.split_once(' ')?;
        Some(Self { outside: outside.to_owned(), inside: inside.to_owned() })
    }

    fn kept(&self) -> String {
        format!("{} {}", self.outside, self.inside)
    }
}

impl Source<'_> {
    /// Reads the query in the place of a file, if it is time.
    async fn query(&self, database: &DatabaseSource, home: &Path) -> Result<Option<Report>, DataError> {
        let Self { db, catalogue, entity, now, .. } = *self;
        let (business, declaration) = (&self.settings.business, &self.declaration());
        queries::Source { db, catalogue, business, entity, database, home, declaration, now }.sync().await
    }

    /// Reads the source if it has changed; `None` where it has not.
    async fn sync(&self) -> Result<Option<Report>, DataError> {
        let outside = self.outside()?;
        let kept = sources::fingerprint(self.db, &self.entity.name).await?;
        let kept = kept.as_deref().and_then(Fingerprint::parse);
        if kept.as_ref().is_some_and(|kept| kept.outside == outside) {
            return Ok(None);
        }
        let path = self.path.clone();
        let hashed = tokio::task::spawn_blocking(move || content(&path)).await.expect("hashing does not panic");
        let inside = content_hash(&[&hashed?, &self.declaration()]);
        let fingerprint = Fingerprint { outside, inside };
        if kept.is_some_and(|kept| kept.inside == fingerprint.inside) {
            self.remember(&fingerprint, 0).await?;
            return Ok(None);
        }
        let (catalogue, entity, path) = (self.catalogue.clone(), self.entity.clone(), self.path.clone());
        let missing = tokio::task::spawn_blocking(move || headings::missing_in(&catalogue, &entity, &path));
        let missing = missing.await.expect("reading does not panic")?;
        if let Some(missing) = missing.into_iter().find(|missing| missing.stops) {
            return Err(missing.error);
        }
        let job = Import {
            catalogue: self.catalogue,
            business: &self.settings.business,
            entity: &self.entity.name,
            path: &self.path,
            now: self.now,
            absent: self.entity.absent.unwrap_or(Absent::Remove),
            confirmed: false,
            dry_run: false,
            progress: Progress::default(),
        };
        let report = import::import(self.db, &job).await?;
        self.remember(&fingerprint, report.rows).await?;
        Ok(Some(report))
    }

    async fn remember(&self, fingerprint: &Fingerprint, rows: u64) -> Result<(), DataError> {
        Ok(sources::remember(self.db, &self.entity.name, &fingerprint.kept(), rows, self.now).await?)
    }

    /// Size and time of change of the file, and what it is read by.
    fn outside(&self) -> Result<String, DataError> {
        let failed = |error| DataError::file(&self.path, error);
        let metadata = std::fs::metadata(&self.path).map_err(failed)?;
        let changed = metadata.modified().map_err(failed)?;
        let changed = changed.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        Ok(content_hash(&[&format!("{} {changed}", metadata.len()), &self.declaration()]))
    }

    /// What the same content is read differently by: the declaration, and the day where dates are relative.
    fn declaration(&self) -> String {
        let business = &self.settings.business;
        let day =
            if self.entity.relative_dates { self.now.date(business.time_zone).to_string() } else { String::new() };
        let path = self.catalogue.path_to_customer(&self.entity.name);
        format!(
            "{:?} {path:?} {:?} {:?} {} {} {day}",
            self.entity, self.catalogue.roles, self.catalogue.consent, business.country, business.time_zone
        )
    }
}

/// The SHA-256 of a file.
fn content(path: &Path) -> Result<String, DataError> {
    use sha2::{Digest, Sha256};
    use std::io::Read;
    let failed = |error| DataError::file(path, error);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
