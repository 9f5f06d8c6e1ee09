//! The entries of a folder in little memory: a listing of half a million entries takes some 200 bytes for each. An `Entry` is
//! built only when somebody reads it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Error, Kind, Result};
use crate::model::entry::Extra;
use crate::model::{Entry, EntryKind, RemotePath};

/// The largest number of names of unreadable rows that are kept: a hostile listing may hold nothing else.
const FAULTS_KEPT: usize = 10_000;
const FAULTS_SHOWN: usize = 5;
/// The first bytes of a row: a flag, the length of the name, and the length of the id.
const HEAD: usize = 1 + 4 + 4;
const FOLDER: u8 = 1;
const UNFINISHED: u8 = 2;

/// Returns the path of an entry of a folder. The entry's name may be one that no path can hold.
pub type PathOf = fn(&RemotePath, &str, &str) -> RemotePath;

/// The entries of a listing without their paths, one behind the other.
#[derive(Default)]
pub struct Rows {
    /// A page is never moved. One vector for all rows would grow by doubling and reserve twice the memory.
    pages: Vec<Vec<u8>>,
    /// The place of each row: the number of its page and its offset in that page.
    starts: Vec<u32>,
}

/// The size of a page as a power of two. A single row may be longer than a page.
const PAGE: u32 = 20;

/// The fields of a row besides name, id and kind.
type Rest = (Option<u64>, Option<i64>, Option<String>, Option<String>, Extra, Option<String>);

impl Rows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Adds a row. The entry's path is left out.
    ///
    /// # Errors
    /// `Protocol` when the listing is larger than this machine should hold.
    pub fn push(&mut self, entry: &Entry) -> Result<()> {
        let too_much = || Error::new(Kind::Protocol, "the server's listing has no end");
        let length = |text: &str| u32::try_from(text.len()).map(u32::to_le_bytes).map_err(|_| too_much());
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let mut row = vec![flag(entry.is_folder(), FOLDER) | flag(entry.incomplete, UNFINISHED)];
        row.extend(length(&entry.name)?);
        row.extend(length(&entry.id)?);
        row.extend(entry.name.as_bytes());
        row.extend(entry.id.as_bytes());
        let rest = (entry.size, entry.modified.map(|time| time.timestamp_micros()), &entry.md5, &entry.url, &entry.extra, &entry.revision);
        serde_json::to_writer(&mut row, &rest).map_err(|e| Error::new(Kind::Other, "an entry can't be kept").with_cause(e))?;
        self.push_row(&row)
    }

    fn push_row(&mut self, row: &[u8]) -> Result<()> {
        let too_much = || Error::new(Kind::Protocol, "the server's listing has no end");
        if self.pages.last().is_none_or(|page| page.len() + row.len() > 1 << PAGE) {
            // A folder of a few entries takes no whole page.
            let room = if self.pages.is_empty() { row.len() } else { (1 << PAGE).max(row.len()) };
            self.pages.push(Vec::with_capacity(room));
        }
        let (number, Some(page)) = (self.pages.len() - 1, self.pages.last_mut()) else { return Err(too_much()) };
        let start = u32::try_from(number).ok().and_then(|number| number.checked_mul(1 << PAGE)).ok_or_else(too_much)?;
        self.starts.push(start + u32::try_from(page.len()).map_err(|_| too_much())?);
        page.extend_from_slice(row);
        Ok(())
    }

    /// Releases memory that was reserved for more rows.
    pub fn shrink(&mut self) {
        if let Some(page) = self.pages.last_mut() {
            page.shrink_to_fit();
        }
        self.starts.shrink_to_fit();
    }

    fn row(&self, at: usize) -> Option<&[u8]> {
        let place = |at: usize| self.starts.get(at).map(|start| ((start >> PAGE) as usize, (start & ((1 << PAGE) - 1)) as usize));
        let (number, start) = place(at)?;
        let page = self.pages.get(number)?;
        let end = place(at + 1).filter(|(next, _)| *next == number).map_or(page.len(), |(_, end)| end);
        page.get(start..end)
    }

    fn flags(&self, at: usize) -> u8 {
        self.row(at).and_then(|row| row.first()).copied().unwrap_or(0)
    }

    /// Is the row at this position a folder? False for a position behind the last row.
    pub fn is_folder(&self, at: usize) -> bool {
        self.flags(at) & FOLDER != 0
    }

    /// Name, id, and the rest as JSON.
    fn parts(&self, at: usize) -> Option<(&[u8], &[u8], &[u8])> {
        let (head, body) = self.row(at)?.split_at_checked(HEAD)?;
        let number = |from: usize| Some(u32::from_le_bytes(head.get(from..from + 4)?.try_into().ok()?) as usize);
        let (name, body) = body.split_at_checked(number(1)?)?;
        let (id, rest) = body.split_at_checked(number(5)?)?;
        Some((name, id, rest))
    }

    /// The name of the row, in bytes. The order of the bytes is the order of the characters.
    pub fn name(&self, at: usize) -> &[u8] {
        self.parts(at).map_or(&[], |(name, _, _)| name)
    }

    /// The id of the row, in bytes; empty for a position behind the last row.
    pub fn id(&self, at: usize) -> &[u8] {
        self.parts(at).map_or(&[], |(_, id, _)| id)
    }

    /// Builds the whole entry, with its path in `folder`.
    pub fn entry(&self, at: usize, folder: &RemotePath, path_of: PathOf) -> Option<Entry> {
        let (name, id, rest) = self.parts(at)?;
        let (name, id) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(id).ok()?);
        let (size, modified, md5, url, extra, revision) = Rest::deserialize(&mut serde_json::Deserializer::from_slice(rest)).ok()?;
        let kind = if self.is_folder(at) { EntryKind::Folder } else { EntryKind::File };
        Some(Entry {
            path: path_of(folder, name, id),
            name: name.to_owned(),
            kind,
            id: id.to_owned(),
            size,
            modified: modified.and_then(DateTime::<Utc>::from_timestamp_micros),
            md5,
            url,
            extra,
            incomplete: self.flags(at) & UNFINISHED != 0,
            revision,
            passed_over: 0,
            trashed: false,
        })
    }
}

