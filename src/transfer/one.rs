//! One file of a `put`: what becomes of it, its source, its upload, and what is remembered of it.

use std::sync::Arc;
use std::time::SystemTime;

use super::conflict::{Decision, Question, Stamp, decide};
use super::plan::{Item, Origin};
use super::put::{ChecksumMode, Run};
use super::source::{FileSource, Identity, md5_of};
use super::stdin::StdinSource;
use super::upload::{Uploaded, upload};
use crate::contract::{Checksum, Finished, Source, UploadItem};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::Transfer;
use crate::model::{Entry, Event, Report};

/// Files up to this are read twice, so that a provider that is told the MD5 refuses a wrong upload itself.
const AUTO_BEFORE: u64 = 1 << 30;

/// What is to be done with a file.
pub(super) enum Step {
    Done(Box<Report>),
    Send(Box<Way>),
}

/// Where a file goes, and what has its name there now.
pub(super) struct Way {
    folder: Entry,
    name: String,
    replaces: Option<Box<Entry>>,
}

/// A file that can be sent.
pub(super) struct Ready {
    pub(super) item: UploadItem,
    /// None for standard input.
    identity: Option<Identity>,
    stdin: Option<Arc<StdinSource>>,
}

impl Run {
    pub(super) async fn bring(&self, id: FileId, item: &Item) -> Result<Report> {
        match self.decided(item).await? {
            Step::Done(report) => Ok(*report),
            Step::Send(way) => {
                let mut ready = self.opened(item, *way)?;
                self.started(id, item, &ready);
                ready.item.checksum = self.checksum(ready.item.source.as_ref(), ready.stdin.is_some()).await?;
                self.send(id, item, ready).await
            }
        }
    }

    /// What becomes of a file, before anything of it is sent.
    pub(super) async fn decided(&self, item: &Item) -> Result<Step> {
        self.job.desk.provider.check_name(&item.name)?;
        self.check_size(item)?;
        let folder = self.folders.ensure(&item.folder).await?;
        let local = match &item.origin {
            Origin::File(path) => Some(path.as_path()),
            Origin::Stdin => None,
        };
        let ask = Question { local, name: &item.name, folder: &folder, remote: &self.job.remote_key };
        match decide(self.job.options.if_exists, &ask, self.job.ledger.as_ref()).await? {
            Decision::Skip { there, reason } => Ok(Step::Done(Box::new(self.skipped(item, *there, reason)))),
            Decision::Upload { name, replaces } if self.job.options.dry_run => {
                Ok(Step::Done(Box::new(self.planned(item, &folder.entry, &name, replaces.is_some())?)))
            }
            Decision::Upload { name, replaces } => Ok(Step::Send(Box::new(Way { folder: folder.entry.clone(), name, replaces }))),
        }
    }

    fn check_size(&self, item: &Item) -> Result<()> {
        let Some(size) = item.size else { return Ok(()) };
        let refused = |why: String| Err(Error::new(Kind::Refused, why).on(item.shown()));
        match (self.limits.file_size, self.free) {
            (Some(limit), _) if size > limit => {
                refused(format!("its {size} bytes are more than this account may have in one file ({limit} bytes)"))
            }
            (_, Some(free)) if size > free => {
                refused(format!("its {size} bytes are more than what is left on this account ({free} bytes)"))
            }
            _ => Ok(()),
        }
    }

    fn skipped(&self, item: &Item, there: Entry, reason: String) -> Report {
        Report::Skipped {
            source: item.shown(),
            remote: self.job.target.remote.clone(),
            path: there.path,
            id: Some(there.id),
            size: item.size,
            reason,
        }
    }

    fn planned(&self, item: &Item, folder: &Entry, name: &str, replaces: bool) -> Result<Report> {
        let action = if replaces { "replace" } else { "upload" };
        Ok(Report::Planned {
            action,
            source: Some(item.shown()),
            remote: self.job.target.remote.clone(),
            path: folder.path.join(name)?,
            size: item.size,
        })
    }

