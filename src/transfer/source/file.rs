//! A local file as a source: opened once, read by position on a blocking thread, never held in memory.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::change_time::{ChangeTime, change_time, ns_since_1970, told};
use crate::contract::part::CHUNK_READ;
use crate::contract::{BoxFuture, Chunks, Source};
use crate::error::{Error, Kind, Result};
use crate::transfer::sleep::sleep;

/// Pieces read ahead of the network: with 256 KiB each, a mebibyte for each file in flight.
const READ_AHEAD: usize = 4;

pub struct FileSource {
    name: String,
    file: Arc<File>,
    size: u64,
    modified: Option<SystemTime>,
    /// When the inode changed last, where that is known.
    changed_ns: Option<i64>,
}

impl FileSource {
    /// Fails with `NotFound` or `Local` in the user's words.
    pub fn open(path: &Path) -> Result<FileSource> {
        let file = File::open(path).map_err(|e| unreadable(path, e))?;
        Self::of(path.display().to_string(), file)
    }

    /// What is open already: its path may lead elsewhere by now. `name`: as in [`Source::name`].
    pub fn of(name: String, file: File) -> Result<FileSource> {
        let meta = file.metadata().map_err(|e| Error::from(e).on_local(&name))?;
        if !meta.is_file() {
            return Err(Error::new(Kind::Local, "this is not a regular file")
                .on_local(name)
                .with_hint("pipe it in: … | haul put - REMOTE:PATH"));
        }
        let changed_ns = told(&file, &meta);
        Ok(FileSource { name, file: Arc::new(file), size: meta.len(), modified: meta.modified().ok(), changed_ns })
    }
}

/// The content of a file that says it is empty and is not, as those of `/proc` do: its size is known when it has been read.
pub fn unmeasured(path: &Path) -> Result<Option<Box<dyn Read + Send>>> {
    let mut file = File::open(path).map_err(|e| unreadable(path, e))?;
    let meta = file.metadata().map_err(|e| unreadable(path, e))?;
    if !meta.is_file() || meta.len() > 0 {
        return Ok(None);
    }
    let mut first = Vec::new();
    (&mut file).take(CHUNK_READ as u64).read_to_end(&mut first).map_err(|e| unreadable(path, e))?;
    Ok((!first.is_empty()).then(|| Box::new(io::Cursor::new(first).chain(file)) as Box<dyn Read + Send>))
}

pub fn unreadable(path: &Path, e: io::Error) -> Error {
    let shown = path.display().to_string();
    match e.kind() {
        io::ErrorKind::NotFound => Error::new(Kind::NotFound, "there is no such file or folder here").on_local(shown),
        _ => Error::new(Kind::Local, "it can't be read").on_local(shown).with_cause(e),
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> Option<u64> {
        Some(self.size)
    }

    fn read(&self, from: u64, len: u64) -> Chunks {
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let (file, name) = (self.file.clone(), self.name.clone());
        tokio::task::spawn_blocking(move || {
            let (mut at, end) = (from, from.saturating_add(len));
            while at < end {
                let piece = read_piece(&file, at, (end - at).min(CHUNK_READ as u64) as usize);
                let piece = piece.and_then(|p| if p.is_empty() { Err(cut_short(&name, at)) } else { Ok(p) });
                at += piece.as_ref().map_or(0, |p| p.len() as u64);
                let failed = piece.is_err();
                // The other end is gone when the request was given up: nobody wants the rest.
                if sender.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
        });
        receive(receiver)
    }

    /// Looks behind the end that was announced, too: a size is no more than a file system's word.
    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        let left = self.size.saturating_sub(from).min(most);
        let (file, name) = (self.file.clone(), self.name.clone());
        Box::pin(async move {
            if left > 0 || most == 0 {
                return Ok(left);
            }
            let behind = tokio::task::spawn_blocking(move || read_piece(&file, from, 1)).await.map_err(io::Error::other);
            behind.flatten().map(|piece| piece.len() as u64).map_err(|e| unreadable(Path::new(&name), e))
        })
    }

    fn check_unchanged(&self) -> Result<()> {
        let meta = self.file.metadata().map_err(|e| unreadable(Path::new(&self.name), e))?;
        if meta.len() == self.size && meta.modified().ok() == self.modified {
            return Ok(());
        }
        Err(changed_meanwhile(&self.name))
    }

    fn is_touched(&self) -> bool {
        self.file.metadata().map_or(true, |meta| told(&self.file, &meta) != self.changed_ns)
    }
}

pub(crate) fn changed_meanwhile(name: &str) -> Error {
    Error::new(Kind::Integrity, "the file changed while it was read")
        .on_local(name)
        .with_hint("run it again when nothing writes to the file")
}

pub fn receive(receiver: mpsc::Receiver<io::Result<Bytes>>) -> Chunks {
    Box::pin(stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|piece| (piece, receiver)) }))
}

/// The file is shorter than it was when the upload began.
pub fn cut_short(name: &str, at: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        Error::new(Kind::Integrity, format!("the source ended after {at} bytes, before its announced size")).on_local(name),
    )
}

