//! One file into one entity's table.
//!
//! The file is read in a thread of its own, a few chunks ahead of the database. Consent that the rows state is
//! written with them, in the same transaction.
//!
//! 1. A chunk is [`CHUNK`] rows, a transaction at most [`CHUNKS_A_COMMIT`] chunks; one whose file does not give the
//!    next chunk within [`PATIENCE`] is committed.
//! 2. Whose a row is follows from its link: at once where that names the customer, through the parent's row where it
//!    does not, and later where the parent is not there yet.

use super::consent;
use super::erased::Erased;
use super::errors_file::ErrorsFile;
use super::files::{Next, Rows};
use super::origin::{Origin, Pass};
use super::records::{Plan, Refusal};
use super::survey::Survey;
use super::{DataError, Report};
use crate::catalogue::{Absent, CUSTOMER, Catalogue, Entity, Place};
use crate::plan::audience::EVENT;
use crate::problem::nearest;
use crate::progress::Progress;
use crate::settings::Business;
use crate::store::db::{Cell, Db, Tx};
use crate::store::events::{self, Event};
use crate::store::rows::{self, Existing, Moved, Record};
use crate::time::Timestamp;
use csv::ByteRecord;
use futures_util::TryStreamExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Rows in one statement.
const CHUNK: usize = 1_000;

/// Chunks in one transaction: customers are spread over all buckets, so that every commit writes a page of each.
const CHUNKS_A_COMMIT: usize = 20;

/// Chunks that are read ahead.
const READ_AHEAD: usize = 4;

/// How long an open transaction waits for the next chunk.
const PATIENCE: Duration = Duration::from_millis(50);

/// A file is refused when it has lost more than one row in so many.
const LOST_SHARE: u64 = 5;

/// Of how many rows the keys are told.
const SUCH: usize = 3;

/// What to import, into what, and how.
#[derive(Clone, Debug)]
pub struct Import<'a> {
    pub catalogue: &'a Catalogue,
    pub business: &'a Business,
    pub entity: &'a str,
    pub path: &'a Path,
    pub now: Timestamp,
    /// What becomes of rows that the file does not have.
    pub absent: Absent,
    /// Whether it was said for this import that they go, however many.
    pub confirmed: bool,
    /// Whether to look and not to write.
    pub dry_run: bool,
    /// Rows of the file that were dealt with.
    pub progress: Progress,
}

/// The entity of this name that can be filled from a file.
pub fn writable<'a>(catalogue: &'a Catalogue, name: &str) -> Result<&'a Entity, DataError> {
    let entity = catalogue.entity(name).ok_or_else(|| DataError::NoEntity {
        entity: name.to_owned(),
        near: nearest(name, catalogue.entities.keys().map(String::as_str)).map(str::to_owned),
    })?;
    match entity.place {
        Place::Own => Ok(entity),
        Place::InPlace(_) | Place::BuiltIn => Err(DataError::InPlace { entity: name.to_owned() }),
    }
}

/// Brings the rows of a file into the entity's table. The tables must have been prepared.
///
/// # Errors
/// When the file as a whole cannot be used, or the database refuses. Bad rows are no error: they are in the report.
pub async fn import(db: &Db, job: &Import<'_>) -> Result<Report, DataError> {
    import_from(db, job, &mut Origin::File).await
}

