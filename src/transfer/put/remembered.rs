//! What this machine put to a place of a remote that lists nothing: its id is noted here, and the server is asked by that id
//! whether it is still there. So the same command, typed again, sends no file a second time.

use std::sync::Arc;

use super::run::PutRun;
use crate::contract::place_key;
use crate::error::{Kind, Result};
use crate::model::{Entry, Place, RemotePath, Root};
use crate::transfer::folder_cache::ListedFolder;

/// Before an id in the place of a stored name.
const BY_ID: &str = "@";

impl PutRun {
    fn lists_nothing(&self) -> bool {
        self.job.client.has(|can| can.browse.is_none() && can.lookup.is_some())
    }

    /// `folder`, and in it what was put under `name` before. Where everything is listed, `folder` as it is.
    pub(super) async fn with_remembered(&self, folder: Arc<ListedFolder>, name: &str) -> Result<Arc<ListedFolder>> {
        if !self.lists_nothing() {
            return Ok(folder);
        }
        let path = folder.entry.path.join(name)?;
        let stored = self.job.ledger.stored_name_of(&place_key(&self.job.remote_key, &path))?;
        let Some(id) = stored.and_then(|stored| stored.strip_prefix(BY_ID).map(str::to_owned)) else { return Ok(folder) };
        let entry = match self.job.client.stat(&Place { root: Root::Id(id), path: RemotePath::root() }).await {
            Ok(entry) => Entry { name: name.to_owned(), path, ..entry },
            Err(error) if error.kind().is_transient() || matches!(error.kind(), Kind::Auth | Kind::Cancelled) => return Err(error),
            // Gone, or nothing that this server still talks about.
            Err(_) => return Ok(folder),
        };
        Ok(Arc::new(folder.with_child(entry)))
    }

    /// For the next run.
    pub(super) fn remember_id(&self, path: &RemotePath, entry: &Entry) -> Result<()> {
        if !self.lists_nothing() || entry.id.is_empty() {
            return Ok(());
        }
        let stored = format!("{BY_ID}{}", entry.id);
        self.job.ledger.record_stored_as(&place_key(&self.job.remote_key, path), &stored).map(drop)
    }
}
