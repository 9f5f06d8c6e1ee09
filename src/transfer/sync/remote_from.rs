//! Walks over FROM on a remote, folder by folder. Where several entries have one name, none of them is transferred, as the second
//! would replace the first at TO. Where the provider keeps every version of a file, the newest version is transferred.

use std::collections::VecDeque;
use std::sync::Arc;

use super::from_steps::{FileAt, FromFile, FromStep, Rejected};
use super::remote_levels::RemoteLevels;
use super::remote_tree::text_of;
use crate::contract::walk::newest_filled;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::filter::{FilterDecision, RemoteFilter};
use crate::transfer::walk::is_fatal;

/// The number of files of a folder that the filter decides on together: the times of several files are asked for at the same time.
const JUDGED_AT_ONCE: usize = 1000;

/// Checks a name of FROM. Fails where an entry can't have this name at TO.
pub(super) type CheckName = fn(&str) -> Result<()>;

pub(super) struct RemoteFrom {
    levels: RemoteLevels,
    filter: RemoteFilter,
    check: CheckName,
    jobs: usize,
    /// The entries of each open folder that are still to come; the innermost folder is the last.
    coming: Vec<UnreadEntries>,
    ready: VecDeque<FromStep>,
    top: Entry,
}

/// The entries of an open folder that are still to come, by their positions in the listing.
struct UnreadEntries {
    folder: Arc<Entry>,
    path: RemotePath,
    entries: VecDeque<usize>,
    /// The next files, with the decisions of the filter.
    judged: VecDeque<(usize, FilterDecision)>,
    /// An entry of the folder is transferred, which makes the folder at TO.
    is_filled: bool,
}

impl RemoteFrom {
    /// Lists the top, and begins the walk. Fails with `Refused` where the top can't be listed, and with the error itself where all
    /// further requests would fail alike.
    pub async fn open(filter: RemoteFilter, top: Entry, jobs: usize, check: CheckName) -> Result<RemoteFrom> {
        let client = filter.client.clone();
        let shown = client.address(&top.path);
        let opened = RemoteLevels::open(client, top.clone(), jobs, filter.filter.clone()).await;
        let (levels, left_out) = opened.map_err(|why| match is_fatal(why.kind()) {
            true => why,
            false => Error::new(Kind::Refused, "the source can't be read, so nothing was done").with_subject(shown).with_cause(why),
        })?;
        let mut from = RemoteFrom { levels, filter, check, jobs, coming: Vec::new(), ready: VecDeque::new(), top: top.clone() };
        from.begin_folder(&top, left_out);
        Ok(from)
    }

    pub fn display(&self) -> String {
        self.filter.client.address(&self.top.path)
    }

    /// Returns the next step; none at the end. Fails where all further requests would fail alike.
    pub async fn next(&mut self) -> Result<Option<FromStep>> {
        loop {
            if let Some(found) = self.ready.pop_front() {
                return Ok(Some(found));
            }
            let Some(coming) = self.coming.last_mut() else { return Ok(None) };
            if let Some((n, verdict)) = coming.judged.pop_front() {
                self.file(n, verdict);
                continue;
            }
            match coming.entries.front().copied() {
                None => self.leave(),
                Some(n) if self.levels.innermost().is_some_and(|level| level.entries.is_folder(n)) => {
                    coming.entries.pop_front();
                    self.folder(n).await?;
                }
                Some(_) => self.apply_filter().await,
            }
        }
    }

    /// Lets the filter decide on the next files of the innermost folder, up to its next folder.
    async fn apply_filter(&mut self) {
        let (Some(coming), Some(level)) = (self.coming.last_mut(), self.levels.innermost()) else { return };
        let count = coming.entries.iter().take(JUDGED_AT_ONCE).take_while(|n| !level.entries.is_folder(**n)).count();
        let files: Vec<usize> = coming.entries.drain(..count).collect();
        if !self.filter.filter.is_active() {
            coming.judged.extend(files.into_iter().map(|n| (n, FilterDecision::Takes)));
            return;
        }
        let path = |entry: &Entry| coming.path.join(&entry.name).map(|path| text_of(&path)).unwrap_or_default();
        let entries: Vec<(Entry, String)> = files
            .iter()
            .filter_map(|n| level.entries.get(*n))
            .map(|entry| (path(&entry), entry))
            .map(|(path, entry)| (entry, path))
            .collect();
        let verdicts = self.filter.judge_all(&entries, self.jobs).await;
        coming.judged.extend(files.into_iter().zip(verdicts));
    }

