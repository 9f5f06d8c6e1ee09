//! Makes folders from the flat list of `GET /api/files` (providers.md 1.9). The tree is built once for each answer; each lookup
//! after that is a binary search. 20,000 entries cost one pass; half a million cost some 250 bytes each.
//!
//! A name that can't stand in a path (it holds `/`, a line break or NUL, or is `.` or `..`) is kept unchanged in
//! [`Entry::name`]. In paths `@ID` stands for it, and only that address finds the entry.

pub(crate) mod cache;
pub(crate) mod cycles;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::entry::{entry_of, is_empty};
use super::tree::cycles::break_cycles;
use super::wire::File;
use crate::contract::Entries;
use crate::contract::entry_list::{Faults, Rows};
use crate::contract::walk::{newest_filled, not_found, one_named};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, EntryKind, Place, RemotePath, Root};

/// The token's own root has no entry; `parent` calls it null or 0.
pub const ROOT_ID: &str = "0";

/// The parent of the entries in the root.
const TOP: u32 = u32::MAX;
/// Mark: the entry has no bytes yet.
const EMPTY: u8 = 1;
/// Mark: the server lists the entry without a name. Its children have their place, but the entry is not shown.
const NAMELESS: u8 = 2;
/// Mark: the listing has an earlier entry with the same id.
const DOUBLE: u8 = 4;

pub struct Tree {
    rows: Arc<Rows>,
    marks: Vec<u8>,
    /// The parent of each row.
    parents: Vec<u32>,
    /// The rows, sorted by id.
    by_id: Vec<u32>,
    /// The rows that have names, sorted by parent and by name.
    by_name: Vec<u32>,
    /// The unreadable rows of each folder.
    faults: HashMap<u32, Arc<Faults>>,
    /// Unreadable rows without a known folder.
    lost: Arc<Faults>,
}

/// A tree under construction, row by row.
#[derive(Default)]
pub struct Seeds {
    rows: Rows,
    marks: Vec<u8>,
    /// The parent of each row, as a number of `ids`.
    parents: Vec<Option<u32>>,
    ids: HashMap<String, u32>,
    /// Parent and name of each row that can't be read, as far as they are known.
    faults: Vec<(Option<u32>, Option<String>)>,
    lost: Faults,
    failure: Option<Error>,
}

impl Seeds {
    /// Adds a row. An error is a row that can't be read, with the fields that could be read. An entry without an id is
    /// unusable. The root is left out, if a server lists it.
    pub fn add(&mut self, row: std::result::Result<File, Option<File>>) {
        match row {
            Ok(File { id: Some(id), .. }) if id == ROOT_ID => {}
            Ok(file) if file.id.is_some() => self.failure = self.failure.take().or(self.insert(file).err()),
            Ok(file) | Err(Some(file)) => {
                let parent = self.number(file.parent);
                self.faults.push((parent, file.name));
            }
            Err(None) => self.lost.add(None),
        }
    }

    fn insert(&mut self, file: File) -> Result<()> {
        let parent = self.number(file.parent.clone());
        let mut marks = if is_empty(&file) { EMPTY } else { 0 };
        let nameless = file.name.is_none();
        if nameless {
            marks |= NAMELESS;
            self.faults.push((parent, None));
        }
        let mut entry = entry_of(file, RemotePath::root());
        if nameless {
            entry.name = format!("@{}", entry.id);
        }
        self.rows.push(&entry)?;
        self.marks.push(marks);
        self.parents.push(parent);
        Ok(())
    }

    fn number(&mut self, id: Option<String>) -> Option<u32> {
        let next = u32::try_from(self.ids.len()).unwrap_or(TOP);
        id.map(|id| *self.ids.entry(id).or_insert(next))
    }

