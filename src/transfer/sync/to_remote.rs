//! Syncs to a remote, from this machine or from a remote. Both sides are walked together, folder by folder (`compare_remote`). Files
//! that differ are sent while the walk goes on. Deletions come after all transfers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::actions::{Action, ActionKind, ActionState};
use super::compare_remote::{Compared, Comparison, Original};
use super::delete_remote::{RemoteDeletions, plan_deletion};
use super::from_walk::{FromWalk, check_local};
use super::moves_there::ToRemote;
use super::options::{KEPT_BACK, SyncOptions, SyncOutcome};
use super::remote_from::RemoteFrom;
use super::remote_target::{Lacking, RemoteTarget, one_in_the_other};
use super::watch::{may_delete, watch};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event, RemotePath, Root};
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::RemoteFilter;
use crate::transfer::fingerprint::UnopenedFingerprints;
use crate::transfer::put::PutJob;
use crate::transfer::put::cross_remote::{CopySource, is_same_server};
use crate::transfer::put::plan_stream::PlanStream;
use crate::transfer::put::run::PutRun;
use crate::transfer::resolve::Resolver;

/// Where the files come from.
pub enum SyncFrom {
    /// The content of this local folder.
    Local(PathBuf),
    /// The content of this folder on a remote.
    Remote(Box<CopySource>),
}

/// Sends the content of `from` to the target of `job`, and returns the counts. An error means that nothing was sent. Failures of
/// single files are events.
///
/// # Errors
/// `Usage` for places that can't be synced, `Unsupported` where a file is to be deleted and the provider can't delete, `Refused`
/// where a guard stops the deletions, or the error of a side that can't be read.
pub async fn sync_to_remote(mut job: PutJob, mut from: SyncFrom, options: &SyncOptions) -> Result<SyncOutcome> {
    let (client, jobs, dry_run, fail_fast) = (job.client.clone(), job.options.jobs, job.options.dry_run, job.options.fail_fast);
    let (events, told) = Events::channel();
    job.client.events = events.clone();
    if let SyncFrom::Remote(source) = &mut from {
        source.client.events = events.clone();
    }
    drop(events);
    let equal = Arc::new(AtomicU64::new(0));
    let (sent, outcomes) = tokio::join!(transfer(job, from, options, equal.clone()), watch(told, client.events.clone(), equal));
    let Compared { lacking, unread, unsettled, planned, guarded, .. } = sent?;
    let mut outcome = SyncOutcome { equal: outcomes.equal.saturating_sub(unsettled), left: lacking.count, ..SyncOutcome::default() };
    if options.plan {
        outcome.actions = planned.actions(&outcomes.planned);
    }
    if !may_delete(&client, options, (&outcomes, &guarded, &unread), &lacking.names(), &mut outcome) {
        return Ok(outcome);
    }
    if dry_run {
        plan_deletions(&client, &lacking, &mut outcome.actions);
        return Ok(outcome);
    }
    let deletions = RemoteDeletions { client: &client, tree: &lacking.tree, jobs, fail_fast };
    let deleted = deletions.run(&lacking.files, &lacking.folders).await;
    outcome.deleted = deleted.all;
    outcome.left = outcome.left.saturating_sub(deleted.files);
    Ok(outcome)
}

fn plan_deletions(client: &RemoteClient, lacking: &Lacking, actions: &mut Vec<Action>) {
    let tree = &lacking.tree;
    for (at, entry) in lacking.files.iter().filter_map(|at| Some((at, tree.entry(*at)?))) {
        let path = tree.folders.get(at.0).and_then(|folder| folder.path.join(&entry.name).ok());
        let target = Some(ActionState::of(&entry));
        actions.extend(path.map(|path| Action { target, ..Action::on_file(ActionKind::Delete, path, entry.size) }));
        plan_deletion(client, entry.path, entry.size);
    }
    // `lacking.folders` has a folder after the folders in it, which is the order of the deletions.
    for folder in lacking.folders.iter().filter_map(|at| tree.folders.get(*at)) {
        actions.push(Action::on_folder(ActionKind::Delete, folder.path.clone()));
        plan_deletion(client, folder.entry.path.clone(), None);
    }
}

