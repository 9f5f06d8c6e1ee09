//! What providers and protocols promise, and what the engine may rely on. No wire, no disk, no terminal in here.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

pub mod abilities;
pub mod download;
pub mod entry_list;
pub mod lookup;
pub mod part;
pub mod provider;
pub mod provider_info;
pub mod rivalry;
pub mod transfer_store;
pub mod upload;
pub mod walk;

pub use crate::providers::adapter::token_cache::{StoredToken, TokenCache, TokenStore};
pub use abilities::{
    BatchCreation, Changes, Comment, CommentThread, Comments, Copies, Deletions, Edits, Folders, Import, Imports, Links, Moves, NewComment,
    Replacements, SecondFactor, Shares, Stars, Visibility,
};
pub use download::Download;
pub use entry_list::Entries;
pub use part::{Chunks, Part, Source};
pub use provider::Provider;
pub use provider_info::{Network, ProviderContext, ProviderInfo, RemoteSettings, Setting};
pub use rivalry::TokenContention;
pub use transfer_store::{CompletedTransfer, Holder, PendingUpload, PlaceLock, TransferStore};
pub use upload::{Checksum, Chunking, Closed, Metadata, OnCreated, Recovery, Upload, UploadHandle, UploadRequest, UploadSession};

pub use crate::error::{Error, Kind, Result};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where facts about the work go; `render` listens at the other end. Sending never fails and never waits.
#[derive(Clone)]
pub struct Events {
    to: tokio::sync::mpsc::UnboundedSender<crate::model::Event>,
    /// Texts that are told once.
    told: Arc<Mutex<HashSet<String>>>,
}

impl Events {
    pub fn channel() -> (Events, tokio::sync::mpsc::UnboundedReceiver<crate::model::Event>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Events { to: sender, told: Arc::default() }, receiver)
    }

    pub fn tell(&self, event: crate::model::Event) {
        // A listener that is gone wants to know nothing more.
        let _ = self.to.send(event);
    }

    /// A warning that several requests may give rise to, and one is enough.
    pub fn warn_once(&self, text: String) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
            self.tell(crate::model::Event::Warning(text));
        }
    }
}