/// Rows of a listing that can't be read, because the name or the id is missing or is no text. Such rows are left out.
#[derive(Clone, Default, Debug)]
pub struct Faults {
    rows: u64,
    /// The names of these rows, as far as a name could be read.
    names: Vec<String>,
}

impl Faults {
    /// Counts an unreadable row. `name` is its name, if the name could be read.
    pub fn add(&mut self, name: Option<String>) {
        self.rows += 1;
        if self.names.len() < FAULTS_KEPT {
            self.names.extend(name);
        }
    }

    /// True when each row could be read.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Checks that no unreadable row has this name: what such a row's entry is can't be known.
    ///
    /// # Errors
    /// `Protocol` for the name of a row that can't be read.
    pub fn check(&self, name: &str) -> Result<()> {
        match self.names.iter().any(|faulty| faulty == name) {
            true => Err(Error::new(Kind::Protocol, "the server lists this name without an id, or in a form that can't be read")),
            false => Ok(()),
        }
    }

    /// These faults and the others together.
    pub fn with(&self, others: &Faults) -> Faults {
        let names = self.names.iter().chain(&others.names).take(FAULTS_KEPT).cloned().collect();
        Faults { rows: self.rows + others.rows, names }
    }

    /// The text of a warning; none if every row could be read.
    pub fn warning(&self) -> Option<String> {
        let shown = self.names.iter().take(FAULTS_SHOWN).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        let names = if shown.is_empty() { String::new() } else { format!(" ({shown})") };
        match self.rows {
            0 => None,
            1 => Some(format!("1 entry that the server lists can't be read{names} and is left out")),
            rows => Some(format!("{rows} entries that the server lists can't be read{names} and are left out")),
        }
    }
}

/// What a folder holds.
pub struct Entries {
    rows: Arc<Rows>,
    /// The positions of the rows, in reverse: the next row stands at the end.
    at: Vec<u32>,
    folder: RemotePath,
    path_of: PathOf,
    /// Rows that can't be read.
    pub faults: Arc<Faults>,
}

impl Entries {
    /// All rows, in their order.
    pub fn all(rows: Rows, faults: Arc<Faults>, folder: &RemotePath, path_of: PathOf) -> Entries {
        let at = (0..u32::try_from(rows.len()).unwrap_or(u32::MAX)).rev().collect();
        Entries { rows: Arc::new(rows), at, folder: folder.clone(), path_of, faults }
    }

