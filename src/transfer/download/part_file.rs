//! A download in progress: `.NAME.haul-part` beside its target, and beside that a small record of whose bytes they are. After a
//! kill the length of the part tells how much is there. With several streams the record tells which spans are missing.
//! (`.NAME.haul-part.json` and no database row: the two move together with their folder, and vanish with it.) A run that writes
//! to a part has locked it. Another run, which may know nothing of our state, waits.

use std::fs::{File, TryLockError};
use std::io;

use cap_fs_ext::MetadataExt;
use cap_std::fs::Metadata;
use parking_lot::{Mutex, MutexGuard};

use super::open_folder::{FRESH, Target, display_path};
pub use super::part_record::ContentId;
use super::part_record::{ByteRange, Record};
use crate::error::{Error, Kind, Result};

pub const PART: &str = ".haul-part";
const RECORD: &str = ".json";
/// The longest name that file systems take, in bytes; a longer name is shortened in the part's name.
const MAX_NAME: usize = 200;
/// The bytes between two writes of the record with several streams: so much is fetched again after a kill.
const NOTE_EVERY: u64 = 16 << 20;
/// The number of tries to lock a part that other runs rename again and again.
const MAX_CHECKS: u32 = 100;

pub struct PartFile {
    pub(super) file: File,
    place: Target,
    record_place: Target,
    record: Mutex<Record>,
    /// Nobody else writes to it.
    locked: bool,
}

impl PartFile {
    /// Resumes what an earlier run left of the same content, or begins anew. None: another run works on it. Fails with
    /// `Refused` when something that is no file of ours has the part's name, with `Local` when it can't be made.
    pub fn open(target: &Target, whose: &ContentId) -> Result<Option<PartFile>> {
        let (place, record_place) = places(target);
        refuse_foreign_file(&record_place)?;
        for _ in 0..MAX_CHECKS {
            let Some((file, locked)) = open_and_lock(&place)? else { return Ok(None) };
            // The run that held the lock may have finished: then this file has its final name, or is gone.
            if !place.is(&file) {
                continue;
            }
            let meta = Metadata::from_file(&file)?;
            let left = Record::read(&record_place).filter(|record| record.whose == *whose && record.is_about(meta.len()));
            if (left.is_none() && meta.len() > 0) || meta.nlink() > 1 {
                // Bytes of something else, or a file that has a second name, are left alone and not overwritten.
                place.remove();
                continue;
            }
            let found = left.is_some();
            let record = left.unwrap_or_else(|| Record::of(whose.clone()));
            let part = PartFile { file, place, record_place, record: Mutex::new(record), locked };
            if !found {
                part.start_over()?;
            }
            return Ok(Some(part));
        }
        Err(Error::new(Kind::Local, "another program removes the download's file again and again")
            .with_subject(display_path(&place.path())))
    }

