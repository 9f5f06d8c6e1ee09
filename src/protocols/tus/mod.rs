//! TUS 1.0.0. `tus_client` asks the server what it can do, creates, looks and deletes; the bytes are ours: one PATCH for
//! each part, read while it is sent. Whatever happens, the server's `Upload-Offset` is the truth.
//! (providers.md 1.14 and section 5)

use chrono::{DateTime, Utc};
use reqwest::Url;

pub use self::capabilities::{Capabilities, Servers};
pub use self::requests::{UploadStatus, check_key, delete, guard, head, options};
use self::target::WithUpload;
pub use self::target::{Endpoint, Manners, TusTarget};
use self::verdict::Verdicts;
use super::http::{Http, host_of};
use crate::contract::{BoxFuture, Chunking, Error, Kind, Part, Recovery, Result, UploadSession};
use crate::model::Protocol;

mod bridge;
mod capabilities;
mod creation;
mod location;
mod patch;
mod refusal;
mod requests;
mod target;
mod verdict;

/// Bytes of a part when the size is unknown: the engine must have read a part before it can tell whether it is the last.
const PART_OF_UNKNOWN: u64 = 8 << 20;

pub struct TusSession {
    line: Endpoint,
    /// None until a creation with the bytes in it is answered.
    upload: Option<Url>,
    /// What is created together with its bytes, see [`creation`].
    with_upload: Option<WithUpload>,
    /// Not asked yet in an earlier run's upload.
    announced: Option<Capabilities>,
    expires: Option<DateTime<Utc>>,
    /// Bytes of the file, once known.
    size: Option<u64>,
    /// The server does not know the length yet: the last PATCH tells it, once.
    deferred: bool,
    /// The session was made for a source without a known end.
    unsized_source: bool,
    /// Bytes of one PATCH body at most.
    most: u64,
    /// The server wants each but the last to be that large.
    exact: bool,
    /// Bytes the server holds, by its latest answer; none while a PATCH is unanswered.
    accepted: Option<u64>,
    /// PATCH and DELETE do not get through: they go as POST.
    via_post: bool,
    /// What became of the PATCHes so far.
    verdicts: Verdicts,
    /// The server claims bytes that nobody sent.
    overfull: bool,
    /// An empty file got its empty PATCH.
    nudged: bool,
}

/// Asks the server what it can do and creates the upload. Sends no byte of the file. A small file is created together with
/// its bytes where the server announces that ([`creation`]): nothing is created here then.
pub async fn create(http: &Http, target: TusTarget) -> Result<TusSession> {
    create_on(&Servers::default(), http, target).await
}

/// As `create`; a server that is among `servers` is not asked again.
pub async fn create_on(servers: &Servers, http: &Http, target: TusTarget) -> Result<TusSession> {
    let line = Endpoint::new(http, &target);
    let announced = ask_once(servers, &line).await;
    match (target.size, announced.max_size) {
        (None, _) if !announced.defer_length => {
            return Err(Error::new(Kind::NeedsSize, "the server must know the size before the upload begins")
                .with_subject(host_of(&target.endpoint)));
        }
        (Some(size), Some(most)) if size > most => {
            let limit = bytesize::ByteSize(most).display().iec();
            return Err(
                Error::new(Kind::Refused, format!("the server takes files of at most {limit}")).with_subject(host_of(&target.endpoint))
            );
        }
        _ => {}
    }
    if !target.manners.creates_first && announced.takes_bytes_with_creation(target.size, target.chunk_size) {
        let with_upload = WithUpload { target: target.clone(), servers: servers.clone() };
        return Ok(TusSession { announced: Some(announced), with_upload: Some(with_upload), ..session(line, &target, None) });
    }
    let (upload, expires) = requests::create(&line, &target).await?;
    Ok(TusSession { announced: Some(announced), expires, ..session(line, &target, Some(upload)) })
}

/// Takes up an upload that an earlier run has created; `recover` tells where it goes on.
pub fn resume(http: &Http, target: TusTarget, upload: Url) -> TusSession {
    let line = Endpoint::new(http, &target);
    session(line, &target, Some(upload))
}

fn session(line: Endpoint, target: &TusTarget, upload: Option<Url>) -> TusSession {
    // The whole rest of a file is one part of at most its size.
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
        verdicts: Verdicts::default(),
        overfull: false,
        nudged: false,
    }
}

