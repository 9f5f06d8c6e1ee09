//! One upload: created with the file's name as metadata, sent in parts, and finished when the server's own offset says so.

use reqwest::Url;

use super::entry::of_finished;
use super::remote::TusRemote;
use super::settings::{PATH_KEY, TYPE_KEY};
use crate::contract::{
    BoxFuture, Chunking, Error, Kind, Part, PartialUpload, Recovery, Result, Upload, UploadHandle, UploadRequest, UploadSession,
};
use crate::model::Protocol;
use crate::protocols::tus;
use crate::protocols::tus::concatenation::ConcatenatedSession;
use crate::protocols::tus::{TusServer, TusSession, TusTarget};

/// Bytes of one request to an unknown server. Behind a proxy that forwards only complete requests, a cut request is lost as a
/// whole, and PHP copies each part (providers.md 11): so a request is neither the whole file nor a single MiB.
const USUAL_PART: u64 = 32 << 20;
/// Bytes of one request for a source without a known size: a whole part is read before it is sent.
const PART_OF_UNKNOWN: u64 = 8 << 20;

/// Characters that tus-php and related servers refuse in a name (providers.md 11).
const REFUSED_IN_NAMES: &[char] = &['"', '\'', '&', '\\', '?', '#', ':'];

pub async fn open(remote: &TusRemote, item: &UploadRequest) -> Result<Upload> {
    if let Some(closed) = item.avoid.first() {
        return Err(closed.error.duplicate());
    }
    let session: Box<dyn FileUpload> = match remote.ahead.take(item) {
        Some(session) => Box::new(session),
        None => match create_partials(remote, item).await? {
            Some(session) => Box::new(session),
            None => Box::new(create(remote, item).await?),
        },
    };
    let ticket = UploadHandle { path: item.path()?, size: item.source.size(), ..UploadHandle::default() };
    Ok(into_upload(ticket, session))
}

/// Creates the upload. Sends no byte of the file.
pub(super) async fn create(remote: &TusRemote, item: &UploadRequest) -> Result<TusSession> {
    let target = target(remote, item).await?;
    tus::create_on(&remote.servers, &remote.http, target).await.map_err(|e| with_creation_hint(remote, item, e))
}

/// Resumes what an earlier run began, at the address in its note.
pub async fn resume(remote: &TusRemote, item: &UploadRequest, ticket: &UploadHandle, note: &str) -> Result<Option<Upload>> {
    let target = target(remote, item).await?;
    let check = |address: &str| remote.upload_url(address);
    if let Some(session) = tus::concatenation::resume_partials(&remote.servers, &remote.http, &target, note, check).await? {
        return Ok(Some(into_upload(ticket.clone(), Box::new(session))));
    }
    let Ok(upload) = remote.upload_url(note) else { return Ok(None) };
    tus::guard(&upload);
    let session = tus::resume(&remote.http, target, upload);
    Ok(Some(into_upload(ticket.clone(), Box::new(session))))
}

/// None where the file goes in one stream.
async fn create_partials(remote: &TusRemote, item: &UploadRequest) -> Result<Option<ConcatenatedSession>> {
    if item.spans.len() < 2 {
        return Ok(None);
    }
    let target = target(remote, item).await?;
    // Without the name: a server that stores uploads by their names must not take a part for the file.
    let names = [remote.settings.name_key.as_str(), PATH_KEY];
    let of_parts: Vec<_> = target.metadata.iter().filter(|(key, _)| !names.contains(&key.as_str())).cloned().collect();
    let created = tus::concatenation::create_partials(&remote.servers, &remote.http, &target, &of_parts, &item.spans).await;
    created.map_err(|e| with_creation_hint(remote, item, e))
}

fn into_upload(ticket: UploadHandle, session: Box<dyn FileUpload>) -> Upload {
    let session = RemoteSession { session, ticket: ticket.clone() };
    Upload { ticket, session: Box::new(session) }
}

async fn target(remote: &TusRemote, item: &UploadRequest) -> Result<TusTarget> {
    let settings = &remote.settings;
    let mut metadata = settings.metadata.clone();
    // Without the type tuspyserver answers no HEAD of an upload (providers.md 12): the upload could not be resumed or found.
    if !metadata.iter().any(|(key, _)| key == TYPE_KEY) {
        let kind = mime_guess::from_path(&item.name).first_raw().unwrap_or("application/octet-stream");
        metadata.push((TYPE_KEY.to_owned(), kind.to_owned()));
    }
    if !item.folder.path.is_root() {
        metadata.push((PATH_KEY.to_owned(), item.path()?.to_string()));
    }
    // The name comes last: old servers read everything after it as part of the name (providers.md 11).
    metadata.push((settings.name_key.clone(), item.name.clone()));
    let usual = if item.source.size().is_some() { USUAL_PART } else { PART_OF_UNKNOWN };
    Ok(TusTarget {
        endpoint: settings.endpoint.clone(),
        metadata,
        headers: remote.headers().await?.clone(),
        size: item.source.size(),
        // The server needs the size that the remote configures: `--chunk-size` does not change it.
        chunk_size: settings.chunk_size.or(item.chunk_size).or(Some(usual)),
        manners: TusServer {
            exact_chunks: settings.chunk_size.is_some(),
            // Creation with upload would save a request for each small file. But when its answer is lost (any connection that
            // the server closes while idle may lose one), the upload's address is unknown, and no listing shows whether the
            // file is there: it could only be sent twice, or reported as unknown. An upload that was created without bytes can
            // be asked for its offset, and what a lost creation leaves is empty and expires.
            creates_first: true,
        },
    })
}

