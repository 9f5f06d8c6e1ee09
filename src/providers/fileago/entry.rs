//! Makes entries from FileAgo's nodes.

use chrono::DateTime;
use serde_json::Value;

use super::wire::Node;
use crate::contract::entry_list::{Faults, Rows};
use crate::contract::lookup::{known_fields, safe_child_path};
use crate::contract::{Entries, Error, Kind, Result};
use crate::model::{Entry, EntryKind, RemotePath};

/// `within` is the folder that was listed; none means that the address names the node itself. Fails with `Protocol` for a node
/// without uuid or name. The `size` of a folder is the number of its entries (providers.md 3.4) and is shown as `items`.
pub fn of_node(node: Node, within: Option<&RemotePath>) -> Result<Entry> {
    let (Some(uuid), Some(name)) = (node.uuid, node.name) else {
        return Err(Error::new(Kind::Protocol, "the server lists a file or folder without id or name"));
    };
    let kind = match node.kind.as_deref() {
        Some(kind) if kind.eq_ignore_ascii_case("dir") => EntryKind::Folder,
        _ => EntryKind::File,
    };
    let path = within.map_or_else(RemotePath::root, |folder| safe_child_path(folder, &name));
    let mut entry = Entry::new(kind, uuid, path);
    let (size, items) = if entry.is_folder() { (None, node.size) } else { (node.size, None) };
    entry.name = name;
    entry.size = size;
    entry.modified = node.updated.and_then(|ms| DateTime::from_timestamp_millis(i64::try_from(ms).ok()?));
    entry.revision = node.revision.map(|number| number.to_string());
    entry.extra = known_fields([
        ("items", items.map(Value::from)),
        ("revision", node.revision.map(Value::from)),
        ("created", node.created.map(Value::from)),
        ("is_starred", node.is_starred.map(Value::from)),
        ("comment_count", node.comment_count.map(Value::from)),
        ("public_shares", node.public_shares.map(Value::from)),
        ("private_shares", node.private_shares.map(Value::from)),
        ("owner_type", node.owner_type.map(Value::from)),
        ("owner_uuid", node.owner_uuid.map(Value::from)),
        ("owner_fullname", node.owner_fullname.map(Value::from)),
    ])
    .into();
    Ok(entry)
}

/// A listing, built node by node.
#[derive(Default)]
pub struct Listed {
    rows: Rows,
    faults: Faults,
    failure: Option<Error>,
}

impl Listed {
    /// Adds a node. An error is a row that can't be read, with the fields that could be read.
    pub fn add(&mut self, node: std::result::Result<Node, Option<Node>>) {
        let name = node.as_ref().map_or_else(|node| node.as_ref()?.name.clone(), |node| node.name.clone());
        let entry = node.ok().and_then(|node| of_node(node, Some(&RemotePath::root())).ok());
        match entry.map(|entry| self.rows.push(&entry)) {
            Some(kept) => self.failure = self.failure.take().or(kept.err()),
            None => self.faults.add(name),
        }
    }

    pub fn entries(mut self, folder: &Entry) -> Result<Entries> {
        self.rows.shrink();
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(Entries::all(self.rows, self.faults.into(), &folder.path, |folder, name, _| safe_child_path(folder, name))),
        }
    }
}

pub fn revision(entry: &Entry) -> Option<u64> {
    // A note about an upload keeps the fields that are shown, and the revision is one of them.
    entry.extra.get("revision")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::fileago::wire::{Many, One};

    #[test]
    fn the_documented_listing() {
        let json = include_str!("../../../fixtures/fileago/dirlist.json");
        let nodes = serde_json::from_str::<Many<Node>>(json).unwrap().data.unwrap();
        let top = RemotePath::parse("/plans").unwrap();
        let entries: Vec<Entry> = nodes.into_iter().map(|n| of_node(n, Some(&top)).unwrap()).collect();
        let (folder, file) = (&entries[0], &entries[1]);
        assert_eq!((folder.is_folder(), folder.size, &folder.extra["items"]), (true, None, &Value::from(4)));
        assert_eq!(folder.id, "50a3495d-9da5-469a-a971-57f2fe97a6fa");
        assert_eq!((file.is_folder(), file.size, revision(file)), (false, Some(493_135), Some(1)));
        assert_eq!(file.path.to_string(), "/plans/Invoice.docx");
        assert_eq!(file.modified.unwrap().to_rfc3339(), "2018-09-29T12:32:33+00:00");
        assert_eq!(file.extra["is_starred"], true);
        let told = serde_json::to_string(file).unwrap();
        assert_eq!(
            told,
            r#"{"path":"/plans/Invoice.docx","name":"Invoice.docx","kind":"file","id":"1339025b-d6e4-4c1e-9c62-85fc65ee0118","size":493135,"modified":"2018-09-29T12:32:33Z","md5":null,"url":null,"extra":{"revision":1,"is_starred":true,"comment_count":0,"public_shares":0,"private_shares":0}}"#,
            "what scripts read"
        );
    }

    #[test]
    fn the_documented_details() {
        let json = include_str!("../../../fixtures/fileago/details.json");
        let node = serde_json::from_str::<One<Node>>(json).unwrap().data.unwrap();
        let entry = of_node(node, None).unwrap();
        assert_eq!((entry.name.as_str(), entry.path.is_root(), entry.is_folder(), entry.size), ("Misc", true, true, None));
        assert_eq!(entry.extra["owner_fullname"], "John Doe");
    }

    #[test]
    fn strange_nodes() {
        let node = |json: &str| of_node(serde_json::from_str(json).unwrap(), Some(&RemotePath::root()));
        let odd = node(r#"{"name":"../x","uuid":7,"type":"File","size":"12","updated":18446744073709551615,"revision":"3"}"#).unwrap();
        assert_eq!(
            (odd.path.to_string(), odd.id.as_str(), odd.size, odd.modified, revision(&odd)),
            ("/.._x".into(), "7", Some(12), None, Some(3))
        );
        assert_eq!(node(r#"{"name":"x"}"#).unwrap_err().kind(), Kind::Protocol);
        assert_eq!(node(r#"{"uuid":"x"}"#).unwrap_err().kind(), Kind::Protocol);
    }
}
