//! A span of another source, as a source of its own: its first byte is byte 0.

use std::ops::Range;
use std::sync::Arc;

use crate::contract::{BoxFuture, Chunks, Source};
use crate::error::Result;

pub(crate) struct SpanSource {
    pub(crate) whole: Arc<dyn Source>,
    /// Bytes of the whole.
    pub(crate) span: Range<u64>,
}

impl SpanSource {
    fn len(&self) -> u64 {
        self.span.end - self.span.start
    }
}

impl Source for SpanSource {
    fn name(&self) -> &str {
        self.whole.name()
    }

    fn size(&self) -> Option<u64> {
        Some(self.len())
    }

    fn read(&self, from: u64, len: u64) -> Chunks {
        self.whole.read(self.span.start + from, len)
    }

    fn peek(&self, from: u64, len: u64) -> Chunks {
        self.whole.peek(self.span.start + from, len)
    }

    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        self.whole.available(self.span.start + from, most.min(self.len().saturating_sub(from)))
    }

    fn is_one_stream(&self) -> bool {
        self.whole.is_one_stream()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.whole.check_unchanged()
    }

    fn modified_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        self.whole.modified_at()
    }

    fn is_touched(&self) -> bool {
        self.whole.is_touched()
    }
}
