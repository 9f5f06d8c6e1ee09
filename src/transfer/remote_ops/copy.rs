//! Copies one source with all that is in it. Where the server copies no folders (giga0, providers.md 2.9), haul makes the
//! folders and copies the files one by one.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::conflict::{Resolution, landing};
use super::job::{CopyFrom, Op, OpsRun};
use super::relocate::{may_be_at, partially_done, roll_back};
use super::target_folders::TargetFolder;
use crate::contract::lookup::safe_child_path;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event, RemotePath, Report};
use crate::transfer::filter::FilterDecision;
use crate::transfer::if_exists::IfExists;
use crate::transfer::resolve::Resolved;
use crate::transfer::walk::check_depth;

/// One entry to copy.
pub(crate) struct CopyTask {
    entry: Entry,
    /// `REMOTE:PATH`
    shown: String,
    folder: RemotePath,
    name: String,
    /// The ids of the folders above the entry, from the source on.
    above: Arc<[String]>,
    /// From the source down, names divided by `/`.
    below: String,
}

impl CopyTask {
    pub fn new((from, source): (&CopyFrom, &Resolved), folder: RemotePath, name: String) -> CopyTask {
        CopyTask {
            entry: source.entry.clone(),
            shown: source.shown.clone(),
            folder,
            name,
            above: Arc::from([]),
            below: from.path(&source.entry),
        }
    }

    fn as_failed_task(&self) -> FailedTask {
        FailedTask {
            shown: self.shown.clone(),
            path: self.folder.join(&self.name).ok(),
            inside: !self.above.is_empty(),
            folder: self.entry.is_folder(),
        }
    }

    fn place(&self) -> (RemotePath, String) {
        (self.folder.clone(), self.name.clone())
    }
}

/// The report of an entry that failed.
struct FailedTask {
    shown: String,
    path: Option<RemotePath>,
    inside: bool,
    folder: bool,
}

/// Copies that are in progress.
#[derive(Default)]
struct InFlight {
    flights: FuturesUnordered<CopyFuture>,
    /// Names of copies in progress, which the listing of the target folder does not have yet.
    names: HashSet<(RemotePath, String)>,
    /// An entry of a copied folder could not be copied.
    partly: bool,
}

/// Copies one file; needs nothing else of this run.
type CopyFuture = Pin<Box<dyn Future<Output = (CopyTask, Result<Entry>)> + Send>>;

enum CopyOutcome {
    Over(Box<Report>),
    /// The folder has been made; these entries go into it.
    Opened(Vec<CopyTask>),
}

impl OpsRun {
    /// Files under a name that is free are copied several at once; whatever changes more than its own name waits for them.
    /// Failures of single pieces are events.
    pub(crate) async fn copy_all(&mut self, mut open: Vec<CopyTask>) {
        // Taken from the end.
        open.reverse();
        let mut air = InFlight::default();
        while let Some(piece) = open.pop().filter(|_| !self.stopped) {
            if air.names.contains(&piece.place()) {
                self.drain(&mut air, 0).await;
            }
            let lost = piece.as_failed_task();
            match self.begin(&mut air, piece).await {
                Ok(None) => self.drain(&mut air, self.job.jobs.saturating_sub(1)).await,
                Ok(Some(CopyOutcome::Over(report))) => self.report_finished(*report),
                Ok(Some(CopyOutcome::Opened(pieces))) => open.extend(pieces),
                Err(e) => self.on_failure(&mut air, lost, &e),
            }
        }
        self.drain(&mut air, 0).await;
        if air.partly && matches!(self.job.if_exists, IfExists::Fail | IfExists::Rename) {
            let text = "not all of a folder is copied; with `--if-exists skip` the same command goes on with what is missing";
            self.job.client.events.send(Event::Warning(text.to_owned()));
        }
    }

    /// Waits until at most `most` copies are in progress.
    async fn drain(&mut self, air: &mut InFlight, most: usize) {
        while air.flights.len() > most {
            let Some((piece, copied)) = air.flights.next().await else { return };
            air.names.remove(&piece.place());
            let told = match copied {
                Ok(copy) => self.report_copied(&piece, copy).await,
                Err(e) => Err(e),
            };
            match told {
                Ok(report) => self.report_finished(report),
                Err(e) => self.on_failure(air, piece.as_failed_task(), &e),
            }
        }
    }

    /// Reports an entry that failed. Other entries of the folder may have been copied.
    fn on_failure(&mut self, air: &mut InFlight, lost: FailedTask, error: &Error) {
        let FailedTask { shown, path, inside, folder } = lost;
        // Whether a folder's own place was made is not known then.
        air.partly |= inside || (folder && error.kind() == Kind::Unknown && !self.copies_folders());
        self.report_failure(&shown, path.as_ref(), error);
    }

