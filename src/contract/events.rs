//! The way from the work to whoever shows it.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// Where facts about the work go; `render` listens at the other end. Sending never fails and never waits.
#[derive(Clone)]
pub struct Events {
    to: tokio::sync::mpsc::UnboundedSender<crate::model::Event>,
    /// Texts that are told once.
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
        // A listener that is gone wants to know nothing more.
        let _ = self.to.send(event);
    }

    /// A warning that several requests may give rise to, and one is enough.
    pub fn warn_once(&self, text: String) {
        if self.told.lock().insert(text.clone()) {
            self.tell(crate::model::Event::Warning(text));
        }
    }
}
