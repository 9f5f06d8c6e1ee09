//! The data that all files of a `put` share: the account, its limits, the target's folders; and how the result of a file is
//! reported.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::confirmation_queue::ConfirmationQueue;
use super::options::PutJob;
use super::plan::PutItem;
use super::session::{PutSession, PutSessions};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::Failure;
use crate::model::{Event, Limits, Protocol, RemotePath, Report};
use crate::transfer::breaker::CircuitBreaker;
use crate::transfer::files_at_once::FilesAtOnce;
use crate::transfer::folder_cache::FolderCache;
use crate::transfer::source::open_file::RealFolders;
use crate::transfer::stored_names::StoredNameNotes;

pub(in crate::transfer) struct PutRun {
    pub(in crate::transfer) job: PutJob,
    session: Arc<PutSession>,
    /// Set if this process runs several puts.
    pub(super) sessions: Option<Arc<PutSessions>>,
    pub(super) limits: Limits,
    /// Free bytes of the account.
    pub(super) free: Option<u64>,
    pub(super) stop: CircuitBreaker,
    /// Empty folders that this provider can't make.
    pub(super) folders_left_out: AtomicU64,
    pub(super) at_once: FilesAtOnce,
    pub(in crate::transfer) stored: StoredNameNotes,
    pub(super) confirmations: ConfirmationQueue,
    /// The real paths of local folders.
    pub(in crate::transfer) real_folders: RealFolders,
}

impl PutRun {
    /// As [`PutRun::begin_among`], for a single put.
    pub(in crate::transfer) async fn begin(job: PutJob) -> Result<(Arc<PutRun>, bool)> {
        PutRun::begin_among(None, job).await
    }

    /// Signs in and checks the target. True: the target is an existing folder.
    pub(super) async fn begin_among(sessions: Option<Arc<PutSessions>>, mut job: PutJob) -> Result<(Arc<PutRun>, bool)> {
        if let Some(protocol) = job.options.protocol {
            check_protocol(&job, protocol)?;
        }
        let session = match &sessions {
            Some(sessions) => sessions.session(&job).await?,
            None => Arc::new(PutSession::open(job.client.clone(), &job).await?),
        };
        let most = job.options.jobs.min(session.account.limits.uploads_at_once.unwrap_or(usize::MAX));
        let at_once = FilesAtOnce::new(most, job.client.events.clone());
        job.client = job.client.with_files_at_once(at_once.clone());
        let stored = StoredNameNotes::new(job.client.clone());
        job.target.place.path = stored.path(&job.target.place.path)?;
        // The target is always checked, so that an unusable one (an unknown id, two of one name) is reported once, before
        // anything is sent.
        let exists = session.folders.is_there(&job.target.place.path).await?;
        let stop = CircuitBreaker::new(job.options.fail_fast);
        let confirmations = match &sessions {
            Some(sessions) => sessions.queue(&job.remote_key),
            None => ConfirmationQueue::new(job.options.jobs),
        };
        let run = PutRun {
            job,
            limits: session.account.limits.clone(),
            free: session.account.quota.free,
            session,
            sessions,
            stop,
            folders_left_out: AtomicU64::new(0),
            at_once,
            stored,
            confirmations,
            real_folders: RealFolders::default(),
        };
        Ok((Arc::new(run), exists))
    }

    pub(in crate::transfer) fn folders(&self) -> &FolderCache {
        &self.session.folders
    }

    /// Fails with the reason if the file must not be tried any more.
    pub(super) fn check_running(&self, item: &PutItem) -> Result<()> {
        self.stop.check(&self.server_key(item))
    }

    /// The servers that the file needs: a copy between remotes needs two, and either may be down.
    fn server_key(&self, item: &PutItem) -> String {
        match item.origin.original() {
            Some(original) => format!("{} {}", original.remote, self.job.remote_key),
            None => self.job.remote_key.clone(),
        }
    }

    pub(super) fn check_size(&self, item: &PutItem) -> Result<()> {
        let Some(size) = item.size else { return Ok(()) };
        let refused = |why: String| Err(Error::new(Kind::Refused, why).with_subject(item.display_source()));
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

    pub(super) fn conclude(&self, id: FileId, item: &PutItem, outcome: Result<Report>) {
        match outcome {
            Ok(report) => {
                // A skipped file proves nothing: it may be known from an earlier run.
                if !matches!(report, Report::Skipped { .. }) {
                    self.stop.success(&self.server_key(item));
                    self.at_once.record_finished();
                }
                self.job.client.events.send(Event::Finished { id, report: Box::new(report) });
            }
            Err(error) => {
                self.stop.failure(&self.server_key(item), &error);
                self.report_failure(id, &item.display_source(), item.folder.join(&item.name).ok().as_ref(), &error);
            }
        }
    }

    pub(super) fn report_failure(&self, id: FileId, shown: &str, path: Option<&RemotePath>, error: &Error) {
        let mut failure = Failure::new(error).of_source(shown);
        failure.remote = Some(self.job.target.remote.clone());
        failure.path = path.cloned();
        self.job.client.events.send(Event::Finished { id, report: Box::new(Report::Failed(failure)) });
    }
}

fn check_protocol(job: &PutJob, protocol: Protocol) -> Result<()> {
    let info = job.client.info();
    if info.protocols.contains(&protocol) {
        return Ok(());
    }
    let offers: Vec<_> = info.protocols.iter().map(|p| p.name()).collect();
    Err(Error::new(Kind::Unsupported, format!("{} has no uploads by {protocol}", info.title))
        .with_subject(job.target.remote.clone())
        .with_hint(format!("it takes {}", offers.join(", "))))
}
