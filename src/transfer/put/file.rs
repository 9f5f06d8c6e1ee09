//! One file of a `put`: the decision about it, its source, its upload, and the record of it.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::conflict::{ConflictCheck, Decision, Skip, resolve};
use super::open_source::{open_source, spans_of};
use super::options::ChecksumMode;
use super::plan::PutItem;
use super::previous::{PreviousUpload, SentContent};
use super::run::PutRun;
use super::settle::reason_unsettled;
use crate::contract::{BoxFuture, Checksum, PlaceLock, Provider, Replacement, Source, UploadHandle, UploadRequest};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::{Transfer, Verified};
use crate::model::{Entry, Event, RemotePath, Report};
use crate::transfer::effort::Effort;
use crate::transfer::fingerprint::{EntryFingerprint, FileFingerprint};
use crate::transfer::folder_cache::ListedFolder;
use crate::transfer::lock_wait::lock_place;
use crate::transfer::source::file::md5_of;
use crate::transfer::source::open_file::OpenFile;
use crate::transfer::source::stdin::StdinSource;
use crate::transfer::source::{SourceFacts, SourceSpec};
use crate::transfer::upload::confirm::discard;
use crate::transfer::upload::journal::Journal;
use crate::transfer::upload::{Uploaded, upload_within};

/// In bytes. Files up to this size are read twice, so that a provider that gets the MD5 first refuses a wrong upload itself.
const AUTO_BEFORE: u64 = 64 << 20;

/// The decision about a file.
pub(crate) enum FilePlan {
    Done(Box<Report>),
    Send(Box<UploadTarget>),
    /// Another run is uploading to this place: its lock must be waited for.
    Busy,
}

/// The target of a file, and the entry that has its name now.
pub(crate) struct UploadTarget {
    pub(crate) folder: Arc<ListedFolder>,
    pub(crate) name: String,
    pub(crate) replaces: Option<Entry>,
    /// An empty entry that waits for this file's bytes.
    pub(crate) unused: Option<UploadHandle>,
    /// No earlier run has begun this upload.
    pub(crate) fresh: bool,
    /// An earlier run may have sent bytes already.
    pub(crate) sent: Option<SentContent>,
    /// None for standard input, which can't be resumed.
    pub(crate) journal: Option<Journal>,
    /// The open local file, as it was checked.
    pub(crate) file: Option<OpenFile>,
    pub(crate) claim: PlaceLock,
}

/// A file that can be sent.
pub(crate) struct PreparedUpload {
    pub(crate) item: UploadRequest,
    /// No earlier run has begun this upload.
    pub(crate) fresh: bool,
    pub(crate) sent: Option<SentContent>,
    pub(super) journal: Option<Journal>,
    /// Set for a stream whose end is not known before it is read.
    stream: Option<Arc<StdinSource>>,
    /// Held until the work on the file has ended.
    _claim: PlaceLock,
}

impl PutRun {
    pub(crate) async fn upload_file(&self, id: FileId, item: &PutItem) -> Result<Report> {
        match self.prepare(item, true).await? {
            FilePlan::Done(report) => Ok(*report),
            FilePlan::Busy => Err(Error::new(Kind::Other, "another run is working on this file")),
            FilePlan::Send(way) => {
                let way = match self.copy_on_server(item, way).await? {
                    ControlFlow::Break(copied) => return Ok(copied),
                    ControlFlow::Continue(way) => way,
                };
                let mut ready = self.open_source(item, *way).await?;
                self.announce(id, item, &ready);
                ready.item.checksum = self.checksum(&item.origin, ready.item.source.as_ref(), ready.sent.take()).await?;
                self.send(id, item, ready).await
            }
        }
    }

