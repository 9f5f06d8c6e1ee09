//! A name that was taken while the file was being sent. `--if-exists` decides once more, by what is there now.

use super::conflict::Decision;
use super::file::PreparedUpload;
use super::plan::PutItem;
use super::run::PutRun;
use crate::error::{Error, Result};
use crate::model::{Event, Report};
use crate::transfer::upload::journal::Journal;

impl PutRun {
    /// Prepares `ready` for another upload, or returns the reason why there is none. `why` is the failure of the upload before.
    pub(super) async fn decide_anew(&self, item: &PutItem, ready: &mut PreparedUpload, why: &Error) -> Result<Option<Report>> {
        self.job.client.events.send(Event::Note(format!("{why}; so haul decides anew")));
        let folder = self.folders().refresh(&item.folder).await?;
        // The entry that took the name may be gone again, and the name is still reserved for this file.
        let decision = match folder.find_by_name(&ready.item.name).next() {
            None => Decision::Upload { name: ready.item.name.clone(), replaces: None },
            Some(_) => self.decide(item, ready.journal.as_ref().map(Journal::source), &folder).await?,
        };
        let (name, replaces) = match decision {
            Decision::Upload { name, replaces } => (name, replaces.map(|old| *old)),
            Decision::Skip(skip) => return self.pass_over(item, skip).await.map(Some),
        };
        if let Some(journal) = &ready.journal {
            journal.record_planned(&name, replaces.as_ref(), folder.find_by_name(&name).map(|e| e.id.clone()).collect())?;
        }
        let request = &mut ready.item;
        (request.name, request.replaces, request.reusable) = (name, replaces, None);
        (request.folder, request.siblings) = (folder.entry.clone(), folder.children.clone());
        Ok(None)
    }
}
