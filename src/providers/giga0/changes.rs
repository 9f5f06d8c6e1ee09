//! Removing, moving and copying (providers.md 2.8, 2.9). The site reports a success even if it did not do everything, so each
//! answer is compared with the request. A wrong folder or name is an error; after an answer that lacks them the caller looks.

use super::entry::file_number;
use super::names;
use super::remote::Giga0;
use super::wire::File;
use crate::contract::lookup::safe_child_path;
use crate::contract::{BoxFuture, Copies, Deletions, Error, Kind, Moves, Result};
use crate::model::{Entry, EntryKind, RemotePath};

impl Deletions for Giga0 {
    fn is_top(&self, entry: &Entry) -> bool {
        entry.is_folder() && entry.id.is_empty()
    }
    fn remove<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.refuse_top(entry)?;
            match file_number(entry) {
                Ok(number) => self.api.file_delete(number).await,
                Err(_) => self.api.folder_delete(&entry.id).await,
            }
        })
    }
}

impl Moves for Giga0 {
    fn parent<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            if self.is_top(entry) {
                return Ok(None);
            }
            let told = match file_number(entry) {
                Ok(number) => self.api.file_info(number).await?.folder_id,
                Err(_) => self.api.folder_info(&entry.id).await?.parent,
            };
            Ok(Some(Entry::new(EntryKind::Folder, folder_number(told).unwrap_or_default(), RemotePath::root())))
        })
    }
    fn rename<'a>(&'a self, entry: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.give_name(entry, name))
    }
    fn move_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.move_to(entry, folder))
    }
}

impl Copies for Giga0 {
    fn copy_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            let row = self.api.file_copy(file_number(entry)?, &folder.id).await?;
            row.map_or(Ok(None), |row| copied_entry(row, entry, folder))
        })
    }
}

impl Giga0 {
    pub(super) fn refuse_top(&self, entry: &Entry) -> Result<()> {
        match self.is_top(entry) {
            true => Err(Error::new(Kind::Refused, "the top folder can't be changed").with_subject(entry.path.to_string())),
            false => Ok(()),
        }
    }

    async fn give_name(&self, entry: &Entry, name: &str) -> Result<Option<Entry>> {
        self.refuse_top(entry)?;
        let told = match file_number(entry) {
            Ok(number) => self.api.file_edit(number, &[("filename", name)]).await?.and_then(|row| row.name),
            Err(_) => self.api.folder_edit(&entry.id, &[("folder_name", name)]).await?.and_then(|row| row.name),
        };
        let Some(told) = told else { return Ok(None) };
        check_new_name(&told, name).map_err(|e| e.with_subject(entry.path.to_string()))?;
        let within = entry.path.parent().unwrap_or_default();
        Ok(Some(Entry { path: safe_child_path(&within, &told), name: told, ..entry.clone() }))
    }

    async fn move_to(&self, entry: &Entry, folder: &Entry) -> Result<Option<Entry>> {
        self.refuse_top(entry)?;
        let told = match file_number(entry) {
            Ok(number) => self.api.file_move(number, &folder.id).await?.and_then(|row| row.folder_id),
            Err(_) => self.api.folder_move(&entry.id, &folder.id).await?.and_then(|row| row.parent),
        };
        let Some(told) = folder_number(told) else { return Ok(None) };
        if told != folder.id {
            return Err(elsewhere(entry, &told));
        }
        Ok(Some(Entry { path: safe_child_path(&folder.path, &entry.name), ..entry.clone() }))
    }
}

/// The site never refuses a name: it strips tags and outer blanks, and only the name in its answer shows that.
pub(super) fn check_new_name(told: &str, wished: &str) -> Result<()> {
    match told == wished || told == names::apply_site_rules(wished) {
        true => Ok(()),
        false => Err(Error::new(Kind::Refused, format!("the site did not take the name {wished:?}: it is named {told:?}"))),
    }
}

fn copied_entry(row: File, entry: &Entry, folder: &Entry) -> Result<Option<Entry>> {
    let (Some(id), Some(name)) = (row.id, row.name) else { return Ok(None) };
    let copy = Entry { id: format!("file:{id}"), path: safe_child_path(&folder.path, &name), name, ..entry.clone() };
    if copy.id == entry.id {
        return Ok(None);
    }
    match folder_number(row.folder_id) {
        Some(told) if told != folder.id => Err(elsewhere(&copy, &told)),
        // The copy is in the root, or the answer does not name its folder.
        None if !folder.id.is_empty() => Ok(None),
        _ => Ok(Some(Entry { size: row.size, modified: None, url: row.url, extra: Default::default(), ..copy })),
    }
}

/// Some calls ignore a target folder that does not exist, without an error (providers.md 2.8).
fn elsewhere(entry: &Entry, told: &str) -> Error {
    Error::new(Kind::Refused, format!("the site did not put it there: @{} is in the folder @{told}", entry.id))
        .with_subject(entry.path.to_string())
}

/// Null, blank and `0` are the root, or a field that was left out.
fn folder_number(told: Option<String>) -> Option<String> {
    told.filter(|id| !matches!(id.as_str(), "" | "0" | "null"))
}