    /// Decides about a file before any byte is sent. With `wait` it waits for another run that is uploading to the same place.
    pub(crate) async fn prepare(&self, item: &PutItem, wait: bool) -> Result<FilePlan> {
        self.job.client.check_name(&item.name)?;
        if let Some(reason) = reason_unsettled(item, &self.job.options.filter).await? {
            return self.postponed_report(item, reason).map(|report| FilePlan::Done(Box::new(report)));
        }
        self.check_size(item)?;
        let folder = self.folders().ensure(&item.folder).await?;
        if self.job.options.dry_run {
            let folder = self.with_remembered(folder, &item.name).await?;
            let here = item.origin.inspect(&self.real_folders).await?.identity;
            let decision = self.decide(item, here.as_ref(), &folder).await?;
            return self.plan_report(item, &folder, decision).map(|report| FilePlan::Done(Box::new(report)));
        }
        let path = folder.entry.path.join(&item.name)?;
        let key = self.place_key(&folder, &path);
        // Runs that put to one place take turns; the second run sees what the first has done.
        let Some(claim) = self.lock(&key, &path, wait).await? else { return Ok(FilePlan::Busy) };
        let SourceFacts { identity, file } = item.origin.inspect(&self.real_folders).await?;
        let claimed = key.clone();
        let journal = self.journal(key, item, &path, identity);
        let is_again = self.sessions.as_ref().is_some_and(|sessions| sessions.is_sent_to_again(&claimed));
        let folder = self.current(folder, &item.folder, claim.waited || is_again, journal.as_ref()).await?;
        if let Some(earlier) = self.find_previous(journal.as_ref(), &item.origin, &folder).await? {
            let PreviousUpload { name, replaces, unused, sent } = earlier;
            return Ok(FilePlan::Send(Box::new(UploadTarget { folder, name, replaces, unused, fresh: false, sent, journal, file, claim })));
        }
        let folder = self.with_remembered(folder, &item.name).await?;
        self.adopt_copy(item, journal.as_ref(), &folder)?;
        match self.decide(item, journal.as_ref().map(Journal::source), &folder).await? {
            Decision::Skip(skip) => Ok(FilePlan::Done(Box::new(self.pass_over(item, skip).await?))),
            Decision::Upload { name, replaces } => {
                let replaces = replaces.map(|old| *old);
                if let Some(journal) = &journal {
                    journal.record_planned(&name, replaces.as_ref(), folder.find_by_name(&name).map(|e| e.id.clone()).collect())?;
                }
                let (unused, fresh, sent) = (None, true, None);
                Ok(FilePlan::Send(Box::new(UploadTarget { folder, name, replaces, unused, fresh, sent, journal, file, claim })))
            }
        }
    }

    /// Locks the place. While it waits, it reports the reason to the user.
    async fn lock(&self, key: &str, path: &RemotePath, wait: bool) -> Result<Option<PlaceLock>> {
        match wait {
            true => lock_place(&self.job.client, self.job.ledger.as_ref(), key, &path.to_string()).await.map(Some),
            false => self.job.ledger.lock_place(key).await,
        }
    }

    /// If the copy of a move is there already, only the last step is missing.
    async fn find_moved_before(&self, origin: &SourceSpec, there: &Entry, reason: String) -> Result<String> {
        let Some(original) = origin.original().filter(|original| original.moves) else { return Ok(reason) };
        let verified = match (&there.md5, there.size) {
            (Some(_), _) => Verified::Md5,
            (None, Some(_)) => Verified::Size,
            (None, None) => Verified::None,
        };
        original.delete_source(there, verified).await?;
        Ok(format!("{reason}; its source is removed"))
    }

    /// The report for a file that is not sent.
    pub(super) async fn pass_over(&self, item: &PutItem, skip: Skip) -> Result<Report> {
        let Skip { there, same, reason, seen } = skip;
        if let Some(seen) = seen {
            self.record(&seen);
        }
        let reason = if same { self.find_moved_before(&item.origin, &there, reason).await? } else { reason };
        Ok(self.skipped_report(item, *there, reason))
    }

    pub(in crate::transfer) async fn decide(
        &self,
        item: &PutItem,
        here: Option<&FileFingerprint>,
        folder: &ListedFolder,
    ) -> Result<Decision> {
        let piles_up = self.job.client.has(|can| can.keeps_every_version());
        let ask = ConflictCheck {
            origin: &item.origin,
            here,
            name: &item.name,
            folder,
            remote: &self.job.remote_key,
            piles_up,
            checksum: self.job.options.checksum,
            size_only: self.job.options.size_only,
        };
        resolve(self.job.options.if_exists, &ask, self.job.ledger.as_ref()).await
    }

