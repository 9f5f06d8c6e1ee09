//! The flat list of `GET /api/files` made into folders again (providers.md 1.9). Built once per answer, every question
//! after that is answered from maps: 20,000 entries cost one pass.
//!
//! A name that can't stand in a path (it holds `/`, a line break or NUL, or is `.` or `..`) is kept as it is in
//! [`Entry::name`]; in paths `@ID` stands for it, and only that address finds the entry.

use std::borrow::Cow;
use std::collections::HashMap;

use super::circles::cut_circles;
use super::entry::{entry_of, is_empty};
use super::wire::File;
use crate::contract::walk::{not_found, one_named};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, EntryKind, Place, RemotePath, Root};

/// The token's own root has no entry; `parent` calls it null or 0.
pub const ROOT_ID: &str = "0";

#[derive(Default)]
pub struct Tree {
    nodes: Vec<Node>,
    by_id: HashMap<String, usize>,
    /// What a folder holds; none is the root.
    children: HashMap<Option<usize>, Vec<usize>>,
    by_name: HashMap<(Option<usize>, String), Vec<usize>>,
}

struct Node {
    /// Its `path` is filled in when the entry is handed out.
    entry: Entry,
    parent: Option<usize>,
    /// No bytes have arrived for it.
    empty: bool,
}

impl Tree {
    /// Entries without an id, and all but the first of one id, are left out: nothing could be done with them. So is the
    /// root, should a server list it.
    pub fn new(files: Vec<File>) -> Tree {
        let mut tree = Tree::default();
        let mut parent_ids = Vec::with_capacity(files.len());
        for file in files {
            let Some(id) = file.id.clone() else { continue };
            if id == ROOT_ID || tree.by_id.contains_key(&id) {
                continue;
            }
            tree.by_id.insert(id, tree.nodes.len());
            parent_ids.push(file.parent.clone());
            tree.nodes.push(Node { empty: is_empty(&file), entry: entry_of(file, RemotePath::root()), parent: None });
        }
        let parents: Vec<Option<usize>> = parent_ids.iter().map(|id| tree.folder(id.as_deref()?)).collect();
        for (node, parent) in tree.nodes.iter_mut().zip(cut_circles(parents)) {
            node.parent = parent;
        }
        for (i, node) in tree.nodes.iter().enumerate() {
            tree.children.entry(node.parent).or_default().push(i);
            tree.by_name.entry((node.parent, node.entry.name.clone())).or_default().push(i);
        }
        tree
    }

    fn folder(&self, id: &str) -> Option<usize> {
        let at = *self.by_id.get(id)?;
        self.nodes.get(at).filter(|node| node.entry.is_folder()).map(|_| at)
    }

