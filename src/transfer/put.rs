//! The whole of a `put`: plan, folders, limits, then so many files at once. Each file's outcome is an event; what stops
//! the whole run comes back as the error.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use super::conflict::{Decision, IfExists, Question, Stamp, decide};
use super::crew::Crew;
use super::folders::{Folder, Folders};
use super::plan::{Item, Origin, Plan, lay_out, look_at, target_is_folder};
use super::retry::Desk;
use super::source::{FileSource, Identity, md5_of};
use super::stdin::StdinSource;
use super::upload::{Uploaded, upload};
use crate::contract::{Checksum, Finished, Ledger, Source, UploadItem};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::{Failure, Transfer};
use crate::model::{Address, Entry, Event, Limits, Protocol, RemotePath, Report};

/// When the MD5 is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumMode {
    /// `Before` up to 1 GiB where the provider checks it, else `After`.
    Auto,
    Before,
    After,
    None,
}

/// Files up to this are read twice, so that a provider that is told the MD5 refuses a wrong upload itself.
const AUTO_BEFORE: u64 = 1 << 30;

#[derive(Clone, Debug)]
pub struct PutOptions {
    pub if_exists: IfExists,
    pub checksum: ChecksumMode,
    pub protocol: Option<Protocol>,
    /// Bytes.
    pub chunk_size: Option<u64>,
    /// Files in flight.
    pub jobs: usize,
    pub dry_run: bool,
    pub fail_fast: bool,
    /// Bytes that standard input is said to have.
    pub stdin_size: Option<u64>,
}

pub struct Put {
    pub desk: Desk,
    pub ledger: Arc<dyn Ledger>,
    /// Origin and account, as in [`Finished::remote`].
    pub remote_key: String,
    pub target: Address,
    pub options: PutOptions,
}

/// Puts `sources`. An error means that nothing was sent; failures of single files are events.
pub async fn put(job: Put, sources: &[String]) -> Result<()> {
    let named = look_at(sources)?;
    if let Some(protocol) = job.options.protocol {
        check_protocol(&job, protocol)?;
    }
    let account = job.desk.ask(|| job.desk.provider.sign_in()).await?;
    for warning in &account.warnings {
        job.desk.events.tell(Event::Warning(warning.clone()));
    }
    if account.limits.may_upload == Some(false) {
        return Err(Error::new(Kind::Refused, "this account may not upload").on(job.target.remote.clone()));
    }
    let folders = Folders::new(job.desk.clone(), job.target.place.root.clone(), job.options.dry_run);
    let target = &job.target.place.path;
    // Always asked: what makes the target unusable (an unknown id, two of one name) is told once, before anything is sent.
    let exists = folders.find(target).await?.is_some();
    let as_folder = exists || target_is_folder(&named, job.target.folder);
    let plan = {
        let (target, size) = (target.clone(), job.options.stdin_size);
        let planned = tokio::task::spawn_blocking(move || lay_out(&named, &target, as_folder, size));
        planned.await.map_err(|e| Error::new(Kind::Other, "the sources could not be read").cause(e))??
    };
    job.desk.events.tell(Event::Planned { files: (plan.items.len() + plan.unfit.len()) as u64, bytes: plan.bytes() });
    let jobs = job.options.jobs.min(account.limits.uploads_at_once.unwrap_or(usize::MAX)).max(1);
    let run = Arc::new(Run { job, folders, limits: account.limits, free: account.quota.free, stopped: OnceLock::new() });
    run.carry_out(plan, jobs).await;
    Ok(())
}

fn check_protocol(job: &Put, protocol: Protocol) -> Result<()> {
    let info = job.desk.provider.info();
    if info.protocols.contains(&protocol) {
        return Ok(());
    }
    let offers: Vec<_> = info.protocols.iter().map(|p| p.name()).collect();
    Err(Error::new(Kind::Unsupported, format!("{} has no uploads by {protocol}", info.title))
        .on(job.target.remote.clone())
        .hint(format!("it takes {}", offers.join(", "))))
}

struct Run {
    job: Put,
    folders: Folders,
    limits: Limits,
    /// Bytes left on the account.
    free: Option<u64>,
    /// A failure that every further file would meet too (or `--fail-fast`).
    stopped: OnceLock<Kind>,
}

