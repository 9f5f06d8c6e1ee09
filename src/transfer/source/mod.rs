//! Where the bytes of an upload come from: a local file, standard input, or a file on another remote.

pub(crate) mod change_time;
pub mod file;
pub(crate) mod hashing;
pub mod meter;
pub mod open_file;
pub mod remote;
pub(crate) mod running_md5;
pub(crate) mod span;
pub mod stdin;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::change::ConfirmedChanges;
use super::client::RemoteClient;
use super::fingerprint::{EntryFingerprint, FileFingerprint};
use super::source::file::{FileSource, md5_of};
use super::source::open_file::{OpenFile, RealFolders};
use super::source::remote::RemoteSource;
use crate::contract::{Metadata, Source};
use crate::error::{Error, Kind, Result};
use crate::model::report::{Transfer, TransferKind, Verified};
use crate::model::{Entry, Place, RemotePath, Report, Root};

#[derive(Clone, Debug)]
pub enum SourceSpec {
    File(PathBuf),
    Stdin,
    /// A file on another remote, of which nothing is stored here.
    Remote(Arc<RemoteFile>),
}

impl SourceSpec {
    /// Opens and inspects the source. There is no fingerprint for standard input, which can't be read a second time, and for
    /// files without a reliable size.
    pub async fn inspect(&self, folders: &RealFolders) -> Result<SourceFacts> {
        match self {
            SourceSpec::File(path) => {
                let (identity, file) = FileFingerprint::open_settled(path, folders).await?;
                Ok(SourceFacts { identity: Some(identity).filter(FileFingerprint::is_measured), file: Some(file) })
            }
            SourceSpec::Stdin => Ok(SourceFacts::default()),
            SourceSpec::Remote(original) => Ok(SourceFacts { identity: Some(original.identity()), file: None }),
        }
    }

    /// The MD5 of the whole content: a local file is read for it, a file on another remote is not.
    pub async fn md5(&self) -> Result<Option<String>> {
        match self {
            SourceSpec::File(path) => md5_of(&FileSource::open(path)?).await.map(Some),
            SourceSpec::Stdin => Ok(None),
            SourceSpec::Remote(original) => Ok(original.md5.clone()),
        }
    }

    /// The size, as far as it is known before the source is opened.
    pub(super) fn size(&self, identity: &FileFingerprint) -> Option<u64> {
        self.original().map_or(Some(identity.size), |original| original.entry.size)
    }

    /// Can `there` have the content of the source, by its size?
    pub(super) fn may_be(&self, identity: &FileFingerprint, there: &Entry) -> bool {
        there.size.is_none() || self.size(identity).is_none_or(|size| there.size == Some(size))
    }

    pub fn original(&self) -> Option<&RemoteFile> {
        match self {
            SourceSpec::Remote(original) => Some(original),
            SourceSpec::File(_) | SourceSpec::Stdin => None,
        }
    }

    /// The verb that a dry run shows.
    pub(super) fn action(&self) -> &'static str {
        match self.original() {
            None => "upload",
            Some(original) if original.moves => "move",
            Some(_) => "copy",
        }
    }

    pub(super) fn report(&self, transfer: Transfer) -> Report {
        let how = match self.original() {
            None => TransferKind::Uploaded,
            Some(original) if original.moves => TransferKind::Moved,
            Some(_) => TransferKind::Copied,
        };
        Report::Transferred { how, transfer }
    }
}

/// What is known of a source before its first byte is sent.
#[derive(Default)]
pub struct SourceFacts {
    pub identity: Option<FileFingerprint>,
    /// Of a local one.
    pub file: Option<OpenFile>,
}

