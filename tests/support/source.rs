//! A file in memory: made-up bytes that no accident repeats, and faults on demand.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream;
use haul::Result;
use haul::contract::part::CHUNK_READ;
use haul::contract::{BoxFuture, Chunks, Source};

pub struct Made {
    bytes: Bytes,
    known: bool,
    /// Fails once, when this byte is reached.
    fault: Mutex<Option<(u64, io::Error)>>,
    read: AtomicU64,
}

impl Made {
    pub fn new(size: usize) -> Made {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ size as u64;
        let bytes = (0..size).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        });
        Made { bytes: bytes.collect(), known: true, fault: Mutex::new(None), read: AtomicU64::new(0) }
    }

    /// As standard input: nobody knows its size beforehand.
    pub fn endless(size: usize) -> Made {
        Made { known: false, ..Made::new(size) }
    }

    pub fn failing_at(self, offset: u64, fault: io::Error) -> Made {
        Made { fault: Mutex::new(Some((offset, fault))), ..self }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Bytes that were read so far, repetitions counted.
    pub fn read_so_far(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }
}

impl Source for Made {
    fn name(&self) -> &str {
        "made"
    }

    fn size(&self) -> Option<u64> {
        self.known.then_some(self.len())
    }

    fn read(&self, from: u64, len: u64) -> Chunks {
        let slice = self.bytes.slice(from as usize..(from + len) as usize);
        let mut fault = None;
        let mut good = slice.len();
        let mut set = self.fault.lock().unwrap();
        if let Some((at, _)) = *set
            && (from..from + len).contains(&at)
        {
            good = (at - from) as usize;
            fault = set.take().map(|(_, e)| e);
        }
        self.read.fetch_add(good as u64, Ordering::SeqCst);
        let pieces: Vec<_> = slice[..good].chunks(CHUNK_READ).map(|c| Ok(slice.slice_ref(c))).collect();
        Box::pin(stream::iter(pieces.into_iter().chain(fault.map(Err))))
    }

    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { Ok(self.len().saturating_sub(from).min(most)) })
    }

    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}
