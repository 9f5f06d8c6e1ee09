//! The whole of a `put`: plan, folders, limits, then so many files at once. Each file's outcome is an event; what stops
//! the whole run comes back as the error.

pub mod awaiting_confirmation;
pub mod batch;
pub mod conflict;
pub mod cross_remote;
pub mod file;
pub mod plan;
pub(crate) mod previous;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::breaker::CircuitBreaker;
use super::client::RemoteClient;
use super::folder_cache::FolderCache;
use super::put::awaiting_confirmation::Berths;
use super::put::batch::{Group, at_once, grouped};
use super::put::conflict::IfExists;
use super::put::file::PreparedUpload;
use super::put::plan::{Plan, PutItem, inspect_sources, plan_uploads, target_is_folder};
use super::stored_names::StoredNames;
use super::task_set::TaskSet;
use crate::contract::{Metadata, TransferStore};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::Failure;
use crate::model::{Address, Event, Limits, Protocol, RemotePath, Report};

/// File handles that a run holds beside those of its files: streams, the state, the runtime, a certificate file.
pub const HANDLES: u64 = 24;
/// Of each file on its way: itself, its lock, connections.
pub const HANDLES_FOR_A_FILE: u64 = 8;

/// When the MD5 is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChecksumMode {
    /// `Before` up to 64 MiB where the provider checks it, else `After`.
    Auto,
    Before,
    After,
    None,
}

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
    /// Given to every file. The provider takes it: whoever asks the user has looked.
    pub metadata: Arc<Metadata>,
}

pub struct PutJob {
    pub desk: RemoteClient,
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account, as in [`crate::contract::CompletedTransfer::remote`].
    pub remote_key: String,
    pub target: Address,
    pub options: PutOptions,
}

/// Puts `sources`. An error means that nothing was sent; failures of single files are events.
pub async fn put(job: PutJob, sources: &[String]) -> Result<()> {
    let named = inspect_sources(sources)?;
    let (run, exists) = PutRun::begin(job).await?;
    let as_folder = exists || target_is_folder(&named, run.job.target.folder);
    let plan = {
        let (target, size) = (run.job.target.place.path.clone(), run.job.options.stdin_size);
        let planned = tokio::task::spawn_blocking(move || plan_uploads(&named, &target, as_folder, size));
        planned.await.map_err(|e| Error::new(Kind::Other, "the sources could not be read").with_cause(e))??
    };
    for left_out in &plan.left_out {
        run.job.desk.events.tell(Event::Note(format!("{left_out}: left out, as it belongs to a download of haul's in progress")));
    }
    run.execute(run.stored.plan(plan)?).await;
    Ok(())
}

/// What an account says of itself, before anything is sent in vain.
fn admit(limits: &Limits) -> Result<()> {
    if limits.expired == Some(true) {
        return Err(Error::new(Kind::Refused, "the share or account has expired").with_hint("ask its owner for a new one"));
    }
    match limits.may_upload {
        Some(false) => Err(Error::new(Kind::Refused, "this account may not upload").with_hint("ask its owner for the permission")),
        _ => Ok(()),
    }
}

fn check_protocol(job: &PutJob, protocol: Protocol) -> Result<()> {
    let info = job.desk.provider.info();
    if info.protocols.contains(&protocol) {
        return Ok(());
    }
    let offers: Vec<_> = info.protocols.iter().map(|p| p.name()).collect();
    Err(Error::new(Kind::Unsupported, format!("{} has no uploads by {protocol}", info.title))
        .with_subject(job.target.remote.clone())
        .with_hint(format!("it takes {}", offers.join(", "))))
}

pub(super) struct PutRun {
    pub(super) job: PutJob,
    pub(super) folders: FolderCache,
    pub(super) limits: Limits,
    /// Bytes left on the account.
    pub(super) free: Option<u64>,
    stop: CircuitBreaker,
    pub(super) stored: StoredNames,
    pub(super) berths: Berths,
}

impl PutRun {
    /// Signs in and looks at the target; true: it is a folder that is there.
    pub(super) async fn begin(mut job: PutJob) -> Result<(Arc<PutRun>, bool)> {
        if let Some(protocol) = job.options.protocol {
            check_protocol(&job, protocol)?;
        }
        let account = job.desk.call(|| job.desk.provider.sign_in()).await?;
        for warning in &account.warnings {
            job.desk.events.tell(Event::Warning(warning.clone()));
        }
        admit(&account.limits).map_err(|e| e.with_subject(job.target.remote.clone()))?;
        let stored = StoredNames::new(job.desk.clone());
        job.target.place.path = stored.path(&job.target.place.path)?;
        let folders = FolderCache::new(job.desk.clone(), job.target.place.root.clone(), job.options.dry_run)
            .with_locks(job.ledger.clone(), job.remote_key.clone());
        // Always asked: what makes the target unusable (an unknown id, two of one name) is told once, before anything is sent.
        let exists = folders.find(&job.target.place.path).await?.is_some();
        let stop = CircuitBreaker::new(job.options.fail_fast);
        let run = PutRun { job, folders, limits: account.limits, free: account.quota.free, stop, stored, berths: Berths::default() };
        Ok((Arc::new(run), exists))
    }

