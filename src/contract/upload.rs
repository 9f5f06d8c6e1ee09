//! One upload in two halves that never mix: the session knows how bytes travel (protocol), the provider knows whether a
//! file exists (`FindUploaded`). Confirming a success and clearing up a doubt are the same question.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::{BoxFuture, Error, Part, Result, Siblings, Source};
use crate::model::{Entry, Protocol, RemotePath};

/// What is known of the content before its first byte leaves.
#[derive(Clone, Debug, Default)]
pub struct Checksum {
    /// Lower-case hex, when it was computed before the first byte (`--checksum before`).
    pub md5: Option<String>,
    /// It was not computed here, but is another remote's word: what passes is compared with it.
    pub from_remote: bool,
}

/// A protocol that turned out to be closed to us, and how: where no other is left, that failure is the answer.
#[derive(Clone, Debug)]
pub struct Closed {
    /// The protocol that is closed.
    pub protocol: Protocol,
    /// Why the protocol is closed.
    pub error: Arc<Error>,
}

/// What a provider keeps about a file besides its bytes, as the user told it ([`super::KeptMetadata`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// A MIME type or the provider's own word; none = told by the name.
    pub kind: Option<String>,
    /// Names and values, in the user's order.
    pub attributes: Vec<(String, String)>,
}

impl Metadata {
    /// True when nothing was given.
    pub fn is_empty(&self) -> bool {
        *self == Metadata::default()
    }
}

/// One file on its way; the same value is handed to every try.
#[derive(Clone)]
pub struct UploadRequest {
    /// What is uploaded.
    pub source: Arc<dyn Source>,
    /// The folder the file goes to. Where the provider has no folder call (ioGates) it may not exist yet: `id` is empty
    /// then, and only `path` counts.
    pub folder: Entry,
    /// What the folder held when this run first looked, so that no upload has to list it again (10,000 files into one
    /// folder would be 10,000 listings).
    pub siblings: Siblings,
    /// The file's name there. With `folder.path` this is its path.
    pub name: String,
    /// What is known of the content before the first byte leaves.
    pub checksum: Checksum,
    /// Type and attributes that the user gave.
    pub metadata: Arc<Metadata>,
    /// The entry that has this very name now and is to be replaced.
    pub replaces: Option<Entry>,
    /// What the user forces, or none = the provider chooses.
    pub protocol: Option<Protocol>,
    /// Protocols that turned out to be closed to us during this upload.
    pub avoid: Vec<Closed>,
    /// Upper size of one request in bytes, never above what the server allows.
    pub chunk_size: Option<u64>,
    /// An earlier try's ticket that no byte has reached: its server-side entry may be used again.
    pub reusable: Option<UploadHandle>,
    /// Called as soon as something was made on the server for this item: what is not noted then is looked for by its name when
    /// this process dies.
    pub on_created: Option<OnCreated>,
}

impl UploadRequest {
    /// The path of the file there: the folder's path and the name.
    ///
    /// # Errors
    /// `Refused` when the name can't stand in a path.
    pub fn path(&self) -> Result<RemotePath> {
        self.folder.path.join(&self.name)
    }
}

/// Notes what was made on the server.
pub type OnCreated = Arc<dyn Fn(&UploadHandle) -> Result<()> + Send + Sync>;

/// An upload that has begun.
pub struct Upload {
    /// What finds the upload again.
    pub ticket: UploadHandle,
    /// What sends the bytes.
    pub session: Box<dyn UploadSession>,
}

