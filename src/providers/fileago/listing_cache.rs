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

type CacheCell = Arc<Mutex<Option<(Instant, Arc<Listed>)>>>;

/// A listing in which thousands of files look for themselves.
#[derive(Debug, Default)]
pub struct Listed {
    pub entries: Vec<Entry>,
    /// Places in `entries`, by name.
    by_name: Vec<usize>,
}

impl Listed {
    pub fn new(entries: Vec<Entry>) -> Listed {
        let mut listed = Listed { by_name: (0..entries.len()).collect(), entries };
        let entries = &listed.entries;
        listed.by_name.sort_by_key(|at| entries.get(*at).map(|entry| &entry.name));
        listed
    }

    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> {
        let entry = |at: &usize| self.entries.get(*at);
        let first = self.by_name.partition_point(|at| entry(at).is_some_and(|entry| entry.name.as_str() < name));
        let rest = self.by_name.get(first..).unwrap_or_default();
        rest.iter().filter_map(move |at| self.entries.get(*at)).take_while(move |entry| entry.name == name)
    }
}

#[derive(Default)]
pub struct ListingCache(Mutex<HashMap<String, CacheCell>>);

impl ListingCache {
    /// A listing of `folder` (its id) that was asked for no earlier than this call.
    pub async fn now<F>(&self, folder: &str, list: F) -> Result<Arc<Listed>>
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
        let listed = Arc::new(Listed::new(list.await?));
        *kept = Some((asked, listed.clone()));
        Ok(listed)
    }

    async fn of(&self, folder: &str) -> CacheCell {
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
    use crate::model::{EntryKind, RemotePath};

    #[test]
    fn entries_are_found_by_their_names() {
        let entry = |name: &str, id: &str| Entry::new(EntryKind::File, id, RemotePath::root().join(name).unwrap());
        let listed = Listed::new(vec![entry("b", "1"), entry("a", "2"), entry("c", "3"), entry("b", "4")]);
        let ids = |name: &str| listed.named(name).map(|e| e.id.clone()).collect::<Vec<_>>();
        assert_eq!((ids("b"), ids("a"), ids("c")), (vec!["1".to_owned(), "4".into()], vec!["2".to_owned()], vec!["3".to_owned()]));
        assert!(ids("").is_empty() && ids("d").is_empty() && Listed::default().named("a").next().is_none());
    }

    #[tokio::test]
    async fn who_waits_while_the_server_is_asked_shares_the_next_answer() {
        let (lists, asked) = (ListingCache::default(), AtomicUsize::new(0));
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
        let lists = ListingCache::default();
        let failed = lists.now("home", async { Err(Error::new(Kind::Busy, "later")) }).await;
        assert_eq!(failed.unwrap_err().kind(), Kind::Busy);
        assert!(lists.now("home", async { Ok(Vec::new()) }).await.is_ok());
    }
}
