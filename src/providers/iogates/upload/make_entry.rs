//! Makes the entry that an upload fills. ioGates can't remove an entry, and two calls of `POST /api/file` make two entries of
//! one name (providers.md 1.6). So nothing is made twice: an entry without bytes is used again, and after a lost answer the
//! listing is searched for the entry.

use std::sync::Arc;

use serde_json::Value;

use super::entry_pool::{EmptyEntry, EntrySlot, UncertainCreate};
use crate::contract::{Error, Kind, Result, UploadHandle, UploadRequest};
use crate::model::{Place, RemotePath};
use crate::providers::iogates::remote::IoGates;
use crate::providers::iogates::tree::{ROOT_ID, Tree};
use crate::providers::iogates::wire::{Attribute, File, NewFile};

/// Returns an entry for this item: the unused one of an earlier try, or a new one.
pub async fn entry_for(host: &IoGates, item: &UploadRequest, path: &RemotePath) -> Result<(EntrySlot, EmptyEntry)> {
    let before = listing_before(host).await?;
    let spot = spot_for(item, path, before.as_deref())?;
    if let Some(made) = item.reusable.as_ref().and_then(|ticket| of_ticket(ticket, path, item)) {
        return Ok((spot, made));
    }
    let spare = host.making.spare.lock().remove(&spot);
    if let Some(made) = spare.filter(|made| fits(made, item)) {
        return Ok((spot, made));
    }
    if let Some(made) = resolve_uncertain(host, &spot).await? {
        return Ok((spot, made));
    }
    let made = make(host, item, &spot, before).await?;
    Ok((spot, made))
}

async fn make(host: &IoGates, item: &UploadRequest, spot: &EntrySlot, before: Option<Arc<Tree>>) -> Result<EmptyEntry> {
    let answer = host.api.create(&new_file(item, spot)).await;
    host.listing.forget().await;
    let made = match answer {
        Ok(file) => empty_entry_for(host, file, item),
        Err(error) => Err(error),
    };
    let lost = match made {
        Err(error) if error.may_have_happened() => error,
        verdict => return verdict,
    };
    host.making.record_uncertain(spot.clone(), before);
    match resolve_uncertain(host, spot).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) if lost.is_unread_answer() => Err(lost.into_uncertain()),
        Ok(None) => Err(lost),
        // Still uncertain; the next try searches the listing first.
        Err(error) if error.kind().is_transient() && !lost.is_unread_answer() => Err(lost),
        Err(error) => Err(error),
    }
}

pub fn new_file<'a>(item: &'a UploadRequest, spot: &'a EntrySlot) -> NewFile<'a> {
    let by_name = || mime_guess::from_path(&item.name).first_raw().unwrap_or("other");
    NewFile {
        name: &spot.name,
        kind: item.metadata.kind.as_deref().unwrap_or_else(by_name),
        parent: spot.parent.as_deref(),
        attributes: item.metadata.attributes.iter().map(|(name, value)| Attribute { name, value: value_of(value) }).collect(),
        size: item.source.size(),
        md5: item.checksum.md5.as_deref(),
    }
}

/// A JSON number if the text is exactly how a number is written: `127`, but not `007` and not `1.10`.
fn value_of(text: &str) -> Value {
    match text.parse::<serde_json::Number>() {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ => Value::from(text),
    }
}

/// After a lost answer for this slot: returns the entry that the server made, if any. The slot stays uncertain until a listing
/// could decide.
pub async fn resolve_uncertain(host: &IoGates, spot: &EntrySlot) -> Result<Option<EmptyEntry>> {
    let Some(doubt) = host.making.doubts.lock().get(spot).cloned() else { return Ok(None) };
    let found = find_created(host, spot, &doubt).await?;
    host.making.doubts.lock().remove(spot);
    Ok(found)
}

/// Searches the listing for the entry of a lost answer. Fails with `Unknown` when the listing can't decide.
async fn find_created(host: &IoGates, spot: &EntrySlot, doubt: &UncertainCreate) -> Result<Option<EmptyEntry>> {
    let undecided = |why: String| {
        Error::new(Kind::Unknown, format!("the answer to making this entry was lost, and {why}"))
            .with_subject(format!("/{}", spot.name))
            .with_hint("look at the folder; an empty entry there can be ignored")
    };
    let before = doubt.before.as_deref().ok_or_else(|| undecided("the token may not list".to_owned()))?;
    let now = host.listing.newer_than(doubt.since, &host.api).await?;
    let found: Vec<String> = {
        let ours = host.making.ours.lock();
        let new = now.new_empty_files(before, &spot.name, spot.parent.as_deref());
        new.into_iter().map(|entry| entry.id).filter(|id| !ours.contains(id)).collect()
    };
    match found.as_slice() {
        [] => Ok(None),
        [id] => {
            let file = File { id: Some(id.clone()), ..host.api.file(id).await? };
            if file.upload_filename.is_none() {
                abandon(host, id);
                return Ok(None);
            }
            // The size and MD5 that the server was told are those of this item, or of an earlier try for the same slot: the
            // same file.
            entry_from_file(host, file, None, None).map(Some)
        }
        several => Err(undecided(format!("there are several new ones: @{}", several.join(", @")))),
    }
}

