//! What a `put` is to do, and how.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::contract::{Metadata, TransferStore};
use crate::model::{Address, Protocol};
use crate::transfer::client::RemoteClient;
use crate::transfer::if_exists::IfExists;

/// File handles that a run holds beside those of its files: streams, the state, the runtime, a certificate file.
pub const HANDLES: u64 = 24;
/// Of each file on its way: itself, its lock, connections.
pub const HANDLES_FOR_A_FILE: u64 = 8;

/// When the MD5 is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChecksumMode {
    /// `Before` up to 64 MiB where the provider checks it, else `After`.
    Auto,
    Before,
    After,
    None,
}

#[derive(Clone, Debug)]
pub struct PutOptions {
    pub if_exists: IfExists,
    pub checksum: ChecksumMode,
    pub protocol: Option<Protocol>,
    /// Bytes.
    pub chunk_size: Option<u64>,
    /// Files in flight.
    pub jobs: usize,
    pub dry_run: bool,
    pub fail_fast: bool,
    /// Bytes that standard input is said to have.
    pub stdin_size: Option<u64>,
    /// Given to every file. The provider takes it: whoever asks the user has looked.
    pub metadata: Arc<Metadata>,
}

pub struct PutJob {
    pub desk: RemoteClient,
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account, as in [`crate::contract::CompletedTransfer::remote`].
    pub remote_key: String,
    pub target: Address,
    pub options: PutOptions,
}