/// As [`import`], from wherever the rows are; refused rows go beside the job's path all the same.
///
/// # Errors
/// As [`import`].
pub async fn import_from(db: &Db, job: &Import<'_>, origin: &mut Origin) -> Result<Report, DataError> {
    let entity = writable(job.catalogue, job.entity)?;
    let (plan, survey, mut report) = survey(job, entity, origin).await?;
    let writer = Writer { db, job, entity, owned: job.catalogue.is_owned(&entity.name), plan: &plan };
    let lost = match job.absent {
        Absent::Remove => writer.lost(&survey).await?,
        Absent::Keep => Vec::new(),
    };
    report.rows = survey.rows;
    job.progress.expect(survey.rows);
    let (sender, mut chunks) = mpsc::channel(READ_AHEAD);
    let (path, reading) = (job.path.to_owned(), plan.clone());
    let headings: Vec<String> = entity.fields.iter().map(|field| field.heading().to_owned()).collect();
    let opened = origin.open(&path, &headings, Pass::Rows)?;
    let reader = tokio::task::spawn_blocking(move || read(&path, opened, &reading, survey, &sender));
    let fresh = rows::is_empty(db, entity).await?;
    let mut erased = Erased::new(db);
    while let Some(chunk) = chunks.recv().await {
        writer.write(chunk, &mut chunks, fresh, &mut erased, &mut report).await?;
    }
    let tally = reader.await.expect("the reader does not panic")?;
    origin.end().await?;
    report.refused = tally.refused;
    report.duplicates = tally.duplicates;
    report.bad_contacts = tally.bad_contacts;
    report.such_contacts = tally.such_contacts;
    report.errors_file = tally.errors_file;
    report.notes.extend(tally.note);
    report.removed = writer.remove(&lost).await?;
    if !job.dry_run {
        adopt(db, job.catalogue).await?;
    }
    Ok(report)
}

/// The first reading of the file.
async fn survey(job: &Import<'_>, entity: &Entity, origin: &mut Origin) -> Result<(Plan, Survey, Report), DataError> {
    let fields: Vec<String> = entity.fields.iter().map(|field| field.heading().to_owned()).collect();
    let path: PathBuf = job.path.to_owned();
    let mut rows = origin.open(&path, &fields, Pass::Keys)?;
    let file = origin.name(&path);
    let plan = Plan::new(job.catalogue, entity, job.business, &file, rows.headings(), job.now)?;
    let mut report = Report { entity: entity.name.clone(), ..Report::default() };
    let named = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let ignored = plan.ignored(rows.headings());
    if !ignored.is_empty() {
        report.notes.push(format!("columns that no field is read from: {}", named(&ignored)));
    }
    let missing: Vec<&str> = plan.missing().into_iter().map(|(_, name)| name).collect();
    if !missing.is_empty() {
        report.notes.push(format!("fields that the file has no column for, left as they are: {}", named(&missing)));
    }
    let reading = plan.clone();
    let survey = tokio::task::spawn_blocking(move || Survey::take(&path, &mut rows, &reading));
    let survey = survey.await.expect("the survey does not panic")?;
    origin.end().await?;
    Ok((plan, survey, report))
}

/// What the second reading counted.
#[derive(Debug, Default)]
struct Tally {
    refused: u64,
    duplicates: u64,
    bad_contacts: u64,
    such_contacts: Vec<String>,
    errors_file: Option<PathBuf>,
    note: Option<String>,
}

/// The second reading: hands good rows on in chunks and writes bad ones to the errors file.
fn read(
    path: &Path,
    mut rows: Rows,
    plan: &Plan,
    mut survey: Survey,
    chunks: &mpsc::Sender<Vec<Record>>,
) -> Result<Tally, DataError> {
    let mut errors = ErrorsFile::of(path, rows.headings());
    let mut tally = Tally::default();
    let mut row = ByteRecord::new();
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        let refusal = match rows.next(path, &mut row)? {
            Next::End => break,
            Next::Bad(reason) => Refusal { column: String::new(), reason },
            Next::Row => {
                if plan.key(&row).is_some_and(|key| !survey.is_last(&key)) {
                    tally.duplicates += 1;
                    continue;
                }
                match plan.record(&row) {
                    Ok(read) => {
                        tally.bad_contacts += read.bad_contacts;
                        if read.bad_contacts > 0 && tally.such_contacts.len() < SUCH {
                            tally.such_contacts.extend(plan.key(&row).map(|key| named(&key)));
                        }
                        if !hand_on(&mut chunk, read.record, chunks) {
                            return Ok(tally);
                        }
                        continue;
                    }
                    Err(refusal) => refusal,
                }
            }
        };
        tally.refused += 1;
        errors.add(rows.number(), &refusal, &row);
    }
    // A closed channel means that the writer failed; its error is the one to report.
    let _ = chunks.blocking_send(chunk);
    match errors.close() {
        Ok(path) => tally.errors_file = path,
        Err(failure) => tally.note = Some(failure),
    }
    Ok(tally)
}

