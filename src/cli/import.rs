//! `plusone import`: a CSV or NDJSON file into an entity's table.

use super::opened::Opened;
use super::progress::shown;
use super::{Answer, Failure};
use crate::amount::{agreeing, counted};
use crate::catalogue::Absent;
use crate::data::import::{Import, import, writable};
use crate::data::sync::such_as;
use crate::data::{DataError, Report, strays};
use crate::progress::Progress;
use crate::store::entities;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// An entity of config/data.toml, or event
    #[arg(value_name = "ENTITY")]
    pub entity: String,
    /// A CSV or NDJSON file; bad rows go to FILE.errors.csv
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Look and report, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// What becomes of rows that the file does not have [default: as data.toml says, else keep]
    #[arg(long, value_name = "keep|remove", value_parser = ["keep", "remove"])]
    pub absent: Option<String>,
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::NoEntity { .. } | DataError::InPlace { .. } | DataError::Refused(_) => {
                Self::usage(error.to_string())
            }
            _ => Self::failed(error.to_string()),
        }
    }
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let declared = writable(&opened.catalogue, &options.entity)?.absent;
    let wanted = options.absent.as_deref().map(|word| if word == "remove" { Absent::Remove } else { Absent::Keep });
    entities::prepare(&opened.db, &opened.catalogue, opened.zone()).await?;
    let job = Import {
        catalogue: &opened.catalogue,
        business: &opened.settings.business,
        entity: &options.entity,
        path: &options.file,
        now: opened.now,
        absent: wanted.or(declared).unwrap_or(Absent::Keep),
        confirmed: wanted == Some(Absent::Remove),
        dry_run: options.dry_run,
        progress: Progress::default(),
    };
    let mut report = shown("rows", &job.progress, import(&opened.db, &job)).await?;
    if !options.dry_run {
        strays::look(&opened.db, &opened.catalogue, std::slice::from_mut(&mut report)).await?;
    }
    if json {
        writeln!(out, "{:#}", as_json(&report, options.dry_run))?;
    } else {
        write_sentences(&report, options, out)?;
    }
    Ok(if report.refused > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// An import's counts under stable names.
pub fn as_json(report: &Report, dry_run: bool) -> serde_json::Value {
    json!({
        "entity": report.entity,
        "dry_run": dry_run,
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": report.refused,
        "removed": report.removed,
        "erased": report.erased,
        "duplicates": report.duplicates,
        "bad_contacts": report.bad_contacts,
        "bad_contacts_of": report.such_contacts,
        "strays": report.strays,
        "consents": report.consents,
        "notes": report.notes,
        "errors_file": report.errors_file,
    })
}

fn write_sentences(report: &Report, options: &Options, out: &mut dyn Write) -> std::io::Result<()> {
    let would = if options.dry_run { " (nothing was written)" } else { "" };
    writeln!(
        out,
        "{}: {} read, {} created, {} updated, {} unchanged, {} removed, {} refused{would}",
        report.entity,
        counted(report.rows, "row"),
        report.created,
        report.updated,
        report.unchanged,
        report.removed,
        report.refused
    )?;
    if report.erased > 0 {
        let are = agreeing(report.erased, "is", "are");
        writeln!(out, "  {} {are} of people who were erased and left out", counted(report.erased, "row"))?;
    }
    if report.duplicates > 0 {
        let rows = counted(report.duplicates, "row");
        writeln!(out, "  {rows} with a key that comes again further down: the last row counts")?;
    }
    if report.bad_contacts > 0 {
        let (count, such) = (report.bad_contacts, such_as(report.bad_contacts, &report.such_contacts));
        writeln!(
            out,
            "  {count} with an address or number that cannot be used ({such}); it is kept as written and nothing is sent there"
        )?;
    }
    if report.strays > 0 {
        let (rows, such) = (counted(report.strays, "row"), such_as(report.strays, &report.such_strays));
        let then = agreeing(report.strays, "it counts once the customer is", "they count once the customers are");
        writeln!(out, "  {rows} of customers who are not known ({such}); {then} there")?;
    }
    if report.consents > 0 {
        writeln!(out, "  {} written into the ledger of consent", counted(report.consents, "answer"))?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "  {note}"))?;
    match &report.errors_file {
        Some(path) => writeln!(out, "  the refused rows and the reasons are in {}", path.display()),
        None => Ok(()),
    }
}
