//! Opening a database: whose eyes its file is for, and what is said of one that cannot be opened.

use std::path::Path;

/// Makes a database file that is not there yet, for its owner's eyes only; SQLite gives the files beside it the same.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// What the database said, without the words around it.
pub(in crate::store) fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(said) => said.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// What helps against an error at opening.
pub(super) fn cure(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Database(said) if said.code().is_some_and(|code| code == "26" || code == "11") => {
            "the file is damaged or no database: restore a backup, or name another file as `[database] url`"
        }
        sqlx::Error::Database(said) if said.code().is_some_and(|code| code.starts_with("28") || code == "3D000") => {
            "check user, password and database in `[database] url`"
        }
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "is the server running, and is `[database] url` its address?"
        }
        sqlx::Error::Configuration(_) => "check `[database] url`",
        _ => "`[database] url` names a place that this user must be able to reach and to write",
    }
}

/// The address of a database as it may be shown.
pub(super) fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => format!("{}…{}", &url[..scheme + 3], &url[at..]),
        _ => url.to_owned(),
    }
}

/// Whether the database cannot be reached at this moment, or lets nobody in: what was asked may work later.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // PostgreSQL: connection lost, too many connections, shutting down, starting; SQLite: busy, locked.
        sqlx::Error::Database(said) => said.code().is_some_and(|code| {
            ["08", "53300", "57P0"].iter().any(|class| code.starts_with(class))
                || ["5", "6", "261", "517"].contains(&code.as_ref())
        }),
        _ => false,
    }
}
