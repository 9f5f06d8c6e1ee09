//! The folder of the state: checked once that it is ours alone, with the warnings about it. Readers and the writing thread
//! share it.

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
/// The time for which other processes are waited for, unless a command sets another.
const USUAL_WAIT: Duration = Duration::from_secs(60);

/// What is reported while haul waits for another process.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

pub(super) struct StateFolder {
    dir: Option<PathBuf>,
    /// The folder's real path once it is known to be ours alone, or the reason why it can't be used.
    real: OnceLock<Result<PathBuf, String>>,
    /// The database is damaged, full or can't be opened, so it is not asked again.
    unusable: AtomicBool,
    warnings: Mutex<Vec<String>>,
    waits: Mutex<Waits>,
}

/// The time for which other processes are waited for, and where a wait is reported.
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

    pub(super) fn report_wait(&self, text: &str) {
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

    pub(super) fn disable(&self, why: String) {
        self.unusable.store(true, Ordering::Relaxed);
        self.warn(why);
    }

    /// Makes the folder and checks that it is ours alone. A folder in which others could have put files is not used.
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

    /// The failure while another process writes.
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
