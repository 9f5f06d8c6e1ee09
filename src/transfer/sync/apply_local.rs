//! Carries out a plan whose TO is a folder on this machine.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::actions::{Action, ActionKind, ActionState};
use super::local_listing::{LocalKind, LocalListing, LocalState, delete, target};
use super::local_target::{local_history, send_report};
use super::moves_here::MovesHere;
use super::options::SyncOutcome;
use super::planned_actions::file_at;
use super::remote_tree::RemoteTree;
use super::watch::{report_kept, watch};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Address, Entry, EntryKind, RemotePath, Report};
use crate::transfer::download::open_folder::LocalFolder;
use crate::transfer::fingerprint::FileFingerprint;
use crate::transfer::get::selected::{SelectedFiles, SelectedStep, get_selected};
use crate::transfer::get::{GetOptions, GetSource};

/// Carries out `actions` in the folder `local`, and returns the counts. The outcome of each action is an event.
///
/// # Errors
/// As [`super::sync_to_local`], but without the guards, which were checked when the plan was made. `Usage` for an action that
/// does not fit a local TO: earlier moves of the plan are done by then. `Usage` also for a deletion that does not say how its file
/// looked: all files are downloaded by then, and the deletions before this deletion are done.
pub async fn apply_to_local(mut source: GetSource, local: &str, get: GetOptions, actions: Vec<Action>) -> Result<SyncOutcome> {
    let (client, dry_run) = (source.client.clone(), get.dry_run);
    let (events, told) = Events::channel();
    source.client.events = events;
    let (deletions, actions): (Vec<Action>, Vec<Action>) = actions.into_iter().partition(|action| action.action == ActionKind::Delete);
    let work = fetch(source, local, get, actions);
    let (sent, outcomes) = tokio::join!(work, watch(told, client.events.clone(), Arc::new(AtomicU64::new(0))));
    sent?;
    let mut outcome = SyncOutcome { equal: outcomes.equal, ..SyncOutcome::default() };
    let names: Vec<String> = deletions.iter().map(|action| action.path.to_string()).collect();
    if outcomes.failed > 0 {
        report_kept(&client, &outcomes, &names);
        outcome.left = deletions.iter().filter(|action| action.kind == EntryKind::File).count() as u64;
        return Ok(outcome);
    }
    let open = LocalFolder::open(Path::new(local), false)?;
    let listing = LocalListing::unread(Path::new(local));
    for action in deletions {
        let shown = listing.display_path(&action.path);
        if dry_run {
            send_report(&client, Report::PlannedHere { action: "delete", path: action.path, target: shown, size: action.size });
            continue;
        }
        let (kind, state) = match &action.target {
            Some(ActionState::Local(state)) if action.kind == EntryKind::File => (LocalKind::File, state.clone()),
            _ if action.kind == EntryKind::Folder => (LocalKind::Folder, LocalState::default()),
            _ => return Err(Error::new(Kind::Usage, "this plan does not say what it deletes").on_local(shown)),
        };
        match delete(&open, &action.path, kind, &state) {
            Ok(true) => {
                outcome.deleted += 1;
                send_report(&client, Report::DeletedHere { path: action.path, target: shown, kind: action.kind });
            }
            Ok(false) => {}
            Err(error) => {
                outcome.left += u64::from(action.kind == EntryKind::File);
                send_report(&client, Report::Failed(Failure::new(&error).of_source(shown)));
            }
        }
    }
    Ok(outcome)
}

async fn fetch(source: GetSource, local: &str, get: GetOptions, actions: Vec<Action>) -> Result<()> {
    let tree = RemoteTree::list(&source.client, source.entry.clone(), get.jobs, &get.filter).await?;
    let apply = ApplyHere { source, tree, listing: LocalListing::unread(Path::new(local)), get };
    let mut steps = Vec::new();
    for action in actions {
        match apply.step(local, &action).await {
            Ok(None) if action.action == ActionKind::Create => steps.push(SelectedStep::Folder(action.path)),
            Ok(None) => {}
            Ok(Some((folder, file))) => steps.push(SelectedStep::File(folder, Box::new(file))),
            Err(error) if error.kind() == Kind::Usage => return Err(error),
            Err(error) => {
                let (remote, path) = (apply.source.address.remote.clone(), apply.source.entry.path.join_path(&action.path));
                let failure = Failure::new(&error).of_source(Address::text(&remote, &path)).at(remote, path);
                send_report(&apply.source.client, Report::Failed(failure));
            }
        }
    }
    let ApplyHere { source, get, .. } = apply;
    get_selected(source, local, SelectedFiles::whole(steps), get).await
}

