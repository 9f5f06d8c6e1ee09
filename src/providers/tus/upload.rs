//! One upload: created with the file's name as metadata, sent in parts, and finished as the server's own offset says.

use reqwest::Url;

use super::entry::of_finished;
use super::remote::TusRemote;
use super::settings::{PATH_KEY, TYPE_KEY};
use crate::contract::{BoxFuture, Chunking, Error, Kind, Part, Recovery, Result, Upload, UploadHandle, UploadRequest, UploadSession};
use crate::model::Protocol;
use crate::protocols::tus;
use crate::protocols::tus::{Manners, TusSession, TusTarget};

/// Bytes of one request to a server of which nothing is known. Behind a proxy that passes on only what came whole a cut
/// request is worth nothing, and PHP copies each part (providers.md 11): neither the whole file, nor a request for each MiB.
const USUAL_PART: u64 = 32 << 20;
/// Of a source without a known size a whole part is read before it is sent.
const PART_OF_UNKNOWN: u64 = 8 << 20;

/// What tus-php and its kin refuse in a name (providers.md 11).
const REFUSED_IN_NAMES: &[char] = &['"', '\'', '&', '\\', '?', '#', ':'];

pub async fn open(remote: &TusRemote, item: &UploadRequest) -> Result<Upload> {
    if let Some(closed) = item.avoid.first() {
        return Err(closed.error.duplicate());
    }
    let target = target(remote, item).await?;
    let session = tus::create_on(&remote.servers, &remote.http, target).await.map_err(|e| explained(remote, item, e))?;
    let ticket = UploadHandle { path: item.path()?, size: item.source.size(), ..UploadHandle::default() };
    Ok(opened(ticket, session))
}

/// Takes up what an earlier run began, at the address that it noted.
pub async fn resume(remote: &TusRemote, item: &UploadRequest, ticket: &UploadHandle, note: &str) -> Result<Option<Upload>> {
    let Ok(upload) = remote.upload_url(note) else { return Ok(None) };
    tus::guard(&upload);
    let session = tus::resume(&remote.http, target(remote, item).await?, upload);
    Ok(Some(opened(ticket.clone(), session)))
}

fn opened(ticket: UploadHandle, session: TusSession) -> Upload {
    let session = RemoteSession { session, ticket: ticket.clone() };
    Upload { ticket, session: Box::new(session) }
}

async fn target(remote: &TusRemote, item: &UploadRequest) -> Result<TusTarget> {
    let settings = &remote.settings;
    let mut metadata = settings.metadata.clone();
    // tuspyserver answers no HEAD of an upload without it (providers.md 12): nothing could go on, nor be looked at.
    if !metadata.iter().any(|(key, _)| key == TYPE_KEY) {
        let kind = mime_guess::from_path(&item.name).first_raw().unwrap_or("application/octet-stream");
        metadata.push((TYPE_KEY.to_owned(), kind.to_owned()));
    }
    if !item.folder.path.is_root() {
        metadata.push((PATH_KEY.to_owned(), item.path()?.to_string()));
    }
    // The last one: old servers take all that follows it for the name (providers.md 11).
    metadata.push((settings.name_key.clone(), item.name.clone()));
    let usual = if item.source.size().is_some() { USUAL_PART } else { PART_OF_UNKNOWN };
    Ok(TusTarget {
        endpoint: settings.endpoint.clone(),
        metadata,
        headers: remote.headers().await?.clone(),
        size: item.source.size(),
        // The remote's own size is what the server wants: nobody's wish makes another of it.
        chunk_size: settings.chunk_size.or(item.chunk_size).or(Some(usual)),
        manners: Manners {
            exact_chunks: settings.chunk_size.is_some(),
            // Creation with upload saves a request for each small file. But when its answer is lost (and each connection that
            // the server closes while idle may lose one), nobody knows the upload's address, and no listing tells whether the
            // file is there: it could only be sent twice, or be given up as unknown. An upload that was created without bytes
            // is asked how far it is, and what a lost creation leaves is empty and expires.
            creates_first: true,
        },
    })
}

/// A failed creation, with what to do about it.
fn explained(remote: &TusRemote, item: &UploadRequest, error: Error) -> Error {
    let url = "check the url of the remote: it must be the creation endpoint of a TUS server";
    match (error.kind(), error.status_code()) {
        (Kind::NotFound, _) | (_, Some(405 | 501)) => error.with_kind(Kind::Protocol).with_hint(url),
        (Kind::Protocol, _) => error.with_hint(url),
        (Kind::Refused, Some(400)) => match item.name.chars().find(|c| REFUSED_IN_NAMES.contains(c)) {
            Some(bad) => error.with_hint(format!("rename the file, if the server takes no {bad} in names")),
            None => error,
        },
        // Supabase and others answer so for an object that is there.
        (Kind::Exists, _) => error.with_kind(Kind::Refused).with_subject(remote.opening.remote.clone()),
        _ => error,
    }
}

/// The protocol's session; what it has finished is named for the receipt.
struct RemoteSession {
    session: TusSession,
    ticket: UploadHandle,
}

impl RemoteSession {
    async fn end(&mut self) -> Result<()> {
        // By the protocol an empty upload is complete when it is created; tus-php, @tus/server and others take notice of it
        // only by a PATCH (providers.md 11, 11.1), and nobody can look whether they did. Others refuse one that is complete.
        if let Err(error) = self.session.nudge().await {
            tracing::debug!(target: "haul::tus", "the empty PATCH of an empty upload failed: {error}");
        }
        self.session.finish().await?;
        if let Some(upload) = self.session.url() {
            // A second finish is about the same upload.
            let _ = self.ticket.confirmed_entry.set(of_finished(upload, self.ticket.path.clone(), self.ticket.size));
        }
        Ok(())
    }

    async fn give_up(&mut self) -> Option<String> {
        let kept = self.session.url().filter(|_| self.session.is_complete() && !self.session.is_spoilt()).map(Url::to_string);
        match kept {
            // Whatever became of it here, it is a file of the server's by now: `haul rm` removes it for who wants that.
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
    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.end())
    }
    fn nudge(&mut self) -> BoxFuture<'_, Result<bool>> {
        self.session.nudge()
    }
    fn is_spoilt(&self) -> bool {
        self.session.is_spoilt()
    }
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(self.give_up())
    }
}
