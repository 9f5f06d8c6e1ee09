//! From a remote to this machine. Both sides are listed first; what is provably equal by what the listing and this machine's
//! notes say is passed over, and `get` decides about the rest.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::actions::{Action, ActionKind, Look};
use super::choose::choose;
use super::guard::{Guard, check_whole};
use super::local_listing::{LocalKind, LocalListing, delete};
use super::local_side::{Extra, ToLocal, tell};
use super::moves_here::LocalMove;
use super::options::{SyncOptions, SyncOutcome};
use super::paper::downloads;
use super::remote_tree::{At, RemoteTree, Selection, select};
use super::watch::{tell_kept, watch};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{EntryKind, RemotePath, Report};
use crate::transfer::IfExists;
use crate::transfer::client::RemoteClient;
use crate::transfer::download::open_folder::Folder;
use crate::transfer::filter::RemoteFilter;
use crate::transfer::fingerprint::Signs;
use crate::transfer::get::local::{Local, check_name};
use crate::transfer::get::selected::{SelectedFiles, get_selected};
use crate::transfer::get::{GetOptions, GetSource};
use crate::transfer::put::cross_remote::empty_ones;

/// Brings what `source` holds into the folder `local`. An error means that nothing was fetched; failures of single files are
/// events.
///
/// # Errors
/// Nothing was fetched: `Usage` for places that can't be synced, `Refused` by a guard of deletions, or what made a side
/// unreadable.
pub async fn sync_to_local(mut source: GetSource, local: &str, get: GetOptions, options: &SyncOptions) -> Result<SyncOutcome> {
    let (client, dry_run, fail_fast) = (source.client.clone(), get.dry_run, get.fail_fast);
    let (events, told) = Events::channel();
    source.client.events = events;
    let equal = Arc::new(AtomicU64::new(0));
    let (sent, outcomes) = tokio::join!(transfer(source, local, get, options, equal.clone()), watch(told, client.events.clone(), equal));
    let Sent { listing, extra, unread, unsettled, tree, mut actions } = sent?;
    let mut outcome =
        SyncOutcome { equal: outcomes.equal.saturating_sub(unsettled), left: extra.files.len() as u64, ..SyncOutcome::default() };
    if let (true, Some(top)) = (dry_run, tree.folders.first()) {
        actions.extend(downloads(&tree, &listing, &outcomes.planned, &top.entry.path));
        outcome.actions = actions;
    }
    if !options.delete {
        return Ok(outcome);
    }
    let names = extra.names(&listing);
    if let Err(refused) = check_whole(&options.from, &unread, &names) {
        outcome.only_unread = outcomes.failed == unread.len() as u64;
        outcome.refused = Some(refused);
        return Ok(outcome);
    }
    if outcomes.failed > 0 {
        tell_kept(&client, &outcomes, &names);
        return Ok(outcome);
    }
    let deletions = LocalDeletions { client, listing: &listing, top: PathBuf::from(local), dry_run, fail_fast };
    let files = deletions.run(&extra, &mut outcome)?;
    outcome.left = outcome.left.saturating_sub(files);
    Ok(outcome)
}

/// How it stands after the downloads.
struct Sent {
    listing: LocalListing,
    extra: Extra,
    /// Folders of FROM that can't be read.
    unread: Vec<String>,
    /// Files of FROM that changed a moment ago, told as skipped.
    unsettled: u64,
    /// FROM.
    tree: RemoteTree,
    /// Of a dry run, the downloads not among them.
    actions: Vec<Action>,
}

