//! Compares FROM on a remote with a local TO while FROM is walked. Files that the listings and this machine's notes prove equal are
//! skipped; the other files are downloaded at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::actions::{Action, ActionKind, ActionState};
use super::from_steps::{FileAt, FromFile, FromStep, Rejected, not_there};
use super::guard::Guard;
use super::local_listing::{LocalKind, LocalListing};
use super::local_target::{LackingHere, LocalTarget, local_history, send_report};
use super::moves_here::{LocalMove, MovesHere};
use super::options::{STEPS_AT_A_TIME, SyncOptions};
use super::remote_from::RemoteFrom;
use super::remote_tree::text_of;
use crate::error::{Error, Result};
use crate::model::report::Failure;
use crate::model::{Address, Entry, Event, RemotePath, Report};
use crate::transfer::IfExists;
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::PathList;
use crate::transfer::fingerprint::UnopenedFingerprints;
use crate::transfer::get::selected::{SelectedSender, SelectedStep};
use crate::transfer::get::{GetOptions, GetSource};

pub(super) struct ComparisonHere {
    pub source: GetSource,
    /// TO as typed.
    pub local: String,
    pub here: LocalTarget,
    pub get: GetOptions,
    pub options: SyncOptions,
    pub out: SelectedSender,
    /// The number of files that are provably equal so far.
    pub equal: Arc<AtomicU64>,
    pub signs: UnopenedFingerprints,
    /// Files of FROM that TO lacks, kept until the end of the walk with `--track-renames`: such a file may only have moved.
    pub new: Vec<(RemotePath, Entry)>,
    /// A file was moved at TO.
    pub has_moved: bool,
    pub done: ComparedHere,
}

/// How the comparison ended.
#[derive(Default)]
pub(super) struct ComparedHere {
    pub listing: Option<LocalListing>,
    pub lacking: LackingHere,
    /// Folders of FROM that can't be read, or not whole.
    pub unread: Vec<String>,
    /// The number of files of FROM that changed a moment ago. They are reported as skipped.
    pub unsettled: u64,
    from_files: u64,
    /// The error that stops the deletions.
    pub guarded: Option<Error>,
    /// The planned folders and moves; a dry run adds the downloads from `files`.
    pub actions: Vec<Action>,
    /// The actions for files that may differ, by the path at FROM. Which of these files are to be downloaded is decided later.
    pub files: HashMap<RemotePath, Action>,
}

impl ComparisonHere {
    /// Compares both sides, and returns how the comparison ended. An error means that nothing was downloaded or moved. A later
    /// failure is reported as an event, and ends the comparison.
    pub async fn run(mut self, mut from: RemoteFrom) -> Result<ComparedHere> {
        if let Err(error) = self.compare(&mut from).await {
            if !self.has_begun() {
                return Err(error);
            }
            let (client, top) = (&self.source.client, &self.source.entry.path);
            let failure = Failure::new(&error).of_source(from.display()).at(self.source.address.remote.clone(), top.clone());
            send_report(client, Report::Failed(failure));
        }
        self.out.sender.open().await;
        self.done.listing = Some(self.here.listing);
        Ok(self.done)
    }

    async fn compare(&mut self, from: &mut RemoteFrom) -> Result<()> {
        let mut steps = 0_u64;
        while let Some(found) = from.next().await? {
            if let (Some(listed), Some(path)) = (self.get.filter.path_list(), found.path()) {
                listed.mark_found(&text_of(&path));
            }
            self.step(found).await?;
            steps += 1;
            if steps.is_multiple_of(STEPS_AT_A_TIME) {
                tokio::task::yield_now().await;
            }
        }
        self.tell_missing(from).await;
        self.done.lacking = self.here.lacking(&self.get.filter);
        let moves = MovesHere { source: &self.source, get: &self.get, listing: &self.here.listing, local: &self.local };
        let moved = moves.take_moved(&self.new, &mut self.done.lacking).await;
        if self.options.delete
            && let Err(refused) = self.guard()
        {
            if !self.out.sender.is_open() {
                return Err(refused);
            }
            self.done.guarded = Some(refused);
        }
        self.tell_unread();
        if self.options.plan {
            note_moves(&moved, &self.new, &self.here.listing, &mut self.done.actions);
        }
        let unmoved = moves.carry_out_moves(&moved, &self.new, &mut self.done.lacking).await;
        self.has_moved = !self.get.dry_run && unmoved.len() < moved.len();
        // What could not be moved is to be deleted now, after its file has come anew.
        if self.options.delete
            && !unmoved.is_empty()
            && self.done.guarded.is_none()
            && let Err(refused) = self.guard()
        {
            if !self.has_begun() {
                return Err(refused);
            }
            self.done.guarded = Some(refused);
        }
        let gone: Vec<bool> = (0..self.new.len()).map(|n| moved.iter().any(|(new, _)| *new == n) && !unmoved.contains(&n)).collect();
        for ((folder, file), is_moved) in std::mem::take(&mut self.new).into_iter().zip(gone) {
            if !is_moved {
                self.out.send(SelectedStep::File(folder, Box::new(file))).await;
            }
        }
        Ok(())
    }

    fn client(&self) -> &RemoteClient {
        &self.source.client
    }

