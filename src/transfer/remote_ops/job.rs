//! The task of one `mv` or `cp`, and what all its steps share: the target's folders, and the reporting of results.

use std::sync::Arc;

use super::target_folders::TargetFolders;
use crate::contract::TransferStore;
use crate::error::{Error, Kind, Result};
use crate::model::report::{Failure, Placed};
use crate::model::{Address, Entry, Event, RemotePath, Report};
use crate::transfer::change::ConfirmedChanges;
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::{Filter, FilterDecision, RemoteFilter};
use crate::transfer::if_exists::IfExists;
use crate::transfer::resolve::Resolver;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Move,
    Copy,
}

/// One source of a `mv` or `cp`.
#[derive(Clone)]
pub struct CopyFrom {
    pub address: Address,
    /// Folders in the target that it goes into, as a list names it in them.
    pub below: RemotePath,
    /// For the filter: the folders that it lies in, from the one that a list is relative to; none: it was named itself.
    pub within: Option<RemotePath>,
}

impl From<Address> for CopyFrom {
    fn from(address: Address) -> CopyFrom {
        CopyFrom { address, below: RemotePath::root(), within: None }
    }
}

impl CopyFrom {
    /// Its path for the filter: a folder that was named itself is where paths begin.
    pub fn path(&self, entry: &Entry) -> String {
        match &self.within {
            Some(within) => within.names().iter().chain([&entry.name]).cloned().collect::<Vec<_>>().join("/"),
            None if entry.is_folder() => String::new(),
            None => entry.name.clone(),
        }
    }
}

/// Where the sources of one `mv` or `cp` go, and how.
pub struct ServerSideJob {
    pub client: RemoteClient,
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account, as in [`crate::contract::CompletedTransfer::remote`].
    pub remote_key: String,
    pub way: Op,
    pub to: Address,
    pub if_exists: IfExists,
    /// Copies of single files at once.
    pub jobs: usize,
    pub dry_run: bool,
    pub fail_fast: bool,
    /// Which files of the sources.
    pub filter: Arc<Filter>,
}

pub(super) struct OpsRun {
    pub job: ServerSideJob,
    pub hands: ConfirmedChanges,
    pub places: Resolver,
    pub target_folders: TargetFolders,
    pub stopped: bool,
    pub over: u64,
}

impl OpsRun {
    pub fn new(job: ServerSideJob) -> OpsRun {
        let places = Resolver::new(job.client.clone());
        let (root, turns) = (job.to.place.root.clone(), (job.ledger.clone(), job.remote_key.clone()));
        let target_folders = TargetFolders::new(job.client.clone(), root, job.dry_run, turns);
        OpsRun { hands: ConfirmedChanges::new(job.client.clone()), places, target_folders, job, stopped: false, over: 0 }
    }

    /// The folder that all sources go into; none when the target is one source's new name.
    pub async fn target(&self, several: bool) -> Result<Option<RemotePath>> {
        let path = &self.job.to.place.path;
        let as_folder = several || self.job.to.folder || path.is_root() || self.target_folders.is_there(path).await?;
        Ok(as_folder.then(|| path.clone()))
    }

    pub fn filter(&self) -> RemoteFilter {
        let ServerSideJob { client, ledger, remote_key, filter, .. } = &self.job;
        RemoteFilter { filter: filter.clone(), client: client.clone(), ledger: ledger.clone(), key: remote_key.clone() }
    }

    /// Tells what becomes of a source that does not fit; true: it fits. `path`: where it would go.
    pub fn admits(&mut self, shown: &str, path: &RemotePath, entry: &Entry, verdict: FilterDecision) -> bool {
        match verdict {
            FilterDecision::Takes => {
                if !entry.is_folder() {
                    self.job.filter.count_taken();
                }
                return true;
            }
            FilterDecision::Failed(error) => self.report_failure(shown, Some(path), &error),
            FilterDecision::Unsettled(reason) => {
                self.job.filter.count_left_out(shown, &FilterDecision::Unsettled(String::new()));
                let report = self.skipped_report(shown, path, entry, reason);
                self.report_finished(report);
            }
            verdict => {
                if let Some(note) = self.job.filter.count_left_out(shown, &verdict) {
                    self.job.client.events.send(Event::Note(note));
                }
            }
        }
        false
    }

    pub fn report_finished(&mut self, report: Report) {
        self.job.client.events.send(Event::Finished { id: self.over, report: Box::new(report) });
        self.over += 1;
    }

    pub fn report_failure(&mut self, source: &str, path: Option<&RemotePath>, error: &Error) {
        self.stopped |= self.job.fail_fast || error.kind() == Kind::Auth;
        let mut failure = Failure::new(error).of_source(source);
        failure.remote = Some(self.job.to.remote.clone());
        failure.path = path.map(|path| self.job.to.place.display_path(path));
        self.report_finished(Report::Failed(failure));
    }

    /// `path` is counted from the target's root.
    pub fn placed_report(&self, source: &str, path: &RemotePath, entry: &Entry) -> Placed {
        Placed {
            source: source.to_owned(),
            remote: self.job.to.remote.clone(),
            path: self.job.to.place.display_path(path),
            id: Some(entry.id.clone()),
            kind: entry.kind,
            size: entry.size,
        }
    }

    pub fn planned_report(&self, action: &'static str, source: &str, path: &RemotePath, entry: &Entry) -> Report {
        let (remote, path) = (self.job.to.remote.clone(), self.job.to.place.display_path(path));
        Report::Planned { action, source: Some(source.to_owned()), remote, path, target: None, size: entry.size }
    }

    pub fn skipped_report(&self, source: &str, path: &RemotePath, there: &Entry, reason: String) -> Report {
        let (remote, path) = (self.job.to.remote.clone(), self.job.to.place.display_path(path));
        Report::Skipped { source: source.to_owned(), remote, path, target: None, id: Some(there.id.clone()), size: there.size, reason }
    }
}

pub(super) fn into_itself() -> Error {
    Error::new(Kind::Refused, "a folder can't go into itself, nor into a folder that is in it").with_hint("choose another target")
}
