//! TUS 1.0.0. `tus_client` sends OPTIONS, creation, HEAD and DELETE; this module sends the bytes: one PATCH for each part, read
//! while it is sent. In every case the server's `Upload-Offset` decides (providers.md 1.14 and section 5).

use chrono::{DateTime, Utc};
use reqwest::Url;

pub use self::capabilities::{Capabilities, Servers};
use self::patch_outcomes::PatchOutcomes;
use self::requests::Concat;
pub use self::requests::{UploadStatus, check_key, delete, guard, head, options};
use self::target::WithUpload;
pub use self::target::{Endpoint, TusServer, TusTarget};
use super::http::{Http, host_of};
use crate::contract::{BoxFuture, Chunking, Error, Kind, Part, Recovery, Result, UploadSession};
use crate::model::Protocol;

mod bridge;
mod capabilities;
pub mod concatenation;
mod creation;
mod location;
mod patch;
mod patch_outcomes;
mod refusal;
mod requests;
mod target;

/// Bytes of a part when the size is unknown: the engine must have read a part before it knows whether it is the last.
const PART_OF_UNKNOWN: u64 = 8 << 20;

pub struct TusSession {
    line: Endpoint,
    /// None until a creation with bytes is answered.
    upload: Option<Url>,
    /// The data of a creation with bytes, see [`creation`].
    with_upload: Option<WithUpload>,
    /// None in a resumed upload, until the server is asked.
    announced: Option<Capabilities>,
    expires: Option<DateTime<Utc>>,
    /// Bytes of the file, once known.
    size: Option<u64>,
    /// The server does not know the length yet: the last PATCH sends it, once.
    deferred: bool,
    /// The session was made for a source without a known end.
    unsized_source: bool,
    /// The largest body of one PATCH, in bytes.
    most: u64,
    /// The server requires this exact size for every PATCH except the last.
    exact: bool,
    /// Bytes that the server holds, by its latest answer; none while a PATCH is unanswered.
    accepted: Option<u64>,
    /// A proxy does not pass PATCH and DELETE: they are sent as POST.
    via_post: bool,
    /// The results of the PATCHes so far.
    verdicts: PatchOutcomes,
    /// The server reports more bytes than were sent.
    overfull: bool,
    /// The upload is complete by the server's own word, of whatever length.
    is_finished_there: bool,
    /// By the latest HEAD the server does not have the upload.
    is_gone: bool,
    /// The empty PATCH of an empty file was sent.
    nudged: bool,
}

/// Asks for the server's abilities and creates the upload. Sends no byte of the file. If the server announces it, a small file
/// is created together with its bytes ([`creation`]): then nothing is created here.
pub async fn create(http: &Http, target: TusTarget) -> Result<TusSession> {
    create_on(&Servers::default(), http, target).await
}

/// As `create`; a server in `servers` is not asked again.
pub async fn create_on(servers: &Servers, http: &Http, target: TusTarget) -> Result<TusSession> {
    let line = Endpoint::new(http, &target);
    let announced = ask_once(servers, &line).await;
    check_size(&target, &announced)?;
    if !target.manners.creates_first && announced.takes_bytes_with_creation(target.size, target.chunk_size) {
        let with_upload = WithUpload { target: target.clone(), servers: servers.clone() };
        return Ok(TusSession { announced: Some(announced), with_upload: Some(with_upload), ..session(line, &target, None) });
    }
    let (upload, expires) = requests::create(&line, &target, Concat::Alone).await?;
    Ok(TusSession { announced: Some(announced), expires, ..session(line, &target, Some(upload)) })
}

fn check_size(target: &TusTarget, announced: &Capabilities) -> Result<()> {
    let refused = |kind, why: String| Err(Error::new(kind, why).with_subject(host_of(&target.endpoint)));
    match (target.size, announced.max_size) {
        (None, _) if !announced.defer_length => {
            refused(Kind::NeedsSize, "the server must know the size before the upload begins".to_owned())
        }
        (Some(size), Some(most)) if size > most => {
            refused(Kind::Refused, format!("the server takes files of at most {}", bytesize::ByteSize(most).display().iec()))
        }
        _ => Ok(()),
    }
}

/// Resumes an upload that an earlier run has created; `recover` returns its offset.
pub fn resume(http: &Http, target: TusTarget, upload: Url) -> TusSession {
    let line = Endpoint::new(http, &target);
    session(line, &target, Some(upload))
}

fn session(line: Endpoint, target: &TusTarget, upload: Option<Url>) -> TusSession {
    // Without a chunk size one part may be as large as the file.
    let all = target.size.map_or(PART_OF_UNKNOWN, |size| size.max(1));
    TusSession {
        line,
        upload,
        with_upload: None,
        announced: None,
        expires: None,
        size: target.size,
        deferred: target.size.is_none(),
        unsized_source: target.size.is_none(),
        most: target.chunk_size.filter(|&size| size > 0).unwrap_or(all),
        exact: target.manners.exact_chunks,
        accepted: None,
        via_post: false,
        verdicts: PatchOutcomes::default(),
        overfull: false,
        is_finished_there: false,
        is_gone: false,
        nudged: false,
    }
}

/// Asks a server for its abilities, unless it has answered before. A failed request is repeated for the next upload.
async fn ask_once(servers: &Servers, line: &Endpoint) -> Capabilities {
    if let Some(announced) = servers.get(&line.endpoint) {
        return announced;
    }
    let answer = requests::options(line).await;
    let lost = answer.as_ref().is_err_and(|e| e.kind().is_transient());
    let announced = or_none_announced(answer);
    if !lost {
        servers.remember(&line.endpoint, announced.clone());
    }
    announced
}

