//! A `get` of files that somebody else chooses while they are fetched (`sync`).

use std::sync::Arc;

use super::local::{Local, create_dirs_safely};
use super::{GetItem, GetOptions, GetRun, GetSource, report_failed};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, EntryKind, Event, RemotePath};
use crate::transfer::steps_ahead::{StepSender, StepsAhead, Totals};
use crate::transfer::task_set::TaskSet;

/// What is to be done next, seen from the user's own folder.
pub(in crate::transfer) enum SelectedStep {
    /// A folder that no file makes.
    Folder(RemotePath),
    /// A file, and the folder that it lands in.
    File(RemotePath, Box<Entry>),
}

/// Files of one source that are to be fetched.
pub(in crate::transfer) struct SelectedFiles {
    steps: StepsAhead<SelectedStep>,
    totals: Arc<Totals>,
}

/// Hands over what is to be done.
pub(in crate::transfer) struct SelectedSender {
    pub sender: StepSender<SelectedStep>,
    totals: Arc<Totals>,
}

fn count(totals: &Totals, step: &SelectedStep) {
    if let SelectedStep::File(_, file) = step {
        totals.count(file.size);
    }
}

impl SelectedSender {
    /// Waits where what is fetched is far behind.
    pub async fn send(&mut self, step: SelectedStep) {
        count(&self.totals, &step);
        self.sender.send(step).await;
    }
}

impl SelectedFiles {
    /// All that is known already.
    pub fn whole(steps: Vec<SelectedStep>) -> SelectedFiles {
        let totals = Arc::<Totals>::default();
        let steps = StepsAhead::whole(steps.into_iter().inspect(|step| count(&totals, step)));
        SelectedFiles { steps, totals }
    }

    /// What somebody sends. `hold`: as [`StepsAhead::channel`].
    pub fn channel(hold: usize) -> (SelectedSender, SelectedFiles) {
        let (sender, steps) = StepsAhead::channel(hold);
        let totals = Arc::<Totals>::default();
        (SelectedSender { sender, totals: totals.clone() }, SelectedFiles { steps, totals })
    }
}

/// As [`super::get`], for some of the files of one source, into the folder `local`.
pub(in crate::transfer) async fn get_selected(source: GetSource, local: &str, selected: SelectedFiles, options: GetOptions) -> Result<()> {
    let (run, origins) = GetRun::begin(vec![source], Local::of(local, true)?, options).await?;
    if let Some(origin) = origins.into_iter().next() {
        run.carry_out_selected(Arc::new(origin), selected).await;
    }
    Ok(())
}

impl GetRun {
    async fn carry_out_selected(self: Arc<Self>, origin: Arc<GetSource>, selected: SelectedFiles) {
        let SelectedFiles { mut steps, totals } = selected;
        let (mut flying, mut told) = (TaskSet::default(), None);
        loop {
            let step = steps.next().await;
            let planned = totals.so_far();
            if told.replace(planned) != Some(planned) {
                origin.client.events.send(Event::Planned { files: planned.0, bytes: planned.1 });
            }
            match step {
                Ok(Some(SelectedStep::Folder(folder))) => self.make_folder(&origin, &folder),
                Ok(Some(SelectedStep::File(folder, file))) => {
                    let (below, name) = (folder.names().to_vec(), file.name.clone());
                    self.spawn(&mut flying, GetItem { origin: origin.clone(), file: *file, below, name }).await;
                }
                Ok(None) => break,
                Err(e) => {
                    let error = Error::new(Kind::Other, "the source could not be read to its end").with_cause(e);
                    report_failed(self.next_id(), &origin, &origin.entry, &error);
                    break;
                }
            }
        }
        while !flying.is_empty() {
            self.report_panic(flying.join_next().await);
        }
    }

    fn make_folder(&self, origin: &GetSource, folder: &RemotePath) {
        let made = self.top().and_then(|top| create_dirs_safely(&top, folder.names(), !self.options.dry_run));
        if let Err(error) = made {
            report_failed(self.next_id(), origin, &Entry::new(EntryKind::Folder, "", origin.entry.path.join_path(folder)), &error);
        }
    }
}
