//! Carries out a plan whose TO is on a remote, and does nothing else. A file is sent, moved or deleted only where both sides look
//! as they did when the plan was made, or where an earlier run of the plan has done the action already.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::actions::{Action, ActionKind, ActionState};
use super::delete_remote::{RemoteDeletions, plan_deletion};
use super::local_listing::changed_folder_error;
use super::moves_there::{FileMove, ToRemote};
use super::options::{SyncOptions, SyncOutcome};
use super::planned_actions::{file_at, look_at_source};
use super::remote_tree::{At, RemoteTree};
use super::to_remote::{SyncFrom, find_folder};
use super::watch::{report_kept, watch};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{EntryKind, Event, RemotePath, Report};
use crate::transfer::put::PutJob;
use crate::transfer::put::conflict::{Decision, known_md5};
use crate::transfer::put::cross_remote::is_same_server;
use crate::transfer::put::plan::{PlanStep, PutItem};
use crate::transfer::put::plan_stream::PlanStream;
use crate::transfer::put::run::PutRun;
use crate::transfer::source::SourceSpec;

/// Carries out `actions` at the target of `job`, and returns the counts. An error means that nothing was sent. The outcome of each
/// action is an event.
///
/// # Errors
/// As [`super::sync_to_remote`], but without the guards, which were checked when the plan was made. `Usage` for an action that
/// does not fit a remote TO.
pub async fn apply_to_remote(mut job: PutJob, mut from: SyncFrom, actions: Vec<Action>, options: &SyncOptions) -> Result<SyncOutcome> {
    let (client, jobs, dry_run, fail_fast) = (job.client.clone(), job.options.jobs, job.options.dry_run, job.options.fail_fast);
    let (events, told) = Events::channel();
    job.client.events = events.clone();
    if let SyncFrom::Remote(source) = &mut from {
        source.client.events = events.clone();
    }
    drop(events);
    let (deletions, actions): (Vec<Action>, Vec<Action>) = actions.into_iter().partition(|action| action.action == ActionKind::Delete);
    if !deletions.is_empty() && !client.has(|can| can.deletions.is_some()) {
        return Err(
            Error::new(Kind::Unsupported, format!("{} has no call that removes", client.info().title)).with_subject(options.to.clone())
        );
    }
    let work = transfer(job, from, actions, !deletions.is_empty());
    let (sent, outcomes) = tokio::join!(work, watch(told, client.events.clone(), Arc::new(AtomicU64::new(0))));
    let tree = sent?;
    let mut outcome = SyncOutcome { equal: outcomes.equal, ..SyncOutcome::default() };
    let names: Vec<String> = deletions.iter().map(|action| action.path.to_string()).collect();
    if outcomes.failed > 0 {
        report_kept(&client, &outcomes, &names);
        outcome.left = deletions.iter().filter(|action| action.kind == EntryKind::File).count() as u64;
        return Ok(outcome);
    }
    let (mut files, mut folders): (Vec<At>, Vec<usize>) = (Vec::new(), Vec::new());
    for action in &deletions {
        match entry_to_delete(&tree, action) {
            Ok(None) => {}
            Ok(Some(EntryToDelete::File(at))) => files.push(at),
            Ok(Some(EntryToDelete::Folder(at))) => folders.push(at),
            Err(error) => {
                let top = tree.folders.first().map(|top| top.entry.path.clone()).unwrap_or_default();
                report_failed(&client.events, &client.remote, &top.join_path(&action.path), &error);
            }
        }
    }
    if dry_run {
        files.iter().filter_map(|at| tree.entry(*at)).for_each(|entry| plan_deletion(&client, entry.path, entry.size));
        folders.iter().filter_map(|at| tree.folders.get(*at)).for_each(|folder| plan_deletion(&client, folder.entry.path.clone(), None));
        return Ok(outcome);
    }
    let deleted = RemoteDeletions { client: &client, tree: &tree, jobs, fail_fast }.run(&files, &folders).await;
    outcome.deleted = deleted.all;
    outcome.left = (files.len() as u64).saturating_sub(deleted.files);
    Ok(outcome)
}

fn report_failed(events: &Events, remote: &str, path: &RemotePath, error: &Error) {
    let report = Report::Failed(Failure::new(error).at(remote, path.clone()));
    events.send(Event::Finished { id: u64::MAX, report: Box::new(report) });
}

/// The position in the tree of a file or folder of TO that is to be deleted or moved.
enum EntryToDelete {
    File(At),
    Folder(usize),
}