impl Run {
    async fn carry_out(self: Arc<Self>, plan: Plan, jobs: usize) {
        let mut ids = 0..;
        let mut next_id = || ids.next().unwrap_or_default();
        for (shown, error) in plan.unfit {
            if self.job.options.fail_fast {
                let _ = self.stopped.set(error.kind());
            }
            self.failed(next_id(), &shown, None, &error);
        }
        let mut crew = Crew::default();
        for item in plan.items {
            while crew.len() >= jobs {
                self.told(crew.one_over().await);
            }
            let (run, id) = (self.clone(), next_id());
            crew.spawn((id, item.shown()), async move { run.one(id, item).await });
        }
        while !crew.is_empty() {
            self.told(crew.one_over().await);
        }
        for folder in plan.empty_folders {
            if let Err(error) = self.empty_folder(&folder).await {
                self.failed(next_id(), &folder.to_string(), Some(&folder), &error);
            }
        }
    }

    fn told(&self, broken: Option<((FileId, String), Error)>) {
        if let Some(((id, shown), error)) = broken {
            self.failed(id, &shown, None, &error);
        }
    }

    async fn one(&self, id: FileId, item: Item) {
        let path = item.folder.join(&item.name).ok();
        if let Some(kind) = self.stopped.get() {
            let error = Error::new(*kind, "not tried, because an earlier failure stopped the run");
            return self.failed(id, &item.shown(), path.as_ref(), &error);
        }
        match self.bring(id, &item).await {
            Ok(report) => self.job.desk.events.tell(Event::Finished { id, report: Box::new(report) }),
            Err(error) => {
                if self.job.options.fail_fast || error.kind() == Kind::Auth {
                    let _ = self.stopped.set(error.kind());
                }
                self.failed(id, &item.shown(), path.as_ref(), &error);
            }
        }
    }

    fn failed(&self, id: FileId, shown: &str, path: Option<&RemotePath>, error: &Error) {
        let mut failure = Failure::new(error).of_source(shown);
        failure.remote = Some(self.job.target.remote.clone());
        failure.path = path.map(ToString::to_string);
        self.job.desk.events.tell(Event::Finished { id, report: Box::new(Report::Failed(failure)) });
    }

    async fn empty_folder(&self, path: &RemotePath) -> Result<()> {
        if self.job.desk.provider.folders().is_none() {
            let note =
                format!("{path}: {} makes folders only for files, so this empty one is left out", self.job.desk.provider.info().title);
            self.job.desk.events.tell(Event::Note(note));
            return Ok(());
        }
        self.folders.ensure(path).await.map(drop)
    }

    async fn bring(&self, id: FileId, item: &Item) -> Result<Report> {
        self.job.desk.provider.check_name(&item.name)?;
        self.check_size(item)?;
        let folder = self.folders.ensure(&item.folder).await?;
        let local = match &item.origin {
            Origin::File(path) => Some(path.as_path()),
            Origin::Stdin => None,
        };
        let ask = Question { local, name: &item.name, folder: &folder, remote: &self.job.remote_key };
        match decide(self.job.options.if_exists, &ask, self.job.ledger.as_ref()).await? {
            Decision::Skip { there, reason } => Ok(self.skipped(item, *there, reason)),
            Decision::Upload { name, replaces } if self.job.options.dry_run => self.planned(item, &folder.entry, &name, replaces.is_some()),
            Decision::Upload { name, replaces } => self.send(id, item, &folder, name, replaces).await,
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

    async fn send(&self, id: FileId, item: &Item, folder: &Folder, name: String, replaces: Option<Box<Entry>>) -> Result<Report> {
        let desk = &self.job.desk;
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
        desk.events.tell(Event::Started { id, name: item.shown(), size: source.size() });
        let mut upload_item = UploadItem {
            checksum: self.checksum(source.as_ref(), stdin.is_some()).await?,
            source,
            folder: folder.entry.clone(),
            siblings: folder.children.clone(),
            name,
            replaces: replaces.map(|old| *old),
            protocol: self.job.options.protocol,
            avoid: Vec::new(),
            chunk_size: self.job.options.chunk_size,
            unused: None,
        };
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

    async fn checksum(&self, source: &dyn Source, is_stdin: bool) -> Result<Checksum> {
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
