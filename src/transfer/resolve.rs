//! Resolves addresses to entries and their folders. A caller that changes an entry must know where to look for it when an
//! answer is lost. Each folder is listed once, however many addresses begin with it.

use std::collections::HashMap;

use crate::contract::walk::{newest_filled, not_found, one_named};
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Entry, Place, RemotePath, Root};
use crate::transfer::client::RemoteClient;
use crate::transfer::folder_cache::{FolderCache, ListedFolder};

/// What an address names.
#[derive(Clone)]
pub struct Resolved {
    pub entry: Entry,
    /// The folder that holds the entry; none where it is unknown.
    pub parent: Option<Entry>,
    /// A top folder, which can be neither moved nor removed.
    pub top: bool,
    /// `REMOTE:PATH` as typed.
    pub shown: String,
    /// For reports.
    pub path: RemotePath,
}

pub struct Resolver {
    client: RemoteClient,
    folders: HashMap<Root, FolderCache>,
}

impl Resolver {
    pub fn new(client: RemoteClient) -> Resolver {
        Resolver { client, folders: HashMap::new() }
    }

    /// Fails with `NotFound`, or with `Ambiguous` and the ids.
    pub async fn find(&mut self, address: &Address) -> Result<Resolved> {
        let place = &address.place;
        let found = match place.path.is_root() {
            true => self.by_id(place).await,
            false => self.by_path(place).await,
        };
        // As the provider itself says that it writes these names.
        let written = Place { path: self.client.stored_path(&place.path)?, ..place.clone() };
        let (entry, parent) = match found {
            Err(error) if error.kind() == Kind::NotFound && written != *place => self.by_path(&written).await,
            found => found,
        }
        .map_err(|e| e.with_remote(&address.remote).with_subject(address.to_string()))?;
        if address.folder && !entry.is_folder() {
            return Err(Error::new(Kind::NotFound, "this is a file, not a folder").with_subject(address.to_string()));
        }
        let top = self
            .client
            .inspect(|p| p.abilities().deletions.map_or(place.path.is_root() && place.root == Root::Top, |removal| removal.is_top(&entry)));
        Ok(Resolved { entry, parent, top, shown: address.to_string(), path: place.display_path(&place.path) })
    }

    async fn by_id(&self, place: &Place) -> Result<(Entry, Option<Entry>)> {
        let entry = self.client.stat(place).await?;
        let parent = if place.root == Root::Top { None } else { parent_of(&self.client, &entry).await? };
        Ok((entry, parent))
    }

    async fn by_path(&mut self, place: &Place) -> Result<(Entry, Option<Entry>)> {
        let client = self.client.clone();
        let (Some(parent), Some(name)) = (place.path.parent(), place.path.name()) else {
            return Err(not_found(&place.display_path(&place.path)));
        };
        if !client.has(|can| can.browse.is_some()) {
            // No folder can be listed, so the provider resolves the path itself.
            return Ok((client.stat(place).await?, None));
        }
        let folders = self.folders.entry(place.root.clone()).or_insert_with(|| FolderCache::new(client, place.root.clone(), true));
        let folder = folders.find(&parent).await?;
        let found = match &folder {
            Some(folder) => self.find_by_name(folder, &place.path, name)?,
            None => None,
        };
        match (found, folder) {
            // The entries of a folder of favourites lie in other folders.
            (Some(entry), Some(_)) if parent.is_root() && place.root != Root::Top => {
                let parent = parent_of(&self.client, &entry).await?;
                Ok((entry, parent))
            }
            (Some(entry), folder) => Ok((entry, folder.map(|f| f.entry.clone()))),
            // A provider may find a path that no listing shows (the days in FileAgo's trash).
            (None, _) if place.root != Root::Top => {
                let entry = self.client.stat(place).await?;
                let parent = parent_of(&self.client, &entry).await?;
                Ok((entry, parent))
            }
            (None, _) => Err(not_found(&place.display_path(&place.path))),
        }
    }
}

impl Resolver {
    /// The entry of that name; else the file that the server is known to keep under another.
    fn find_by_name(&self, folder: &ListedFolder, path: &RemotePath, name: &str) -> Result<Option<Entry>> {
        let within = &path.parent().unwrap_or_default();
        let named: Vec<Entry> = folder.readable(name)?.cloned().collect();
        // Where nothing can be removed, each `put` of a changed file adds an entry: the newest one is meant.
        let named = if self.client.has(|can| can.keeps_every_version()) { newest_filled(named) } else { named };
        if let Some(found) = one_named(named, name, false, within)? {
            return Ok(Some(found));
        }
        let Some(stored) = self.client.learned.as_ref().and_then(|learned| learned.name(path)) else { return Ok(None) };
        let files = folder.find_by_name(&stored).filter(|entry| !entry.is_folder()).cloned().collect();
        one_named(files, &stored, false, within)
    }
}

/// The folder that an entry lies in, asked of the provider; none where it may not be seen.
pub(crate) async fn parent_of(client: &RemoteClient, entry: &Entry) -> Result<Option<Entry>> {
    match client.call(|p| async move { p.abilities().moves()?.parent(entry).await }).await {
        Err(e) if e.kind() == Kind::Unsupported => Ok(None),
        Err(e) if matches!(e.kind(), Kind::NotFound | Kind::Refused | Kind::Protocol) => Ok(None),
        told => told,
    }
}
