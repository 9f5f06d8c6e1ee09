//! Removes one place after another. Each is looked up right before it is removed. A top folder stays, and its entries are
//! removed.

use crate::error::{Error, Result};
use crate::model::{Address, Entry, RemotePath, Report};
use crate::transfer::change::ConfirmedChanges;
use crate::transfer::client::RemoteClient;
use crate::transfer::resolve::{Resolved, Resolver};
use crate::transfer::walk::{TreeWalk, WalkEvent};

pub struct Remover {
    client: RemoteClient,
    hands: ConfirmedChanges,
    remote: String,
}

impl Remover {
    pub fn new(client: RemoteClient, remote: String) -> Remover {
        Remover { hands: ConfirmedChanges::new(client.clone()), client, remote }
    }

    /// Each place is looked up anew: an earlier removal may have removed it, too, and a second removal may be for good.
    pub async fn find(&self, address: &Address) -> Result<Resolved> {
        Resolver::new(self.client.clone()).find(address).await
    }

    /// How many entries a folder holds, those in its folders included.
    pub async fn count(&self, folder: &Entry) -> Result<u64> {
        let mut entries = 0;
        let mut scan = TreeWalk::new(self.client.clone(), folder.clone(), 1, |_, _| true);
        while let Some(step) = scan.next().await? {
            match step {
                WalkEvent::Entry { .. } => entries += 1,
                WalkEvent::Left { .. } => {}
                WalkEvent::Failed { error, .. } => return Err(error),
            }
        }
        Ok(entries)
    }

    /// One result for each removed entry: a single one, or one for each entry of a top folder.
    pub async fn remove(&self, found: &Resolved, dry_run: bool) -> Result<Vec<Result<Report, (RemotePath, Error)>>> {
        if !found.top {
            return Ok(vec![Ok(self.one(&found.entry, found.parent.as_ref(), found.path.clone(), dry_run).await?)]);
        }
        let mut outcomes = Vec::new();
        let (entries, left_out) = self.client.list_whole(&found.entry).await?;
        outcomes.extend(left_out.map(|error| Err((found.path.clone(), error))));
        for entry in entries {
            let path = crate::contract::lookup::safe_child_path(&found.path, &entry.name);
            let outcome = self.one(&entry, Some(&found.entry), path.clone(), dry_run).await;
            outcomes.push(outcome.map_err(|e| (path, e)));
        }
        Ok(outcomes)
    }

    async fn one(&self, entry: &Entry, parent: Option<&Entry>, path: RemotePath, dry_run: bool) -> Result<Report> {
        let remote = self.remote.clone();
        if dry_run {
            return Ok(Report::Planned { action: "delete", source: None, remote, path, size: entry.size });
        }
        self.hands.remove(entry, parent).await?;
        Ok(Report::Deleted { remote, path, id: entry.id.clone(), kind: entry.kind })
    }
}
