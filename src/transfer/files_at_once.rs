//! How many files are on their way at once. `--jobs` is the most. The number grows while more bytes and files get through
//! with it, and is halved when a server says that it has too much to do: 421, 429, 503, a refused connection.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::contract::Events;
use crate::model::Event;

/// A run begins with so many, as other programs do, and need not find out first what nearly every server bears.
const INITIAL_FILES: usize = 8;
/// Rates are compared over at least this time.
const WINDOW: Duration = Duration::from_secs(1);
/// A rate that is so much better is no chance.
const BETTER: f64 = 1.05;
/// A number that was too high, or no better, is tried again after this.
const PAUSE: Duration = Duration::from_secs(30);
/// Files that were on their way together are refused together: that counts once.
const ONE_REFUSAL: Duration = Duration::from_secs(1);
/// What a file counts beside its bytes, in bytes: a small one costs requests, not bytes.
const FILE: u64 = 64 << 10;

/// Shared by all that takes part in a run. The default, of a client that carries no files, counts nothing.
#[derive(Clone, Default)]
pub struct FilesAtOnce(Option<Arc<FileBound>>);

struct FileBound {
    most: usize,
    events: Events,
    state: Mutex<BoundState>,
}

struct BoundState {
    files: usize,
    /// No higher for now, and until when.
    bound: usize,
    bound_until: Instant,
    /// Since then so much got through,
    begun: Instant,
    work: u64,
    /// and all places were taken.
    is_full: bool,
    /// The number before it grew, and its rate.
    before: Option<(usize, f64)>,
    /// Until then a refusal is part of one that was counted.
    refused_until: Instant,
    is_told: bool,
}

impl FilesAtOnce {
    pub(crate) fn new(most: usize, events: Events) -> FilesAtOnce {
        let (most, now) = (most.max(1), Instant::now());
        let state = BoundState {
            files: most.min(INITIAL_FILES),
            bound: most,
            bound_until: now,
            begun: now,
            work: 0,
            is_full: false,
            before: None,
            refused_until: now,
            is_told: false,
        };
        FilesAtOnce(Some(Arc::new(FileBound { most, events, state: Mutex::new(state) })))
    }

    /// So many files may be on their way now.
    pub(crate) fn files(&self) -> usize {
        self.0.as_ref().map_or(1, |counted| counted.state.lock().files)
    }

    pub(crate) fn most(&self) -> usize {
        self.0.as_ref().map_or(1, |counted| counted.most)
    }

    /// There are more files than may be on their way.
    pub(crate) fn full(&self) {
        self.0.iter().for_each(|counted| counted.full());
    }

    /// So many bytes got through.
    pub(crate) fn record_accepted(&self, bytes: u64) {
        self.0.iter().for_each(|counted| counted.count(bytes));
    }

    /// A file is brought.
    pub(crate) fn record_finished(&self) {
        self.0.iter().for_each(|counted| counted.count(FILE));
    }

    /// The server has too much to do.
    pub(crate) fn record_refusal(&self) {
        self.0.iter().for_each(|counted| counted.record_refusal());
    }
}

impl FileBound {
    fn full(&self) {
        let mut state = self.state.lock();
        state.is_full = true;
        if self.most > 1 && !std::mem::replace(&mut state.is_told, true) {
            let most = if self.most > state.files { format!(", {} at most", self.most) } else { String::new() };
            self.note(format!("{} files at once{most}", state.files));
        }
    }

    fn count(&self, work: u64) {
        let mut state = self.state.lock();
        state.work = state.work.saturating_add(work);
        let (now, before) = (Instant::now(), state.files);
        if now.duration_since(state.begun) < WINDOW {
            return;
        }
        state.adjust(self.most, now);
        let files = state.files;
        drop(state);
        match files.cmp(&before) {
            std::cmp::Ordering::Greater => self.note(format!("{files} files at once instead of {before}")),
            std::cmp::Ordering::Less => self.note(format!("{files} files at once, as {before} brought no more")),
            std::cmp::Ordering::Equal => {}
        }
    }

