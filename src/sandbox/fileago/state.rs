//! The state of the FileAgo stand-in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};

use super::tree::{Owner, Tree};
use crate::sandbox::middleware::Shared;
use crate::sandbox::options::SandboxOptions;
use crate::sandbox::random;
use crate::sandbox::storage::Content;

/// The node that an upload token belongs to, and its age.
pub struct UploadToken {
    pub node: String,
    pub made: Instant,
}

#[derive(Default)]
pub struct State {
    pub tree: Tree,
    /// Valid session tokens.
    pub sessions: HashSet<String>,
    pub tickets: HashMap<String, UploadToken>,
    /// Copies are forbidden: the user may read, but not download.
    pub refuses_copies: bool,
}

/// The stand-in, as a handler of requests is handed it.
pub type Host = axum::extract::State<Arc<Fileago>>;

pub struct Fileago {
    pub(super) shared: Arc<Shared>,
    username: String,
    password: String,
    /// The user of the remote, a colleague, and a group that the user belongs to.
    pub(super) me: Owner,
    pub(super) colleague: Owner,
    pub(super) group: Owner,
    pub(super) file_key: String,
    state: Mutex<State>,
}

impl Fileago {
    pub(in crate::sandbox) fn new(shared: Arc<Shared>, options: &SandboxOptions) -> Self {
        let owner = |kind, name: &str| Owner { kind, uuid: random::uuid(), name: name.to_owned() };
        Fileago {
            shared,
            username: "ann@example.com".to_owned(),
            password: options.secret(random::alnum(20)),
            me: owner("User", "Ann Example"),
            colleague: owner("User", "Bob Example"),
            group: owner("Group", "Editors"),
            file_key: format!("{}-{}", random::uuid(), random::uuid()),
            state: Mutex::default(),
        }
    }

    pub fn username(&self) -> &str {
        &self.username
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// A group whose workspace (`home:UUID`) the user may write to.
    pub fn group(&self) -> &str {
        &self.group.uuid
    }

    /// Another user, to share copies with.
    pub fn colleague(&self) -> &str {
        &self.colleague.uuid
    }

    /// From now on copies are forbidden.
    pub fn refuse_copies(&self) {
        self.state().refuses_copies = true;
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The newest revision of the file at a path: `/a/b` is in the user's home, `/incoming:UUID/a` in another root.
    pub(in crate::sandbox) fn find(&self, path: &str) -> Option<Content> {
        let state = self.state();
        let files = state.tree.files().filter(|id| state.tree.whole_path(id, &self.me) == path);
        files.filter_map(|id| state.tree.get(id)?.revisions.last().cloned()).last()
    }

    /// All files of the user's home.
    pub(in crate::sandbox) fn files(&self) -> Vec<(String, Content)> {
        let state = self.state();
        let home = format!("home:{}", self.me.uuid);
        let own = state.tree.files().filter(|id| state.tree.ancestors(id).first() == Some(&home));
        own.filter_map(|id| Some((state.tree.whole_path(id, &self.me), state.tree.get(id)?.revisions.last()?.clone()))).collect()
    }

    pub(in crate::sandbox) fn entries(&self, folder: &str) -> Vec<(String, Option<String>)> {
        let state = self.state();
        let files = state.tree.files().filter_map(|id| Some((state.tree.whole_path(id, &self.me), state.tree.get(id)?)));
        let inside = files.filter(|(path, node)| path.strip_suffix(&node.name) == Some(&format!("{folder}/")));
        inside.map(|(_, node)| (node.name.clone(), node.revisions.last().map(|c| c.md5.clone()))).collect()
    }
}