fn read_piece(file: &File, at: u64, most: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; most];
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read_at(file, rest, at + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    buffer.truncate(filled);
    Ok(buffer.into())
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// What makes a local file that very file: for `--if-exists update` and for taking up an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFingerprint {
    /// Absolute, links resolved: the same file by another name is the same file.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since 1970, negative before.
    pub modified_ns: i64,
    /// None where the file system has no inodes.
    pub inode: Option<u64>,
    /// What changes whenever the content does, whatever else is put back: the time of the inode's change; of a file on a
    /// remote its MD5 or revision. None where nothing is known to: then only the content proves that it is the same.
    #[serde(default)]
    pub version: Option<String>,
    /// The device that it lies on.
    #[serde(default)]
    pub device: Option<u64>,
    /// MD5 of the first and the last 64 KiB: a file that was written again within the clock's step shows itself.
    pub ends: String,
}

/// What two looks at a file say of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Proven: nothing can have changed it.
    Same,
    /// Nothing says that it changed, and nothing proves that it did not.
    Alike,
    /// Something was changed, which may be its name, its mode or its content.
    Touched,
    Other,
}

/// Bytes of head and tail that are looked at.
const END: u64 = 64 * 1024;

impl FileFingerprint {
    /// Reads head and tail of the file. A file that was changed just now has no version: it could change again and show the
    /// same one. Fails with `NotFound` or `Local`.
    pub fn of(path: &Path) -> Result<FileFingerprint> {
        Self::look(path).map(|(identity, _)| identity)
    }

    /// As `of`, after the moment that a file needs to get a version. Who keeps writing to it is not waited for.
    pub async fn settled(path: &Path) -> Result<FileFingerprint> {
        match Self::look(path)? {
            (_, Some(wait)) => {
                sleep(wait).await;
                Self::of(path)
            }
            (identity, None) => Ok(identity),
        }
    }

    fn look(path: &Path) -> Result<(FileFingerprint, Option<Duration>)> {
        let now = SystemTime::now();
        let file = File::open(path).map_err(|e| unreadable(path, e))?;
        let meta = file.metadata().map_err(|e| unreadable(path, e))?;
        let full = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).map_err(|e| unreadable(path, e))?;
        let head = read_piece(&file, 0, END as usize).map_err(|e| unreadable(path, e))?;
        let tail = read_piece(&file, meta.len().saturating_sub(END).max(END), END as usize).map_err(|e| unreadable(path, e))?;
        let mut ends = md5::Context::new();
        ends.consume(&head);
        ends.consume(&tail);
        let ends = format!("{:x}", ends.finalize());
        let (version, wait) = match change_time(&file, &meta, now) {
            ChangeTime::Settled(at) => (Some(format!("changed {at}")), None),
            ChangeTime::Young(wait) => (None, Some(wait)),
            ChangeTime::Unknown => (None, None),
        };
        let (inode, device) = inode_and_device(&meta);
        let modified_ns = meta.modified().map_or(0, ns_since_1970);
        let identity = FileFingerprint { path: full.display().to_string(), size: meta.len(), modified_ns, inode, version, device, ends };
        Ok((identity, wait))
    }

    /// False: it says that it is empty, and is not; see [`unmeasured`].
    pub fn is_measured(&self) -> bool {
        self.size > 0 || self.ends == format!("{:x}", md5::compute(b""))
    }

    pub fn likeness(&self, noted: &FileFingerprint) -> Likeness {
        fn plain(of: &FileFingerprint) -> (&str, u64, i64, Option<u64>, &str) {
            (&of.path, of.size, of.modified_ns, of.inode, &of.ends)
        }
        match (&self.version, &noted.version) {
            _ if plain(self) != plain(noted) => Likeness::Other,
            (Some(now), Some(then)) if now != then => Likeness::Touched,
            (Some(_), Some(_)) if self.device == noted.device => Likeness::Same,
            _ => Likeness::Alike,
        }
    }

    /// For comparing with what an earlier run noted.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(unix)]
fn inode_and_device(meta: &Metadata) -> (Option<u64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt;
    (Some(meta.ino()), Some(meta.dev()))
}

#[cfg(not(unix))]
fn inode_and_device(_: &Metadata) -> (Option<u64>, Option<u64>) {
    (None, None)
}

