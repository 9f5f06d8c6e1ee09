//! Moves one entry. A server knows only "another folder" and "another name". Between the two calls the entry has a name that is
//! free where it is, and a failure tells that place.

use super::conflict::{Resolution, landing};
use super::job::{Op, OpsRun, into_itself};
use super::target_folders::TargetFolder;
use crate::contract::lookup::safe_child_path;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath, Report};
use crate::transfer::if_exists::free_name;
use crate::transfer::resolve::Resolved;

impl OpsRun {
    pub(crate) async fn move_one(&mut self, source: &Resolved, to: &RemotePath, name: &str) -> Result<Report> {
        self.job.client.check_name(name)?;
        let target_folder = self.target_folders.at(to).await?.clone();
        let landed = match landing(self.job.if_exists, Op::Move, &source.entry, &target_folder, to, name)? {
            Resolution::Skip(there, reason) => return Ok(self.skipped_report(&source.shown, &to.join(name)?, &there, reason)),
            Resolution::Free(name) if self.job.dry_run => {
                return Ok(self.planned_report("move", &source.shown, &to.join(&name)?, &source.entry));
            }
            Resolution::Replace(_) | Resolution::Merge if self.job.dry_run => {
                return Ok(self.planned_report("replace", &source.shown, &to.join(name)?, &source.entry));
            }
            Resolution::Free(name) => self.move_and_rename(&source.entry, source.parent.as_ref(), &target_folder, &name).await?,
            Resolution::Replace(old) => {
                let landed = self.replace_by_move(source, &target_folder, &old).await?;
                self.target_folders.at(to).await?.children.retain(|e| e.id != old.id);
                landed
            }
            Resolution::Merge => return Err(into_itself()),
        };
        let path = safe_child_path(to, &landed.name);
        let target_folder = self.target_folders.at(to).await?;
        target_folder.children.retain(|e| e.id != landed.id);
        target_folder.children.push(landed.clone());
        Ok(Report::Moved(self.placed_report(&source.shown, &path, &Entry { size: landed.size.or(source.entry.size), ..landed })))
    }

    /// Moves the entry into the target folder, under a name that is free there.
    pub(crate) async fn move_and_rename(
        &self,
        entry: &Entry,
        parent: Option<&Entry>,
        target_folder: &TargetFolder,
        name: &str,
    ) -> Result<Entry> {
        if parent.is_some_and(|p| p.id == target_folder.folder.id) || target_folder.children.iter().any(|e| e.id == entry.id) {
            return self.hands.rename(entry, Some(&target_folder.folder), name).await;
        }
        let on_the_way = self.intermediate_name(entry, parent, target_folder, name).await?;
        let renamed = match on_the_way == entry.name {
            true => entry.clone(),
            false => self.hands.rename(entry, parent, &on_the_way).await?,
        };
        let moved = match self.hands.move_into(&renamed, &target_folder.folder).await {
            Ok(moved) => moved,
            Err(failure) if renamed.name == entry.name && entry.name == name => return Err(failure),
            Err(failure) if renamed.name == entry.name => return Err(may_be_at(failure, "it", target_folder, &entry.name)),
            Err(failure) => {
                let left = format!("it was given the name {:?} (@{}), but could not be moved", renamed.name, renamed.id);
                let back = async || self.hands.rename(&renamed, parent, &entry.name).await;
                return Err(roll_back(failure, left, back).await);
            }
        };
        if moved.name == name || renamed.name == name {
            return Ok(moved);
        }
        match (self.hands.rename(&moved, Some(&target_folder.folder), name).await, parent) {
            (Ok(named), _) => Ok(named),
            (Err(failure), parent) => {
                let left = format!("it is now in {}, but still named {:?} (@{})", target_folder.folder.path, moved.name, moved.id);
                match parent.filter(|_| renamed.name == entry.name) {
                    Some(parent) => Err(roll_back(failure, left, async || self.hands.move_into(&moved, parent).await).await),
                    None => Err(partially_done(failure, left)),
                }
            }
        }
    }

    /// The name between the two calls: the old name where it is free in the new folder, else the new name where it is free in
    /// the old folder, else a name that is free in both.
    async fn intermediate_name(&self, entry: &Entry, parent: Option<&Entry>, target_folder: &TargetFolder, name: &str) -> Result<String> {
        if entry.name == name || !target_folder.has(&entry.name) || self.allows_duplicate_names() {
            return Ok(entry.name.clone());
        }
        let siblings = match parent {
            Some(parent) => self.job.client.list(parent).await?.collect(),
            None => Vec::new(),
        };
        let taken = |name: &str| siblings.iter().any(|e| e.name == name);
        Ok(if taken(name) { free_name(name, |n| taken(n) || target_folder.has(n)) } else { name.to_owned() })
    }

    pub(crate) fn allows_duplicate_names(&self) -> bool {
        self.job.client.has(|can| can.allows_duplicate_names)
    }
}

/// The failure of a second step, after `back` has undone the first; with what is left where that can't be done. What is
/// not known is not undone, but for what was looked for and does not show.
pub(crate) async fn roll_back<T>(failure: Error, left: String, back: impl AsyncFnOnce() -> Result<T>) -> Error {
    if (failure.kind() != Kind::Unknown || failure.is_unread_answer()) && back().await.is_ok() {
        return failure;
    }
    partially_done(failure, left)
}

/// The same failure; where nobody knows what became of the step, with what may be left in the shelf's folder.
pub(crate) fn may_be_at(failure: Error, what: &str, target_folder: &TargetFolder, name: &str) -> Error {
    match failure.kind() {
        Kind::Unknown => partially_done(failure, format!("{what} may be left in {}, as {name:?}", target_folder.folder.path)),
        _ => failure,
    }
}

/// The same failure, with what it left behind.
pub(crate) fn partially_done(failure: Error, left: String) -> Error {
    let error = Error::new(failure.kind(), left);
    let error = match failure.status_code() {
        Some(status) => error.with_status(status),
        None => error,
    };
    match failure.hint().map(str::to_owned) {
        Some(advice) => error.with_hint(advice).with_cause(failure),
        None => error.with_cause(failure),
    }
}
