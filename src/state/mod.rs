//! What outlives a run: tokens, and what this machine has put where. One SQLite file of the user's own, shared by all
//! running `haul` processes and opened only when something is looked up. When it can't be used, work goes on without
//! memory and one warning says so: no transfer fails for want of notes.

mod carrying_run;
mod finished;
mod heartbeat;
mod place_locks;
mod private_files;
mod runs;
mod schema;
mod tokens;
mod unfinished;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};

pub use self::carrying_run::CarryingRun;

use self::heartbeat::Beat;
use self::private_files::{make_private, open_private, private_folder};
use crate::contract::StoredToken;
use crate::contract::tokens::Refusals;
use crate::ownership;

const FILE: &str = "state.db";

/// What is told while it is waited for.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Implements [`crate::contract::TokenStore`] and [`crate::contract::TransferStore`].
pub struct State {
    dir: Option<PathBuf>,
    /// The folder's real path once it is known to be ours alone, or why it can't be used.
    folder: OnceLock<Result<PathBuf, String>>,
    database: Mutex<Database>,
    /// Tokens of this run that the database could not take.
    memory: Mutex<HashMap<String, StoredToken>>,
    refusals: Arc<Refusals>,
    warnings: Mutex<Vec<String>>,
    /// What begins now belongs to this command (as in [`CarryingRun::key`]).
    run: Mutex<Option<String>>,
    beat: Beat,
    waits: Mutex<Waits>,
}

/// How long others are waited for, and who is told.
struct Waits {
    limit: Duration,
    tell: Option<Tell>,
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
            folder: OnceLock::new(),
            database: Mutex::new(Database::NotOpened),
            memory: Mutex::default(),
            refusals: Arc::default(),
            warnings: Mutex::default(),
            run: Mutex::default(),
            beat: Beat::default(),
            waits: Mutex::new(Waits { limit: USUAL_WAIT, tell: None }),
        }
    }

    /// Another process that signs in is waited for so long at most.
    pub fn wait_at_most(&self, limit: Duration) {
        self.waits.lock().limit = limit;
    }

    /// Whoever is waited for is told here at once.
    pub fn tell_waits(&self, tell: Tell) {
        self.waits.lock().tell = Some(tell);
    }

    fn tell(&self, text: &str) {
        let tell = self.waits.lock().tell.clone();
        if let Some(tell) = tell {
            tell(text);
        }
    }

    /// What the user should know since this was last asked: one line for each thing that stopped working.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock())
    }

    /// The answer of the database; none when it can't give one, and then the user is warned. Blocks for the time of a
    /// short query, and at most [`schema::BUSY_TIMEOUT`] in all while another process holds it.
    fn with<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        blocking(|| self.answer(work))
    }

    fn answer<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        let mut database = self.database.lock();
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
        match opened
            .ask(work, || self.tell(&format!("{}: {} holds it, so this one waits", self.place(), ownership::another(self.writer()))))
        {
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
        let dir = self.folder()?;
        // Two processes that open the first database at once would meet half-made tables.
        let turn = open_private(&dir.join("open.lock")).and_then(|file| ownership::lock_within(file, schema::BUSY_TIMEOUT));
        let _turn = turn.map_err(|e| e.to_string())?;
        let path = dir.join(FILE);
        make_private(&path).map_err(|e| e.to_string())?;
        schema::open(&path).map_err(|e| e.to_string())
    }

    /// The folder, made and found to be ours alone. What others could have planted there is not used.
    fn folder(&self) -> Result<PathBuf, String> {
        let find = || {
            let dir = self.dir.as_deref().ok_or("this machine has no home folder for it")?;
            private_folder(dir).map_err(|e| e.to_string())
        };
        self.folder.get_or_init(find).clone()
    }

    /// Another process that is writing.
    fn writer(&self) -> Option<u32> {
        let folder = self.folder().ok()?;
        let held = ["-shm", ""].iter().find_map(|side| {
            let meta = std::fs::metadata(folder.join(format!("{FILE}{side}"))).ok()?;
            ownership::lock_holder(&meta)
        });
        held.filter(|process| *process > 0)
    }

    fn place(&self) -> String {
        self.dir.as_deref().map_or_else(|| FILE.to_owned(), |dir| dir.join(FILE).display().to_string())
    }

    fn is_unusable(&self) -> bool {
        matches!(*self.database.lock(), Database::Unusable)
    }

    fn warn(&self, why: String) {
        let warning = format!("{} can't be used, so this run may not remember all for later ones: {why}", self.place());
        let mut warnings = self.warnings.lock();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

impl Opened {
    /// Waits for other processes, unless they were waited for in vain; `tell`: after a while.
    fn ask<T>(&mut self, work: impl Fn(&Connection) -> rusqlite::Result<T>, tell: impl FnOnce()) -> rusqlite::Result<T> {
        let before = self.connection.total_changes();
        let mut answer = work(&self.connection);
        if answer.as_ref().is_err_and(is_busy) && !self.impatient {
            tell();
            self.connection.busy_timeout(schema::BUSY_TIMEOUT)?;
            answer = work(&self.connection);
            self.connection.busy_timeout(schema::TOLD_AFTER)?;
        }
        let impatient = match &answer {
            Err(e) if is_busy(e) => true,
            // Reading goes on while another process holds the right to write.
            _ => self.impatient && self.connection.total_changes() == before,
        };
        if impatient != self.impatient {
            self.connection.busy_timeout(if impatient { Duration::ZERO } else { schema::TOLD_AFTER })?;
            self.impatient = impatient;
        }
        answer
    }
}

fn is_busy(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// A disk that takes its time, or another process, must not hold up the transfers that share our thread.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// How long others are waited for unless it is said.
const USUAL_WAIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
