//! The filter for files on a remote. Where the listing does not tell the time of a file, the time is asked for: only where all other
//! conditions fit, and for several files at the same time.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::decide::{Candidate, Filter, FilterDecision};
use crate::contract::{EntryOrder, TransferStore};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::client::RemoteClient;
use crate::transfer::put::conflict::known_size;
use crate::transfer::walk::{TreeWalk, WalkEvent, is_fatal};

/// A filter, and the remote that is asked for the times that the filter needs.
#[derive(Clone)]
pub struct RemoteFilter {
    pub filter: Arc<Filter>,
    pub client: RemoteClient,
    /// Knows the sizes of the files that this machine sent, also where the provider does not tell sizes.
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account, as in `CompletedTransfer::remote`.
    pub key: String,
}

impl RemoteFilter {
    /// Decides about an entry, and asks for its time if needed. `path` is relative to the source.
    pub async fn decide(&self, entry: &Entry, path: &str, is_source: bool) -> FilterDecision {
        let verdict = self.by_listing(entry, path, is_source);
        if !self.lacks_time(entry, &verdict) {
            return verdict;
        }
        self.by_time(self.client.with_time(entry.clone()).await, path, is_source)
    }

    /// Decides by the facts that the listing tells.
    fn by_listing(&self, entry: &Entry, path: &str, is_source: bool) -> FilterDecision {
        let size = match entry.size {
            None if self.filter.needs_size() && !entry.is_folder() => match known_size(entry, self.ledger.as_ref(), &self.key) {
                Ok(size) => size,
                Err(error) => return FilterDecision::Failed(error),
            },
            size => size,
        };
        self.filter.decide(&Candidate { path, is_source, is_folder: entry.is_folder(), size, modified: entry.modified })
    }

    fn lacks_time(&self, entry: &Entry, verdict: &FilterDecision) -> bool {
        matches!(verdict, FilterDecision::TimeUnknown) && !entry.is_folder() && self.client.has(|can| can.listings_lack_mtime)
    }

    fn by_time(&self, told: Result<Entry>, path: &str, is_source: bool) -> FilterDecision {
        match told {
            Ok(entry) => self.by_listing(&entry, path, is_source),
            // The file was removed after the listing.
            Err(error) if error.kind() == Kind::NotFound => FilterDecision::LeavesOut("it is there no more".into()),
            Err(error) => FilterDecision::Failed(error),
        }
    }

    /// Decides about the entries of a listing, and returns the decisions in the same order. Each entry comes with its path relative to
    /// the source. `at_once`: the number of times that are asked for at the same time.
    pub async fn judge_all(&self, entries: &[(Entry, String)], at_once: usize) -> Vec<FilterDecision> {
        use futures_util::StreamExt;
        let judged = entries.iter().map(|(entry, path)| self.decide(entry, path, false));
        futures_util::stream::iter(judged).buffered(at_once.max(1)).collect().await
    }
}

/// One step of a filtered walk.
pub struct FilteredStep {
    pub event: WalkEvent,
    /// The decision: for a file whether the file is taken, for a folder whether the walk enters the folder. `Takes` for other events.
    pub verdict: FilterDecision,
    /// The path relative to the filter's source, its names divided by `/`.
    pub path: String,
}

/// A walk over a folder on a remote. A folder in which nothing can fit is not listed.
pub struct FilteredWalk {
    walk: TreeWalk,
    filter: RemoteFilter,
    top: RemotePath,
    prefix: String,
    jobs: usize,
    /// Does an entry fit the other conditions of the caller? If not, its time is not asked for.
    wanted: IsWanted,
    waiting: VecDeque<(FilteredStep, Option<AbortOnDropHandle<Result<Entry>>>)>,
    is_over: bool,
}

type IsWanted = Box<dyn Fn(&Entry) -> bool + Send + Sync>;

impl FilteredWalk {
    /// Begins a walk at the folder `top`. `jobs`: the number of listings, and of requests for times, that run at the same time.
    pub fn new(filter: RemoteFilter, top: Entry, jobs: usize) -> FilteredWalk {
        FilteredWalk::below(filter, top, jobs, String::new())
    }

