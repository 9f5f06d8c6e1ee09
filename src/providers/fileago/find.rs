//! From an address to an entry: by path from `home`, or from `@home`, `@trash`, `@home:UUID`, `@UUID`.

use super::FileAgo;
use super::entries;
use crate::contract::walk::{not_found, walk};
use crate::contract::{Kind, Result};
use crate::model::{Entry, EntryKind, Place, RemotePath, Root};

/// The folders that every owner has; alone they are one's own, `home:UUID` is that of a user or group (providers.md 3.3).
const SPECIAL: &[&str] = &["home", "incoming", "trash", "public_shares", "private_shares", "favorites", "shared_with_you"];

impl FileAgo {
    pub(super) async fn find(&self, at: &Place) -> Result<Entry> {
        let top = match &at.root {
            Root::Top => folder("home"),
            Root::Id(id) if is_special(id) => Entry { name: id.clone(), ..folder(id) },
            Root::Id(id) => self.by_id(id).await.map_err(|e| e.on(format!("@{id}")))?,
        };
        if !top.is_folder() && !at.path.is_root() {
            return Err(not_found(&at.path).hint("a file holds nothing"));
        }
        walk(self, top, &at.path).await
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

    /// The file as its folder's list shows it: only there are size and revision (providers.md 3.4).
    async fn row_of(&self, id: &str) -> Result<Option<Entry>> {
        let steps = self.api.path(id).await?;
        let parent = steps.into_iter().filter_map(|s| s.uuid).rfind(|uuid| uuid != id);
        let Some(parent) = parent else { return Ok(None) };
        let row = self.api.dirlist(&parent).await?.into_iter().find(|n| n.uuid.as_deref() == Some(id));
        row.map(|row| entries::of_node(row, None)).transpose()
    }
}

fn is_special(id: &str) -> bool {
    SPECIAL.contains(&id.split(':').next().unwrap_or_default())
}

fn folder(id: &str) -> Entry {
    Entry::new(EntryKind::Folder, id, RemotePath::root())
}
