//! The last listing, kept for a few seconds: planning a deep tree asks once, not once for each folder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::Tree;
use crate::error::Result;
use crate::providers::iogates::api::Api;

/// As long as what it says is taken for current; or as long as it took, as an account that large is not listed anew for each
/// of its folders.
const FRESH: Duration = Duration::from_secs(5);
/// As long as it serves to tell, after a lost answer, what was there before.
const LATELY: Duration = Duration::from_secs(300);

#[derive(Default)]
pub struct TreeCache {
    held: Mutex<Option<CachedTree>>,
}

struct CachedTree {
    tree: Arc<Tree>,
    asked: Instant,
    answered: Instant,
    /// An upload of ours has changed what is there.
    outdated: bool,
}

impl TreeCache {
    pub async fn current(&self, api: &Api) -> Result<Arc<Tree>> {
        self.held(|held| !held.outdated && held.answered.elapsed() < FRESH.max(held.answered - held.asked), api).await
    }

    /// A listing of the last minutes, without our own uploads since.
    pub async fn cached(&self, api: &Api) -> Result<Arc<Tree>> {
        self.held(|held| held.asked.elapsed() < LATELY, api).await
    }

    /// A listing that was asked for after `moment`.
    pub async fn newer_than(&self, moment: Instant, api: &Api) -> Result<Arc<Tree>> {
        self.held(|held| held.asked > moment, api).await
    }

    /// Whoever comes while the server is asked waits and shares the answer.
    async fn held(&self, will_do: impl Fn(&CachedTree) -> bool, api: &Api) -> Result<Arc<Tree>> {
        let mut held = self.held.lock().await;
        if let Some(kept) = held.as_ref().filter(|held| will_do(held)) {
            return Ok(kept.tree.clone());
        }
        // Not both in memory.
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
