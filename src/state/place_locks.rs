//! The claim that keeps two runs from working on one place: a lock that a sign of life is given on while it is held, so that
//! whoever waits for it can tell work from a process that stands still.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use super::State;
use super::private_files::{open_private, private_folder};
use crate::contract::{Holder, PlaceLock};
use crate::error::Result;

impl State {
    /// Without a place for lock files there is no second process that could know of this one.
    pub(super) async fn claim_place(&self, key: &str) -> Result<Option<PlaceLock>> {
        let free = PlaceLock { waited: false, held: Box::new(()) };
        let Some(path) = self.place_path(key) else { return Ok(Some(free)) };
        Ok(match self.take(&path) {
            Ok(Some(lock)) => Some(PlaceLock { waited: false, held: Box::new(lock) }),
            Ok(None) => None,
            // No transfer fails for want of notes; the database tells the user the same.
            Err(_) => Some(free),
        })
    }

    pub(super) fn holder_of_place(&self, key: &str) -> Option<Holder> {
        let path = self.place_path(key)?;
        let modified = std::fs::metadata(&path).and_then(|meta| meta.modified()).ok()?;
        Some(Holder { process: process_in(&path), silent: modified.elapsed().unwrap_or_default() })
    }

    fn place_path(&self, key: &str) -> Option<PathBuf> {
        Some(self.folder().ok()?.join("locks").join(format!("put-{:x}.lock", md5::compute(key))))
    }

    /// None: somebody has it.
    fn take(&self, path: &Path) -> std::io::Result<Option<LockFile>> {
        path.parent().map_or(Ok(()), |folder| private_folder(folder).map(drop))?;
        loop {
            let file = open_private(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(e),
            }
            // The one before us removes the file with the lock on it: a lock on a removed file keeps nobody out.
            if is_still(path, &file) {
                sign(&file);
                let file = Arc::new(file);
                self.beat.of(path, &file);
                return Ok(Some(LockFile { path: path.to_owned(), held: self.beat.held.clone(), _file: file }));
            }
        }
    }
}

/// A file that is locked while one process is busy with one place, and gone afterwards: there are as many places as files.
struct LockFile {
    path: PathBuf,
    held: Arc<Mutex<HashMap<PathBuf, Arc<File>>>>,
    _file: Arc<File>,
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
        }
        self.held.lock().remove(&self.path);
        // A sign of life that is given just now may hold the file for a moment more.
        let _ = self._file.unlock();
    }
}

/// Writes whose lock it is, for those who wait. Nobody depends on it.
pub(super) fn sign(mut file: &File) {
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    let _ = file.set_modified(SystemTime::now());
}

/// Whose lock this is.
pub(super) fn process_in(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.parse().ok()
}

#[cfg(unix)]
fn is_still(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
        _ => false,
    }
}

/// Elsewhere the file stays, as one that is open can't be removed.
#[cfg(not(unix))]
fn is_still(_: &Path, _: &File) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::TransferStore;
    use crate::state::heartbeat::BEAT;

    #[tokio::test]
    async fn one_at_a_time_goes_to_one_place() {
        let dir = tempfile::tempdir().unwrap();
        let (state, other) = (State::new(Some(dir.path().to_owned())), State::new(Some(dir.path().to_owned())));
        assert_eq!(state.holder("k"), None);
        let first = state.lock_place("k").await.unwrap().unwrap();
        assert!(!first.waited && other.lock_place("k").await.unwrap().is_none() && state.lock_place("k").await.unwrap().is_none());
        let holder = other.holder("k").unwrap();
        assert!(holder.process == Some(std::process::id()) && holder.silent < Duration::from_secs(60), "{holder:?}");
        let elsewhere = other.lock_place("other").await.unwrap().unwrap();
        drop(first);
        assert_eq!(other.holder("k"), None);
        drop((other.lock_place("k").await.unwrap().unwrap(), elsewhere));
    }

    #[tokio::test]
    async fn who_holds_it_gives_signs_of_life() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(Some(dir.path().to_owned()));
        let _claim = state.lock_place("k").await.unwrap().unwrap();
        let file = File::options().write(true).open(state.place_path("k").unwrap()).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
        assert!(state.holder("k").unwrap().silent >= Duration::from_secs(3600));
        let begun = std::time::Instant::now();
        while state.holder("k").unwrap().silent >= Duration::from_secs(3600) {
            assert!(begun.elapsed() < BEAT * 20);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
