//! `plusone schema`: JSON Schemas of the configuration's files, for editors.

use super::print::{say, say_json};
use super::{Answer, Failure, Global};
use crate::config::{FileKind, json_schema};
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The kind of file
    #[arg(value_enum, required_unless_present = "dir")]
    kind: Option<Kind>,
    /// Write the schemas of all kinds into this folder: `config/.schema` is where the sample's files look for them
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    dir: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// config/plusone.toml
    Plusone,
    /// config/data.toml
    Data,
    /// config/rules/*.toml
    Rule,
    /// config/offers/*.toml
    Offer,
    /// templates/*/voice.toml
    Voice,
    /// config/rules/*.test.toml
    Test,
}

impl From<Kind> for FileKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Plusone => Self::Plusone,
            Kind::Data => Self::Data,
            Kind::Rule => Self::Rule,
            Kind::Offer => Self::Offer,
            Kind::Voice => Self::Voice,
            Kind::Test => Self::Test,
        }
    }
}

pub async fn run(_global: &Global, options: &Options) -> Answer {
    if let Some(folder) = &options.dir {
        write_all(folder).map_err(|error| Failure::failed(format!("cannot write to {}: {error}", folder.display())))?;
    }
    if let Some(kind) = options.kind {
        say_json(text(kind.into()).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write_all(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in files() {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        say(path.display())?;
    }
    Ok(())
}

/// Where a home folder has its schemas: the first line of its files names them there.
pub const FOLDER: &str = "config/.schema";

/// The schema of each kind of file: the name of its file, and its text.
pub fn files() -> impl Iterator<Item = (String, String)> {
    FileKind::ALL.into_iter().map(|kind| (format!("{}.schema.json", kind.as_str()), text(kind)))
}

fn text(kind: FileKind) -> String {
    let schema = json_schema(kind);
    serde_json::to_string_pretty(&schema).expect("a schema is plain JSON") + "\n"
}
