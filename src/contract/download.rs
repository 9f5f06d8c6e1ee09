//! A download in progress: a stream that begins at the requested offset, or at the first byte of the file.

use super::Chunks;
use crate::model::Protocol;

/// A download that the server has begun to send.
pub struct Download {
    /// The offset of the first byte in `chunks`: the requested one, or 0 if the server can't start in the middle.
    pub from: u64,
    /// The size of the whole file in bytes, if the server reports it.
    pub size: Option<u64>,
    /// The server's mark of this content: its `ETag`, else its `Last-Modified`. Two different marks mean two different
    /// contents.
    pub version: Option<String>,
    /// The protocol that carries the bytes.
    pub protocol: Protocol,
    /// A lost connection is an `io::Error` that contains haul's own error.
    pub chunks: Chunks,
}
