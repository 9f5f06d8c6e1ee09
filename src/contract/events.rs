//! The channel from the work to whoever shows it.

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
    /// A sender of events and the receiver for whoever shows them.
    pub fn channel() -> (Events, tokio::sync::mpsc::UnboundedReceiver<crate::model::Event>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Events { to: sender, told: Arc::default() }, receiver)
    }

    /// Sends an event. Nothing happens where nobody receives events any more.
    pub fn tell(&self, event: crate::model::Event) {
        // A receiver that is gone needs no more events.
        let _ = self.to.send(event);
    }

    /// Sends a warning that several requests may cause, once.
    pub fn warn_once(&self, text: String) {
        if self.told.lock().insert(text.clone()) {
            self.tell(crate::model::Event::Warning(text));
        }
    }
}
