//! Uploads that were created before their turn and wait for their bytes; [`super::batch`] creates them.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::contract::{Result, UploadRequest};
use crate::protocols::tus::TusSession;

/// By the path and the size of their file.
#[derive(Default)]
pub struct CreatedAhead(Mutex<HashMap<Slot, TusSession>>);

type Slot = (String, Option<u64>);

fn slot_of(item: &UploadRequest) -> Result<Slot> {
    Ok((item.path()?.to_string(), item.source.size()))
}

impl CreatedAhead {
    pub(super) fn has(&self, item: &UploadRequest) -> Result<bool> {
        Ok(self.0.lock().contains_key(&slot_of(item)?))
    }

    pub(super) fn store(&self, item: &UploadRequest, session: TusSession) -> Result<()> {
        self.0.lock().insert(slot_of(item)?, session);
        Ok(())
    }

    pub(super) fn take(&self, item: &UploadRequest) -> Option<TusSession> {
        self.0.lock().remove(&slot_of(item).ok()?)
    }

    /// The addresses of those that nobody has taken.
    pub(super) fn take_left_over(&self) -> Vec<String> {
        let left = std::mem::take(&mut *self.0.lock());
        let mut addresses: Vec<String> = left.values().filter_map(TusSession::url).map(|url| url.to_string()).collect();
        addresses.sort();
        addresses
    }
}
