//! `plusone export`: everything held about a person, as one JSON document and one page.

use super::{Answer, Failure, lookup, opened::Opened};
use crate::data::export::{ExportError, Job, Sheet, export, html::Page, json::Document, json::Lines};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// An id, an email address, a phone number, or order:1234
    pub customer: String,
    /// Where export-<id>.json and export-<id>.html are written [default: the current folder]
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub out: PathBuf,
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            // A reader who has seen enough is no failure.
            ExportError::Write(error) => Self::from(error),
            error => Self::failed(error.to_string()),
        }
    }
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let customer = lookup::the_customer(opened, &options.customer).await?;
    let job = Job {
        db: &opened.db,
        catalogue: &opened.catalogue,
        business: &opened.settings.business,
        customer: &customer,
        now: opened.now,
    };
    if json {
        export(&job, &mut [&mut Lines::new(out)]).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let paths = ["json", "html"].map(|ending| options.out.join(format!("export-{}.{ending}", file_name(&customer))));
    write_files(opened, &job, &paths).await?;
    for path in &paths {
        writeln!(out, "{}", path.display())?;
    }
    writeln!(out, "Everything that is held about customer {}: hand it over, then delete the files.", job.customer)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes both files, or none.
async fn write_files(opened: &Opened, job: &Job<'_>, paths: &[PathBuf; 2]) -> Result<(), Failure> {
    let document = create(&paths[0])?;
    let page = create(&paths[1]).inspect_err(|_| discard(&paths[..1]))?;
    let mut document = Document::new(BufWriter::new(document));
    let mut page = Page::new(BufWriter::new(page), opened.zone());
    let sheets: &mut [&mut dyn Sheet] = &mut [&mut document, &mut page];
    Ok(export(job, sheets).await.inspect_err(|_| discard(paths))?)
}

/// A file that only its owner may read. One that is there already is somebody's.
fn create(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| {
        let shown = path.display();
        Failure::failed(match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("{shown} is there already: remove it, or name another folder with --out")
            }
            _ => format!("cannot write {shown}: {error}"),
        })
    })
}

/// Half of an export is of no use; that it cannot be removed changes nothing.
fn discard(paths: &[PathBuf]) {
    for path in paths {
        let _ = std::fs::remove_file(path);
    }
}

/// A customer's id as part of a file's name.
fn file_name(customer: &str) -> String {
    const LONGEST: usize = 80;
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || "-_".contains(letter) { letter } else { '_' };
    customer.chars().map(safe).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn an_id_names_no_other_folder() {
        assert_eq!(file_name("../../etc/passwd"), "______etc_passwd");
        assert_eq!(file_name("C-17"), "C-17");
    }
}
