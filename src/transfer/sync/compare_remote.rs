//! Compares FROM with a remote TO while both are walked. Files that the listings and this machine's notes prove equal are skipped;
//! the other files go to `put` at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::from_steps::{FileAt, FromFile, FromStep, Rejected, not_there};
use super::from_walk::FromWalk;
use super::guard::{Guard, display_names};
use super::moves_there::{FileMove, ToRemote};
use super::options::{STEPS_AT_A_TIME, SyncOptions};
use super::planned_actions::PlannedActions;
use super::remote_target::{Lacking, RemoteTarget};
use super::remote_tree::text_of;
use crate::contract::place_key;
use crate::contract::walk::newest;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Entry, RemotePath, Report};
use crate::transfer::IfExists;
use crate::transfer::filter::{Filter, PathList};
use crate::transfer::fingerprint::UnopenedFingerprints;
use crate::transfer::put::conflict::same_by_signs;
use crate::transfer::put::cross_remote::CopySource;
use crate::transfer::put::plan::{PlanStep, PutItem};
use crate::transfer::put::plan_stream::PlanSender;
use crate::transfer::put::settle::reason_unsettled;
use crate::transfer::put::{PutJob, PutOptions};
use crate::transfer::source::SourceSpec;

/// FROM on a remote, as `put` needs it.
pub(super) struct Original {
    pub source: CopySource,
    /// Both sides are on one server.
    pub same_server: bool,
}

pub(super) struct Comparison {
    pub to: ToRemote,
    pub there: RemoteTarget,
    pub original: Option<Original>,
    /// The filter; for a local FROM with the `.haulignore` files of FROM.
    pub filter: Arc<Filter>,
    pub options: SyncOptions,
    pub out: PlanSender,
    /// The number of files that are provably equal so far.
    pub equal: Arc<AtomicU64>,
    pub signs: UnopenedFingerprints,
    /// Files of FROM that TO lacks, kept until the end of the walk with `--track-renames`: such a file may only have moved.
    pub new: Vec<PutItem>,
    /// A file was moved at TO, or may have been.
    pub has_moved: bool,
    pub done: Compared,
}

/// How the comparison ended.
pub(super) struct Compared {
    pub lacking: Lacking,
    /// Folders of FROM that can't be read, or not whole.
    pub unread: Vec<String>,
    /// The number of files of FROM that changed a moment ago. They are reported as skipped.
    pub unsettled: u64,
    pub from_files: u64,
    /// The actions, where a plan is wanted.
    pub planned: PlannedActions,
    /// The error that stops the deletions.
    pub guarded: Result<()>,
}

impl Compared {
    pub fn new(top: Option<PathBuf>, target: &RemotePath) -> Compared {
        let planned = PlannedActions::new(top, target.clone());
        Compared { lacking: Lacking::default(), unread: Vec::new(), unsettled: 0, from_files: 0, planned, guarded: Ok(()) }
    }
}

impl Comparison {
    /// Compares both sides, and returns how the comparison ended. An error means that nothing was sent or moved. A later failure is
    /// reported as a failed file, and ends the comparison.
    pub async fn run(mut self, mut from: FromWalk) -> Result<Compared> {
        let compared = self.compare(&mut from).await;
        if let Err(error) = compared {
            if !self.has_begun() {
                return Err(error);
            }
            self.out.send(PlanStep::Rejected(from.display(), error)).await;
        }
        self.out.sender.open().await;
        Ok(self.done)
    }

    async fn compare(&mut self, from: &mut FromWalk) -> Result<()> {
        let mut steps = 0_u64;
        while let Some(found) = from.next().await? {
            if let (Some(listed), Some(path)) = (self.filter.path_list(), found.path()) {
                listed.mark_found(&text_of(&path));
            }
            self.step(found).await?;
            steps += 1;
            if steps.is_multiple_of(STEPS_AT_A_TIME) {
                tokio::task::yield_now().await;
            }
        }
        self.tell_missing(from).await;
        self.there.finish().await?;
        self.done.lacking = std::mem::take(&mut self.there.lacking);
        self.settle_moves().await?;
        if self.options.delete {
            self.done.guarded = self.guard();
            if !self.has_begun() {
                std::mem::replace(&mut self.done.guarded, Ok(()))?;
            }
            self.tell_unread_target();
        }
        Ok(())
    }

