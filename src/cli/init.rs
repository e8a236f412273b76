//! `plusone init`: a new home folder with a working, commented configuration and templates.

mod language;

use super::print::say;
use super::{Answer, Failure, Global, schema};
use crate::config::basic_string;
use crate::shell::word;
use language::{File, Language};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// A folder that is empty or not there yet
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The language that customers read, with its country's time zone and currency: en or de
    #[arg(long, value_name = "LOCALE", default_value = "en")]
    locale: Language,
    /// What the business is called
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Its postal address, which advertisements must say
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Without the sample: no customers, no rule and no letter of its own, for data of yours
    #[arg(long)]
    empty: bool,
}

/// What is the same for every language but for single texts: path under the new home folder, and text. The sample is
/// told from the rest by [`is_sample`].
const FILES: [File; 5] = [
    ("config/plusone.toml", include_str!("init/config/plusone.toml")),
    ("config/data.toml", include_str!("init/config/data.toml")),
    ("config/rules/welcome.toml", include_str!("init/config/rules/welcome.toml")),
    ("config/customers.csv", include_str!("init/config/customers.csv")),
    ("templates/_partials/letter-start.hbs", include_str!("../../templates/_partials/letter-start.hbs")),
];

/// What the settings of the sample say of the business, in English.
const SAMPLE_NAME: &str = "My business";
const SAMPLE_ADDRESS: &str = "# postal_address = \"1 Quay Street, Bristol BS1 4XX\"";

/// A business's name as senders can have it.
fn name(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        name if name.contains(['"', '<', '>']) || name.chars().any(char::is_control) => {
            Err("it cannot hold \", < or >, which have a meaning where it stands before the sender's address"
                .to_owned())
        }
        name => Ok(name.to_owned()),
    }
}

impl Options {
    /// A text of the configuration with what is known of the business.
    fn with_business(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(name) = &self.name {
            let name = basic_string(name);
            text = text.replace(&self.locale.translated(SAMPLE_NAME), &name[1..name.len() - 1]);
        }
        if let Some(address) = &self.address {
            let line = format!("postal_address = {}", basic_string(address.trim()));
            text = text.replace(&self.locale.translated(SAMPLE_ADDRESS), &line);
        }
        text
    }
}

pub async fn run(_global: &Global, options: &Options) -> Answer {
    let folder = &options.folder;
    refuse_unless_empty(folder)?;
    for (path, text) in files(&options.locale).filter(|(path, _)| !options.empty || !is_sample(path)) {
        write(&folder.join(path), &options.with_business(&text))?;
    }
    for (path, text) in &crate::config::CONFIRM_TEMPLATE {
        write(&folder.join(path), text)?;
    }
    for (name, text) in schema::files() {
        write(&folder.join(schema::FOLDER).join(name), &text)?;
    }
    let shown = folder.display().to_string();
    say(format_args!("{shown} is a home folder now. Next:"))?;
    let shown = word(&shown);
    if options.empty {
        say(format_args!("  cd {shown}"))?;
        say("  plusone infer customers.csv > config/data.toml    # customers.csv: a table of yours, in this folder")?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("  plusone check --home {shown}"))?;
    say(format_args!("  plusone once --home {shown}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The configuration and the templates in a language.
fn files(language: &Language) -> impl Iterator<Item = (&'static str, String)> {
    let shared = FILES.into_iter().map(|(path, text)| (path, language.translated(text)));
    shared.chain(language.templates.into_iter().map(|(path, text)| (path, text.to_owned())))
}

/// Whether a file is about the customers of the sample: what is written of one's own takes its place.
fn is_sample(path: &str) -> bool {
    !(path == "config/plusone.toml" || path.starts_with("templates/_partials/"))
}

fn refuse_unless_empty(folder: &Path) -> Result<(), Failure> {
    let refused = |reason: String| Failure::usage(format!("{} {reason}", folder.display()));
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(refused("is not empty: name a folder that is empty or not there yet".to_owned())),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(refused(format!("cannot be used: {error}"))),
    }
}

/// Writes a new file, with the folders above it.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // A file that appeared meanwhile is somebody's: it is not overwritten.
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Files, load_from};

    #[test]
    fn a_new_home_folder_loads_without_a_problem() {
        for language in &language::ALL {
            let mut texts = Files::default();
            for (path, text) in files(language) {
                texts.insert(path, &text);
            }
            let loaded = load_from(&texts, &Environment::default());
            assert_eq!(loaded.problems, []);
            assert_eq!(loaded.project.expect("it is good").rules.len(), 1);
        }
    }

    #[test]
    fn each_text_that_is_translated_is_there() {
        for (english, _) in language::ALL.iter().flat_map(|language| language.texts) {
            assert!(FILES.iter().any(|(_, text)| text.contains(english)), "{english}");
        }
        for sample in [SAMPLE_NAME, SAMPLE_ADDRESS] {
            assert!(FILES[0].1.contains(sample), "{sample}");
        }
    }

    #[test]
    fn a_folder_that_holds_something_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(refuse_unless_empty(folder.path()).is_ok());
        std::fs::write(folder.path().join("mine"), "x").expect("a file");
        assert_eq!(refuse_unless_empty(folder.path()).expect_err("it is not empty").exit, 2);
    }
}