    /// As `new`, for a folder inside the filter's source. `prefix`: the path of the folder relative to that source.
    pub fn below(filter: RemoteFilter, top: Entry, jobs: usize, prefix: String) -> FilteredWalk {
        let path = top.path.clone();
        let (rules, at, within) = (filter.filter.clone(), path.clone(), prefix.clone());
        let walk =
            TreeWalk::new(filter.client.clone(), top, jobs, move |folder, _| rules.closes(&path_below(folder, &at, &within)).is_none());
        FilteredWalk { walk, filter, top: path, prefix, jobs, wanted: Box::new(|_| true), waiting: VecDeque::new(), is_over: false }
    }

    /// Reports a folder with unreadable entries as failed, too, as [`TreeWalk::all`].
    pub fn all(mut self) -> FilteredWalk {
        self.walk = self.walk.all();
        self
    }

    /// Walks in an order for people.
    pub fn with_order(mut self, order: EntryOrder) -> FilteredWalk {
        self.walk = self.walk.with_order(order);
        self
    }

    /// Leaves out the files for which `wanted` returns false, and does not ask for their times.
    pub fn only(mut self, wanted: impl Fn(&Entry) -> bool + Send + Sync + 'static) -> FilteredWalk {
        self.wanted = Box::new(wanted);
        self
    }

    /// Returns the next step; none at the end. Fails as [`TreeWalk::next`], and where a request for a time fails as all further
    /// requests would.
    pub async fn next(&mut self) -> Result<Option<FilteredStep>> {
        loop {
            let is_ready = self.waiting.front().is_some_and(|(_, asked)| asked.as_ref().is_none_or(AbortOnDropHandle::is_finished));
            if is_ready || self.is_over || self.waiting.len() >= self.jobs.max(1) {
                return self.first().await;
            }
            match self.walk.next().await? {
                Some(event) => {
                    let step = self.apply_filter(event);
                    self.waiting.push_back(step);
                }
                None => self.is_over = true,
            }
        }
    }

    fn apply_filter(&self, event: WalkEvent) -> (FilteredStep, Option<AbortOnDropHandle<Result<Entry>>>) {
        let WalkEvent::Entry { entry, .. } = &event else {
            return (FilteredStep { event, verdict: FilterDecision::Takes, path: String::new() }, None);
        };
        let path = path_below(entry, &self.top, &self.prefix);
        let verdict = match entry.is_folder() {
            true => self.filter.filter.closes(&path).map_or(FilterDecision::Takes, FilterDecision::LeavesOut),
            false if !(self.wanted)(entry) => FilterDecision::LeavesOut("it was not asked for".into()),
            false => self.filter.by_listing(entry, &path, false),
        };
        let asked = self.filter.lacks_time(entry, &verdict).then(|| {
            let (client, entry) = (self.filter.client.clone(), entry.clone());
            AbortOnDropHandle::new(tokio::spawn(async move { client.with_time(entry).await }))
        });
        (FilteredStep { event, verdict, path }, asked)
    }

    async fn first(&mut self) -> Result<Option<FilteredStep>> {
        let Some((mut step, asked)) = self.waiting.pop_front() else { return Ok(None) };
        let Some(asked) = asked else { return Ok(Some(step)) };
        let broke = |e| Error::new(Kind::Other, "asking for the file's time broke off").with_cause(e);
        let told = asked.await.map_err(broke).and_then(|told| told);
        if let (WalkEvent::Entry { entry, .. }, Ok(timed)) = (&mut step.event, &told) {
            *entry = timed.clone();
        }
        step.verdict = match self.filter.by_time(told, &step.path, false) {
            FilterDecision::Failed(error) if is_fatal(error.kind()) => return Err(error),
            verdict => verdict,
        };
        Ok(Some(step))
    }
}

/// Returns the path of an entry as the filter needs it: relative to the filter's source, the names divided by `/`.
fn path_below(entry: &Entry, top: &RemotePath, prefix: &str) -> String {
    let below = entry.path.below(top).map_or_else(|| entry.name.clone(), |below| below.names().join("/"));
    if prefix.is_empty() { below } else { format!("{prefix}/{below}") }
}
