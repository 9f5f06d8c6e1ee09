//! The signs of life on the locks that this process holds. From them a process that waits for a lock knows whether the holder
//! works or hangs.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

pub(super) const BEAT: Duration = Duration::from_secs(3);

/// The locks that are held, and the thread that gives their signs of life. The thread ends with the state.
#[derive(Default)]
pub(super) struct Heartbeat {
    pub(super) held: Arc<Mutex<HashMap<PathBuf, Arc<File>>>>,
    ends: Mutex<Option<mpsc::Sender<()>>>,
}

impl Heartbeat {
    /// Without a thread there are no signs of life: others may stop waiting, and this run works all the same.
    pub(super) fn of(&self, path: &Path, file: &Arc<File>) {
        self.held.lock().insert(path.to_owned(), file.clone());
        let mut ends = self.ends.lock();
        if ends.is_some() {
            return;
        }
        let (end, ended) = mpsc::channel();
        let held = self.held.clone();
        let beats = move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(BEAT) {
                let files: Vec<_> = held.lock().values().cloned().collect();
                files.iter().for_each(|file| drop(file.set_modified(SystemTime::now())));
            }
        };
        *ends = std::thread::Builder::new().spawn(beats).is_ok().then_some(end);
    }
}