    /// Some of the rows.
    pub fn some(rows: Arc<Rows>, mut at: Vec<u32>, faults: Arc<Faults>, folder: &RemotePath, path_of: PathOf) -> Entries {
        at.reverse();
        Entries { rows, at, folder: folder.clone(), path_of, faults }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// True when there is no entry.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// The entries at these positions, in rows of their own: the others take no memory then.
    ///
    /// # Errors
    /// As [`Rows::push`].
    pub fn select(&self, positions: &[usize]) -> Result<Entries> {
        let mut rows = Rows::default();
        for row in positions.iter().filter_map(|n| self.place(*n)).filter_map(|at| self.rows.row(at as usize)) {
            rows.push_row(row)?;
        }
        rows.shrink();
        Ok(Entries::all(rows, Arc::default(), &self.folder, self.path_of))
    }

    fn entry_at(&self, at: u32) -> Option<Entry> {
        self.rows.entry(at as usize, &self.folder, self.path_of)
    }

    /// Entry number `n`, counted from the front.
    pub fn get(&self, n: usize) -> Option<Entry> {
        self.place(n).and_then(|at| self.entry_at(at))
    }

    fn place(&self, n: usize) -> Option<u32> {
        self.at.get(self.at.len().checked_sub(n + 1)?).copied()
    }

    /// Is entry number `n` a folder?
    pub fn is_folder(&self, n: usize) -> bool {
        self.place(n).is_some_and(|at| self.rows.is_folder(at as usize))
    }

    /// Do two entries have the same name?
    pub fn has_same_name(&self, one: usize, other: usize) -> bool {
        let name = |n: usize| self.place(n).map(|at| self.rows.name(at as usize));
        name(one).is_some() && name(one) == name(other)
    }

    /// Removes the first entry and returns it.
    pub fn pop_front(&mut self) -> Option<Entry> {
        self.next()
    }

    /// The entries, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        self.at.iter().rev().filter_map(|at| self.entry_at(*at))
    }

    /// The entries of this name.
    ///
    /// # Errors
    /// `Protocol` for the name of a row that can't be read.
    pub fn find_by_name(&self, name: &str) -> Result<Vec<Entry>> {
        let fitting: Vec<Entry> = self
            .at
            .iter()
            .rev()
            .filter(|at| self.rows.name(**at as usize) == name.as_bytes())
            .filter_map(|at| self.entry_at(*at))
            .collect();
        if fitting.is_empty() {
            let on = || self.folder.join(name).map_or_else(|_| name.to_owned(), |path| path.to_string());
            self.faults.check(name).map_err(|e| e.with_subject(on()))?;
        }
        Ok(fitting)
    }

    /// The entries of that name, by a binary search: [`Entries::sort`] must have sorted the entries.
    pub fn sorted_named(&self, name: &str) -> impl Iterator<Item = Entry> + '_ {
        self.sorted_positions(name).filter_map(|n| self.get(n))
    }

    /// As `sorted_named`: where the entries stand, from the front.
    pub fn sorted_positions(&self, name: &str) -> std::ops::Range<usize> {
        // The first entry stands at the end.
        let from_front = |n: usize| self.place(n).map_or(&[][..], |at| self.rows.name(at as usize));
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if from_front(middle) < name.as_bytes() { low = middle + 1 } else { high = middle }
        }
        let end = (low..self.len()).find(|n| from_front(*n) != name.as_bytes()).unwrap_or(self.len());
        low..end
    }

    /// The entries with that id.
    pub fn with_id(&self, id: &str) -> impl Iterator<Item = Entry> + '_ {
        let fitting: Vec<u32> = self.at.iter().rev().copied().filter(|at| self.rows.id(*at as usize) == id.as_bytes()).collect();
        fitting.into_iter().filter_map(|at| self.entry_at(at))
    }

    /// The names, in order; empty for a name that is no text.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.at.iter().rev().map(|at| std::str::from_utf8(self.rows.name(*at as usize)).unwrap_or_default())
    }

    /// Keeps the entries for which `keep` returns true. `keep` gets the number of each entry, from the front.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut n = 0;
        self.at.reverse();
        self.at.retain(|_| {
            n += 1;
            keep(n - 1)
        });
        self.at.reverse();
    }

    /// Keeps only the folders.
    pub fn only_folders(&mut self) {
        let rows = self.rows.clone();
        self.at.retain(|at| rows.is_folder(*at as usize));
    }

    /// In an order of names and ids.
    pub fn sort_by_name(&mut self, compare: impl Fn((&str, &[u8]), (&str, &[u8])) -> std::cmp::Ordering) {
        let rows = &self.rows;
        let name = |at: u32| (std::str::from_utf8(rows.name(at as usize)).unwrap_or_default(), rows.id(at as usize));
        self.at.sort_unstable_by(|a, b| compare(name(*b), name(*a)));
    }

    /// `places`: which of the entries, counted from the front, comes first, and so on.
    pub fn take_order(&mut self, places: &[usize]) {
        self.at = places.iter().rev().filter_map(|n| self.place(*n)).collect();
    }

    /// Sorts the entries by name, then by id.
    pub fn sort(&mut self) {
        let rows = &self.rows;
        let key = |at: &u32| (rows.name(*at as usize), rows.id(*at as usize));
        // An unstable sort works in place; a stable one needs memory for half as many rows again.
        self.at.sort_unstable_by(|a, b| key(b).cmp(&key(a)));
    }
}

