//! Prepares small files together, if a provider makes many entries by one request: for a small file a request takes longer than
//! its bytes.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::file::{FilePlan, PreparedUpload};
use super::options::{HANDLES, HANDLES_FOR_A_FILE};
use super::plan::PutItem;
use super::run::PutRun;
use crate::contract::UploadRequest;
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::{Event, Report};
use crate::transfer::source::SourceSpec;
use crate::transfer::upload::journal::Journal;

/// In bytes. A larger file takes longer than the request that is saved.
const SMALL: u64 = 1 << 20;
/// Each prepared file is open and locked until it is sent.
const MAX_BATCH: usize = 50;
const HANDLES_OF_ONE: u64 = 2;
/// One batch is sent while the next is prepared.
const BATCHES: u64 = 2;

/// How many small files are prepared together, while `jobs` other files are being sent.
#[cfg(unix)]
pub(crate) fn batch_size(jobs: usize) -> usize {
    use rustix::process::{Resource, getrlimit};
    let Some(all) = getrlimit(Resource::Nofile).current else { return MAX_BATCH };
    let left = all.saturating_sub(HANDLES + jobs as u64 * HANDLES_FOR_A_FILE) / (BATCHES * HANDLES_OF_ONE);
    MAX_BATCH.min(usize::try_from(left).unwrap_or(MAX_BATCH)).max(1)
}

#[cfg(not(unix))]
pub(crate) fn batch_size(_: usize) -> usize {
    MAX_BATCH
}

/// What is sent next.
pub(super) enum NextFiles {
    One(PutItem),
    /// Several files that are prepared together.
    Small(Vec<PutItem>),
}

/// Collects small files for a batch; each large file, and a single small one, goes alone.
pub(super) struct BatchBuilder {
    small: Vec<PutItem>,
    /// The size of a batch; none if there are no batches.
    together: Option<usize>,
}

impl BatchBuilder {
    pub(super) fn new(together: Option<usize>) -> BatchBuilder {
        BatchBuilder { small: Vec::new(), together }
    }

    /// None: the file waits for others.
    pub(super) fn add(&mut self, item: PutItem) -> Option<NextFiles> {
        let Some(together) = self.together.filter(|_| is_small(&item)) else { return Some(NextFiles::One(item)) };
        self.small.push(item);
        if self.small.len() >= together { self.take() } else { None }
    }

