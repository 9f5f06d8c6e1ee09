//! Makes many files at once, for measurements.

use super::state::Fileago;
use crate::sandbox::storage::Content;

impl Fileago {
    /// Puts a file of each name into the folder at `path` in the user's home, which is made if it is missing.
    pub(in crate::sandbox) fn fill(&self, path: &str, names: impl Iterator<Item = String>, content: &Content) {
        let mut state = self.state();
        let mut folder = format!("home:{}", self.me.uuid);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let there = state.tree.child(&folder, name);
            folder = there.unwrap_or_else(|| state.tree.add(&folder, name, &self.me, None));
        }
        for name in names {
            state.tree.add(&folder, &name, &self.me, Some(content.clone()));
        }
    }
}