    fn file(&mut self, n: usize, verdict: FilterDecision) {
        let (Some(coming), Some(entry)) = (self.coming.last_mut(), self.levels.innermost().and_then(|level| level.entries.get(n))) else {
            return;
        };
        let (folder, name, size, shown) = (coming.path.clone(), entry.name.clone(), entry.size, self.filter.client.address(&entry.path));
        let rules = &self.filter.filter;
        let found = match verdict {
            FilterDecision::Takes => {
                rules.count_taken();
                coming.is_filled = true;
                let at = FileAt::Remote(Box::new(entry), coming.folder.clone());
                FromStep::File(FromFile { folder, name, size, at })
            }
            FilterDecision::Failed(error) => FromStep::Rejected(Rejected { shown, at: Some(entry.path), error, is_unread: false }),
            FilterDecision::Unsettled(reason) => {
                rules.count_left_out(&shown, &FilterDecision::Unsettled(String::new()));
                let at = FileAt::Remote(Box::new(entry), coming.folder.clone());
                FromStep::Unsettled(FromFile { folder, name, size, at }, reason)
            }
            verdict => {
                let note = rules.count_left_out(&shown, &verdict).unwrap_or_default();
                FromStep::LeftOut { path: folder.join(&name).ok(), note }
            }
        };
        self.ready.push_back(found);
    }

    async fn folder(&mut self, n: usize) -> Result<()> {
        let Some(folder) = self.levels.innermost().and_then(|level| level.entries.get(n)) else { return Ok(()) };
        let shown = self.filter.client.address(&folder.path);
        let unread =
            |error, is_unread| FromStep::Rejected(Rejected { shown: shown.clone(), at: Some(folder.path.clone()), error, is_unread });
        let path = match self.levels.path_of(&folder) {
            Ok(path) => path,
            Err(error) => {
                self.ready.push_back(unread(error, true));
                return Ok(());
            }
        };
        if let Some(why) = self.filter.filter.closes(&text_of(&path)) {
            let note = self.filter.filter.count_left_out(&shown, &FilterDecision::LeavesOut(why)).unwrap_or_default();
            self.ready.push_back(FromStep::LeftOut { path: Some(path), note });
            return Ok(());
        }
        match self.levels.enter(n).await {
            Ok(left_out) => self.begin_folder(&folder, left_out),
            Err(error) if is_fatal(error.kind()) => return Err(error),
            Err(error) => self.ready.push_back(unread(error, true)),
        }
        Ok(())
    }

    /// Begins the innermost folder: collects the entries that can be transferred, and rejects the other entries. `left_out`: the
    /// error for the part of the folder that can't be read.
    fn begin_folder(&mut self, folder: &Entry, left_out: Option<Error>) {
        let client = &self.filter.client;
        let Some(level) = self.levels.innermost() else { return };
        let path = level.path.clone();
        self.ready.push_back(FromStep::Folder(path.clone()));
        let shown = client.address(&folder.path);
        self.ready
            .extend(left_out.map(|error| FromStep::Rejected(Rejected { shown, at: Some(folder.path.clone()), error, is_unread: true })));
        let piles_up = client.has(|can| can.keeps_every_version());
        let mut entries = VecDeque::with_capacity(level.entries.len());
        let mut n = 0;
        while n < level.entries.len() {
            let mut end = n + 1;
            while level.entries.has_same_name(n, end) {
                end += 1;
            }
            let mut named: Vec<(usize, Entry)> = (n..end).filter_map(|n| level.entries.get(n).map(|entry| (n, entry))).collect();
            n = end;
            for (_, entry) in named.iter().filter(|(_, entry)| entry.incomplete) {
                let note = format!("{}: an upload that never ended, left out", entry.path);
                self.ready.push_back(FromStep::LeftOut { path: path.join(&entry.name).ok(), note });
            }
            named.retain(|(_, entry)| !entry.incomplete);
            if piles_up && named.len() > 1 {
                let chosen = newest_filled(named.iter().map(|(_, entry)| entry.clone()).collect());
                chosen.iter().for_each(|entry| client.tell_passed_over(entry));
                named.retain(|(_, entry)| chosen.iter().any(|chosen| chosen.id == entry.id));
            }
            let ids: Vec<String> = named.iter().map(|(_, entry)| format!("@{}", entry.id)).collect();
            for (n, entry) in named {
                let fits = match ids.len() {
                    1 => path.join(&entry.name).and_then(|_| (self.check)(&entry.name)),
                    many => Err(Error::new(Kind::Ambiguous, format!("{many} entries have this name: {}", ids.join(", ")))
                        .with_hint("give each a name of its own, or bring them one by one by their ids")),
                };
                match fits {
                    Ok(()) => entries.push_back(n),
                    Err(error) => {
                        let shown = client.address(&entry.path);
                        self.ready.push_back(FromStep::Rejected(Rejected { shown, at: Some(entry.path), error, is_unread: false }));
                    }
                }
            }
        }
        self.coming.push(UnreadEntries { folder: Arc::new(folder.clone()), path, entries, judged: VecDeque::new(), is_filled: false });
    }

    fn leave(&mut self) {
        self.levels.leave();
        let Some(left) = self.coming.pop() else { return };
        let is_wanted = self.filter.filter.takes_folder(&text_of(&left.path));
        if let Some(above) = self.coming.last_mut() {
            above.is_filled |= left.is_filled || is_wanted;
        }
        if is_wanted && !left.is_filled && !left.path.is_root() {
            self.ready.push_back(FromStep::EmptyFolder(left.path));
        }
    }
}
