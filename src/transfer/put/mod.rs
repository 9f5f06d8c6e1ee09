//! The whole of a `put`: plan, folders, limits, then several files at once. The result of each file is an event; a failure of
//! the whole run is returned as the error.

pub(crate) mod batch;
#[doc(hidden)]
pub mod confirmation_queue;
pub(crate) mod conflict;
pub(crate) mod cross_remote;
pub(crate) mod file;
mod listed;
mod open_source;
mod options;
mod placement;
pub(crate) mod plan;
pub(crate) mod plan_stream;
pub(crate) mod previous;
mod remembered;
pub(crate) mod run;
mod server_copy;
pub(crate) mod session;
pub(crate) mod settle;
mod taken_name;
#[cfg(test)]
mod tests;
mod upcoming;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

pub use self::options::{ChecksumMode, HANDLES, HANDLES_FOR_A_FILE, PutJob, PutOptions};

use self::batch::{Batch, BatchAhead, NextFiles};
use self::file::PreparedUpload;
use self::listed::ListedFiles;
use self::plan::{NamedSources, PlannedSource, PutItem, inspect_sources, plan_uploads, target_is_folder};
use self::plan_stream::PlanStream;
use self::run::PutRun;
use self::session::PutSessions;
use self::upcoming::{GATHER, Next, Upcoming};
use super::source::hashing::tell_hashing;
use super::task_set::{TaskSet, file_span};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::{Event, RemotePath};

/// Puts `sources`. An error means that nothing was sent; failures of single files are events.
///
/// # Errors
/// Nothing was sent: `Usage` or `NotFound` for a source or a target that can't be used, `Auth` or `Refused` from the account,
/// `Exists` where a file is in the way of a folder.
pub async fn put(job: PutJob, sources: &[String]) -> Result<()> {
    put_chosen(None, job, sources, None).await
}

/// As [`put`], but only the files in `list`: those below the sources, or without sources those below the working directory.
/// `sessions` is what several puts of this process share.
pub(crate) async fn put_chosen(
    sessions: Option<Arc<PutSessions>>,
    job: PutJob,
    sources: &[String],
    list: Option<Vec<PathBuf>>,
) -> Result<()> {
    let NamedSources { found, unfit } = inspect_sources(sources)?;
    let (run, exists) = PutRun::begin_among(sessions, job).await?;
    let (target, filter) = (run.job.target.place.path.clone(), run.job.options.filter.clone());
    let as_folder = exists || target_is_folder(&found, unfit.len(), run.job.target.folder);
    let unfit = unfit.into_iter().map(|(shown, error)| PlannedSource::Rejected(shown, error));
    if let Some(lines) = list {
        let (unfit, listed) = (unfit.collect::<Vec<_>>(), ListedFiles::new(lines, &found, &target, &filter)?);
        run.execute(PlanStream::of(move || unfit.into_iter().flat_map(PlannedSource::steps).chain(listed.steps()))).await;
        return Ok(());
    }
    let mut planned: Vec<PlannedSource> = unfit.collect();
    let size = run.job.options.stdin_size;
    let laid_out = tokio::task::spawn_blocking(move || plan_uploads(&found, &target, as_folder, size, &filter));
    planned.extend(laid_out.await.map_err(|e| Error::new(Kind::Other, "the sources could not be read").with_cause(e))??);
    run.execute(PlanStream::walk(planned)).await;
    Ok(())
}

