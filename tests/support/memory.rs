//! A source in memory, and the content to fill it with.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use haul::Result;
use haul::contract::{BoxFuture, Chunks, Part, Source};

type Hook = Box<dyn FnOnce() -> std::io::Result<()> + Send>;

/// Bytes in memory, with something that happens once when they are read up to a place.
pub struct Memory {
    bytes: Bytes,
    hook: Arc<Mutex<Option<(u64, Hook)>>>,
}

impl Memory {
    pub fn new(bytes: impl Into<Bytes>) -> Arc<Memory> {
        Arc::new(Memory { bytes: bytes.into(), hook: Arc::default() })
    }

    pub fn at(&self, place: u64, hook: impl FnOnce() -> std::io::Result<()> + Send + 'static) {
        *self.hook.lock().unwrap() = Some((place, Box::new(hook)));
    }

    pub fn part(self: &Arc<Self>, offset: u64, end: u64) -> Part {
        Part { source: self.clone(), offset, len: end - offset, last: end == self.bytes.len() as u64 }
    }

    pub fn from(self: &Arc<Self>, offset: u64) -> Part {
        self.part(offset, self.bytes.len() as u64)
    }
}

impl Source for Memory {
    fn name(&self) -> &str {
        "memory"
    }
    fn size(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
    fn read(&self, from: u64, len: u64) -> Chunks {
        let piece = self.bytes.slice(from as usize..(from + len) as usize);
        let hook = self.hook.clone();
        let pieces = (0..piece.len()).step_by(256 * 1024).map(move |at| {
            let mut hook = hook.lock().unwrap();
            if let Some((_, act)) = hook.take_if(|(place, _)| from + at as u64 >= *place) {
                act()?;
            }
            Ok(piece.slice(at..piece.len().min(at + 256 * 1024)))
        });
        Box::pin(futures_util::stream::iter(pieces))
    }
    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { Ok((self.bytes.len() as u64 - from).min(most)) })
    }
    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

/// Bytes without a pattern that a lost or doubled block could hide in.
pub fn bytes(len: u64) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut out = Vec::with_capacity(len as usize + 8);
    while out.len() < len as usize {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(len as usize);
    out
}