    fn plan_report(&self, item: &PutItem, folder: &ListedFolder, decision: Decision) -> Result<Report> {
        let (name, replaces) = match decision {
            Decision::Skip(Skip { there, reason, .. }) => return Ok(self.skipped_report(item, *there, reason)),
            Decision::Upload { name, replaces } => (name, replaces),
        };
        Ok(Report::Planned {
            action: if replaces.is_some() { "replace" } else { item.origin.action() },
            source: Some(item.display_source()),
            remote: self.job.target.remote.clone(),
            path: folder.entry.path.join(&name)?,
            target: None,
            size: item.size,
        })
    }

    fn skipped_report(&self, item: &PutItem, there: Entry, reason: String) -> Report {
        Report::Skipped {
            source: item.display_source(),
            remote: self.job.target.remote.clone(),
            path: there.path,
            target: None,
            id: Some(there.id),
            size: item.size,
            reason,
        }
    }

    /// Opens the source. The checksum is computed later.
    pub(crate) async fn open_source(&self, item: &PutItem, way: UploadTarget) -> Result<PreparedUpload> {
        let (source, stream) = open_source(item, way.file).await?;
        let item = UploadRequest {
            checksum: Checksum::default(),
            metadata: item.origin.original().map_or(&self.job.options.metadata, |original| &original.metadata).clone(),
            folder: way.folder.entry.clone(),
            siblings: way.folder.children.clone(),
            name: way.name,
            replaces: way.replaces,
            protocol: self.job.options.protocol,
            avoid: Vec::new(),
            chunk_size: self.job.options.chunk_size,
            spans: if stream.is_none() { spans_of(source.as_ref(), self.job.options.streams) } else { Vec::new() },
            reusable: way.unused,
            on_created: way.journal.as_ref().map(Journal::on_created),
            source,
        };
        Ok(PreparedUpload { item, fresh: way.fresh, sent: way.sent, journal: way.journal, stream, _claim: way.claim })
    }

    pub(crate) fn announce(&self, id: FileId, item: &PutItem, ready: &PreparedUpload) {
        self.job.client.events.send(Event::Started { id, name: item.display_source(), size: ready.item.source.size() });
    }

    pub(crate) async fn send(&self, id: FileId, item: &PutItem, mut ready: PreparedUpload) -> Result<Report> {
        let client = &self.job.client;
        let mut effort = Effort::new(client.policy.tries);
        let mut is_decided_anew = false;
        let mut uploaded = loop {
            match self.upload(id, &mut ready, &mut effort).await {
                Err(taken) if taken.kind() == Kind::Exists && !std::mem::replace(&mut is_decided_anew, true) => {
                    if let Some(passed_over) = self.decide_anew(item, &mut ready, &taken).await? {
                        return Ok(passed_over);
                    }
                }
                outcome => break outcome?,
            }
        };
        let _confirming = uploaded.confirming.take();
        let PreparedUpload { item: upload_item, journal, _claim, .. } = ready;
        let original = item.origin.original();
        if let Some(original) = original {
            match original.is_still_there().await {
                Ok(_) => {}
                Err(changed) if changed.kind() == Kind::Integrity => {
                    self.forget_journal(journal.as_ref())?;
                    return Err(discard(client, &uploaded.entry, upload_item.replaces.as_ref(), changed).await);
                }
                Err(unseen) => return Err(unseen),
            }
        }
        let identity = journal.as_ref().map(|journal| journal.source().clone());
        let verified = uploaded.verified;
        let (entry, report) = self.finish(item, upload_item, uploaded, identity).await?;
        self.forget_journal(journal.as_ref())?;
        if let Some(original) = original.filter(|original| original.moves) {
            // The source is removed only after the record of its copy is on the disk.
            if let Some(journal) = &journal {
                journal.commit().await?;
            }
            original.delete_source(&entry, verified).await?;
        }
        Ok(report)
    }