/// Whose upload this is: all that `find_uploaded` needs to recognise it. Plain data; `answer` fills up as the session learns.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UploadHandle {
    /// Where the file will lie.
    #[serde(serialize_with = "RemotePath::serialize_names")]
    pub path: RemotePath,
    /// The provider's id of the entry made for this upload (ioGates), of the file that gets a revision (FileAgo), or of the
    /// one that is replaced (giga0).
    pub id: Option<String>,
    /// The name the bytes travel under, where it differs (ioGates: `upload_filename`).
    pub upload_name: Option<String>,
    /// The folder's id.
    pub folder: Option<String>,
    /// Bytes, when known before sending.
    pub size: Option<u64>,
    /// Ids (FileAgo: `uuid#revision`) that had this name before the first byte left: what is there now and not in here is ours.
    pub known_ids: Vec<String>,
    /// Ids of entries that a look found, and whose content is not this upload's: somebody else put them there meanwhile.
    #[serde(skip)]
    pub strangers: Vec<String>,
    /// What to try when all bytes were accepted and no file appears: a clause that begins with a verb.
    #[serde(skip)]
    pub missing_hint: Option<&'static str>,
    /// The finished entry, where the server's last answer names it (giga0).
    #[serde(skip)]
    pub confirmed_entry: Arc<OnceLock<Entry>>,
}

impl UploadHandle {
    /// Is its file known by name and size alone? Then its folder is listed to find it, and one listing serves all that wait.
    pub fn is_found_by_listing(&self) -> bool {
        self.upload_name.is_none() && self.confirmed_entry.get().is_none()
    }

    /// A size that is not told, here or there, is no other size.
    pub fn has_size_of(&self, entry: &Entry) -> bool {
        self.size.zip(entry.size).is_none_or(|(sent, there)| sent == there)
    }
}

/// How a session takes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunking {
    /// One request, or one stream.
    Whole,
    /// Parts of at most so many bytes, in order.
    Parts(u64),
}

/// What a session knows after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The server holds the file up to here; go on with the next byte.
    ResumeAt(u64),
    /// What the server holds can't be continued, or can't be known.
    StartOver,
}

/// One upload in progress, by one protocol. A session neither repeats a request nor waits: the engine does.
pub trait UploadSession: Send {
    /// The protocol of this session.
    fn protocol(&self) -> Protocol;

    /// What a later run needs to take this upload up (`Provider::resume_upload`), as text; it may hold a token. None: it
    /// can only be started over.
    fn note(&self) -> Option<String>;

    /// May change: a server that refused a big part as too large, or lost one, gets smaller ones. Parts that are smaller
    /// after a failed `send` mean that nothing of the refused one was kept, and that the next is another request.
    fn chunking(&self) -> Chunking;

    /// Can a file be sent whose size is not known yet (`Part::last` tells the end)?
    fn takes_unknown_size(&self) -> bool;

    /// Sends one part; returns how many bytes of the FILE the server has ACCEPTED (may be fewer than were sent).
    fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>>;

    /// After a failed `send`: can bytes of its part have left this machine? Not where the failure came before them.
    fn has_left(&self) -> bool {
        true
    }

    /// After a failed `send` whose kind may pass: where may we go on? An error of its own that may pass means: ask again later.
    fn recover<'a>(&'a mut self, failure: &'a Error) -> BoxFuture<'a, Result<Recovery>>;

    /// Does `finish` ask anything of the server, which then may make the file appear?
    fn has_last_step(&self) -> bool {
        true
    }

    /// All bytes are accepted: makes the file appear (a rename, a last request, or nothing). A failure that may pass is
    /// followed by `find_uploaded`, never by a blind repetition.
    fn finish(&mut self) -> BoxFuture<'_, Result<()>>;

    /// The file is finished, and does not appear. True: something was done that makes some servers end it. Done once.
    fn nudge(&mut self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    /// What the server holds is no part of this file, or it has all of the file and refuses it: nobody goes on with this
    /// upload, and nobody uses its entry again.
    fn is_spoilt(&self) -> bool {
        false
    }

    /// The receiver appends whatever comes under a name (providers.md 4): once a byte has reached the name, no other try
    /// can use it.
    fn spoils_its_name(&self) -> bool {
        false
    }

    /// Gives up: removes what can be removed. Returns the name of what stays behind on the server, if something does.
    fn abort(&mut self) -> BoxFuture<'_, Option<String>>;
}
