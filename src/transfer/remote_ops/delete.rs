//! Removes one place after another. Each is looked up right before it is removed. A top folder stays, and its entries are
//! removed.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::emptied::OpenFolders;
use crate::error::{Error, Result};
use crate::model::{Address, Entry, RemotePath, Report, Root};
use crate::transfer::change::ConfirmedChanges;
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::{FilterDecision, FilteredStep, FilteredWalk, RemoteFilter};
use crate::transfer::resolve::{Resolved, Resolver};
use crate::transfer::walk::{TreeWalk, WalkEvent, is_fatal};

/// Folders listed ahead while a tree is walked.
const LIST_AHEAD: usize = 4;

/// What became of one thing.
pub enum DeleteOutcome {
    Done(Box<Report>),
    Failed(RemotePath, Error),
    /// It stays, as it does not fit.
    LeftOut(RemotePath, FilterDecision),
}

pub struct Remover {
    client: RemoteClient,
    hands: ConfirmedChanges,
    remote: String,
    /// For many places: folders are listed once, and what is removed is remembered.
    known: Option<(Resolver, Mutex<HashSet<RemotePath>>)>,
}

impl Remover {
    pub fn new(client: RemoteClient, remote: String) -> Remover {
        Remover { hands: ConfirmedChanges::new(client.clone()), client, remote, known: None }
    }

    /// For many places, as a list names them: one listing of a folder serves all that lies in it.
    pub fn remembering(self) -> Remover {
        let known = Some((Resolver::new(self.client.clone()), Mutex::default()));
        Remover { known, ..self }
    }

    /// Each place is looked up anew: an earlier removal may have removed it, too, and a second removal may be for good. Where removals
    /// are remembered, none is such a place.
    pub async fn find(&mut self, address: &Address) -> Result<Option<Resolved>> {
        let Some((resolver, removed)) = &mut self.known else {
            return Resolver::new(self.client.clone()).find(address).await.map(Some);
        };
        let is_gone = |path: &RemotePath| {
            let removed = removed.lock();
            std::iter::successors(Some(path.clone()), RemotePath::parent).any(|path| removed.contains(&path))
        };
        if address.place.root == Root::Top && is_gone(&address.place.path) {
            return Ok(None);
        }
        let found = resolver.find(address).await?;
        Ok(Some(found).filter(|found| !is_gone(&found.entry.path)))
    }

    /// How many entries a folder holds, those in its folders included.
    pub async fn count(&self, folder: &Entry) -> Result<u64> {
        let mut entries = 0;
        let mut scan = TreeWalk::new(self.client.clone(), folder.clone(), 1, |_, _| true);
        while let Some(step) = scan.next().await? {
            match step {
                WalkEvent::Entry { .. } => entries += 1,
                WalkEvent::Left { .. } => {}
                WalkEvent::Failed { error, .. } => return Err(error),
            }
        }
        Ok(entries)
    }

    /// One result for each removed entry: a single one, or one for each entry of a top folder.
    pub async fn remove(&self, found: &Resolved, dry_run: bool) -> Result<Vec<Result<Report, (RemotePath, Error)>>> {
        if !found.top {
            return Ok(vec![Ok(self.delete_entry(&found.entry, found.parent.as_ref(), found.path.clone(), dry_run).await?)]);
        }
        let mut outcomes = Vec::new();
        let (entries, left_out) = self.client.list_whole(&found.entry).await?;
        outcomes.extend(left_out.map(|error| Err((found.path.clone(), error))));
        for entry in entries {
            let path = crate::contract::lookup::safe_child_path(&found.path, &entry.name);
            let outcome = self.delete_entry(&entry, Some(&found.entry), path.clone(), dry_run).await;
            outcomes.push(outcome.map_err(|e| (path, e)));
        }
        Ok(outcomes)
    }

