//! What outlives a run: tokens, and what this machine has put where. One SQLite file of the user's own, shared by all
//! running `haul` processes and opened only when something is looked up. When it can't be used, work goes on without
//! memory and one warning says so: no transfer fails for want of notes.

mod finished;
mod runs;
mod schema;
mod tokens;
mod unfinished;

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::contract::StoredToken;
pub use runs::CarryingRun;

const FILE: &str = "state.db";

/// Implements [`crate::contract::TokenStore`] and [`crate::contract::Ledger`].
pub struct State {
    dir: Option<PathBuf>,
    database: Mutex<Database>,
    /// Tokens of this run that the database could not take.
    memory: Mutex<HashMap<String, StoredToken>>,
    warnings: Mutex<Vec<String>>,
    /// What begins now belongs to this command (as in [`CarryingRun::key`]).
    run: Mutex<Option<String>>,
}

enum Database {
    NotOpened,
    Open(Opened),
    Unusable,
}

struct Opened {
    connection: Connection,
    /// Another process held it for longer than we wait: nobody waits again until a change has gone through.
    impatient: bool,
}

impl State {
    /// `dir` is made when it is first needed; none = this machine has no place for it. Touches no file.
    pub fn new(dir: Option<PathBuf>) -> State {
        State {
            dir,
            database: Mutex::new(Database::NotOpened),
            memory: Mutex::default(),
            warnings: Mutex::default(),
            run: Mutex::default(),
        }
    }

    /// What the user should know since this was last asked: one line for each thing that stopped working.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.warnings))
    }

    /// The answer of the database; none when it can't give one, and then the user is warned. Blocks for the time of a
    /// short query, and at most [`schema::BUSY_TIMEOUT`] in all while another process holds it.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        beside_the_async_work(|| self.answer(work))
    }

    fn answer<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        let mut database = locked(&self.database);
        if let Database::NotOpened = *database {
            *database = match self.open() {
                Ok(connection) => Database::Open(Opened { connection, impatient: false }),
                Err(why) => {
                    self.warn(why);
                    Database::Unusable
                }
            };
        }
        let Database::Open(opened) = &mut *database else { return None };
        match opened.ask(work) {
            Ok(answer) => Some(answer),
            Err(e) => {
                self.warn(schema::words(&e));
                // Another process that holds it for long is no damage: the next question may be answered.
                if !is_busy(&e) {
                    *database = Database::Unusable;
                }
                None
            }
        }
    }

    fn open(&self) -> Result<Connection, String> {
        let dir = self.dir.as_deref().ok_or("this machine has no home folder for it")?;
        make_private_folder(dir).map_err(|e| e.to_string())?;
        // Two processes that open the first database at once would meet half-made tables.
        let _turn = lock_file_within(&dir.join("open.lock"), schema::BUSY_TIMEOUT).map_err(|e| e.to_string())?;
        let path = dir.join(FILE);
        make_private(&path).map_err(|e| e.to_string())?;
        schema::open(&path).map_err(|e| e.to_string())
    }

    fn is_unusable(&self) -> bool {
        matches!(*locked(&self.database), Database::Unusable)
    }

    fn warn(&self, why: String) {
        let place = self.dir.as_deref().map_or_else(|| FILE.to_owned(), |dir| dir.join(FILE).display().to_string());
        let warning = format!("{place} can't be used, so this run may not remember all for later ones: {why}");
        let mut warnings = locked(&self.warnings);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

impl Opened {
    /// Waits for other processes, unless they were waited for in vain.
    fn ask<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let before = self.connection.total_changes();
        let answer = work(&self.connection);
        let impatient = match &answer {
            Err(e) if is_busy(e) => true,
            // Reading goes on while another process holds the right to write.
            _ => self.impatient && self.connection.total_changes() == before,
        };
        if impatient != self.impatient {
            self.connection.busy_timeout(if impatient { Duration::ZERO } else { schema::BUSY_TIMEOUT })?;
            self.impatient = impatient;
        }
        answer
    }
}

fn is_busy(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// A disk that takes its time, or another process, must not hold up the transfers that share our thread.
fn beside_the_async_work<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// A thread that died while it held one of our locks left nothing half-done behind: each change is one statement.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make_private_folder(dir: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    // What is there already is ours by its name: nobody else has to plant files in it.
    #[cfg(unix)]
    close_to_others(dir, 0o700)?;
    Ok(())
}

/// Takes away what others may do with it.
#[cfg(unix)]
fn close_to_others(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)),
        _ => Ok(()),
    }
}

/// Makes the file with mode 0600 before SQLite would make it for everybody, and closes one that was left open to
/// others, with the side files (`-wal`, `-shm`) that SQLite gives the same mode. A file that is there is not opened: closing it
/// again would give back the locks that SQLite holds on it in this process.
fn make_private(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    for side in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(side);
        if Path::new(&file).is_file() {
            close_to_others(Path::new(&file), 0o600)?;
        }
    }
    if path.exists() { Ok(()) } else { open_private(path).map(drop) }
}

fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Waits until no other process, and no other thread of ours, holds the lock. Dropping the file, or dying, gives it back.
fn lock_file(path: &Path) -> std::io::Result<File> {
    let file = open_private(path)?;
    file.lock()?;
    Ok(file)
}

/// As `lock_file`, for a lock that others hold for a moment only: one of them that stands still must not hold us up.
fn lock_file_within(path: &Path, limit: Duration) -> std::io::Result<File> {
    let file = open_private(path)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(e)) => return Err(e),
    }
    let (tell, told) = std::sync::mpsc::channel();
    // Left to itself after the limit; what it gets then is given back at once.
    std::thread::spawn(move || tell.send(file.lock().map(|()| file)));
    told.recv_timeout(limit).unwrap_or_else(|_| Err(std::io::Error::other("another haul stands still while it opens it")))
}

#[cfg(test)]
mod damage;
#[cfg(test)]
mod tests;
