//! A local file as a source: opened once, read by position on a blocking thread, never held in memory.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::stream;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::change_time::{ctime_ns, reported_time};
use super::hashing::HashProgress;
use super::meter::HASH_AHEAD;
use crate::contract::part::CHUNK_READ;
use crate::contract::{BoxFuture, Chunks, Source};
use crate::error::{Error, Kind, Result};

/// Pieces read ahead of the network: with 256 KiB each, half a mebibyte for each file in flight.
const READ_AHEAD: usize = 2;
/// The largest number of buffers that are kept to be used again: those read ahead, those that wait to be hashed, and those on
/// their way.
const BUFFERS: usize = READ_AHEAD + HASH_AHEAD + 3;

pub struct FileSource {
    name: String,
    file: Arc<File>,
    size: u64,
    modified: Option<SystemTime>,
    /// When the inode changed last, where that is known.
    changed_ns: Option<i64>,
    /// The whole content, where it was read when the file was opened.
    content: Mutex<Option<Bytes>>,
}

impl FileSource {
    /// Fails with `NotFound` or `Local` in the user's words.
    pub fn open(path: &Path) -> Result<FileSource> {
        let file = File::open(path).map_err(|e| unreadable(path, e))?;
        Self::of(path.display().to_string(), file)
    }

    /// Makes a source of an open file, as its path may lead elsewhere by now. `name`: as in [`Source::name`].
    pub fn of(name: String, file: File) -> Result<FileSource> {
        let meta = file.metadata().map_err(|e| Error::from(e).on_local(&name))?;
        if !meta.is_file() {
            return Err(Error::new(Kind::Local, "this is not a regular file")
                .on_local(name)
                .with_hint("pipe it in: … | haul put - REMOTE:PATH"));
        }
        let changed_ns = reported_time(&file, &meta);
        Ok(FileSource {
            name,
            file: Arc::new(file),
            size: meta.len(),
            modified: meta.modified().ok(),
            changed_ns,
            content: Mutex::default(),
        })
    }

    /// Makes a source of a file in the state in which it was opened.
    pub fn from_open_file(file: File, meta: &Metadata, path: &Path, changed_ns: Option<i64>, content: Option<Bytes>) -> Result<FileSource> {
        let name = path.display().to_string();
        if !meta.is_file() {
            return Self::of(name, file);
        }
        let (file, size, modified, content) = (Arc::new(file), meta.len(), meta.modified().ok(), Mutex::new(content));
        Ok(FileSource { name, file, size, modified, changed_ns, content })
    }
}

/// Reads a file that reports a size of 0 and has content, as files of `/proc` do: its size is known when it has been read.
/// `head` is what was read of it so far.
pub fn read_sizeless_file(head: Bytes, mut file: File) -> io::Result<Box<dyn Read + Send>> {
    file.seek(io::SeekFrom::Start(head.len() as u64))?;
    Ok(Box::new(io::Cursor::new(head).chain(file)))
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

    fn modified_at(&self) -> Option<DateTime<Utc>> {
        self.modified.map(DateTime::from)
    }

    fn read(&self, from: u64, len: u64) -> Chunks {
        if let Some(content) = &*self.content.lock() {
            return in_pieces(content, from, len);
        }
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let (file, name) = (self.file.clone(), self.name.clone());
        tokio::task::spawn_blocking(move || {
            let (mut at, end, mut buffers) = (from, from.saturating_add(len), Buffers::new());
            while at < end {
                let piece = buffers.read(&file, at, end - at);
                let piece = piece.and_then(|p| if p.is_empty() { Err(cut_short_error(&name, at)) } else { Ok(p) });
                at += piece.as_ref().map_or(0, |p| p.len() as u64);
                let failed = piece.is_err();
                // The receiver is gone when the request was abandoned, so the rest is not read.
                if sender.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
        });
        receive(receiver)
    }

    /// Reads behind the reported end, too, as the size that a file system reports may be wrong.
    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        let left = self.size.saturating_sub(from).min(most);
        let (file, name) = (self.file.clone(), self.name.clone());
        Box::pin(async move {
            if left > 0 || most == 0 {
                return Ok(left);
            }
            if self.size <= CHUNK_READ as u64 {
                // The bytes were read just now, which takes less time than another thread would.
                return read_piece(&file, from, 1).map(|piece| piece.len() as u64).map_err(|e| unreadable(Path::new(&name), e));
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
        Err(changed_source_error(&self.name))
    }

    fn is_touched(&self) -> bool {
        let is_touched = self.changed_ns.is_some() && self.file.metadata().map_or(true, |meta| ctime_ns(&meta) != self.changed_ns);
        if is_touched {
            // From now on the file is read as it is now.
            *self.content.lock() = None;
        }
        is_touched
    }
}

/// The number of files that this process reads just now.
static READERS: AtomicUsize = AtomicUsize::new(0);

/// The size of a piece in bytes, where `others` files are read at the same time. With many files the pieces are small, because memory
/// holds several pieces of each file.
fn piece_size(others: usize) -> usize {
    CHUNK_READ >> (others / 8).min(3)
}

/// The buffers of the pieces of one file. A buffer is used again when nobody reads its bytes any more: new memory would have to be
/// cleared for each piece, by the system and once more here.
struct Buffers {
    /// Bytes.
    size: usize,
    used: VecDeque<Bytes>,
}

impl Buffers {
    fn new() -> Buffers {
        Buffers { size: piece_size(READERS.fetch_add(1, Ordering::Relaxed)), used: VecDeque::new() }
    }

    /// Reads a piece of at most `left` bytes.
    fn read(&mut self, file: &File, at: u64, left: u64) -> io::Result<Bytes> {
        let mut buffer = match self.used.pop_front().map(Bytes::try_into_mut) {
            Some(Ok(buffer)) => buffer,
            Some(Err(in_use)) => {
                self.used.push_front(in_use);
                BytesMut::zeroed(self.size)
            }
            None => BytesMut::zeroed(self.size),
        };
        buffer.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let filled = fill(file, &mut buffer, at)?;
        buffer.truncate(filled);
        let piece = buffer.freeze();
        if filled == self.size && self.used.len() < BUFFERS {
            self.used.push_back(piece.clone());
        }
        Ok(piece)
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        READERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns `len` bytes from `from` on, in the form of a source that is read in pieces.
fn in_pieces(content: &Bytes, from: u64, len: u64) -> Chunks {
    let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
    let (begin, end) = (bound(from), bound(from.saturating_add(len)));
    let mut rest = content.slice(begin..end);
    let pieces: Vec<_> = std::iter::from_fn(|| (!rest.is_empty()).then(|| Ok(rest.split_to(rest.len().min(CHUNK_READ))))).collect();
    Box::pin(stream::iter(pieces))
}

pub(crate) fn changed_source_error(name: &str) -> Error {
    Error::new(Kind::Integrity, "the file changed while it was read")
        .on_local(name)
        .with_hint("run it again when nothing writes to the file")
}

pub fn receive(receiver: mpsc::Receiver<io::Result<Bytes>>) -> Chunks {
    Box::pin(stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|piece| (piece, receiver)) }))
}

/// The file is shorter than it was when the upload began.
pub fn cut_short_error(name: &str, at: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        Error::new(Kind::Integrity, format!("the source ended after {at} bytes, before its announced size")).on_local(name),
    )
}

pub(crate) fn read_piece(file: &File, at: u64, most: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; most];
    let filled = fill(file, &mut buffer, at)?;
    buffer.truncate(filled);
    Ok(buffer.into())
}

