//! Makes many files at once, for measurements.

use super::model::Root;
use super::state::Iogates;
use crate::sandbox::storage::Content;

impl Iogates {
    /// Puts a file of each name into the account's folder at `path`, which is made if it is missing.
    pub(in crate::sandbox) fn fill(&self, path: &str, names: impl Iterator<Item = String>, content: &Content) {
        let mut state = self.state();
        let steps = path.split('/').filter(|name| !name.is_empty());
        let folder = steps.fold(None, |parent, name| Some(state.folder(Root::Account, parent, name)));
        for name in names {
            let id = state.add(Root::Account, folder, &name, "other");
            if let Some(entry) = state.entries.get_mut(&id) {
                entry.content = Some(content.clone());
            }
        }
    }
}
