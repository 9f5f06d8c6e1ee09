//! The last listing, kept for a few seconds: planning a deep tree asks once, not once for each folder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::api::Api;
use super::tree::Tree;
use crate::error::Result;

/// As long as what it says is taken for current.
const FRESH: Duration = Duration::from_secs(5);
/// As long as it serves to tell, after a lost answer, what was there before.
const LATELY: Duration = Duration::from_secs(300);

#[derive(Default)]
pub struct Listing {
    held: Mutex<Option<Held>>,
}

struct Held {
    tree: Arc<Tree>,
    at: Instant,
    /// An upload of ours has changed what is there.
    outdated: bool,
}

impl Listing {
    pub async fn current(&self, api: &Api) -> Result<Arc<Tree>> {
        self.younger_than(FRESH, false, api).await
    }

    /// A listing of the last minutes, without our own uploads since.
    pub async fn lately(&self, api: &Api) -> Result<Arc<Tree>> {
        self.younger_than(LATELY, true, api).await
    }

    /// A listing that was asked for after `moment`.
    pub async fn since(&self, moment: Instant, api: &Api) -> Result<Arc<Tree>> {
        self.younger_than(moment.elapsed(), true, api).await
    }

    /// Whoever comes while the server is asked waits and shares the answer.
    async fn younger_than(&self, age: Duration, outdated_too: bool, api: &Api) -> Result<Arc<Tree>> {
        let mut held = self.held.lock().await;
        if let Some(kept) = &*held
            && kept.at.elapsed() < age
            && (outdated_too || !kept.outdated)
        {
            return Ok(kept.tree.clone());
        }
        let at = Instant::now();
        let tree = Arc::new(api.files().await?);
        *held = Some(Held { tree: tree.clone(), at, outdated: false });
        Ok(tree)
    }

    pub async fn forget(&self) {
        if let Some(kept) = &mut *self.held.lock().await {
            kept.outdated = true;
        }
    }
}