    /// True when every empty folder of the plan is there now; what became of each file is an event.
    pub(super) async fn execute(self: &Arc<Self>, plan: Plan) -> bool {
        let planned = Event::Planned { files: (plan.items.len() + plan.unfit.len()) as u64, bytes: plan.bytes() };
        self.job.desk.events.tell(planned);
        let jobs = self.job.options.jobs.min(self.limits.uploads_at_once.unwrap_or(usize::MAX)).max(1);
        let mut ids = 0..;
        let mut next_id = || ids.next().unwrap_or_default();
        for (shown, error) in plan.unfit {
            self.stop.failure(&self.job.remote_key, &error);
            self.failed(next_id(), &shown, None, &error);
        }
        let mut crew = TaskSet::default();
        for group in grouped(plan.items, self.can_batch(), at_once(jobs)) {
            let small = match group {
                Group::One(item) => {
                    let (run, id, shown) = (self.clone(), next_id(), item.shown());
                    self.spawn(&mut crew, jobs, (id, shown), async move { run.process(id, item).await }).await;
                    continue;
                }
                Group::Small(items) => items.into_iter().map(|item| (next_id(), item)).collect(),
            };
            // Opened and claimed when their turn comes, not while a large file is on its way for hours.
            self.make_room(&mut crew, jobs).await;
            let (ready, busy) = self.prepare_batch(small).await;
            for (id, item, ready) in ready {
                let (run, shown) = (self.clone(), item.shown());
                self.spawn(&mut crew, jobs, (id, shown), async move { run.send_prepared(id, item, ready).await }).await;
            }
            for (id, item) in busy {
                let (run, shown) = (self.clone(), item.shown());
                self.spawn(&mut crew, jobs, (id, shown), async move { run.process(id, item).await }).await;
            }
        }
        while !crew.is_empty() {
            self.report_panic(crew.join_next().await);
        }
        self.report_orphans();
        let mut all_made = true;
        for folder in plan.empty_folders {
            let made = match self.stop.check(&self.job.remote_key) {
                Ok(()) => self.empty_folder(&folder).await,
                Err(stopped) => Err(stopped),
            };
            match made {
                Ok(made) => all_made &= made,
                Err(error) => {
                    all_made = false;
                    self.stop.failure(&self.job.remote_key, &error);
                    self.failed(next_id(), &folder.to_string(), Some(&folder), &error);
                }
            }
        }
        all_made
    }

    async fn make_room(&self, crew: &mut TaskSet<(FileId, String)>, jobs: usize) {
        while !self.berths.has_room(crew.len(), jobs) {
            tokio::select! {
                over = crew.join_next() => self.report_panic(over),
                () = self.berths.changed() => {}
            }
        }
    }

    /// Takes off as soon as one of the others has landed.
    async fn spawn(
        &self,
        crew: &mut TaskSet<(FileId, String)>,
        jobs: usize,
        on: (FileId, String),
        flight: impl Future<Output = ()> + Send + 'static,
    ) {
        self.make_room(crew, jobs).await;
        crew.spawn(on, flight);
    }

    fn report_panic(&self, broken: Option<((FileId, String), Error)>) {
        if let Some(((id, shown), error)) = broken {
            self.failed(id, &shown, None, &error);
        }
    }

    async fn process(&self, id: FileId, item: PutItem) {
        let outcome = match self.check_running(&item) {
            Ok(()) => self.upload_file(id, &item).await,
            Err(stopped) => Err(stopped),
        };
        self.conclude(id, &item, outcome);
    }

    /// What remains to be done for a file that was made ready with others.
    async fn send_prepared(&self, id: FileId, item: PutItem, ready: PreparedUpload) {
        let outcome = match self.check_running(&item) {
            Ok(()) => {
                self.announce(id, &item, &ready);
                self.send(id, &item, ready).await
            }
            Err(stopped) => Err(stopped),
        };
        self.conclude(id, &item, outcome);
    }

    /// Fails with what the file is not tried for.
    pub(super) fn check_running(&self, item: &PutItem) -> Result<()> {
        self.stop.check(&self.line(item))
    }

    /// What must be reached to bring it: of a copy between remotes two servers, of which either may be down.
    fn line(&self, item: &PutItem) -> String {
        match item.origin.original() {
            Some(original) => format!("{} {}", original.remote, self.job.remote_key),
            None => self.job.remote_key.clone(),
        }
    }

    pub(super) fn conclude(&self, id: FileId, item: &PutItem, outcome: Result<Report>) {
        match outcome {
            Ok(report) => {
                // What is skipped may be known from before.
                if !matches!(report, Report::Skipped { .. }) {
                    self.stop.success(&self.line(item));
                }
                self.job.desk.events.tell(Event::Finished { id, report: Box::new(report) });
            }
            Err(error) => {
                self.stop.failure(&self.line(item), &error);
                self.failed(id, &item.shown(), item.folder.join(&item.name).ok().as_ref(), &error);
            }
        }
    }

    fn failed(&self, id: FileId, shown: &str, path: Option<&RemotePath>, error: &Error) {
        let mut failure = Failure::new(error).of_source(shown);
        failure.remote = Some(self.job.target.remote.clone());
        failure.path = path.cloned();
        self.job.desk.events.tell(Event::Finished { id, report: Box::new(Report::Failed(failure)) });
    }

    async fn empty_folder(&self, path: &RemotePath) -> Result<bool> {
        if self.job.desk.provider.folders().is_none() {
            let note =
                format!("{path}: {} makes folders only for files, so this empty one is left out", self.job.desk.provider.info().title);
            self.job.desk.events.tell(Event::Note(note));
            return Ok(false);
        }
        self.folders.ensure(path).await.map(|_| true)
    }
}