    /// Reports each path that the list names and FROM lacks as a failed file. With `--delete` such a path is no failure: the file
    /// is deleted at TO.
    async fn tell_missing(&mut self, from: &FromWalk) {
        let filter = self.filter.clone();
        for line in filter.path_list().into_iter().flat_map(PathList::missing) {
            let is_here = matches!(from, FromWalk::Local(top, _) if top.join(line).symlink_metadata().is_ok());
            if !is_here && !self.options.delete && filter.judge_place(line, false).takes() {
                self.out.send(PlanStep::Rejected(format!("{}/{line}", from.display()), not_there())).await;
            }
        }
    }

    async fn step(&mut self, found: FromStep) -> Result<()> {
        match found {
            FromStep::File(file) => {
                self.done.from_files += 1;
                let shown = file.display_source(self.original.as_ref());
                match self.file(file).await {
                    Err(error) if error.kind() == Kind::Exists || error.kind() == Kind::Refused => {
                        self.out.send(PlanStep::Rejected(shown, error)).await;
                    }
                    outcome => return outcome,
                }
            }
            FromStep::Folder(path) => {
                if let Err(error) = self.advance_to(&path).await {
                    self.reject(path.to_string(), error).await?;
                }
            }
            FromStep::EmptyFolder(path) => match self.advance_to(&path).await {
                Ok(true) => {}
                Ok(false) => {
                    let folder = self.to.target.join_path(&path);
                    self.done.planned.note_folder(path);
                    self.out.send(PlanStep::EmptyFolder(folder)).await;
                }
                Err(error) => self.reject(path.to_string(), error).await?,
            },
            FromStep::LeftOut { path, note } => {
                self.keep_here(path).await?;
                self.out.send(PlanStep::LeftOut(note)).await;
            }
            FromStep::Special { path, note } => {
                self.keep_here(path).await?;
                self.out.send(PlanStep::Special(note)).await;
            }
            FromStep::Unsettled(file, reason) => {
                self.done.from_files += 1;
                self.skip_unsettled(&file, reason).await?;
            }
            FromStep::Rejected(Rejected { shown, error, is_unread, .. }) => {
                self.done.unread.extend(is_unread.then(|| shown.clone()));
                self.out.send(PlanStep::Rejected(shown, error)).await;
            }
        }
        Ok(())
    }

    /// Reports a folder that can have no place of its own at TO as failed. Fails with any other error, as the next steps would
    /// fail alike.
    async fn reject(&mut self, shown: String, error: Error) -> Result<()> {
        match error.kind() {
            Kind::Exists | Kind::Refused => self.out.send(PlanStep::Rejected(shown, error)).await,
            _ => return Err(error),
        }
        Ok(())
    }

    /// Comes to a folder of FROM at TO. True: TO has the folder. Fails as [`RemoteTarget::advance_to`].
    async fn advance_to(&mut self, path: &RemotePath) -> Result<bool> {
        let stored = self.stored_path(path)?;
        self.there.advance_to(&stored).await
    }

    /// Returns a path with its names as the provider will write them. Fails with `Refused` for a path that can't be written so.
    fn stored_path(&self, path: &RemotePath) -> Result<RemotePath> {
        match self.to.run.stored.may_change() {
            true => self.to.run.stored.path(path),
            false => Ok(path.clone()),
        }
    }

    /// Returns the entries that TO has under a name. Fails as [`RemoteTarget::find`].
    async fn find(&mut self, folder: &RemotePath, name: &str) -> Result<Vec<Entry>> {
        let (folder, name) = (self.stored_path(folder)?, self.to.run.stored.name(name));
        let PutJob { ledger, remote_key, .. } = &self.to.run.job;
        let learned = |folder: &Entry| ledger.stored_name_of(&place_key(remote_key, &folder.path.join(&name)?));
        self.there.find(&folder, &name, learned).await
    }

