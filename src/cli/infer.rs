//! `plusone infer`: the blocks of `data.toml` for files, from their rows.

use super::{Answer, Failure, Global};
use crate::data::infer::{Known, infer};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// CSV or NDJSON files; what belongs to rows of another is linked to them
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What a row is called [default: from the file's name; customer where it has addresses]
    #[arg(long, value_name = "NAME")]
    pub entity: Option<String>,
}

/// Needs no home folder; in one, rows may belong to what its `data.toml` declares.
pub fn run(global: &Global, options: &Options, out: &mut dyn Write) -> Answer {
    if options.entity.is_some() && options.files.len() > 1 {
        return Err(Failure::usage("--entity names the rows of one file: infer them one by one"));
    }
    let blocks = infer(&options.files, options.entity.as_deref(), &Known::of_home(&global.home))?;
    if global.json {
        writeln!(out, "{:#}", json!({ "data_toml": blocks.join("\n") }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if blocks[0].lines().any(|line| line == "[customer]") {
        // The block that a data.toml begins with: an editor completes and checks what follows.
        writeln!(out, "#:schema ./.schema/data.schema.json")?;
    }
    write!(out, "{}", blocks.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}