async fn transfer(source: GetSource, local: &str, get: GetOptions, options: &SyncOptions, equal: Arc<AtomicU64>) -> Result<Sent> {
    if !source.entry.is_folder() {
        return Err(Error::new(Kind::Usage, "sync takes a folder, and this is a file")
            .with_subject(source.address.to_string())
            .with_hint("`haul get` carries single files"));
    }
    let Local::Folder(top) = Local::of(local, true)? else {
        return Err(Error::new(Kind::Usage, "the target of this sync is a folder").on_local(local));
    };
    let tree = RemoteTree::list(&source.client, source.entry.clone(), get.jobs, &get.filter).await?;
    if !tree.is_listed() {
        let error = Error::new(Kind::Refused, "the source can't be read, so nothing was done").with_subject(source.address.to_string());
        return Err(match tree.unread.into_iter().next() {
            Some((_, why)) => error.with_cause(why),
            None => error,
        });
    }
    let mut selection = select(&tree, &source.client, |name| check_name(name).map(drop));
    let GetSource { client, ledger, key, .. } = &source;
    let filter = RemoteFilter { filter: get.filter.clone(), client: client.clone(), ledger: ledger.clone(), key: key.clone() };
    choose(&mut selection, &tree, &filter, get.jobs).await;
    let listing = tokio::task::spawn_blocking(move || LocalListing::read(&top)).await;
    let listing = listing.map_err(|e| Error::new(Kind::Other, "the target could not be read").with_cause(e))??;
    let unread: Vec<String> = tree.unread.iter().map(|(folder, _)| source.client.address(&folder.path)).collect();
    let sync = ToLocal { source, tree, listing, get, signs: Signs::default() };
    let mut extra = sync.extra(&selection);
    let moves = if options.track_renames { sync.take_moved(&selection.files, &mut extra).await } else { Vec::new() };
    if options.delete {
        let to_files = sync.listing.entries.iter().filter(|entry| entry.kind != LocalKind::Folder && sync.may_go(entry)).count() as u64;
        let from_files = selection.files.len() as u64;
        let guard = Guard { from: &options.from, to: &options.to, from_files, to_files, most: options.max_delete };
        guard.check(&extra.names(&sync.listing))?;
    }
    sync.tell_unread(&selection, options.delete);
    let rest = sync.pass_over_equal(&selection, &equal)?;
    let actions = if sync.get.dry_run { sync.moves_and_folders(&selection, &moves) } else { Vec::new() };
    let rest = sync.carry_out_moves(local, moves, rest, &mut extra).await;
    let (listing, tree) = sync.fetch(local, &selection, rest).await?;
    Ok(Sent { listing, extra, unread, unsettled: selection.unsettled.len() as u64, tree, actions })
}

impl ToLocal {
    /// What can't be brought, and what can't be looked at here where something is to be deleted.
    fn tell_unread(&self, selection: &Selection, delete: bool) {
        let GetSource { client, address, .. } = &self.source;
        for (entry, error) in self.tree.unread.iter().chain(&selection.unfit) {
            let source = format!("{}:{}", address.remote, entry.path);
            let failure = Failure::new(error).of_source(source).at(address.remote.clone(), entry.path.clone());
            tell(client, Report::Failed(failure));
        }
        for (entry, reason) in &selection.unsettled {
            let path = entry.path.below(&self.source.entry.path).unwrap_or_default();
            let (source, remote, target) =
                (format!("{}:{}", address.remote, entry.path), address.remote.clone(), self.listing.shown(&path));
            let (id, size, reason) = (entry.id.clone(), entry.size, reason.clone());
            tell(client, Report::NotDownloaded { source, remote, path: entry.path.clone(), target, id, size, reason });
        }
        for (path, error) in self.listing.unread.iter().filter(|_| delete) {
            tell(client, Report::Failed(Failure::new(error).of_source(path.display().to_string())));
        }
    }

    /// Tells of each file that is provably equal; the others come back.
    fn pass_over_equal(&self, selection: &Selection, equal: &AtomicU64) -> Result<Vec<At>> {
        if self.get.if_exists != IfExists::Update {
            return Ok(selection.files.clone());
        }
        let GetSource { client, address, .. } = &self.source;
        let known = self.known();
        let mut rest = Vec::new();
        for at in &selection.files {
            let (Some(place), Some(file)) = (self.place(*at), self.tree.entry(*at)) else { continue };
            let is_file = self.listing.get(&place).is_some_and(|(_, entry)| entry.kind == LocalKind::File);
            let here = if is_file { self.signs.of(&self.listing.local(&place)) } else { None };
            let same = match here {
                Some(here) => known.same_by_signs(&file, &here)?,
                None => None,
            };
            let Some(reason) = same else {
                rest.push(*at);
                continue;
            };
            equal.fetch_add(1, Ordering::Relaxed);
            tell(
                client,
                Report::NotDownloaded {
                    source: format!("{}:{}", address.remote, file.path),
                    remote: address.remote.clone(),
                    path: file.path,
                    target: self.listing.shown(&place),
                    id: file.id,
                    size: file.size,
                    reason: reason.to_owned(),
                },
            );
        }
        Ok(rest)
    }

