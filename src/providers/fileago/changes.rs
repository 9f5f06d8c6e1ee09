//! Changes of nodes (providers.md 3.4): one request each, answered with an empty 204. Only the folder's listing shows the
//! result, so the caller of each method looks there.

use serde_json::{Value, json};

use super::remote::FileAgo;
use super::resolve::{folder, is_special};
use crate::contract::{BoxFuture, Changes, Copies, Deletions, Edits, Error, Kind, Moves, Result, Shares, Stars};
use crate::model::{Entry, EntryKind};

impl Deletions for FileAgo {
    fn is_top(&self, entry: &Entry) -> bool {
        is_special(&entry.id)
    }
    fn remove<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.refuse_top(entry)?;
            self.api.delete(&entry.id).await
        })
    }
}

impl Moves for FileAgo {
    fn parent<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            if self.is_top(entry) {
                return Ok(None);
            }
            Ok(self.parent_of(&entry.id).await?.map(|id| folder(&id)))
        })
    }
    fn rename<'a>(&'a self, entry: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.silently(entry, json!({"new_name": name})))
    }
    fn move_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.silently(entry, json!({"move_to": folder.id})))
    }
}

impl Copies for FileAgo {
    fn copy_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.silently(entry, json!({"copy_to": folder.id})))
    }
}

impl Shares for FileAgo {
    fn share_copy<'a>(&'a self, entry: &'a Entry, with: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.silently(entry, json!({"share_copy_with": with})).await.map(drop) })
    }
}

impl Stars for FileAgo {
    fn star<'a>(&'a self, entry: &'a Entry, on: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.silently(entry, json!({"starred": on})).await.map(drop) })
    }
    fn is_starred<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<bool>> {
        // Only a folder's listing has the star (providers.md 3.4).
        Box::pin(async move {
            let Some(folder) = self.parent(entry).await? else { return Ok(false) };
            let now = self.listing(&folder).await?.find(|now| now.id == entry.id);
            Ok(now.is_some_and(|now| now.extra.get("is_starred").and_then(Value::as_bool) == Some(true)))
        })
    }
}

impl Edits for FileAgo {
    fn check(&self, _: EntryKind, changes: &Changes) -> Result<()> {
        match changes.file_type.is_some() || changes.visibility.is_some() || changes.folder_password.is_some() {
            true => Err(Error::new(Kind::Unsupported, "FileAgo can edit only the name")),
            false => Ok(()),
        }
    }
    fn shows(&self, _: &Entry, _: &Changes) -> bool {
        true
    }
    fn edit<'a>(&'a self, entry: &'a Entry, changes: &'a Changes) -> BoxFuture<'a, Result<Option<Entry>>> {
        self.rename(entry, changes.name.as_deref().unwrap_or(&entry.name))
    }
}

impl FileAgo {
    fn refuse_top(&self, entry: &Entry) -> Result<()> {
        match self.is_top(entry) {
            true => Err(Error::new(Kind::Refused, "a top folder can't be changed").with_subject(format!("@{}", entry.id))),
            false => Ok(()),
        }
    }

    async fn silently(&self, entry: &Entry, wish: Value) -> Result<Option<Entry>> {
        self.refuse_top(entry)?;
        self.api.change(&entry.id, &wish).await.map_err(|e| e.with_subject(entry.path.to_string()))?;
        Ok(None)
    }
}
