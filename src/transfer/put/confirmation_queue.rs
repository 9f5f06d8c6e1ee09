//! Files whose bytes are all accepted. They are confirmed while further files are sent: looked for, compared, put in the place
//! of an older file, and noted.
//! Where the answer to an upload names no file, the file's folder is listed. A listing takes longer the more the folder holds:
//! a listing after every few files would cost hours for many thousands of files. So files wait, and one listing confirms all
//! that are ready. A listing is due in three cases. First, as many files wait as a quarter of what the folder holds: then all
//! listings of a run together cost a few times the last one. Second, the last listing is so long ago that listings take a fifth
//! of the time. Third, nothing can be sent before something is confirmed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::options::{HANDLES, HANDLES_FOR_A_FILE};
use crate::contract::UploadHandle;
use crate::transfer::sleep::sleep;

/// The largest number of files that wait. Each holds two file handles: its source, and the lock of its target.
pub const MAX_WAITING: usize = 2000;
pub const HANDLES_OF_WAITING: u64 = 2;
/// In a small folder a listing is due when so many files wait.
const COMPANY: usize = 16;
/// In a large folder a listing is due when this part of its number of entries waits.
const SHARE_OF_FOLDER: usize = 4;
/// The pause between two listings, as a multiple of the time that the last one took.
const PAUSE: u32 = 4;
/// The shortest pause.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause, because people wait to hear that a file is there.
const PAUSE_MAX: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct ConfirmationQueue(Arc<Queue>);

struct Queue {
    /// When the run began.
    begun: Instant,
    most: usize,
    waiting: AtomicUsize,
    changed: Notify,
    /// Notified of each change besides the run itself: code that begins several runs waits for it.
    told: Option<Arc<Notify>>,
    /// No file can be sent before one is confirmed.
    hurry: AtomicBool,
    folders: Mutex<HashMap<String, Arc<FolderChecks>>>,
    /// Limits the requests for single files, and the last steps, that run at once.
    steps: Arc<Semaphore>,
}

impl ConfirmationQueue {
    /// `jobs` files are sent at once, and as many last steps run beside them.
    pub fn new(jobs: usize) -> ConfirmationQueue {
        ConfirmationQueue(Arc::new(Queue {
            begun: Instant::now(),
            most: most_waiting(jobs),
            waiting: AtomicUsize::new(0),
            changed: Notify::new(),
            told: None,
            hurry: AtomicBool::new(false),
            folders: Mutex::default(),
            steps: Arc::new(Semaphore::new(jobs.max(1))),
        }))
    }

    /// `told` is notified of each change, too.
    pub(super) fn that_tells(self, told: Arc<Notify>) -> ConfirmationQueue {
        match Arc::try_unwrap(self.0) {
            Ok(queue) => ConfirmationQueue(Arc::new(Queue { told: Some(told), ..queue })),
            Err(shared) => ConfirmationQueue(shared),
        }
    }

    /// No upload of this run brought what was on the server before this time.
    pub(crate) fn start_time(&self) -> Instant {
        self.0.begun
    }

    /// Is there room for one more file when so many are in flight, those that are being confirmed included?
    pub(super) fn has_room(&self, under_way: usize, jobs: usize) -> bool {
        under_way.saturating_sub(self.waiting()) < jobs
    }

    /// Files that make room for others.
    pub(super) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed).min(self.0.most)
    }

    /// Waits until some file enters or leaves.
    pub(super) async fn wait_for_change(&self) {
        self.0.changed.notified().await;
    }

    /// Tells the queue that no further file can be sent while so many are in flight. If all of them wait for a listing, it is
    /// due at once.
    pub(super) fn full(&self, under_way: usize) {
        self.hurry(self.0.waiting.load(Ordering::Relaxed) >= under_way);
    }

    pub(super) fn hurry(&self, all_wait: bool) {
        if self.0.hurry.swap(all_wait, Ordering::Relaxed) != all_wait && all_wait {
            self.0.folders.lock().values().for_each(|folder| folder.changed.notify_waiters());
        }
    }

    pub(super) fn has_more(&self) {
        self.0.hurry.store(false, Ordering::Relaxed);
    }

    /// Enters a file whose bytes are all accepted. The returned value is held until the file is reported.
    pub(crate) fn enter(&self) -> Confirming {
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        self.0.tell_change();
        Confirming { queue: self.clone(), step: None }
    }

    /// One look for the file of `ticket`, when its turn is. `since`: when its bytes were accepted, or it was last looked for;
    /// `held`: entries of its folder before the run.
    pub(crate) async fn check<T, F>(&self, ticket: &UploadHandle, held: usize, since: Instant, ask: impl FnOnce(Instant) -> F) -> T
    where
        F: Future<Output = T>,
    {
        if !ticket.is_found_by_listing() {
            let _step = self.0.steps.acquire().await;
            return ask(since).await;
        }
        let folder = ticket.folder.clone().unwrap_or_default();
        let looks = self.0.folders.lock().entry(folder).or_default().clone();
        let _lists = looks.wait_for_check(since, held, &self.0.hurry).await;
        ask(since).await
    }
}

