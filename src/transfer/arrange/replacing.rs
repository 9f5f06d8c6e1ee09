//! A new file in the place of an old one: the old one goes only when the new one is there. Where two of a name may lie in
//! one folder they do for a moment; elsewhere the old one makes room first, and gets its name back when nothing came.

use super::Run;
use super::moving::half_done;
use super::places::Found;
use super::shelves::Shelf;
use crate::error::Result;
use crate::model::Entry;
use crate::transfer::conflict::free_name;

impl Run {
    pub(super) async fn replace_by_move(&self, source: &Found, shelf: &Shelf, old: &Entry) -> Result<Entry> {
        let (entry, parent) = (&source.entry, source.parent.as_ref());
        if self.allows_doubles() {
            let moved = match parent.is_some_and(|p| p.id == shelf.folder.id) {
                true => entry.clone(),
                false => self.hands.move_into(entry, &shelf.folder).await?,
            };
            return self.take_place(shelf, old, moved).await;
        }
        let (aside, room) = self.make_room(shelf, old).await?;
        let moved = self.shift(entry, parent, &room, &old.name).await;
        self.put_away(shelf, old, &aside, moved).await
    }

    pub(super) async fn replace_by_copy(&mut self, entry: &Entry, shelf: &Shelf, old: &Entry) -> Result<Entry> {
        if self.allows_doubles() {
            let copy = self.hands.copy_into(entry, &shelf.folder, &shelf.children).await?;
            return self.take_place(shelf, old, copy).await;
        }
        let (aside, room) = self.make_room(shelf, old).await?;
        let copied = self.copy_as(entry, &room, &old.name).await;
        self.put_away(shelf, old, &aside, copied).await
    }

    /// `new` lies beside `old`, complete.
    async fn take_place(&self, shelf: &Shelf, old: &Entry, new: Entry) -> Result<Entry> {
        self.hands.remove(old, Some(&shelf.folder)).await.map_err(|e| {
            half_done(e, format!("the new file is there as {:?} (@{}), but the old one (@{}) was not removed", new.name, new.id, old.id))
        })?;
        if new.name == old.name {
            return Ok(new);
        }
        self.hands
            .rename(&new, Some(&shelf.folder), &old.name)
            .await
            .map_err(|e| half_done(e, format!("the old file is removed, but the new one is still named {:?} (@{})", new.name, new.id)))
    }

    /// The old file under another name, and the folder as it is then.
    async fn make_room(&self, shelf: &Shelf, old: &Entry) -> Result<(Entry, Shelf)> {
        let name = free_name(&old.name, |n| shelf.has(n));
        let aside = self.hands.rename(old, Some(&shelf.folder), &name).await?;
        let mut room = shelf.clone();
        room.children.retain(|e| e.id != old.id);
        room.children.push(aside.clone());
        Ok((aside, room))
    }

    /// Removes the old file when the new one is there; else gives it its name back.
    async fn put_away(&self, shelf: &Shelf, old: &Entry, aside: &Entry, new: Result<Entry>) -> Result<Entry> {
        let failure = match new {
            Ok(new) => {
                let removed = self.hands.remove(aside, Some(&shelf.folder)).await;
                let left = || format!("the new file is in place, but the old one is still there as {:?} (@{})", aside.name, aside.id);
                return removed.map(|()| new).map_err(|e| half_done(e, left()));
            }
            Err(failure) => failure,
        };
        match self.hands.rename(aside, Some(&shelf.folder), &old.name).await {
            Ok(_) => Err(failure),
            Err(_) => Err(half_done(failure, format!("the file that was there is now named {:?} (@{})", aside.name, aside.id))),
        }
    }
}