async fn transfer(job: PutJob, from: SyncFrom, options: &SyncOptions, equal: Arc<AtomicU64>) -> Result<Compared> {
    let mut filter = job.options.filter.clone();
    if let SyncFrom::Local(path) = &from {
        check_local(path)?;
        filter = Arc::new(filter.of_local_folder(path));
    }
    let (run, exists) = PutRun::begin(job).await?;
    let target = run.job.target.place.path.clone();
    let top = if exists { run.folders().find(&target).await?.map(|top| top.entry.clone()) } else { None };
    let PutJob { client, options: put, .. } = &run.job;
    let mut options = options.clone();
    if options.track_renames && !client.has(|can| can.moves.is_some()) {
        client.events.send(Event::Note(format!("{} can't move files, so what moved is sent again", client.info().title)));
        options.track_renames = false;
    }
    // A provider that can't delete can't carry out --delete. So nothing is sent before it is certain that nothing is to be deleted.
    let mut hold = match options.delete {
        true if client.has(|can| can.deletions.is_some()) => KEPT_BACK,
        true => usize::MAX,
        false => 0,
    };
    let (mut original, mut local, mut apart_from) = (None, None, None);
    let walk = match from {
        SyncFrom::Local(path) => FromWalk::local(local.insert(path), filter.clone()),
        SyncFrom::Remote(source) => {
            let top = find_folder(&source).await?;
            let same_server = is_same_server(&source.client, client).await?;
            if same_server {
                let is_certain = check_apart(&source, &top, &run).await?;
                hold = if is_certain { hold } else { usize::MAX };
                apart_from = Some(top.id.clone());
            }
            let CopySource { client, ledger, key, .. } = source.as_ref();
            let rules = RemoteFilter { filter: filter.clone(), client: client.clone(), ledger: ledger.clone(), key: key.clone() };
            let from = RemoteFrom::open(rules, top, put.jobs, |_| Ok(())).await?;
            original = Some(Original { source: *source, same_server });
            FromWalk::Remote(Box::new(from))
        }
    };
    let names = options.delete || options.track_renames;
    let there = RemoteTarget::open(client.clone(), top, put.jobs, filter.clone(), names, apart_from).await?;
    let (out, steps) = PlanStream::channel(hold);
    let comparison = Comparison {
        to: ToRemote { run: run.clone(), target: target.clone() },
        there,
        original,
        filter,
        options,
        out,
        equal,
        signs: UnopenedFingerprints::default(),
        new: Vec::new(),
        has_moved: false,
        done: Compared::new(local, &target),
    };
    let (compared, _) = tokio::join!(comparison.run(walk), run.execute(steps));
    compared
}

/// Returns the folder FROM. Fails with `Usage` for a file, and as [`Resolver::find`].
pub(super) async fn find_folder(source: &CopySource) -> Result<Entry> {
    let top = Resolver::new(source.client.clone()).find(&source.from.address).await?.entry;
    match top.is_folder() {
        true => Ok(top),
        false => Err(Error::new(Kind::Usage, "sync takes a folder, and this is a file")
            .with_subject(source.from.address.to_string())
            .with_hint("`haul cp` carries single files between remotes")),
    }
}

/// Checks that neither side lies in the other. Fails with `Usage` where one side does. False: FROM may still lie in TO, as an address
/// does not begin at the top of the remote; the walk over TO checks that.
async fn check_apart(source: &CopySource, from: &Entry, run: &PutRun) -> Result<bool> {
    let to = &run.job.target.place;
    let mut place = Some(to.path.clone());
    while let Some(path) = place {
        if run.folders().find(&path).await?.is_some_and(|folder| folder.entry.id == from.id) {
            return Err(one_in_the_other(&run.job.target.to_string()));
        }
        place = path.parent();
    }
    let address = &source.from.address.place;
    let are_paths = to.root == Root::Top && address.root == Root::Top;
    let stored: RemotePath = source.client.stored_path(&address.path)?;
    if are_paths && stored.below(&to.path).is_some() {
        return Err(one_in_the_other(&run.job.target.to_string()));
    }
    Ok(are_paths)
}