    pub fn tree(mut self) -> Result<Tree> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        self.rows.shrink();
        self.marks.shrink_to_fit();
        let rows = Arc::new(self.rows);
        let all = 0..u32::try_from(rows.len()).unwrap_or(TOP);
        let mut by_id: Vec<u32> = all.clone().collect();
        by_id.sort_unstable_by_key(|at| (rows.id(*at as usize), *at));
        let mut last: Option<u32> = None;
        for at in &by_id {
            match last {
                Some(first) if rows.id(first as usize) == rows.id(*at as usize) => set(&mut self.marks, *at, DOUBLE),
                _ => last = Some(*at),
            }
        }
        by_id.retain(|at| !has(&self.marks, *at, DOUBLE));
        let mut tree = Tree {
            rows,
            marks: self.marks,
            parents: Vec::new(),
            by_id,
            by_name: Vec::new(),
            faults: HashMap::new(),
            lost: self.lost.into(),
        };
        let mut folders = vec![None; self.ids.len()];
        for (id, number) in &self.ids {
            if let Some(folder) = folders.get_mut(*number as usize) {
                *folder = tree.folder(id);
            }
        }
        let folder = |number: Option<u32>| number.and_then(|number| *folders.get(number as usize)?);
        let told = self.parents.into_iter().map(|number| folder(number).map(|at| at as usize)).collect();
        tree.parents = break_cycles(told).into_iter().map(|at| at.and_then(|at| u32::try_from(at).ok()).unwrap_or(TOP)).collect();
        tree.by_name = all.filter(|at| !has(&tree.marks, *at, NAMELESS | DOUBLE)).collect();
        let (rows, parents) = (tree.rows.clone(), &tree.parents);
        tree.by_name.sort_unstable_by_key(|at| (parents.get(*at as usize), rows.name(*at as usize), *at));
        let mut faults: HashMap<u32, Faults> = HashMap::new();
        for (parent, name) in self.faults {
            faults.entry(folder(parent).unwrap_or(TOP)).or_default().add(name);
        }
        tree.faults = faults.into_iter().map(|(at, faults)| (at, faults.into())).collect();
        Ok(tree)
    }
}

fn set(marks: &mut [u8], at: u32, mark: u8) {
    if let Some(marks) = marks.get_mut(at as usize) {
        *marks |= mark;
    }
}

fn has(marks: &[u8], at: u32, any: u8) -> bool {
    marks.get(at as usize).is_some_and(|marks| marks & any != 0)
}

impl Tree {
    fn folder(&self, id: &str) -> Option<u32> {
        self.find(id).filter(|at| self.rows.is_folder(*at as usize))
    }

    fn find(&self, id: &str) -> Option<u32> {
        let place = self.by_id.binary_search_by(|at| self.rows.id(*at as usize).cmp(id.as_bytes())).ok()?;
        self.by_id.get(place).copied()
    }