impl Queue {
    fn tell_change(&self) {
        self.changed.notify_one();
        if let Some(told) = &self.told {
            told.notify_one();
        }
    }
}

impl Default for ConfirmationQueue {
    fn default() -> ConfirmationQueue {
        ConfirmationQueue::new(8)
    }
}

/// The number of files that the limit of file handles leaves room for.
#[cfg(unix)]
fn most_waiting(jobs: usize) -> usize {
    use rustix::process::{Resource, getrlimit};
    let Some(all) = getrlimit(Resource::Nofile).current else { return MAX_WAITING };
    let left = all.saturating_sub(2 * HANDLES + jobs as u64 * HANDLES_FOR_A_FILE) / (2 * HANDLES_OF_WAITING);
    usize::try_from(left).unwrap_or(MAX_WAITING).min(MAX_WAITING)
}

#[cfg(not(unix))]
fn most_waiting(_: usize) -> usize {
    MAX_WAITING / 10
}

/// A file that is being confirmed.
pub(crate) struct Confirming {
    queue: ConfirmationQueue,
    step: Option<OwnedSemaphorePermit>,
}

impl Confirming {
    /// The file was found. The last steps run for as many files at once as are sent, in the order in which the files were
    /// found.
    pub(crate) async fn finish_confirmation(&mut self) {
        self.step = self.queue.0.steps.clone().acquire_owned().await.ok();
    }
}

impl Drop for Confirming {
    fn drop(&mut self) {
        self.queue.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.queue.0.tell_change();
    }
}

/// The listings of one folder.
#[derive(Default)]
struct FolderChecks {
    state: Mutex<CheckState>,
    changed: Notify,
}

#[derive(Default)]
struct CheckState {
    /// The time when the last listing began.
    begun: Option<Instant>,
    is_looking: bool,
    /// The end of the pause after the last listing.
    next: Option<Instant>,
    /// The number of files that wait for the next listing.
    waiting: usize,
    /// The number of files that listings have shown.
    seen: usize,
}

impl FolderChecks {
    /// Waits until a look that begins after `since` is on its way, or due. Of those for whom it is due the first is given
    /// the look, which ends with what is given.
    async fn wait_for_check(self: &Arc<Self>, since: Instant, held: usize, hurry: &AtomicBool) -> Option<ListingRequest> {
        let mut counted = WaitingFile { looks: self, is_counted: false };
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // No change is missed from here on.
            changed.as_mut().enable();
            let left = {
                let mut state = self.state.lock();
                if state.begun.is_some_and(|begun| begun >= since) {
                    counted.leave(&mut state);
                    state.seen += 1;
                    return None;
                }
                if !std::mem::replace(&mut counted.is_counted, true) {
                    state.waiting += 1;
                }
                let now = Instant::now();
                let company = COMPANY.max((held + state.seen) / SHARE_OF_FOLDER);
                let next = *state.next.get_or_insert(now + PAUSE_MIN);
                if !state.is_looking && (state.waiting >= company || now >= next || hurry.load(Ordering::Relaxed)) {
                    counted.leave(&mut state);
                    (state.is_looking, state.begun) = (true, Some(now));
                    state.seen += 1;
                    drop(state);
                    self.changed.notify_waiters();
                    return Some(ListingRequest { looks: self.clone(), begun: now });
                }
                (!state.is_looking).then(|| next.saturating_duration_since(now))
            };
            match left {
                Some(left) => tokio::select! {
                    () = changed => {}
                    () = sleep(left) => {}
                },
                None => changed.await,
            }
        }
    }
}

/// A file that stops waiting is no longer counted, also where its upload was abandoned.
struct WaitingFile<'a> {
    looks: &'a FolderChecks,
    is_counted: bool,
}

impl WaitingFile<'_> {
    fn leave(&mut self, state: &mut CheckState) {
        if std::mem::take(&mut self.is_counted) {
            state.waiting -= 1;
        }
    }
}

