//! Files whose bytes are all there, and which only wait to be seen. Where an answer names nothing the folder is listed for
//! that, which takes the longer the more it holds: one listing after each few files would take hours for many thousands. So
//! such a file makes room for the next one to be sent, and the longer a look takes the more files wait for the same one.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::transfer::sleep::sleep;

/// Each has its source and its claim open.
const MOST: usize = 200;
/// A look that takes less is no burden.
const QUICK: Duration = Duration::from_millis(50);
/// Between two looks of a file at most, whatever they take.
const LONGEST: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct Berths {
    waiting: AtomicUsize,
    changed: Notify,
    /// What the last look took, in milliseconds.
    last_look: AtomicU64,
}

impl Berths {
    /// Is there room for one more, when so many are under way, those that only wait to be seen included?
    pub(crate) fn has_room(&self, under_way: usize, jobs: usize) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed).min(MOST);
        under_way.saturating_sub(waiting) < jobs
    }

    /// Until some file waits to be seen, or no longer does.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// All bytes are accepted. Its look comes after as much time as the last one took: the server has other things to do.
    pub(crate) async fn wait_to_be_seen(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
        let mut waiting = Waiting { berths: self, since: None };
        let last = Duration::from_millis(self.last_look.load(Ordering::Relaxed));
        if last > QUICK {
            sleep(last.min(LONGEST)).await;
        }
        waiting.since = Some(Instant::now());
        waiting
    }
}

/// Held until the file is seen, or given up.
pub(crate) struct Waiting<'a> {
    berths: &'a Berths,
    /// When its look began.
    since: Option<Instant>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(since) = self.since {
            self.berths.last_look.store(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        self.berths.waiting.fetch_sub(1, Ordering::Relaxed);
        self.berths.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_to_be_seen_makes_room() {
        let berths = Berths::default();
        assert!(berths.has_room(3, 4) && !berths.has_room(4, 4));
        let first = berths.wait_to_be_seen().await;
        let second = berths.wait_to_be_seen().await;
        assert!(berths.has_room(5, 4) && !berths.has_room(6, 4));
        drop(first);
        assert!(berths.has_room(4, 4) && !berths.has_room(5, 4));
        drop(second);
        assert!(!berths.has_room(4, 4));
        let many: Vec<_> = futures_util::future::join_all((0..MOST + 100).map(|_| berths.wait_to_be_seen())).await;
        assert!(berths.has_room(MOST + 3, 4) && !berths.has_room(MOST + 4, 4), "these hold files open");
        drop(many);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longer_a_look_takes_the_rarer_it_is() {
        let berths = Berths::default();
        for (took, waits) in [(0, 0), (40, 0), (700, 700), (60_000, 10_000)] {
            berths.last_look.store(took, Ordering::Relaxed);
            let begun = tokio::time::Instant::now();
            let waiting = berths.wait_to_be_seen().await;
            assert_eq!(begun.elapsed().as_millis(), waits, "{took}");
            drop(waiting);
        }
    }
}
