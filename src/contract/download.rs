//! One file down: a stream that begins where it was asked to, or at the first byte.

use super::Chunks;
use crate::model::Protocol;

/// The content of a file on its way here.
pub struct Download {
    /// The first byte that `chunks` gives: as asked for, or 0 where the server does not take up in the middle.
    pub from: u64,
    /// Bytes of the whole file, where the server tells.
    pub size: Option<u64>,
    /// What the server calls this content: its `ETag`, else its `Last-Modified`. Two that differ are two contents.
    pub version: Option<String>,
    /// The protocol that carries the bytes.
    pub protocol: Protocol,
    /// An error of the line is an `io::Error` that carries our own.
    pub chunks: Chunks,
}
