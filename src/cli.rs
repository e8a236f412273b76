//! The command line: one file per command, each reading its arguments, calling an engine and printing the answer.
//!
//! Exit codes: 0 done, 1 failed, 2 bad usage or bad configuration. Errors go to standard error, answers to standard
//! output; `--json` gives the names of the design in place of sentences.

pub mod consent;
pub mod import;
mod infer;
pub mod opened;
mod schema_version;
pub mod suppress;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Tells customers what they would otherwise have to find out themselves.
#[derive(Parser)]
#[command(name = "plusone", version, arg_required_else_help = true, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// The folder with config/ and templates/
    #[arg(long, global = true, env = "PLUSONE_HOME", default_value = ".", value_name = "DIR")]
    pub home: PathBuf,
    /// Print JSON with stable names
    #[arg(long, global = true)]
    pub json: bool,
}

/// One line per command, in the order a user meets them; the text is the help.
#[derive(Subcommand)]
enum Command {
    /// The block of config/data.toml for a CSV or NDJSON file, from its rows
    Infer(infer::Options),
    /// Print the version of the database's schema that this program knows
    #[command(hide = true)]
    SchemaVersion(schema_version::Options),
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    pub exit: u8,
}

impl Failure {
    /// It was tried and did not work: exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: 1 }
    }

    /// It was asked for in a way that cannot be done: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: 2 }
    }
}

impl From<crate::store::db::StoreError> for Failure {
    fn from(error: crate::store::db::StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    /// The answer could not be written. A reader who has seen enough (`plusone log | head`) is no failure.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self { message: String::new(), exit: 0 },
            _ => Self::failed(format!("cannot write the answer: {error}")),
        }
    }
}

/// What a command answers: done, or the exit code it ends with.
pub type Answer = Result<ExitCode, Failure>;

/// Reads the command line, runs the command and gives its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Failure::failed(format!("cannot start: {error}"))),
    };
    let answer = runtime.block_on(async {
        match cli.command {
            Command::Infer(options) => infer::run(cli.global.json, &options, &mut std::io::stdout().lock()),
            Command::SchemaVersion(options) => schema_version::run(&cli.global, &options).await,
        }
    });
    answer.unwrap_or_else(|failure| report(&failure))
}

fn report(failure: &Failure) -> ExitCode {
    if !failure.message.is_empty() {
        eprintln!("plusone: {}", failure.message);
    }
    ExitCode::from(failure.exit)
}