impl PutRun {
    /// Returns true if every empty folder of the plan exists now; the result of each file is an event.
    pub(in crate::transfer) async fn execute(self: &Arc<Self>, steps: PlanStream) -> bool {
        let run = self.clone();
        // On the threads that send, because each file that is begun from another thread wakes one of them.
        let work = AbortOnDropHandle::new(tokio::spawn(async move { run.send_all(steps).await }));
        match work.await {
            Ok(all_made) => all_made,
            Err(broken) => match broken.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => false,
            },
        }
    }

    async fn send_all(self: Arc<Self>, steps: PlanStream) -> bool {
        let mut ids = 0..;
        let mut next_id = || ids.next().unwrap_or_default();
        let mut upcoming = Upcoming::new(steps, &self, self.at_once.most());
        let mut crew = TaskSet::default();
        // Prepared while the files before them are sent.
        let mut ahead: Option<BatchAhead> = None;
        loop {
            let next = match ahead.is_some() {
                true => timeout(GATHER, upcoming.next()).await,
                false => Ok(upcoming.next().await),
            };
            let small = match next {
                Ok(Some(Next::Send(NextFiles::Small(items)))) => items.into_iter().map(|item| (next_id(), item)).collect(),
                Ok(other) => {
                    self.send_batch(ahead.take(), &mut crew, None).await;
                    match other {
                        Some(Next::Send(NextFiles::One(item))) => {
                            let (run, id, shown) = (self.clone(), next_id(), item.display_source());
                            self.spawn(&mut crew, (id, shown), async move { run.process(id, item).await }).await;
                        }
                        Some(Next::Rejected(shown, error)) => {
                            self.stop.failure(&self.job.remote_key, &error);
                            self.report_failure(next_id(), &shown, None, &error);
                        }
                        Some(Next::Send(NextFiles::Small(_))) | None => break,
                    }
                    continue;
                }
                // The walk is slow: the prepared files do not wait for it.
                Err(_) => {
                    self.send_batch(ahead.take(), &mut crew, None).await;
                    continue;
                }
            };
            ahead = self.send_batch(ahead.take(), &mut crew, Some(small)).await;
        }
        while !crew.is_empty() {
            self.wait_for(&mut crew).await;
        }
        self.report_orphans();
        let mut all_made = true;
        for folder in upcoming.into_empty_folders() {
            let made = match self.stop.check(&self.job.remote_key) {
                Ok(()) => self.empty_folder(&folder).await,
                Err(stopped) => Err(stopped),
            };
            match made {
                Ok(made) => all_made &= made,
                Err(error) => {
                    all_made = false;
                    self.stop.failure(&self.job.remote_key, &error);
                    self.report_failure(next_id(), &folder.to_string(), Some(&folder), &error);
                }
            }
        }
        self.warn_of_folders_left_out();
        all_made
    }

    /// One warning for all of them: the folders are missing there although the command succeeds.
    fn warn_of_folders_left_out(&self) {
        let title = self.job.client.info().title;
        let which = match self.folders_left_out.load(Ordering::Relaxed) {
            0 => return,
            1 => "1 empty folder is".to_owned(),
            count => format!("{count} empty folders are"),
        };
        let events = &self.job.client.events;
        events.send(Event::Warning(format!("{which} left out: {title} makes folders only for files; -v names each")));
    }

    /// Sends the files of `batch`, and prepares `next` meanwhile. If another run is uploading one of the files, its lock is
    /// waited for, and no locks of further files are held then.
    async fn send_batch(
        self: &Arc<Self>,
        batch: Option<BatchAhead>,
        crew: &mut TaskSet<(FileId, String)>,
        mut next: Option<Vec<(FileId, PutItem)>>,
    ) -> Option<BatchAhead> {
        let mut ahead = None;
        if let Some(batch) = batch {
            let Batch { ready, busy } = self.join_batch(batch).await;
            if busy.is_empty() {
                ahead = next.take().map(|next| self.make_ready(next));
            }
            for (id, item, ready) in ready {
                let (run, shown) = (self.clone(), item.display_source());
                self.spawn(crew, (id, shown), async move { run.send_prepared(id, item, ready).await }).await;
            }
            for (id, item) in busy {
                let (run, shown) = (self.clone(), item.display_source());
                self.spawn(crew, (id, shown), async move { run.process(id, item).await }).await;
            }
        }
        if let Some(next) = next {
            // The files are opened and locked shortly before they are sent, not while a large file takes hours.
            self.wait_for_slot(crew).await;
            ahead = Some(self.make_ready(next));
        }
        ahead
    }

    async fn wait_for_slot(&self, crew: &mut TaskSet<(FileId, String)>) {
        while !self.confirmations.has_room(crew.len(), self.at_once.files()) {
            self.at_once.full();
            self.wait_for(crew).await;
        }
        if self.sessions.is_none() {
            self.confirmations.has_more();
        }
    }

    /// Waits until one of the files has ended, or is sent and only waits for its confirmation.
    async fn wait_for(&self, crew: &mut TaskSet<(FileId, String)>) {
        // With several puts in one process only their caller knows whether more files follow.
        if self.sessions.is_none() {
            self.confirmations.full(crew.len());
        }
        tokio::select! {
            over = crew.join_next() => self.report_panic(over),
            () = self.confirmations.wait_for_change() => {}
        }
    }

    /// Starts the work on a file as soon as there is room for it.
    async fn spawn(&self, crew: &mut TaskSet<(FileId, String)>, on: (FileId, String), flight: impl Future<Output = ()> + Send + 'static) {
        self.wait_for_slot(crew).await;
        let span = file_span(&on.1);
        crew.spawn(on, flight.instrument(span));
    }

    fn report_panic(&self, broken: Option<((FileId, String), Error)>) {
        if let Some(((id, shown), error)) = broken {
            self.report_failure(id, &shown, None, &error);
        }
    }

    async fn process(&self, id: FileId, item: PutItem) {
        let outcome = match self.check_running(&item) {
            Ok(()) => {
                let work = self.upload_file(id, &item);
                tell_hashing(&self.job.client.events, id, item.display_source(), item.size, work).await
            }
            Err(stopped) => Err(stopped),
        };
        self.conclude(id, &item, outcome);
    }

    /// The remaining work for a prepared file.
    async fn send_prepared(&self, id: FileId, item: PutItem, ready: PreparedUpload) {
        let outcome = match self.check_running(&item) {
            Ok(()) => {
                self.announce(id, &item, &ready);
                self.send(id, &item, ready).await
            }
            Err(stopped) => Err(stopped),
        };
        self.conclude(id, &item, outcome);
    }

    async fn empty_folder(&self, path: &RemotePath) -> Result<bool> {
        if !self.job.client.has(|can| can.folders.is_some()) {
            self.folders_left_out.fetch_add(1, Ordering::Relaxed);
            let note = format!("{path}: this folder is empty, and is left out");
            self.job.client.events.send(Event::Note(note));
            return Ok(false);
        }
        self.folders().ensure(path).await.map(|_| true)
    }
}