/// The documentation shows the name to upload under only in the answer to the making (providers.md 1.7). An entry whose answer
/// was lost may never show it. Then another entry is made, and this one is reported as left over.
fn abandon(host: &IoGates, id: &str) {
    host.making.ours.lock().insert(id.to_owned());
    host.making.strays.lock().push(id.to_owned());
}

/// Returns the listing of now, to see later what is new. A token that may not list (an upload-only share) can still upload.
pub async fn listing_before(host: &IoGates) -> Result<Option<Arc<Tree>>> {
    match host.listing.recent_tree(&host.api).await {
        Ok(tree) => Ok(Some(tree)),
        Err(error) if matches!(error.kind(), Kind::Refused | Kind::NotFound | Kind::Protocol) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A path from the root makes missing folders. If that path would not lead to the right folder (two folders of one name, a name
/// that can't stand in a path), the request names the folder by its id. Fails with `Ambiguous` when a folder that has no id yet
/// would be made in one of two.
pub fn spot_for(item: &UploadRequest, path: &RemotePath, tree: Option<&Tree>) -> Result<EntrySlot> {
    let by_path = EntrySlot { name: path.names().join("/"), parent: None };
    let id = &item.folder.id;
    let Some(tree) = tree.filter(|_| id != ROOT_ID) else { return Ok(by_path) };
    match tree.stat(&Place::at(item.folder.path.clone())) {
        Ok(found) if found.id == *id => Ok(by_path),
        _ if tree.holds(id) => Ok(EntrySlot { name: item.name.clone(), parent: Some(id.clone()) }),
        Err(error) if error.kind() == Kind::Ambiguous => Err(error),
        _ => Ok(by_path),
    }
}

fn of_ticket(ticket: &UploadHandle, path: &RemotePath, item: &UploadRequest) -> Option<EmptyEntry> {
    let (id, upload_name) = (ticket.id.clone()?, ticket.upload_name.clone()?);
    let made = EmptyEntry { id, upload_name, size: ticket.size, md5: None };
    (ticket.path == *path && fits(&made, item)).then_some(made)
}

/// True if the item has the size and MD5 that the server was told. It refuses other bytes.
fn fits(made: &EmptyEntry, item: &UploadRequest) -> bool {
    (made.size.is_none() || made.size == item.source.size()) && (made.md5.is_none() || made.md5 == item.checksum.md5)
}

/// The entry that the server made for this item, from its answer `file`.
pub fn empty_entry_for(host: &IoGates, file: File, item: &UploadRequest) -> Result<EmptyEntry> {
    entry_from_file(host, file, item.source.size(), item.checksum.md5.clone())
}

/// `upload_filename` becomes an FTP command and a form field: a name that could inject into either is refused.
fn entry_from_file(host: &IoGates, file: File, size: Option<u64>, md5: Option<String>) -> Result<EmptyEntry> {
    let nonsense = |why: &str| Error::new(Kind::Protocol, format!("the server made an entry {why}"));
    let id = file.id.ok_or_else(|| Error::unread_answer("the server made an entry without an id"))?;
    let upload_name = file.upload_filename.ok_or_else(|| nonsense("without a name to upload under").with_subject(format!("@{id}")))?;
    if RemotePath::root().join(&upload_name).is_err() {
        return Err(nonsense("whose name to upload under can't be the name of a file").with_subject(format!("@{id}")));
    }
    host.making.ours.lock().insert(id.clone());
    host.making.strays.lock().retain(|stray| *stray != id);
    Ok(EmptyEntry { id, upload_name, size, md5 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_only_where_nothing_is_lost() {
        for (text, wanted) in
            [("127", "127"), ("-2.5", "-2.5"), ("007", "\"007\""), ("1.10", "\"1.10\""), ("true", "\"true\""), ("", "\"\"")]
        {
            assert_eq!(value_of(text).to_string(), wanted);
        }
    }
}