    /// Returns the waiting files, because no other file comes.
    pub(super) fn take(&mut self) -> Option<NextFiles> {
        let mut small = std::mem::take(&mut self.small);
        match small.len() {
            0 | 1 => small.pop().map(NextFiles::One),
            _ => Some(NextFiles::Small(small)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.small.is_empty()
    }
}

fn is_small(item: &PutItem) -> bool {
    !matches!(item.origin, SourceSpec::Stdin) && item.size.is_some_and(|size| size <= SMALL)
}

/// Small files that are prepared together.
pub(super) struct Batch {
    pub(super) ready: Vec<(FileId, PutItem, PreparedUpload)>,
    /// Another run is uploading to the places of these files.
    pub(super) busy: Vec<(FileId, PutItem)>,
}

/// A batch that is being prepared.
pub(super) struct BatchAhead {
    files: Vec<(FileId, String)>,
    batch: AbortOnDropHandle<Batch>,
}

impl PutRun {
    /// Starts the preparation of the files.
    pub(super) fn make_ready(self: &Arc<Self>, small: Vec<(FileId, PutItem)>) -> BatchAhead {
        let (run, files) = (self.clone(), small.iter().map(|(id, item)| (*id, item.display_source())).collect());
        BatchAhead { files, batch: AbortOnDropHandle::new(tokio::spawn(async move { run.prepare_batch(small).await })) }
    }

    pub(super) async fn join_batch(&self, ahead: BatchAhead) -> Batch {
        ahead.batch.await.unwrap_or_else(|broken| {
            let error = Error::new(Kind::Other, "a defect of haul ended the work on this file").with_cause(broken);
            ahead.files.iter().for_each(|(id, shown)| self.report_failure(*id, shown, None, &error));
            Batch { ready: Vec::new(), busy: Vec::new() }
        })
    }

    /// How many small files are prepared together, while `jobs` others are being sent. None: each file is prepared alone.
    pub(crate) fn batch_size(&self, jobs: usize) -> Option<usize> {
        let most = self.job.client.inspect(|provider| provider.abilities().batch_creation.map(|batch| batch.most()));
        most.filter(|_| !self.job.options.dry_run).map(|most| batch_size(jobs).min(most))
    }

    /// Decides about each file and opens it; a file that needs nothing more is reported here. Returns the prepared files, and
    /// those that another run is uploading: their locks are waited for when no other lock is held.
    async fn prepare_batch(&self, small: Vec<(FileId, PutItem)>) -> Batch {
        let (mut ready, mut busy) = (Vec::new(), Vec::new());
        for (id, item) in small {
            match self.prepare_one(&item).await {
                Ok(BatchOutcome::Ready(one)) => ready.push((id, item, *one)),
                Ok(BatchOutcome::Over(report)) => self.conclude(id, &item, Ok(*report)),
                Ok(BatchOutcome::Busy) => busy.push((id, item)),
                Err(error) => self.conclude(id, &item, Err(error)),
            }
        }
        // A file that an earlier run has begun has its entry already.
        let together = ready.iter().map(|(_, _, one)| one).filter(|one| one.fresh && one.item.source.size().is_some());
        let (items, journals): (Vec<UploadRequest>, Vec<Option<Journal>>) =
            together.map(|one| (one.item.clone(), one.journal.clone())).unzip();
        if items.len() > 1 {
            self.commit_all(journals.iter().flatten()).await;
            self.create_entries(&items).await;
        }
        Batch { ready, busy }
    }

    async fn prepare_one(&self, item: &PutItem) -> Result<BatchOutcome> {
        self.check_running(item)?;
        match self.prepare(item, false).await? {
            FilePlan::Done(report) => Ok(BatchOutcome::Over(report)),
            FilePlan::Busy => Ok(BatchOutcome::Busy),
            FilePlan::Send(way) => {
                let mut one = self.open_source(item, *way).await?;
                one.item.checksum = self.checksum(&item.origin, one.item.source.as_ref(), one.sent.take()).await?;
                Ok(BatchOutcome::Ready(Box::new(one)))
            }
        }
    }

    /// Writes all plans to the disk before any entry is made.
    async fn commit_all<'a>(&self, journals: impl Iterator<Item = &'a Journal>) {
        for journal in journals {
            if let Err(e) = journal.commit().await {
                self.job.client.events.send(Event::Warning(format!("the plan could not be recorded: {e}")));
            }
        }
    }

    /// A failure is not reported: each file is tried on its own then, and reports its own failure.
    async fn create_entries(&self, items: &[UploadRequest]) {
        let create = self.job.client.call(|p| async move { p.abilities().batch_creation()?.create_batch(items).await });
        if let Err(error) = create.await
            && error.kind() != Kind::Auth
        {
            self.job.client.events.send(Event::Note(format!("these files are started one by one: {error}")));
        }
    }

    pub(crate) fn report_orphans(&self) {
        let left = self.job.client.inspect(|provider| provider.abilities().batch_creation.map(|batch| batch.orphans())).unwrap_or_default();
        if left.is_empty() {
            return;
        }
        let remote = &self.job.target.remote;
        let shown: Vec<String> = left.iter().take(MAX_REPORTED).map(|id| format!("{remote}:{id}")).collect();
        let more = if left.len() > MAX_REPORTED { format!(" and {} more", left.len() - MAX_REPORTED) } else { String::new() };
        self.job.client.events.send(Event::Warning(format!("empty entries stay on the server: {}{more}", shown.join(", "))));
    }
}

/// The largest number of left-over entries that the message names.
const MAX_REPORTED: usize = 10;

enum BatchOutcome {
    Ready(Box<PreparedUpload>),
    Over(Box<Report>),
    Busy,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemotePath;

    fn item(size: Option<u64>, origin: SourceSpec) -> PutItem {
        PutItem { origin, folder: RemotePath::root(), name: "x".into(), size }
    }

    fn file(size: u64) -> PutItem {
        item(Some(size), SourceSpec::File("x".into()))
    }

    fn shape(items: Vec<PutItem>, together: bool) -> Vec<usize> {
        let size = |group: NextFiles| match group {
            NextFiles::One(_) => 1,
            NextFiles::Small(items) => items.len(),
        };
        let mut company = BatchBuilder::new(together.then_some(MAX_BATCH));
        let mut sizes: Vec<usize> = items.into_iter().filter_map(|item| company.add(item)).map(size).collect();
        sizes.extend(company.take().map(size));
        assert!(company.is_empty());
        sizes
    }

    #[test]
    fn small_files_come_together_and_large_ones_alone() {
        let many = || (0..120).map(|_| file(SMALL)).collect::<Vec<_>>();
        assert_eq!(shape(many(), true), [50, 50, 20]);
        assert_eq!(shape(many(), false).len(), 120);
        assert_eq!(shape(vec![file(0), file(SMALL + 1), file(1), item(Some(3), SourceSpec::Stdin)], true), [1, 1, 2]);
        assert_eq!(shape(vec![file(1)], true), [1]);
        assert_eq!(shape(vec![], true), [0; 0]);
    }
}
