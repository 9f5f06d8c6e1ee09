//! A local file as a source: opened once, read by position on a blocking thread, never held in memory.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::contract::part::CHUNK_READ;
use crate::contract::{BoxFuture, Chunks, Source};
use crate::error::{Error, Kind, Result};

/// Pieces read ahead of the network: with 256 KiB each, a mebibyte for each file in flight.
const READ_AHEAD: usize = 4;

pub struct FileSource {
    name: String,
    file: Arc<File>,
    size: u64,
    modified: Option<SystemTime>,
    /// Removes the spooled copy of standard input when the upload is over.
    _spool: Option<tempfile::TempPath>,
}

impl FileSource {
    /// Fails with `NotFound` or `Local` in the user's words.
    pub fn open(path: &Path) -> Result<FileSource> {
        let file = File::open(path).map_err(|e| unreadable(path, e))?;
        Self::of(path.display().to_string(), file, None).map_err(|e| e.on(path.display().to_string()))
    }

    /// What is open already: its path may lead elsewhere by now.
    pub fn opened(name: String, file: File) -> Result<FileSource> {
        Self::of(name, file, None)
    }

    pub fn spooled(name: &str, file: tempfile::NamedTempFile) -> Result<FileSource> {
        let (file, path) = file.into_parts();
        Self::of(name.to_owned(), file, Some(path))
    }

    fn of(name: String, file: File, spool: Option<tempfile::TempPath>) -> Result<FileSource> {
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(Error::new(Kind::Local, "this is not a regular file").hint("pipe it in: … | haul put - REMOTE:PATH"));
        }
        Ok(FileSource { name, file: Arc::new(file), size: meta.len(), modified: meta.modified().ok(), _spool: spool })
    }
}

pub fn unreadable(path: &Path, e: io::Error) -> Error {
    let shown = path.display().to_string();
    match e.kind() {
        io::ErrorKind::NotFound => Error::new(Kind::NotFound, "there is no such file or folder here").on(shown),
        _ => Error::new(Kind::Local, "it can't be read").on(shown).cause(e),
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

    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        let left = self.size.saturating_sub(from).min(most);
        Box::pin(async move { Ok(left) })
    }

    fn check_unchanged(&self) -> Result<()> {
        let meta = self.file.metadata()?;
        if meta.len() == self.size && meta.modified().ok() == self.modified {
            return Ok(());
        }
        Err(Error::new(Kind::Integrity, "the file changed while it was read")
            .on(&self.name)
            .hint("run it again when nothing writes to the file"))
    }
}

pub fn receive(receiver: mpsc::Receiver<io::Result<Bytes>>) -> Chunks {
    Box::pin(stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|piece| (piece, receiver)) }))
}

/// The file is shorter than it was when the upload began.
pub fn cut_short(name: &str, at: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        Error::new(Kind::Integrity, format!("the source ended after {at} bytes, before its announced size")).on(name),
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Absolute, links resolved: the same file by another name is the same file.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since 1970, negative before.
    pub modified_ns: i64,
    /// None where the file system has no inodes.
    pub inode: Option<u64>,
    /// MD5 of the first and the last 64 KiB: a file that was written again within the clock's step shows itself.
    pub ends: String,
}

/// Bytes of head and tail that are looked at.
const END: u64 = 64 * 1024;

impl Identity {
    /// Reads head and tail of the file. Fails with `NotFound` or `Local`.
    pub fn of(path: &Path) -> Result<Identity> {
        let file = File::open(path).map_err(|e| unreadable(path, e))?;
        let meta = file.metadata()?;
        let full = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path))?;
        let head = read_piece(&file, 0, END as usize).map_err(|e| unreadable(path, e))?;
        let tail = read_piece(&file, meta.len().saturating_sub(END).max(END), END as usize).map_err(|e| unreadable(path, e))?;
        let mut ends = md5::Context::new();
        ends.consume(&head);
        ends.consume(&tail);
        let ends = format!("{:x}", ends.finalize());
        Ok(Identity { path: full.display().to_string(), size: meta.len(), modified_ns: modified_ns(&meta), inode: inode(&meta), ends })
    }

    /// For comparing with what an earlier run noted.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn modified_ns(meta: &Metadata) -> i64 {
    let Ok(modified) = meta.modified() else { return 0 };
    let ns = match modified.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()),
        Err(before) => i64::try_from(before.duration().as_nanos()).map(|ns| -ns),
    };
    ns.unwrap_or(0)
}

#[cfg(unix)]
fn inode(meta: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(meta))
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> Option<u64> {
    None
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
        let piece = piece.map_err(|e| read_failure(e, source.name()))?;
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    hashing.await.map_err(|e| Error::new(Kind::Other, "the checksum could not be computed").cause(e))
}

/// See [`Error::reading`].
pub fn read_failure(e: io::Error, name: &str) -> Error {
    Error::reading(&e).on(name)
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

    #[test]
    fn what_is_no_file() {
        assert_eq!(FileSource::open(Path::new("/nowhere/at/all")).err().unwrap().kind(), Kind::NotFound);
        assert_eq!(FileSource::open(Path::new("/")).err().unwrap().kind(), Kind::Local);
    }
}