    /// Nobody else writes to it; false where the file system keeps no locks.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    pub fn display_path(&self) -> String {
        display_path(&self.place.path())
    }

    pub fn is_split(&self) -> bool {
        !self.record().missing.is_empty()
    }

    /// Bytes that are here.
    pub fn have(&self) -> Result<u64> {
        let length = self.file.metadata()?.len();
        let missing: u64 = self.record().missing.iter().map(|span| span.end.saturating_sub(span.at)).sum();
        Ok(length.saturating_sub(missing))
    }

    /// The missing bytes of each span; none while there is one stream.
    pub fn spans(&self) -> Vec<ByteRange> {
        self.record().missing.clone()
    }

    /// Makes room for spans that fill at the same time.
    pub fn split(&self, spans: Vec<ByteRange>) -> Result<()> {
        let end = spans.last().map_or(0, |span| span.end);
        // The record is written first: without it the reserved space would count as downloaded bytes.
        self.record().missing = spans;
        self.note()?;
        Ok(self.file.set_len(end)?)
    }

    pub fn start_over(&self) -> Result<()> {
        self.file.set_len(0)?;
        let mut record = self.record();
        (record.missing, record.version) = Default::default();
        drop(record);
        self.note()
    }

    /// Blocks. `span`: which of several the bytes belong to.
    pub fn write(&self, span: Option<usize>, at: u64, bytes: &[u8]) -> io::Result<()> {
        write_all_at(&self.file, bytes, at)?;
        let Some(span) = span else { return Ok(()) };
        let mut record = self.record();
        if let Some(span) = record.missing.get_mut(span) {
            span.at = at + bytes.len() as u64;
        }
        record.unnoted += bytes.len() as u64;
        if record.unnoted >= NOTE_EVERY {
            record.write(&self.record_place)?;
        }
        Ok(())
    }

    /// Writes the record.
    pub fn note(&self) -> Result<()> {
        let written = self.record().write(&self.record_place);
        written
            .map_err(|e| Error::new(Kind::Local, "it can't be written").with_subject(display_path(&self.record_place.path())).with_cause(e))
    }

    /// Gives the complete part its name. With `replace` it takes the place of the file that has the name; otherwise fails with
    /// `Exists` when something has the name by now. Fails with `Integrity` when it is not this very file that has got the name:
    /// something else was put in its place.
    pub fn finish(&self, target: &Target, replace: bool) -> Result<()> {
        let stranger = || {
            Error::new(Kind::Integrity, "another file was put in the place of the download")
                .with_subject(self.display_path())
                .with_hint("run it again")
        };
        if !self.place.is(&self.file) {
            return Err(stranger());
        }
        self.publish(target)?;
        let named = match replace {
            true => self.place.rename_to(target),
            false => self.place.rename_to_free(target),
        };
        named.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => Error::new(Kind::Exists, "another program made a file of this name meanwhile")
                .with_subject(display_path(&target.path()))
                .with_hint("run it again"),
            _ => Error::new(Kind::Local, "the complete file can't get its name").with_subject(display_path(&target.path())).with_cause(e),
        })?;
        if !target.is(&self.file) {
            return Err(stranger());
        }
        self.record_place.remove();
        Ok(())
    }

    /// Removes only our own part: the next run may have begun anew.
    pub fn discard(&self) {
        if self.place.is(&self.file) {
            self.place.remove();
            self.record_place.remove();
        }
    }

    /// While it grows the part is for its owner alone. Then it gets the permissions of the file in whose place it comes,
    /// else those that a new file has here: the record is one, and shows them.
    #[cfg(unix)]
    fn publish(&self, target: &Target) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let file = |place: &Target| place.metadata().ok().filter(Metadata::is_file);
        let Some(model) = file(target).or_else(|| file(&self.record_place)) else { return Ok(()) };
        let mode = cap_std::fs::MetadataExt::mode(&model) & 0o777;
        Ok(self.file.set_permissions(PermissionsExt::from_mode(mode))?)
    }

    #[cfg(not(unix))]
    fn publish(&self, _: &Target) -> Result<()> {
        Ok(())
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock()
    }
}

/// Opens the file at `place`, made if missing. Returns it and whether it is locked now; none where another run has locked it.
fn open_and_lock(place: &Target) -> Result<Option<(File, bool)>> {
    refuse_foreign_file(place)?;
    let failed = |e: io::Error| Error::new(Kind::Local, "it can't be written").with_subject(display_path(&place.path())).with_cause(e);
    let file = place.open_private().map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(stranger(place));
    }
    match file.try_lock() {
        Ok(()) => Ok(Some((file, true))),
        Err(TryLockError::WouldBlock) => Ok(None),
        // Some network file systems keep no locks.
        Err(TryLockError::Error(_)) => Ok(Some((file, false))),
    }
}

/// Is a download of something else in progress there, or was one interrupted?
pub fn is_anothers(target: &Target, whose: &ContentId) -> bool {
    let (place, record_place) = places(target);
    place.is_taken() && Record::read(&record_place).is_none_or(|record| record.whose != *whose)
}

/// The id of the process that began the download there, if the record has it; it may be a process of another machine.
pub fn writer(target: &Target) -> Option<u32> {
    Record::read(&places(target).1).map(|record| record.process).filter(|process| *process > 0)
}

/// Would a file of this name be taken for a download in progress?
pub fn is_reserved(name: &str) -> bool {
    let name = name.strip_suffix(FRESH).unwrap_or(name);
    let name = name.strip_suffix(RECORD).unwrap_or(name);
    name.starts_with('.') && name.ends_with(PART)
}