/// Finds the file or folder that an action deletes or moves. None: TO has nothing of that name. Fails with `Exists` where TO has
/// another file of that name by now. The state of a folder is not compared, as a folder is deleted only when it is empty.
fn entry_to_delete(tree: &RemoteTree, action: &Action) -> Result<Option<EntryToDelete>> {
    if action.kind == EntryKind::Folder {
        return Ok(tree.folder(&action.path).filter(|(at, _)| *at > 0).map(|(at, _)| EntryToDelete::Folder(at)));
    }
    let (Some(parent), Some(name)) = (action.path.parent(), action.path.name()) else { return Ok(None) };
    let Some((at, folder)) = tree.folder(&parent) else { return Ok(None) };
    let mut named = folder.find_by_name(name).filter_map(|n| folder.entries.get(n).map(|entry| (n, entry))).peekable();
    if named.peek().is_none() {
        return Ok(None);
    }
    let is_it = |entry: &_| action.target.as_ref().is_some_and(|look| look.is_of(entry));
    let found = named.find(|(_, entry)| !entry.is_folder() && is_it(entry));
    found.map(|(n, _)| Some(EntryToDelete::File((at, n)))).ok_or_else(changed_folder_error)
}

/// Carries out all actions but the deletions. Returns the tree of TO; the tree is empty where nothing is to be moved or deleted.
/// An error means that nothing was sent or moved.
async fn transfer(job: PutJob, from: SyncFrom, actions: Vec<Action>, deletes: bool) -> Result<RemoteTree> {
    let (run, exists) = PutRun::begin(job).await?;
    let target = run.job.target.place.path.clone();
    let top = if exists { run.folders().find(&target).await?.map(|top| top.entry.clone()) } else { None };
    let filter = run.job.options.filter.clone();
    let has_moves = actions.iter().any(|action| action.action == ActionKind::Move);
    let tree = match top.filter(|_| deletes || has_moves) {
        Some(top) => RemoteTree::list(&run.job.client, top, run.job.options.jobs, &filter).await?,
        None => RemoteTree::default(),
    };
    let origins = Origins::open(from, &run).await?;
    let apply = Apply { to: ToRemote { run, target }, tree, origins };
    let (mut plan, mut moves) = (Vec::new(), Vec::new());
    for action in actions {
        let shown = apply.origins.display_path(&action.path);
        match apply.step(action, &mut plan, &mut moves).await {
            Ok(()) => {}
            Err(error) if error.kind() == Kind::Usage || error.kind() == Kind::Auth => return Err(error),
            Err(error) => plan.push(PlanStep::Rejected(shown, error)),
        }
    }
    for FileMove { item, .. } in apply.to.carry_out_moves(moves, &apply.tree).await {
        let error = Error::new(Kind::Other, "it could not be moved").with_hint("make a new plan");
        plan.push(PlanStep::Rejected(item.display_source(), error));
    }
    apply.to.run.execute(PlanStream::whole(plan)).await;
    Ok(apply.tree)
}

/// FROM, from which the actions take their files.
enum Origins {
    Local(std::path::PathBuf),
    Remote { source: Box<crate::transfer::put::cross_remote::CopySource>, tree: RemoteTree, same_server: bool },
}

impl Origins {
    async fn open(from: SyncFrom, run: &PutRun) -> Result<Origins> {
        match from {
            SyncFrom::Local(path) => Ok(Origins::Local(path)),
            SyncFrom::Remote(source) => {
                let top = find_folder(&source).await?;
                let same_server = is_same_server(&source.client, &run.job.client).await?;
                let tree = RemoteTree::list(&source.client, top, run.job.options.jobs, &run.job.options.filter).await?;
                Ok(Origins::Remote { source, tree, same_server })
            }
        }
    }

    fn display_path(&self, path: &RemotePath) -> String {
        match self {
            Origins::Local(top) => path.names().iter().fold(top.clone(), |at, name| at.join(name)).display().to_string(),
            Origins::Remote { source, tree, .. } => {
                let top = tree.folders.first().map(|top| top.entry.path.clone()).unwrap_or_default();
                source.client.address(&top.join_path(path))
            }
        }
    }

    /// Returns the file of an action, for `put`. Fails with `NotFound` or `Integrity` where FROM no longer has the file as it was
    /// planned, with `Local` for a file that can't be read, and with `Usage` for an action without a name.
    fn item(&self, action: &Action, to: &ToRemote) -> Result<PutItem> {
        let (Some(parent), Some(name)) = (action.path.parent(), action.path.name()) else {
            return Err(Error::new(Kind::Usage, "this action names no file"));
        };
        let origin = match self {
            Origins::Local(top) => SourceSpec::File(action.path.names().iter().fold(top.clone(), |at, name| at.join(name))),
            Origins::Remote { source, tree, same_server } => {
                let entry =
                    file_at(tree, &action.path).ok_or_else(|| changed_source_error().with_subject(self.display_path(&action.path)))?;
                let folder = tree.folder(&parent).map(|(_, folder)| &folder.entry);
                SourceSpec::Remote(Arc::new(source.file(&to.run.job, *same_server, &entry, folder, source.client.address(&entry.path))?))
            }
        };
        let now = look_at_source(&origin)?;
        let is_same = match (&action.source, &now, &origin) {
            (Some(then), ActionState::Local(now), _) => then.is_here(now),
            (Some(then), _, SourceSpec::Remote(original)) => then.is_of(&original.entry),
            _ => false,
        };
        if !is_same {
            return Err(changed_source_error());
        }
        let folder = to.target.join_path(&to.run.stored.path(&parent)?);
        Ok(PutItem { origin, folder, name: to.run.stored.name(name), size: action.size })
    }
}

