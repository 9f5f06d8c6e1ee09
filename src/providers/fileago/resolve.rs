//! Finds the entry of an address: by path from `home`, or from `@home`, `@trash`, `@home:UUID`, `@UUID`.

use super::entry;
use super::remote::FileAgo;
use super::wire::Node;
use crate::contract::walk::{not_found, one_named, walk};
use crate::contract::{Error, Kind, Result};
use crate::model::{Entry, EntryKind, Place, RemotePath, Root};

/// The folders of every owner: `home` is the user's own, `home:UUID` that of another user or group (providers.md 3.3).
const SPECIAL: &[&str] = &["home", "incoming", "trash", "public_shares", "private_shares", "favorites", "shared_with_you"];

impl FileAgo {
    pub(super) async fn find(&self, at: &Place) -> Result<Entry> {
        let top = match &at.root {
            Root::Top => folder("home"),
            Root::Id(id) if is_special(id) => {
                Entry { name: id.clone(), path: RemotePath::root().anchored_at(id), trashed: is_trash(id), ..folder(id) }
            }
            Root::Id(id) => {
                let entry = self.by_id(id).await.map_err(|e| e.with_subject(format!("@{id}")))?;
                Entry { path: RemotePath::root().anchored_at(id), ..entry }
            }
        };
        if !top.is_folder() && !at.path.is_root() {
            return Err(not_found(&at.display_path(&at.path)).with_hint("this is a file, and contains no other entries"));
        }
        let trashed = top.trashed;
        let found = match walk(self, top.clone(), &at.path).await {
            Err(e) if e.kind() == Kind::NotFound && is_trash(&top.id) => self.in_trash(top, &at.path).await?.ok_or(e),
            found => found,
        };
        found.map(|entry| Entry { trashed, ..entry })
    }

    /// From 2.0 on the trash has a folder for each day, named by the date (OQ-28), so a name is also searched one level deeper.
    async fn in_trash(&self, trash: Entry, path: &RemotePath) -> Result<Option<Entry>> {
        let Some(name) = path.names().first() else { return Ok(None) };
        let Some(rest) = path.below(&RemotePath::root().join(name)?) else { return Ok(None) };
        let mut deleted = Vec::new();
        for day in self.listing(&trash).await?.filter(Entry::is_folder) {
            deleted.extend(self.listing(&day).await?.find_by_name(name)?);
        }
        match one_named(deleted, name, !rest.is_root(), &trash.path)? {
            Some(top) => walk(self, top, &rest).await.map(Some),
            None => Ok(None),
        }
    }

    /// The node as its folder's listing shows it: only there it has a file's size and revision (providers.md 3.4).
    async fn by_id(&self, id: &str) -> Result<Entry> {
        let entry = entry::of_node(self.api.details(id).await?, None)?;
        // The parent folders of a shared node may be hidden from this user.
        let hidden = |e: &Error| matches!(e.kind(), Kind::NotFound | Kind::Refused | Kind::Protocol);
        let steps: Vec<String> = match self.api.path(&entry.id).await {
            Ok(steps) => steps.into_iter().filter_map(|step| step.uuid).collect(),
            Err(e) if hidden(&e) => return Ok(entry),
            Err(e) => return Err(e),
        };
        let trashed = steps.first().is_some_and(|top| is_trash(top));
        let parent = steps.iter().rfind(|uuid| *uuid != id).filter(|_| !entry.is_folder());
        let row = match parent {
            Some(parent) => match self.row_of(id, parent).await {
                Err(e) if !hidden(&e) => return Err(e),
                row => row.ok().flatten(),
            },
            None => None,
        };
        Ok(Entry { trashed, ..row.unwrap_or(entry) })
    }

    /// The id of the folder that holds a node; none for a top folder.
    pub(super) async fn parent_of(&self, id: &str) -> Result<Option<String>> {
        Ok(self.api.path(id).await?.into_iter().filter_map(|s| s.uuid).rfind(|uuid| uuid != id))
    }

    async fn row_of(&self, id: &str, parent: &str) -> Result<Option<Entry>> {
        let mut row = None;
        let mut take = |node: Node| {
            if node.uuid.as_deref() == Some(id) {
                row = Some(node);
            }
        };
        self.api.dirlist(parent, |node| node.map_or((), &mut take)).await?;
        row.map(|row| entry::of_node(row, None)).transpose()
    }
}

pub(super) fn is_special(id: &str) -> bool {
    SPECIAL.contains(&id.split(':').next().unwrap_or_default())
}

fn is_trash(id: &str) -> bool {
    id.split(':').next() == Some("trash")
}

pub(super) fn folder(id: &str) -> Entry {
    Entry::new(EntryKind::Folder, id, RemotePath::root())
}
