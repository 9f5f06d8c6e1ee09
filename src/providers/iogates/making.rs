//! The entry that an upload fills. ioGates can't remove an entry, and `POST /api/file` twice makes two of one name
//! (providers.md 1.6), so nothing is made twice: an entry that no byte reached is used again, and after a lost answer
//! the listing is searched for what it made.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::IoGates;
use super::tree::{ROOT_ID, Tree};
use super::wire::{File, NewFile};
use crate::contract::{Error, Kind, Result, Ticket, UploadItem};
use crate::model::{Place, RemotePath};

/// What ioGates is asked to make: a path from the root, or a name in the folder `parent`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spot {
    name: String,
    parent: Option<String>,
}

/// An entry that waits for its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    pub id: String,
    pub upload_name: String,
    /// What the server was told, and will insist on.
    pub size: Option<u64>,
    pub md5: Option<String>,
}

#[derive(Default)]
pub struct Making {
    /// Made, but no session was opened for them.
    spare: Mutex<HashMap<Spot, Made>>,
    /// The answer was lost, and the listing could not be asked yet; what there was before.
    doubts: Mutex<HashMap<Spot, Option<Arc<Tree>>>>,
    /// Ids of all entries made in this run.
    ours: Mutex<HashSet<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Making {
    /// This entry was not used after all; the next try for the same spot takes it.
    pub fn spare(&self, spot: Spot, made: Made) {
        locked(&self.spare).insert(spot, made);
    }
}

/// An entry for this item: the unused one of an earlier try, or a new one.
pub async fn entry_for(host: &IoGates, item: &UploadItem, path: &RemotePath) -> Result<(Spot, Made)> {
    let before = listing_before(host).await?;
    let spot = spot_for(item, path, before.as_deref())?;
    if let Some(made) = item.unused.as_ref().and_then(|ticket| of_ticket(ticket, path, item)) {
        return Ok((spot, made));
    }
    let spare = locked(&host.making.spare).remove(&spot);
    if let Some(made) = spare.filter(|made| fits(made, item)) {
        return Ok((spot, made));
    }
    let doubt = locked(&host.making.doubts).get(&spot).cloned();
    if let Some(before) = doubt {
        let found = look(host, &spot, before.as_deref()).await?;
        locked(&host.making.doubts).remove(&spot);
        if let Some(made) = found {
            return Ok((spot, made));
        }
    }
    let made = make(host, item, &spot, before).await?;
    Ok((spot, made))
}

async fn make(host: &IoGates, item: &UploadItem, spot: &Spot, before: Option<Arc<Tree>>) -> Result<Made> {
    let kind = mime_guess::from_path(&item.name).first_raw().unwrap_or("other");
    let md5 = item.checksum.md5.as_deref();
    let new = NewFile { name: &spot.name, kind, parent: spot.parent.as_deref(), size: item.source.size(), md5 };
    let answer = host.api.create(&new).await;
    host.listing.forget().await;
    let lost = match answer {
        Ok(file) => return made_of(host, file, new.size, item.checksum.md5.clone()),
        Err(error) if error.kind() == Kind::Interrupted => error,
        Err(error) => return Err(error),
    };
    locked(&host.making.doubts).insert(spot.clone(), before.clone());
    let found = match look(host, spot, before.as_deref()).await {
        Ok(found) => found,
        // The question stays open; the next try asks it first.
        Err(error) if error.kind().may_pass() => return Err(lost),
        Err(error) => return Err(error),
    };
    locked(&host.making.doubts).remove(spot);
    found.ok_or(lost)
}

/// After a lost answer: the entry that it made, if it made one. Fails with `Unknown` when that can't be told.
async fn look(host: &IoGates, spot: &Spot, before: Option<&Tree>) -> Result<Option<Made>> {
    let undecided = |why: String| {
        Error::new(Kind::Unknown, format!("the answer to making this entry was lost, and {why}"))
            .on(format!("/{}", spot.name))
            .hint("look at the folder; an empty entry there can be ignored")
    };
    let before = before.ok_or_else(|| undecided("the token may not list".to_owned()))?;
    let now = host.listing.anew(&host.api).await?;
    let found: Vec<&str> = {
        let ours = locked(&host.making.ours);
        let new = now.new_empty_files(before, &spot.name, spot.parent.as_deref());
        new.into_iter().map(|entry| entry.id.as_str()).filter(|id| !ours.contains(*id)).collect()
    };
    match found.as_slice() {
        [] => Ok(None),
        // It was promised what this item is, or the item of an earlier try for the same spot: the same file.
        [id] => {
            let file = File { id: Some((*id).to_owned()), ..host.api.file(id).await? };
            made_of(host, file, None, None).map(Some)
        }
        several => Err(undecided(format!("there are several new ones: @{}", several.join(", @")))),
    }
}

/// What there is now, to tell later what is new. A token that may not list (an upload-only share) still may upload.
async fn listing_before(host: &IoGates) -> Result<Option<Arc<Tree>>> {
    match host.listing.lately(&host.api).await {
        Ok(tree) => Ok(Some(tree)),
        Err(error) if matches!(error.kind(), Kind::Refused | Kind::NotFound | Kind::Protocol) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The path from the root makes missing folders by itself. Where that path would not lead to the folder that is meant
/// (two of one name, a name that can't stand in a path) the folder is named by its id. Fails with `Ambiguous` when a
/// folder that has no id yet would be made in one of two.
fn spot_for(item: &UploadItem, path: &RemotePath, tree: Option<&Tree>) -> Result<Spot> {
    let by_path = Spot { name: path.names().join("/"), parent: None };
    let id = &item.folder.id;
    let Some(tree) = tree.filter(|_| id != ROOT_ID) else { return Ok(by_path) };
    match tree.stat(&Place::at(item.folder.path.clone())) {
        Ok(found) if found.id == *id => Ok(by_path),
        _ if tree.holds(id) => Ok(Spot { name: item.name.clone(), parent: Some(id.clone()) }),
        Err(error) if error.kind() == Kind::Ambiguous => Err(error),
        _ => Ok(by_path),
    }
}

fn of_ticket(ticket: &Ticket, path: &RemotePath, item: &UploadItem) -> Option<Made> {
    let (id, upload_name) = (ticket.id.clone()?, ticket.upload_name.clone()?);
    let made = Made { id, upload_name, size: ticket.size, md5: None };
    (ticket.path == *path && fits(&made, item)).then_some(made)
}

/// The server refuses bytes that are not what it was promised.
fn fits(made: &Made, item: &UploadItem) -> bool {
    (made.size.is_none() || made.size == item.source.size()) && (made.md5.is_none() || made.md5 == item.checksum.md5)
}

/// `upload_filename` becomes an FTP command and a form field: what could break out of one is refused.
fn made_of(host: &IoGates, file: File, size: Option<u64>, md5: Option<String>) -> Result<Made> {
    let nonsense = |why: &str| Error::new(Kind::Protocol, format!("the server made an entry {why}"));
    let id = file.id.ok_or_else(|| nonsense("without an id"))?;
    locked(&host.making.ours).insert(id.clone());
    let upload_name = file.upload_filename.ok_or_else(|| nonsense("without a name to upload under").on(format!("@{id}")))?;
    if RemotePath::root().join(&upload_name).is_err() {
        return Err(nonsense("whose name to upload under can't be the name of a file").on(format!("@{id}")));
    }
    Ok(Made { id, upload_name, size, md5 })
}
