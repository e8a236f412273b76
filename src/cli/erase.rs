//! `plusone erase`: everything held about a person goes.

use super::print::plain;
use super::{Answer, Failure, lookup, opened::Opened};
use crate::amount::counted;
use crate::data::erase::{self, Erasure, Job};
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// An id, an email address, a phone number, or order:1234
    pub customer: String,
    /// Do not ask; needed where nobody can answer
    #[arg(long)]
    pub yes: bool,
    /// Let an erased person's rows be imported again
    #[arg(long, conflicts_with = "yes")]
    pub undo: bool,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    if options.undo {
        return undo(opened, json, &options.customer, out).await;
    }
    let customer = the_customer(opened, &options.customer).await?;
    if !options.yes && !is_meant(&customer)? {
        return Err(Failure::failed("nothing was erased"));
    }
    let job = Job {
        db: &opened.db,
        catalogue: &opened.catalogue,
        settings: &opened.settings,
        home: &opened.home,
        customer: &customer,
        now: opened.now,
    };
    let erasure = erase::erase(&job).await.map_err(|error| Failure::failed(error.to_string()))?;
    if json {
        writeln!(out, "{:#}", as_json(&customer, &erasure))?;
    } else {
        sentences(&customer, &erasure, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The customer; one whose erasure was broken off is known by key alone.
async fn the_customer(opened: &Opened, text: &str) -> Result<String, Failure> {
    match lookup::the_customer(opened, text).await {
        Err(_) if erase::is_known(&opened.db, text).await? => Ok(text.to_owned()),
        found => found,
    }
}

fn is_meant(customer: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("an erasure cannot be taken back: say --yes where nobody can be asked"));
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "Erase everything held about customer {}? It cannot be taken back. [y/N] ", plain(customer))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn as_json(customer: &str, erasure: &Erasure) -> Value {
    let named = |pairs: &[(String, String)], what: &str| {
        pairs.iter().map(|(entity, place)| json!({ "entity": entity, what: place })).collect::<Value>()
    };
    json!({
        "customer": customer,
        "rows": erasure.rows,
        "files": erasure.files,
        "previews": erasure.previews,
        "suppressed": erasure.suppressed,
        "shared_addresses": erasure.shared,
        "unreadable": erasure.unreadable,
        "sources": named(&erasure.sources, "source"),
        "in_place": named(&erasure.in_place, "table"),
    })
}

fn sentences(customer: &str, erasure: &Erasure, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Customer {} is erased.", plain(customer))?;
    for (table, rows) in &erasure.rows {
        writeln!(out, "  {table:<20} {}", counted(*rows as i64, "row"))?;
    }
    if erasure.files > 0 {
        writeln!(out, "  {:<20} {}", "files", erasure.files)?;
    }
    if erasure.previews > 0 {
        writeln!(out, "  {:<20} {}, whomever they showed", "pages of previews", erasure.previews)?;
    }
    if erasure.suppressed > 0 {
        let addresses = erasure.suppressed;
        writeln!(out, "Their addresses ({addresses}) are never written to again; only a keyed hash of each is kept.")?;
    }
    if erasure.shared > 0 {
        let addresses = erasure.shared;
        writeln!(
            out,
            "Another customer has {addresses} of their addresses too; that stays as it is: `plusone suppress add` stops it."
        )?;
    }
    writeln!(out, "Left alone, because it is not plusone's:")?;
    for (entity, file) in &erasure.sources {
        writeln!(
            out,
            "  {file}: rows of {entity} that are still there are left out from now on; take them out there too"
        )?;
    }
    for (entity, table) in &erasure.in_place {
        writeln!(
            out,
            "  table {table}: the rows of {entity} are read in place; delete them there, or rules meet them"
        )?;
    }
    writeln!(out, "  files that were imported by hand, their error files, backups, and what providers keep")?;
    if !erasure.unreadable {
        writeln!(
            out,
            "The database's log still holds old pages, because others read it: run this again, or stop the daemon once."
        )?;
    }
    Ok(())
}

async fn undo(opened: &Opened, json: bool, text: &str, out: &mut dyn Write) -> Answer {
    let country = &opened.settings.business.country;
    let narrowed = erase::undo(&opened.db, country, text).await?;
    let narrowed = narrowed.ok_or_else(|| Failure::failed(format!("nobody named `{text}` was erased")))?;
    if json {
        writeln!(out, "{:#}", json!({ "undone": true, "promotional_still_suppressed": narrowed }))?;
    } else {
        writeln!(out, "Their rows come again with the next import or sync. What was erased does not come back.")?;
        if narrowed > 0 {
            writeln!(
                out,
                "Nobody knows any more what they had said no to: promotional messages stay stopped until `plusone suppress remove ADDRESS`."
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
