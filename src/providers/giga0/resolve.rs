//! Finds the entry of an address: by path, `@125` (a folder), `@file:1253`, `@short:2Vv`.

use super::entry;
use super::entry::is_active;
use super::remote::Giga0;
use crate::contract::walk::{not_found, walk};
use crate::contract::{Error, Kind, Result};
use crate::model::{Entry, EntryKind, Place, RemotePath, Root};

impl Giga0 {
    pub(super) async fn find(&self, at: &Place) -> Result<Entry> {
        let top = match &at.root {
            Root::Top => return walk(self, root(), &at.path).await,
            Root::Id(id) => {
                let entry = self.by_id(id).await.map_err(|e| e.with_subject(format!("@{id}")))?;
                Entry { path: RemotePath::root().anchored_at(id), ..entry }
            }
        };
        if !top.is_folder() && !at.path.is_root() {
            return Err(not_found(&at.display_path(&at.path)).with_hint("this is a file, and contains no other entries"));
        }
        walk(self, top, &at.path).await
    }

    async fn by_id(&self, id: &str) -> Result<Entry> {
        if let Some(number) = id.strip_prefix("file:") {
            return self.file(number).await;
        }
        if let Some(short) = id.strip_prefix("short:") {
            let number = self.api.file_of_short_url(short).await?;
            return self.file(&number.ok_or_else(not_found_by_id)?).await;
        }
        let row = self.api.folder_info(id).await?;
        // A site that reads neither parameter answers with some other folder (OQ-16).
        if row.id.as_deref() != Some(id) || !is_active(&row.status) {
            return Err(not_found_by_id());
        }
        entry::of_folder(row, None)
    }

    async fn file(&self, number: &str) -> Result<Entry> {
        let row = self.api.file_info(number).await?;
        if !is_active(&row.status) || !is_active(&row.file_status) {
            return Err(not_found_by_id());
        }
        entry::of_file(row, None)
    }
}

/// The root has no id of its own: an empty id stands for it (providers.md 2.9).
fn root() -> Entry {
    Entry::new(EntryKind::Folder, "", RemotePath::root())
}

fn not_found_by_id() -> Error {
    Error::new(Kind::NotFound, "there is no such file or folder")
}