/// A key as people name it.
fn named(key: &Cell) -> String {
    match key {
        Cell::Null => String::new(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// Adds a record to the chunk and sends a full one; false when nobody takes it any more.
fn hand_on(chunk: &mut Vec<Record>, record: Record, chunks: &mpsc::Sender<Vec<Record>>) -> bool {
    chunk.push(record);
    chunk.len() < CHUNK || chunks.blocking_send(std::mem::replace(chunk, Vec::with_capacity(CHUNK))).is_ok()
}

struct Writer<'a> {
    db: &'a Db,
    job: &'a Import<'a>,
    entity: &'a Entity,
    owned: bool,
    plan: &'a Plan,
}

impl Writer<'_> {
    /// The rows that the file no longer has, by key and bucket.
    async fn lost(&self, survey: &Survey) -> Result<Vec<(Cell, i64)>, DataError> {
        let mut lost = Vec::new();
        let mut known = 0_u64;
        let mut keys = rows::keys(self.db, self.entity, self.owned);
        while let Some(row) = keys.try_next().await? {
            known += 1;
            if !survey.has(row.cell(0)) {
                lost.push((row.cell(0).clone(), row.int(1)));
            }
        }
        let count = lost.len() as u64;
        if count * LOST_SHARE > known && !self.job.confirmed {
            return Err(DataError::Shrunk {
                file: self.job.path.display().to_string(),
                entity: self.entity.name.clone(),
                lost: count,
                known,
            });
        }
        Ok(lost)
    }

    async fn remove(&self, lost: &[(Cell, i64)]) -> Result<u64, DataError> {
        if self.job.dry_run {
            return Ok(lost.len() as u64);
        }
        let mut removed = 0;
        for chunk in lost.chunks(CHUNK) {
            let keys: Vec<(&Cell, i64)> = chunk.iter().map(|(key, bucket)| (key, *bucket)).collect();
            let mut tx = self.db.begin().await?;
            rows::lock(&mut tx, self.entity).await?;
            removed += rows::remove(&mut tx, self.entity, self.owned, &keys).await?;
            tx.commit().await?;
        }
        Ok(removed)
    }

    /// Writes a chunk, and what comes after it in time, in one transaction.
    async fn write(
        &self,
        first: Vec<Record>,
        chunks: &mut mpsc::Receiver<Vec<Record>>,
        fresh: bool,
        erased: &mut Erased,
        report: &mut Report,
    ) -> Result<(), DataError> {
        let mut tx = self.db.begin().await?;
        rows::lock(&mut tx, self.entity).await?;
        let arrival = if self.entity.name == EVENT { Some(events::arrive(&mut tx).await?) } else { None };
        let mut next = Some(first);
        let mut written = 0;
        while let Some(mut chunk) = next.take() {
            let Import { catalogue, now, .. } = *self.job;
            report.erased += erased.leave_out(&mut tx, catalogue, self.entity, &mut chunk, now).await?;
            if !chunk.is_empty() {
                self.job.progress.add(chunk.len() as u64);
                self.write_chunk(&mut tx, chunk, fresh, arrival, report).await?;
            }
            written += 1;
            if written < CHUNKS_A_COMMIT {
                next = timeout(PATIENCE, chunks.recv()).await.ok().flatten();
            }
        }
        if !self.job.dry_run {
            tx.commit().await?;
        }
        Ok(())
    }

    async fn write_chunk(
        &self,
        tx: &mut Tx,
        mut chunk: Vec<Record>,
        fresh: bool,
        arrival: Option<i64>,
        report: &mut Report,
    ) -> Result<(), DataError> {
        self.own(tx, &mut chunk).await?;
        // Into a table that was empty most rows are new, and asking for each of them first is half of the work. Where
        // another import was quicker with one of them the chunk goes the long way.
        if fresh && !self.job.dry_run && self.plan.missing().is_empty() {
            tx.script("savepoint chunk").await?;
            let all: Vec<&Record> = chunk.iter().collect();
            if rows::insert(tx, self.entity, self.owned, &all, true).await? == chunk.len() as u64 {
                report.created += chunk.len() as u64;
                report.consents += self.consents(tx, &all).await?;
                self.note(tx, arrival, &all).await?;
                return Ok(tx.script("release savepoint chunk").await?);
            }
            tx.script("rollback to savepoint chunk").await?;
        }
        self.compare_and_write(tx, chunk, arrival, report).await
    }

    /// Finds the owners of rows that belong to a customer through another row.
    async fn own(&self, tx: &mut Tx, chunk: &mut [Record]) -> Result<(), DataError> {
        let path = self.job.catalogue.path_to_customer(&self.entity.name).unwrap_or_default();
        let [link, _, ..] = path[..] else { return Ok(()) };
        let parent = self.job.catalogue.entity(&link.entity).expect("a path runs through declared entities");
        let Some(field) = self.entity.fields.iter().position(|field| field.name == link.field) else { return Ok(()) };
        let named = chunk.iter().enumerate().map(|(index, record)| (index, &record.values[field]));
        let links: Vec<(usize, &Cell)> = named.filter(|(_, link)| **link != Cell::Null).collect();
        for (index, bucket, customer) in rows::owners(tx, parent, &links).await? {
            if customer.is_some() {
                chunk[index].bucket = bucket;
                chunk[index].customer = customer;
            }
        }
        Ok(())
    }

    /// Compares a chunk with the table and writes what differs.
    async fn compare_and_write(
        &self,
        tx: &mut Tx,
        mut chunk: Vec<Record>,
        arrival: Option<i64>,
        report: &mut Report,
    ) -> Result<(), DataError> {
        let missing = self.plan.missing();
        let wanted: Vec<&str> = missing.iter().map(|(_, name)| *name).collect();
        let mut known: Vec<Option<Existing>> = vec![None; chunk.len()];
        for found in rows::existing(tx, self.entity, self.owned, &chunk, &wanted).await? {
            let index = found.index;
            known[index] = Some(found);
        }
        if !missing.is_empty() {
            self.fill_in(tx, &mut chunk, &known).await?;
        }
        let mut write: Vec<&Record> = Vec::new();
        let mut replaced: Vec<(&Cell, i64)> = Vec::new();
        let mut moved: Moved = Vec::new();
        let mut created: Vec<&Record> = Vec::new();
        for (record, known) in chunk.iter().zip(&known) {
            let key = &record.values[self.plan.key_index()];
            let Some(known) = known else {
                report.created += 1;
                write.push(record);
                created.push(record);
                continue;
            };
            let changed_hands = known.customer != record.customer;
            if known.digest == record.digest && !changed_hands {
                report.unchanged += 1;
                continue;
            }
            report.updated += 1;
            replaced.push((key, known.bucket));
            write.push(record);
            if changed_hands {
                moved.push((key.clone(), known.bucket, record.bucket, record.customer.clone()));
            }
        }
        if self.job.dry_run || write.is_empty() {
            return Ok(());
        }
        if !replaced.is_empty() {
            rows::remove(tx, self.entity, self.owned, &replaced).await?;
        }
        rows::insert(tx, self.entity, self.owned, &write, false).await?;
        report.consents += self.consents(tx, &write).await?;
        self.note(tx, arrival, &created).await?;
        hand_down(tx, self.job.catalogue, self.entity, moved).await
    }

    /// Gives the fields that the file has no column for the values they have.
    async fn fill_in(&self, tx: &mut Tx, chunk: &mut [Record], known: &[Option<Existing>]) -> Result<(), DataError> {
        let places: Vec<usize> = self.plan.missing().into_iter().map(|(place, _)| place).collect();
        for (record, known) in chunk.iter_mut().zip(known) {
            let Some(known) = known else { continue };
            for (place, value) in places.iter().zip(&known.values) {
                record.values[*place] = value.clone();
            }
            self.plan.seal(record);
        }
        self.own(tx, chunk).await
    }

    /// Notes events that are there for the first time, for the rules that wait for them. One that is only corrected was
    /// noted when it came.
    async fn note(&self, tx: &mut Tx, arrival: Option<i64>, records: &[&Record]) -> Result<(), DataError> {
        let Some(arrival) = arrival else { return Ok(()) };
        let name = self.entity.fields.iter().position(|field| field.name == "name");
        let text = |record: &'_ Record, place: usize| match &record.values[place] {
            Cell::Text(text) => Some(text.clone()),
            _ => None,
        };
        let rows = records.iter().filter_map(|record| {
            let (key, name) = (text(record, self.plan.key_index())?, text(record, name?)?);
            Some((record.bucket, key, record.customer.clone()?, name))
        });
        let rows: Vec<_> = rows.collect();
        let noted: Vec<_> =
            rows.iter().map(|(bucket, key, customer, name)| Event { bucket: *bucket, key, customer, name }).collect();
        events::note(tx, arrival, &noted).await?;
        Ok(())
    }

    /// Writes down the consent that rows state; gives how many entries were new.
    async fn consents(&self, tx: &mut Tx, records: &[&Record]) -> Result<u64, DataError> {
        if self.entity.name != CUSTOMER {
            return Ok(0);
        }
        consent::from_rows(tx, self.job.catalogue, records, self.job.now).await
    }
}

