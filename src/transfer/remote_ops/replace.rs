//! Puts a new file in the place of an old one. The old file is removed only when the new one is there. Where a folder may hold
//! two files of one name, it does for a moment. Elsewhere the old file is renamed first, and gets its name back if the new one
//! fails.

use super::job::OpsRun;
use super::relocate::{may_be_at, partially_done};
use super::target_folders::TargetFolder;
use crate::error::{Kind, Result};
use crate::model::Entry;
use crate::transfer::if_exists::free_name;
use crate::transfer::resolve::Resolved;

impl OpsRun {
    pub(crate) async fn replace_by_move(&self, source: &Resolved, target_folder: &TargetFolder, old: &Entry) -> Result<Entry> {
        let (entry, parent) = (&source.entry, source.parent.as_ref());
        if self.allows_duplicate_names() {
            let stays = parent.is_some_and(|p| p.id == target_folder.folder.id);
            let moved = if stays { Ok(entry.clone()) } else { self.hands.move_into(entry, &target_folder.folder).await };
            let moved = moved.map_err(|e| may_be_at(e, "it", target_folder, &entry.name))?;
            let back = async |moved: &Entry| match parent.filter(|_| !stays) {
                Some(parent) => self.hands.move_into(moved, parent).await.map(drop),
                None => Ok(()),
            };
            return self.replace_old(target_folder, old, moved, back).await;
        }
        let (aside, room) = self.set_aside(target_folder, old).await?;
        let moved = self.move_and_rename(entry, parent, &room, &old.name).await;
        self.remove_backup(target_folder, old, &aside, moved).await
    }

    pub(crate) async fn replace_by_copy(&mut self, entry: &Entry, target_folder: &TargetFolder, old: &Entry) -> Result<Entry> {
        if self.allows_duplicate_names() {
            let copy = self.hands.copy_into(entry, &target_folder.folder, &target_folder.children).await;
            let copy = copy.map_err(|e| may_be_at(e, "a copy", target_folder, &entry.name))?;
            let back = async |copy: &Entry| self.hands.remove(copy, Some(&target_folder.folder)).await;
            return self.replace_old(target_folder, old, copy, back).await;
        }
        let (aside, room) = self.set_aside(target_folder, old).await?;
        let copied = self.copy_as(entry, &room, &old.name).await;
        self.remove_backup(target_folder, old, &aside, copied).await
    }

    /// `new` is complete and lies beside `old`. `back` undoes that, because two files of one name would hinder another try.
    async fn replace_old(
        &self,
        target_folder: &TargetFolder,
        old: &Entry,
        new: Entry,
        back: impl AsyncFn(&Entry) -> Result<()>,
    ) -> Result<Entry> {
        if let Err(failure) = self.hands.remove(old, Some(&target_folder.folder)).await {
            // The old file is removed only if it is seen, as otherwise the new one may be the only copy.
            let old_stays = failure.kind() != Kind::Unknown && self.hands.is_in(old, &target_folder.folder).await.unwrap_or(false);
            if old_stays && back(&new).await.is_ok() {
                return Err(partially_done(failure, format!("the old file (@{}) could not be removed, so it stays", old.id)));
            }
            let (name, new, old) = (&new.name, &new.id, &old.id);
            return Err(partially_done(
                failure,
                format!("the new file is there as {name:?} (@{new}), but the old one (@{old}) was not removed"),
            ));
        }
        if new.name == old.name {
            return Ok(new);
        }
        self.hands
            .rename(&new, Some(&target_folder.folder), &old.name)
            .await
            .map_err(|e| partially_done(e, format!("the old file is removed, but the new one is still named {:?} (@{})", new.name, new.id)))
    }

    /// Renames the old file. Returns it, and the folder as it is then.
    async fn set_aside(&self, target_folder: &TargetFolder, old: &Entry) -> Result<(Entry, TargetFolder)> {
        let name = free_name(&old.name, |n| target_folder.has(n));
        let aside = match self.hands.rename(old, Some(&target_folder.folder), &name).await {
            Ok(aside) => aside,
            Err(failure) => {
                let back = self.hands.rename_back(old, &target_folder.folder, &name).await;
                let left = || format!("the file that was there may be named {name:?} now (@{})", old.id);
                return Err(if back.is_ok() { failure } else { partially_done(failure, left()) });
            }
        };
        let mut room = target_folder.clone();
        room.children.retain(|e| e.id != old.id);
        room.children.push(aside.clone());
        Ok((aside, room))
    }

    /// Removes the old file if the new one is there; otherwise gives the old file its name back.
    async fn remove_backup(&self, target_folder: &TargetFolder, old: &Entry, aside: &Entry, new: Result<Entry>) -> Result<Entry> {
        let failure = match new {
            Ok(new) => {
                let removed = self.hands.remove(aside, Some(&target_folder.folder)).await;
                let left = || format!("the new file is in place, but the old one is still there as {:?} (@{})", aside.name, aside.id);
                return removed.map(|()| new).map_err(|e| partially_done(e, left()));
            }
            Err(failure) => failure,
        };
        match self.hands.rename(aside, Some(&target_folder.folder), &old.name).await {
            Ok(_) => Err(failure),
            Err(_) => Err(partially_done(failure, format!("the file that was there is now named {:?} (@{})", aside.name, aside.id))),
        }
    }
}
