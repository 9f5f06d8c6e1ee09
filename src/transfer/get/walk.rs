//! The walk through the remote's folders: one open level of entries for each depth, and no more files ahead than are in
//! flight.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use super::super::crew::Crew;
use super::super::scan::may_go_into;
use super::local::{Local, check_name, enter};
use super::{Item, Origin, Run, tell_failed};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event};

/// A folder that is being worked off.
struct Level {
    id: String,
    /// Folders below the user's own.
    below: Vec<String>,
    /// The next one at the end.
    entries: Vec<Entry>,
}

impl Run {
    pub(super) async fn carry_out(self: Arc<Self>, origins: Vec<Origin>) {
        let mut flying = Crew::default();
        for origin in origins.into_iter().map(Arc::new) {
            let entry = origin.entry.clone();
            if entry.is_folder() {
                self.folder(&origin, entry, &mut flying).await;
                continue;
            }
            self.count(&origin, std::slice::from_ref(&entry));
            let name = match &self.local {
                Local::File(_, name) => name.clone(),
                Local::Folder(_) => entry.name.clone(),
            };
            self.launch(&mut flying, Item { origin, file: entry, below: Vec::new(), name }).await;
        }
        while !flying.is_empty() {
            self.told(flying.one_over().await);
        }
    }

    async fn launch(self: &Arc<Self>, flying: &mut Crew<Item>, item: Item) {
        while flying.len() >= self.options.jobs.max(1) {
            self.told(flying.one_over().await);
        }
        let run = self.clone();
        flying.spawn(item.clone(), async move { run.one(item).await });
    }

    fn told(&self, broken: Option<(Item, Error)>) {
        if let Some((item, error)) = broken {
            tell_failed(self.next_id(), &item.origin, &item.file, &error);
        }
    }

    async fn folder(self: &Arc<Self>, origin: &Arc<Origin>, top: Entry, flying: &mut Crew<Item>) {
        let below = if origin.contents { Vec::new() } else { vec![top.name.clone()] };
        let mut open: Vec<Level> = self.open(origin, &top, below, &[]).await.into_iter().collect();
        while let Some(level) = open.last_mut() {
            let Some(entry) = level.entries.pop() else {
                open.pop();
                continue;
            };
            if entry.is_folder() {
                let below = level.below.iter().chain([&entry.name]).cloned().collect();
                let level = self.open(origin, &entry, below, &open).await;
                open.extend(level);
            } else {
                let (below, name) = (level.below.clone(), entry.name.clone());
                self.launch(flying, Item { origin: origin.clone(), file: entry, below, name }).await;
            }
        }
    }

    /// Lists a folder and makes it here; none when that failed, which is told.
    async fn open(&self, origin: &Origin, folder: &Entry, below: Vec<String>, above: &[Level]) -> Option<Level> {
        let listed = match may_go_into(folder, above.iter().map(|level| level.id.as_str())) {
            Ok(()) => self.list(origin, folder, &below).await,
            endless => endless.map(|()| Vec::new()),
        };
        match listed {
            Ok(entries) => Some(Level { id: folder.id.clone(), below, entries }),
            Err(error) => {
                self.stop.failed(&origin.key, &error);
                tell_failed(self.next_id(), origin, folder, &error);
                None
            }
        }
    }

    async fn list(&self, origin: &Origin, folder: &Entry, below: &[String]) -> Result<Vec<Entry>> {
        self.stop.go_on(&origin.key)?;
        enter(&self.top()?, below, !self.options.dry_run)?;
        let listed = origin.desk.ask(|| origin.desk.provider.list(folder)).await?;
        let mut entries = self.fit(origin, listed);
        entries.sort_by(|a, b| b.name.cmp(&a.name));
        self.count(origin, &entries);
        Ok(entries)
    }

    /// Those that can have their names here; the others are told as failures. Of two with one name neither is: the second
    /// would take the place of the first.
    fn fit(&self, origin: &Origin, mut listed: Vec<Entry>) -> Vec<Entry> {
        listed.retain(|entry| {
            if entry.unfinished {
                origin.desk.events.tell(Event::Note(format!("{}: an upload that never ended, left out", entry.path)));
            }
            !entry.unfinished
        });
        let mut ids: HashMap<String, Vec<String>> = HashMap::new();
        for entry in &listed {
            ids.entry(entry.name.clone()).or_default().push(format!("@{}", entry.id));
        }
        let unfit = |entry: &Entry| {
            let twins = ids.get(&entry.name).filter(|ids| ids.len() > 1);
            match (check_name(&entry.name), twins) {
                (Err(error), _) => Some(error),
                (Ok(_), Some(ids)) => Some(
                    Error::new(Kind::Ambiguous, format!("{} entries have this name: {}", ids.len(), ids.join(", ")))
                        .hint("get each by its id, under a name of its own"),
                ),
                _ => None,
            }
        };
        let (mut fit, mut errors) = (Vec::new(), Vec::new());
        for entry in listed {
            match unfit(&entry) {
                None => fit.push(entry),
                Some(error) => errors.push((entry, error)),
            }
        }
        for (entry, error) in errors {
            tell_failed(self.next_id(), origin, &entry, &error);
        }
        fit
    }

    /// The work grows while folders are listed.
    fn count(&self, origin: &Origin, entries: &[Entry]) {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        for file in entries.iter().filter(|entry| !entry.is_folder()) {
            planned.0 += 1;
            planned.1 = planned.1.saturating_add(file.size.unwrap_or(0));
        }
        origin.desk.events.tell(Event::Planned { files: planned.0, bytes: planned.1 });
    }
}