    /// Can it be copied beside others, if its name is free?
    fn can_run_concurrently(&self, piece: &CopyTask) -> bool {
        !self.job.dry_run && !piece.entry.is_folder() && piece.name == piece.entry.name
    }

    /// Begins a copy; none means that it is in progress beside others. A copy that changes more than its own name waits for all
    /// others and is done here.
    async fn begin(&mut self, air: &mut InFlight, piece: CopyTask) -> Result<Option<CopyOutcome>> {
        let opens = piece.entry.is_folder() && !self.copies_folders();
        if !self.can_run_concurrently(&piece) {
            self.drain(air, if opens { usize::MAX } else { 0 }).await;
            return self.copy_piece(piece).await.map(Some);
        }
        self.job.client.check_name(&piece.name)?;
        let target_folder = self.target_folders.at(&piece.folder).await?.clone();
        match landing(self.job.if_exists, Op::Copy, &piece.entry, &target_folder, &piece.folder, &piece.name)? {
            Resolution::Free(name) if name == piece.name => {
                let hands = self.hands.clone();
                air.names.insert(piece.place());
                air.flights.push(Box::pin(async move {
                    let copied = hands.copy_into(&piece.entry, &target_folder.folder, &target_folder.children).await;
                    (piece, copied)
                }));
                Ok(None)
            }
            _ => {
                self.drain(air, 0).await;
                self.copy_piece(piece).await.map(Some)
            }
        }
    }

    async fn copy_piece(&mut self, piece: CopyTask) -> Result<CopyOutcome> {
        self.job.client.check_name(&piece.name)?;
        let CopyTask { entry, shown, folder, name, .. } = &piece;
        // Where single files are chosen a folder is made with the first of them: till then nothing has its name.
        if entry.is_folder() && !self.job.filter.takes_folder(&piece.below) && !self.target_folders.is_there(folder).await? {
            return self.enter_folder(&piece, name, true).await;
        }
        let target_folder = self.target_folders.at(folder).await?.clone();
        let over = |report| Ok(CopyOutcome::Over(Box::new(report)));
        match landing(self.job.if_exists, Op::Copy, entry, &target_folder, folder, name)? {
            Resolution::Skip(there, reason) => over(self.skipped_report(shown, &folder.join(name)?, &there, reason)),
            Resolution::Merge => self.enter_folder(&piece, name, false).await,
            Resolution::Free(name) if entry.is_folder() && !self.copies_folders() => self.enter_folder(&piece, &name, true).await,
            Resolution::Free(name) if self.job.dry_run => over(self.planned_report("copy", shown, &folder.join(&name)?, entry)),
            Resolution::Replace(old) if self.job.dry_run => over(self.planned_report("replace", shown, &folder.join(&old.name)?, entry)),
            Resolution::Free(name) => {
                let copy = self.copy_as(entry, &target_folder, &name).await?;
                over(self.report_copied(&piece, copy).await?)
            }
            Resolution::Replace(old) => {
                let copy = self.replace_by_copy(entry, &target_folder, &old).await?;
                self.target_folders.at(folder).await?.children.retain(|e| e.id != old.id);
                over(self.report_copied(&piece, copy).await?)
            }
        }
    }

    async fn report_copied(&mut self, piece: &CopyTask, copy: Entry) -> Result<Report> {
        let path = safe_child_path(&piece.folder, &copy.name);
        let report =
            Report::Copied(self.placed_report(&piece.shown, &path, &Entry { size: copy.size.or(piece.entry.size), ..copy.clone() }));
        self.target_folders.at(&piece.folder).await?.children.push(copy);
        Ok(report)
    }

    /// The entries of the folder, which go into the folder of that name; it is made if it is `new`.
    async fn enter_folder(&mut self, piece: &CopyTask, name: &str, new: bool) -> Result<CopyOutcome> {
        let path = piece.folder.join(name)?;
        check_depth(&piece.entry, piece.above.iter().map(String::as_str))?;
        // Listed before the new one is made.
        let (children, left_out) = self.job.client.list_whole(&piece.entry).await?;
        if let Some(error) = left_out {
            self.report_failure(&piece.shown, Some(&path), &error);
        }
        // Where single files are chosen a folder is made with the first that goes into it.
        if self.job.filter.takes_folder(&piece.below) {
            let made = self.target_folders.at(&path).await?.folder.clone();
            if new {
                self.target_folders.at(&piece.folder).await?.children.push(made.clone());
            }
            if children.is_empty() && new {
                let report = match self.job.dry_run {
                    true => self.planned_report("copy", &piece.shown, &path, &piece.entry),
                    false => Report::Copied(self.placed_report(&piece.shown, &path, &made)),
                };
                return Ok(CopyOutcome::Over(Box::new(report)));
            }
        }
        let shown = |child: &Entry| format!("{}/{}", piece.shown.trim_end_matches('/'), child.name);
        let above: Arc<[String]> = piece.above.iter().chain([&piece.entry.id]).cloned().collect();
        let inside = |child: Entry| CopyTask {
            shown: shown(&child),
            folder: path.clone(),
            name: child.name.clone(),
            above: above.clone(),
            below: if piece.below.is_empty() { child.name.clone() } else { format!("{}/{}", piece.below, child.name) },
            entry: child,
        };
        let mut pieces: Vec<CopyTask> = children.into_iter().map(inside).collect();
        if self.job.filter.is_active() {
            pieces = self.only_fitting(pieces).await;
        }
        // Taken from the end.
        pieces.sort_by(|a, b| b.name.cmp(&a.name).then_with(|| b.entry.id.cmp(&a.entry.id)));
        Ok(CopyOutcome::Opened(pieces))
    }

