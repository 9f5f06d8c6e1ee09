//! A file or folder as a provider lists it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::model::RemotePath;

/// File or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// A file or folder on a remote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The path, from the root or from the id in the address.
    pub path: RemotePath,
    /// The last part of the path, as the provider stores the name.
    pub name: String,
    /// File or folder.
    pub kind: EntryKind,
    /// The provider's own id; what follows `@` in an address.
    pub id: String,
    /// Bytes; null for folders, and where the provider does not report the size.
    pub size: Option<u64>,
    /// When the content last changed, as the provider reports it.
    pub modified: Option<DateTime<Utc>>,
    /// The MD5 of the content in lower-case hex.
    pub md5: Option<String>,
    /// The address for a browser, with secrets masked.
    pub url: Option<String>,
    /// The provider's own fields, secrets masked.
    pub extra: Extra,
    /// An entry of an upload that never sent its bytes (ioGates): other files may take its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// The provider's own mark of the content, as text: another mark means another content.
    #[serde(skip)]
    pub revision: Option<String>,
    /// The number of other entries of this name that were passed over, because this one is newer or has content (ioGates).
    #[serde(skip)]
    pub passed_over: usize,
    /// True for an entry in a trash, when the address contains its id or the trash's.
    #[serde(skip)]
    pub trashed: bool,
}

impl Entry {
    /// An entry with only these facts.
    pub fn new(kind: EntryKind, id: impl Into<String>, path: RemotePath) -> Self {
        let name = path.name().unwrap_or("/").to_owned();
        Entry {
            path,
            name,
            kind,
            id: id.into(),
            size: None,
            modified: None,
            md5: None,
            url: None,
            extra: Extra::default(),
            incomplete: false,
            revision: None,
            passed_over: 0,
            trashed: false,
        }
    }

    /// Is the entry a folder?
    pub fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }
}

/// The provider's own fields, in their order. Copies of an entry share them: for 20,000 entries they take 20 MiB, more than all
/// else.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Map<String, Value>")]
pub struct Extra(Arc<Map<String, Value>>);

impl From<Map<String, Value>> for Extra {
    fn from(fields: Map<String, Value>) -> Extra {
        // A map that has grown keeps spare room, and most maps are kept long and never changed.
        let mut exact = Map::with_capacity(fields.len());
        exact.extend(fields);
        Extra(Arc::new(exact))
    }
}

impl Deref for Extra {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A change affects only this copy.
impl DerefMut for Extra {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The note about an upload holds the entry that it replaces, so it must be readable again.
    #[test]
    fn what_is_written_can_be_read() {
        let mut entry = Entry::new(EntryKind::File, "7", RemotePath::parse("/a/b.txt").unwrap());
        for unfinished in [false, true] {
            entry.incomplete = unfinished;
            entry.extra.insert(unfinished.to_string(), 1.into());
            let text = serde_json::to_string(&entry).unwrap();
            let read: Entry = serde_json::from_str(&text).unwrap();
            assert_eq!((read.incomplete, serde_json::to_string(&read).unwrap()), (unfinished, text));
        }
    }

    #[test]
    fn copies_share_their_fields_until_one_is_changed() {
        let mut one = Entry::new(EntryKind::File, "7", RemotePath::root());
        one.extra.insert("a".into(), 1.into());
        let mut two = one.clone();
        assert!(Arc::ptr_eq(&one.extra.0, &two.extra.0));
        two.extra.insert("b".into(), 2.into());
        assert_eq!((one.extra.len(), two.extra.len()), (1, 2));
    }
}