/// Adds a hint to a failed creation.
fn with_creation_hint(remote: &TusRemote, item: &UploadRequest, error: Error) -> Error {
    let url = "check the url of the remote: it must be the creation endpoint of a TUS server";
    match (error.kind(), error.status_code()) {
        (Kind::NotFound, _) | (_, Some(405 | 501)) => error.with_kind(Kind::Protocol).with_hint(url),
        (Kind::Protocol, _) => error.with_hint(url),
        (Kind::Refused, Some(400)) => match item.name.chars().find(|c| REFUSED_IN_NAMES.contains(c)) {
            Some(bad) => error.with_hint(format!("rename the file, if the server takes no {bad} in names")),
            None => error,
        },
        // Supabase and others give this answer for an object that exists.
        (Kind::Exists, _) => error.with_kind(Kind::Refused).with_subject(remote.opening.remote.clone()),
        _ => error,
    }
}

/// A session whose upload has an address.
trait FileUpload: UploadSession {
    /// None before the upload is created.
    fn url(&self) -> Option<&Url>;
    /// Does the server hold every byte, by its latest word?
    fn is_complete(&self) -> bool;
}

impl FileUpload for TusSession {
    fn url(&self) -> Option<&Url> {
        TusSession::url(self)
    }
    fn is_complete(&self) -> bool {
        TusSession::is_complete(self)
    }
}

impl FileUpload for ConcatenatedSession {
    fn url(&self) -> Option<&Url> {
        ConcatenatedSession::url(self)
    }
    fn is_complete(&self) -> bool {
        ConcatenatedSession::is_complete(self)
    }
}

/// A TUS session that also records the finished upload for the receipt.
struct RemoteSession {
    session: Box<dyn FileUpload>,
    ticket: UploadHandle,
}

impl RemoteSession {
    async fn end(&mut self) -> Result<()> {
        // By the protocol an empty upload is complete when it is created. tus-php, @tus/server and others notice it only after
        // a PATCH (providers.md 11, 11.1), and no request can show whether they did. Other servers refuse a PATCH of a complete
        // upload.
        if let Err(error) = self.session.nudge().await {
            tracing::debug!(target: "haul::tus", "the empty PATCH of an empty upload failed: {error}");
        }
        self.session.finish().await?;
        if let Some(upload) = self.session.url() {
            // A second finish would record the same upload.
            let _ = self.ticket.confirmed_entry.set(of_finished(upload, self.ticket.path.clone(), self.ticket.size));
        }
        Ok(())
    }

    async fn abort(&mut self) -> Option<String> {
        let kept = self.session.url().filter(|_| self.session.is_complete() && !self.session.is_spoilt()).map(Url::to_string);
        match kept {
            // The upload is complete on the server, whatever failed here: the user can remove it with `haul rm`.
            Some(url) => Some(format!("@{url}")),
            None => self.session.abort().await,
        }
    }
}

impl UploadSession for RemoteSession {
    fn protocol(&self) -> Protocol {
        Protocol::Tus
    }
    fn note(&self) -> Option<String> {
        self.session.note()
    }
    fn chunking(&self) -> Chunking {
        self.session.chunking()
    }
    fn takes_unknown_size(&self) -> bool {
        self.session.takes_unknown_size()
    }
    fn is_split(&self) -> bool {
        self.session.is_split()
    }
    fn partials(&mut self) -> Vec<PartialUpload<'_>> {
        self.session.partials()
    }
    fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>> {
        self.session.send(part)
    }
    fn has_left(&self) -> bool {
        self.session.has_left()
    }
    fn recover<'a>(&'a mut self, failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        self.session.recover(failure)
    }
    fn has_last_step(&self) -> bool {
        self.ticket.size == Some(0) || self.session.has_last_step()
    }
    fn has_blind_last_step(&self) -> bool {
        self.session.has_blind_last_step()
    }
    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.end())
    }
    fn nudge(&mut self) -> BoxFuture<'_, Result<bool>> {
        self.session.nudge()
    }
    fn is_spoilt(&self) -> bool {
        self.session.is_spoilt()
    }
    fn is_gone(&self) -> bool {
        self.session.is_gone()
    }
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(self.abort())
    }
}
