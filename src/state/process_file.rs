//! A file with a lock and signs of life on it: whoever waits for what its process holds can tell work from a process that
//! stands still, and one that is gone holds nothing.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use super::heartbeat::Beat;
use super::private_files::{open_private, private_folder};
use crate::contract::Holder;

/// Removed with the lock on it, as it is of no use to anybody else.
pub(super) struct LockFile {
    path: PathBuf,
    held: Arc<Mutex<HashMap<PathBuf, Arc<File>>>>,
    _file: Arc<File>,
}

impl LockFile {
    /// None: somebody has it.
    pub(super) fn take(path: &Path, beat: &Beat) -> std::io::Result<Option<LockFile>> {
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
                beat.of(path, &file);
                return Ok(Some(LockFile { path: path.to_owned(), held: beat.held.clone(), _file: file }));
            }
        }
    }
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

/// What a lock file says of its process. None: there is none.
pub(super) fn holder_in(path: &Path) -> Option<Holder> {
    let modified = std::fs::metadata(path).and_then(|meta| meta.modified()).ok()?;
    Some(Holder { process: process_in(path), silent: modified.elapsed().unwrap_or_default() })
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