    /// Opens the source. Its checksum is still to come.
    pub(super) fn opened(&self, item: &Item, way: Way) -> Result<Ready> {
        let identity = match &item.origin {
            Origin::File(path) => Some(Identity::of(path)?),
            Origin::Stdin => None,
        };
        let stdin = (item.origin == Origin::Stdin).then(|| Arc::new(StdinSource::new(Box::new(std::io::stdin()), item.size)));
        let source: Arc<dyn Source> = match (&item.origin, &stdin) {
            (Origin::File(path), _) => Arc::new(FileSource::open(path)?),
            (Origin::Stdin, Some(stdin)) => stdin.clone(),
            (Origin::Stdin, None) => return Err(Error::new(Kind::Other, "standard input is gone")),
        };
        let item = UploadItem {
            checksum: Checksum::default(),
            metadata: self.job.options.metadata.clone(),
            source,
            folder: way.folder,
            name: way.name,
            replaces: way.replaces.map(|old| *old),
            protocol: self.job.options.protocol,
            avoid: Vec::new(),
            chunk_size: self.job.options.chunk_size,
            unused: None,
        };
        Ok(Ready { item, identity, stdin })
    }

    pub(super) fn started(&self, id: FileId, item: &Item, ready: &Ready) {
        self.job.desk.events.tell(Event::Started { id, name: item.shown(), size: ready.item.source.size() });
    }

    pub(super) async fn send(&self, id: FileId, item: &Item, ready: Ready) -> Result<Report> {
        let desk = &self.job.desk;
        let Ready { item: mut upload_item, identity, stdin } = ready;
        let hash = self.job.options.checksum != ChecksumMode::None;
        let uploaded = match (upload(desk, id, upload_item.clone(), hash).await, stdin) {
            (Err(e), Some(stdin)) if e.kind() == Kind::NeedsSize => {
                desk.events.tell(Event::Note("standard input is spooled first: the server must know its size".to_owned()));
                upload_item.source = Arc::new(stdin.spool().await?);
                upload(desk, id, upload_item.clone(), hash).await?
            }
            (outcome, _) => outcome?,
        };
        self.finish(item, upload_item, uploaded, identity).await
    }

    pub(super) async fn checksum(&self, source: &dyn Source, is_stdin: bool) -> Result<Checksum> {
        let size = source.size().unwrap_or(u64::MAX);
        let before = match self.job.options.checksum {
            ChecksumMode::Before => true,
            ChecksumMode::Auto => size <= AUTO_BEFORE && self.job.desk.provider.info().takes_md5,
            ChecksumMode::After | ChecksumMode::None => false,
        };
        Ok(Checksum { md5: if before && !is_stdin { Some(md5_of(source).await?) } else { None } })
    }

    /// The file is there and verified: gives it the old one's place where that is a step of its own, and remembers it.
    async fn finish(&self, item: &Item, sent: UploadItem, uploaded: Uploaded, identity: Option<Identity>) -> Result<Report> {
        let provider = &self.job.desk.provider;
        let mut entry = uploaded.entry;
        let mut kept = None;
        if let Some(old) = sent.replaces.filter(|old| old.id != entry.id) {
            match provider.swapping() {
                Some(swapping) => entry = self.job.desk.change(|| swapping.swap(&old, &entry, &sent.name)).await?,
                None => kept = Some(old.id),
            }
        }
        if let Some(identity) = identity {
            self.remember(&entry, uploaded.md5.clone(), identity);
        }
        Ok(Report::Uploaded(Transfer {
            source: item.shown(),
            remote: self.job.target.remote.clone(),
            path: entry.path,
            id: Some(entry.id),
            size: uploaded.size,
            md5: uploaded.md5,
            verified: uploaded.verified,
            protocol: uploaded.protocol,
            resumed_from: 0,
            retries: uploaded.retries,
            seconds: uploaded.time.as_secs_f64(),
            target: None,
            kept,
        }))
    }

    fn remember(&self, entry: &Entry, md5: Option<String>, source: Identity) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let finished = Finished {
            remote: self.job.remote_key.clone(),
            id: entry.id.clone(),
            stamp: Stamp::of(entry).text(),
            size: entry.size,
            md5,
            source: source.path,
            source_size: source.size,
            source_mtime_ns: source.modified_ns,
            source_inode: source.inode,
            at: i64::try_from(now).unwrap_or(i64::MAX),
        };
        if let Err(e) = self.job.ledger.record_finished(&finished) {
            self.job.desk.events.tell(Event::Warning(format!("this upload could not be remembered: {e}")));
        }
    }
}
