//! Makes many files at once, for measurements.

use chrono::Utc;

use super::state::{Folder, Giga0, State};
use crate::sandbox::storage::Content;

impl Giga0 {
    /// Puts a file of each name into the folder at `path`, which is made if it is missing.
    pub(in crate::sandbox) fn fill(&self, path: &str, names: impl Iterator<Item = String>, content: &Content) {
        let mut state = self.state();
        let folder =
            path.split('/').filter(|name| !name.is_empty()).fold(None, |parent, name| Some(state.get_or_create_folder(parent, name)));
        for name in names {
            state.add_file_as(folder, name, content.clone());
        }
    }
}

impl State {
    fn get_or_create_folder(&mut self, parent: Option<u64>, name: &str) -> u64 {
        if let Some(there) = self.folders.values().find(|f| f.parent == parent && f.name == name && !f.trashed) {
            return there.id;
        }
        let id = self.next_id();
        let (added, name) = (Utc::now(), name.to_owned());
        self.folders.insert(id, Folder { id, parent, name, public: 0, password: None, trashed: false, added, updated: None });
        id
    }
}
