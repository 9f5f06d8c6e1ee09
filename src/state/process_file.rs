//! A file with a lock and signs of life. From them a process that waits for the file's owner knows whether the owner works or
//! hangs. An owner that has ended holds no lock.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use super::heartbeat::Heartbeat;
use super::private_files::{open_private, private_folder};
use crate::contract::Holder;

/// The file is removed while it is locked, as no other process needs it.
pub(super) struct LockFile {
    path: PathBuf,
    held: Arc<Mutex<HashMap<PathBuf, Arc<File>>>>,
    _file: Arc<File>,
}

impl LockFile {
    /// None: another process holds the lock.
    pub(super) fn take(path: &Path, beat: &Heartbeat) -> std::io::Result<Option<LockFile>> {
        path.parent().map_or(Ok(()), |folder| private_folder(folder).map(drop))?;
        loop {
            let file = open_private(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(e),
            }
            // The holder before us removes the file while it is locked: a lock on a removed file keeps no other process out.
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
        // A sign of life that is being written may hold the file for a moment.
        let _ = self._file.unlock();
    }
}

/// What a lock file says of its process. None: there is no such file.
pub(super) fn holder_in(path: &Path) -> Option<Holder> {
    let modified = std::fs::metadata(path).and_then(|meta| meta.modified()).ok()?;
    Some(Holder { process: process_in(path), silent: modified.elapsed().unwrap_or_default() })
}

/// Writes the process id of the holder, for processes that wait. Nothing depends on this text.
pub(super) fn sign(mut file: &File) {
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    let _ = file.set_modified(SystemTime::now());
}

/// The holder of the lock.
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

/// Elsewhere the file stays, as an open file can't be removed.
#[cfg(not(unix))]
fn is_still(_: &Path, _: &File) -> bool {
    true
}
