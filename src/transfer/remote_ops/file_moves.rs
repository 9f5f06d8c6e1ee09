//! Single files moved to places that are known to be free, for who has listed both sides.

use super::job::{OpsRun, ServerSideJob};
use crate::error::Result;
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
}
