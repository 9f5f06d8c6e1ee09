//! A `get` of files that somebody else has chosen (`sync`).

use std::sync::Arc;

use super::local::{Local, create_dirs_safely};
use super::{GetItem, GetOptions, GetRun, GetSource, tell_failed};
use crate::error::Result;
use crate::model::{Entry, EntryKind, Event, RemotePath};
use crate::transfer::task_set::TaskSet;

/// Files of one source that are to be fetched, each with the folder that it lands in, seen from the user's own.
pub(in crate::transfer) struct SelectedFiles {
    /// Those that no file makes.
    pub folders: Vec<RemotePath>,
    pub files: Box<dyn Iterator<Item = (RemotePath, Entry)> + Send>,
    pub count: u64,
    pub bytes: u64,
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
    /// Makes the folders, then fetches the files.
    async fn carry_out_selected(self: Arc<Self>, origin: Arc<GetSource>, selected: SelectedFiles) {
        let SelectedFiles { folders, files, count, bytes } = selected;
        origin.client.events.tell(Event::Planned { files: count, bytes });
        for folder in folders {
            let made = self.top().and_then(|top| create_dirs_safely(&top, folder.names(), !self.options.dry_run));
            if let Err(error) = made {
                tell_failed(self.next_id(), &origin, &Entry::new(EntryKind::Folder, "", origin.entry.path.join_path(&folder)), &error);
            }
        }
        let mut flying = TaskSet::default();
        for (folder, file) in files {
            let (below, name) = (folder.names().to_vec(), file.name.clone());
            self.spawn(&mut flying, GetItem { origin: origin.clone(), file, below, name }).await;
        }
        while !flying.is_empty() {
            self.report_panic(flying.join_next().await);
        }
    }
}
