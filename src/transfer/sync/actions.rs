//! A sync on paper: what is to be done with each file, and how both sides looked then. Whoever does it later looks again.

use serde::{Deserialize, Serialize};

use super::local_listing::LocalState;
use crate::model::{Entry, EntryKind, RemotePath};
use crate::transfer::fingerprint::EntryFingerprint;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    /// A local file goes to TO.
    Upload,
    /// A file comes to this machine.
    Download,
    /// A file goes from one remote to TO.
    Copy,
    /// An empty folder is made at TO.
    Create,
    /// A file that moved at FROM is moved at TO.
    Move,
    /// What FROM lacks is deleted at TO.
    Delete,
}

/// One thing to be done. Paths are seen from FROM and TO.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What is to be done.
    pub action: ActionKind,
    /// Where, at TO.
    pub path: RemotePath,
    /// Where the file was at TO, that is to be moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RemotePath>,
    /// File or folder.
    pub kind: EntryKind,
    /// Bytes.
    pub size: Option<u64>,
    /// The file at FROM as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ActionState>,
    /// What TO had there; of a move, where the file was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ActionState>,
}

/// How something looked when the plan was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ActionState {
    /// On a remote.
    Remote(RemoteActionState),
    /// On this machine.
    Local(LocalState),
}

/// How an entry of a remote looked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteActionState {
    /// The provider's id.
    pub id: String,
    /// What changes when its content does.
    pub entry: EntryFingerprint,
}

impl ActionState {
    /// Of an entry on a remote.
    pub fn of(entry: &Entry) -> ActionState {
        ActionState::Remote(RemoteActionState { id: entry.id.clone(), entry: EntryFingerprint::of(entry) })
    }

    /// Is the entry what was looked at?
    pub fn is_of(&self, entry: &Entry) -> bool {
        match self {
            ActionState::Remote(look) => look.id == entry.id && EntryFingerprint::of(entry).matches(&look.entry.text()),
            ActionState::Local(_) => false,
        }
    }

    /// Is what is here now what was looked at?
    pub fn is_here(&self, now: &LocalState) -> bool {
        matches!(self, ActionState::Local(then) if then == now)
    }
}

impl Action {
    /// An action on a file of which nothing else is known.
    pub fn on_file(action: ActionKind, path: RemotePath, size: Option<u64>) -> Action {
        Action { action, path, from: None, kind: EntryKind::File, size, source: None, target: None }
    }

    /// An action on a folder.
    pub fn on_folder(action: ActionKind, path: RemotePath) -> Action {
        Action { kind: EntryKind::Folder, ..Action::on_file(action, path, None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_no_path_leads_out() {
        let mut entry = Entry::new(EntryKind::File, "7", RemotePath::parse("/x/a").unwrap());
        (entry.size, entry.md5) = (Some(5), Some("0".repeat(32)));
        let source = Some(ActionState::Local(LocalState { size: 5, modified_ns: Some(-1), changed_ns: None, inode: 9 }));
        let path = RemotePath::parse("/d/a").unwrap();
        let action = Action { source, target: Some(ActionState::of(&entry)), ..Action::on_file(ActionKind::Upload, path, Some(5)) };
        let text = serde_json::to_string(&action).unwrap();
        let read: Action = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(read.target.as_ref().unwrap().is_of(&entry) && !read.source.as_ref().unwrap().is_of(&entry));
        for (field, other) in [("/d/a", "/../a"), ("/d/a", "a/../../b"), ("/d/a", "/d\\u0000"), ("upload", "format"), ("path", "paths")] {
            assert!(serde_json::from_str::<Action>(&text.replacen(field, other, 1)).is_err(), "{other}");
        }
        for change in [|e: &mut Entry| e.size = Some(6), |e: &mut Entry| e.md5 = Some("1".repeat(32)), |e: &mut Entry| e.id = "8".into()] {
            let mut changed = entry.clone();
            change(&mut changed);
            assert!(!read.target.as_ref().unwrap().is_of(&changed));
        }
    }
}