    /// Reports each path that the list names and FROM lacks as a failed file. With `--delete` such a path is no failure: the file
    /// is deleted at TO.
    async fn tell_missing(&mut self, from: &RemoteFrom) {
        let filter = self.get.filter.clone();
        for line in filter.path_list().into_iter().flat_map(PathList::missing) {
            if !self.options.delete && filter.judge_place(line, false).takes() {
                let failure = Failure::new(&not_there()).of_source(format!("{}/{line}", from.display()));
                send_report(self.client(), Report::Failed(failure));
            }
        }
    }

    async fn step(&mut self, found: FromStep) -> Result<()> {
        match found {
            FromStep::File(FromFile { folder, at: FileAt::Remote(file, _), .. }) => {
                self.done.from_files += 1;
                return self.file(folder, *file).await;
            }
            FromStep::Folder(path) => {
                self.here.advance_to(&path);
            }
            FromStep::EmptyFolder(path) => {
                if self.here.advance_to(&path).is_none() {
                    self.done.actions.push(Action::on_folder(ActionKind::Create, path.clone()));
                    self.out.send(SelectedStep::Folder(path)).await;
                }
            }
            FromStep::LeftOut { path, note } => {
                if let Some(path) = path {
                    self.here.advance_to(&path);
                }
                self.client().events.send(Event::Note(note));
            }
            FromStep::Unsettled(FromFile { folder, at: FileAt::Remote(file, _), .. }, reason) => {
                self.done.from_files += 1;
                self.done.unsettled += 1;
                let place = folder.join(&file.name)?;
                self.here.advance_to(&place);
                self.report_skipped(*file, &place, reason);
            }
            FromStep::Rejected(Rejected { shown, at, error, is_unread }) => {
                self.done.unread.extend(is_unread.then(|| shown.clone()));
                let mut failure = Failure::new(&error).of_source(shown);
                if let Some(path) = at {
                    failure = failure.at(self.source.address.remote.clone(), path);
                }
                send_report(self.client(), Report::Failed(failure));
            }
            // A walk over a remote brings no such step.
            FromStep::File(_) | FromStep::Unsettled(..) | FromStep::Special { .. } => {}
        }
        Ok(())
    }

    async fn file(&mut self, folder: RemotePath, file: Entry) -> Result<()> {
        let place = folder.join(&file.name)?;
        let there = self.here.advance_to(&place).map(|entry| (entry.kind, entry.state.clone()));
        if self.get.if_exists == IfExists::Update && there.as_ref().is_some_and(|(kind, _)| *kind == LocalKind::File) {
            let here = self.signs.of(&self.here.listing.local(&place));
            let same = match here {
                Some(here) => local_history(&self.source, &self.get).same_by_signs(&file, &here)?,
                None => None,
            };
            if let Some(reason) = same {
                self.equal.fetch_add(1, Ordering::Relaxed);
                self.report_skipped(file, &place, reason.to_owned());
                return Ok(());
            }
        }
        if self.options.plan {
            let target = there.as_ref().map(|(_, state)| ActionState::Local(state.clone()));
            let action = Action { source: Some(ActionState::of(&file)), target, ..Action::on_file(ActionKind::Download, place, file.size) };
            self.done.files.insert(file.path.clone(), action);
        }
        if self.options.track_renames && there.is_none() {
            self.new.push((folder, file));
        } else {
            self.out.send(SelectedStep::File(folder, Box::new(file))).await;
        }
        Ok(())
    }

    fn report_skipped(&self, file: Entry, place: &RemotePath, reason: String) {
        let remote = self.source.address.remote.clone();
        let (source, target) = (Address::text(&remote, &file.path), Some(self.here.listing.display_path(place)));
        let (id, size) = (Some(file.id), file.size);
        send_report(self.client(), Report::Skipped { source, remote, path: file.path, target, id, size, reason });
    }

    /// Reports the folders of TO that can't be read as failures, with `--delete`: their content can't be made equal to FROM.
    fn tell_unread(&self) {
        for (path, error) in self.here.listing.unread.iter().filter(|_| self.options.delete) {
            send_report(self.client(), Report::Failed(Failure::new(error).of_source(path.display().to_string())));
        }
    }

    fn has_begun(&self) -> bool {
        self.has_moved || self.out.sender.is_open()
    }

    fn guard(&self) -> Result<()> {
        let (SyncOptions { from, to, max_delete, .. }, lacking) = (&self.options, &self.done.lacking);
        let (from_files, to_files, has_begun) = (self.done.from_files, self.here.files(&self.get.filter), self.has_begun());
        let guard = Guard { from, to, from_files, to_files, most: *max_delete, has_begun };
        guard.check(&lacking.names(&self.here.listing))
    }
}

fn note_moves(moves: &[LocalMove], new: &[(RemotePath, Entry)], listing: &LocalListing, actions: &mut Vec<Action>) {
    for (n, was) in moves {
        let (Some((folder, file)), Some(old)) = (new.get(*n), listing.entries.get(*was)) else { continue };
        let Ok(path) = folder.join(&file.name) else { continue };
        let (source, target) = (Some(ActionState::of(file)), Some(ActionState::Local(old.state.clone())));
        let action = Action::on_file(ActionKind::Move, path, file.size);
        actions.push(Action { from: Some(old.path.clone()), source, target, ..action });
    }
}
