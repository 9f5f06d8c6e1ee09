//! What outlives a run: tokens, and what this machine has put where. One SQLite file of the user's own, shared by all
//! running `haul` processes and opened only when something is looked up. When it can't be used, work goes on without
//! memory and one warning says so: no transfer fails for want of notes.

mod finished;
mod place_locks;
mod runs;
mod schema;
mod tokens;
mod unfinished;

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::contract::StoredToken;
use crate::contract::tokens::Refusals;
use crate::ownership::{self, Trouble};
pub use runs::CarryingRun;

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
    beat: place_locks::Beat,
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
            beat: place_locks::Beat::default(),
            waits: Mutex::new(Waits { limit: USUAL_WAIT, tell: None }),
        }
    }

    /// Another process that signs in is waited for so long at most.
    pub fn wait_at_most(&self, limit: Duration) {
        locked(&self.waits).limit = limit;
    }

    /// Whoever is waited for is told here at once.
    pub fn tell_waits(&self, tell: Tell) {
        locked(&self.waits).tell = Some(tell);
    }

    fn tell(&self, text: &str) {
        let tell = locked(&self.waits).tell.clone();
        if let Some(tell) = tell {
            tell(text);
        }
    }

    /// What the user should know since this was last asked: one line for each thing that stopped working.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.warnings))
    }

    /// The answer of the database; none when it can't give one, and then the user is warned. Blocks for the time of a
    /// short query, and at most [`schema::BUSY_TIMEOUT`] in all while another process holds it.
    fn with<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        blocking(|| self.answer(work))
    }

    fn answer<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Option<T> {
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
        matches!(*locked(&self.database), Database::Unusable)
    }

    fn warn(&self, why: String) {
        let warning = format!("{} can't be used, so this run may not remember all for later ones: {why}", self.place());
        let mut warnings = locked(&self.warnings);
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

/// A thread that died while it held one of our locks left nothing half-done behind: each change is one statement.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the folder, with mode 0700, and gives its real path. Refused where others may change what is in it, or put
/// another in its place: what they have planted there would be taken for ours.
fn private_folder(dir: &Path) -> std::io::Result<PathBuf> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    let real = std::fs::canonicalize(dir)?;
    let trouble = ownership::trouble_with_folder(dir).or_else(|| ownership::trouble_with_folder(&real));
    let trouble = trouble.or_else(|| ownership::trouble_with_parent(&real));
    trouble.map_or(Ok(()), |trouble| Err(refused(trouble)))?;
    // Reading is nobody else's business either.
    #[cfg(unix)]
    close_to_others(&real, 0o700)?;
    Ok(real)
}

fn refused(trouble: Trouble) -> std::io::Error {
    std::io::Error::other(format!("{}: {}; run `{}`", trouble.path.display(), trouble.why, trouble.mend))
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
/// others, with the side files (`-wal`, `-shm`) that SQLite gives the same mode; none of them may be a link to another file.
/// A file that is there is not opened: closing it again would give back the locks that SQLite holds on it in this process.
fn make_private(path: &Path) -> std::io::Result<()> {
    for side in ["", "-wal", "-shm", "-journal"] {
        let mut file = path.as_os_str().to_owned();
        file.push(side);
        let file = Path::new(&file);
        ownership::trouble_with_entry(file).map_or(Ok(()), |trouble| Err(refused(trouble)))?;
        #[cfg(unix)]
        close_to_others(file, 0o600).or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
    }
    if path.exists() { Ok(()) } else { open_private(path).map(drop) }
}

/// A file in our folder, which may be no link to another.
fn open_private(path: &Path) -> std::io::Result<File> {
    ownership::trouble_with_entry(path).map_or(Ok(()), |trouble| Err(refused(trouble)))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// How long others are waited for unless it is said.
const USUAL_WAIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
