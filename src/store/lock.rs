//! The daemon's lock on a SQLite database: a file beside it, locked by the operating system, so that a process that
//! was killed holds nothing.

use super::db::{Result, StoreError};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held as long as it lives.
#[derive(Debug)]
pub struct DaemonLock {
    _file: File,
}

/// Where the lock of the database at `url` lies; `None` for PostgreSQL, where leases do the same.
pub fn place(url: &str, home: &Path) -> Option<PathBuf> {
    let path = home.join(url.strip_prefix("sqlite://")?);
    let mut name = path.file_name()?.to_owned();
    name.push(".lock");
    Some(path.with_file_name(name))
}

impl DaemonLock {
    /// Takes the lock, and says in the file who holds it.
    ///
    /// # Errors
    /// When another process holds it, with that process's name for itself.
    pub fn take(path: &Path, owner: &str) -> Result<Self> {
        let failed = |error: std::io::Error| StoreError::Schema(format!("cannot lock {}: {error}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                return Err(StoreError::Locked(holder.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{owner}")).map_err(failed)?;
        Ok(Self { _file: file })
    }
}
