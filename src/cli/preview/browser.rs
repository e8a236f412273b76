//! Shows a page in the user's browser.
//!
//! 1. The page holds a customer's data: it is written where only this user can read it, and each preview of a rule
//!    takes the place of the one before. It lies in the home folder, since browsers that are shut in a sandbox (snap,
//!    flatpak) see the home of their user and not the system's folder for temporary files.
//! 2. Where no browser can be opened, the place of the file is the answer, and no failure.

use crate::cli::Failure;
use crate::cli::print::say;
use crate::workspace::PREVIEWS;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Writes the page and opens it.
///
/// # Errors
/// When the page cannot be written.
pub fn show(home: &Path, rule: &str, page: &str) -> Result<(), Failure> {
    let file = write(&home.join(PREVIEWS), rule, page)?;
    let file = file.canonicalize().unwrap_or(file);
    let opened = opener().is_some_and(|opener| open(opener, &file));
    if opened {
        say(format_args!("opened {}", file.display()))?;
    } else {
        say(format_args!("no browser can be opened from here; the page is {}", file.display()))?;
    }
    Ok(())
}

fn write(folder: &Path, rule: &str, page: &str) -> Result<PathBuf, Failure> {
    let file = folder.join(format!("{rule}.html"));
    let failed = |error| Failure::failed(format!("cannot write the page {}: {error}", file.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    // taken away first: a file that is there keeps the rights it has
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).map_err(failed)?;
    open.write_all(page.as_bytes()).map_err(failed)?;
    Ok(file)
}

/// The program that opens a file as the system's desktop does; none where there is no desktop.
fn opener() -> Option<&'static str> {
    if cfg!(target_os = "macos") {
        return Some("open");
    }
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].into_iter().any(is_set).then_some("xdg-open")
}

/// Whether the opener took it.
fn open(opener: &str, file: &Path) -> bool {
    let silent = || Stdio::null();
    let ran = Command::new(opener).arg(file).stdin(silent()).stdout(silent()).stderr(silent()).status();
    ran.is_ok_and(|status| status.success())
}
