//! The target folders of a run with their entries: each is listed once, and then updated by what this run does itself.

use std::collections::HashMap;
use std::sync::Arc;

use crate::contract::TransferStore;
use crate::contract::entry_list::Faults;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Place, RemotePath, Root};
use crate::transfer::client::RemoteClient;
use crate::transfer::folder_cache::FolderCache;
use crate::transfer::if_exists::free_name;
use crate::transfer::resolve::parent_of;

/// The largest depth of a folder; a longer chain is a circle.
const MAX_DEPTH: usize = 256;

#[derive(Clone)]
pub(crate) struct TargetFolder {
    pub folder: Entry,
    pub children: Vec<Entry>,
    /// Rows of the listing that can't be read.
    pub faults: Arc<Faults>,
}

impl TargetFolder {
    pub fn has(&self, name: &str) -> bool {
        self.children.iter().any(|e| e.name == name) || self.faults.check(name).is_err()
    }
}

/// Paths are counted from one root.
pub(crate) struct TargetFolders {
    client: RemoteClient,
    root: Root,
    folders: FolderCache,
    known: HashMap<RemotePath, TargetFolder>,
    spares: u32,
}

impl TargetFolders {
    /// `imagine`: a missing folder is imagined, not made. `turns`: where this machine's runs take turns to make folders, and
    /// the remote's name there.
    pub fn new(client: RemoteClient, root: Root, imagine: bool, turns: (Arc<dyn TransferStore>, String)) -> TargetFolders {
        let folders = FolderCache::new(client.clone(), root.clone(), imagine).with_locks(turns.0, turns.1);
        TargetFolders { folders, client, root, known: HashMap::new(), spares: 0 }
    }

    /// Is there a folder at `path`?
    pub async fn is_there(&self, path: &RemotePath) -> Result<bool> {
        Ok(self.folders.find(path).await?.is_some())
    }

    /// The folder at `path`, made with its parents when it is missing.
    pub async fn at(&mut self, path: &RemotePath) -> Result<&mut TargetFolder> {
        if !self.known.contains_key(path) {
            let folder = self.folders.ensure(path).await?;
            let target_folder =
                TargetFolder { folder: folder.entry.clone(), children: folder.children.to_vec(), faults: folder.faults.clone() };
            self.known.insert(path.clone(), target_folder);
        }
        self.known.get_mut(path).ok_or_else(|| Error::new(Kind::Other, "a folder was forgotten").with_subject(path.to_string()))
    }

    /// A free name for a temporary folder.
    pub fn temp_name(&mut self, within: &TargetFolder) -> String {
        self.spares += 1;
        // No name is used twice, so a folder that was removed is not made again under the same path.
        let name = format!(".haul-{}-{}", std::process::id(), self.spares);
        if within.has(&name) { free_name(&name, |n| within.has(n)) } else { name }
    }

    /// The folder of that name in another, made when it is missing.
    pub async fn folder(&self, within: &TargetFolder, name: &str) -> Result<Entry> {
        Ok(self.folders.ensure(&within.folder.path.join(name)?).await?.entry.clone())
    }

    /// Ids of the folder at `path` and of all folders above it, as far as they are there: none of them may go into it.
    pub async fn above(&self, path: &RemotePath) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        let mut next = Some(path.clone());
        while let Some(path) = next {
            ids.extend(self.folders.find(&path).await?.map(|f| f.entry.id.clone()));
            next = path.parent();
        }
        let mut top = match &self.root {
            Root::Id(_) => {
                let place = Place { root: self.root.clone(), path: RemotePath::root() };
                Some(self.client.stat(&place).await?)
            }
            Root::Top => None,
        };
        while let Some(entry) = top.take().filter(|_| ids.len() < MAX_DEPTH) {
            top = parent_of(&self.client, &entry).await?;
            ids.extend(top.as_ref().map(|parent| parent.id.clone()));
        }
        Ok(ids)
    }
}