    pub fn holds(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    /// Finds the entry at `place`. Fails with `NotFound`, or with `Ambiguous` and the ids. Among several files of one name it
    /// returns the newest one that has content: files can't be removed, and each `put` of a changed file adds one.
    pub fn stat(&self, place: &Place) -> Result<Entry> {
        let mut here = match &place.root {
            Root::Id(id) => self.by_id(id)?,
            Root::Top => root_entry(),
        };
        for (depth, name) in place.path.names().iter().enumerate() {
            let more = depth + 1 < place.path.names().len();
            let named = newest_filled(self.find_by_name(&here, name));
            let Some(found) = one_named(named, name, more, &here.path)? else {
                let whole = place.display_path(&place.path);
                self.faults_in(self.within(&here)).check(name).map_err(|e| e.with_subject(whole.to_string()))?;
                return Err(not_found(&whole));
            };
            here = found;
        }
        Ok(here)
    }

    /// Lists a folder. Fails with `NotFound` when the folder is gone.
    pub fn list(&self, folder: &Entry) -> Result<Entries> {
        let here = self.position(folder)?;
        let inside = self.by_name.get(self.children(here)).unwrap_or_default().to_vec();
        Ok(Entries::some(self.rows.clone(), inside, self.faults_in(here), &folder.path, step_in))
    }

    /// The unreadable rows of this folder, and those that may lie anywhere.
    fn faults_in(&self, folder: u32) -> Arc<Faults> {
        match self.faults.get(&folder) {
            Some(faults) if self.lost.is_empty() => faults.clone(),
            Some(faults) => Arc::new(faults.with(&self.lost)),
            None => self.lost.clone(),
        }
    }

    fn by_id(&self, id: &str) -> Result<Entry> {
        match self.find(id) {
            Some(at) => {
                let above = self.parent(at).map_or_else(RemotePath::root, |parent| self.path(parent));
                self.entry(at, &above).ok_or_else(|| not_found_by_id(id))
            }
            None if id == ROOT_ID => Ok(root_entry()),
            None => Err(not_found_by_id(id)),
        }
    }

    fn parent(&self, at: u32) -> Option<u32> {
        self.parents.get(at as usize).copied().filter(|parent| *parent != TOP)
    }

    fn position(&self, entry: &Entry) -> Result<u32> {
        match self.find(&entry.id) {
            Some(at) => Ok(at),
            None if entry.path.is_root() => Ok(TOP),
            None => Err(not_found(&entry.path)),
        }
    }

    fn within(&self, folder: &Entry) -> u32 {
        self.find(&folder.id).unwrap_or(TOP)
    }

    /// The range of `by_name` that holds the entries of a folder.
    fn children(&self, folder: u32) -> Range<usize> {
        let parent = |at: &u32| self.parents.get(*at as usize).copied().unwrap_or(TOP);
        let begin = self.by_name.partition_point(|at| parent(at) < folder);
        begin..self.by_name.partition_point(|at| parent(at) <= folder)
    }

    fn find_by_name(&self, folder: &Entry, name: &str) -> Vec<Entry> {
        let inside = self.by_name.get(self.children(self.within(folder))).unwrap_or_default();
        let begin = inside.partition_point(|at| self.rows.name(*at as usize) < name.as_bytes());
        let fitting = inside.get(begin..).unwrap_or_default().iter().take_while(|at| self.rows.name(**at as usize) == name.as_bytes());
        fitting.filter_map(|at| self.entry(*at, &folder.path)).collect()
    }

    fn entry(&self, at: u32, above: &RemotePath) -> Option<Entry> {
        self.rows.entry(at as usize, above, step_in)
    }

    fn path(&self, at: u32) -> RemotePath {
        let mut line = Vec::new();
        let mut here = Some(at);
        while let Some(at) = here {
            line.push(at as usize);
            here = self.parent(at);
        }
        let step = |at: &usize| step_of(&String::from_utf8_lossy(self.rows.name(*at)), &String::from_utf8_lossy(self.rows.id(*at)));
        let steps: Vec<String> = line.iter().rev().map(step).collect();
        RemotePath::parse(&steps.join("/")).unwrap_or_default()
    }

    /// Files without bytes that this list has and `before` has not, at the place that `name` names: a path from the root, or a
    /// name in the folder `parent`. A server may repeat the whole path as the entry's name.
    pub fn new_empty_files(&self, before: &Tree, name: &str, parent: Option<&str>) -> Vec<Entry> {
        let last = name.rsplit('/').next().unwrap_or(name);
        let stands_there = |at: u32, is_whole: bool| match parent {
            Some(folder) => self.parent(at).is_some() && self.parent(at) == self.find(folder),
            None => is_whole && name.contains('/') || self.path(at).to_string().strip_prefix('/') == Some(name),
        };
        let fits = |at: &u32| {
            let own = self.rows.name(*at as usize);
            has(&self.marks, *at, EMPTY)
                && !self.rows.is_folder(*at as usize)
                && (own == last.as_bytes() || own == name.as_bytes())
                && !std::str::from_utf8(self.rows.id(*at as usize)).is_ok_and(|id| before.holds(id))
                && stands_there(*at, own == name.as_bytes())
        };
        let mut new: Vec<u32> = self.by_name.iter().copied().filter(fits).collect();
        new.sort_unstable();
        new.into_iter().filter_map(|at| self.entry(at, &RemotePath::root())).collect()
    }
}

pub fn root_entry() -> Entry {
    Entry::new(EntryKind::Folder, ROOT_ID, RemotePath::root())
}

fn not_found_by_id(id: &str) -> Error {
    Error::new(Kind::NotFound, "there is no entry with this id").with_subject(format!("@{id}"))
}

/// The step of a path for an entry: its name, or `@ID` if the name can't stand in a path.
fn step_of(name: &str, id: &str) -> String {
    if RemotePath::root().join(name).is_ok() { name.to_owned() } else { format!("@{id}") }
}

fn step_in(folder: &RemotePath, name: &str, id: &str) -> RemotePath {
    folder.join(&step_of(name, id)).unwrap_or_else(|_| folder.clone())
}

#[cfg(test)]
mod tests {
    use super::super::wire::examples::*;
    use super::*;
    use crate::protocols::http::row_stream::{object, split};

