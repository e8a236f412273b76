//! The command line: one file per command, each reading its arguments, calling an engine and printing the answer.
//!
//! Exit codes: 0 done, 1 failed, 2 bad usage or bad configuration. Errors go to standard error, answers to standard
//! output; `--json` gives the names of the design in place of sentences.

mod approve;
mod bench;
mod cancel;
mod check;
pub mod consent;
mod customer;
mod db;
pub mod desk;
mod diff;
mod erase;
mod explain;
mod export;
mod find;
mod fire;
pub mod import;
mod infer;
mod init;
mod log;
pub mod lookup;
mod markup;
mod new;
mod offers;
mod once;
pub mod opened;
mod passes;
mod pause;
mod preview;
mod print;
pub mod problems;
mod progress;
mod redeem;
mod replied;
mod report;
mod resolve;
mod resume;
mod run;
mod schema;
mod send_test;
mod shortfall;
mod show;
mod simulate;
mod standing;
mod status;
pub mod suppress;
mod who;
mod why;

use self::opened::Opened;
use crate::app::{App, AppError};
use crate::clock::Clock;
use crate::problem::{Fault, Severity};
use crate::rules::Rule;
use crate::schedule::parse_when::{parse_past, parse_when};
use crate::time::{Timestamp, Tz};
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
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
    Run(run::Options),
    Once(once::Options),
    #[command(flatten)]
    Desk(desk::Desk),
    /// Make a new home folder with a working, commented configuration
    Init(init::Options),
    /// Write a rule to begin with: its file, words and tests, as a draft for you to change
    New(new::Options),
    /// Find every problem of the configuration, and show each rule's next ticks
    Check(check::Options),
    /// Print the JSON Schema of a kind of file, for editors
    Schema(schema::Options),
    /// What conditions and templates can name and call, and why a message may not go
    Explain(explain::Options),
    /// Who would get it now, and who would not, with reasons; sends nothing
    Who(who::Options),
    /// Why a customer would get a message, or would not: clause by clause, gate by gate
    Why(why::Options),
    /// The whole rule set forward in time on today's data: who gets what on which day; writes nothing
    Simulate(simulate::Options),
    /// What a changed rule file would change: who is reached newly, no longer, or again
    Diff(diff::Options),
    /// The message as one customer would get it
    Preview(preview::Options),
    /// Really send a rule's message to your own address, marked as a test and counted nowhere
    SendTest(send_test::Options),
    /// Run a rule now, whatever its schedule
    Fire(fire::Options),
    /// The blocks of config/data.toml for CSV or NDJSON files, from their rows
    Infer(infer::Options),
    /// Show each offer's budget, and what became of what was given
    Offers(offers::Options),
    /// Mark a code as used
    Redeem(redeem::Options),
    /// Measure this machine: plusone beside the limit of each stage
    Bench(bench::Options),
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

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Configuration(problems) => {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Self::usage(format!(
                    "the configuration cannot be used; `plusone check` shows more:\n{}",
                    problems.join("\n")
                ))
            }
            error => Self::failed(error.to_string()),
        }
    }
}

impl From<crate::store::settle::SettleError> for Failure {
    fn from(error: crate::store::settle::SettleError) -> Self {
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

fn no_home(home: &Path) -> Failure {
    let home = home.display();
    Failure::usage(format!("there is no configuration in {home}: `plusone init DIR` makes one, --home names one"))
}

/// The application at the home folder, with what is broken in it reported.
async fn open(global: &Global, clock: Clock) -> Result<App, Failure> {
    if !global.home.join("config").is_dir() {
        return Err(no_home(&global.home));
    }
    let app = App::open(&global.home, clock).await?;
    for problem in app.workspace.problems.iter().filter(|problem| problem.severity == Severity::Error) {
        complain(problem);
    }
    Ok(app)
}

/// The time an option names, or now.
fn at(app: &App, text: Option<&str>) -> Result<Timestamp, Failure> {
    at_by(parse_when, app, text)
}

/// As [`at`], of somebody who looks back at what a log tells to the minute.
fn back_at(app: &App, text: Option<&str>) -> Result<Timestamp, Failure> {
    at_by(parse_past, app, text)
}

type Parse = fn(&str, Timestamp, Tz) -> Result<Timestamp, Fault>;

fn at_by(parse: Parse, app: &App, text: Option<&str>) -> Result<Timestamp, Failure> {
    let (now, zone) = (app.clock.now(), app.workspace.project.settings.business.time_zone);
    let at = text.map(|text| parse(text, now, zone)).transpose();
    at.map(|at| at.unwrap_or(now)).map_err(|fault| Failure::usage(format!("--at: {fault}")))
}

/// The rule of that name.
fn known_rule<'a>(app: &'a App, name: &str) -> Result<&'a Rule, Failure> {
    let rules = &app.workspace.project.rules;
    rules.get(name).ok_or_else(|| {
        if app.workspace.project.broken.iter().any(|broken| broken == name) {
            return Failure::usage(format!("rule {name} is broken: `plusone check` says why"));
        }
        lookup::no_rule(name, rules.keys().map(String::as_str))
    })
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
            Command::Run(options) => run::run(&cli.global, &options).await,
            Command::Once(options) => once::run(&cli.global, &options).await,
            Command::Desk(command) => {
                let app = open(&cli.global, Clock::System).await?;
                desk::run(&Opened::of(&app), cli.global.json, &command, &mut std::io::stdout().lock()).await
            }
            Command::Init(options) => init::run(&cli.global, &options).await,
            Command::New(options) => new::run(&cli.global, &options).await,
            Command::Explain(options) => explain::run(&cli.global, &options).await,
            Command::Check(options) => check::run(&cli.global, &options).await,
            Command::Schema(options) => schema::run(&cli.global, &options).await,
            Command::Who(options) => who::run(&cli.global, &options).await,
            Command::Why(options) => why::run(&cli.global, &options).await,
            Command::Simulate(options) => simulate::run(&cli.global, &options).await,
            Command::Diff(options) => diff::run(&cli.global, &options).await,
            Command::Preview(options) => preview::run(&cli.global, &options).await,
            Command::SendTest(options) => send_test::run(&cli.global, &options).await,
            Command::Fire(options) => fire::run(&cli.global, &options).await,
            Command::Infer(options) => infer::run(&cli.global, &options, &mut std::io::stdout().lock()),
            Command::Offers(options) => offers::run(&cli.global, &options).await,
            Command::Redeem(options) => redeem::run(&cli.global, &options).await,
            Command::Bench(options) => bench::run(cli.global.json, &options).await,
        }
    });
    answer.unwrap_or_else(|failure| report(&failure))
}

/// Writes a line to standard error. Where that is closed there is nobody to tell.
fn complain(text: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{}", print::tame(&text.to_string()));
}

fn report(failure: &Failure) -> ExitCode {
    if !failure.message.is_empty() {
        complain(format_args!("plusone: {}", failure.message));
    }
    ExitCode::from(failure.exit)
}