    fn moves_and_folders(&self, selection: &Selection, moves: &[LocalMove]) -> Vec<Action> {
        let path = |at: &usize| self.tree.folders.get(*at).map(|folder| folder.path.clone());
        let filled: HashSet<RemotePath> = selection.files.iter().filter_map(|(folder, _)| path(folder)).collect();
        let missing =
            empty_ones(selection.folders.iter().filter_map(path).collect(), &filled).filter(|path| self.listing.get(path).is_none());
        let mut actions: Vec<Action> = missing.map(|path| Action::on_folder(ActionKind::Create, path)).collect();
        for (at, was) in moves {
            let (Some(path), Some(file), Some(old)) = (self.place(*at), self.tree.entry(*at), self.listing.entries.get(*was)) else {
                continue;
            };
            let (source, target) = (Some(Look::of(&file)), Some(Look::Local(old.state.clone())));
            actions.push(Action { from: Some(old.path.clone()), source, target, ..Action::on_file(ActionKind::Move, path, file.size) });
        }
        actions
    }

    async fn fetch(self, local: &str, selection: &Selection, rest: Vec<At>) -> Result<(LocalListing, RemoteTree)> {
        let ToLocal { source, tree, listing, get, .. } = self;
        let tree = Arc::new(tree);
        let sizes = rest.iter().filter_map(|at| tree.entry(*at)).filter_map(|entry| entry.size);
        let (count, bytes) = (rest.len() as u64, sizes.fold(0, u64::saturating_add));
        let path = |at: &usize| tree.folders.get(*at).map(|folder| folder.path.clone());
        let filled: HashSet<RemotePath> = selection.files.iter().filter_map(|(folder, _)| path(folder)).collect();
        let folders = empty_ones(selection.folders.iter().filter_map(path).collect(), &filled).collect();
        let files = rest.into_iter().filter_map({
            let tree = tree.clone();
            move |at| {
                let folder = tree.folders.get(at.0)?;
                Some((folder.path.clone(), folder.entries.get(at.1)?))
            }
        });
        let selected = SelectedFiles { folders, files: Box::new(files), count, bytes };
        get_selected(source, local, selected, get).await?;
        Ok((listing, Arc::into_inner(tree).unwrap_or_default()))
    }
}

struct LocalDeletions<'a> {
    client: RemoteClient,
    listing: &'a LocalListing,
    top: PathBuf,
    dry_run: bool,
    fail_fast: bool,
}

impl LocalDeletions<'_> {
    /// The number of files; each outcome is an event. Folders go last, the deepest first, and only empty.
    fn run(&self, extra: &Extra, outcome: &mut SyncOutcome) -> Result<u64> {
        if extra.files.is_empty() && extra.folders.is_empty() {
            return Ok(0);
        }
        let open = Folder::open(Path::new(&self.top), false)?;
        let mut folders = extra.folders.clone();
        let depth = |at: &usize| self.listing.entries.get(*at).map_or(0, |entry| entry.path.names().len());
        folders.sort_by_key(|at| std::cmp::Reverse(depth(at)));
        let mut files = 0;
        for at in extra.files.iter().chain(&folders) {
            let Some(entry) = self.listing.entries.get(*at) else { continue };
            let shown = self.listing.shown(&entry.path);
            let is_folder = entry.kind == LocalKind::Folder;
            let (path, kind) = (entry.path.clone(), if is_folder { EntryKind::Folder } else { EntryKind::File });
            if self.dry_run {
                let size = (!is_folder).then_some(entry.state.size);
                let target = (!is_folder).then(|| Look::Local(entry.state.clone()));
                let action = Action::on_file(ActionKind::Delete, path.clone(), size);
                outcome.actions.push(Action { kind, target, ..action });
                tell(&self.client, Report::PlannedHere { action: "delete", path, target: shown, size });
                continue;
            }
            match delete(&open, &entry.path, entry.kind, &entry.state) {
                Ok(true) => {
                    files += u64::from(!is_folder);
                    outcome.deleted += 1;
                    tell(&self.client, Report::DeletedHere { path, target: shown, kind });
                }
                Ok(false) => {}
                Err(error) => {
                    tell(&self.client, Report::Failed(Failure::new(&error).of_source(shown)));
                    if self.fail_fast {
                        break;
                    }
                }
            }
        }
        Ok(files)
    }
}