    async fn upload(&self, id: FileId, ready: &mut PreparedUpload, effort: &mut Effort) -> Result<Uploaded> {
        let client = &self.job.client;
        let hash = self.job.options.checksum != ChecksumMode::None;
        let needs_size = match upload_within(client, id, ready.item.clone(), hash, ready.journal.clone(), &self.confirmations, effort).await
        {
            Err(error) if error.kind() == Kind::NeedsSize => error,
            outcome => return outcome,
        };
        let Some(stream) = ready.stream.take() else { return Err(needs_size) };
        client.events.send(Event::Note(format!("{}: stored in a temporary file first, as the server must know its size", stream.name())));
        ready.item.source = Arc::new(stream.spool().await?);
        upload_within(client, id, ready.item.clone(), hash, ready.journal.clone(), &self.confirmations, effort).await
    }

    fn forget_journal(&self, journal: Option<&Journal>) -> Result<()> {
        journal.map_or(Ok(()), Journal::close)
    }

    /// Computes the MD5 if it is needed before the first byte. The bytes that an earlier run has sent are not read again for
    /// that: the rest of the upload would have to wait.
    pub(crate) async fn checksum(&self, origin: &SourceSpec, source: &dyn Source, sent: Option<SentContent>) -> Result<Checksum> {
        if let Some(original) = origin.original() {
            let md5 = original.md5.clone().filter(|_| self.job.options.checksum != ChecksumMode::None);
            return Ok(Checksum { from_remote: md5.is_some(), md5 });
        }
        if let Some(sent) = sent {
            return Ok(Checksum { md5: sent.md5, from_remote: false });
        }
        let size = source.size().unwrap_or(u64::MAX);
        let before = match self.job.options.checksum {
            ChecksumMode::Before => true,
            ChecksumMode::Auto => size <= AUTO_BEFORE && self.job.client.has(|can| can.takes_md5),
            ChecksumMode::After | ChecksumMode::None => false,
        };
        let is_stream = matches!(origin, SourceSpec::Stdin) || source.size().is_none();
        Ok(Checksum { md5: if before && !is_stream { Some(md5_of(source).await?) } else { None }, from_remote: false })
    }

    /// Called when the file is there and verified: puts it in the place of the old one, if that is a separate step, and records
    /// it.
    async fn finish(
        &self,
        item: &PutItem,
        sent: UploadRequest,
        uploaded: Uploaded,
        identity: Option<FileFingerprint>,
    ) -> Result<(Entry, Report)> {
        let mut entry = uploaded.entry;
        let mut kept = None;
        if let Some(old) = sent.replaces.filter(|old| old.id != entry.id) {
            // The old entry has the wished name, in the server's spelling. A repeated call resumes where it stopped, whatever
            // the last one did.
            let replaced = self.job.client.check(|p| replace(p, &old, &entry)).await;
            match replaced.map_err(|e| if e.is_unread_answer() { e.with_kind(Kind::Unknown) } else { e })? {
                Some(replaced) => entry = replaced,
                None => kept = Some(old.id),
            }
        }
        if entry.name != sent.name {
            self.learn(&sent.folder.path.join(&sent.name)?, &sent.name, &entry.name)?;
        }
        self.remember_id(&sent.folder.path.join(&sent.name)?, &entry)?;
        if let Some(identity) = identity {
            self.remember(&entry, uploaded.md5.clone(), identity);
        }
        self.learn_original(item, &entry, uploaded.md5.as_ref())?;
        let stamp = EntryFingerprint::of(&entry).text();
        let report = item.origin.report(Transfer {
            source: item.display_source(),
            remote: self.job.target.remote.clone(),
            path: entry.path.clone(),
            id: Some(entry.id.clone()),
            size: uploaded.size,
            md5: uploaded.md5,
            verified: uploaded.verified,
            protocol: uploaded.protocol,
            resumed_from: uploaded.resumed_from,
            retries: uploaded.retries,
            seconds: uploaded.time.as_secs_f64(),
            stamp: Some(stamp),
            target: None,
            kept,
            url: entry.url.clone(),
        });
        Ok((entry, report))
    }
}

/// None if the provider can't put a finished upload in the place of an older file.
fn replace<'a>(provider: &'a dyn Provider, old: &'a Entry, new: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
    match provider.abilities().replacement {
        Some(Replacement::AfterUpload(by)) => Box::pin(async { by.replace(old, new, &old.name).await.map(Some) }),
        Some(Replacement::ByUpload) | None => Box::pin(async { Ok(None) }),
    }
}