/// Hands what belongs to moved rows to their new owner, level by level.
async fn hand_down(tx: &mut Tx, catalogue: &Catalogue, entity: &Entity, moved: Moved) -> Result<(), DataError> {
    let mut levels = vec![(entity, moved)];
    while let Some((parent, moved)) = levels.pop() {
        if moved.is_empty() {
            continue;
        }
        for (child, link) in rows::children(catalogue, parent) {
            for chunk in moved.chunks(CHUNK) {
                let followed = rows::follow(tx, child, link, &chunk.to_vec()).await?;
                levels.push((child, followed));
            }
        }
    }
    Ok(())
}

/// Gives rows that came before their parents their owners, parents first.
async fn adopt(db: &Db, catalogue: &Catalogue) -> Result<(), DataError> {
    let limit = i64::try_from(CHUNK * CHUNKS_A_COMMIT).expect("a small number");
    let mut through: Vec<(usize, &Entity)> = catalogue
        .entities
        .values()
        .filter(|entity| entity.place == Place::Own)
        .filter_map(|entity| Some((catalogue.path_to_customer(&entity.name)?.len(), entity)))
        .filter(|(length, _)| *length > 1)
        .collect();
    through.sort_by_key(|(length, _)| *length);
    for (_, child) in through {
        let path = catalogue.path_to_customer(&child.name).unwrap_or_default();
        let parent = catalogue.entity(&path[0].entity).expect("a path runs through declared entities");
        loop {
            let mut tx = db.begin().await?;
            rows::lock(&mut tx, child).await?;
            let found = rows::orphans(&mut tx, child, path[0], parent, limit).await?;
            rows::hand_over(&mut tx, child, &found).await?;
            tx.commit().await?;
            if found.len() < CHUNK * CHUNKS_A_COMMIT {
                break;
            }
        }
    }
    Ok(())
}
