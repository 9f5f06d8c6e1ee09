//! Changes on one remote: what `mv`, `cp`, `rm` and `edit` mean there. `places` finds what is meant, `landing` decides
//! what becomes of a taken name, `hands` makes single changes that survive a lost answer.

mod conflict;
mod copy;
mod delete;
mod edit;
mod relocate;
mod replace;
mod shelves;

pub(super) use super::change::ConfirmedChanges;
pub use super::resolve::{Resolved, Resolver};
pub use delete::Remover;
pub use edit::edit;

use std::sync::Arc;

use self::copy::CopyTask;
use self::shelves::TargetFolders;
use super::client::RemoteClient;
use super::put::conflict::IfExists;
use super::stored_names::StoredNames;
use crate::contract::TransferStore;
use crate::error::{Error, Kind, Result};
use crate::model::report::{Failure, Placed};
use crate::model::{Address, Entry, Event, RemotePath, Report};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Move,
    Copy,
}

/// Where the sources of one `mv` or `cp` go, and how.
pub struct ServerSideJob {
    pub desk: RemoteClient,
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
}

/// Moves or copies `from` within the remote of `job.to`. An error means that nothing was changed; failures of single
/// sources are events.
pub async fn arrange(mut job: ServerSideJob, from: &[Address]) -> Result<()> {
    job.to.place.path = StoredNames::new(job.desk.clone()).path(&job.to.place.path)?;
    let mut run = OpsRun::new(job);
    let mut sources = Vec::new();
    for address in from {
        match run.places.find(address).await {
            Ok(found) if found.top => return Err(top_stays(address)),
            Ok(found) => sources.push(found),
            Err(e) if e.kind() == Kind::Auth => return Err(e),
            Err(e) => run.failed(&address.to_string(), None, &e),
        }
    }
    if sources.is_empty() || run.stopped {
        return Ok(());
    }
    let folder = run.target(from.len() > 1).await?;
    let above = if sources.iter().any(|s| s.entry.is_folder()) { run.shelves.above(&run.job.to.place.path).await? } else { Vec::new() };
    let mut pieces = Vec::new();
    for source in sources {
        if run.stopped {
            break;
        }
        let (path, name) = match &folder {
            Some(folder) => (folder.clone(), source.entry.name.clone()),
            None => split(&run.job.to)?,
        };
        let outcome = match above.contains(&source.entry.id) {
            true if source.entry.is_folder() => Err(into_itself()),
            _ if run.job.way == Op::Copy => {
                pieces.push(CopyTask::new(&source, path, name));
                continue;
            }
            _ => run.move_one(&source, &path, &name).await.map(|report| run.finished(report)),
        };
        if let Err(e) = outcome {
            run.failed(&source.shown, path.join(&name).ok().as_ref(), &e);
        }
    }
    run.copy_all(pieces).await;
    Ok(())
}

struct OpsRun {
    job: ServerSideJob,
    hands: ConfirmedChanges,
    places: Resolver,
    shelves: TargetFolders,
    stopped: bool,
    over: u64,
}

impl OpsRun {
    fn new(job: ServerSideJob) -> OpsRun {
        let places = Resolver::new(job.desk.clone());
        let (root, turns) = (job.to.place.root.clone(), (job.ledger.clone(), job.remote_key.clone()));
        let shelves = TargetFolders::new(job.desk.clone(), root, job.dry_run, turns);
        OpsRun { hands: ConfirmedChanges::new(job.desk.clone()), places, shelves, job, stopped: false, over: 0 }
    }

    /// The folder that all sources go into; none when the target is one source's new name.
    async fn target(&self, several: bool) -> Result<Option<RemotePath>> {
        let path = &self.job.to.place.path;
        let as_folder = several || self.job.to.folder || path.is_root() || self.shelves.is_there(path).await?;
        Ok(as_folder.then(|| path.clone()))
    }

    fn finished(&mut self, report: Report) {
        self.job.desk.events.tell(Event::Finished { id: self.over, report: Box::new(report) });
        self.over += 1;
    }

    fn failed(&mut self, source: &str, path: Option<&RemotePath>, error: &Error) {
        self.stopped |= self.job.fail_fast || error.kind() == Kind::Auth;
        let mut failure = Failure::new(error).of_source(source);
        failure.remote = Some(self.job.to.remote.clone());
        failure.path = path.map(|path| self.job.to.place.display_path(path));
        self.finished(Report::Failed(failure));
    }

    /// `path` is counted from the target's root.
    fn placed(&self, source: &str, path: &RemotePath, entry: &Entry) -> Placed {
        Placed {
            source: source.to_owned(),
            remote: self.job.to.remote.clone(),
            path: self.job.to.place.display_path(path),
            id: Some(entry.id.clone()),
            kind: entry.kind,
            size: entry.size,
        }
    }

    fn planned(&self, action: &'static str, source: &str, path: &RemotePath, entry: &Entry) -> Report {
        let (remote, path) = (self.job.to.remote.clone(), self.job.to.place.display_path(path));
        Report::Planned { action, source: Some(source.to_owned()), remote, path, size: entry.size }
    }

    fn skipped(&self, source: &str, path: &RemotePath, there: &Entry, reason: String) -> Report {
        let (remote, path) = (self.job.to.remote.clone(), self.job.to.place.display_path(path));
        Report::Skipped { source: source.to_owned(), remote, path, id: Some(there.id.clone()), size: there.size, reason }
    }
}

/// Parent folder and new name.
fn split(to: &Address) -> Result<(RemotePath, String)> {
    match (to.place.path.parent(), to.place.path.name()) {
        (Some(parent), Some(name)) => Ok((parent, name.to_owned())),
        _ => Err(Error::new(Kind::Usage, "the target names no file").with_subject(to.to_string())),
    }
}

pub(super) fn top_stays(address: &Address) -> Error {
    Error::new(Kind::Usage, "a top folder can't be moved or copied as one")
        .with_subject(address.to_string())
        .with_hint("name what is in it")
}

fn into_itself() -> Error {
    Error::new(Kind::Refused, "a folder can't go into itself, nor into a folder that is in it").with_hint("choose another target")
}
