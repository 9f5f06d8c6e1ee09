//! The piece of a source that one request sends. It can be read again (restic's rewind, rclone's seekable chunk), and is never
//! a buffer.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;

use super::{BoxFuture, Result};

/// Bytes as they are read, in pieces of at most [`CHUNK_READ`]; an error ends the stream.
pub type Chunks = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Bytes of one read from the disk: measured ten times faster than 4 KiB, and 8 in flight are 2 MiB of memory.
pub const CHUNK_READ: usize = 256 * 1024;

/// A local file, standard input, or a wrapper around one (`transfer::source::meter`).
pub trait Source: Send + Sync {
    /// The name for people: the path, or `-`.
    fn name(&self) -> &str;

    /// Bytes; none while standard input has no known end.
    fn size(&self) -> Option<u64>;

    /// The bytes `[from, from + len)`. May be called again for the same range; ends early only with an error.
    /// A source that has fewer bytes than it said fails with `InvalidData`.
    fn read(&self, from: u64, len: u64) -> Chunks;

    /// As `read`, for a look ahead (a checksum that must be sent before the bytes): the bytes do not count as sent and are not
    /// slowed. A source that counts or slows its bytes overrides this method.
    fn peek(&self, from: u64, len: u64) -> Chunks {
        self.read(from, len)
    }

    /// Bytes that can be read now from `from` on, at most `most`; 0 = the end. For a source of unknown size this waits
    /// until so many bytes or the end are known, and keeps them until a later offset is asked for.
    ///
    /// # Errors
    /// `Local` when the source can't be read.
    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>>;

    /// Does reading at two places at once cost two transfers over the network?
    fn is_one_stream(&self) -> bool {
        false
    }

    /// Is the file still the one that the upload began with, by size and time?
    ///
    /// # Errors
    /// `Integrity` when the size or the time of the source has changed; `Local` when the source can't be looked at.
    fn check_unchanged(&self) -> Result<()>;

    /// When the content changed last, where that is known.
    fn modified_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        None
    }

    /// Has the file changed since it was opened in a way that may be its content, although size and time are the same? Then
    /// only reading it again can tell.
    fn is_touched(&self) -> bool {
        false
    }
}

/// The piece of a file that one request sends.
#[derive(Clone)]
pub struct Part {
    /// What the part is read from.
    pub source: Arc<dyn Source>,
    /// First byte, counted from the start of the file.
    pub offset: u64,
    /// Bytes; 0 for an empty file, which is still one part.
    pub len: u64,
    /// No bytes of the file follow this part.
    pub last: bool,
}

impl Part {
    /// The bytes of the part, as a stream of small chunks.
    pub fn chunks(&self) -> Chunks {
        self.source.read(self.offset, self.len)
    }

    /// The same bytes for a look ahead; see [`Source::peek`].
    pub fn peek(&self) -> Chunks {
        self.source.peek(self.offset, self.len)
    }

    /// The offset behind the part's last byte.
    pub fn end_offset(&self) -> u64 {
        self.offset + self.len
    }
}
