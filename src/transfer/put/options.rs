//! What a `put` is to do, and how.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::contract::{Metadata, TransferStore};
use crate::model::{Address, Protocol};
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::Filter;
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
    /// Before the first byte: the file is read twice.
    Before,
    /// While the file is sent; compared when it has arrived.
    After,
    /// Not at all: sizes are compared.
    None,
}

/// How a put proceeds.
#[derive(Clone, Debug)]
pub struct PutOptions {
    /// What becomes of a name that is taken.
    pub if_exists: IfExists,
    /// With [`IfExists::Update`]: an equal size is proof enough.
    pub size_only: bool,
    /// When the MD5 is computed.
    pub checksum: ChecksumMode,
    /// The only protocol to use; none = the provider's own choice.
    pub protocol: Option<Protocol>,
    /// Bytes.
    pub chunk_size: Option<u64>,
    /// Connections for one large file, where the protocol can.
    pub streams: usize,
    /// A large file that is on the account of the target, too, is copied by the server.
    pub copies_on_server: bool,
    /// Files in flight.
    pub jobs: usize,
    /// Reports what would be done, and does nothing.
    pub dry_run: bool,
    /// Begins no further file after the first failure.
    pub fail_fast: bool,
    /// Bytes that standard input is said to have.
    pub stdin_size: Option<u64>,
    /// Metadata for every file. The caller has checked that the provider takes it.
    pub metadata: Arc<Metadata>,
    /// Which files of the sources.
    pub filter: Arc<Filter>,
}

/// A put that can begin.
pub struct PutJob {
    /// The remote that receives the files.
    pub client: RemoteClient,
    /// What this machine remembers of its transfers.
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account, as in [`crate::contract::CompletedTransfer::remote`].
    pub remote_key: String,
    /// Where the files go.
    pub target: Address,
    /// How the put proceeds.
    pub options: PutOptions,
}
