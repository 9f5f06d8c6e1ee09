//! The channel from the work to the code that shows it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::model::Event;

/// The first events of a run are received at once, the later ones together every [`TAKEN_EVERY`].
const AT_ONCE: usize = 64;
const TAKEN_EVERY: Duration = Duration::from_millis(10);
/// The largest number of events that are taken from the channel together.
const BATCH: usize = 256;

/// The sender of events about the work; `render` receives them. Sending never fails and never waits.
#[derive(Clone)]
pub struct Events {
    to: tokio::sync::mpsc::UnboundedSender<Event>,
    /// Warnings that were sent and are not sent again.
    told: Arc<Mutex<HashSet<String>>>,
}

impl Events {
    /// Returns a sender of events, and the receiver for the code that shows them.
    pub fn channel() -> (Events, UnboundedReceiver<Event>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Events { to: sender, told: Arc::default() }, receiver)
    }

    /// Sends an event. Without a receiver nothing happens.
    pub fn send(&self, event: Event) {
        // A receiver that is gone needs no more events.
        let _ = self.to.send(event);
    }

    /// Sends a warning that several requests may cause, once.
    pub fn warn_once(&self, text: String) {
        if self.told.lock().insert(text.clone()) {
            self.send(Event::Warning(text));
        }
    }
}

/// Receives events together where they are many: waking a task for each event of small files would cost more than the work that
/// the task does.
pub struct EventBatches {
    from: UnboundedReceiver<Event>,
    taken: VecDeque<Event>,
    /// The number of events so far.
    seen: usize,
    pauses: Interval,
    is_pausing: bool,
}

impl EventBatches {
    /// Needs a tokio runtime with a clock.
    pub fn new(from: UnboundedReceiver<Event>) -> EventBatches {
        let mut pauses = interval(TAKEN_EVERY);
        pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
        EventBatches { from, taken: VecDeque::with_capacity(BATCH), seen: 0, pauses, is_pausing: false }
    }

    /// Returns the next event, at most [`TAKEN_EVERY`] after it was sent, or None when the last sender is gone. No event is lost
    /// when the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        if self.taken.is_empty() {
            if self.is_pausing {
                self.pauses.tick().await;
                self.is_pausing = false;
            }
            let mut batch = Vec::with_capacity(BATCH);
            let count = self.from.recv_many(&mut batch, BATCH).await;
            self.taken.extend(batch);
            self.seen += count;
            // A full batch: more events wait already.
            self.is_pausing = self.seen > AT_ONCE && count < BATCH;
            self.pauses.reset();
        }
        self.taken.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(n: usize) -> Event {
        Event::Note(n.to_string())
    }

    async fn next(events: &mut EventBatches) -> Option<String> {
        events.next().await.map(|event| match event {
            Event::Note(text) => text,
            _ => String::new(),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn few_events_are_received_at_once_and_many_together() {
        let (events, receiver) = Events::channel();
        let mut batches = EventBatches::new(receiver);
        let begun = tokio::time::Instant::now();
        for n in 0..AT_ONCE {
            events.send(note(n));
            assert_eq!(next(&mut batches).await, Some(n.to_string()));
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for n in 0..3 * BATCH {
            events.send(note(n));
        }
        for n in 0..3 * BATCH {
            assert_eq!(next(&mut batches).await, Some(n.to_string()));
        }
        assert_eq!(begun.elapsed(), Duration::ZERO, "what is there is taken at once");
        events.send(note(1));
        assert_eq!(next(&mut batches).await, Some("1".into()));
        events.send(note(2));
        assert_eq!(next(&mut batches).await, Some("2".into()));
        assert_eq!(begun.elapsed(), TAKEN_EVERY);
        drop(events);
        assert_eq!(next(&mut batches).await, None);
    }
}
