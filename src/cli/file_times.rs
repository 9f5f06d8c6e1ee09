//! The times that a provider's listings leave out (giga0, providers.md 2.9). Each file is asked for by itself, several at once,
//! and the results keep the order of the listing.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::context::{Context, Hit, OpenRemote};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};

pub struct FileTimes {
    /// Files asked for at once.
    jobs: usize,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    remote: Arc<OpenRemote>,
    path: RemotePath,
    entry: StatResult,
}

enum StatResult {
    Now(Box<Entry>),
    Later(AbortOnDropHandle<Result<Entry>>),
}

/// An entry with all that its provider reports about it, or the failure of that request.
pub struct WithTimes {
    pub remote: Arc<OpenRemote>,
    pub path: RemotePath,
    pub entry: Result<Entry>,
}

impl FileTimes {
    pub fn new(jobs: u32) -> FileTimes {
        FileTimes { jobs: jobs.max(1) as usize, waiting: VecDeque::new() }
    }

    /// Adds an entry. Returns the oldest entry when its result is there or when enough entries wait.
    pub async fn add(&mut self, context: &Context, found: Hit) -> Option<WithTimes> {
        let Hit { remote, entry } = found;
        let path = entry.path.clone();
        let lacks_time = remote.provider.has(|can| can.listings_lack_mtime) && entry.modified.is_none() && !entry.is_folder();
        let entry = match lacks_time {
            true => {
                let client = context.client(&remote);
                StatResult::Later(AbortOnDropHandle::new(tokio::spawn(async move { client.with_time(entry).await })))
            }
            false => StatResult::Now(Box::new(entry)),
        };
        self.waiting.push_back(Waiting { remote, path, entry });
        let ready = self.waiting.front().is_some_and(|first| match &first.entry {
            StatResult::Now(_) => true,
            StatResult::Later(asked) => asked.is_finished(),
        });
        if ready || self.waiting.len() >= self.jobs { self.next().await } else { None }
    }

    /// The oldest entry that waits; none when there is no more.
    pub async fn next(&mut self) -> Option<WithTimes> {
        let Waiting { remote, path, entry } = self.waiting.pop_front()?;
        let entry = match entry {
            StatResult::Now(entry) => Ok(*entry),
            StatResult::Later(asked) => {
                let broke = |e| Error::new(Kind::Other, "asking for the file's time broke off").with_cause(e);
                asked.await.map_err(broke).and_then(|told| told)
            }
        };
        Some(WithTimes { remote, path, entry })
    }
}
