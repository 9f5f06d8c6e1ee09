//! What all files of a `put` share: the account, its limits, the target's folders; and how a file's outcome is told.

use std::sync::Arc;

use super::confirmation_queue::ConfirmationQueue;
use super::options::PutJob;
use super::plan::PutItem;
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::Failure;
use crate::model::{Event, Limits, Protocol, RemotePath, Report};
use crate::transfer::breaker::CircuitBreaker;
use crate::transfer::folder_cache::FolderCache;
use crate::transfer::source::open_file::RealFolders;
use crate::transfer::stored_names::StoredNames;

pub(super) struct PutRun {
    pub(super) job: PutJob,
    pub(super) folders: FolderCache,
    pub(super) limits: Limits,
    /// Bytes left on the account.
    pub(super) free: Option<u64>,
    pub(super) stop: CircuitBreaker,
    pub(super) stored: StoredNames,
    pub(super) confirmations: ConfirmationQueue,
    /// Where the local files really lie.
    pub(super) real_folders: RealFolders,
}

impl PutRun {
    /// Signs in and looks at the target; true: it is a folder that is there.
    pub(super) async fn begin(mut job: PutJob) -> Result<(Arc<PutRun>, bool)> {
        if let Some(protocol) = job.options.protocol {
            check_protocol(&job, protocol)?;
        }
        let account = job.client.call(|p| p.sign_in()).await?;
        for warning in &account.warnings {
            job.client.events.tell(Event::Warning(warning.clone()));
        }
        admit(&account.limits).map_err(|e| e.with_subject(job.target.remote.clone()))?;
        let stored = StoredNames::new(job.client.clone());
        job.target.place.path = stored.path(&job.target.place.path)?;
        let folders = FolderCache::new(job.client.clone(), job.target.place.root.clone(), job.options.dry_run)
            .with_locks(job.ledger.clone(), job.remote_key.clone());
        // Always asked: what makes the target unusable (an unknown id, two of one name) is told once, before anything is sent.
        let exists = folders.find(&job.target.place.path).await?.is_some();
        let stop = CircuitBreaker::new(job.options.fail_fast);
        let confirmations = ConfirmationQueue::new(job.options.jobs);
        let run = PutRun {
            job,
            folders,
            limits: account.limits,
            free: account.quota.free,
            stop,
            stored,
            confirmations,
            real_folders: RealFolders::default(),
        };
        Ok((Arc::new(run), exists))
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
                self.job.client.events.tell(Event::Finished { id, report: Box::new(report) });
            }
            Err(error) => {
                self.stop.failure(&self.line(item), &error);
                self.failed(id, &item.shown(), item.folder.join(&item.name).ok().as_ref(), &error);
            }
        }
    }

    pub(super) fn failed(&self, id: FileId, shown: &str, path: Option<&RemotePath>, error: &Error) {
        let mut failure = Failure::new(error).of_source(shown);
        failure.remote = Some(self.job.target.remote.clone());
        failure.path = path.cloned();
        self.job.client.events.tell(Event::Finished { id, report: Box::new(Report::Failed(failure)) });
    }
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
    let info = job.client.info();
    if info.protocols.contains(&protocol) {
        return Ok(());
    }
    let offers: Vec<_> = info.protocols.iter().map(|p| p.name()).collect();
    Err(Error::new(Kind::Unsupported, format!("{} has no uploads by {protocol}", info.title))
        .with_subject(job.target.remote.clone())
        .with_hint(format!("it takes {}", offers.join(", "))))
}
