//! A download in progress: `.NAME.haul-part` beside its target, and beside that a small record of whose bytes they are.
//! A file says what survives a kill: how long it is. With several streams the record tells which spans are missing.
//! (`.NAME.haul-part.json` and no database row: the two move together with their folder, and vanish with it.)

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use super::record::Whose;
use super::record::{Record, Span};
use crate::error::{Error, Kind, Result};

pub const PART: &str = ".haul-part";
const RECORD: &str = ".json";
/// File systems take names of 255 bytes; longer ones are shortened in the part's name.
const LONGEST_NAME: usize = 200;
/// Bytes between two notes of several streams: what a kill costs at most.
const NOTE_EVERY: u64 = 16 << 20;

pub struct Part {
    pub(super) file: File,
    path: PathBuf,
    record_path: PathBuf,
    record: Mutex<Record>,
}

impl Part {
    /// Takes up what an earlier run has left for the same content, else begins anew. Fails with `Refused` when something
    /// that is no file of ours has the part's name, with `Local` when it can't be made.
    pub fn open(target: &Path, whose: Whose) -> Result<Part> {
        let (path, record_path) = paths(target)?;
        let shown = path.display().to_string();
        refuse_strangers(&path)?;
        refuse_strangers(&record_path)?;
        let failed = |e: io::Error| Error::new(Kind::Local, "it can't be written").on(shown.clone()).cause(e);
        let file = private().open(&path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let left = Record::read(&record_path).filter(|record| record.whose == whose && record.is_about(length));
        let found = left.is_some();
        let record = left.unwrap_or(Record { whose, missing: Vec::new(), version: None, unnoted: 0 });
        let part = Part { file, path, record_path, record: Mutex::new(record) };
        if !found {
            part.start_over()?;
        }
        Ok(part)
    }

    pub fn path(&self) -> &Path {
        &self.path
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

    /// What is missing of each span; none while there is one stream.
    pub fn spans(&self) -> Vec<Span> {
        self.record().missing.clone()
    }

    /// Makes room for spans that fill at the same time.
    pub fn split(&self, spans: Vec<Span>) -> Result<()> {
        let end = spans.last().map_or(0, |span| span.end);
        // First the record: without it the room made would pass for bytes that have come.
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
            record.write(&self.record_path)?;
        }
        Ok(())
    }

    /// Puts down what is known now.
    pub fn note(&self) -> Result<()> {
        self.record()
            .write(&self.record_path)
            .map_err(|e| Error::new(Kind::Local, "it can't be written").on(self.record_path.display().to_string()).cause(e))
    }

    /// Gives the complete part its name. `replace`: in the place of what has it; else `Exists` when somebody has it by now.
    pub fn finish(&self, target: &Path, replace: bool) -> Result<()> {
        self.publish(target)?;
        let named = match replace {
            true => std::fs::rename(&self.path, target),
            false => without_clobbering(&self.path, target),
        };
        named.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => {
                Error::new(Kind::Exists, "a file of this name came in between").on(target.display().to_string()).hint("run it again")
            }
            _ => Error::new(Kind::Local, "the complete file can't get its name").on(target.display().to_string()).cause(e),
        })?;
        let _ = std::fs::remove_file(&self.record_path);
        Ok(())
    }

    pub fn discard(&self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(&self.record_path);
    }

    /// While it grows the part is for its owner alone. Then it gets the permissions of the file in whose place it comes,
    /// else those that a new file has here: the record is one, and shows them.
    #[cfg(unix)]
    fn publish(&self, target: &Path) -> Result<()> {
        let shown = std::fs::metadata(target).or_else(|_| std::fs::metadata(&self.record_path))?;
        Ok(self.file.set_permissions(shown.permissions())?)
    }

    #[cfg(not(unix))]
    fn publish(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is a download of something else in progress there, or was one broken off?
pub fn is_anothers(target: &Path, whose: &Whose) -> bool {
    let Ok((path, record_path)) = paths(target) else { return false };
    path.symlink_metadata().is_ok() && Record::read(&record_path).is_none_or(|record| record.whose != *whose)
}

/// Would a file of this name be taken for a download in progress?
pub fn is_reserved(name: &str) -> bool {
    let name = name.strip_suffix(RECORD).unwrap_or(name);
    name.starts_with('.') && name.ends_with(PART)
}

fn paths(target: &Path) -> Result<(PathBuf, PathBuf)> {
    let name = target.file_name().ok_or_else(|| Error::new(Kind::Usage, "this is no name for a file").on(target.display().to_string()))?;
    let name = name.to_string_lossy();
    let name = match name.char_indices().find(|(at, c)| at + c.len_utf8() > LONGEST_NAME) {
        Some((cut, _)) => format!("{}~{:x}", name.get(..cut).unwrap_or_default(), md5::compute(name.as_bytes())),
        None => name.into_owned(),
    };
    Ok((target.with_file_name(format!(".{name}{PART}")), target.with_file_name(format!(".{name}{PART}{RECORD}"))))
}

/// Nothing is written through a link, or into a pipe.
fn refuse_strangers(path: &Path) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if !meta.is_file() => {
            Err(Error::new(Kind::Refused, "something that is no file has the name of a download in progress")
                .on(path.display().to_string()))
        }
        _ => Ok(()),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn without_clobbering(part: &Path, target: &Path) -> io::Result<()> {
    let part = tempfile::TempPath::try_from_path(part)?;
    part.persist_noclobber(target).map_err(|failed| {
        let _ = failed.path.keep();
        failed.error
    })
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
    use super::*;

    fn whose(id: &str) -> Whose {
        Whose { remote: "r".into(), id: id.into(), stamp: "s".into() }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_bytes_of_the_same_content_are_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.mov");
        let part = Part::open(&target, whose("1")).unwrap();
        part.write(None, 0, b"01234").unwrap();
        drop(part);
        assert_eq!(Part::open(&target, whose("1")).unwrap().have().unwrap(), 5);
        assert_eq!(Part::open(&target, whose("2")).unwrap().have().unwrap(), 0);
        assert_eq!(Part::open(&target, whose("1")).unwrap().have().unwrap(), 0, "the others' bytes are gone");
        std::fs::write(dir.path().join(".a.mov.haul-part"), "123").unwrap();
        std::fs::write(dir.path().join(".a.mov.haul-part.json"), "{\"whose\":").unwrap();
        assert_eq!(Part::open(&target, whose("1")).unwrap().have().unwrap(), 0, "a torn record");
    }

    #[test]
    fn a_finished_part_takes_its_name_and_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.mov");
        let part = Part::open(&target, whose("1")).unwrap();
        part.write(None, 0, b"new").unwrap();
        std::fs::write(&target, "mine").unwrap();
        assert_eq!(part.finish(&target, false).unwrap_err().kind(), Kind::Exists);
        assert_eq!(std::fs::read(&target).unwrap(), b"mine");
        part.finish(&target, true).unwrap();
        assert_eq!((names(dir.path()), std::fs::read(&target).unwrap()), (vec!["a.mov".to_owned()], b"new".to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn a_part_is_private_and_goes_through_no_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let dir = tempfile::tempdir().unwrap();
        let (target, usual) = (dir.path().join("a"), dir.path().join("usual"));
        std::fs::write(&usual, "").unwrap();
        let part = Part::open(&target, whose("1")).unwrap();
        assert_eq!(mode(part.path()), 0o600);
        part.finish(&target, false).unwrap();
        assert_eq!(mode(&target), mode(&usual));
        std::fs::set_permissions(&target, PermissionsExt::from_mode(0o640)).unwrap();
        Part::open(&target, whose("1")).unwrap().finish(&target, true).unwrap();
        assert_eq!(mode(&target), 0o640);
        symlink(&usual, dir.path().join(".b.haul-part")).unwrap();
        assert_eq!(Part::open(&dir.path().join("b"), whose("1")).err().unwrap().kind(), Kind::Refused);
    }

    #[test]
    fn spans_are_gone_on_with_where_they_were_noted() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a");
        let part = Part::open(&target, whose("1")).unwrap();
        part.split(vec![Span { at: 0, end: 4 }, Span { at: 4, end: 10 }]).unwrap();
        part.write(Some(0), 0, b"01").unwrap();
        part.write(Some(1), 4, b"456").unwrap();
        assert_eq!(part.have().unwrap(), 5);
        part.note().unwrap();
        part.write(Some(1), 7, b"7").unwrap();
        drop(part);
        let part = Part::open(&target, whose("1")).unwrap();
        assert_eq!((part.spans(), part.have().unwrap()), (vec![Span { at: 2, end: 4 }, Span { at: 7, end: 10 }], 5));
        drop(part);
        std::fs::write(dir.path().join(".a.haul-part"), "short").unwrap();
        assert_eq!(Part::open(&target, whose("1")).unwrap().have().unwrap(), 0, "the record is not about this file");
    }

    #[test]
    fn long_names_and_names_of_parts() {
        let dir = tempfile::tempdir().unwrap();
        let long = "ü".repeat(127);
        let target = dir.path().join(&long);
        let part = Part::open(&target, whose("1")).unwrap();
        part.finish(&target, false).unwrap();
        assert_eq!(names(dir.path()), [long]);
        assert!(is_reserved(".a.haul-part") && is_reserved(".a.haul-part.json"));
        assert!(!is_reserved("a.haul-part") && !is_reserved(".a.json"));
    }
}