    fn tree(text: &str) -> Tree {
        let mut seeds = Seeds::default();
        split(text.as_bytes(), &[&["files"]], |_, row| seeds.add(object(row)));
        seeds.tree().unwrap()
    }

    fn tree_of(files: Vec<File>) -> Tree {
        let mut seeds = Seeds::default();
        files.into_iter().for_each(|file| seeds.add(Ok(file)));
        seeds.tree().unwrap()
    }

    fn of(rows: &[(&str, &str, &str, Option<&str>)]) -> Tree {
        let file = |(id, name, kind, parent): &(&str, &str, &str, Option<&str>)| File {
            id: Some((*id).into()),
            name: Some((*name).into()),
            kind: Some((*kind).into()),
            parent: parent.map(Into::into),
            ..File::default()
        };
        tree_of(rows.iter().map(file).collect())
    }

    fn at(path: &str) -> Place {
        Place::at(RemotePath::parse(path).unwrap())
    }

    fn by_id(id: &str, path: &str) -> Place {
        Place { root: Root::Id(id.into()), path: RemotePath::parse(path).unwrap() }
    }

    fn names(entries: Entries) -> Vec<String> {
        entries.map(|e| e.path.to_string()).collect()
    }

    #[test]
    fn folders_come_back_from_the_flat_list() {
        let tree = tree(FILES);
        assert_eq!(names(tree.list(&root_entry()).unwrap()), ["/Show", "/lost.txt", "/notes.txt"]);
        let day = tree.stat(&at("/Show/Day 1")).unwrap();
        let file = tree.list(&day).unwrap().next().unwrap();
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
        assert_eq!(names(tree.list(&root_entry()).unwrap()), ["/a", "/file", "/in-file", "/orphan", "/self"]);
        assert_eq!(tree.stat(&by_id("1", "")).unwrap().path.to_string(), "/a/tail");
        let b = tree.stat(&at("/a/b")).unwrap();
        assert!(tree.list(&b).unwrap().is_empty());
    }

    #[test]
    fn two_folders_of_one_name_are_ambiguous_and_an_id_decides() {
        let tree = of(&[("1", "x", "dir", None), ("2", "x", "dir", None), ("3", "d", "dir", None), ("4", "d", "other", None)]);
        let error = tree.stat(&at("/x")).unwrap_err();
        assert_eq!(error.kind(), Kind::Ambiguous);
        assert!(error.to_string().contains("@1 (folder), @2 (folder)"), "{error}");
        assert_eq!(tree.stat(&at("/d")).unwrap().id, "3", "no bytes have arrived for the other");
        assert_eq!(tree.stat(&by_id("2", "")).unwrap().id, "2");
        assert_eq!(tree.stat(&at("/d/none")).unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn of_several_files_the_newest_filled_one_is_meant() {
        let tree = tree(
            r#"{"files": [{"id": 9, "name": "a", "md5": "2d53a2f20ffc76c89848b6a47c97d5d8"}, {"id": 11, "name": "a"},
                {"id": 10, "name": "a", "download": "https://h.example/10"}, {"id": 8, "name": "a", "Etag": 1},
                {"id": 1, "name": "dead"}, {"id": 2, "name": "dead"}, {"id": 3, "name": "d", "type": "dir"}, {"id": 4, "name": "d", "Etag": 1}]}"#,
        );
        let found = tree.stat(&at("/a")).unwrap();
        assert_eq!((found.id.as_str(), found.passed_over), ("10", 3));
        assert_eq!((tree.stat(&by_id("9", "")).unwrap().id.as_str(), tree.list(&root_entry()).unwrap().len()), ("9", 8));
        assert_eq!(tree.stat(&at("/d")).unwrap_err().kind(), Kind::Ambiguous);
        assert_eq!(tree.stat(&at("/dead")).unwrap().id, "2", "nothing has arrived for either");
    }

