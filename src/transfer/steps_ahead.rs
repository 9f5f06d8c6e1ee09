//! Passes the steps of a run from the search that finds them to the code that carries them out. The search is ahead by a bounded
//! number of steps. So the first step need not wait for the end of the search, and a step that is done takes no memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

/// The number of steps that are passed on together, as each message may wake a thread.
const PIECE: usize = 64;
/// The greatest number of pieces that wait: about eight thousand steps, so that the totals of most runs are known soon.
const PIECES: usize = 128;

/// The files and bytes of all steps that were found so far, carried out or not.
#[derive(Default)]
pub(super) struct Totals {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Totals {
    /// Counts a file, and its bytes where the size is known.
    pub fn count(&self, size: Option<u64>) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size.unwrap_or(0), Ordering::Relaxed);
    }

    /// Returns the numbers of files and of bytes.
    pub fn so_far(&self) -> (u64, u64) {
        (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// The receiver of the steps.
pub(super) struct StepsAhead<T> {
    ready: VecDeque<T>,
    pieces: Option<Receiver<Vec<T>>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> StepsAhead<T> {
    /// Receives the steps of an iterator that runs in its own thread.
    pub fn of<I: Iterator<Item = T>>(steps: impl FnOnce() -> I + Send + 'static) -> StepsAhead<T> {
        let (sender, pieces) = channel(PIECES);
        let thread = spawn_blocking(move || hand_over(steps(), &sender));
        StepsAhead { ready: VecDeque::new(), pieces: Some(pieces), thread: Some(thread) }
    }

    /// Receives steps that are all known already.
    pub fn whole(steps: impl IntoIterator<Item = T>) -> StepsAhead<T> {
        StepsAhead { ready: steps.into_iter().collect(), pieces: None, thread: None }
    }

    /// Returns a sender and the receiver of its steps. `hold`: the number of steps that the sender keeps back, as the caller may still
    /// decide that nothing is to be done.
    pub fn channel(hold: usize) -> (StepSender<T>, StepsAhead<T>) {
        let (sender, pieces) = channel(PIECES);
        (
            StepSender { sender, waiting: Vec::new(), hold, is_open: hold == 0 },
            StepsAhead { ready: VecDeque::new(), pieces: Some(pieces), thread: None },
        )
    }

    /// Returns the next step; none at the end. A call that is dropped loses no step. Fails where the thread of the search panicked.
    pub async fn next(&mut self) -> Result<Option<T>, JoinError> {
        while self.ready.is_empty() {
            let Some(pieces) = self.pieces.as_mut() else { return Ok(None) };
            match pieces.recv().await {
                Some(piece) => self.ready.extend(piece),
                None => {
                    let broken = match self.thread.as_mut() {
                        Some(thread) => thread.await.err(),
                        None => None,
                    };
                    (self.pieces, self.thread) = (None, None);
                    if let Some(broken) = broken {
                        return Err(broken);
                    }
                }
            }
        }
        Ok(self.ready.pop_front())
    }
}

/// Sends the steps in pieces. A smaller piece is sent where the receiver has nothing else to take. Ends early when the receiver is
/// dropped.
fn hand_over<T>(steps: impl Iterator<Item = T>, sender: &Sender<Vec<T>>) {
    let mut piece = Vec::new();
    for step in steps {
        piece.push(step);
        let is_awaited = sender.capacity() == sender.max_capacity();
        if (is_awaited || piece.len() >= PIECE) && sender.blocking_send(std::mem::take(&mut piece)).is_err() {
            return;
        }
    }
    if !piece.is_empty() {
        // This fails only where the receiver is dropped.
        let _ = sender.blocking_send(piece);
    }
}

/// The sender of the steps.
pub(super) struct StepSender<T> {
    sender: Sender<Vec<T>>,
    waiting: Vec<T>,
    hold: usize,
    /// The sender no longer keeps steps back.
    is_open: bool,
}

impl<T> StepSender<T> {
    /// Has the sender stopped keeping steps back?
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Sends a step, or keeps the step back. Waits where the receiver is far behind.
    pub async fn send(&mut self, step: T) {
        self.waiting.push(step);
        if !self.is_open {
            self.is_open = self.waiting.len() > self.hold;
        }
        let is_awaited = self.sender.capacity() == self.sender.max_capacity();
        if self.is_open && (is_awaited || self.waiting.len() >= PIECE) {
            self.flush().await;
        }
    }

    /// Sends the steps that were kept back, and keeps back no further step.
    pub async fn open(&mut self) {
        self.is_open = true;
        self.flush().await;
    }

    /// Sends the steps of a piece that is not full; does nothing while the sender keeps all steps back.
    pub async fn flush(&mut self) {
        if self.is_open && !self.waiting.is_empty() {
            // This fails only where the receiver is dropped: the run is over.
            let _ = self.sender.send(std::mem::take(&mut self.waiting)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn a_search_goes_no_further_than_there_is_room() {
        let found = Arc::new(AtomicUsize::new(0));
        let count = found.clone();
        let steps = move || {
            (0..100_000).inspect(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            })
        };
        let mut steps = StepsAhead::of(steps);
        let mut taken = 0;
        while let Some(step) = steps.next().await.unwrap() {
            assert_eq!(step, taken);
            taken += 1;
            let ahead = found.load(Ordering::Relaxed) - taken;
            assert!(ahead <= (PIECES + 2) * PIECE, "{ahead} ahead");
        }
        assert_eq!(taken, 100_000);
    }

    #[tokio::test]
    async fn a_search_that_nobody_follows_ends_and_one_that_breaks_down_is_told() {
        let (sender, pieces) = channel(1);
        drop(pieces);
        spawn_blocking(move || hand_over(std::iter::repeat_with(|| 1), &sender)).await.unwrap();
        let mut steps = StepsAhead::of(|| (0..3).map(|n| if n < 2 { n } else { panic!("on purpose") }));
        let mut last = steps.next().await;
        while matches!(last, Ok(Some(_))) {
            last = steps.next().await;
        }
        assert!(last.is_err());
    }

    #[tokio::test]
    async fn what_is_kept_back_comes_with_the_step_too_many_or_when_it_is_wanted() {
        let (mut sender, mut steps) = StepsAhead::channel(2);
        sender.send(1).await;
        sender.send(2).await;
        assert!(!sender.is_open() && futures_util::FutureExt::now_or_never(steps.next()).is_none());
        sender.send(3).await;
        assert!(sender.is_open());
        let (mut wanted, mut others) = StepsAhead::channel(2);
        wanted.send(9).await;
        wanted.open().await;
        drop((sender, wanted));
        let mut all = Vec::new();
        while let Some(step) = steps.next().await.unwrap() {
            all.push(step);
        }
        assert_eq!((all, others.next().await.unwrap(), others.next().await.unwrap()), (vec![1, 2, 3], Some(9), None));
    }
}
