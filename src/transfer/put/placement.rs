//! Where the files of a plan will really lie, as the provider changes names.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::plan::PutItem;
use crate::error::{Error, Kind, Result};
use crate::model::RemotePath;
use crate::transfer::stored_names::StoredNameNotes;

/// Where two files would land on one place, or a file on a folder, only because their names change, the one whose name
/// changes is unfit; of two such the second. So these wait until all others are known.
pub(super) struct Placement {
    /// Of the places taken and of all folders. Sixty-four bits of each, as there may be millions of them: two that agree by
    /// chance would cost a file that is told as failed.
    taken: HashSet<u64>,
    folders: HashSet<u64>,
    hasher: RandomState,
    waiting: Vec<(RemotePath, PutItem)>,
}

impl Placement {
    pub(super) fn new() -> Placement {
        Placement { taken: HashSet::new(), folders: HashSet::new(), hasher: RandomState::new(), waiting: Vec::new() }
    }

    /// The file with the names that it will have. None: it waits for [`Placement::rest`].
    pub(super) fn place(&mut self, names: &StoredNameNotes, mut item: PutItem) -> Result<Option<PutItem>> {
        if !names.may_change() {
            return Ok(Some(item));
        }
        let wished = item.folder.join(&item.name)?;
        item.folder = self.folder(names, &item.folder)?;
        item.name = names.name(&item.name);
        let path = item.folder.join(&item.name)?;
        if path == wished {
            self.taken.insert(self.hasher.hash_one(&path));
            return Ok(Some(item));
        }
        self.waiting.push((path, item));
        Ok(None)
    }

    /// A folder with the names that it will have.
    pub(super) fn folder(&mut self, names: &StoredNameNotes, folder: &RemotePath) -> Result<RemotePath> {
        if !names.may_change() {
            return Ok(folder.clone());
        }
        let folder = names.path(folder)?;
        let mut above = Some(folder.clone());
        while let Some(path) = above
            && self.folders.insert(self.hasher.hash_one(&path))
        {
            above = path.parent();
        }
        Ok(folder)
    }

    /// What waited, in order: to be put, or unfit.
    pub(super) fn rest(self) -> impl Iterator<Item = std::result::Result<PutItem, (String, Error)>> {
        let Placement { mut taken, folders, hasher, waiting } = self;
        waiting.into_iter().map(move |(path, item)| {
            let place = hasher.hash_one(&path);
            if !folders.contains(&place) && taken.insert(place) {
                return Ok(item);
            }
            let why = format!("it would be stored as {path}, and so would something else of this run");
            let error = Error::new(Kind::Exists, why).with_subject(item.display_source()).with_hint("give it another name first");
            Err((item.display_source(), error))
        })
    }
}