impl Drop for WaitingFile<'_> {
    fn drop(&mut self) {
        if self.is_counted {
            self.looks.state.lock().waiting -= 1;
        }
    }
}

/// A listing whose request is on its way.
struct ListingRequest {
    looks: Arc<FolderChecks>,
    begun: Instant,
}

impl Drop for ListingRequest {
    fn drop(&mut self) {
        let now = Instant::now();
        let pause = (now - self.begun).saturating_mul(PAUSE).clamp(PAUSE_MIN, PAUSE_MAX);
        let mut state = self.looks.state.lock();
        (state.is_looking, state.next) = (false, Some(now + pause));
        drop(state);
        self.looks.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn ticket() -> UploadHandle {
        UploadHandle { folder: Some("home".into()), ..UploadHandle::default() }
    }

    #[tokio::test]
    async fn who_is_being_confirmed_makes_room() {
        let queue = ConfirmationQueue::new(4);
        assert!(queue.has_room(3, 4) && !queue.has_room(4, 4));
        let (first, second) = (queue.enter(), queue.enter());
        assert!(queue.has_room(5, 4) && !queue.has_room(6, 4));
        drop(first);
        assert!(queue.has_room(4, 4) && !queue.has_room(5, 4));
        drop(second);
        assert!(!queue.has_room(4, 4));
        let most = queue.0.most;
        let many: Vec<_> = (0..most + 100).map(|_| queue.enter()).collect();
        assert!(queue.has_room(most + 3, 4) && !queue.has_room(most + 4, 4), "these hold files open");
        drop(many);
    }

    /// Sends `files`, `rate` a second, into a folder whose listing takes `row` for each entry. The listings, and how long the
    /// run took.
    async fn run(files: usize, rate: u32, row: Duration) -> (usize, Duration) {
        let (queue, ticket, begun) = (ConfirmationQueue::new(8), ticket(), Instant::now());
        let (there, listings, last) = (AtomicUsize::new(0), AtomicUsize::new(0), tokio::sync::Mutex::new(None));
        let one = |n: usize| {
            let (queue, ticket, there, listings, last) = (&queue, &ticket, &there, &listings, &last);
            async move {
                tokio::time::sleep(Duration::from_secs(1) * u32::try_from(n).unwrap() / rate).await;
                let _confirming = queue.enter();
                there.fetch_add(1, Ordering::Relaxed);
                if n + 1 == files {
                    queue.full(0);
                }
                let since = Instant::now();
                // As the listing that is shared.
                let ask = |_| async {
                    let mut last = last.lock().await;
                    if last.is_none_or(|asked| asked < since) {
                        *last = Some(Instant::now());
                        listings.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(row * u32::try_from(there.load(Ordering::Relaxed)).unwrap()).await;
                    }
                };
                queue.check(ticket, 0, since, ask).await;
            }
        };
        join_all((0..files).map(one)).await;
        (listings.into_inner(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn listings_grow_as_the_logarithm_of_the_files() {
        for (files, most) in [(100, 12), (600, 24), (6000, 36), (20_000, 48)] {
            let (listings, took) = run(files, 200, Duration::from_micros(100)).await;
            // Besides those that have company, one a second.
            let most = most + usize::try_from(took.as_secs()).unwrap();
            assert!(listings <= most, "{listings} listings for {files}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn listings_that_take_long_are_rare() {
        let (listings, took) = run(6000, 100, Duration::from_millis(2)).await;
        assert!(listings < 30 && took < Duration::from_secs(60 + 40), "{listings} listings in {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_company_that_cannot_come() {
        let (queue, ticket) = (ConfirmationQueue::new(8), ticket());
        let begun = Instant::now();
        let _confirming = queue.enter();
        tokio::join!(queue.check(&ticket, 0, begun, |_| async {}), async { queue.full(1) });
        assert_eq!(begun.elapsed(), Duration::ZERO);
        queue.has_more();
        queue.check(&ticket, 0, Instant::now() + Duration::from_millis(1), |_| async {}).await;
        assert_eq!(begun.elapsed().as_secs(), 1, "a file that comes alone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_given_up_is_nobodys_end() {
        let (queue, ticket) = (ConfirmationQueue::new(8), ticket());
        let since = Instant::now();
        let never = queue.check(&ticket, 0, since, |_| std::future::pending::<()>());
        assert!(tokio::time::timeout(Duration::from_secs(5), never).await.is_err());
        queue.check(&ticket, 0, Instant::now(), |_| async {}).await;
        assert!(since.elapsed() < Duration::from_secs(60));
    }
}
