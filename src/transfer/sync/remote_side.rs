//! A remote TO, listed: what of FROM is there, what is provably equal, and what FROM lacks.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::choose::{entry_may_go, folder_may_go};
use super::guard::{Guard, named};
use super::options::SyncOptions;
use super::remote_tree::{At, RemoteTree};
use super::source_plan::SourcePlan;
use crate::contract::place_key;
use crate::contract::walk::newest;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Entry, Event, RemotePath, Report};
use crate::transfer::IfExists;
use crate::transfer::filter::Filter;
use crate::transfer::fingerprint::Signs;
use crate::transfer::put::PutJob;
use crate::transfer::put::conflict::same_by_signs;
use crate::transfer::put::plan::PutItem;
use crate::transfer::put::run::PutRun;
use crate::transfer::source::SourceSpec;

/// What TO has and FROM lacks.
#[derive(Default)]
pub(super) struct Extra {
    pub files: Vec<At>,
    pub folders: Vec<usize>,
}

impl Extra {
    pub fn names(&self, tree: &RemoteTree) -> Vec<String> {
        self.files.iter().filter_map(|at| tree.entry(*at)).map(|entry| entry.path.to_string()).collect()
    }
}

/// Where the entries of one name stand: their folder, and their places in that.
pub(super) type Named = (usize, Range<usize>);

pub(super) struct ToRemote {
    pub run: Arc<PutRun>,
    pub tree: RemoteTree,
    /// TO.
    pub target: RemotePath,
    /// Which files of both sides; of a local FROM with its own files of patterns.
    pub filter: Arc<Filter>,
    pub signs: Signs,
}

impl ToRemote {
    /// Where in the tree each item stands already; and what else is there.
    pub fn compare(&self, plan: &SourcePlan) -> Result<(Vec<Option<Named>>, Extra)> {
        let mut kept: HashSet<RemotePath> = HashSet::new();
        let mut found: Vec<Vec<bool>> = self.tree.folders.iter().map(|folder| vec![false; folder.entries.len()]).collect();
        let mut matched = Vec::with_capacity(plan.items.len());
        let mut find = |folder: &RemotePath, name: &str| -> Result<Option<Named>> {
            // By the names that the provider will give them.
            let there = match self.run.stored.may_change() {
                true => self.there(&self.below(&self.run.stored.path(folder)?), &self.run.stored.name(name))?,
                false => self.there(&self.below(folder), name)?,
            };
            if let Some((folder, range)) = &there
                && let Some(found) = found.get_mut(*folder).and_then(|found| found.get_mut(range.clone()))
            {
                found.fill(true);
            }
            Ok(there)
        };
        for item in &plan.items {
            matched.push(find(&item.folder, &item.name)?);
            kept.insert(item.folder.clone());
        }
        for place in &plan.left_out_places {
            if let (Some(folder), Some(name)) = (place.parent(), place.name()) {
                find(&folder, name)?;
                kept.insert(folder);
            }
        }
        // Folders of the plan, with all above them.
        kept.extend(plan.empty_folders.iter().cloned());
        let mut folders = HashSet::new();
        for folder in kept {
            keep_with_parents(&mut folders, self.below(&self.run.stored.path(&folder)?));
        }
        let mut extra = Extra::default();
        for (at, folder) in self.tree.folders.iter().enumerate() {
            if at > 0 && !folders.contains(&folder.path) && folder_may_go(&self.filter, &folder.path) {
                extra.folders.push(at);
            }
            let found = found.get(at).map(Vec::as_slice).unwrap_or_default();
            let unknown = (0..folder.entries.len()).filter(|n| !folder.entries.is_folder(*n) && found.get(*n) != Some(&true));
            let may_go = |entry: &Entry| folder.path.join(&entry.name).is_ok_and(|path| entry_may_go(&self.filter, &path, entry));
            let counts = |entry: &Entry| !entry.incomplete && !is_in_progress(&entry.name) && may_go(entry);
            extra.files.extend(unknown.filter(|n| folder.entries.get(*n).is_some_and(|entry| counts(&entry))).map(|n| (at, n)));
        }
        Ok((matched, extra))
    }

    /// Where an item lands, as reports show it.
    pub fn place(&self, item: &PutItem) -> RemotePath {
        item.folder.join(&item.name).unwrap_or_else(|_| item.folder.clone())
    }

    pub fn tell(&self, report: Report) {
        self.run.job.client.events.tell(Event::Finished { id: u64::MAX, report: Box::new(report) });
    }

    fn below(&self, path: &RemotePath) -> RemotePath {
        path.below(&self.target).unwrap_or_default()
    }

    /// What has that name, or the name under which the server is known to keep the file.
    fn there(&self, folder: &RemotePath, name: &str) -> Result<Option<Named>> {
        let Some((at, folder)) = self.tree.folder(folder) else { return Ok(None) };
        let named = folder.named(name);
        if !named.is_empty() || folder.entries.is_empty() {
            return Ok(Some((at, named)).filter(|(_, named)| !named.is_empty()));
        }
        let key = place_key(&self.run.job.remote_key, &folder.entry.path.join(name)?);
        let Some(stored) = self.run.job.ledger.stored_as(&key)? else { return Ok(None) };
        let named = folder.named(&stored);
        Ok(Some((at, named)).filter(|(_, named)| !named.is_empty()))
    }

