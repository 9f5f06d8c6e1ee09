//! What outlives a run: tokens, and what this machine has put where. One SQLite file of the user's own, shared by all
//! running `haul` processes and opened only when something is looked up. When it can't be used, work goes on without
//! memory and one warning says so: no transfer fails for want of notes.

mod carrying_run;
mod changes;
mod completed;
mod database;
mod folder;
mod heartbeat;
mod listings;
mod pending;
mod place_locks;
#[cfg(debug_assertions)]
mod power_cut;
mod private_files;
mod process_file;
mod renaming;
mod rows;
mod runs;
mod schema;
mod tokens;
mod writer;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;

pub(crate) use self::carrying_run::CarryingRun;
pub use self::folder::Tell;

use self::database::Database;
use self::folder::StateFolder;
use self::heartbeat::Heartbeat;
use self::place_locks::PlaceLocks;
use self::writer::Writer;
use crate::contract::tokens::Refusals;
use crate::contract::{Holder, PlaceLock, StoredToken};

/// Implements [`crate::contract::TokenStore`] and [`crate::contract::TransferStore`].
pub struct State {
    folder: Arc<StateFolder>,
    /// What is asked does not wait for what is written.
    reader: Mutex<Database>,
    writer: Writer,
    /// Tokens of this run that the database could not take.
    memory: Mutex<HashMap<String, StoredToken>>,
    refusals: Arc<Refusals>,
    /// What begins now belongs to this command (as in [`CarryingRun::key`]).
    run: Mutex<Option<String>>,
    beat: Heartbeat,
    places: PlaceLocks,
}

impl State {
    /// `dir` is made when it is first needed; none = this machine has no place for it. Touches no file.
    pub fn new(dir: Option<PathBuf>) -> State {
        let folder = Arc::new(StateFolder::new(dir));
        State {
            reader: Mutex::new(Database::new(folder.clone())),
            writer: Writer::new(folder.clone()),
            folder,
            memory: Mutex::default(),
            refusals: Arc::default(),
            run: Mutex::default(),
            beat: Heartbeat::default(),
            places: PlaceLocks::default(),
        }
    }

    /// Another process that signs in is waited for so long at most.
    pub fn wait_at_most(&self, limit: Duration) {
        self.folder.wait_at_most(limit);
    }

    /// `tell` reports each wait for another process.
    pub fn tell_waits(&self, tell: Tell) {
        self.folder.tell_waits(tell);
    }

    /// Brings to the disk what was noted, then tells what the user should know since this was last asked: one line for each
    /// thing that stopped working.
    pub fn take_warnings(&self) -> Vec<String> {
        self.writer.settle();
        self.folder.take_warnings()
    }

    /// None: another process or task holds the lock. Without a place for locks there is no second process that could know of
    /// this lock.
    fn claim_place(&self, key: &str) -> Option<PlaceLock> {
        let free = PlaceLock { waited: false, held: Box::new(()) };
        let Some(locks) = self.locks_folder() else { return Some(free) };
        match self.places.claim(&locks, key, &self.beat) {
            Ok(claim) => claim.map(|held| PlaceLock { waited: false, held: Box::new(self.writer.until_written(held)) }),
            // No transfer fails for want of notes; the database tells the user the same.
            Err(_) => Some(free),
        }
    }

    fn holder_of_place(&self, key: &str) -> Option<Holder> {
        self.places.holder(&self.locks_folder()?, key, &self.beat)
    }

    fn locks_folder(&self) -> Option<PathBuf> {
        Some(self.folder.real().ok()?.join("locks"))
    }

    /// The answer of the database; none when it can't give one, and then the user is warned.
    fn read<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        self.reader.lock().ask(work).ok()
    }

    /// As `read`, of several rows: what was noted is among them.
    fn read_all<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<Vec<T>>) -> Vec<T> {
        self.writer.settle();
        self.read(work).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