/// What could not be heard may be told the next time.
async fn ask_once(servers: &Servers, line: &Endpoint) -> Capabilities {
    if let Some(announced) = servers.get(&line.endpoint) {
        return announced;
    }
    let answer = requests::options(line).await;
    let lost = answer.as_ref().is_err_and(|e| e.kind().is_transient());
    let announced = told(answer);
    if !lost {
        servers.remember(&line.endpoint, announced.clone());
    }
    announced
}

/// OPTIONS is optional: a server that fails it announces nothing.
fn told(answer: Result<Capabilities>) -> Capabilities {
    match answer {
        Ok(announced) => announced,
        Err(e) => {
            tracing::debug!(target: "haul::tus", "OPTIONS told nothing: {e}");
            Capabilities::default()
        }
    }
}

impl TusSession {
    /// The upload's own URL: a secret where the server puts a token into it. None before the upload is created.
    pub fn url(&self) -> Option<&Url> {
        self.upload.as_ref()
    }

    /// Names the server in errors.
    fn host(&self) -> String {
        host_of(self.upload.as_ref().unwrap_or(&self.line.endpoint))
    }

    /// Does the server hold every byte, by its latest word?
    pub fn is_complete(&self) -> bool {
        self.size.is_some() && self.accepted == self.size
    }

    /// When the server will forget the upload, by its latest word.
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        self.expires
    }

    async fn announced(&mut self) -> Capabilities {
        match &self.announced {
            Some(announced) => announced.clone(),
            None => self.announced.insert(told(requests::options(&self.line).await)).clone(),
        }
    }

    /// Asks where the upload stands and remembers it; none when it is gone.
    async fn look(&mut self) -> Result<Option<requests::UploadStatus>> {
        let Some(upload) = &self.upload else { return Ok(None) };
        let Some(held) = requests::head(&self.line, upload).await? else { return Ok(None) };
        self.overfull = held.length.or(self.size).is_some_and(|length| held.offset > length);
        self.expires = held.expires.or(self.expires);
        self.accepted = Some(held.offset);
        if self.deferred && held.length.is_some() {
            // The last PATCH arrived as far as its head: the length may not be told again.
            self.size = held.length;
            self.deferred = false;
        }
        Ok(Some(held))
    }

    async fn recovery(&mut self, failure: &Error) -> Result<Recovery> {
        if self.upload.is_none() && failure.kind() == Kind::Unreachable {
            return Ok(Recovery::ResumeAt(0));
        }
        match self.look().await? {
            // Another file's upload, or one that was made before the source changed.
            Some(held) if held.length.is_some() && held.length != self.size => Ok(Recovery::StartOver),
            Some(_) if self.overfull => Ok(Recovery::StartOver),
            Some(held) => {
                self.verdicts.found(held.offset, self.size);
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
        // Some servers store the last byte before a check of the whole file (scan, quota, permission) says no: their HEAD
        // then says "complete" all the same.
        if let Some(refusal) = self.verdicts.refusal_of_the_whole() {
            return Err(refusal.with_subject(self.host()));
        }
        if self.is_complete() {
            return Ok(());
        }
        match self.look().await? {
            Some(held) if self.size == Some(held.offset) => Ok(()),
            Some(held) => {
                let message = format!("the server holds {} bytes, and that is not all", held.offset);
                Err(Error::new(Kind::Integrity, message).with_subject(self.host()))
            }
            // Some servers forget an upload as soon as it is complete; the provider knows.
            None => Err(Error::new(Kind::Interrupted, "the server no longer has this upload").with_subject(self.host())),
        }
    }

    async fn terminate(&mut self) -> Option<String> {
        let upload = self.upload.clone()?;
        if self.announced().await.termination && requests::delete(&self.line, &upload, self.via_post).await.is_ok() {
            return None;
        }
        let name = upload.path_segments()?.rfind(|segment| !segment.is_empty())?;
        Some(name.to_owned())
    }
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

    /// An upload of length 0 is complete as soon as it is made, says the protocol; tus-php and others end it with a PATCH
    /// only.
    fn nudge(&mut self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(self.end_empty())
    }

    fn is_spoilt(&self) -> bool {
        self.overfull || self.verdicts.refusal_of_the_whole().is_some()
    }

    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(self.terminate())
    }
}