    /// Of a file: whether it fits. Of a folder, the files below that fit, and the folders that are empty then.
    /// Fails where going on would only meet the same failure.
    pub async fn remove_fitting(
        &self,
        found: &Resolved,
        within: Option<&RemotePath>,
        filter: &RemoteFilter,
        dry_run: bool,
        mut tell: impl FnMut(DeleteOutcome),
    ) -> Result<()> {
        let names = within.into_iter().flat_map(RemotePath::names).chain([&found.entry.name]);
        let path = names.cloned().collect::<Vec<_>>().join("/");
        if !found.entry.is_folder() {
            let removal = match filter.decide(&found.entry, &path, within.is_none()).await {
                FilterDecision::Takes => {
                    filter.filter.count_taken();
                    DeleteOutcome::Done(Box::new(
                        self.delete_entry(&found.entry, found.parent.as_ref(), found.path.clone(), dry_run).await?,
                    ))
                }
                FilterDecision::Failed(error) => return Err(error),
                verdict => DeleteOutcome::LeftOut(found.path.clone(), verdict),
            };
            tell(removal);
            return Ok(());
        }
        let top = if within.is_some() { path } else { String::new() };
        let mut walk = FilteredWalk::below(filter.clone(), found.entry.clone(), LIST_AHEAD, top).all();
        let mut open = OpenFolders::new(found.entry.clone(), found.parent.clone());
        while let Some(FilteredStep { event, verdict, path }) = walk.next().await? {
            match event {
                WalkEvent::Entry { entry, depth, .. } => {
                    let shown = display_path(&entry, found);
                    let parent = open.at(depth).cloned();
                    match verdict {
                        FilterDecision::Takes if entry.is_folder() => open.enter(entry, path),
                        FilterDecision::Takes => {
                            filter.filter.count_taken();
                            let removed = self.delete_entry(&entry, parent.as_ref(), shown.clone(), dry_run).await;
                            tell(outcome(removed, shown, &mut open));
                        }
                        FilterDecision::Failed(error) => tell(outcome(Err(error), shown, &mut open)),
                        verdict => {
                            open.mark_kept();
                            tell(DeleteOutcome::LeftOut(shown, verdict));
                        }
                    }
                }
                WalkEvent::Left { folder, depth } => {
                    let Some(emptied) = open.leave(depth, &filter.filter).filter(|_| depth > 0 || !found.top) else { continue };
                    let shown = display_path(&folder, found);
                    if dry_run {
                        let (remote, path) = (self.remote.clone(), shown);
                        let planned = Report::Planned { action: "delete", source: None, remote, path, target: None, size: None };
                        emptied.is_certain.then(|| tell(DeleteOutcome::Done(Box::new(planned))));
                        continue;
                    }
                    match emptied.remove(&self.client, &self.hands).await {
                        Ok(true) => {
                            let (remote, id, kind) = (self.remote.clone(), folder.id, folder.kind);
                            tell(DeleteOutcome::Done(Box::new(Report::Deleted { remote, path: shown, id, kind })));
                        }
                        Ok(false) => open.mark_kept(),
                        Err(error) if is_fatal(error.kind()) => return Err(error),
                        Err(error) => tell(outcome(Err(error), shown, &mut open)),
                    }
                }
                WalkEvent::Failed { folder, depth, error } => {
                    open.at(depth + 1);
                    tell(outcome(Err(error), display_path(&folder, found), &mut open));
                }
            }
        }
        Ok(())
    }

    /// How many files fit.
    pub async fn count_fitting(&self, folder: &Entry, filter: &RemoteFilter) -> Result<u64> {
        let mut files = 0;
        let mut walk = FilteredWalk::new(filter.clone(), folder.clone(), LIST_AHEAD);
        while let Some(FilteredStep { event, verdict, .. }) = walk.next().await? {
            match event {
                WalkEvent::Entry { entry, .. } => files += u64::from(!entry.is_folder() && verdict.takes()),
                WalkEvent::Left { .. } => {}
                WalkEvent::Failed { error, .. } => return Err(error),
            }
        }
        Ok(files)
    }

    async fn delete_entry(&self, entry: &Entry, parent: Option<&Entry>, path: RemotePath, dry_run: bool) -> Result<Report> {
        let remote = self.remote.clone();
        if let Some((_, removed)) = self.known.as_ref().filter(|_| dry_run) {
            removed.lock().insert(entry.path.clone());
        }
        if dry_run {
            return Ok(Report::Planned { action: "delete", source: None, remote, path, target: None, size: entry.size });
        }
        self.hands.remove(entry, parent).await?;
        if let Some((_, removed)) = &self.known {
            removed.lock().insert(entry.path.clone());
        }
        Ok(Report::Deleted { remote, path, id: entry.id.clone(), kind: entry.kind })
    }
}

/// For reports: as the place was typed.
fn display_path(entry: &Entry, found: &Resolved) -> RemotePath {
    entry.path.below(&found.entry.path).map_or_else(|| entry.path.clone(), |below| found.path.join_path(&below))
}

fn outcome(removed: Result<Report>, path: RemotePath, open: &mut OpenFolders) -> DeleteOutcome {
    match removed {
        Ok(report) => DeleteOutcome::Done(Box::new(report)),
        Err(error) => {
            open.mark_kept();
            DeleteOutcome::Failed(path, error)
        }
    }
}