struct ApplyHere {
    source: GetSource,
    tree: RemoteTree,
    listing: LocalListing,
    get: GetOptions,
}

impl ApplyHere {
    /// Prepares an action; a move is carried out at once. Returns the folder and the file that are to be downloaded, or none where
    /// nothing is to be downloaded. Fails as [`ApplyHere::source_of`] and [`ApplyHere::check_here`], and with `Usage` for an action
    /// that does not fit a local TO.
    async fn step(&self, local: &str, action: &Action) -> Result<Option<(RemotePath, Entry)>> {
        let top = LocalFolder::open(Path::new(local), false)?;
        match action.action {
            ActionKind::Create => return Ok(None),
            ActionKind::Move => return self.step_move(local, &top, action).await,
            ActionKind::Download => {}
            _ => return Err(Error::new(Kind::Usage, "this plan is not for this machine")),
        }
        let (file, folder) = self.source_of(action)?;
        self.check_here(&top, action, action.target.as_ref(), &file).await?;
        Ok(Some((folder, file)))
    }

    /// Returns the file of an action at FROM, and the folder that the file lands in. Fails with `Integrity` where FROM no longer
    /// has the file as it was planned.
    fn source_of(&self, action: &Action) -> Result<(Entry, RemotePath)> {
        let file = file_at(&self.tree, &action.path).filter(|file| action.source.as_ref().is_some_and(|look| look.is_of(file)));
        let folder = action.path.parent().unwrap_or_default();
        file.map(|file| (file, folder)).ok_or_else(|| {
            Error::new(Kind::Integrity, "the file has changed since the plan was made, so nothing was done").with_hint("make a new plan")
        })
    }

    /// Checks the place of an action on this machine. Fails with `Exists` where this machine has another file there than when the
    /// plan was made. The file of the action itself is no failure: an earlier run has carried out the plan, perhaps in part.
    async fn check_here(&self, top: &LocalFolder, action: &Action, then: Option<&ActionState>, file: &Entry) -> Result<()> {
        let now = target(top, &action.path)?.and_then(|target| target.metadata().ok());
        let is_as_it_was = match (&now, then) {
            (None, None) => true,
            (Some(now), Some(then)) => then.is_here(&LocalState::of(now)),
            _ => false,
        };
        if is_as_it_was {
            return Ok(());
        }
        let path = self.listing.local(&action.path);
        let is_file = now.is_some_and(|now| now.is_file());
        let here = if is_file { FileFingerprint::of_settled(&path).await.ok() } else { None };
        let same = match here {
            Some(here) => local_history(&self.source, &self.get).is_same(file, &here, &path).await?,
            None => false,
        };
        if same {
            return Ok(());
        }
        Err(Error::new(Kind::Exists, "it has changed here since the plan was made, so nothing was done")
            .on_local(path.display().to_string())
            .with_hint("make a new plan"))
    }

    /// Moves a file at once, and returns none. Where the old path no longer holds the file, an earlier run may have moved the file:
    /// then the file is returned for download, and the download skips a file that is the same.
    async fn step_move(&self, local: &str, top: &LocalFolder, action: &Action) -> Result<Option<(RemotePath, Entry)>> {
        let (file, folder) = self.source_of(action)?;
        let old = action.from.clone().unwrap_or_default();
        let was = target(top, &old)?.and_then(|target| target.metadata().ok()).map(|meta| LocalState::of(&meta));
        let is_as_it_was = was.as_ref().is_some_and(|was| action.target.as_ref().is_some_and(|then| then.is_here(was)));
        if !is_as_it_was {
            self.check_here(top, action, action.target.as_ref(), &file).await?;
            return Ok(Some((folder, file)));
        }
        self.check_here(top, action, None, &file).await?;
        let moves = MovesHere { source: &self.source, get: &self.get, listing: &self.listing, local };
        let report = moves.move_here(top, &old, &action.path, &file).await?;
        send_report(&self.source.client, report);
        Ok(None)
    }
}
