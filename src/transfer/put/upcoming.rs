//! What comes next of a plan: files under the names that they will have, the small ones together, and the totals as they
//! grow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::batch::{BatchBuilder, NextFiles};
use super::placement::Placement;
use super::plan::{PlanStep, PutItem};
use super::plan_stream::PlanStream;
use super::run::PutRun;
use crate::error::{Error, Result};
use crate::model::{Event, RemotePath};

/// Small files wait so long for company from a walk that is slow.
pub(super) const GATHER: Duration = Duration::from_millis(100);

pub(super) enum Next {
    Send(NextFiles),
    Rejected(String, Error),
}

pub(super) struct Upcoming {
    run: Arc<PutRun>,
    steps: PlanStream,
    /// None once all steps have come.
    placement: Option<Placement>,
    /// Files that waited until all others were known.
    late: VecDeque<std::result::Result<PutItem, (String, Error)>>,
    small: BatchBuilder,
    empty_folders: Vec<RemotePath>,
    told: Option<(u64, u64)>,
}

impl Upcoming {
    pub(super) fn new(steps: PlanStream, run: &Arc<PutRun>, jobs: usize) -> Upcoming {
        Upcoming {
            run: run.clone(),
            steps,
            placement: Some(Placement::new()),
            late: VecDeque::new(),
            small: BatchBuilder::new(run.batch_size(jobs)),
            empty_folders: Vec::new(),
            told: None,
        }
    }

    /// None at the end.
    pub(super) async fn next(&mut self) -> Option<Next> {
        loop {
            let step = match self.small.is_empty() {
                true => self.steps.next().await,
                false => match timeout(GATHER, self.steps.next()).await {
                    Ok(step) => step,
                    Err(_) => return self.small.take().map(Next::Send),
                },
            };
            self.tell_totals();
            let next = match step {
                Some(step) => self.next_of(step),
                None => match self.take_late() {
                    Some(late) => {
                        late.map_or_else(|(shown, error)| Some(Next::Rejected(shown, error)), |item| self.small.add(item).map(Next::Send))
                    }
                    None => return self.small.take().map(Next::Send),
                },
            };
            if next.is_some() {
                return next;
            }
        }
    }

    /// Folders that no file of the plan has made, as far as it has come.
    pub(super) fn into_empty_folders(self) -> Vec<RemotePath> {
        self.empty_folders
    }

    fn next_of(&mut self, step: PlanStep) -> Option<Next> {
        match step {
            PlanStep::Put(item) => {
                let shown = item.display_source();
                match self.place(item) {
                    Ok(item) => self.small.add(item?).map(Next::Send),
                    Err(error) => Some(Next::Rejected(shown, error)),
                }
            }
            PlanStep::EmptyFolder(folder) => {
                let placed = self.placement.as_mut().map_or(Ok(folder.clone()), |placement| placement.folder(&self.run.stored, &folder));
                match placed {
                    Ok(placed) => self.empty_folders.push(placed),
                    Err(error) => return Some(Next::Rejected(folder.to_string(), error)),
                }
                None
            }
            PlanStep::Rejected(shown, error) => Some(Next::Rejected(shown, error)),
            PlanStep::LeftOut(note) => {
                self.run.job.client.events.send(Event::Note(note));
                None
            }
            PlanStep::Special(note) => {
                self.run.job.client.events.send(Event::Warning(note));
                None
            }
        }
    }

    fn place(&mut self, item: PutItem) -> Result<Option<PutItem>> {
        match &mut self.placement {
            Some(placement) => placement.place(&self.run.stored, item),
            None => Ok(Some(item)),
        }
    }

    fn take_late(&mut self) -> Option<std::result::Result<PutItem, (String, Error)>> {
        if let Some(placement) = self.placement.take() {
            self.late = placement.rest().collect();
        }
        self.late.pop_front()
    }

    fn tell_totals(&mut self) {
        let totals = self.steps.totals();
        if self.told != Some(totals) {
            self.told = Some(totals);
            let (files, bytes) = totals;
            self.run.job.client.events.send(Event::Planned { files, bytes });
        }
    }
}