fn changed_source_error() -> Error {
    Error::new(Kind::Integrity, "the file has changed since the plan was made, so nothing was done").with_hint("make a new plan")
}

struct Apply {
    to: ToRemote,
    /// The entries of TO; empty where nothing at TO is to be moved or deleted.
    tree: RemoteTree,
    origins: Origins,
}

impl Apply {
    async fn step(&self, action: Action, plan: &mut Vec<PlanStep>, moves: &mut Vec<FileMove>) -> Result<()> {
        match action.action {
            ActionKind::Create => plan.push(PlanStep::EmptyFolder(self.to.target.join_path(&self.to.run.stored.path(&action.path)?))),
            ActionKind::Upload | ActionKind::Copy => {
                let item = self.origins.item(&action, &self.to)?;
                self.check_target(&action, &item).await?;
                plan.push(PlanStep::Put(item));
            }
            ActionKind::Move => {
                let item = self.origins.item(&action, &self.to)?;
                match self.old_place(&action)? {
                    Some((at, md5)) => {
                        self.check_target(&Action { target: None, ..action }, &item).await?;
                        moves.push(FileMove { item, at, md5 });
                    }
                    // An earlier run has moved the file, or somebody has removed the file. The file at the new path tells which.
                    None => {
                        self.check_same(&item).await?;
                        plan.push(PlanStep::Put(item));
                    }
                }
            }
            ActionKind::Download | ActionKind::Delete => return Err(Error::new(Kind::Usage, "this plan is not for a remote")),
        }
        Ok(())
    }

    /// Returns the position in the tree of a file that is to be moved, and its MD5 where that is known. None: TO no longer has
    /// the file. Fails with `Exists` where TO has another file there.
    fn old_place(&self, action: &Action) -> Result<Option<(At, Option<String>)>> {
        let from = Action { path: action.from.clone().unwrap_or_default(), ..action.clone() };
        let Some(EntryToDelete::File(at)) = entry_to_delete(&self.tree, &from)? else { return Ok(None) };
        let PutJob { ledger, remote_key, .. } = &self.to.run.job;
        let md5 = self.tree.entry(at).map(|entry| known_md5(&entry, ledger.as_ref(), remote_key)).transpose()?;
        Ok(Some((at, md5.flatten())))
    }

    /// Checks the place of an item at TO. Fails with `Exists` where TO has another file there than when the plan was made. The
    /// file of the item itself is no failure: an earlier run has carried out the plan, perhaps in part.
    async fn check_target(&self, action: &Action, item: &PutItem) -> Result<()> {
        let folder = self.to.run.folders().find(&item.folder).await?;
        let there: Vec<_> = folder.iter().flat_map(|folder| folder.children.iter()).collect();
        let named = there.iter().any(|entry| entry.name == item.name && !entry.incomplete);
        let is_as_it_was = match &action.target {
            Some(look) => there.iter().any(|entry| look.is_of(entry)),
            None => !named,
        };
        if is_as_it_was { Ok(()) } else { self.check_same(item).await }
    }

    /// Checks that TO has the very file of an item, or a part of that file from an earlier run. Fails with `Exists` where TO does not.
    async fn check_same(&self, item: &PutItem) -> Result<()> {
        let changed =
            || Error::new(Kind::Exists, "TO has changed there since the plan was made, so nothing was done").with_hint("make a new plan");
        let run = &self.to.run;
        let folder = run.folders().find(&item.folder).await?.ok_or_else(changed)?;
        let here = item.origin.inspect(&run.real_folders).await?.identity;
        let path = folder.entry.path.join(&item.name)?;
        // A killed run of this plan may have sent a part of the file, or all of it. The upload resumes that part.
        let journal = run.journal(run.place_key(&folder, &path), item, &path, here.clone());
        if run.find_previous(journal.as_ref(), &item.origin, &folder).await?.is_some() {
            return Ok(());
        }
        run.adopt_copy(item, journal.as_ref(), &folder)?;
        match run.decide(item, here.as_ref(), &folder).await? {
            Decision::Skip(skip) if skip.same => Ok(()),
            _ => Err(changed()),
        }
    }
}
