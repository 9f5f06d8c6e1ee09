//! A folder of which only some files are moved: each by itself, with its folders made anew there. What they leave empty goes
//! last.

use super::emptied::{Emptied, OpenFolders};
use super::job::{CopyFrom, OpsRun};
use crate::error::{Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::filter::{FilteredStep, FilteredWalk, RemoteFilter};
use crate::transfer::resolve::Resolved;
use crate::transfer::walk::WalkEvent;

/// Folders listed ahead while a tree is walked.
const LIST_AHEAD: usize = 4;

/// What a walk found.
#[derive(Default)]
struct Chosen {
    files: Vec<(Resolved, RemotePath)>,
    emptied: Vec<Emptied>,
    /// All of the source fits.
    is_whole: bool,
}

impl OpsRun {
    /// Failures of single files are events.
    pub(crate) async fn move_fitting(
        &mut self,
        (from, source): (&CopyFrom, &Resolved),
        to: &RemotePath,
        name: &str,
        filter: &RemoteFilter,
    ) -> Result<()> {
        let target = to.join(name)?;
        let Chosen { files, emptied, is_whole } = self.choose((from, source), &target, filter).await?;
        if is_whole && filter.filter.takes_emptied_folder(&from.path(&source.entry)) {
            let moved = self.move_one(source, to, name).await?;
            self.report_finished(moved);
            return Ok(());
        }
        for (file, folder) in files {
            if self.stopped {
                return Ok(());
            }
            match self.move_one(&file, &folder, &file.entry.name).await {
                Ok(report) => self.report_finished(report),
                Err(error) => self.report_failure(&file.shown, folder.join(&file.entry.name).ok().as_ref(), &error),
            }
        }
        if self.job.dry_run {
            return Ok(());
        }
        for folder in emptied {
            if let Err(error) = folder.remove(&self.job.client, &self.hands).await {
                let shown = display_source(source, &folder.folder);
                let error = error.with_hint("the matching files are moved; only this folder stays");
                self.report_failure(&shown, None, &error);
            }
        }
        Ok(())
    }

    async fn choose(&mut self, (from, source): (&CopyFrom, &Resolved), target: &RemotePath, filter: &RemoteFilter) -> Result<Chosen> {
        let mut walk = FilteredWalk::below(filter.clone(), source.entry.clone(), LIST_AHEAD, from.path(&source.entry)).all();
        let mut open = OpenFolders::new(source.entry.clone(), source.parent.clone());
        let mut chosen = Chosen { is_whole: true, ..Chosen::default() };
        while let Some(FilteredStep { event, verdict, path }) = walk.next().await? {
            match event {
                WalkEvent::Entry { entry, depth, .. } => {
                    let (shown, place) = (display_source(source, &entry), target.join_path(&below(source, &entry)));
                    let parent = open.at(depth).cloned();
                    if !self.admits(&shown, &place, &entry, verdict) {
                        chosen.is_whole = false;
                        open.mark_kept();
                    } else if entry.is_folder() {
                        open.enter(entry, path);
                    } else {
                        let folder = place.parent().unwrap_or_default();
                        chosen.files.push((Resolved { path: entry.path.clone(), entry, parent, top: false, shown }, folder));
                    }
                }
                WalkEvent::Left { depth, .. } => match open.leave(depth, &filter.filter) {
                    Some(folder) if folder.was_empty && depth > 0 => {
                        if filter.filter.takes_folder(&folder.path) {
                            chosen.files.push(empty_folder(source, target, folder));
                        }
                    }
                    emptied => chosen.emptied.extend(emptied),
                },
                WalkEvent::Failed { folder, depth, error } => {
                    chosen.is_whole = false;
                    open.at(depth + 1);
                    open.mark_kept();
                    self.report_failure(&display_source(source, &folder), None, &error);
                    if error.kind() == Kind::Auth {
                        return Err(error);
                    }
                }
            }
        }
        Ok(chosen)
    }
}

/// It has no file that would make it there.
fn empty_folder(source: &Resolved, target: &RemotePath, folder: Emptied) -> (Resolved, RemotePath) {
    let Emptied { folder: entry, parent, .. } = folder;
    let place = target.join_path(&below(source, &entry));
    let shown = display_source(source, &entry);
    (Resolved { path: entry.path.clone(), entry, parent, top: false, shown }, place.parent().unwrap_or_default())
}

fn below(source: &Resolved, entry: &Entry) -> RemotePath {
    entry.path.below(&source.entry.path).unwrap_or_default()
}

/// As the source was typed.
fn display_source(source: &Resolved, entry: &Entry) -> String {
    match below(source, entry) {
        below if below.is_root() => source.shown.clone(),
        below => format!("{}{below}", source.shown.trim_end_matches('/')),
    }
}