    #[test]
    fn rows_that_cannot_be_read_hide_nobody() {
        let mut seeds = Seeds::default();
        for row in [
            r#"{"id": 1, "name": "d", "type": "dir"}"#,
            r#"{"id": 2, "name": null, "type": "dir", "parent": 1}"#,
            r#"{"id": 3, "name": "inside", "parent": 2}"#,
            r#"{"name": "no id", "parent": 1}"#,
            r#"{"id": 4, "name": "\ud800", "parent": 1}"#,
            r#"{"id": 5, "name": "b", "parent": 1}"#,
            "null",
        ] {
            seeds.add(object(Some(row.as_bytes())));
        }
        let tree = seeds.tree().unwrap();
        let d = tree.list(&tree.stat(&at("/d")).unwrap()).unwrap();
        let said = d.faults.warning().unwrap();
        assert!(said.starts_with("4 entries") && said.contains("(\"no id\", \"\u{fffd}\")"), "{said}");
        assert_eq!(names(d), ["/d/b"]);
        assert_eq!(
            tree.list(&root_entry()).unwrap().faults.warning().unwrap(),
            "1 entry that the server lists can't be read and is left out"
        );
        assert_eq!(tree.stat(&at("/d/no id")).unwrap_err().kind(), Kind::Protocol);
        assert_eq!(tree.stat(&at("/d/none")).unwrap_err().kind(), Kind::NotFound);
        assert_eq!(tree.stat(&at("/no id")).unwrap_err().kind(), Kind::NotFound, "it lies elsewhere");
        assert_eq!(tree.stat(&by_id("3", "")).unwrap().path.to_string(), "/d/@2/inside");
    }

    #[test]
    fn names_that_cannot_stand_in_a_path_are_found_by_id_only() {
        let tree =
            of(&[("1", "a/b", "dir", None), ("2", "c", "other", Some("1")), ("3", "..", "other", None), ("4", "x\ny", "other", None)]);
        let listed = tree.list(&root_entry()).unwrap();
        assert_eq!(listed.iter().map(|e| e.name).collect::<Vec<_>>(), ["..", "a/b", "x\ny"]);
        assert_eq!(names(listed), ["/@3", "/@1", "/@4"]);
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
        let wide = tree_of((1..=n).map(|i| entry(i, "other", None)).collect());
        for i in 1..=n {
            assert_eq!(wide.stat(&at(&format!("/n{i}"))).unwrap().id, i.to_string());
        }
        assert_eq!(wide.list(&root_entry()).unwrap().len(), n);
        let deep = tree_of((1..=n).map(|i| entry(i, "dir", (i > 1).then(|| i - 1))).collect());
        assert_eq!(deep.stat(&by_id("3", "n4")).unwrap().path.to_string(), "/n1/n2/n3/n4");
        assert_eq!(deep.stat(&by_id("20000", "")).unwrap().path.names().len(), n);
        let ring = tree_of((1..=n).map(|i| entry(i, "dir", Some(if i > 1 { i - 1 } else { n }))).collect());
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
