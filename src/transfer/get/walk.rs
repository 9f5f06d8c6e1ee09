//! The walk through the remote's folders: one open level of entries for each depth, and no more files ahead than are in
//! flight.

use std::path::PathBuf;
use std::sync::Arc;

use tracing::Instrument;

use super::local::{Local, check_name, create_dirs_safely};
use super::{GetItem, GetRun, GetSource, display_source, from, report_failed};
use crate::contract::Entries;
use crate::contract::entry_list::Rows;
use crate::contract::walk::newest_filled;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event, Report};
use crate::transfer::download::open_folder::display_path;
use crate::transfer::filter::{FilterDecision, RemoteFilter};
use crate::transfer::task_set::{TaskSet, file_span};
use crate::transfer::walk::check_depth;

/// Entries.
const JUDGED_AT_ONCE: usize = 1000;

/// A folder whose entries are being processed.
struct WalkLevel {
    id: String,
    /// Folders below the user's own.
    below: Vec<String>,
    entries: Entries,
}

impl GetRun {
    pub(super) async fn execute(self: Arc<Self>, origins: Vec<GetSource>) {
        let mut flying = TaskSet::default();
        for origin in origins.into_iter().map(Arc::new) {
            let entry = origin.entry.clone();
            if entry.is_folder() {
                self.folder(&origin, entry, &mut flying).await;
                continue;
            }
            let name = match &self.local {
                Local::File(_, name) => name.clone(),
                Local::Folder(_) => entry.name.clone(),
            };
            let below = origin.below.clone();
            let path = join(&path_in(&origin, &below), &entry.name);
            let item = GetItem { origin, file: entry, below, name };
            let verdict = self.filter(&item.origin).decide(&item.file, &path, item.below.is_empty()).await;
            if self.admits(&item, verdict) {
                self.count(&item.origin, std::iter::once(item.file.clone()));
                self.spawn(&mut flying, item).await;
            }
        }
        while !flying.is_empty() {
            self.report_panic(flying.join_next().await);
        }
    }

    pub(super) async fn spawn(self: &Arc<Self>, flying: &mut TaskSet<GetItem>, item: GetItem) {
        while flying.len() >= self.at_once.files() {
            self.at_once.full();
            self.report_panic(flying.join_next().await);
        }
        let run = self.clone();
        let span = file_span(&item.name);
        flying.spawn(item.clone(), async move { run.process(item).await }.instrument(span));
    }

    pub(super) fn report_panic(&self, broken: Option<(GetItem, Error)>) {
        if let Some((item, error)) = broken {
            report_failed(self.next_id(), &item.origin, &item.file, &error);
        }
    }

    async fn folder(self: &Arc<Self>, origin: &Arc<GetSource>, top: Entry, flying: &mut TaskSet<GetItem>) {
        let own = if origin.contents { None } else { Some(top.name.clone()) };
        let below = origin.below.iter().cloned().chain(own).collect();
        let mut open: Vec<WalkLevel> = self.open(origin, &top, below, &[]).await.into_iter().collect();
        while let Some(level) = open.last_mut() {
            let Some(entry) = level.entries.pop_front() else {
                open.pop();
                continue;
            };
            if entry.is_folder() {
                let below = level.below.iter().chain([&entry.name]).cloned().collect();
                let level = self.open(origin, &entry, below, &open).await;
                open.extend(level);
            } else {
                let (below, name) = (level.below.clone(), entry.name.clone());
                self.spawn(flying, GetItem { origin: origin.clone(), file: entry, below, name }).await;
            }
        }
    }

    /// Lists a folder and makes it here; none when that failed and was reported.
    async fn open(&self, origin: &Arc<GetSource>, folder: &Entry, below: Vec<String>, above: &[WalkLevel]) -> Option<WalkLevel> {
        let listed = match check_depth(folder, above.iter().map(|level| level.id.as_str())) {
            Ok(()) => self.list(origin, folder, &below).await,
            Err(endless) => Err(endless),
        };
        match listed {
            Ok(entries) => Some(WalkLevel { id: folder.id.clone(), below, entries }),
            Err(error) => {
                self.stop.failure(&origin.key, &error);
                report_failed(self.next_id(), origin, folder, &error);
                None
            }
        }
    }

    fn filter(&self, origin: &GetSource) -> RemoteFilter {
        let (client, ledger, key) = (origin.client.clone(), origin.ledger.clone(), origin.key.clone());
        RemoteFilter { filter: self.options.filter.clone(), client, ledger, key }
    }

    async fn list(&self, origin: &Arc<GetSource>, folder: &Entry, below: &[String]) -> Result<Entries> {
        self.stop.check(&origin.key)?;
        let filter = &self.options.filter;
        let path = path_in(origin, below);
        if let Some(why) = filter.closes(&path) {
            let note = filter.count_left_out(&display_source(&origin.address, folder), &FilterDecision::LeavesOut(why));
            note.into_iter().for_each(|note| origin.client.events.send(Event::Note(note)));
            return Ok(Entries::all(Rows::default(), Arc::default(), &folder.path, |path, _, _| path.clone()));
        }
        // A folder of which nothing may come is made with its first file.
        if filter.takes_folder(&path) {
            create_dirs_safely(&self.top()?, below, !self.options.dry_run)?;
        }
        let (mut listed, left_out) = origin.client.list_whole(folder).await?;
        if let Some(error) = left_out {
            report_failed(self.next_id(), origin, folder, &error);
        }
        listed.sort();
        if filter.is_active() {
            self.leave_out(origin, &mut listed, below).await;
        }
        let fit = self.keep_saveable(origin, &listed);
        let mut n = 0;
        listed.retain(|at| {
            let is_fit = fit.get(n) == Some(&at);
            n += usize::from(is_fit);
            is_fit
        });
        self.count(origin, listed.iter());
        Ok(listed)
    }

