//! Listings that several uploads share. Where the answer to an upload names no file (providers.md 2.5, 3.5), the upload's
//! folder is listed. All uploads into one folder that wait are looked for in the same listing.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::contract::{Entries, Error, Result};
use crate::model::Entry;
use crate::model::similar_names::NameIndex;

/// The number of folders whose last listing is kept although no upload waits for it.
const MAX_CACHED: usize = 16;

/// A listing in which thousands of uploads are looked for. An `Entry` is built when it is read.
pub struct Listing {
    /// Sorted by name.
    entries: Entries,
    alike: OnceLock<NameIndex>,
}

impl Listing {
    fn new(mut entries: Entries) -> Listing {
        entries.sort();
        Listing { entries, alike: OnceLock::new() }
    }

    pub fn find_by_name(&self, name: &str) -> impl Iterator<Item = Entry> + '_ {
        self.entries.sorted_named(name)
    }

    pub fn with_id(&self, id: &str) -> impl Iterator<Item = Entry> + '_ {
        self.entries.with_id(id)
    }

    /// All entries whose name the server may have made from one of these names, and perhaps others that have a similar name.
    pub fn candidates<'a>(&'a self, wished: &[&str]) -> impl Iterator<Item = Entry> + use<'a> {
        let index = self.alike.get_or_init(|| NameIndex::of(self.entries.names()));
        index.candidates(wished).into_iter().filter_map(|at| self.entries.get(at as usize))
    }
}

struct ListingAnswer {
    asked: Instant,
    ended: Instant,
    listing: std::result::Result<Arc<Listing>, Error>,
}

type CacheCell = Arc<Mutex<Option<ListingAnswer>>>;

#[derive(Default)]
pub struct ListingCache(Mutex<HashMap<String, CacheCell>>);

impl ListingCache {
    /// A listing of `folder` (its id) that was requested at `since` or later: a kept one, one whose request is on its way, or a
    /// new one by `list`. All callers that waited for a failed listing get its failure; a later caller requests a new one.
    pub async fn newer_than<F>(&self, folder: &str, since: Instant, list: F) -> Result<Arc<Listing>>
    where
        F: Future<Output = Result<Entries>>,
    {
        let called = Instant::now();
        let cell = self.of(folder).await;
        let mut last = cell.lock().await;
        match last.as_ref().filter(|answer| answer.asked >= since) {
            Some(ListingAnswer { listing: Ok(listing), .. }) => return Ok(listing.clone()),
            Some(ListingAnswer { listing: Err(failure), ended, .. }) if called <= *ended => return Err(failure.duplicate()),
            _ => {}
        }
        // The older listing is dropped before the new one comes: a large folder need not be in memory twice.
        *last = None;
        let asked = Instant::now();
        let listing = list.await.map(|entries| Arc::new(Listing::new(entries)));
        let told = listing.as_ref().map(Arc::clone).map_err(Error::duplicate);
        *last = Some(ListingAnswer { asked, ended: Instant::now(), listing });
        told
    }

    async fn of(&self, folder: &str) -> CacheCell {
        let mut kept = self.0.lock().await;
        if kept.len() >= MAX_CACHED && !kept.contains_key(folder) {
            kept.retain(|_, cell| Arc::strong_count(cell) > 1);
        }
        kept.entry(folder.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;
    use crate::contract::Kind;
    use crate::contract::entry_list::Rows;
    use crate::contract::lookup::safe_child_path;
    use crate::model::{EntryKind, RemotePath};

    fn entries(named: &[(&str, &str)]) -> Entries {
        let mut rows = Rows::default();
        for (name, id) in named {
            rows.push(&Entry::new(EntryKind::File, *id, RemotePath::root().join(name).unwrap())).unwrap();
        }
        Entries::all(rows, Arc::default(), &RemotePath::root(), |folder, name, _| safe_child_path(folder, name))
    }

    #[test]
    fn entries_are_found_by_their_names() {
        let listing = Listing::new(entries(&[("b", "1"), ("a", "2"), ("c", "3"), ("b", "4"), ("B (2)", "5")]));
        let ids = |found: Vec<Entry>| found.into_iter().map(|e| e.id).collect::<Vec<_>>();
        assert_eq!(
            (ids(listing.find_by_name("b").collect()), ids(listing.find_by_name("a").collect())),
            (vec!["1".to_owned(), "4".into()], vec!["2".to_owned()])
        );
        assert!(listing.find_by_name("").next().is_none() && listing.find_by_name("d").next().is_none());
        assert!(Listing::new(entries(&[])).find_by_name("a").next().is_none());
        assert_eq!(ids(listing.candidates(&["b"]).collect()), ["5", "1", "4"]);
        assert_eq!(ids(listing.with_id("3").collect()), ["3"]);
    }

    #[tokio::test]
    async fn all_that_were_ready_before_it_was_asked_for_share_one_listing() {
        let (lists, asked) = (ListingCache::default(), AtomicUsize::new(0));
        let list = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(entries(&[]))
        };
        let ready = Instant::now();
        join_all((0..100).map(|_| lists.newer_than("home", ready, list()))).await;
        lists.newer_than("home", ready, list()).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        lists.newer_than("home", Instant::now(), list()).await.unwrap();
        lists.newer_than("other", ready, list()).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_failure_is_told_to_those_who_waited_for_it_and_to_nobody_later() {
        let (lists, asked) = (ListingCache::default(), AtomicUsize::new(0));
        let ready = Instant::now();
        let fails = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err(Error::new(Kind::Busy, "later"))
        };
        let told = join_all((0..20).map(|_| lists.newer_than("home", ready, fails()))).await;
        assert!(told.iter().all(|told| told.as_ref().err().map(Error::kind) == Some(Kind::Busy)));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        assert!(lists.newer_than("home", ready, async { Ok(entries(&[])) }).await.is_ok());
    }
}
