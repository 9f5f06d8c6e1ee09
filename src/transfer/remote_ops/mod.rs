//! Changes on one remote: `mv`, `cp`, `rm` and `edit`. `transfer::resolve` finds the entries, `conflict` decides what becomes
//! of a taken name, and `transfer::change` makes single changes that survive a lost answer.

mod conflict;
mod copy;
mod delete;
mod edit;
pub(crate) mod emptied;
mod file_moves;
mod job;
mod move_fitting;
mod relocate;
mod replace;
mod target_folders;

pub(super) use super::change::ConfirmedChanges;
pub use super::resolve::{Resolved, Resolver};
pub use delete::{DeleteOutcome, Remover};
pub use edit::edit;
pub(super) use file_moves::FileMoves;
pub use job::{CopyFrom, Op, ServerSideJob};

use self::copy::CopyTask;
use self::job::{OpsRun, into_itself};
use super::stored_names::StoredNameNotes;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, RemotePath};

/// Moves or copies `from` within the remote of `job.to`. An error means that nothing was changed; failures of single
/// sources are events.
pub async fn copy_or_move(mut job: ServerSideJob, from: &[CopyFrom]) -> Result<()> {
    job.to.place.path = StoredNameNotes::new(job.client.clone()).path(&job.to.place.path)?;
    let mut run = OpsRun::new(job);
    let mut sources = Vec::new();
    for one in from {
        let address = &one.address;
        match run.places.find(address).await {
            Ok(found) if found.top => return Err(top_stays(address)),
            Ok(found) => sources.push((one, found)),
            Err(e) if e.kind() == Kind::Auth => return Err(e),
            Err(e) => run.report_failure(&address.to_string(), None, &e),
        }
    }
    if sources.is_empty() || run.stopped {
        return Ok(());
    }
    let folder = run.target(from.len() > 1).await?;
    let above =
        if sources.iter().any(|(_, s)| s.entry.is_folder()) { run.target_folders.above(&run.job.to.place.path).await? } else { Vec::new() };
    let mut pieces = Vec::new();
    let (filter, is_filtered) = (run.filter(), run.job.filter.is_active());
    for (from, source) in sources {
        if run.stopped {
            break;
        }
        let (path, name) = match &folder {
            Some(folder) => (folder.join_path(&from.below), source.entry.name.clone()),
            None => split(&run.job.to)?,
        };
        if !source.entry.is_folder() {
            let verdict = filter.decide(&source.entry, &from.path(&source.entry), from.within.is_none()).await;
            if !run.admits(&source.shown, &path.join(&name)?, &source.entry, verdict) {
                continue;
            }
        } else if !is_filtered {
            run.job.filter.count_taken();
        }
        let outcome = match above.contains(&source.entry.id) {
            true if source.entry.is_folder() => Err(into_itself()),
            _ if run.job.way == Op::Copy => {
                pieces.push(CopyTask::new((from, &source), path, name));
                continue;
            }
            _ if is_filtered && source.entry.is_folder() => run.move_fitting((from, &source), &path, &name, &filter).await,
            _ => run.move_one(&source, &path, &name).await.map(|report| run.report_finished(report)),
        };
        if let Err(e) = outcome {
            run.report_failure(&source.shown, path.join(&name).ok().as_ref(), &e);
        }
    }
    run.copy_all(pieces).await;
    Ok(())
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