impl Iterator for Entries {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let at = self.at.pop()?;
        self.entry_at(at)
    }
}

/// Shows the number of entries only, as there may be many.
impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} entries of {}", self.len(), self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::lookup::safe_child_path;

    fn file(id: &str, name: &str) -> Entry {
        let mut entry = Entry::new(EntryKind::File, id, RemotePath::root());
        entry.name = name.to_owned();
        entry.size = Some(7);
        entry.modified = DateTime::from_timestamp_micros(1_600_000_000_123_456);
        entry.md5 = Some("2d53a2f20ffc76c89848b6a47c97d5d8".into());
        entry.extra.insert("items".into(), 3.into());
        entry.revision = Some("3".into());
        entry
    }

    fn collect_entries(entries: &[Entry]) -> Entries {
        let mut rows = Rows::default();
        entries.iter().for_each(|entry| rows.push(entry).unwrap());
        Entries::all(rows, Arc::default(), &RemotePath::parse("/a").unwrap(), |folder, name, _| safe_child_path(folder, name))
    }

    #[test]
    fn what_was_kept_comes_back_whole() {
        let folder = Entry { kind: EntryKind::Folder, incomplete: true, ..file("9", "../\"ü\0") };
        let mut back = collect_entries(&[file("2", "b"), file("1", "a"), folder.clone()]);
        assert_eq!((back.len(), back.is_folder(0), back.is_folder(2)), (3, false, true));
        assert_eq!(back.iter().map(|e| e.path.to_string()).collect::<Vec<_>>(), ["/a/b", "/a/a", "/a/.._\"ü_"]);
        let path = RemotePath::parse("/a/.._\"ü_").unwrap();
        assert_eq!(serde_json::to_string(&back.get(2)).unwrap(), serde_json::to_string(&Entry { path, ..folder }).unwrap());
        assert_eq!(back.get(2).unwrap().revision.as_deref(), Some("3"));
        back.sort();
        assert_eq!(back.find_by_name("a").unwrap().len(), 1);
        let picked = back.select(&[2, 0]).unwrap();
        assert_eq!(picked.iter().map(|e| e.path.to_string()).collect::<Vec<_>>(), ["/a/b", "/a/.._\"ü_"]);
        assert_eq!(back.pop_front().unwrap().name, "../\"ü\0");
        back.only_folders();
        assert!(back.is_empty() && back.get(0).is_none());
    }

    #[test]
    fn a_row_that_cannot_be_read_fails_its_own_name_only() {
        let mut back = collect_entries(&[file("1", "a"), file("2", "both")]);
        let mut faults = Faults::default();
        for name in [Some("b"), None, Some("both")] {
            faults.add(name.map(str::to_owned));
        }
        back.faults = faults.into();
        assert_eq!(back.find_by_name("a").unwrap().len(), 1);
        assert_eq!(back.find_by_name("both").unwrap().len(), 1);
        assert!(back.find_by_name("c").unwrap().is_empty());
        assert_eq!(back.find_by_name("b").unwrap_err().kind(), Kind::Protocol);
        assert_eq!(back.faults.warning().unwrap(), "3 entries that the server lists can't be read (\"b\", \"both\") and are left out");
        assert_eq!(Faults::default().warning(), None);
    }

    /// As the documented listings of the three providers have them.
    #[test]
    fn half_a_million_entries_stay_small() {
        let mut entry = file("file:1253123", "20200707_clip_01.mov");
        entry.url = Some("https://app.iogates.example/download-file/59537/0/0/1/0/***".into());
        let fields = r#"{"type":"video/quicktime","editable":true,"transfer_name":"20200707_clip_01.mov","Etag":1}"#;
        entry.extra = serde_json::from_str(fields).unwrap();
        let mut rows = Rows::default();
        for _ in 0..1000 {
            rows.push(&entry).unwrap();
        }
        let each = (rows.pages.iter().map(Vec::len).sum::<usize>() + rows.starts.len() * 8) / 1000;
        assert!(each < 300, "{each} bytes for an entry");
        for n in 0..9000 {
            rows.push(&Entry { name: format!("n{n}"), url: (n == 4000).then(|| "x".repeat(3 << PAGE)), ..entry.clone() }).unwrap();
        }
        assert!(rows.pages.len() >= 3);
        let made = |at| rows.entry(at, &RemotePath::root(), |_, _, _| RemotePath::root()).unwrap();
        assert!((0..9000).all(|n| rows.name(1000 + n) == format!("n{n}").as_bytes() && made(1000 + n).extra.len() == 4));
        assert_eq!((made(5000).url.unwrap().len(), made(5001).url), (3 << PAGE, None));
    }
}