    pub fn check_deletions(&self, from_files: u64, extra: &Extra, options: &SyncOptions) -> Result<()> {
        if extra.files.is_empty() && extra.folders.is_empty() {
            return Ok(());
        }
        let client = &self.run.job.client;
        if !client.has(|can| can.deletions.is_some()) {
            let mut names = extra.names(&self.tree);
            names.extend(extra.folders.iter().filter_map(|at| self.tree.folders.get(*at)).map(|folder| format!("{}/", folder.entry.path)));
            let title = client.info().title;
            let why = format!("{title} has no call that removes, and at {} this would have to go: {}", options.to, named(&names));
            return Err(Error::new(Kind::Unsupported, why)
                .with_subject(self.run.job.target.remote.clone())
                .with_hint("without --delete it stays"));
        }
        let counts = |(at, entry): &(At, Entry)| {
            let path = self.tree.folders.get(at.0).and_then(|folder| folder.path.join(&entry.name).ok());
            !entry.incomplete && path.is_none_or(|path| entry_may_go(&self.filter, &path, entry))
        };
        let to_files = self.tree.files().filter(counts).count() as u64;
        let guard = Guard { from: &options.from, to: &options.to, from_files, to_files, most: options.max_delete };
        guard.check(&extra.names(&self.tree))
    }

    /// Tells of each file that is provably equal, and takes it out of the plan.
    pub fn pass_over_equal(&self, plan: &mut SourcePlan, matched: &[Option<Named>], equal: &AtomicU64) -> Result<()> {
        if self.run.job.options.if_exists != IfExists::Update {
            return Ok(());
        }
        let mut rest = Vec::new();
        for (item, there) in std::mem::take(&mut plan.items).into_iter().zip(matched) {
            let same = match there {
                Some((folder, range)) => self.equal(&item, *folder, range.clone())?,
                None => None,
            };
            let Some((there, reason)) = same else {
                rest.push(item);
                continue;
            };
            equal.fetch_add(1, Ordering::Relaxed);
            let remote = self.run.job.target.remote.clone();
            let (source, reason) = (item.shown(), reason.to_owned());
            let report = Report::Skipped { source, remote, path: there.path, id: Some(there.id), size: item.size, reason };
            self.tell(report);
        }
        plan.items = rest;
        Ok(())
    }

    /// The entry that holds this very content, and how that is known without opening the file.
    fn equal(&self, item: &PutItem, folder: usize, range: Range<usize>) -> Result<Option<(Entry, &'static str)>> {
        let mut there: Vec<Entry> = range.filter_map(|n| self.tree.entry((folder, n))).filter(|entry| !entry.incomplete).collect();
        if there.len() > 1 && self.run.job.client.has(|can| can.keeps_every_version()) {
            let at = newest(&there.iter().collect::<Vec<_>>()).unwrap_or(0);
            there = vec![there.swap_remove(at)];
        }
        let Ok([there]) = <[Entry; 1]>::try_from(there) else { return Ok(None) };
        if there.is_folder() {
            return Ok(None);
        }
        let here = match &item.origin {
            SourceSpec::File(path) => self.signs.of(path),
            SourceSpec::Remote(original) => Some(original.identity()),
            SourceSpec::Stdin => None,
        };
        let Some(here) = here else { return Ok(None) };
        let PutJob { ledger, remote_key, options, .. } = &self.run.job;
        Ok(same_by_signs(&item.origin, &here, &there, (remote_key, options), ledger.as_ref())?.map(|reason| (there, reason)))
    }

    /// Files that still grow are left for the next run.
    pub fn tell_unsettled(&self, unsettled: &[(String, Option<u64>, String)]) {
        for (source, size, reason) in unsettled {
            let (remote, path) = (self.run.job.target.remote.clone(), self.target.clone());
            let (source, size, reason) = (source.clone(), *size, reason.clone());
            self.tell(Report::Skipped { source, remote, path, id: None, size, reason });
        }
    }

    /// What can't be listed can't be made equal.
    pub fn tell_unread_target(&self) {
        let target = &self.run.job.target;
        for (folder, error) in &self.tree.unread {
            let failure = Failure::new(error).at(target.remote.clone(), folder.path.clone());
            self.tell(Report::Failed(failure));
        }
        for folder in self.tree.doubles() {
            let error = Error::new(Kind::Ambiguous, "another folder of its folder has this name").with_hint("give it another name first");
            self.tell(Report::Failed(Failure::new(&error).at(target.remote.clone(), folder.entry.path.clone())));
        }
    }
}

fn keep_with_parents(kept: &mut HashSet<RemotePath>, path: RemotePath) {
    let mut next = Some(path);
    while let Some(path) = next.take() {
        let parent = path.parent();
        if kept.insert(path) {
            next = parent;
        }
    }
}

/// Another run may be busy with it.
fn is_in_progress(name: &str) -> bool {
    name.ends_with(".haul-part") || name.ends_with(".haul-old")
}