    /// Tells what becomes of a file that does not fit; true: it fits.
    fn admits(&self, item: &GetItem, verdict: FilterDecision) -> bool {
        let GetItem { origin, file, below, name } = item;
        let filter = &self.options.filter;
        match verdict {
            FilterDecision::Takes => return true,
            FilterDecision::Failed(error) => report_failed(self.next_id(), origin, file, &error),
            FilterDecision::Unsettled(reason) => {
                filter.count_left_out(&file.name, &FilterDecision::Unsettled(String::new()));
                let path: PathBuf = below.iter().chain([name]).collect();
                let (source, remote, path_there) = from(item);
                let target = Some(display_path(&self.local.folder().join(path)));
                let (id, size) = (Some(file.id.clone()), file.size);
                let report = Report::Skipped { source, remote, path: path_there, target, id, size, reason };
                origin.client.events.send(Event::Finished { id: self.next_id(), report: Box::new(report) });
            }
            verdict => {
                if let Some(note) = filter.count_left_out(&display_source(&origin.address, file), &verdict) {
                    origin.client.events.send(Event::Note(note));
                }
            }
        }
        false
    }

    /// Takes the files away that don't fit; a folder is asked about when its turn comes.
    async fn leave_out(&self, origin: &Arc<GetSource>, listed: &mut Entries, below: &[String]) {
        let (filter, top) = (self.filter(origin), path_in(origin, below));
        let mut fits = Vec::with_capacity(listed.len());
        // Not all at once: a whole entry takes more than one of a listing.
        for at in (0..listed.len()).step_by(JUDGED_AT_ONCE) {
            let some: Vec<Entry> = (at..listed.len().min(at + JUDGED_AT_ONCE)).filter_map(|at| listed.get(at)).collect();
            let some: Vec<(Entry, String)> = some.into_iter().map(|entry| (entry.clone(), join(&top, &entry.name))).collect();
            let verdicts = filter.judge_all(&some, self.options.jobs).await;
            for ((file, _), verdict) in some.into_iter().zip(verdicts) {
                let name = file.name.clone();
                fits.push(file.is_folder() || self.admits(&GetItem { origin: origin.clone(), file, below: below.to_vec(), name }, verdict));
            }
        }
        let mut n = 0;
        listed.retain(|_| {
            n += 1;
            fits.get(n - 1) == Some(&true)
        });
    }

    /// Returns the numbers of the entries that can have their names here; the others are reported as failures. Two entries of
    /// one name are both left out, as the second would replace the first. Where nothing can be removed, the newest one is
    /// meant.
    fn keep_saveable(&self, origin: &GetSource, listed: &Entries) -> Vec<usize> {
        let piles_up = origin.client.has(|can| can.keeps_every_version());
        let (mut fit, mut twins) = (Vec::new(), Vec::new());
        for (at, entry) in listed.iter().enumerate() {
            let more = listed.has_same_name(at, at + 1);
            twins.push((at, entry));
            if more {
                continue;
            }
            let mut of_one_name = std::mem::take(&mut twins);
            of_one_name.retain(|(_, entry)| {
                if entry.incomplete {
                    origin.client.events.send(Event::Note(format!("{}: an upload that never ended, left out", entry.path)));
                }
                !entry.incomplete
            });
            if piles_up && of_one_name.len() > 1 {
                let chosen = newest_filled(of_one_name.iter().map(|(_, entry)| entry.clone()).collect());
                chosen.iter().for_each(|entry| origin.client.tell_passed_over(entry));
                of_one_name.retain(|(_, entry)| chosen.iter().any(|chosen| chosen.id == entry.id));
            }
            for (at, entry) in &of_one_name {
                match rejection(entry, &of_one_name) {
                    None => fit.push(*at),
                    Some(error) => report_failed(self.next_id(), origin, entry, &error),
                }
            }
        }
        fit
    }

    /// Reports the new total, as it grows while folders are listed.
    fn count(&self, origin: &GetSource, entries: impl Iterator<Item = Entry>) {
        let mut planned = self.planned.lock();
        for file in entries.filter(|entry| !entry.is_folder()) {
            self.options.filter.count_taken();
            planned.0 += 1;
            planned.1 = planned.1.saturating_add(file.size.unwrap_or(0));
        }
        origin.client.events.send(Event::Planned { files: planned.0, bytes: planned.1 });
    }
}

/// As a filter wants it.
fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// As a filter wants it: from the source down.
fn path_in(origin: &GetSource, below: &[String]) -> String {
    below.iter().skip(origin.own).map(String::as_str).collect::<Vec<_>>().join("/")
}

/// Why an entry can't have its name here.
fn rejection(entry: &Entry, of_one_name: &[(usize, Entry)]) -> Option<Error> {
    if let Err(error) = check_name(&entry.name) {
        return Some(error);
    }
    if of_one_name.len() < 2 {
        return None;
    }
    let ids: Vec<String> = of_one_name.iter().map(|(_, entry)| format!("@{}", entry.id)).collect();
    let error = Error::new(Kind::Ambiguous, format!("{} entries have this name: {}", ids.len(), ids.join(", ")));
    Some(error.with_hint("get each by its id, under a name of its own"))
}
