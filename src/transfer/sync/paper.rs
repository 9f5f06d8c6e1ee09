//! From a sync that was only planned to the actions on paper.

use std::path::{Path, PathBuf};

use super::actions::{Action, ActionKind, Look};
use super::local_listing::{LocalListing, LocalState};
use super::moves_there::FileMove;
use super::remote_side::ToRemote;
use super::remote_tree::RemoteTree;
use super::source_plan::SourcePlan;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::source::SourceSpec;
use crate::transfer::source::file::unreadable;

/// Fails with `NotFound` or `Local`.
pub(super) fn look_here(path: &Path) -> Result<LocalState> {
    LocalState::at(path).map_err(|e| unreadable(path, e))
}

/// A plan towards a remote, as far as it is written.
pub(super) struct Paper {
    /// A local FROM.
    pub top: Option<PathBuf>,
    /// FROM on a remote.
    pub source: Option<RemoteTree>,
    /// TO.
    pub target: RemotePath,
    pub actions: Vec<Action>,
}

impl Paper {
    /// Folders that no file makes, and that are not there.
    pub fn note_folders(&mut self, plan: &SourcePlan, tree: &RemoteTree) {
        let missing = plan.empty_folders.iter().filter_map(|folder| folder.below(&self.target)).filter(|path| tree.folder(path).is_none());
        self.actions.extend(missing.map(|path| Action::on_folder(ActionKind::Create, path)));
    }

    pub fn note_moves(&mut self, moves: &[FileMove], sync: &ToRemote) -> Result<()> {
        for moved in moves {
            let (Some(entry), Some(folder)) = (sync.tree.entry(moved.at), sync.tree.folders.get(moved.at.0)) else { continue };
            let path = sync.place(&moved.item).below(&self.target).unwrap_or_default();
            let from = Some(folder.path.join(&entry.name)?);
            let (source, target) = (Some(look_at_source(&moved.item.origin)?), Some(Look::of(&entry)));
            self.actions.push(Action { from, source, target, ..Action::on_file(ActionKind::Move, path, entry.size) });
        }
        Ok(())
    }

    /// With what a dry run has found to be sent, by its paths at TO.
    pub fn actions(mut self, tree: &RemoteTree, planned: &[RemotePath]) -> Result<Vec<Action>> {
        for path in planned {
            let Some(path) = path.below(&self.target) else { continue };
            let target = file_at(tree, &path).as_ref().map(Look::of);
            let action = match (&self.top, &self.source) {
                (Some(top), _) => {
                    // What went meanwhile is no longer wanted.
                    let local = path.names().iter().fold(top.clone(), |at, name| at.join(name));
                    let Ok(state) = look_here(&local) else { continue };
                    let size = Some(state.size);
                    Action { source: Some(Look::Local(state)), target, ..Action::on_file(ActionKind::Upload, path, size) }
                }
                (None, Some(source)) => {
                    let Some(file) = file_at(source, &path) else { continue };
                    Action { source: Some(Look::of(&file)), target, ..Action::on_file(ActionKind::Copy, path, file.size) }
                }
                (None, None) => continue,
            };
            self.actions.push(action);
        }
        Ok(self.actions)
    }
}

/// How the source of an upload or a copy looks.
pub(super) fn look_at_source(origin: &SourceSpec) -> Result<Look> {
    match origin {
        SourceSpec::File(path) => look_here(path).map(Look::Local),
        SourceSpec::Remote(original) => Ok(Look::of(&original.entry)),
        SourceSpec::Stdin => Err(Error::new(Kind::Usage, "standard input can't be planned")),
    }
}

/// The file at a path of a tree, if it is one and the only one.
pub(super) fn file_at(tree: &RemoteTree, path: &RemotePath) -> Option<Entry> {
    let (_, folder) = tree.folder(&path.parent()?)?;
    let mut named = folder.named(path.name()?).filter_map(|n| folder.entries.get(n)).filter(|entry| !entry.incomplete);
    // Of several versions any will do: they are told apart by their ids when the plan is carried out.
    named.next().filter(|entry| !entry.is_folder())
}

/// What a dry run of downloads has found to be fetched, by its paths at FROM.
pub(super) fn downloads(tree: &RemoteTree, listing: &LocalListing, planned: &[RemotePath], top: &RemotePath) -> Vec<Action> {
    let action = |path: &RemotePath| {
        let path = path.below(top)?;
        let file = file_at(tree, &path)?;
        let target = listing.get(&path).map(|(_, entry)| Look::Local(entry.state.clone()));
        let action = Action::on_file(ActionKind::Download, path, file.size);
        Some(Action { source: Some(Look::of(&file)), target, ..action })
    };
    planned.iter().filter_map(action).collect()
}
