//! The folder of the state: found to be ours alone once, and what is to be said of it. Shared by those that read and by the
//! thread that writes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;

use super::private_files::{make_private, open_private, private_folder};
use super::schema;
use crate::ownership;

pub(super) const FILE: &str = "state.db";
/// How long others are waited for unless it is said.
const USUAL_WAIT: Duration = Duration::from_secs(60);

/// What is told while it is waited for.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

pub(super) struct StateFolder {
    dir: Option<PathBuf>,
    /// Its real path once it is known to be ours alone, or why it can't be used.
    real: OnceLock<Result<PathBuf, String>>,
    /// The database is damaged, full or not to be had: nobody asks it again.
    unusable: AtomicBool,
    warnings: Mutex<Vec<String>>,
    waits: Mutex<Waits>,
}

/// How long others are waited for, and who is told.
struct Waits {
    limit: Duration,
    tell: Option<Tell>,
}

impl StateFolder {
    pub(super) fn new(dir: Option<PathBuf>) -> StateFolder {
        let waits = Mutex::new(Waits { limit: USUAL_WAIT, tell: None });
        StateFolder { dir, real: OnceLock::new(), unusable: AtomicBool::new(false), warnings: Mutex::default(), waits }
    }

    pub(super) fn wait_at_most(&self, limit: Duration) {
        self.waits.lock().limit = limit;
    }

    pub(super) fn wait_limit(&self) -> Duration {
        self.waits.lock().limit
    }

    pub(super) fn tell_waits(&self, tell: Tell) {
        self.waits.lock().tell = Some(tell);
    }

    pub(super) fn tell(&self, text: &str) {
        let tell = self.waits.lock().tell.clone();
        if let Some(tell) = tell {
            tell(text);
        }
    }

    pub(super) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock())
    }

    pub(super) fn warn(&self, why: String) {
        let warning = format!("{} can't be used, so this run may not remember all for later ones: {why}", self.place());
        let mut warnings = self.warnings.lock();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    pub(super) fn is_unusable(&self) -> bool {
        self.unusable.load(Ordering::Relaxed)
    }

    pub(super) fn give_up(&self, why: String) {
        self.unusable.store(true, Ordering::Relaxed);
        self.warn(why);
    }

    /// The folder, made and found to be ours alone. What others could have planted there is not used.
    pub(super) fn real(&self) -> Result<PathBuf, String> {
        let find = || {
            let dir = self.dir.as_deref().ok_or("this machine has no home folder for it")?;
            private_folder(dir).map_err(|e| e.to_string())
        };
        self.real.get_or_init(find).clone()
    }

    pub(super) fn open(&self) -> Result<Connection, String> {
        let dir = self.real()?;
        // Two processes that open the first database at once would meet half-made tables.
        let turn = open_private(&dir.join("open.lock")).and_then(|file| ownership::lock_within(file, schema::BUSY_TIMEOUT));
        let _turn = turn.map_err(|e| e.to_string())?;
        let path = dir.join(FILE);
        make_private(&path).map_err(|e| e.to_string())?;
        schema::open(&path).map_err(|e| e.to_string())
    }

    /// Another process that is writing.
    pub(super) fn other_writer(&self) -> Option<u32> {
        let folder = self.real().ok()?;
        let held = ["-shm", ""].iter().find_map(|side| {
            let meta = std::fs::metadata(folder.join(format!("{FILE}{side}"))).ok()?;
            ownership::lock_holder(&meta)
        });
        held.filter(|process| *process > 0)
    }

    pub(super) fn place(&self) -> String {
        self.dir.as_deref().map_or_else(|| FILE.to_owned(), |dir| dir.join(FILE).display().to_string())
    }
}
