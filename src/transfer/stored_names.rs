//! Names as the provider will store them. The provider is asked once, when the names of the targets are fixed. Every look,
//! every decision about a taken name, every folder and every note of a run then uses the stored name.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::client::RemoteClient;
use crate::error::Result;
use crate::model::{Event, RemotePath};

pub struct StoredNameNotes {
    client: RemoteClient,
    told: Mutex<HashSet<String>>,
}

impl StoredNameNotes {
    pub fn new(client: RemoteClient) -> StoredNameNotes {
        StoredNameNotes { client, told: Mutex::default() }
    }

    /// Warns of a changed name, once.
    pub fn name(&self, name: &str) -> String {
        let stored = self.client.inspect(|p| p.stored_name(name));
        if stored != name && self.told.lock().insert(name.to_owned()) {
            let title = self.client.info().title;
            self.client.events.send(Event::Warning(format!("{title} stores {name:?} as {stored:?}")));
        }
        stored.into_owned()
    }

    pub fn path(&self, path: &RemotePath) -> Result<RemotePath> {
        path.map_names(|name| self.name(name))
    }

    /// False: every name is stored as it is.
    pub(super) fn may_change(&self) -> bool {
        self.client.has(|can| can.stored_names.is_some())
    }
}
