//! Changes an entry's own fields (providers.md 2.8, 2.9). A folder's password is sent as its MD5 (OQ-22). The site drops a
//! value of any other length without an error and leaves the folder open, so the answer must show a password.

use super::changes::check_new_name;
use super::entry;
use super::entry::file_number;
use super::remote::Giga0;
use super::wire::{File, Folder};
use crate::contract::{BoxFuture, Changes, Edits, Error, Kind, Result, Visibility};
use crate::model::{Entry, EntryKind, Secret};

/// The value that removes a folder's password.
const CLEARED: &str = "null";

impl Edits for Giga0 {
    fn check(&self, kind: EntryKind, changes: &Changes) -> Result<()> {
        let refused = match kind {
            EntryKind::File if changes.visibility.is_some() || changes.folder_password.is_some() => {
                "a file has no visibility and no password of its own here, only its folder has"
            }
            EntryKind::Folder if changes.file_type.is_some() => "a folder has no type",
            _ => return Ok(()),
        };
        Err(Error::new(Kind::Unsupported, refused))
    }
    fn shows(&self, now: &Entry, changes: &Changes) -> bool {
        let is = |field: &str, wished: Option<&str>| {
            wished.is_none_or(|wished| now.extra.get(field).and_then(|told| told.as_str()) == Some(wished))
        };
        let visibility = changes.visibility.map(|wished| entry::visibility(wished as u64));
        changes.folder_password.is_none() && is("type", changes.file_type.as_deref()) && is("visibility", visibility)
    }
    fn edit<'a>(&'a self, entry: &'a Entry, changes: &'a Changes) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            self.refuse_top(entry)?;
            match file_number(entry) {
                Ok(number) => self.edit_file(entry, number, changes).await,
                Err(_) => self.edit_folder(entry, changes).await,
            }
        })
    }
}

impl Giga0 {
    async fn edit_file(&self, entry: &Entry, number: &str, changes: &Changes) -> Result<Option<Entry>> {
        let mut fields = Vec::new();
        fields.extend(changes.name.as_deref().map(|name| ("filename", name)));
        fields.extend(changes.file_type.as_deref().map(|kind| ("fileType", kind)));
        let Some(row) = self.api.file_edit(number, &fields).await? else { return Ok(None) };
        compare_file(&row, changes).map_err(|e| e.with_subject(entry.path.to_string()))?;
        if row.name.is_none() {
            return Ok(None);
        }
        let now = entry::of_file(File { id: Some(number.to_owned()), ..row }, entry.path.parent().as_ref())?;
        Ok(Some(Entry { size: now.size.or(entry.size), md5: entry.md5.clone(), ..now }))
    }

    async fn edit_folder(&self, entry: &Entry, changes: &Changes) -> Result<Option<Entry>> {
        let clears = changes.folder_password.as_ref().is_some_and(Secret::is_empty);
        let hash = changes.folder_password.as_ref().filter(|p| !p.is_empty()).map(hash_password);
        let mut fields = Vec::new();
        // The site removes a password only together with another field (providers.md 2.9).
        let name = changes.name.as_deref().or(clears.then_some(entry.name.as_str()));
        fields.extend(name.map(|name| ("folder_name", name)));
        fields.extend(changes.visibility.map(|v| ("is_public", code(v))));
        fields.extend(hash.as_ref().map(Secret::expose).or(clears.then_some(CLEARED)).map(|value| ("access_password", value)));
        let Some(row) = self.api.folder_edit(&entry.id, &fields).await? else {
            return if changes.folder_password.is_some() { Err(unproved_error(entry)) } else { Ok(None) };
        };
        compare_folder(&row, changes).map_err(|e| e.with_subject(entry.path.to_string()))?;
        if row.name.is_none() {
            return Ok(None);
        }
        entry::of_folder(Folder { id: Some(entry.id.clone()), ..row }, entry.path.parent().as_ref()).map(Some)
    }
}

/// In lower-case hex. The hash opens the folder just as the password does.
fn hash_password(password: &Secret) -> Secret {
    Secret::new(format!("{:x}", md5::compute(password.expose())))
}

fn code(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "0",
        Visibility::Unlisted => "1",
        Visibility::Public => "2",
    }
}

fn compare_file(row: &File, changes: &Changes) -> Result<()> {
    if let (Some(told), Some(wished)) = (&row.name, &changes.name) {
        check_new_name(told, wished)?;
    }
    match (&row.mime, &changes.file_type) {
        (Some(told), Some(wished)) if told != wished => {
            Err(Error::new(Kind::Refused, format!("the site did not take the type {wished:?}: it is {told:?}")))
        }
        _ => Ok(()),
    }
}

fn compare_folder(row: &Folder, changes: &Changes) -> Result<()> {
    if let (Some(told), Some(wished)) = (&row.name, &changes.name) {
        check_new_name(told, wished)?;
    }
    if let (Some(told), Some(wished)) = (row.is_public, changes.visibility)
        && told.to_string() != code(wished)
    {
        return Err(Error::new(Kind::Refused, "the site left the folder's visibility as it was"));
    }
    match (&changes.folder_password, &row.password) {
        (Some(wished), None) if !wished.is_empty() => {
            Err(Error::new(Kind::Refused, "the site took no password: the folder is not protected by one"))
        }
        (Some(wished), Some(_)) if wished.is_empty() => Err(Error::new(Kind::Refused, "the site kept the folder's password")),
        _ => Ok(()),
    }
}

fn unproved_error(entry: &Entry) -> Error {
    Error::new(Kind::Unknown, "the site's answer does not show whether the folder is protected now")
        .with_subject(entry.path.to_string())
        .with_hint("look at the folder on the site")
}
