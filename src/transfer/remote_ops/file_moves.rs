//! Single files moved to places that are known to be free, for who has listed both sides.

use super::job::{OpsRun, ServerSideJob};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};

pub(in crate::transfer) struct FileMoves(OpsRun);

impl FileMoves {
    /// Nothing is decided about taken names: `job` only says where and how.
    pub fn new(job: ServerSideJob) -> FileMoves {
        FileMoves(OpsRun::new(job))
    }

    /// To `name` in `folder`, which is made if missing; the entry as it is then. `parent`: the folder that it lies in.
    pub async fn relocate(&mut self, entry: &Entry, parent: &Entry, folder: &RemotePath, name: &str) -> Result<Entry> {
        self.0.job.client.check_name(name)?;
        let to = self.0.target_folders.at(folder).await?.clone();
        self.0.move_and_rename(entry, Some(parent), &to, name).await
    }
    /// Looks into both folders after a move of unknown outcome. Returns the entry at its new place. Fails with `Other` if the entry
    /// is at its old place, and with `failure` if the folders do not tell.
    pub async fn find_moved(&mut self, entry: &Entry, parent: &Entry, folder: &RemotePath, name: &str, failure: Error) -> Result<Entry> {
        let client = self.0.job.client.clone();
        let Ok(to) = self.0.target_folders.at(folder).await.map(|to| to.folder.clone()) else { return Err(failure) };
        let (Ok(mut there), Ok(mut before)) = (client.list(&to).await, client.list(parent).await) else { return Err(failure) };
        let moved = there.find(|e| e.name == name && e.kind == entry.kind && e.size == entry.size);
        match (moved, before.find(|e| e.id == entry.id && e.name == entry.name)) {
            (Some(moved), None) => Ok(moved),
            (None, Some(_)) => Err(Error::new(Kind::Other, "the file is still at its old place").with_cause(failure)),
            _ => Err(failure),
        }
    }
}
