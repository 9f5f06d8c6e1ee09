//! A download in progress: a stream that begins at the byte that was asked for, or at the first byte of the file.

use super::Chunks;
use crate::model::Protocol;

/// A download that the server has begun to send.
pub struct Download {
    /// The first byte that `chunks` gives: as asked for, or 0 where the server does not take up in the middle.
    pub from: u64,
    /// Bytes of the whole file, where the server tells.
    pub size: Option<u64>,
    /// The server's mark of this content: its `ETag`, else its `Last-Modified`. Two different marks mean two different
    /// contents.
    pub version: Option<String>,
    /// The protocol that carries the bytes.
    pub protocol: Protocol,
    /// A lost connection is an `io::Error` that holds haul's own error.
    pub chunks: Chunks,
}