/// OPTIONS is optional: a server that refuses it announces nothing.
fn or_none_announced(answer: Result<Capabilities>) -> Capabilities {
    match answer {
        Ok(announced) => announced,
        Err(e) => {
            tracing::debug!(target: "haul::tus", "OPTIONS told nothing: {e}");
            Capabilities::default()
        }
    }
}

impl TusSession {
    /// The upload's own URL: a secret if the server puts a token into it. None before the upload is created.
    pub fn url(&self) -> Option<&Url> {
        self.upload.as_ref()
    }

    /// The server's name for errors.
    fn host(&self) -> String {
        host_of(self.upload.as_ref().unwrap_or(&self.line.endpoint))
    }

    /// True if the server holds every byte, by its latest answer.
    pub fn is_complete(&self) -> bool {
        self.size.is_some() && self.accepted == self.size
    }

    /// When the server will remove the upload, by its latest answer.
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        self.expires
    }

    async fn capabilities(&mut self) -> Capabilities {
        match &self.announced {
            Some(announced) => announced.clone(),
            None => self.announced.insert(or_none_announced(requests::options(&self.line).await)).clone(),
        }
    }

    /// Asks for the state of the upload and stores it; none when the upload is gone.
    async fn head(&mut self) -> Result<Option<requests::UploadStatus>> {
        let Some(upload) = &self.upload else { return Ok(None) };
        let held = requests::head(&self.line, upload).await?;
        self.is_gone = held.is_none();
        let Some(held) = held else { return Ok(None) };
        self.is_finished_there = held.length == Some(held.offset);
        self.overfull = held.length.or(self.size).is_some_and(|length| held.offset > length);
        self.expires = held.expires.or(self.expires);
        self.accepted = Some(held.offset);
        if self.deferred && held.length.is_some() {
            // The head of the last PATCH has arrived: the length must not be sent again.
            self.size = held.length;
            self.deferred = false;
        }
        Ok(Some(held))
    }

    async fn recovery(&mut self, failure: &Error) -> Result<Recovery> {
        if self.upload.is_none() && failure.kind() == Kind::Unreachable {
            return Ok(Recovery::ResumeAt(0));
        }
        match self.head().await? {
            // The upload belongs to another file, or was made before the source changed.
            Some(held) if held.length.is_some() && held.length != self.size => Ok(Recovery::StartOver),
            Some(_) if self.overfull => Ok(Recovery::StartOver),
            Some(held) => {
                self.verdicts.record_offset(held.offset, self.size);
                self.shrink_parts(held.offset);
                Ok(Recovery::ResumeAt(held.offset))
            }
            None => Ok(Recovery::StartOver),
        }
    }

    fn shrink_parts(&mut self, held: u64) {
        if let Some(smaller) = self.verdicts.smaller_parts(held).filter(|_| !self.exact) {
            self.most = self.most.min(smaller);
        }
    }

    async fn confirm(&mut self) -> Result<()> {
        // Some servers store the last byte before a check of the whole file (scan, quota, permission) refuses it: their HEAD
        // then reports a complete upload all the same.
        if let Some(refusal) = self.verdicts.refusal_of_the_whole() {
            return Err(refusal.with_subject(self.host()));
        }
        if self.is_complete() {
            return Ok(());
        }
        match self.head().await? {
            Some(held) if self.size == Some(held.offset) => Ok(()),
            Some(held) => {
                let message = format!("the server holds {} bytes, and that is not all", held.offset);
                Err(Error::new(Kind::Integrity, message).with_subject(self.host()))
            }
            // Some servers remove an upload as soon as it is complete; only the provider knows whether the file is there.
            None => Err(Error::new(Kind::Interrupted, "the server no longer has this upload").with_subject(self.host())),
        }
    }

    /// What the server has finished is a file by now, and stays.
    async fn terminate(&mut self) -> Option<String> {
        // After a PATCH whose answer told nothing only a look tells what the server has.
        let is_unknown = self.verdicts.unsure.is_some() && self.head().await.is_err();
        if is_unknown || self.is_finished_there && !self.is_spoilt() {
            return self.upload.as_ref().and_then(last_step);
        }
        self.remove().await
    }

    async fn remove(&mut self) -> Option<String> {
        let upload = self.upload.clone()?;
        if self.capabilities().await.termination && requests::delete(&self.line, &upload, self.via_post).await.is_ok() {
            return None;
        }
        last_step(&upload)
    }
}

fn last_step(upload: &Url) -> Option<String> {
    upload.path_segments()?.rfind(|segment| !segment.is_empty()).map(str::to_owned)
}

impl UploadSession for TusSession {
    fn protocol(&self) -> Protocol {
        Protocol::Tus
    }

    fn note(&self) -> Option<String> {
        self.upload.as_ref().map(Url::to_string)
    }

    fn chunking(&self) -> Chunking {
        Chunking::Parts(self.most)
    }

    fn takes_unknown_size(&self) -> bool {
        self.unsized_source
    }

    fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>> {
        Box::pin(self.send_part(part))
    }

    fn recover<'a>(&'a mut self, failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        Box::pin(self.recovery(failure))
    }

    fn has_last_step(&self) -> bool {
        self.size.is_none() || self.accepted != self.size
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.confirm())
    }

    /// By the protocol an upload of length 0 is complete when it is created; tus-php and others complete it only after a PATCH.
    fn nudge(&mut self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(self.end_empty())
    }

    fn is_spoilt(&self) -> bool {
        self.overfull || self.verdicts.refusal_of_the_whole().is_some()
    }

    fn is_gone(&self) -> bool {
        self.is_gone
    }

    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(self.terminate())
    }
}
