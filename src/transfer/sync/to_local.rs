//! Syncs from a remote to this machine. FROM is walked folder by folder and compared with TO (`compare_local`). Files that differ are
//! downloaded while the walk goes on. Deletions come after all downloads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::actions::{Action, ActionKind, ActionState};
use super::compare_local::{ComparedHere, ComparisonHere};
use super::local_listing::{LocalKind, LocalListing, delete};
use super::local_target::{LackingHere, LocalTarget, send_report};
use super::options::{KEPT_BACK, SyncOptions, SyncOutcome};
use super::remote_from::RemoteFrom;
use super::watch::{may_delete, watch};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{EntryKind, Report};
use crate::transfer::client::RemoteClient;
use crate::transfer::download::open_folder::LocalFolder;
use crate::transfer::filter::RemoteFilter;
use crate::transfer::fingerprint::UnopenedFingerprints;
use crate::transfer::get::local::{Local, check_name};
use crate::transfer::get::selected::{SelectedFiles, get_selected};
use crate::transfer::get::{GetOptions, GetSource};

/// Downloads the content of `source` into the folder `local`, and returns the counts. Failures of single files are events.
///
/// # Errors
/// `Usage` for places that can't be synced, `Refused` where a guard stops the deletions, or the error of a side that can't be read:
/// then nothing was downloaded. After the downloads only one error is possible: the folder `local` can't be opened for deletions.
pub async fn sync_to_local(mut source: GetSource, local: &str, get: GetOptions, options: &SyncOptions) -> Result<SyncOutcome> {
    let (client, dry_run, fail_fast) = (source.client.clone(), get.dry_run, get.fail_fast);
    let (events, told) = Events::channel();
    source.client.events = events;
    let equal = Arc::new(AtomicU64::new(0));
    let (sent, outcomes) = tokio::join!(transfer(source, local, get, options, equal.clone()), watch(told, client.events.clone(), equal));
    let ComparedHere { listing, lacking, unread, unsettled, guarded, actions, mut files, .. } = sent?;
    let listing = listing.unwrap_or_else(|| LocalListing::unread(Path::new(local)));
    let left = lacking.files.len() as u64;
    let mut outcome = SyncOutcome { equal: outcomes.equal.saturating_sub(unsettled), left, ..SyncOutcome::default() };
    if options.plan {
        outcome.actions = actions;
        outcome.actions.extend(outcomes.planned.iter().filter_map(|path| files.remove(path)));
    }
    let names = lacking.names(&listing);
    let guarded = guarded.map_or(Ok(()), Err);
    if !may_delete(&client, options, (&outcomes, &guarded, &unread), &names, &mut outcome) {
        return Ok(outcome);
    }
    let deletions = LocalDeletions { client, listing: &listing, top: PathBuf::from(local), dry_run, fail_fast };
    let files = deletions.run(&lacking, &mut outcome)?;
    outcome.left = outcome.left.saturating_sub(files);
    Ok(outcome)
}

async fn transfer(source: GetSource, local: &str, get: GetOptions, options: &SyncOptions, equal: Arc<AtomicU64>) -> Result<ComparedHere> {
    if !source.entry.is_folder() {
        return Err(Error::new(Kind::Usage, "sync takes a folder, and this is a file")
            .with_subject(source.address.to_string())
            .with_hint("`haul get` carries single files"));
    }
    let Local::Folder(top) = Local::of(local, true)? else {
        return Err(Error::new(Kind::Usage, "the target of this sync is a folder").on_local(local));
    };
    let GetSource { client, ledger, key, .. } = &source;
    let filter = RemoteFilter { filter: get.filter.clone(), client: client.clone(), ledger: ledger.clone(), key: key.clone() };
    let from = RemoteFrom::open(filter, source.entry.clone(), get.jobs, |name| check_name(name).map(drop)).await?;
    let listing = tokio::task::spawn_blocking(move || LocalListing::read(&top)).await;
    let listing = listing.map_err(|e| Error::new(Kind::Other, "the target could not be read").with_cause(e))??;
    let (out, files) = SelectedFiles::channel(if options.delete { KEPT_BACK } else { 0 });
    let comparison = ComparisonHere {
        source: source.clone(),
        local: local.to_owned(),
        here: LocalTarget::new(listing),
        get: get.clone(),
        options: options.clone(),
        out,
        equal,
        signs: UnopenedFingerprints::default(),
        new: Vec::new(),
        has_moved: false,
        done: ComparedHere::default(),
    };
    let (compared, ()) = tokio::try_join!(comparison.run(from), get_selected(source, local, files, get))?;
    Ok(compared)
}

struct LocalDeletions<'a> {
    client: RemoteClient,
    listing: &'a LocalListing,
    top: PathBuf,
    dry_run: bool,
    fail_fast: bool,
}

impl LocalDeletions<'_> {
    /// Deletes the files, then the folders that are empty, the deepest first. Returns the number of deleted files. Each outcome is an
    /// event. Fails where the top can't be opened.
    fn run(&self, lacking: &LackingHere, outcome: &mut SyncOutcome) -> Result<u64> {
        if lacking.files.is_empty() && lacking.folders.is_empty() {
            return Ok(0);
        }
        let open = LocalFolder::open(Path::new(&self.top), false)?;
        let mut folders = lacking.folders.clone();
        let depth = |at: &usize| self.listing.entries.get(*at).map_or(0, |entry| entry.path.names().len());
        folders.sort_by_key(|at| std::cmp::Reverse(depth(at)));
        let mut files = 0;
        for at in lacking.files.iter().chain(&folders) {
            let Some(entry) = self.listing.entries.get(*at) else { continue };
            let shown = self.listing.display_path(&entry.path);
            let is_folder = entry.kind == LocalKind::Folder;
            let (path, kind) = (entry.path.clone(), if is_folder { EntryKind::Folder } else { EntryKind::File });
            if self.dry_run {
                let size = (!is_folder).then_some(entry.state.size);
                let target = (!is_folder).then(|| ActionState::Local(entry.state.clone()));
                let action = Action::on_file(ActionKind::Delete, path.clone(), size);
                outcome.actions.push(Action { kind, target, ..action });
                send_report(&self.client, Report::PlannedHere { action: "delete", path, target: shown, size });
                continue;
            }
            match delete(&open, &entry.path, entry.kind, &entry.state) {
                Ok(true) => {
                    files += u64::from(!is_folder);
                    outcome.deleted += 1;
                    send_report(&self.client, Report::DeletedHere { path, target: shown, kind });
                }
                Ok(false) => {}
                Err(error) => {
                    send_report(&self.client, Report::Failed(Failure::new(&error).of_source(shown)));
                    if self.fail_fast {
                        break;
                    }
                }
            }
        }
        Ok(files)
    }
}
