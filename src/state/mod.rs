//! What outlives a run: tokens, and what this machine has put where. One SQLite file of the user's own, shared by all
//! running `haul` processes and opened only when something is looked up. When it can't be used, work goes on without
//! memory and one warning says so: no transfer fails for want of notes.

mod finished;
mod schema;
mod tokens;
mod unfinished;

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode};

use crate::contract::StoredToken;

const FILE: &str = "state.db";

/// Implements [`crate::contract::TokenStore`] and [`crate::contract::Ledger`].
pub struct State {
    dir: Option<PathBuf>,
    database: Mutex<Database>,
    /// Tokens of this run that the database could not take.
    memory: Mutex<HashMap<String, StoredToken>>,
    warnings: Mutex<Vec<String>>,
}

enum Database {
    NotOpened,
    Open(Connection),
    Unusable,
}

impl State {
    /// `dir` is made when it is first needed; none = this machine has no place for it. Touches no file.
    pub fn new(dir: Option<PathBuf>) -> State {
        State { dir, database: Mutex::new(Database::NotOpened), memory: Mutex::default(), warnings: Mutex::default() }
    }

    /// What the user should know since this was last asked: one line for each thing that stopped working.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.warnings))
    }

    /// The answer of the database; none when it can't give one, and then the user is warned. Blocks for the time of a
    /// short query, at most [`schema::BUSY_TIMEOUT`] while another process writes.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        let mut database = locked(&self.database);
        if let Database::NotOpened = *database {
            *database = match self.open() {
                Ok(connection) => Database::Open(connection),
                Err(why) => {
                    self.warn(why);
                    Database::Unusable
                }
            };
        }
        let Database::Open(connection) = &*database else { return None };
        match work(connection) {
            Ok(answer) => Some(answer),
            Err(e) => {
                self.warn(e.to_string());
                // Another process that holds it for long is no damage: the next question may be answered.
                if !matches!(e.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
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
        let _turn = lock_file(&dir.join("open.lock")).map_err(|e| e.to_string())?;
        let path = dir.join(FILE);
        make_private(&path).map_err(|e| e.to_string())?;
        schema::open(&path).map_err(|e| e.to_string())
    }

    fn warn(&self, why: String) {
        let place = self.dir.as_deref().map_or_else(|| FILE.to_owned(), |dir| dir.join(FILE).display().to_string());
        let warning = format!("{place} can't be used, so this run remembers nothing for later ones: {why}");
        let mut warnings = locked(&self.warnings);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
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
    builder.create(dir)
}

/// Makes the file with mode 0600 before SQLite would make it for everybody, and closes one that was left open to
/// others. SQLite gives its side files (`-wal`, `-shm`) the same mode. A file that is there is not opened: closing it
/// again would give back the locks that SQLite holds on it in this process.
fn make_private(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Ok(meta) = std::fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt;
        if meta.is_file() && meta.permissions().mode() & 0o077 != 0 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::TokenStore;
    use crate::model::Secret;

    fn token(text: &str) -> StoredToken {
        StoredToken { token: Secret::new(text), fields: Vec::new() }
    }

    /// Tokens must live on in memory, and the one warning must say what is wrong.
    fn works_without_database(dir: Option<PathBuf>, why: &str) {
        let state = State::new(dir);
        assert_eq!(state.load("a").unwrap(), None);
        state.save("a", &token("tttt")).unwrap();
        assert_eq!(state.load("a").unwrap(), Some(token("tttt")));
        state.forget("a").unwrap();
        assert_eq!(state.load("a").unwrap(), None);
        let warnings = state.take_warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("state.db can't be used, so this run remembers nothing") && warnings[0].contains(why), "{warnings:?}");
        assert_eq!(state.take_warnings().len(), 0);
    }

    #[test]
    fn nothing_is_touched_before_it_is_needed() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("haul");
        drop(State::new(Some(place.clone())));
        assert!(!place.exists());
    }

    #[test]
    fn a_damaged_file_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let damaged = vec![b'x'; 5000];
        std::fs::write(dir.path().join(FILE), &damaged).unwrap();
        works_without_database(Some(dir.path().to_owned()), "file is not a database");
        assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap(), damaged);
    }

    #[test]
    fn damage_behind_the_first_page_is_met_later() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(Some(dir.path().to_owned()));
        state.save("a", &token("tttt")).unwrap();
        drop(state);
        let path = dir.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4096..].fill(0xee);
        std::fs::write(&path, bytes).unwrap();
        works_without_database(Some(dir.path().to_owned()), "malformed");
    }

    #[test]
    fn no_place_and_a_place_that_is_taken() {
        works_without_database(None, "no home folder");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        works_without_database(Some(file.join("haul")), "");
        std::fs::create_dir(dir.path().join(FILE)).unwrap();
        works_without_database(Some(dir.path().to_owned()), "unable to open database file");
    }

    #[test]
    fn a_database_of_a_newer_haul_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join(FILE)).unwrap();
        connection.execute_batch("PRAGMA user_version = 99; CREATE TABLE tokens (other)").unwrap();
        works_without_database(Some(dir.path().to_owned()), "a newer haul");
        let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
        assert_eq!(version, 99);
    }

    #[cfg(unix)]
    #[test]
    fn all_files_are_ours_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("x/haul");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join(FILE), "").unwrap();
        std::fs::set_permissions(place.join(FILE), std::fs::Permissions::from_mode(0o644)).unwrap();
        let state = State::new(Some(place.clone()));
        state.save("a", &token("tttt")).unwrap();
        let fresh = State::new(Some(dir.path().join("y/haul")));
        fresh.save("a", &token("tttt")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir.path().join("y")), mode(&dir.path().join("y/haul"))), (0o700, 0o700));
        for place in [place, dir.path().join("y/haul")] {
            let files: Vec<_> = std::fs::read_dir(&place).unwrap().map(|e| e.unwrap().path()).collect();
            assert!(files.iter().any(|f| f.ends_with("state.db-wal")), "{files:?}");
            for file in files {
                assert_eq!(mode(&file), 0o600, "{}", file.display());
            }
        }
    }

    #[test]
    fn many_that_open_the_first_database_at_once() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|threads| {
            for n in 0..8 {
                let dir = dir.path().to_owned();
                threads.spawn(move || {
                    let state = State::new(Some(dir));
                    state.save(&format!("account {n}"), &token("tttt")).unwrap();
                    assert_eq!(state.take_warnings(), Vec::<String>::new());
                });
            }
        });
        let state = State::new(Some(dir.path().to_owned()));
        for n in 0..8 {
            assert_eq!(state.load(&format!("account {n}")).unwrap(), Some(token("tttt")));
        }
    }
}