/// A file on another remote.
pub struct RemoteFile {
    pub client: RemoteClient,
    pub entry: Entry,
    /// The folder of the entry; none where it is not known.
    pub parent: Option<Entry>,
    /// `REMOTE:PATH`
    pub shown: String,
    /// Origin and account, as in [`crate::contract::CompletedTransfer::remote`].
    pub remote: String,
    /// The MD5 in lower-case hex, if its provider or this machine knows it.
    pub md5: Option<String>,
    /// Type and attributes, which the target keeps, too.
    pub metadata: Arc<Metadata>,
    /// The target is on the same server, perhaps in the same account: equal ids mean one entry.
    pub same_server: bool,
    /// The file is removed when its copy is complete and verified.
    pub moves: bool,
    gone: AtomicBool,
}

impl RemoteFile {
    pub fn new(client: RemoteClient, entry: Entry, parent: Option<Entry>, shown: String, remote: String) -> RemoteFile {
        let (md5, metadata) = (entry.md5.clone(), Arc::default());
        RemoteFile { client, entry, parent, shown, remote, md5, metadata, same_server: false, moves: false, gone: AtomicBool::new(false) }
    }

    /// The content behind an id stays the same, or its time, revision or MD5 changes.
    pub fn identity(&self) -> FileFingerprint {
        FileFingerprint {
            path: format!("{}|@{}", self.remote, self.entry.id),
            size: self.entry.size.unwrap_or(0),
            modified_ns: self.entry.modified.and_then(|time| time.timestamp_nanos_opt()).unwrap_or(0),
            inode: None,
            version: EntryFingerprint::of(&self.entry).version(),
            device: None,
            ends: EntryFingerprint::of(&self.entry).text(),
        }
    }

    /// Fails with `Unsupported` when the server does not report the size: haul could not check then whether all bytes came.
    pub async fn source(&self) -> Result<RemoteSource> {
        let source = RemoteSource::open(&self.client, &self.entry, self.shown.clone()).await?;
        if source.size().is_none() {
            return Err(Error::new(Kind::Unsupported, "the provider does not tell this file's size")
                .with_subject(self.shown.clone())
                .with_hint("get it, look at it, then put it"));
        }
        Ok(source)
    }

    /// Is `there` this very file under another remote's name?
    pub fn is_same_entry(&self, there: &Entry) -> bool {
        self.same_server && there.id == self.entry.id
    }

    /// Checks the file after the last byte. Fails with `Integrity` when it is no longer what was read. False: the file was
    /// removed meanwhile, and what was read is complete.
    pub async fn is_still_there(&self) -> Result<bool> {
        let place = Place { root: Root::Id(self.entry.id.clone()), path: RemotePath::root() };
        match self.client.stat(&place).await {
            Ok(now) if EntryFingerprint::of(&now).matches(&EntryFingerprint::of(&self.entry).text()) => Ok(true),
            Ok(_) => Err(Error::new(Kind::Integrity, "the file changed while it was read")
                .with_subject(self.shown.clone())
                .with_hint("run it again when nothing writes to the file")),
            Err(e) if e.kind() == Kind::NotFound => Ok(false),
            Err(e) => Err(e.with_subject(self.shown.clone())),
        }
    }

    /// The last step of a move: removes the source after a last look. `copy` is complete, and was compared by `verified`.
    pub async fn delete_source(&self, copy: &Entry, verified: Verified) -> Result<()> {
        let stays = |error: Error| error.with_hint(format!("the copy is there as @{}, and the source stays", copy.id));
        if self.is_same_entry(copy) {
            return Err(stays(Error::new(Kind::Exists, "source and copy are one entry").with_subject(self.shown.clone())));
        }
        if verified == Verified::None {
            let why = "nothing tells whether the copy is whole, so the source stays";
            return Err(Error::new(Kind::Unknown, why).with_subject(self.shown.clone()).with_hint("compare them, then remove the source"));
        }
        if self.is_still_there().await.map_err(stays)? {
            let removed = ConfirmedChanges::new(self.client.clone()).remove(&self.entry, self.parent.as_ref()).await;
            removed.map_err(|e| stays(e.with_subject(self.shown.clone())))?;
        }
        self.gone.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub fn is_deleted(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
