//! Listings that are shared. An upload's answer names nothing (providers.md 3.5), so after every file its folder is
//! listed; when many files go into one folder at once, one listing answers for all that wait for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use crate::contract::Result;
use crate::model::Entry;

/// Folders whose last listing is kept.
const MOST_KEPT: usize = 16;

type Kept = Arc<Mutex<Option<(Instant, Arc<[Entry]>)>>>;

#[derive(Default)]
pub struct Lists(Mutex<HashMap<String, Kept>>);

impl Lists {
    /// A listing of `folder` (its id) that was asked for no earlier than this call.
    pub async fn now<F>(&self, folder: &str, list: F) -> Result<Arc<[Entry]>>
    where
        F: Future<Output = Result<Vec<Entry>>>,
    {
        let called = Instant::now();
        let kept = self.of(folder).await;
        let mut kept = kept.lock().await;
        if let Some((asked, listed)) = &*kept
            && *asked >= called
        {
            return Ok(listed.clone());
        }
        let asked = Instant::now();
        let listed: Arc<[Entry]> = list.await?.into();
        *kept = Some((asked, listed.clone()));
        Ok(listed)
    }

    async fn of(&self, folder: &str) -> Kept {
        let mut kept = self.0.lock().await;
        if kept.len() >= MOST_KEPT && !kept.contains_key(folder) {
            kept.clear();
        }
        kept.entry(folder.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;
    use crate::contract::{Error, Kind};

    #[tokio::test]
    async fn who_waits_while_the_server_is_asked_shares_the_next_answer() {
        let (lists, asked) = (Lists::default(), AtomicUsize::new(0));
        let list = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            // Everybody else has called by the time this one goes on.
            tokio::task::yield_now().await;
            Ok(Vec::new())
        };
        join_all((0..8).map(|_| lists.now("home", list()))).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2, "the first is too old for the seven that came after it was sent");
        lists.now("home", list()).await.unwrap();
        lists.now("other", list()).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_failure_is_nobody_elses() {
        let lists = Lists::default();
        let failed = lists.now("home", async { Err(Error::new(Kind::Busy, "later")) }).await;
        assert_eq!(failed.unwrap_err().kind(), Kind::Busy);
        assert!(lists.now("home", async { Ok(Vec::new()) }).await.is_ok());
    }
}
