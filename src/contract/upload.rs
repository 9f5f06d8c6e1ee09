//! An upload has two halves that never mix: the session knows how bytes travel (protocol), the provider knows whether a file
//! exists (`FindUploaded`). Confirming a success and clearing up an uncertain answer are the same question.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::{BoxFuture, Error, Part, Result, Siblings, Source};
use crate::model::{Entry, Protocol, RemotePath};

/// What is known of the content before its first byte leaves.
#[derive(Clone, Debug, Default)]
pub struct Checksum {
    /// Lower-case hex, when it was computed before the first byte (`--checksum before`).
    pub md5: Option<String>,
    /// The MD5 was not computed here: another remote reported it. The bytes that pass are compared with it.
    pub from_remote: bool,
}

/// A protocol that turned out to be closed to us, and the failure that showed this. Where no other protocol is left, the
/// command ends with that failure.
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
    /// A MIME type or the provider's own word; none: the type follows from the name.
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

/// One file that is uploaded; every try gets the same value.
#[derive(Clone)]
pub struct UploadRequest {
    /// What is uploaded.
    pub source: Arc<dyn Source>,
    /// The folder that receives the file. Where the provider has no call that makes folders (ioGates), the folder may not exist
    /// yet: its `id` is empty then, and only its `path` counts.
    pub folder: Entry,
    /// The entries of the folder when this run first listed it. No upload lists the folder again, as 10,000 files into one
    /// folder would be 10,000 listings.
    pub siblings: Siblings,
    /// The file's name there. With `folder.path` this is its path.
    pub name: String,
    /// What is known of the content before the first byte leaves.
    pub checksum: Checksum,
    /// Type and attributes that the user gave.
    pub metadata: Arc<Metadata>,
    /// The entry that has this very name now and is to be replaced.
    pub replaces: Option<Entry>,
    /// The protocol that the user wants; none: the provider chooses.
    pub protocol: Option<Protocol>,
    /// Protocols that turned out to be closed to us during this upload.
    pub avoid: Vec<Closed>,
    /// The largest size of one request in bytes, never above what the server allows.
    pub chunk_size: Option<u64>,
    /// The spans of the file that may travel side by side (`--streams`), in order, without a gap. Fewer than two: the file goes in
    /// one stream.
    pub spans: Vec<Range<u64>>,
    /// The handle of an earlier try whose entry no byte has reached: that entry may be used again.
    pub reusable: Option<UploadHandle>,
    /// Called as soon as something was made on the server for this item. What is not noted when this process dies is found by
    /// its name only.
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

/// Identifies an upload: all that `find_uploaded` needs to recognise its file. Plain data; the session fills in `answer` when
/// the server names the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UploadHandle {
    /// Where the file will lie.
    #[serde(serialize_with = "RemotePath::serialize_names")]
    pub path: RemotePath,
    /// The provider's id of the entry made for this upload (ioGates), of the file that gets a revision (FileAgo), or of the
    /// one that is replaced (giga0).
    pub id: Option<String>,
    /// The name under which the bytes travel, where it is not the file's own (ioGates: `upload_filename`).
    pub upload_name: Option<String>,
    /// The folder's id.
    pub folder: Option<String>,
    /// Bytes, when known before sending.
    pub size: Option<u64>,
    /// The ids (FileAgo: `uuid#revision`) of entries that had this name before the first byte left. An entry that is there now
    /// and is not in this list is ours.
    pub known_ids: Vec<String>,
    /// The ids of entries that were found later and have other content: another client put them there meanwhile.
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
    /// Can the file be recognised by its name and size only? Then its folder is listed to find it, and one listing serves all
    /// uploads that wait.
    pub fn is_found_by_listing(&self) -> bool {
        self.upload_name.is_none() && self.confirmed_entry.get().is_none()
    }

    /// Can this size be the size of the upload? An unknown size, here or there, is no difference.
    pub fn has_size_of(&self, entry: &Entry) -> bool {
        self.size.zip(entry.size).is_none_or(|(sent, there)| sent == there)
    }
}

