//! The signs of life on the locks that this process holds: whoever waits for one can tell work from a process that stands
//! still.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::mutex::locked;

pub(super) const BEAT: Duration = Duration::from_secs(3);

/// Locks that are held, and the thread that gives the signs of life. It ends with the state.
#[derive(Default)]
pub(super) struct Beat {
    pub(super) held: Arc<Mutex<HashMap<PathBuf, Arc<File>>>>,
    ends: Mutex<Option<mpsc::Sender<()>>>,
}

impl Beat {
    /// Without a thread there are no signs: others may give up waiting, and this run works all the same.
    pub(super) fn of(&self, path: &Path, file: &Arc<File>) {
        locked(&self.held).insert(path.to_owned(), file.clone());
        let mut ends = locked(&self.ends);
        if ends.is_some() {
            return;
        }
        let (end, ended) = mpsc::channel();
        let held = self.held.clone();
        let beats = move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(BEAT) {
                let files: Vec<_> = locked(&held).values().cloned().collect();
                files.iter().for_each(|file| drop(file.set_modified(SystemTime::now())));
            }
        };
        *ends = std::thread::Builder::new().spawn(beats).is_ok().then_some(end);
    }
}
