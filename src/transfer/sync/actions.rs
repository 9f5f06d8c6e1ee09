//! The actions of a planned sync. Each action says what is to be done with one file or folder, and how both sides looked when the
//! plan was made. `apply` compares that state with the file of now before it changes the file.

use serde::{Deserialize, Serialize};

use super::local_listing::LocalState;
use crate::model::{Entry, EntryKind, RemotePath};
use crate::transfer::fingerprint::EntryFingerprint;

/// The kinds of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    /// A local file is sent to TO.
    Upload,
    /// A file on a remote is downloaded to this machine.
    Download,
    /// A file on a remote is copied to TO, which is on a remote, too.
    Copy,
    /// An empty folder is made at TO.
    Create,
    /// A file that moved at FROM is moved at TO.
    Move,
    /// A file or folder that FROM lacks is deleted at TO.
    Delete,
}

/// One action of a plan. Its paths are relative to FROM and to TO.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The kind of the action.
    pub action: ActionKind,
    /// The path of the file or folder at TO.
    pub path: RemotePath,
    /// Of a move: the old path of the file at TO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RemotePath>,
    /// The kind of the entry: file or folder.
    pub kind: EntryKind,
    /// The size of the file in bytes; none for a folder and where the size is not known.
    pub size: Option<u64>,
    /// How the file at FROM looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ActionState>,
    /// How the file looked that TO had at `path`; of a move, how the file looked that TO had at `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ActionState>,
}

/// How a file looked when the plan was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ActionState {
    /// The file is on a remote.
    Remote(RemoteActionState),
    /// The file is on this machine.
    Local(LocalState),
}

/// How an entry on a remote looked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteActionState {
    /// The provider's id.
    pub id: String,
    /// The facts about the entry that change with its content.
    pub entry: EntryFingerprint,
}

impl ActionState {
    /// Returns how an entry on a remote looks now.
    pub fn of(entry: &Entry) -> ActionState {
        ActionState::Remote(RemoteActionState { id: entry.id.clone(), entry: EntryFingerprint::of(entry) })
    }

    /// Compares an entry of now with the recorded state. True: the ids are equal, and no fact that both sides know differs.
    pub fn is_of(&self, entry: &Entry) -> bool {
        match self {
            ActionState::Remote(look) => look.id == entry.id && EntryFingerprint::of(entry).matches(&look.entry.text()),
            ActionState::Local(_) => false,
        }
    }

    /// Compares a local file of now with the recorded state. True: both are equal.
    pub fn is_here(&self, now: &LocalState) -> bool {
        matches!(self, ActionState::Local(then) if then == now)
    }
}

impl Action {
    /// Makes an action on a file, without the states of both sides.
    pub fn on_file(action: ActionKind, path: RemotePath, size: Option<u64>) -> Action {
        Action { action, path, from: None, kind: EntryKind::File, size, source: None, target: None }
    }

    /// Makes an action on a folder.
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
