//! The walk through the remote's folders: one open level of entries for each depth, and no more files ahead than are in
//! flight.

use std::sync::Arc;

use super::local::{Local, check_name, create_dirs_safely};
use super::{GetItem, GetRun, GetSource, tell_failed};
use crate::contract::Entries;
use crate::contract::walk::newest_filled;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event};
use crate::transfer::task_set::TaskSet;
use crate::transfer::walk::check_depth;

/// A folder that is being worked off.
struct WalkLevel {
    id: String,
    /// Folders below the user's own.
    below: Vec<String>,
    entries: Entries,
}

impl GetRun {
    pub(super) async fn carry_out(self: Arc<Self>, origins: Vec<GetSource>) {
        let mut flying = TaskSet::default();
        for origin in origins.into_iter().map(Arc::new) {
            let entry = origin.entry.clone();
            if entry.is_folder() {
                self.folder(&origin, entry, &mut flying).await;
                continue;
            }
            self.count(&origin, std::iter::once(entry.clone()));
            let name = match &self.local {
                Local::File(_, name) => name.clone(),
                Local::Folder(_) => entry.name.clone(),
            };
            self.spawn(&mut flying, GetItem { origin, file: entry, below: Vec::new(), name }).await;
        }
        while !flying.is_empty() {
            self.report_panic(flying.join_next().await);
        }
    }

    async fn spawn(self: &Arc<Self>, flying: &mut TaskSet<GetItem>, item: GetItem) {
        while flying.len() >= self.options.jobs.max(1) {
            self.report_panic(flying.join_next().await);
        }
        let run = self.clone();
        flying.spawn(item.clone(), async move { run.one(item).await });
    }

    fn report_panic(&self, broken: Option<(GetItem, Error)>) {
        if let Some((item, error)) = broken {
            tell_failed(self.next_id(), &item.origin, &item.file, &error);
        }
    }

    async fn folder(self: &Arc<Self>, origin: &Arc<GetSource>, top: Entry, flying: &mut TaskSet<GetItem>) {
        let below = if origin.contents { Vec::new() } else { vec![top.name.clone()] };
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

    /// Lists a folder and makes it here; none when that failed, which is told.
    async fn open(&self, origin: &GetSource, folder: &Entry, below: Vec<String>, above: &[WalkLevel]) -> Option<WalkLevel> {
        let listed = match check_depth(folder, above.iter().map(|level| level.id.as_str())) {
            Ok(()) => self.list(origin, folder, &below).await,
            Err(endless) => Err(endless),
        };
        match listed {
            Ok(entries) => Some(WalkLevel { id: folder.id.clone(), below, entries }),
            Err(error) => {
                self.stop.failure(&origin.key, &error);
                tell_failed(self.next_id(), origin, folder, &error);
                None
            }
        }
    }

    async fn list(&self, origin: &GetSource, folder: &Entry, below: &[String]) -> Result<Entries> {
        self.stop.check(&origin.key)?;
        create_dirs_safely(&self.top()?, below, !self.options.dry_run)?;
        let (mut listed, left_out) = origin.client.list_whole(folder).await?;
        if let Some(error) = left_out {
            tell_failed(self.next_id(), origin, folder, &error);
        }
        listed.sort();
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

    /// Those that can have their names here, by their number; the others are told as failures. Of two with one name neither
    /// is: the second would take the place of the first. Where nothing can be removed the newest is meant.
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
                    origin.client.events.tell(Event::Note(format!("{}: an upload that never ended, left out", entry.path)));
                }
                !entry.incomplete
            });
            if piles_up && of_one_name.len() > 1 {
                let chosen = newest_filled(of_one_name.iter().map(|(_, entry)| entry.clone()).collect());
                chosen.iter().for_each(|entry| origin.client.tell_passed_over(entry));
                of_one_name.retain(|(_, entry)| chosen.iter().any(|chosen| chosen.id == entry.id));
            }
            for (at, entry) in &of_one_name {
                match unfit(entry, &of_one_name) {
                    None => fit.push(*at),
                    Some(error) => tell_failed(self.next_id(), origin, entry, &error),
                }
            }
        }
        fit
    }

    /// The work grows while folders are listed.
    fn count(&self, origin: &GetSource, entries: impl Iterator<Item = Entry>) {
        let mut planned = self.planned.lock();
        for file in entries.filter(|entry| !entry.is_folder()) {
            planned.0 += 1;
            planned.1 = planned.1.saturating_add(file.size.unwrap_or(0));
        }
        origin.client.events.tell(Event::Planned { files: planned.0, bytes: planned.1 });
    }
}

/// Why an entry can't have its name here.
fn unfit(entry: &Entry, of_one_name: &[(usize, Entry)]) -> Option<Error> {
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