    /// What fits; of the rest is told what becomes of it.
    async fn only_fitting(&mut self, pieces: Vec<CopyTask>) -> Vec<CopyTask> {
        let (filter, jobs) = (self.filter(), self.job.jobs);
        let judged: Vec<(Entry, String)> = pieces.iter().map(|piece| (piece.entry.clone(), piece.below.clone())).collect();
        let verdicts = filter.judge_all(&judged, jobs).await;
        let mut fitting = Vec::new();
        for (piece, verdict) in pieces.into_iter().zip(verdicts) {
            let verdict = match piece.entry.is_folder() {
                true => filter.filter.closes(&piece.below).map_or(FilterDecision::Takes, FilterDecision::LeavesOut),
                false => verdict,
            };
            if self.admits(&piece.shown, &safe_child_path(&piece.folder, &piece.name), &piece.entry, verdict) {
                fitting.push(piece);
            }
        }
        fitting
    }

    /// Can the server take a folder as a whole? Not where only some of it is wanted.
    fn copies_folders(&self) -> bool {
        !self.job.filter.is_active() && self.job.client.has(|can| can.copies_folders)
    }

    /// Copies into the target folder, under a name that is free there.
    pub(crate) async fn copy_as(&mut self, entry: &Entry, target_folder: &TargetFolder, name: &str) -> Result<Entry> {
        if entry.name != name && target_folder.has(&entry.name) && !self.allows_duplicate_names() {
            return self.copy_via_temp_folder(entry, target_folder, name).await;
        }
        let copy = self.hands.copy_into(entry, &target_folder.folder, &target_folder.children).await;
        let copy = copy.map_err(|e| if entry.name == name { e } else { may_be_at(e, "a copy", target_folder, &entry.name) })?;
        if copy.name == name || entry.name == name {
            return Ok(copy);
        }
        match self.hands.rename(&copy, Some(&target_folder.folder), name).await {
            Ok(named) => Ok(named),
            Err(failure) => {
                let left = format!("the copy is complete, but still named {:?} (@{})", copy.name, copy.id);
                Err(roll_back(failure, left, async || self.hands.remove(&copy, Some(&target_folder.folder)).await).await)
            }
        }
    }

    /// What could not be used may have been made all the same.
    async fn remove_temp_folder(&self, failure: Error, target_folder: &TargetFolder, spare: &str) -> Error {
        let left = format!("an empty folder {spare:?} may be left");
        let Ok(listed) = self.job.client.check(|p| p.list(&target_folder.folder)).await else {
            return partially_done(failure, left);
        };
        let Some(made) = { listed }.find(|e| e.name == spare) else { return failure };
        roll_back(failure, left, async || self.hands.remove(&made, Some(&target_folder.folder)).await).await
    }

    /// A copy has the name of its original, which is taken in the folder it goes to (by the original itself, as a rule):
    /// it gets its new name in a folder of its own, which then goes.
    async fn copy_via_temp_folder(&mut self, entry: &Entry, target_folder: &TargetFolder, name: &str) -> Result<Entry> {
        let spare = self.target_folders.temp_name(target_folder);
        let detour = match self.target_folders.folder(target_folder, &spare).await {
            Ok(detour) => detour,
            Err(failure) => return Err(self.remove_temp_folder(failure, target_folder, &spare).await),
        };
        let brought = async {
            let copy = self.hands.copy_into(entry, &detour, &[]).await?;
            let named = self.hands.rename(&copy, Some(&detour), name).await?;
            self.hands.move_into(&named, &target_folder.folder).await
        };
        let brought = brought.await;
        let cleared = self.hands.remove(&detour, Some(&target_folder.folder)).await;
        match (brought, cleared) {
            (Ok(copy), Ok(())) => Ok(copy),
            (Ok(_), Err(e)) => {
                Err(partially_done(e, format!("the copy is in place, but the empty folder {:?} is left beside it", detour.name)))
            }
            (Err(e), Ok(())) => Err(e),
            (Err(e), Err(_)) => Err(partially_done(e, format!("the folder {:?} is left, and may hold a copy", detour.name))),
        }
    }
}
