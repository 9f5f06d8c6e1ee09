//! Files whose bytes are all accepted, and that are confirmed beside the next ones: looked for, compared, put in an older
//! one's place, and noted. They make room for the files that are to be sent.
//!
//! Where the answer to an upload names no file, its folder is listed, which takes the longer the more the folder holds: one
//! listing after each few files would cost hours for many thousands. So files wait for company, and one listing confirms all
//! that are ready. It is due when a quarter of what the folder holds waits for it, so that all listings of a run together
//! cost a few times the last one, or when the last listing is long enough ago that listings take a fifth of the time, or
//! when nothing can be sent before something is confirmed.

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

/// Each has its source and its place's lock open.
pub const MOST_WAITING: usize = 2000;
pub const HANDLES_OF_WAITING: u64 = 2;
/// A listing is due when so many wait for it, in a folder that holds little,
const COMPANY: usize = 16;
/// or this part of what the folder holds.
const SHARE_OF_FOLDER: usize = 4;
/// After a listing the next one waits so many times as long as that took, unless it has company enough;
const PAUSE: u32 = 4;
/// at least this,
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// and at most this, for people wait for the word that a file is there.
const PAUSE_MAX: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct ConfirmationQueue(Arc<Queue>);

struct Queue {
    /// When the run began.
    begun: Instant,
    most: usize,
    waiting: AtomicUsize,
    changed: Notify,
    /// Nothing can be sent before something is confirmed.
    hurry: AtomicBool,
    folders: Mutex<HashMap<String, Arc<FolderLooks>>>,
    /// Single looks, and last steps, at once.
    steps: Arc<Semaphore>,
}

impl ConfirmationQueue {
    /// `jobs` files are sent at once, and so many last steps done beside.
    pub fn new(jobs: usize) -> ConfirmationQueue {
        ConfirmationQueue(Arc::new(Queue {
            begun: Instant::now(),
            most: most_waiting(jobs),
            waiting: AtomicUsize::new(0),
            changed: Notify::new(),
            hurry: AtomicBool::new(false),
            folders: Mutex::default(),
            steps: Arc::new(Semaphore::new(jobs.max(1))),
        }))
    }

    /// What lay on the server by then was brought by no upload of this run.
    pub(crate) fn begun(&self) -> Instant {
        self.0.begun
    }

    /// Is there room for one more, when so many are under way, those that are being confirmed included?
    pub(super) fn has_room(&self, under_way: usize, jobs: usize) -> bool {
        let waiting = self.0.waiting.load(Ordering::Relaxed).min(self.0.most);
        under_way.saturating_sub(waiting) < jobs
    }

    /// Waits until some file enters or leaves.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// So many are under way and no other can be: if all of them only wait, nobody waits for company.
    pub(super) fn full(&self, under_way: usize) {
        let all_wait = self.0.waiting.load(Ordering::Relaxed) >= under_way;
        if self.0.hurry.swap(all_wait, Ordering::Relaxed) != all_wait && all_wait {
            self.0.folders.lock().values().for_each(|folder| folder.changed.notify_waiters());
        }
    }

    pub(super) fn has_more(&self) {
        self.0.hurry.store(false, Ordering::Relaxed);
    }

    /// All bytes of a file are accepted. What comes back is held until the file is reported.
    pub(crate) fn enter(&self) -> Confirming {
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        self.0.changed.notify_one();
        Confirming { queue: self.clone(), step: None }
    }

    /// One look for the file of `ticket`, when its turn is. `since`: when its bytes were accepted, or it was last looked for;
    /// `held`: entries of its folder before the run.
    pub(crate) async fn look<T, F>(&self, ticket: &UploadHandle, held: usize, since: Instant, ask: impl FnOnce(Instant) -> F) -> T
    where
        F: Future<Output = T>,
    {
        if !ticket.is_found_by_listing() {
            let _step = self.0.steps.acquire().await;
            return ask(since).await;
        }
        let folder = ticket.folder.clone().unwrap_or_default();
        let looks = self.0.folders.lock().entry(folder).or_default().clone();
        let _lists = looks.turn(since, held, &self.0.hurry).await;
        ask(since).await
    }
}

