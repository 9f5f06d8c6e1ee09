//! A file or folder as a provider shows it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::RemotePath;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    File,
    Folder,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub path: RemotePath,
    pub name: String,
    pub kind: EntryKind,
    /// The provider's own id; what follows `@` in an address.
    pub id: String,
    /// Bytes; null for folders and where the provider does not tell.
    pub size: Option<u64>,
    pub modified: Option<DateTime<Utc>>,
    /// Lower-case hex.
    pub md5: Option<String>,
    /// Where a browser finds it, secrets masked.
    pub url: Option<String>,
    /// The provider's own fields, secrets masked.
    pub extra: Map<String, Value>,
    /// Made for an upload that never brought its bytes (ioGates): it keeps no other file from its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

impl Entry {
    pub fn new(kind: EntryKind, id: impl Into<String>, path: RemotePath) -> Self {
        let name = path.name().unwrap_or("/").to_owned();
        Entry { path, name, kind, id: id.into(), size: None, modified: None, md5: None, url: None, extra: Map::new(), unfinished: false }
    }

    pub fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes of an upload hold the entry that it replaces; notes that can't be read are no notes.
    #[test]
    fn what_is_written_can_be_read() {
        let mut entry = Entry::new(EntryKind::File, "7", RemotePath::parse("/a/b.txt").unwrap());
        for unfinished in [false, true] {
            entry.unfinished = unfinished;
            let text = serde_json::to_string(&entry).unwrap();
            let read: Entry = serde_json::from_str(&text).unwrap();
            assert_eq!((read.unfinished, serde_json::to_string(&read).unwrap()), (unfinished, text));
        }
    }
}
