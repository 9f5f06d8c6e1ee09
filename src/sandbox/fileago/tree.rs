//! Nodes: files with their revisions, and folders below named roots (providers.md, 3.3).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sandbox::random;
use crate::sandbox::storage::Content;

pub const ROOTS: [&str; 7] = ["home", "incoming", "trash", "public_shares", "private_shares", "favorites", "shared_with_you"];

/// A user or a group.
#[derive(Clone, Debug)]
pub struct Owner {
    /// `User` or `Group`.
    pub kind: &'static str,
    pub uuid: String,
    pub name: String,
}

#[derive(Clone)]
pub struct Node {
    pub name: String,
    /// A node's uuid, or a root with its owner: `home:UUID`.
    pub parent: String,
    pub owner: Owner,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub starred: bool,
    /// Oldest first; a folder has none.
    pub revisions: Vec<Content>,
    pub folder: bool,
}

/// The children of a folder are indexed: a stand-in that searches all nodes for each upload would be slower than the client
/// that it tests.
#[derive(Default)]
pub struct Tree {
    /// Each node has its number, in the order of creation.
    nodes: BTreeMap<String, (u64, Node)>,
    /// The children by parent, in the order of creation.
    inside: HashMap<String, BTreeSet<(u64, String)>>,
    /// By parent and name.
    named: HashMap<(String, String), BTreeSet<(u64, String)>>,
    last: u64,
}

impl Tree {
    pub fn get(&self, id: &str) -> Option<&Node> {
        self.nodes.get(id).map(|(_, n)| n)
    }

    /// For changes of anything except name and parent, which are indexed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Node> {
        self.nodes.get_mut(id).map(|(_, n)| n)
    }

    pub fn rename(&mut self, id: &str, name: &str) {
        if let Some((number, mut node)) = self.take(id) {
            name.clone_into(&mut node.name);
            self.place(id, number, node);
        }
    }

    pub fn relocate(&mut self, id: &str, parent: String, owner: Owner) {
        if let Some((number, node)) = self.take(id) {
            self.place(id, number, Node { parent, owner, ..node });
        }
    }

    fn take(&mut self, id: &str) -> Option<(u64, Node)> {
        let (number, node) = self.nodes.remove(id)?;
        let key = (number, id.to_owned());
        if let Some(inside) = self.inside.get_mut(&node.parent) {
            inside.remove(&key);
        }
        if let Some(named) = self.named.get_mut(&(node.parent.clone(), node.name.clone())) {
            named.remove(&key);
        }
        Some((number, node))
    }

    fn place(&mut self, id: &str, number: u64, node: Node) {
        let key = (number, id.to_owned());
        self.inside.entry(node.parent.clone()).or_default().insert(key.clone());
        self.named.entry((node.parent.clone(), node.name.clone())).or_default().insert(key);
        self.nodes.insert(id.to_owned(), (number, node));
    }

    /// Ids in the order of creation.
    fn ids(&self) -> Vec<&String> {
        let mut ids: Vec<_> = self.nodes.iter().map(|(id, (n, _))| (n, id)).collect();
        ids.sort();
        ids.into_iter().map(|(_, id)| id).collect()
    }

    pub fn files(&self) -> impl Iterator<Item = &String> {
        self.ids().into_iter().filter(|id| self.get(id).is_some_and(|n| !n.folder))
    }

    pub fn children(&self, parent: &str) -> Vec<String> {
        self.inside.get(parent).into_iter().flatten().map(|(_, id)| id.clone()).collect()
    }

    pub fn list_starred(&self, owner: &Owner) -> Vec<String> {
        let mine = |n: &Node| n.starred && n.owner.uuid == owner.uuid;
        self.ids().into_iter().filter(|id| self.get(id).is_some_and(mine)).cloned().collect()
    }

    pub fn child(&self, parent: &str, name: &str) -> Option<String> {
        self.named.get(&(parent.to_owned(), name.to_owned()))?.first().map(|(_, id)| id.clone())
    }

    /// A node with a first revision is a file.
    pub fn add(&mut self, parent: &str, name: &str, owner: &Owner, first: Option<Content>) -> String {
        let id = random::uuid();
        let now = Utc::now();
        let node = Node {
            name: name.to_owned(),
            parent: parent.to_owned(),
            owner: owner.clone(),
            created: now,
            updated: now,
            starred: false,
            folder: first.is_none(),
            revisions: Vec::from_iter(first),
        };
        self.last += 1;
        self.place(&id, self.last, node);
        self.touch(parent);
        id
    }

    fn touch(&mut self, folder: &str) {
        if let Some(node) = self.get_mut(folder) {
            node.updated = Utc::now();
        }
    }

    /// A copy has only the newest revision (2.0). `to` must not be the node itself or inside it.
    pub fn copy(&mut self, id: &str, to: &str, owner: &Owner) {
        let Some(node) = self.get(id).cloned() else { return };
        let copy = self.add(to, &node.name, owner, node.revisions.last().cloned());
        for child in self.children(id) {
            self.copy(&child, &copy, owner);
        }
    }

    pub fn remove(&mut self, id: &str) {
        for child in self.children(id) {
            self.remove(&child);
        }
        self.take(id);
        self.inside.remove(id);
    }

    /// From the root down to the node itself: the root's key (`home:UUID`), then uuids.
    pub fn ancestors(&self, id: &str) -> Vec<String> {
        let mut line = vec![id.to_owned()];
        let mut at = id;
        while let Some(node) = self.get(at) {
            at = &node.parent;
            line.push(at.to_owned());
        }
        line.reverse();
        line
    }

    /// For tests: the path in the user's home, or with the root's key before it.
    pub fn whole_path(&self, id: &str, me: &Owner) -> String {
        let mut text = String::new();
        for step in self.ancestors(id) {
            match self.get(&step) {
                Some(node) => text.push_str(&format!("/{}", node.name)),
                None if step == format!("home:{}", me.uuid) => {}
                None => text.push_str(&format!("/{step}")),
            }
        }
        text
    }

    /// `more` is the number of bytes by which the listed size of a file is too large.
    pub fn row(&self, id: &str, more: u64) -> Value {
        let Some(node) = self.get(id) else { return Value::Null };
        // A folder's size is the number of its items.
        let size = node.revisions.last().map_or_else(|| self.inside.get(id).map_or(0, BTreeSet::len) as u64, |r| r.size + more);
        let mut row = json!({
            "is_starred": node.starred, "public_shares": 0, "name": node.name, "size": size, "comment_count": 0,
            "uuid": id, "private_shares": 0, "updated": node.updated.timestamp_millis(),
            "type": if node.folder { "Dir" } else { "File" },
        });
        if !node.folder {
            row["revision"] = json!(node.revisions.len());
        }
        row
    }
}
