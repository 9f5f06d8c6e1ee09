//! Questions for what a remote holds, with what is worth saying besides the answer.

use super::client::RemoteClient;
use crate::contract::Entries;
use crate::error::Result;
use crate::model::{Entry, Event, Place};

impl RemoteClient {
    /// What a folder holds. Rows that can't be read cost a warning.
    pub async fn list(&self, folder: &Entry) -> Result<Entries> {
        let entries = self.call(|p| p.list(folder)).await?;
        if let Some(said) = entries.faults.said() {
            self.events.warn_once(format!("{}: {said}", self.address(&folder.path)));
        }
        Ok(entries)
    }

    /// The entry at `place`.
    pub async fn stat(&self, place: &Place) -> Result<Entry> {
        let entry = self.call(|p| p.stat(place)).await?;
        self.tell_passed_over(&entry);
        Ok(entry)
    }

    /// Of several entries of one name the newest was meant: where others are to be had is worth knowing.
    pub fn tell_passed_over(&self, entry: &Entry) {
        if entry.passed_over > 0 {
            let (path, id, others) = (self.address(&entry.path), &entry.id, entry.passed_over);
            self.events
                .tell(Event::Note(format!("{path}: the newest of {} entries of this name is @{id}; {others} passed over", others + 1)));
        }
    }
}
