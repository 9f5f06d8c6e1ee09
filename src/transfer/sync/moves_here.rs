//! `--track-renames` with a local TO: a file that moved at FROM is moved at TO, so that it is not downloaded again.

use std::collections::HashSet;
use std::path::Path;

use super::local_listing::{LocalKind, LocalListing, LocalState, changed_folder_error, target};
use super::local_target::{LackingHere, local_history, send_report};
use super::renames::{RenameCandidate, proven};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event, RemotePath, Report};
use crate::transfer::download::open_folder::{LocalFolder, display_path};
use crate::transfer::get::local::{check_name, create_dirs_safely};
use crate::transfer::get::{GetOptions, GetSource};
use crate::transfer::source::file::{FileSource, md5_of};

/// A file that only moved: its position among the new files of FROM, and the position of the old file in the listing of TO.
pub(super) type LocalMove = (usize, usize);

/// The new files of FROM, each with the folder that the file lands in.
type New = [(RemotePath, Entry)];

pub(super) struct MovesHere<'a> {
    pub source: &'a GetSource,
    pub get: &'a GetOptions,
    pub listing: &'a LocalListing,
    /// TO, as typed.
    pub local: &'a str,
}

impl MovesHere<'_> {
    /// Finds the new files that only moved, and returns their moves. Their old files are taken out of `lacking`, so that they are
    /// not deleted.
    pub(super) async fn take_moved(&self, new: &New, lacking: &mut LackingHere) -> Vec<LocalMove> {
        let mut old: Vec<usize> = lacking.files.clone();
        old.retain(|at| self.listing.entries.get(*at).is_some_and(|entry| entry.kind == LocalKind::File));
        let entry = |n: usize| old.get(n).and_then(|at| self.listing.entries.get(*at));
        let candidate = |size: u64, name: &str| RenameCandidate { size, name: name.to_owned() };
        let ours: Vec<RenameCandidate> = new.iter().map(|(_, file)| candidate(file.size.unwrap_or(0), &file.name)).collect();
        let theirs: Vec<RenameCandidate> =
            (0..old.len()).filter_map(entry).map(|entry| candidate(entry.state.size, entry.path.name().unwrap_or_default())).collect();
        let known = local_history(self.source, self.get);
        let of_new = async |n: usize| new.get(n).map_or(Ok(None), |(_, file)| known.md5(file));
        let of_old = async |n: usize| match entry(n) {
            Some(entry) => md5_of(&FileSource::open(&self.listing.local(&entry.path))?).await.map(Some),
            None => Ok(None),
        };
        let pairs = proven(&ours, &theirs, of_new, of_old).await;
        let moves: Vec<LocalMove> = pairs.into_iter().filter_map(|(file, was)| Some((file, *old.get(was)?))).collect();
        let gone: HashSet<usize> = moves.iter().map(|(_, was)| *was).collect();
        lacking.files.retain(|at| !gone.contains(at));
        moves
    }

    /// Carries out the moves, and returns the positions of the new files that could not be moved: they are downloaded as any other
    /// file. Their old files are put back into `lacking`. Each outcome is an event.
    pub(super) async fn carry_out_moves(&self, moves: &[LocalMove], new: &New, lacking: &mut LackingHere) -> Vec<usize> {
        let mut unmoved = Vec::new();
        for (n, was) in moves {
            let Some((folder, file)) = new.get(*n) else { continue };
            match self.move_one(folder, file, *was).await {
                Ok(report) => send_report(&self.source.client, report),
                Err(error) => {
                    lacking.files.push(*was);
                    unmoved.push(*n);
                    self.source.client.events.send(Event::Note(format!("not moved: {error}")));
                }
            }
        }
        unmoved
    }

    async fn move_one(&self, folder: &RemotePath, file: &Entry, was: usize) -> Result<Report> {
        let old = self.listing.entries.get(was).ok_or_else(source_gone_error)?;
        let place = folder.join(&file.name)?;
        if self.get.dry_run {
            return Ok(self.planned_report(&place, file));
        }
        let top = LocalFolder::open(Path::new(self.local), true)?;
        let now = target(&top, &old.path)?.and_then(|target| target.metadata().ok()).map(|meta| LocalState::of(&meta));
        if now.as_ref() != Some(&old.state) {
            return Err(changed_folder_error().on_local(self.listing.display_path(&old.path)));
        }
        self.move_here(&top, &old.path, &place, file).await
    }

    fn planned_report(&self, place: &RemotePath, file: &Entry) -> Report {
        Report::PlannedHere { action: "move", path: place.clone(), target: self.listing.display_path(place), size: file.size }
    }

    /// Moves a file of TO from `old` to `place`, and returns the report. The caller has compared the file with its state. Fails with
    /// `Local` where another file has the new path, and where the old file is gone.
    pub(super) async fn move_here(&self, top: &LocalFolder, old: &RemotePath, place: &RemotePath, file: &Entry) -> Result<Report> {
        if self.get.dry_run {
            return Ok(self.planned_report(place, file));
        }
        let from = target(top, old)?.ok_or_else(source_gone_error)?;
        let Some((name, above)) = place.names().split_last() else { return Err(source_gone_error()) };
        let to = create_dirs_safely(top, above, true)?.at(check_name(name)?);
        let failed = |e: std::io::Error| Error::new(Kind::Local, "it can't be moved").on_local(display_path(&from.path())).with_cause(e);
        from.rename_to_free(&to).map_err(failed)?;
        let known = local_history(self.source, self.get);
        known.record_download(file, &to, known.md5(file)?).await?;
        Ok(Report::MovedHere {
            source: self.listing.display_path(old),
            path: place.clone(),
            target: display_path(&to.path()),
            size: file.size,
        })
    }
}

fn source_gone_error() -> Error {
    Error::new(Kind::Local, "it is gone")
}
