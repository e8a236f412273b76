//! `plusone schema-version`.

use super::{Answer, Global};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {}

pub async fn run(_global: &Global, _options: &Options) -> Answer {
    println!("1");
    Ok(ExitCode::SUCCESS)
}