impl Default for ConfirmationQueue {
    fn default() -> ConfirmationQueue {
        ConfirmationQueue::new(8)
    }
}

/// What the file handles that this process may have leave room for.
#[cfg(unix)]
fn most_waiting(jobs: usize) -> usize {
    use rustix::process::{Resource, getrlimit};
    let Some(all) = getrlimit(Resource::Nofile).current else { return MOST_WAITING };
    let left = all.saturating_sub(2 * HANDLES + jobs as u64 * HANDLES_FOR_A_FILE) / (2 * HANDLES_OF_WAITING);
    usize::try_from(left).unwrap_or(MOST_WAITING).min(MOST_WAITING)
}

#[cfg(not(unix))]
fn most_waiting(_: usize) -> usize {
    MOST_WAITING / 10
}

/// A file that is being confirmed.
pub(crate) struct Confirming {
    queue: ConfirmationQueue,
    step: Option<OwnedSemaphorePermit>,
}

impl Confirming {
    /// It was seen: what remains is done by so many files at once as are sent, those that were seen first before the others.
    pub(crate) async fn seen(&mut self) {
        self.step = self.queue.0.steps.clone().acquire_owned().await.ok();
    }
}

impl Drop for Confirming {
    fn drop(&mut self) {
        self.queue.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.queue.0.changed.notify_one();
    }
}

/// The looks at one folder.
#[derive(Default)]
struct FolderLooks {
    state: Mutex<LookState>,
    changed: Notify,
}

#[derive(Default)]
struct LookState {
    /// When the last look began.
    begun: Option<Instant>,
    is_looking: bool,
    /// After the pause that the last look brought.
    next: Option<Instant>,
    /// Files that wait for the next look.
    waiting: usize,
    /// Files that looks have shown.
    seen: usize,
}

impl FolderLooks {
    /// Waits until a look that begins after `since` is on its way, or due. Of those for whom it is due the first is given
    /// the look, which ends with what is given.
    async fn turn(self: &Arc<Self>, since: Instant, held: usize, hurry: &AtomicBool) -> Option<Look> {
        let mut counted = Counted { looks: self, is_counted: false };
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
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
                    return Some(Look { looks: self.clone(), begun: now });
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

/// One that waits in vain no longer counts, also when its run is given up.
struct Counted<'a> {
    looks: &'a FolderLooks,
    is_counted: bool,
}

impl Counted<'_> {
    fn leave(&mut self, state: &mut LookState) {
        if std::mem::take(&mut self.is_counted) {
            state.waiting -= 1;
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.is_counted {
            self.looks.state.lock().waiting -= 1;
        }
    }
}

/// A look that is on its way.
struct Look {
    looks: Arc<FolderLooks>,
    begun: Instant,
}

impl Drop for Look {
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
                queue.look(ticket, 0, since, ask).await;
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
        tokio::join!(queue.look(&ticket, 0, begun, |_| async {}), async { queue.full(1) });
        assert_eq!(begun.elapsed(), Duration::ZERO);
        queue.has_more();
        queue.look(&ticket, 0, Instant::now() + Duration::from_millis(1), |_| async {}).await;
        assert_eq!(begun.elapsed().as_secs(), 1, "a file that comes alone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_given_up_is_nobodys_end() {
        let (queue, ticket) = (ConfirmationQueue::new(8), ticket());
        let since = Instant::now();
        let never = queue.look(&ticket, 0, since, |_| std::future::pending::<()>());
        assert!(tokio::time::timeout(Duration::from_secs(5), never).await.is_err());
        queue.look(&ticket, 0, Instant::now(), |_| async {}).await;
        assert!(since.elapsed() < Duration::from_secs(60));
    }
}
