//! Standard input as a source, and any other source whose end is not known before. It can be read only once, so a window of it
//! is kept: the part that is being sent, which may have to be sent again. Where the size must be known first, the input is
//! spooled to a temporary file without a name.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{Mutex, mpsc};

use super::file::{FileSource, cut_short_error, receive};
use crate::contract::part::CHUNK_READ;
use crate::contract::{BoxFuture, Chunks, Source};
use crate::error::{Error, Kind, Result};

const READ_AHEAD: usize = 4;

/// The largest window in bytes: so much is sent again after a lost connection, and so much memory an upload from a pipe takes.
pub const WINDOW: u64 = 8 << 20;

pub struct StdinSource {
    name: String,
    /// The size that the user gave (`--size`).
    size: Option<u64>,
    pipe: Arc<Mutex<Window>>,
}

struct Window {
    name: String,
    input: Box<dyn Read + Send>,
    /// `window[0]` is this byte of the stream.
    start: u64,
    window: BytesMut,
    ended: bool,
}

impl StdinSource {
    pub fn new(input: Box<dyn Read + Send>, size: Option<u64>) -> Self {
        Self::with_name("-", input, size)
    }

    /// `name`: as in [`Source::name`].
    pub fn with_name(name: impl Into<String>, input: Box<dyn Read + Send>, size: Option<u64>) -> Self {
        let pipe = Window { name: name.into(), input, start: 0, window: BytesMut::new(), ended: false };
        StdinSource { name: pipe.name.clone(), size, pipe: Arc::new(Mutex::new(pipe)) }
    }

    fn unreadable(&self, e: impl Into<anyhow::Error>) -> Error {
        Error::new(Kind::Local, "it could not be read").on_local(&self.name).with_cause(e)
    }

    /// Reads everything into a temporary file, so that the size is known. The file has no name where the system has such files:
    /// nothing of it stays, however this process ends.
    pub async fn spool(&self) -> Result<FileSource> {
        let pipe = self.pipe.clone();
        let copied = tokio::task::spawn_blocking(move || {
            let mut pipe = pipe.blocking_lock();
            let mut file = tempfile::tempfile()?;
            file.write_all(&pipe.window)?;
            io::copy(&mut pipe.input, &mut file)?;
            Ok::<_, io::Error>(file)
        });
        let file: io::Result<File> = copied.await.map_err(|e| self.unreadable(e).with_kind(Kind::Other))?;
        let file = file.map_err(|e| {
            Error::new(Kind::Local, "it could not be stored in a temporary file")
                .on_local(&self.name)
                .with_cause(e)
                .with_hint("give the size of standard input with --size, or set TMPDIR to a disk with free space")
        })?;
        FileSource::of(self.name.clone(), file)
    }
}

