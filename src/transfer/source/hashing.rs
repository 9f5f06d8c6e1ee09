//! Reports how far a file is read for its checksum: a large file on a slow disk takes minutes in which no byte is sent.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::contract::Events;
use crate::model::Event;
use crate::model::event::FileId;

/// The time between two reports, and before the first: a short reading is not reported.
const TOLD_EVERY: Duration = Duration::from_millis(300);

struct Listener {
    events: Events,
    id: FileId,
    name: String,
    size: Option<u64>,
}

tokio::task_local! {
    /// The file that this task works on. Checksums are computed in many places of that work, and each is told the same way.
    static LISTENER: Listener;
}

/// Does `work` on one file. `events` receives how far the file is read for each checksum.
pub(crate) async fn tell_hashing<T>(events: &Events, id: FileId, name: String, size: Option<u64>, work: impl Future<Output = T>) -> T {
    LISTENER.scope(Listener { events: events.clone(), id, name, size }, work).await
}

/// Counts what is read for one checksum.
pub(super) struct HashProgress {
    done: u64,
    told: Instant,
}

impl HashProgress {
    pub(super) fn begin() -> HashProgress {
        HashProgress { done: 0, told: Instant::now() }
    }

    pub(super) fn read(&mut self, bytes: usize) {
        self.done = self.done.saturating_add(bytes as u64);
        if self.told.elapsed() < TOLD_EVERY {
            return;
        }
        self.told = Instant::now();
        // Nobody listens where a checksum is computed beside the sending: the bar shows the sending.
        let _ = LISTENER.try_with(|Listener { events, id, name, size }| {
            events.send(Event::Hashing { id: *id, name: name.clone(), size: *size, done: self.done });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_reading_is_told_and_a_short_one_is_not() {
        let (events, mut told) = Events::channel();
        tell_hashing(&events, 7, "a.mov".into(), Some(9), async {
            let mut progress = HashProgress::begin();
            progress.read(4);
            progress.told -= TOLD_EVERY;
            progress.read(3);
        })
        .await;
        let Ok(Event::Hashing { id: 7, done: 7, size: Some(9), .. }) = told.try_recv() else { panic!("it is not told") };
        assert!(told.try_recv().is_err(), "told once");
        let mut unheard = HashProgress::begin();
        unheard.told -= TOLD_EVERY;
        unheard.read(1);
    }
}
