//! The channel from the work to the code that shows it.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// The sender of events about the work; `render` receives them. Sending never fails and never waits.
#[derive(Clone)]
pub struct Events {
    to: tokio::sync::mpsc::UnboundedSender<crate::model::Event>,
    /// Warnings that were sent and are not sent again.
    told: Arc<Mutex<HashSet<String>>>,
}

impl Events {
    /// Returns a sender of events, and the receiver for the code that shows them.
    pub fn channel() -> (Events, tokio::sync::mpsc::UnboundedReceiver<crate::model::Event>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Events { to: sender, told: Arc::default() }, receiver)
    }

    /// Sends an event. Without a receiver nothing happens.
    pub fn send(&self, event: crate::model::Event) {
        // A receiver that is gone needs no more events.
        let _ = self.to.send(event);
    }

    /// Sends a warning that several requests may cause, once.
    pub fn warn_once(&self, text: String) {
        if self.told.lock().insert(text.clone()) {
            self.send(crate::model::Event::Warning(text));
        }
    }
}
