//! Collects the actions of a plan while a sync with a remote TO is only planned.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::actions::{Action, ActionKind, ActionState};
use super::local_listing::LocalState;
use super::moves_there::ToRemote;
use super::remote_tree::{At, RemoteTree};
use crate::contract::walk::newest_filled;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::put::plan::PutItem;
use crate::transfer::source::SourceSpec;
use crate::transfer::source::file::unreadable;

/// Returns how a local file looks now. Fails with `NotFound` or `Local`.
pub(super) fn look_here(path: &Path) -> Result<LocalState> {
    LocalState::at(path).map_err(|e| unreadable(path, e))
}

/// The actions of a plan with a remote TO that are known so far.
pub(super) struct PlannedActions {
    /// The path of a local FROM; none where FROM is on a remote.
    top: Option<PathBuf>,
    /// The path of TO on the remote.
    target: RemotePath,
    actions: Vec<Action>,
    /// The actions for files that may differ, by the path at TO. Which of these files are to be sent is decided later.
    files: HashMap<RemotePath, Action>,
}

impl PlannedActions {
    pub fn new(top: Option<PathBuf>, target: RemotePath) -> PlannedActions {
        PlannedActions { top, target, actions: Vec::new(), files: HashMap::new() }
    }

    /// Notes an empty folder that TO lacks.
    pub fn note_folder(&mut self, path: RemotePath) {
        self.actions.push(Action::on_folder(ActionKind::Create, path));
    }

    /// Notes a file that may differ. `path`: the path at FROM. `there`: the entries that TO has under the file's name.
    pub fn note_file(&mut self, to: &ToRemote, path: &RemotePath, item: &PutItem, there: &[Entry]) -> Result<()> {
        let place = to.run.stored.path(&item.folder)?.join(&to.run.stored.name(&item.name))?;
        let target = there.iter().find(|entry| !entry.incomplete && !entry.is_folder()).map(ActionState::of);
        let (kind, source) = match &item.origin {
            // `actions` looks at the local file, as the file may change until then.
            SourceSpec::File(_) | SourceSpec::Stdin => (ActionKind::Upload, None),
            SourceSpec::Remote(original) => (ActionKind::Copy, Some(ActionState::of(&original.entry))),
        };
        self.files.insert(place, Action { source, target, ..Action::on_file(kind, path.clone(), item.size) });
        Ok(())
    }

    /// Notes a move. `at`: the position of the old file in `tree`.
    pub fn note_move(&mut self, to: &ToRemote, item: &PutItem, at: At, tree: &RemoteTree) -> Result<()> {
        let (Some(entry), Some(folder)) = (tree.entry(at), tree.folders.get(at.0)) else { return Ok(()) };
        let path = to.place(item).below(&self.target).unwrap_or_default();
        let from = Some(folder.path.join(&entry.name)?);
        let (source, target) = (Some(look_at_source(&item.origin)?), Some(ActionState::of(&entry)));
        self.actions.push(Action { from, source, target, ..Action::on_file(ActionKind::Move, path, entry.size) });
        Ok(())
    }

    /// Returns all actions. `planned`: the paths at TO of the files that the dry run would send.
    pub fn actions(mut self, planned: &[RemotePath]) -> Vec<Action> {
        for place in planned {
            let Some(mut action) = self.files.remove(place) else { continue };
            if let Some(top) = &self.top {
                // A file that can't be read any more has most likely been removed, so the plan leaves the file out.
                let Ok(state) = look_here(&action.path.names().iter().fold(top.clone(), |at, name| at.join(name))) else { continue };
                action.size = Some(state.size);
                action.source = Some(ActionState::Local(state));
            }
            self.actions.push(action);
        }
        self.actions
    }
}

/// Returns how the source of an upload or a copy looks now. Fails with `NotFound` or `Local`, and with `Usage` for standard input.
pub(super) fn look_at_source(origin: &SourceSpec) -> Result<ActionState> {
    match origin {
        SourceSpec::File(path) => look_here(path).map(ActionState::Local),
        SourceSpec::Remote(original) => Ok(ActionState::of(&original.entry)),
        SourceSpec::Stdin => Err(Error::new(Kind::Usage, "standard input can't be planned")),
    }
}

/// Returns the file at a path of a tree; of several versions the newest, as the plan was made for that one.
pub(super) fn file_at(tree: &RemoteTree, path: &RemotePath) -> Option<Entry> {
    let (_, folder) = tree.folder(&path.parent()?)?;
    let named = folder.find_by_name(path.name()?).filter_map(|n| folder.entries.get(n)).filter(|entry| !entry.incomplete);
    newest_filled(named.collect()).pop().filter(|entry| !entry.is_folder())
}