    pub fn holds(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Fails with `NotFound`, or with `Ambiguous` and the ids.
    pub fn stat(&self, place: &Place) -> Result<Entry> {
        let mut here = match &place.root {
            Root::Id(id) => self.by_id(id)?,
            Root::Top => root_entry(),
        };
        for (depth, name) in place.path.names().iter().enumerate() {
            let more = depth + 1 < place.path.names().len();
            let named = self.named(&here, name);
            here = one_named(named, name, more, &here.path)?.ok_or_else(|| not_found(&place.shown(&place.path)))?;
        }
        Ok(here)
    }

    /// What a folder holds. Fails with `NotFound` when it has gone.
    pub fn list(&self, folder: &Entry) -> Result<Vec<Entry>> {
        let here = self.position(folder)?;
        let inside = self.children.get(&here).map_or(&[][..], Vec::as_slice);
        Ok(inside.iter().filter_map(|i| self.entry(*i, &folder.path)).collect())
    }

    fn by_id(&self, id: &str) -> Result<Entry> {
        match self.by_id.get(id) {
            Some(at) => {
                let above = self.nodes.get(*at).and_then(|node| node.parent).map_or_else(RemotePath::root, |p| self.path(p));
                self.entry(*at, &above).ok_or_else(|| gone(id))
            }
            None if id == ROOT_ID => Ok(root_entry()),
            None => Err(gone(id)),
        }
    }

    /// None is the root.
    fn position(&self, entry: &Entry) -> Result<Option<usize>> {
        match self.by_id.get(&entry.id) {
            Some(at) => Ok(Some(*at)),
            None if entry.path.is_root() => Ok(None),
            None => Err(not_found(&entry.path)),
        }
    }

    fn named(&self, folder: &Entry, name: &str) -> Vec<Entry> {
        let here = self.by_id.get(&folder.id).copied();
        let fitting = self.by_name.get(&(here, name.to_owned())).map_or(&[][..], Vec::as_slice);
        let mut fitting: Vec<Entry> = fitting.iter().filter_map(|i| self.entry(*i, &folder.path)).collect();
        // An upload that was given up leaves an empty entry, and nobody means that one.
        if fitting.iter().any(|entry| !entry.unfinished) {
            fitting.retain(|entry| !entry.unfinished);
        }
        fitting
    }

    fn entry(&self, at: usize, above: &RemotePath) -> Option<Entry> {
        let node = self.nodes.get(at)?;
        Some(Entry { path: above.join(&step_of(&node.entry)).ok()?, ..node.entry.clone() })
    }

    fn path(&self, at: usize) -> RemotePath {
        let mut line = Vec::new();
        let mut here = Some(at);
        while let Some(node) = here.and_then(|i| self.nodes.get(i)) {
            line.push(&node.entry);
            here = node.parent;
        }
        let steps: Vec<_> = line.iter().rev().map(|entry| step_of(entry)).collect();
        RemotePath::parse(&steps.join("/")).unwrap_or_default()
    }

    /// Files without bytes that this list has and `before` has not, and that stand where `name` leads: a path from the
    /// root, or a name in the folder `parent`. Some server may repeat the whole path as the entry's name.
    pub fn new_empty_files(&self, before: &Tree, name: &str, parent: Option<&str>) -> Vec<&Entry> {
        let last = name.rsplit('/').next().unwrap_or(name);
        let stands_there = |at: usize, node: &Node| match parent {
            Some(folder) => node.parent.is_some() && node.parent == self.by_id.get(folder).copied(),
            None => (name.contains('/') && node.entry.name == name) || self.path(at).to_string().strip_prefix('/') == Some(name),
        };
        let fits = |at: usize, node: &Node| {
            node.empty
                && !node.entry.is_folder()
                && (node.entry.name == last || node.entry.name == name)
                && !before.holds(&node.entry.id)
                && stands_there(at, node)
        };
        self.nodes.iter().enumerate().filter(|(at, node)| fits(*at, node)).map(|(_, node)| &node.entry).collect()
    }
}

pub fn root_entry() -> Entry {
    Entry::new(EntryKind::Folder, ROOT_ID, RemotePath::root())
}

fn gone(id: &str) -> Error {
    Error::new(Kind::NotFound, "there is no entry with this id").on(format!("@{id}"))
}

/// What stands for an entry in a path: its name, or `@ID` where the name can't.
fn step_of(entry: &Entry) -> Cow<'_, str> {
    match RemotePath::root().join(&entry.name) {
        Ok(_) => Cow::Borrowed(&entry.name),
        Err(_) => Cow::Owned(format!("@{}", entry.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::Files;
    use super::super::wire::examples::*;
    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::new(parse::<Files>(text).files.unwrap())
    }

    fn of(rows: &[(&str, &str, &str, Option<&str>)]) -> Tree {
        let file = |(id, name, kind, parent): &(&str, &str, &str, Option<&str>)| File {
            id: Some((*id).into()),
            name: Some((*name).into()),
            kind: Some((*kind).into()),
            parent: parent.map(Into::into),
            ..File::default()
        };
        Tree::new(rows.iter().map(file).collect())
    }

    fn at(path: &str) -> Place {
        Place::at(RemotePath::parse(path).unwrap())
    }

    fn by_id(id: &str, path: &str) -> Place {
        Place { root: Root::Id(id.into()), path: RemotePath::parse(path).unwrap() }
    }

    fn names(entries: Vec<Entry>) -> Vec<String> {
        entries.into_iter().map(|e| e.path.to_string()).collect()
    }

    #[test]
    fn folders_come_back_from_the_flat_list() {
        let tree = tree(FILES);
        assert_eq!(names(tree.list(&root_entry()).unwrap()), ["/Show", "/notes.txt", "/lost.txt"]);
        let day = tree.stat(&at("/Show/Day 1")).unwrap();
        let file = tree.list(&day).unwrap().pop().unwrap();
        assert_eq!((file.path.to_string().as_str(), file.id.as_str()), ("/Show/Day 1/My Title", "61463"));
        assert_eq!(file.md5.as_deref(), Some("2d53a2f20ffc76c89848b6a47c97d5d8"));
        assert_eq!(file.url.as_deref(), Some("https://app.iogates.localhost/download-file/59537/0/0/1/0/***"));
        assert_eq!(tree.stat(&by_id("61460", "Day 1/My Title")).unwrap().path.to_string(), "/Show/Day 1/My Title");
        assert_eq!(tree.stat(&by_id("0", "")).unwrap().path.to_string(), "/");
        assert_eq!(tree.stat(&by_id("5", "")).unwrap_err().kind(), Kind::NotFound);
        assert_eq!(tree.stat(&at("/notes.txt/x")).unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn circles_and_orphans_end_at_the_root() {
        let tree = of(&[
            ("1", "tail", "dir", Some("2")),
            ("2", "a", "dir", Some("3")),
            ("3", "b", "dir", Some("2")),
            ("4", "self", "dir", Some("4")),
            ("5", "orphan", "dir", Some("99")),
            ("6", "in-file", "other", Some("7")),
            ("7", "file", "other", None),
            ("7", "same id", "other", None),
        ]);
        assert_eq!(names(tree.list(&root_entry()).unwrap()), ["/a", "/self", "/orphan", "/in-file", "/file"]);
        assert_eq!(tree.stat(&by_id("1", "")).unwrap().path.to_string(), "/a/tail");
        let b = tree.stat(&at("/a/b")).unwrap();
        assert!(tree.list(&b).unwrap().is_empty());
    }

    #[test]
    fn two_of_one_name_are_ambiguous_and_an_id_decides() {
        let tree = of(&[("1", "x", "other", None), ("2", "x", "other", None), ("3", "d", "dir", None), ("4", "d", "other", None)]);
        let error = tree.stat(&at("/x")).unwrap_err();
        assert_eq!(error.kind(), Kind::Ambiguous);
        assert!(error.to_string().contains("@1 (file), @2 (file)"), "{error}");
        assert_eq!(tree.stat(&by_id("2", "")).unwrap().id, "2");
        assert_eq!(tree.stat(&at("/d/none")).unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn names_that_cannot_stand_in_a_path_are_found_by_id_only() {
        let tree =
            of(&[("1", "a/b", "dir", None), ("2", "c", "other", Some("1")), ("3", "..", "other", None), ("4", "x\ny", "other", None)]);
        let listed = tree.list(&root_entry()).unwrap();
        assert_eq!(listed.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a/b", "..", "x\ny"]);
        assert_eq!(names(listed), ["/@1", "/@3", "/@4"]);
        assert_eq!(tree.stat(&by_id("1", "c")).unwrap().path.to_string(), "/@1/c");
        assert_eq!(tree.stat(&at("/a/b")).unwrap_err().kind(), Kind::NotFound);
        assert_eq!(tree.stat(&at("/@1")).unwrap_err().kind(), Kind::NotFound);
    }

    /// A file of twenty thousand in one folder is found without looking at the others, and a chain that deep is no stack.
    #[test]
    fn twenty_thousand_entries_in_one_pass() {
        let n = 20_000;
        let entry = |i: usize, kind: &str, parent: Option<usize>| File {
            id: Some(i.to_string()),
            name: Some(format!("n{i}")),
            kind: Some(kind.into()),
            parent: parent.map(|p| p.to_string()),
            ..File::default()
        };
        let begun = std::time::Instant::now();
        let wide = Tree::new((1..=n).map(|i| entry(i, "other", None)).collect());
        for i in 1..=n {
            assert_eq!(wide.stat(&at(&format!("/n{i}"))).unwrap().id, i.to_string());
        }
        assert_eq!(wide.list(&root_entry()).unwrap().len(), n);
        let deep = Tree::new((1..=n).map(|i| entry(i, "dir", (i > 1).then(|| i - 1))).collect());
        assert_eq!(deep.stat(&by_id("3", "n4")).unwrap().path.to_string(), "/n1/n2/n3/n4");
        assert_eq!(deep.stat(&by_id("20000", "")).unwrap().path.names().len(), n);
        let ring = Tree::new((1..=n).map(|i| entry(i, "dir", Some(if i > 1 { i - 1 } else { n }))).collect());
        assert_eq!(ring.list(&root_entry()).unwrap().len(), 1);
        assert!(begun.elapsed().as_secs() < 20, "took {:?}", begun.elapsed());
    }

    #[test]
    fn what_a_lost_answer_made_is_found_again() {
        let before = of(&[("1", "d", "dir", None), ("2", "f", "other", Some("1"))]);
        let after =
            of(&[("1", "d", "dir", None), ("2", "f", "other", Some("1")), ("3", "f", "other", Some("1")), ("4", "f", "other", None)]);
        let ids = |name, parent| after.new_empty_files(&before, name, parent).iter().map(|e| e.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids("d/f", None), ["3"]);
        assert_eq!(ids("f", Some("1")), ["3"]);
        assert_eq!(ids("f", None), ["4"]);
        assert!(ids("d/other", None).is_empty());
        assert!(after.new_empty_files(&after, "d/f", None).is_empty());
    }
}