/// MD5 of a whole source, lower-case hex, computed on a blocking thread.
pub async fn md5_of(source: &dyn Source) -> Result<String> {
    use futures_util::StreamExt;
    let size = source.size().unwrap_or(0);
    let mut chunks = source.read(0, size);
    let (sender, mut receiver) = mpsc::channel::<Bytes>(READ_AHEAD);
    let hashing = tokio::task::spawn_blocking(move || {
        let mut context = md5::Context::new();
        while let Some(piece) = receiver.blocking_recv() {
            context.consume(&piece);
        }
        format!("{:x}", context.finalize())
    });
    while let Some(piece) = chunks.next().await {
        let piece = piece.map_err(|e| Error::reading(&e).on_local(source.name()))?;
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    hashing.await.map_err(|e| Error::new(Kind::Other, "the checksum could not be computed").with_cause(e))
}

/// See [`Error::reading`].
pub fn read_failure(e: io::Error, name: &str) -> Error {
    Error::reading(&e).with_subject(name)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use futures_util::StreamExt;

    use super::*;

    async fn bytes(chunks: Chunks) -> Vec<u8> {
        chunks.map(|c| c.unwrap().to_vec()).concat().await
    }

    #[tokio::test]
    async fn any_range_any_number_of_times() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..600_000u32).map(|n| (n % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let source = FileSource::open(file.path()).unwrap();
        assert_eq!(bytes(source.read(0, 600_000)).await, content);
        assert_eq!(bytes(source.read(300_000, 7)).await, content[300_000..300_007]);
        assert_eq!(bytes(source.read(600_000, 0)).await, b"");
        assert_eq!(md5_of(&source).await.unwrap(), format!("{:x}", md5::compute(&content)));
    }

    #[tokio::test]
    async fn a_file_that_shrinks_or_grows_is_noticed() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"0123456789").unwrap();
        let source = FileSource::open(file.path()).unwrap();
        file.as_file().set_len(4).unwrap();
        let last = source.read(0, 10).collect::<Vec<_>>().await.pop().unwrap().unwrap_err();
        assert_eq!(read_failure(last, "x").kind(), Kind::Integrity);
        assert_eq!(source.check_unchanged().unwrap_err().kind(), Kind::Integrity);
    }

    #[tokio::test]
    async fn more_than_was_announced_is_seen() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let source = FileSource::open(file.path()).unwrap();
        assert_eq!(source.available(0, 1).await.unwrap(), 0);
        file.write_all(b"0123456789").unwrap();
        assert_eq!(source.available(0, 1).await.unwrap(), 1);
        let source = FileSource::open(file.path()).unwrap();
        assert_eq!((source.available(10, 1).await.unwrap(), source.available(4, 100).await.unwrap()), (0, 6));
        file.write_all(b"x").unwrap();
        assert_eq!(source.available(10, 1).await.unwrap(), 1);
    }

    #[test]
    fn what_is_measured() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(FileFingerprint::of(file.path()).unwrap().is_measured() && unmeasured(file.path()).unwrap().is_none());
        std::fs::write(file.path(), "x").unwrap();
        assert!(FileFingerprint::of(file.path()).unwrap().is_measured() && unmeasured(file.path()).unwrap().is_none());
        let proc = Path::new("/proc/version");
        if cfg!(target_os = "linux") {
            let mut content = String::new();
            unmeasured(proc).unwrap().unwrap().read_to_string(&mut content).unwrap();
            assert_eq!((FileFingerprint::of(proc).unwrap().is_measured(), content), (false, std::fs::read_to_string(proc).unwrap()));
        }
    }

    #[test]
    fn what_two_looks_say() {
        let look = |version: Option<&str>, device| FileFingerprint {
            path: "/a".into(),
            size: 1,
            modified_ns: 2,
            inode: Some(3),
            version: version.map(str::to_owned),
            device: Some(device),
            ends: "e".into(),
        };
        let now = look(Some("changed 5"), 7);
        assert_eq!(now.likeness(&look(Some("changed 5"), 7)), Likeness::Same);
        assert_eq!(now.likeness(&look(Some("changed 6"), 7)), Likeness::Touched);
        assert_eq!(now.likeness(&look(Some("changed 5"), 8)), Likeness::Alike, "numbers of devices change at each start of some systems");
        assert_eq!(now.likeness(&look(None, 7)), Likeness::Alike);
        assert_eq!(look(None, 7).likeness(&now), Likeness::Alike);
        for other in [
            FileFingerprint { size: 2, ..now.clone() },
            FileFingerprint { modified_ns: 3, ..now.clone() },
            FileFingerprint { inode: None, ..now.clone() },
            FileFingerprint { ends: "f".into(), ..now.clone() },
            FileFingerprint { path: "/b".into(), ..now.clone() },
        ] {
            assert_eq!(now.likeness(&other), Likeness::Other, "{other:?}");
        }
        let older = now.text().replace("\"version\":\"changed 5\",\"device\":7,", "");
        assert_eq!(now.likeness(&serde_json::from_str(&older).unwrap()), Likeness::Alike, "{older}");
    }

    #[tokio::test]
    async fn a_file_gets_its_version_when_no_later_change_can_show_the_same() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one").unwrap();
        let first = FileFingerprint::settled(file.path()).await.unwrap();
        assert!(first.version.is_some());
        assert_eq!(FileFingerprint::of(file.path()).unwrap(), first);
        std::fs::write(file.path(), "two").unwrap();
        assert_eq!(FileFingerprint::of(file.path()).unwrap().version, None, "it could change again and show the same");
        assert_ne!(FileFingerprint::settled(file.path()).await.unwrap().version, first.version);
    }

    #[test]
    fn what_is_no_file() {
        assert_eq!(FileSource::open(Path::new("/nowhere/at/all")).err().unwrap().kind(), Kind::NotFound);
        assert_eq!(FileSource::open(Path::new("/")).err().unwrap().kind(), Kind::Local);
    }
}
