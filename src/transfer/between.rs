//! A file from one remote to another, streamed through this machine: a download is the source of an ordinary upload, and
//! nothing is stored here. What has to be sent again is asked for again.

use std::sync::Arc;

use super::conflict::known_md5;
use super::remote::RemoteSource;
use super::retry::Desk;
use super::upload::{Uploaded, upload};
use crate::contract::{Checksum, Ledger, Metadata, Source, UploadItem};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::Verified;
use crate::model::{Entry, Event, Protocol};

/// The file that is read.
pub struct From<'a> {
    pub desk: &'a Desk,
    pub file: &'a Entry,
    /// How a person calls it: `studio:/a/b`.
    pub name: String,
    /// Origin and account, as in `Finished::remote`.
    pub remote: &'a str,
    pub ledger: &'a dyn Ledger,
}

/// Where it goes to.
pub struct To<'a> {
    pub desk: &'a Desk,
    pub folder: Entry,
    /// What the folder held when it was first looked at.
    pub siblings: Arc<[Entry]>,
    pub name: String,
    /// The entry of that name which is to be replaced; giving it its place is the caller's last step, as in `put`.
    pub replaces: Option<Entry>,
    pub metadata: Arc<Metadata>,
    pub protocol: Option<Protocol>,
    /// Upper size of one request in bytes.
    pub chunk_size: Option<u64>,
}

/// Copies one file. Compared by size, and by MD5 where the provider of the source, or this machine, knows it; else the MD5
/// of what passed is compared with what the target tells. Fails with `Integrity` when they differ, with `Unsupported` when
/// a size must be known that nobody tells.
pub async fn copy_file_between(id: FileId, from: &From<'_>, to: &To<'_>) -> Result<Uploaded> {
    let there = known_md5(from.file, from.ledger, from.remote)?;
    let source = RemoteSource::open(from.desk, from.file, from.name.clone()).await?;
    if source.size().is_none() {
        return Err(Error::new(Kind::Unsupported, "the provider does not tell this file's size")
            .on(from.name.clone())
            .hint("get it, then put it"));
    }
    to.desk.events.tell(Event::Started { id, name: from.name.clone(), size: source.size() });
    let item = UploadItem {
        source: Arc::new(source),
        folder: to.folder.clone(),
        siblings: to.siblings.clone(),
        name: to.name.clone(),
        // Told beforehand, the service refuses a wrong upload itself; else it is computed while the bytes pass.
        checksum: Checksum { md5: there.clone().filter(|_| to.desk.provider.info().takes_md5) },
        metadata: to.metadata.clone(),
        replaces: to.replaces.clone(),
        protocol: to.protocol,
        avoid: Vec::new(),
        chunk_size: to.chunk_size,
        unused: None,
        made: None,
    };
    let uploaded = upload(to.desk, id, item, true, None).await?;
    compare(there, uploaded)
}

fn compare(there: Option<String>, mut uploaded: Uploaded) -> Result<Uploaded> {
    if let (Some(there), Some(passed)) = (&there, &uploaded.md5) {
        if !there.eq_ignore_ascii_case(passed) {
            let path = uploaded.entry.path.to_string();
            return Err(Error::new(
                Kind::Integrity,
                format!("the MD5 differs: {there} at the source, {passed} came (id {})", uploaded.entry.id),
            )
            .on(path)
            .hint("the copy there is not good: remove it, and copy again"));
        }
        uploaded.verified = Verified::Md5;
    }
    Ok(uploaded)
}
