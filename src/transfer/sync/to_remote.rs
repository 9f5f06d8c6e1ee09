//! To a remote, from this machine or from another remote. Both sides are listed first; what is provably equal by what the
//! listings and this machine's notes say is passed over, and `put` decides about the rest.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::actions::{Action, ActionKind, Look};
use super::delete_remote::{RemoteDeletions, plan_deletion};
use super::guard::check_whole;
use super::options::{SyncOptions, SyncOutcome};
use super::paper::Paper;
use super::remote_side::{Extra, ToRemote};
use super::remote_tree::RemoteTree;
use super::source_plan::{Source, SyncFrom, check_local, lay_out_local, lay_out_remote};
use super::watch::{tell_kept, watch};
use crate::contract::Events;
use crate::error::Result;
use crate::transfer::client::RemoteClient;
use crate::transfer::fingerprint::Signs;
use crate::transfer::put::PutJob;
use crate::transfer::put::run::PutRun;

/// Brings to the target of `job` what `from` has. An error means that nothing was sent; failures of single files are events.
///
/// # Errors
/// Nothing was sent: `Usage` for places that can't be synced, `Unsupported` where something is to be deleted and the provider
/// can't, `Refused` by a guard of deletions, or what made a side unreadable.
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
    let Sent { tree, extra, unread, unsettled, paper } = sent?;
    let mut outcome =
        SyncOutcome { equal: outcomes.equal.saturating_sub(unsettled), left: extra.files.len() as u64, ..SyncOutcome::default() };
    if dry_run {
        outcome.actions = paper.actions(&tree, &outcomes.planned)?;
    }
    if !options.delete {
        return Ok(outcome);
    }
    let names = extra.names(&tree);
    if let Err(refused) = check_whole(&options.from, &unread, &names) {
        outcome.only_unread = outcomes.failed == unread.len() as u64;
        outcome.refused = Some(refused);
        return Ok(outcome);
    }
    if outcomes.failed > 0 {
        tell_kept(&client, &outcomes, &names);
        return Ok(outcome);
    }
    if dry_run {
        plan_deletions(&client, &tree, &extra, &mut outcome.actions);
        return Ok(outcome);
    }
    let deleted = RemoteDeletions { client: &client, tree: &tree, jobs, fail_fast }.run(&extra.files, &extra.folders).await;
    outcome.deleted = deleted.all;
    outcome.left = outcome.left.saturating_sub(deleted.files);
    Ok(outcome)
}

fn plan_deletions(client: &RemoteClient, tree: &RemoteTree, extra: &Extra, actions: &mut Vec<Action>) {
    for (at, entry) in extra.files.iter().filter_map(|at| Some((at, tree.entry(*at)?))) {
        let path = tree.folders.get(at.0).and_then(|folder| folder.path.join(&entry.name).ok());
        let target = Some(Look::of(&entry));
        actions.extend(path.map(|path| Action { target, ..Action::on_file(ActionKind::Delete, path, entry.size) }));
        plan_deletion(client, entry.path, entry.size);
    }
    for folder in extra.folders.iter().rev().filter_map(|at| tree.folders.get(*at)) {
        actions.push(Action::on_folder(ActionKind::Delete, folder.path.clone()));
        plan_deletion(client, folder.entry.path.clone(), None);
    }
}

/// How it stands after the transfers.
struct Sent {
    tree: RemoteTree,
    extra: Extra,
    /// Folders of FROM that can't be read.
    unread: Vec<String>,
    /// Files of FROM that changed a moment ago, told as skipped.
    unsettled: u64,
    paper: Paper,
}

async fn transfer(job: PutJob, from: SyncFrom, options: &SyncOptions, equal: Arc<AtomicU64>) -> Result<Sent> {
    let mut filter = job.options.filter.clone();
    if let SyncFrom::Local(path) = &from {
        check_local(path)?;
        filter = Arc::new(filter.of_local_folder(path));
    }
    let (run, exists) = PutRun::begin(job).await?;
    let target = run.job.target.place.path.clone();
    let top = if exists { run.folders().find(&target).await?.map(|top| top.entry.clone()) } else { None };
    let tree = match top {
        Some(top) => RemoteTree::list(&run.job.client, top, run.job.options.jobs, &filter).await?,
        None => RemoteTree::default(),
    };
    let top = match &from {
        SyncFrom::Local(path) => Some(path.clone()),
        SyncFrom::Remote(_) => None,
    };
    let Source { plan, unread, tree: source } = match from {
        SyncFrom::Local(path) => lay_out_local(path, target.clone(), filter.clone(), run.job.client.events.clone()).await?,
        SyncFrom::Remote(source) => lay_out_remote(&source, &run, &tree).await?,
    };
    let sync = ToRemote { run, tree, target, filter, signs: Signs::default() };
    sync.tell_unsettled(&plan.unsettled);
    let unsettled = plan.unsettled.len() as u64;
    let mut plan = plan;
    let (mut matched, mut extra) = sync.compare(&plan)?;
    let from_files = plan.items.len() as u64;
    let moves = if options.track_renames { sync.take_moved(&mut plan, &mut matched, &mut extra).await? } else { Vec::new() };
    if options.delete {
        sync.check_deletions(from_files, &extra, options)?;
    }
    sync.pass_over_equal(&mut plan, &matched, &equal)?;
    drop(matched);
    let mut paper = Paper { top, source, target: sync.target.clone(), actions: Vec::new() };
    if sync.run.job.options.dry_run {
        paper.note_folders(&plan, &sync.tree);
        paper.note_moves(&moves, &sync)?;
    }
    sync.carry_out_moves(moves, &mut plan, &mut extra).await;
    if options.delete {
        sync.tell_unread_target();
    }
    sync.run.execute(plan.into_stream()).await;
    Ok(Sent { tree: sync.tree, extra, unread, unsettled, paper })
}
