//! Finds again what a receipt names: at its path, or by its id where it was moved meanwhile.

use std::collections::HashMap;

use super::client::RemoteClient;
use crate::contract::Entries;
use crate::contract::walk::newest_filled;
use crate::error::{Kind, Result};
use crate::model::{Entry, Place, RemotePath, Root};

/// Lists each folder once, however many of its files are looked for.
pub struct RecordedEntries {
    client: RemoteClient,
    folders: HashMap<Place, Option<Entries>>,
}

impl RecordedEntries {
    pub fn new(client: RemoteClient) -> RecordedEntries {
        RecordedEntries { client, folders: HashMap::new() }
    }

    /// None: nothing is there any more. Fails with `Protocol` where the row of this name can't be read.
    pub async fn find(&mut self, path: &RemotePath, id: Option<&str>) -> Result<Option<Entry>> {
        // Where nothing can be listed, an entry is identified by its id.
        let places = if self.client.has(|can| can.browse.is_some()) { readings(path) } else { Vec::new() };
        for place in places {
            if let Some(entry) = self.at_its_path(&place, id).await? {
                return Ok(Some(entry));
            }
        }
        self.by_its_id(id).await
    }

    async fn by_its_id(&self, id: Option<&str>) -> Result<Option<Entry>> {
        let Some(id) = id else { return Ok(None) };
        let place = Place { root: Root::Id(id.to_owned()), path: RemotePath::root() };
        match self.client.stat(&place).await {
            Ok(entry) if entry.trashed => Ok(None),
            Ok(entry) => Ok(Some(entry)),
            Err(e) if matches!(e.kind(), Kind::NotFound | Kind::Refused) => Ok(None),
            Err(e) => Err(e),
        }
    }

    async fn at_its_path(&mut self, place: &Place, id: Option<&str>) -> Result<Option<Entry>> {
        let (Some(parent), Some(name)) = (place.parent(), place.path.name()) else { return Ok(None) };
        if !self.folders.contains_key(&parent) {
            let children = match self.client.stat(&parent).await {
                Ok(folder) if folder.trashed => None,
                Ok(folder) => Some(self.client.list(&folder).await?),
                Err(e) if e.kind() == Kind::NotFound => None,
                Err(e) => return Err(e),
            };
            self.folders.insert(parent.clone(), children);
        }
        let Some(Some(children)) = self.folders.get(&parent) else { return Ok(None) };
        let named = children.find_by_name(name)?;
        // Among several entries of that name the receipt's id decides, else what the path means now.
        let ours = named.iter().find(|entry| id == Some(entry.id.as_str())).cloned();
        Ok(ours.or_else(|| newest_filled(named).into_iter().next()))
    }
}

/// `/@ID/a` in a receipt is a place below a node's id, or a folder whose name begins with `@`.
fn readings(path: &RemotePath) -> Vec<Place> {
    let mut places = vec![Place::at(path.clone())];
    if let Some((id, below)) = path.names().split_first().and_then(|(first, below)| Some((first.strip_prefix('@')?, below)))
        && let Ok(path) = RemotePath::parse(&below.join("/"))
    {
        places.push(Place { root: Root::Id(id.to_owned()), path });
    }
    places
}