/// Returns the number of bytes that were read, which is smaller than the buffer only at the end of the file.
fn fill(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read_at(file, rest, at + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// MD5 of a whole source, lower-case hex, computed on a blocking thread.
pub async fn md5_of(source: &dyn Source) -> Result<String> {
    use futures_util::StreamExt;
    let size = source.size().unwrap_or(0);
    let mut chunks = source.read(0, size);
    if size <= CHUNK_READ as u64 {
        // This takes less time than another thread would.
        let mut context = md5::Context::new();
        while let Some(piece) = chunks.next().await {
            context.consume(piece.map_err(|e| Error::reading(&e).on_local(source.name()))?);
        }
        return Ok(format!("{:x}", context.finalize()));
    }
    let (sender, mut receiver) = mpsc::channel::<Bytes>(READ_AHEAD);
    let hashing = tokio::task::spawn_blocking(move || {
        let mut context = md5::Context::new();
        while let Some(piece) = receiver.blocking_recv() {
            context.consume(&piece);
        }
        format!("{:x}", context.finalize())
    });
    let mut progress = HashProgress::begin();
    while let Some(piece) = chunks.next().await {
        let piece = piece.map_err(|e| Error::reading(&e).on_local(source.name()))?;
        progress.read(piece.len());
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

    #[test]
    fn a_buffer_is_used_again_only_when_nobody_reads_it() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..4_000_001u32).map(|n| (n % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let (mut buffers, mut at, mut held, mut places) = (Buffers::new(), 0, VecDeque::new(), Vec::new());
        while at < content.len() {
            let piece = buffers.read(file.as_file(), at as u64, (content.len() - at) as u64).unwrap();
            places.push(piece.as_ptr());
            held.push_back((at, piece.clone()));
            at += piece.len();
            if held.len() > 3 {
                let (at, piece) = held.pop_front().unwrap();
                assert_eq!(piece, content[at..at + piece.len()]);
            }
        }
        assert!(held.iter().all(|(at, piece)| *piece == content[*at..*at + piece.len()]));
        places.sort();
        let pieces = places.len();
        places.dedup();
        assert!(places.len() < pieces, "{pieces} pieces, each in a buffer of its own");
        assert_eq!([0, 7, 8, 16, 24, 500].map(piece_size), [256, 256, 128, 64, 32, 32].map(|kib| kib << 10));
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

    /// What was read with the look is sent; once the file was touched, what lies there is read again.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_small_file_is_read_once_unless_it_is_touched() {
        use crate::transfer::source::open_file::OpenFile;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "content").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        let opened = OpenFile::open(file.path()).unwrap();
        let content = opened.whole();
        let source = FileSource::from_open_file(opened.file, &opened.meta, file.path(), opened.changed_ns, content).unwrap();
        let then = opened.meta.modified().unwrap();
        std::fs::write(file.path(), "CONTENT").unwrap();
        std::fs::File::options().write(true).open(file.path()).unwrap().set_modified(then).unwrap();
        assert_eq!((bytes(source.read(0, 7)).await, bytes(source.read(3, 9)).await), (b"content".to_vec(), b"tent".to_vec()));
        assert!(source.is_touched());
        assert_eq!(bytes(source.read(0, 7)).await, b"CONTENT");
    }

    #[test]
    fn what_is_no_file() {
        assert_eq!(FileSource::open(Path::new("/nowhere/at/all")).err().unwrap().kind(), Kind::NotFound);
        assert_eq!(FileSource::open(Path::new("/")).err().unwrap().kind(), Kind::Local);
    }
}