    /// Marks the entry of TO at a path as an entry that FROM has, so that the entry is not deleted.
    async fn keep_here(&mut self, path: Option<RemotePath>) -> Result<()> {
        if let Some((folder, name)) = path.as_ref().and_then(|path| Some((path.parent()?, path.name()?))) {
            self.find(&folder, name).await?;
        }
        Ok(())
    }

    async fn file(&mut self, file: FromFile) -> Result<()> {
        let there = self.find(&file.folder, &file.name).await?;
        let (folder, name) = (file.folder.clone(), file.name.clone());
        let item = self.item(file)?;
        if let Some(reason) = reason_unsettled(&item, &self.filter).await? {
            self.filter.count_left_out(&item.name, &crate::transfer::filter::FilterDecision::Unsettled(String::new()));
            self.report_unsettled(item.display_source(), &item, reason);
            return Ok(());
        }
        let same = match self.to.run.job.options.if_exists {
            IfExists::Update => self.equal(&item, &there)?,
            _ => None,
        };
        if let Some((there, reason)) = same {
            self.equal.fetch_add(1, Ordering::Relaxed);
            let (source, remote, reason) = (item.display_source(), self.to.run.job.target.remote.clone(), reason.to_owned());
            let (path, id) = (there.path, Some(there.id));
            self.to.send_report(Report::Skipped { source, remote, path, target: None, id, size: item.size, reason });
            return Ok(());
        }
        if self.options.plan {
            self.done.planned.note_file(&self.to, &folder.join(&name)?, &item, &there)?;
        }
        if self.options.track_renames && there.is_empty() {
            self.new.push(item);
        } else {
            self.out.send(PlanStep::Put(item)).await;
        }
        Ok(())
    }

    fn item(&self, file: FromFile) -> Result<PutItem> {
        let FromFile { folder, name, size, at } = file;
        let origin = match (at, &self.original) {
            (FileAt::Local(path), _) => SourceSpec::File(path),
            (FileAt::Remote(entry, parent), Some(Original { source, same_server })) => {
                let shown = source.client.address(&entry.path);
                SourceSpec::Remote(Arc::new(source.file(&self.to.run.job, *same_server, &entry, Some(&parent), shown)?))
            }
            (FileAt::Remote(..), None) => return Err(Error::new(Kind::Other, "this file is on no remote that is known")),
        };
        Ok(PutItem { origin, folder: self.to.target.join_path(&folder), name, size })
    }

    /// Returns the entry of TO that holds the content of an item, and the reason why that is certain although the file was not
    /// opened. None: the content must tell, or the entry differs.
    fn equal(&self, item: &PutItem, there: &[Entry]) -> Result<Option<(Entry, &'static str)>> {
        let PutJob { ledger, remote_key, options, client, .. } = &self.to.run.job;
        let mut there: Vec<&Entry> = there.iter().filter(|entry| !entry.incomplete).collect();
        if there.len() > 1 && client.has(|can| can.keeps_every_version()) {
            there = vec![there.swap_remove(newest(&there).unwrap_or(0))];
        }
        let [there] = there.as_slice() else { return Ok(None) };
        if there.is_folder() {
            return Ok(None);
        }
        let here = match &item.origin {
            SourceSpec::File(path) => self.signs.of(path),
            SourceSpec::Remote(original) => Some(original.identity()),
            SourceSpec::Stdin => None,
        };
        let Some(here) = here else { return Ok(None) };
        let asked: (&str, &PutOptions) = (remote_key, options);
        Ok(same_by_signs(&item.origin, &here, there, asked, ledger.as_ref())?.map(|reason| ((*there).clone(), reason)))
    }

