//! From an address to an entry: by path from `home`, or from `@home`, `@trash`, `@home:UUID`, `@UUID`.

use super::FileAgo;
use super::entries;
use crate::contract::walk::{not_found, one_named, walk};
use crate::contract::{Kind, Result};
use crate::model::{Entry, EntryKind, Place, RemotePath, Root};

/// The folders that every owner has; alone they are one's own, `home:UUID` is that of a user or group (providers.md 3.3).
const SPECIAL: &[&str] = &["home", "incoming", "trash", "public_shares", "private_shares", "favorites", "shared_with_you"];

impl FileAgo {
    pub(super) async fn find(&self, at: &Place) -> Result<Entry> {
        let top = match &at.root {
            Root::Top => folder("home"),
            Root::Id(id) if is_special(id) => Entry { name: id.clone(), path: RemotePath::root().under(id), ..folder(id) },
            Root::Id(id) => {
                let entry = self.by_id(id).await.map_err(|e| e.on(format!("@{id}")))?;
                Entry { path: RemotePath::root().under(id), ..entry }
            }
        };
        if !top.is_folder() && !at.path.is_root() {
            return Err(not_found(&at.shown(&at.path)).hint("a file holds nothing"));
        }
        match walk(self, top.clone(), &at.path).await {
            Err(e) if e.kind() == Kind::NotFound && is_trash(&top.id) => self.in_trash(top, &at.path).await?.ok_or(e),
            found => found,
        }
    }

    /// From 2.0 on the trash groups what was deleted by day, in folders named by the date (OQ-28): a name is looked for one
    /// level deeper, too.
    async fn in_trash(&self, trash: Entry, path: &RemotePath) -> Result<Option<Entry>> {
        let Some(name) = path.names().first() else { return Ok(None) };
        let Some(rest) = path.below(&RemotePath::root().join(name)?) else { return Ok(None) };
        let mut deleted = Vec::new();
        for day in self.listing(&trash).await?.into_iter().filter(Entry::is_folder) {
            deleted.extend(self.listing(&day).await?);
        }
        match one_named(deleted, name, !rest.is_root(), &trash.path)? {
            Some(top) => walk(self, top, &rest).await.map(Some),
            None => Ok(None),
        }
    }

    async fn by_id(&self, id: &str) -> Result<Entry> {
        let entry = entries::of_node(self.api.details(id).await?, None)?;
        if entry.is_folder() {
            return Ok(entry);
        }
        match self.row_of(&entry.id).await {
            Ok(found) => Ok(found.unwrap_or(entry)),
            // A file shared alone lies in a folder that we may not see.
            Err(e) if matches!(e.kind(), Kind::NotFound | Kind::Refused | Kind::Protocol) => Ok(entry),
            Err(e) => Err(e),
        }
    }

    /// The folder that a node lies in; none for a top folder.
    pub(super) async fn parent_of(&self, id: &str) -> Result<Option<String>> {
        Ok(self.api.path(id).await?.into_iter().filter_map(|s| s.uuid).rfind(|uuid| uuid != id))
    }

    /// The file as its folder's list shows it: only there are size and revision (providers.md 3.4).
    async fn row_of(&self, id: &str) -> Result<Option<Entry>> {
        let Some(parent) = self.parent_of(id).await? else { return Ok(None) };
        let row = self.api.dirlist(&parent).await?.into_iter().find(|n| n.uuid.as_deref() == Some(id));
        row.map(|row| entries::of_node(row, None)).transpose()
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
