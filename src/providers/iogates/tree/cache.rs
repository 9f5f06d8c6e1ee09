//! Keeps the last listing for a few seconds: the plan of a deep tree requests the listing once, and not once for each folder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::Tree;
use crate::error::Result;
use crate::providers::iogates::api::Api;

/// How long a listing counts as current. If the listing itself took longer, that time counts: a very large account is not
/// listed anew for each of its folders.
const FRESH: Duration = Duration::from_secs(5);
/// How long a listing can tell, after a lost answer, what was there before.
const LATELY: Duration = Duration::from_secs(300);

#[derive(Default)]
pub struct TreeCache {
    held: Mutex<Option<CachedTree>>,
}

struct CachedTree {
    tree: Arc<Tree>,
    asked: Instant,
    answered: Instant,
    /// An upload of this run has changed the tree since.
    outdated: bool,
}

impl TreeCache {
    pub async fn current(&self, api: &Api) -> Result<Arc<Tree>> {
        self.shared_tree(|held| !held.outdated && held.answered.elapsed() < FRESH.max(held.answered - held.asked), api).await
    }

    /// Returns a listing of the last minutes. Uploads of this run since then may be missing from it.
    pub async fn recent_tree(&self, api: &Api) -> Result<Arc<Tree>> {
        self.shared_tree(|held| held.asked.elapsed() < LATELY, api).await
    }

    /// Returns a listing that was requested after `moment`.
    pub async fn newer_than(&self, moment: Instant, api: &Api) -> Result<Arc<Tree>> {
        self.shared_tree(|held| held.asked > moment, api).await
    }

    /// A caller that comes while a listing is on its way waits and shares it.
    async fn shared_tree(&self, will_do: impl Fn(&CachedTree) -> bool, api: &Api) -> Result<Arc<Tree>> {
        let mut held = self.held.lock().await;
        if let Some(kept) = held.as_ref().filter(|held| will_do(held)) {
            return Ok(kept.tree.clone());
        }
        // The old tree is dropped first, so that never two are in memory.
        *held = None;
        let asked = Instant::now();
        let tree = Arc::new(api.files().await?);
        *held = Some(CachedTree { tree: tree.clone(), asked, answered: Instant::now(), outdated: false });
        Ok(tree)
    }

    pub async fn forget(&self) {
        if let Some(kept) = &mut *self.held.lock().await {
            kept.outdated = true;
        }
    }
}
