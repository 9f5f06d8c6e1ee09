//! A source in memory, and the content to fill it with.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream;
use parking_lot::Mutex;

use crate::contract::part::CHUNK_READ;
use crate::contract::{BoxFuture, Chunks, Part, Result, Source};

type Hook = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// Bytes in memory. A test can run code when they are read up to an offset.
pub struct MemorySource {
    bytes: Bytes,
    size: Option<u64>,
    hook: Arc<Mutex<Option<(u64, Hook)>>>,
    read: Arc<AtomicU64>,
}

impl MemorySource {
    pub fn new(bytes: impl Into<Bytes>) -> Arc<MemorySource> {
        let bytes = bytes.into();
        let size = Some(bytes.len() as u64);
        Arc::new(MemorySource { bytes, size, hook: Arc::default(), read: Arc::default() })
    }

    /// Like standard input: the size is not known before the end.
    pub fn of_unknown_size(bytes: impl Into<Bytes>) -> Arc<MemorySource> {
        Arc::new(MemorySource { bytes: bytes.into(), size: None, hook: Arc::default(), read: Arc::default() })
    }

    /// A source that is asked for its size, but never for its bytes.
    pub fn only_size(size: Option<u64>) -> Arc<MemorySource> {
        Arc::new(MemorySource { bytes: Bytes::new(), size, hook: Arc::default(), read: Arc::default() })
    }

    /// Runs `hook` once, before the byte at `offset` is returned. An error of the hook ends that read.
    pub fn on_read_at(&self, offset: u64, hook: impl FnOnce() -> io::Result<()> + Send + 'static) {
        *self.hook.lock() = Some((offset, Box::new(hook)));
    }

    pub fn part(self: &Arc<Self>, offset: u64, end: u64) -> Part {
        Part { source: self.clone(), offset, len: end - offset, last: end == self.len() }
    }

    /// All bytes after `offset`, as one part.
    pub fn part_from(self: &Arc<Self>, offset: u64) -> Part {
        self.part(offset, self.len())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The number of bytes that were read so far. Bytes that were read twice count twice.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }
}

impl Source for MemorySource {
    fn name(&self) -> &str {
        "memory"
    }

    fn size(&self) -> Option<u64> {
        self.size
    }

    fn read(&self, from: u64, len: u64) -> Chunks {
        let (rest, hook, read) = (self.bytes.slice(from as usize..(from + len) as usize), self.hook.clone(), self.read.clone());
        Box::pin(stream::iter(Pieces { rest, offset: from, hook, read }))
    }

    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { Ok(self.len().saturating_sub(from).min(most)) })
    }

    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

struct Pieces {
    rest: Bytes,
    offset: u64,
    hook: Arc<Mutex<Option<(u64, Hook)>>>,
    read: Arc<AtomicU64>,
}

impl Iterator for Pieces {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        let mut hook = self.hook.lock();
        if self.rest.is_empty() {
            return None;
        }
        if let Some((_, run)) = hook.take_if(|(at, _)| *at <= self.offset)
            && let Err(error) = run()
        {
            self.rest.clear();
            return Some(Err(error));
        }
        let until_hook = hook.as_ref().map_or(usize::MAX, |(at, _)| (at - self.offset) as usize);
        let piece = self.rest.split_to(self.rest.len().min(CHUNK_READ).min(until_hook));
        self.offset += piece.len() as u64;
        self.read.fetch_add(piece.len() as u64, Ordering::SeqCst);
        Some(Ok(piece))
    }
}

/// Bytes without a pattern, so that a lost or doubled block is noticed.
pub fn bytes(len: u64) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(len as usize);
    bytes
}