/// In which pieces a session takes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunking {
    /// One request, or one stream.
    Whole,
    /// Parts of at most so many bytes, in order.
    Parts(u64),
}

/// A span of the file that travels beside the other spans, with a session of its own. The session counts its bytes from the
/// span's first one.
pub struct PartialUpload<'a> {
    /// What sends the bytes of the span.
    pub session: &'a mut dyn UploadSession,
    /// Bytes of the file.
    pub span: Range<u64>,
    /// Bytes of the span that the server has, by its latest answer.
    pub held: u64,
}

/// What a session knows after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The server has the file up to this offset; the next byte follows.
    ResumeAt(u64),
    /// What the server has can't be continued, or can't be found out.
    StartOver,
}

/// One upload in progress, by one protocol. A session neither repeats a request nor waits: the engine does.
pub trait UploadSession: Send {
    /// The protocol of this session.
    fn protocol(&self) -> Protocol;

    /// What a later run needs to resume this upload (`Provider::resume_upload`), as text; the text may hold a token. None: a
    /// later run starts the upload over.
    fn note(&self) -> Option<String>;

    /// May change: a server that refused a part as too large, or lost one, gets smaller parts. Smaller parts after a failed
    /// `send` mean that the server kept nothing of the refused part, and that the next part is a new request.
    fn chunking(&self) -> Chunking;

    /// Can the session send a file whose size is not known yet? `Part::last` marks the end.
    fn takes_unknown_size(&self) -> bool;

    /// Does the file travel as [`PartialUpload`]s? Then nothing goes through `send`, and `finish` joins the spans once each of
    /// them is complete. Offsets of `recover` are then the bytes that the server has of all spans together.
    fn is_split(&self) -> bool {
        false
    }

    /// The spans of a split upload.
    fn partials(&mut self) -> Vec<PartialUpload<'_>> {
        Vec::new()
    }

    /// Sends one part; returns how many bytes of the FILE the server has ACCEPTED (may be fewer than were sent).
    ///
    /// # Errors
    /// After a transient kind [`UploadSession::recover`] finds the offset to resume at.
    fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>>;

    /// After a failed `send`: can bytes of its part have left this machine? False where the failure came before the first byte.
    fn has_left(&self) -> bool {
        true
    }

    /// After a `send` that failed with a transient kind: where does the upload go on?
    ///
    /// # Errors
    /// A transient kind means: ask again later.
    fn recover<'a>(&'a mut self, failure: &'a Error) -> BoxFuture<'a, Result<Recovery>>;

    /// Does `finish` ask anything of the server, which then may make the file appear?
    fn has_last_step(&self) -> bool {
        true
    }

    /// Does `finish` make the file by a request whose outcome nobody can look up? When its answer is lost, or this process dies
    /// before the answer comes, nobody can tell whether the file is there.
    fn has_blind_last_step(&self) -> bool {
        false
    }

    /// Called when all bytes are accepted: makes the file appear (a rename, a last request, or nothing).
    ///
    /// # Errors
    /// After a transient kind `find_uploaded` is called; `finish` is never repeated blindly.
    fn finish(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Called once when the upload is finished and the file does not appear. True: the session did something that makes some
    /// servers complete the file.
    fn nudge(&mut self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    /// Is this upload of no use? True where the server has bytes that are no part of this file, or has all of the file and
    /// refuses it. Then nobody resumes this upload or uses its entry again.
    fn is_spoilt(&self) -> bool {
        false
    }

    /// By its latest answer the server no longer has this upload: the upload has expired, or somebody has removed it.
    fn is_gone(&self) -> bool {
        false
    }

    /// The receiver appends whatever comes under a name (providers.md 4): once a byte has reached the name, no other try
    /// can use it.
    fn burns_name_on_failure(&self) -> bool {
        false
    }

    /// Aborts the upload: removes what can be removed. Returns the name of what stays on the server, if anything does.
    fn abort(&mut self) -> BoxFuture<'_, Option<String>>;
}
