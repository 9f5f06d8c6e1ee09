//! The lock that keeps two runs, or two workers of one run, from working on one place. On Linux it is a lock on a range of one
//! file that all processes share, which costs two system calls and no file. Elsewhere each place has a file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use super::heartbeat::Heartbeat;
use super::process_file::{LockFile, holder_in};
use crate::contract::Holder;

/// The places that one process holds. Not available where the machine or its file system has no such locks.
#[derive(Default)]
pub(super) struct PlaceLocks(OnceLock<Option<Arc<HeldPlaces>>>);

struct HeldPlaces {
    file: ranges::RangeFile,
    folder: PathBuf,
    /// The number of this process among all that run; its signs of life are in a file of this number.
    number: u32,
    _signs: LockFile,
    /// The keys that this process holds, by their range. Two keys may share a range, which the process then locks once.
    held: Mutex<HashMap<u64, Vec<String>>>,
}

/// The number of tries to find a free number.
const MAX_TRIES: u32 = 1000;

/// The path of a place's own file.
fn path_of(folder: &Path, key: &str) -> PathBuf {
    folder.join(format!("put-{:x}.lock", md5::compute(key)))
}

/// The path of the file with the signs of life of a process.
fn signs_of(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("process-{number}.lock"))
}

impl PlaceLocks {
    /// None: another process or task holds the lock. `folder`: the folder of the locks.
    pub(super) fn claim(&self, folder: &Path, key: &str, beat: &Heartbeat) -> io::Result<Option<Box<dyn Send>>> {
        fn into_guard(claim: impl Send + 'static) -> Box<dyn Send> {
            Box::new(claim)
        }
        match self.of(folder, beat) {
            Some(claims) => Ok(claims.clone().claim(key)?.map(into_guard)),
            None => Ok(LockFile::take(&path_of(folder, key), beat)?.map(into_guard)),
        }
    }

    pub(super) fn holder(&self, folder: &Path, key: &str, beat: &Heartbeat) -> Option<Holder> {
        match self.of(folder, beat) {
            Some(claims) => claims.holder(key),
            None => holder_in(&path_of(folder, key)),
        }
    }

    fn of(&self, folder: &Path, beat: &Heartbeat) -> Option<&Arc<HeldPlaces>> {
        self.0.get_or_init(|| HeldPlaces::open(folder, beat).ok().map(Arc::new)).as_ref()
    }
}

impl HeldPlaces {
    fn open(folder: &Path, beat: &Heartbeat) -> io::Result<HeldPlaces> {
        super::private_files::private_folder(folder)?;
        let file = ranges::RangeFile::open(&folder.join("places"))?;
        let first = std::process::id() % ranges::NUMBERS;
        for number in (0..MAX_TRIES).map(|n| (first + n) % ranges::NUMBERS) {
            if let Some(signs) = LockFile::take(&signs_of(folder, number), beat)? {
                return Ok(HeldPlaces { file, folder: folder.to_owned(), number, _signs: signs, held: Mutex::default() });
            }
        }
        Err(io::Error::from(io::ErrorKind::WouldBlock))
    }

    /// None: another process or task holds the lock.
    fn claim(self: Arc<Self>, key: &str) -> io::Result<Option<HeldPlace>> {
        let slot = slot_of(key);
        let mut held = self.held.lock();
        match held.entry(slot) {
            Entry::Occupied(keys) if keys.get().iter().any(|held| held == key) => return Ok(None),
            Entry::Occupied(mut keys) => keys.get_mut().push(key.to_owned()),
            Entry::Vacant(free) => {
                if !self.file.lock(slot, self.number)? {
                    return Ok(None);
                }
                free.insert(vec![key.to_owned()]);
            }
        }
        drop(held);
        Ok(Some(HeldPlace { claims: self, key: key.to_owned() }))
    }

    fn holder(&self, key: &str) -> Option<Holder> {
        let number = match self.held.lock().get(&slot_of(key)) {
            Some(keys) => keys.iter().any(|held| held == key).then_some(self.number),
            None => self.file.holder(slot_of(key)),
        };
        // Somebody has removed the file, so there are no signs of life.
        Some(holder_in(&signs_of(&self.folder, number?)).unwrap_or(Holder { process: None, silent: Duration::MAX }))
    }
}

struct HeldPlace {
    claims: Arc<HeldPlaces>,
    key: String,
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        let slot = slot_of(&self.key);
        let mut held = self.claims.held.lock();
        if let Entry::Occupied(mut keys) = held.entry(slot) {
            keys.get_mut().retain(|held| *held != self.key);
            if keys.get().is_empty() {
                keys.remove();
                self.claims.file.unlock(slot);
            }
        }
    }
}

/// The range of the file that is locked for a key.
fn slot_of(key: &str) -> u64 {
    md5::compute(key).0.iter().take(8).fold(0, |slot, byte| slot << 8 | u64::from(*byte)) % ranges::SLOTS
}