    /// Skips a file that may still grow, and leaves the file for the next run.
    async fn skip_unsettled(&mut self, file: &FromFile, reason: String) -> Result<()> {
        self.keep_here(file.folder.join(&file.name).ok()).await?;
        let (folder, name, size) = (self.to.target.join_path(&file.folder), file.name.clone(), file.size);
        let item = PutItem { origin: SourceSpec::Stdin, folder, name, size };
        self.report_unsettled(file.display_source(self.original.as_ref()), &item, reason);
        Ok(())
    }

    fn report_unsettled(&mut self, source: String, item: &PutItem, reason: String) {
        self.done.unsettled += 1;
        let (remote, path) = (self.to.run.job.target.remote.clone(), self.to.place(item));
        self.to.send_report(Report::Skipped { source, remote, path, target: None, id: None, size: item.size, reason });
    }

    /// Moves the new files that only moved at FROM, and sends the other new files. Fails where the guards stop the deletions and
    /// nothing was sent yet.
    async fn settle_moves(&mut self) -> Result<()> {
        let (moves, rest) = self.to.take_moved(std::mem::take(&mut self.new), &mut self.done.lacking).await?;
        if self.options.plan {
            for FileMove { item, at, .. } in &moves {
                self.done.planned.note_move(&self.to, item, *at, &self.done.lacking.tree)?;
            }
        }
        // The guards are checked before the first move, as a move is a change, too.
        let guarded = if self.options.delete { self.guard() } else { Ok(()) };
        if guarded.is_err() && !self.out.sender.is_open() {
            return guarded;
        }
        let (asked, dry_run) = (moves.len(), self.to.run.job.options.dry_run);
        let unmoved = self.to.carry_out_moves(moves, &self.done.lacking.tree).await;
        self.has_moved = !dry_run && unmoved.len() < asked;
        for FileMove { item, at, .. } in unmoved {
            self.done.lacking.files.push(at);
            self.done.lacking.count += 1;
            self.out.send(PlanStep::Put(item)).await;
        }
        for item in rest {
            self.out.send(PlanStep::Put(item)).await;
        }
        Ok(())
    }

    fn has_begun(&self) -> bool {
        self.has_moved || self.out.sender.is_open()
    }

    fn guard(&self) -> Result<()> {
        let (lacking, options) = (&self.done.lacking, &self.options);
        if lacking.files.is_empty() && lacking.folders.is_empty() {
            return Ok(());
        }
        let client = &self.to.run.job.client;
        if !client.has(|can| can.deletions.is_some()) {
            let folders = lacking.folders.iter().filter_map(|at| lacking.tree.folders.get(*at));
            let names: Vec<String> = lacking.names().into_iter().chain(folders.map(|folder| format!("{}/", folder.entry.path))).collect();
            let title = client.info().title;
            let why = format!("{title} has no call that removes, and at {} this would have to go: {}", options.to, display_names(&names));
            return Err(Error::new(Kind::Unsupported, why)
                .with_subject(self.to.run.job.target.remote.clone())
                .with_hint("without --delete it stays"));
        }
        let (from_files, to_files, has_begun) = (self.done.from_files, self.there.files, self.has_begun());
        let SyncOptions { from, to, max_delete, .. } = options;
        Guard { from, to, from_files, to_files, most: *max_delete, has_begun }.check(&lacking.names())
    }

    /// Reports the folders of TO that can't be listed as failures: their content can't be made equal to FROM.
    fn tell_unread_target(&self) {
        let remote = &self.to.run.job.target.remote;
        for (folder, error) in &self.there.unread {
            self.to.send_report(Report::Failed(Failure::new(error).at(remote.clone(), folder.path.clone())));
        }
    }
}

impl FromFile {
    /// Returns the path or address of the file, for messages.
    pub fn display_source(&self, original: Option<&Original>) -> String {
        match (&self.at, original) {
            (FileAt::Local(path), _) => display_path(path),
            (FileAt::Remote(entry, _), Some(original)) => original.source.client.address(&entry.path),
            (FileAt::Remote(entry, _), None) => entry.path.to_string(),
        }
    }
}

fn display_path(path: &Path) -> String {
    path.display().to_string()
}
