//! What providers and protocols promise, and what the engine may rely on. No wire, no disk, no terminal in here.

pub(crate) mod abilities;
pub(crate) mod comments;
pub(crate) mod download;
pub(crate) mod entry_list;
pub(crate) mod entry_order;
pub(crate) mod events;
pub(crate) mod future;
pub(crate) mod lookup;
pub(crate) mod part;
pub(crate) mod provider;
pub(crate) mod siblings;
pub(crate) mod token_contention;
pub(crate) mod tokens;
pub(crate) mod transfer_store;
pub(crate) mod upload;
pub(crate) mod walk;

pub use abilities::{
    Abilities, BatchCreation, Browse, Changes, Copies, Deletions, Downloads, Edits, FindUploaded, Folders, Import, Imports, KeptMetadata,
    Links, Lookup, Moves, Replacement, Replacements, Resumption, SecondFactor, Shares, Stars, StoredNames, Visibility,
};
pub use comments::{Comment, CommentThread, Comments, NewComment};
pub use download::Download;
pub use entry_list::{Entries, Faults, PathOf, Rows};
pub use entry_order::{EntryOrder, SortBy};
pub use events::{EventBatches, Events};
pub use future::BoxFuture;
pub use part::{Chunks, Part, Source};
pub use provider::{AnyProvider, Network, Provider, ProviderContext, ProviderInfo, RemoteSettings, Setting};
pub use siblings::Siblings;
pub use token_contention::TokenContention;
pub use tokens::{StoredToken, TokenStore};
pub use transfer_store::{CompletedTransfer, Holder, NoteMark, PendingUpload, PlaceLock, TransferStore, place_key};
pub use upload::{
    Checksum, Chunking, Closed, Metadata, OnCreated, PartialUpload, Recovery, Upload, UploadHandle, UploadRequest, UploadSession,
};

pub use crate::error::{Error, Kind, Result};