/// Of the part and of its record.
fn places(target: &Target) -> (Target, Target) {
    let name = target.name();
    let name = match name.char_indices().find(|(at, c)| at + c.len_utf8() > MAX_NAME) {
        Some((cut, _)) => format!("{}~{:x}", name.get(..cut).unwrap_or_default(), md5::compute(name.as_bytes())),
        None => name.to_owned(),
    };
    (target.beside(&format!(".{name}{PART}")), target.beside(&format!(".{name}{PART}{RECORD}")))
}

/// Nothing is written through a link, or into a pipe.
fn refuse_foreign_file(place: &Target) -> Result<()> {
    match place.metadata() {
        Ok(meta) if !meta.is_file() => Err(stranger(place)),
        _ => Ok(()),
    }
}

fn stranger(place: &Target) -> Error {
    Error::new(Kind::Refused, "something that is no file has the name of a download in progress").with_subject(display_path(&place.path()))
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => (bytes, at) = (bytes.get(n..).unwrap_or_default(), at + n as u64),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::transfer::download::open_folder::LocalFolder;

    fn whose(id: &str) -> ContentId {
        ContentId { remote: "r".into(), id: id.into(), stamp: "s".into() }
    }

    /// A name in that folder.
    fn at(dir: &Path, name: &str) -> Target {
        LocalFolder::open(dir, false).unwrap().at(name)
    }

    fn open(target: &Target, id: &str) -> PartFile {
        PartFile::open(target, &whose(id)).unwrap().unwrap()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_bytes_of_the_same_content_are_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let target = at(dir.path(), "a.mov");
        let part = open(&target, "1");
        part.write(None, 0, b"01234").unwrap();
        drop(part);
        assert_eq!(open(&target, "1").have().unwrap(), 5);
        assert_eq!(open(&target, "2").have().unwrap(), 0);
        assert_eq!(open(&target, "1").have().unwrap(), 0, "the others' bytes are gone");
        std::fs::write(dir.path().join(".a.mov.haul-part"), "123").unwrap();
        std::fs::write(dir.path().join(".a.mov.haul-part.json"), "{\"whose\":").unwrap();
        assert_eq!(open(&target, "1").have().unwrap(), 0, "a torn record");
    }

    #[test]
    fn a_finished_part_takes_its_name_and_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let target = at(dir.path(), "a.mov");
        let part = open(&target, "1");
        part.write(None, 0, b"new").unwrap();
        std::fs::write(target.path(), "mine").unwrap();
        assert_eq!(part.finish(&target, false).unwrap_err().kind(), Kind::Exists);
        assert_eq!(std::fs::read(target.path()).unwrap(), b"mine");
        part.finish(&target, true).unwrap();
        assert_eq!((names(dir.path()), std::fs::read(target.path()).unwrap()), (vec!["a.mov".to_owned()], b"new".to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn a_part_is_private_and_goes_through_no_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let dir = tempfile::tempdir().unwrap();
        let (target, usual) = (at(dir.path(), "a"), dir.path().join("usual"));
        std::fs::write(&usual, "").unwrap();
        let part = open(&target, "1");
        assert_eq!(mode(&part.place.path()), 0o600);
        part.finish(&target, false).unwrap();
        assert_eq!(mode(&target.path()), mode(&usual));
        std::fs::set_permissions(target.path(), PermissionsExt::from_mode(0o640)).unwrap();
        open(&target, "1").finish(&target, true).unwrap();
        assert_eq!(mode(&target.path()), 0o640);
        symlink(&usual, dir.path().join(".b.haul-part")).unwrap();
        assert_eq!(PartFile::open(&at(dir.path(), "b"), &whose("1")).err().unwrap().kind(), Kind::Refused);
    }

    #[test]
    fn spans_are_gone_on_with_where_they_were_noted() {
        let dir = tempfile::tempdir().unwrap();
        let target = at(dir.path(), "a");
        let part = open(&target, "1");
        part.split(vec![ByteRange { at: 0, end: 4 }, ByteRange { at: 4, end: 10 }]).unwrap();
        part.write(Some(0), 0, b"01").unwrap();
        part.write(Some(1), 4, b"456").unwrap();
        assert_eq!(part.have().unwrap(), 5);
        part.note().unwrap();
        part.write(Some(1), 7, b"7").unwrap();
        drop(part);
        let part = open(&target, "1");
        assert_eq!((part.spans(), part.have().unwrap()), (vec![ByteRange { at: 2, end: 4 }, ByteRange { at: 7, end: 10 }], 5));
        drop(part);
        std::fs::write(dir.path().join(".a.haul-part"), "short").unwrap();
        assert_eq!(open(&target, "1").have().unwrap(), 0, "the record is not about this file");
    }

    #[test]
    fn long_names_and_names_of_parts() {
        let dir = tempfile::tempdir().unwrap();
        let long = "ü".repeat(127);
        let target = at(dir.path(), &long);
        let part = open(&target, "1");
        part.finish(&target, false).unwrap();
        assert_eq!(names(dir.path()), [long]);
        assert!(is_reserved(".a.haul-part") && is_reserved(".a.haul-part.json") && is_reserved(".a.haul-part.json.new"));
        assert!(!is_reserved("a.haul-part") && !is_reserved(".a.json"));
    }

    #[test]
    fn one_at_a_time_writes_to_a_part() {
        let dir = tempfile::tempdir().unwrap();
        let target = at(dir.path(), "a");
        let first = open(&target, "1");
        assert!(first.is_locked());
        first.write(None, 0, b"first").unwrap();
        for id in ["1", "2"] {
            assert!(PartFile::open(&target, &whose(id)).unwrap().is_none(), "whatever the other wants to fetch");
        }
        assert_eq!(writer(&target), Some(std::process::id()));
        first.finish(&target, false).unwrap();
        // The lock is still held, but of a file that has another name now.
        let second = open(&target, "2");
        second.write(None, 0, b"second").unwrap();
        assert_eq!(std::fs::read(target.path()).unwrap(), b"first");
        drop(first);
        second.finish(&target, true).unwrap();
        assert_eq!((names(dir.path()), std::fs::read(target.path()).unwrap()), (vec!["a".to_owned()], b"second".to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn bytes_of_another_content_are_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let target = at(dir.path(), "a");
        let old = open(&target, "1");
        old.write(None, 0, b"old content").unwrap();
        // Where locks are not kept, or a program of another kind has it open.
        let reader = File::open(old.place.path()).unwrap();
        drop(old);
        open(&target, "2").write(None, 0, b"NEW").unwrap();
        assert_eq!(io::read_to_string(reader).unwrap(), "old content");
        // A second name of somebody's file.
        std::fs::write(dir.path().join("victim"), "").unwrap();
        for name in [".b.haul-part", ".b.haul-part.json"] {
            std::fs::hard_link(dir.path().join("victim"), dir.path().join(name)).unwrap();
        }
        let target = at(dir.path(), "b");
        let part = open(&target, "1");
        part.write(None, 0, b"content").unwrap();
        part.finish(&target, false).unwrap();
        assert_eq!(std::fs::read(dir.path().join("victim")).unwrap(), b"");
        assert_eq!(std::fs::read(target.path()).unwrap(), b"content");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_renamed_is_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let target = at(dir.path(), "a");
        let part = open(&target, "1");
        part.write(None, 0, b"ours").unwrap();
        std::fs::remove_file(part.place.path()).unwrap();
        std::fs::write(part.place.path(), "theirs").unwrap();
        assert_eq!(part.finish(&target, true).unwrap_err().kind(), Kind::Integrity);
        part.discard();
        assert_eq!(names(dir.path()), [".a.haul-part", ".a.haul-part.json"], "and theirs is not thrown away");
    }

    #[cfg(unix)]
    #[test]
    fn a_record_is_written_through_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let (target, victim) = (at(dir.path(), "a"), dir.path().join("victim"));
        std::fs::write(&victim, "untouched").unwrap();
        let part = open(&target, "1");
        for name in [".a.haul-part.json", ".a.haul-part.json.new"] {
            let _ = std::fs::remove_file(dir.path().join(name));
            std::os::unix::fs::symlink(&victim, dir.path().join(name)).unwrap();
        }
        part.note().unwrap();
        part.write(None, 0, b"x").unwrap();
        part.finish(&target, false).unwrap();
        assert_eq!(std::fs::read(&victim).unwrap(), b"untouched");
        assert_eq!(names(dir.path()), ["a", "victim"]);
    }
}