/// Locks of an open file (`F_OFD_SETLK`): closing another handle of the file does not release them, and the kernel releases
/// them when the process ends. A range begins where its slot does, and its length is the number of the process.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod ranges {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc::{F_UNLCK, F_WRLCK, SEEK_SET, c_int, flock};

    use crate::state::private_files::open_private;

    /// The largest number of a process: more than there can be processes (`PID_MAX_LIMIT`).
    pub(super) const NUMBERS: u32 = 1 << 22;
    /// The width of a slot, twice the longest range: two ranges that touch would become one.
    const WIDTH: i64 = 1 << 23;
    /// The number of slots: as many as an offset has room for.
    pub(super) const SLOTS: u64 = 1 << 40;

    pub(super) struct RangeFile(File);

    impl RangeFile {
        pub(super) fn open(path: &Path) -> io::Result<RangeFile> {
            let file = RangeFile(open_private(path)?);
            // Where the file system has no such locks, they are not used.
            let mut probe = range(F_WRLCK, 0, WIDTH);
            fcntl(&file.0, FcntlArg::F_OFD_GETLK(&mut probe))?;
            Ok(file)
        }

        /// False: another process holds the lock.
        pub(super) fn lock(&self, slot: u64, number: u32) -> io::Result<bool> {
            match fcntl(&self.0, FcntlArg::F_OFD_SETLK(&range(F_WRLCK, slot, i64::from(number) + 1))) {
                Ok(_) => Ok(true),
                Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
                Err(e) => Err(e.into()),
            }
        }

        pub(super) fn unlock(&self, slot: u64) {
            let _ = fcntl(&self.0, FcntlArg::F_OFD_SETLK(&range(F_UNLCK, slot, WIDTH)));
        }

        /// The number of the other process that holds the lock.
        pub(super) fn holder(&self, slot: u64) -> Option<u32> {
            let mut found = range(F_WRLCK, slot, WIDTH);
            fcntl(&self.0, FcntlArg::F_OFD_GETLK(&mut found)).ok()?;
            let length = u32::try_from(found.l_len).ok().filter(|_| c_int::from(found.l_type) == F_WRLCK)?;
            length.checked_sub(1)
        }
    }

    fn range(kind: c_int, slot: u64, length: i64) -> flock {
        let begin = i64::try_from(slot % SLOTS).unwrap_or(0) * WIDTH;
        flock { l_type: kind as i16, l_whence: SEEK_SET as i16, l_start: begin, l_len: length, l_pid: 0 }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod ranges {
    use std::io;
    use std::path::Path;

    pub(super) const NUMBERS: u32 = 1;
    pub(super) const SLOTS: u64 = 1;

    /// Not available here: each place has a file.
    pub(super) enum RangeFile {}

    impl RangeFile {
        pub(super) fn open(_: &Path) -> io::Result<RangeFile> {
            Err(io::Error::from(io::ErrorKind::Unsupported))
        }

        pub(super) fn lock(&self, _: u64, _: u32) -> io::Result<bool> {
            match *self {}
        }

        pub(super) fn unlock(&self, _: u64) {
            match *self {}
        }

        pub(super) fn holder(&self, _: u64) -> Option<u32> {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;
    use crate::contract::TransferStore;
    use crate::state::State;
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
        assert_eq!(state.holder("k").unwrap().process, Some(std::process::id()), "another worker of this very process");
        let elsewhere = other.lock_place("other").await.unwrap().unwrap();
        drop(first);
        assert_eq!(other.holder("k"), None);
        drop((other.lock_place("k").await.unwrap().unwrap(), elsewhere));
    }

    #[tokio::test]
    async fn many_places_take_no_file_each_and_a_process_leaves_none() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(Some(dir.path().to_owned()));
        let mut held = Vec::new();
        for n in 0..300 {
            held.push(state.lock_place(&format!("place {n}")).await.unwrap().unwrap());
        }
        let files = || std::fs::read_dir(dir.path().join("locks")).unwrap().count();
        if cfg!(all(target_os = "linux", target_pointer_width = "64")) {
            assert_eq!(files(), 2, "that of all places and this process's signs of life");
        }
        drop(held);
        drop(state);
        assert!(files() <= 1);
    }

    /// Two keys with one range: a process that holds one key may take the other, and the range is released with the last key.
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    #[test]
    fn two_keys_that_share_a_range_do_not_wait_for_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let beat = Heartbeat::default();
        let open = || Arc::new(HeldPlaces::open(dir.path(), &beat).unwrap());
        let (ours, theirs) = (open(), open());
        let slot = slot_of("a");
        let first = ours.clone().claim("a").unwrap().unwrap();
        // A second key of the range, as if it had been locked.
        ours.held.lock().get_mut(&slot).unwrap().push("b".to_owned());
        drop(first);
        assert!(!theirs.file.lock(slot, theirs.number).unwrap(), "the range stays with the second key");
        assert_eq!(theirs.holder("a").unwrap().process, Some(std::process::id()));
        assert_eq!(ours.holder("a"), None, "this process has the range for another key");
        let again = ours.clone().claim("a").unwrap().unwrap();
        ours.held.lock().get_mut(&slot).unwrap().retain(|key| key != "b");
        drop(again);
        assert!(theirs.claim("a").unwrap().is_some());
    }

    #[tokio::test]
    async fn who_holds_it_gives_signs_of_life() {
        let dir = tempfile::tempdir().unwrap();
        let (state, other) = (State::new(Some(dir.path().to_owned())), State::new(Some(dir.path().to_owned())));
        let _claim = state.lock_place("k").await.unwrap().unwrap();
        let signs = std::fs::read_dir(dir.path().join("locks")).unwrap().map(|file| file.unwrap().path());
        let signs = { signs }.find(|path| path.extension().is_some()).unwrap();
        File::options().write(true).open(signs).unwrap().set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
        assert!(other.holder("k").unwrap().silent >= Duration::from_secs(3600));
        let begun = std::time::Instant::now();
        while other.holder("k").unwrap().silent >= Duration::from_secs(3600) {
            assert!(begun.elapsed() < BEAT * 20);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
