//! `plusone infer`: the block of `data.toml` for a file, from its rows.

use super::Answer;
use crate::data::infer::infer;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// A CSV or NDJSON file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What a row is called [default: from the file's name; customer where it has addresses]
    #[arg(long, value_name = "NAME")]
    pub entity: Option<String>,
}

/// Needs no home folder.
pub fn run(json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let block = infer(&options.file, options.entity.as_deref())?;
    if json {
        writeln!(out, "{:#}", json!({ "data_toml": block }))?;
    } else {
        if block.trim_start().starts_with("[customer]") {
            // The block that a data.toml begins with: an editor completes and checks what follows.
            writeln!(out, "#:schema ./.schema/data.schema.json")?;
        }
        write!(out, "{block}")?;
    }
    Ok(ExitCode::SUCCESS)
}