    fn record_refusal(&self) {
        let mut state = self.state.lock();
        let (now, before) = (Instant::now(), state.files);
        if now < state.refused_until {
            return;
        }
        state.refused_until = now + ONE_REFUSAL;
        (state.bound, state.bound_until) = ((before - 1).max(1), now + PAUSE);
        state.files = (before / 2).max(1);
        state.begin(now);
        state.before = None;
        let files = state.files;
        drop(state);
        if files < before {
            self.note(format!(
                "{} at once instead of {before}, as the server takes no more",
                if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
            ));
        }
    }

    fn note(&self, text: String) {
        self.events.send(Event::Note(text));
    }
}

impl BoundState {
    fn begin(&mut self, now: Instant) {
        (self.begun, self.work, self.is_full) = (now, 0, false);
    }

    /// A window is over.
    fn adjust(&mut self, most: usize, now: Instant) {
        let rate = self.work as f64 / now.duration_since(self.begun).as_secs_f64();
        let was_full = self.is_full;
        self.begin(now);
        if !was_full {
            return;
        }
        if now >= self.bound_until {
            self.bound = most;
        }
        if let Some((fewer, its_rate)) = self.before.take()
            && rate < its_rate * BETTER
        {
            self.files = fewer;
            (self.bound, self.bound_until) = (fewer, now + PAUSE);
            return;
        }
        let more = (self.files + (self.files / 2).max(1)).min(self.bound);
        if more > self.files {
            self.before = Some((self.files, rate));
            self.files = more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_most(most: usize) -> FilesAtOnce {
        FilesAtOnce::new(most, Events::channel().0)
    }

    /// A server that brings `rate` files a second with so many at once, for `seconds`.
    async fn work(files: &FilesAtOnce, seconds: u32, rate: impl Fn(usize) -> usize) -> Vec<usize> {
        let mut seen = Vec::new();
        for _ in 0..seconds {
            files.full();
            let brought = rate(files.files());
            for _ in 0..brought {
                tokio::time::advance(Duration::from_secs(1) / u32::try_from(brought).unwrap()).await;
                files.record_finished();
            }
            tokio::time::advance(Duration::from_millis(1)).await;
            seen.push(files.files());
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_grows_while_more_gets_through() {
        let files = at_most(64);
        assert_eq!(files.files(), 8);
        let seen = work(&files, 20, |files| files.min(24) * 10).await;
        let highest = *seen.iter().max().unwrap();
        assert!((24..=40).contains(&highest), "{seen:?}");
        assert!((18..=27).contains(seen.last().unwrap()), "what brings no more is left again: {seen:?}");
        assert_eq!(work(&at_most(64), 30, |files| files * 10).await.last(), Some(&64));
        assert_eq!(work(&at_most(5), 10, |files| files * 10).await.iter().max(), Some(&5), "--jobs is the most");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_has_too_much_to_do_is_given_less_and_more_again_later() {
        let files = at_most(8);
        (0..8).for_each(|_| files.record_refusal());
        assert_eq!(files.files(), 4, "refused together, they count once");
        for left in [2, 1, 1] {
            tokio::time::advance(ONE_REFUSAL).await;
            files.record_refusal();
            assert_eq!(files.files(), left);
        }
        assert_eq!(work(&files, 60, |files| files * 10).await.last(), Some(&8));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_is_not_tried_again_at_once() {
        let files = at_most(8);
        tokio::time::advance(ONE_REFUSAL).await;
        files.record_refusal();
        let seen = work(&files, 25, |files| files * 10).await;
        assert_eq!(seen.iter().max(), Some(&7), "{seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_lacks_files_proves_nothing() {
        let files = at_most(64);
        for _ in 0..100 {
            tokio::time::advance(Duration::from_millis(200)).await;
            files.record_finished();
        }
        assert_eq!(files.files(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn each_change_is_told() {
        let (events, mut told) = Events::channel();
        let files = FilesAtOnce::new(64, events);
        work(&files, 2, |files| files * 10).await;
        files.record_refusal();
        drop(files);
        let mut notes = Vec::new();
        while let Some(event) = told.recv().await {
            if let Event::Note(text) = event {
                notes.push(text);
            }
        }
        assert_eq!(notes.first().unwrap(), "8 files at once, 64 at most");
        assert_eq!(notes.get(1).unwrap(), "12 files at once instead of 8");
        assert!(notes.last().unwrap().ends_with(", as the server takes no more"), "{notes:?}");
    }
}