impl Window {
    /// Reads until the window reaches `end` or the input is over.
    fn fill_to(&mut self, end: u64) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK_READ];
        while !self.ended && self.end_offset() < end {
            let most = (end - self.end_offset()).min(CHUNK_READ as u64) as usize;
            match self.input.read(buffer.get_mut(..most).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(n) => self.window.extend_from_slice(buffer.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn end_offset(&self) -> u64 {
        self.start + self.window.len() as u64
    }

    /// Forgets the bytes before `from`, which are not needed again.
    fn drop_before(&mut self, from: u64) {
        let gone = from.saturating_sub(self.start).min(self.window.len() as u64);
        let _ = self.window.split_to(gone as usize);
        self.start += gone;
    }

    /// Returns the next piece at `at`: from the window, or from the input and then not kept.
    fn read_piece(&mut self, at: u64, most: u64) -> io::Result<Bytes> {
        if at < self.start {
            return Err(io::Error::other(
                Error::new(Kind::Local, "it can't be read a second time").on_local(&self.name).with_hint("store it in a file and put that"),
            ));
        }
        let inside = (at - self.start) as usize;
        if let Some(rest) = self.window.get(inside..).filter(|rest| !rest.is_empty()) {
            let n = rest.len().min(CHUNK_READ).min(usize::try_from(most).unwrap_or(usize::MAX));
            return Ok(Bytes::copy_from_slice(rest.get(..n).unwrap_or_default()));
        }
        if self.ended {
            return Ok(Bytes::new());
        }
        self.start = at;
        self.window.clear();
        let mut buffer = vec![0; CHUNK_READ.min(usize::try_from(most).unwrap_or(usize::MAX))];
        loop {
            match self.input.read(&mut buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(n) => {
                    self.ended = n == 0;
                    self.start = at + n as u64;
                    buffer.truncate(n);
                    return Ok(buffer.into());
                }
            }
        }
    }
}

impl Source for StdinSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> Option<u64> {
        self.size
    }

    /// `len` of `u64::MAX` means: to the end, wherever that is.
    fn read(&self, from: u64, len: u64) -> Chunks {
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let pipe = self.pipe.clone();
        tokio::task::spawn_blocking(move || {
            let mut pipe = pipe.blocking_lock();
            let (mut at, end) = (from, from.saturating_add(len));
            while at < end {
                let piece = match pipe.read_piece(at, end - at) {
                    Ok(piece) if piece.is_empty() && end == u64::MAX => return,
                    Ok(piece) if piece.is_empty() => Err(cut_short_error(&pipe.name, at)),
                    other => other,
                };
                at += piece.as_ref().map_or(0, |p| p.len() as u64);
                let failed = piece.is_err();
                if sender.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
        });
        receive(receiver)
    }

    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        let pipe = self.pipe.clone();
        Box::pin(async move {
            let known = tokio::task::spawn_blocking(move || {
                let mut pipe = pipe.blocking_lock();
                pipe.drop_before(from);
                pipe.fill_to(from.saturating_add(most.min(WINDOW)))?;
                Ok::<_, io::Error>(pipe.end_offset().saturating_sub(from).min(most))
            });
            let known = known.await.map_err(|e| self.unreadable(e).with_kind(Kind::Other))?;
            known.map_err(|e| self.unreadable(e))
        })
    }

    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

/// Opens standard input. Fails with `Local` where it is closed, because closed input is not an empty file.
#[cfg(unix)]
pub fn standard_input() -> Result<Box<dyn Read + Send>> {
    use std::os::fd::AsFd;
    // The standard library's own reader is not used: it takes unreadable input for the end of the input.
    let file = io::stdin().as_fd().try_clone_to_owned().map(File::from).map_err(|e| unusable().with_cause(e))?;
    let flags = rustix::fs::fcntl_getfl(&file).map_err(|e| unusable().with_cause(e))?;
    let way = flags & rustix::fs::OFlags::RWMODE;
    // Where it was closed, the standard library has put the null device in its place at the start, open both ways.
    if way == rustix::fs::OFlags::WRONLY || way == rustix::fs::OFlags::RDWR && is_null(&file) {
        return Err(unusable());
    }
    Ok(Box::new(file))
}

#[cfg(not(unix))]
pub fn standard_input() -> Result<Box<dyn Read + Send>> {
    Ok(Box::new(io::stdin()))
}

#[cfg(unix)]
fn is_null(file: &File) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let null = std::fs::metadata("/dev/null").map(|meta| meta.rdev());
    file.metadata().is_ok_and(|meta| meta.file_type().is_char_device() && null.is_ok_and(|null| null == meta.rdev()))
}

#[cfg(unix)]
fn unusable() -> Error {
    Error::new(Kind::Local, "standard input is closed, or not open for reading")
        .on_local("-")
        .with_hint("pipe something in: … | haul put - REMOTE:PATH; for an empty file use </dev/null")
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    async fn bytes(chunks: Chunks) -> Vec<u8> {
        chunks.map(|c| c.unwrap().to_vec()).concat().await
    }

    #[tokio::test]
    async fn the_window_can_be_read_again_until_it_is_left() {
        let source = StdinSource::new(Box::new(&b"0123456789"[..]), None);
        assert_eq!(source.available(0, 4).await.unwrap(), 4);
        assert_eq!(bytes(source.read(0, 4)).await, b"0123");
        assert_eq!(bytes(source.read(1, 3)).await, b"123");
        assert_eq!(source.available(4, 100).await.unwrap(), 6);
        assert_eq!(bytes(source.read(4, 6)).await, b"456789");
        let gone = source.read(0, 4).next().await.unwrap().unwrap_err();
        assert!(gone.to_string().contains("second time"), "{gone}");
        assert_eq!(source.available(10, 1).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_stream_to_its_end_and_a_size_that_lies() {
        let source = StdinSource::new(Box::new(&b"0123456789"[..]), None);
        assert_eq!(bytes(source.read(0, u64::MAX)).await, b"0123456789");
        let short = StdinSource::new(Box::new(&b"0123"[..]), Some(10));
        let last = short.read(0, 10).collect::<Vec<_>>().await.pop().unwrap();
        assert!(last.unwrap_err().to_string().contains("ended after 4 bytes"));
    }

    #[tokio::test]
    async fn spooled_input_has_a_size() {
        let source = StdinSource::new(Box::new(&b"0123456789"[..]), None);
        let file = source.spool().await.unwrap();
        assert_eq!((file.size(), bytes(file.read(2, 3)).await), (Some(10), b"234".to_vec()));
    }
}
