//! Names as the provider will store them. Asked once where names of targets come in: every look, every decision about a
//! taken name, every folder and every note of a run then speaks of the name that will be there.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::client::RemoteClient;
use super::put::plan::Plan;
use crate::error::{Error, Kind, Result};
use crate::model::{Event, RemotePath};

pub struct StoredNames {
    client: RemoteClient,
    told: Mutex<HashSet<String>>,
}

impl StoredNames {
    pub fn new(client: RemoteClient) -> StoredNames {
        StoredNames { client, told: Mutex::default() }
    }

    /// Warns of a changed name, once.
    pub fn name(&self, name: &str) -> String {
        let stored = self.client.inspect(|p| p.stored_name(name));
        if stored != name && self.told.lock().insert(name.to_owned()) {
            let title = self.client.info().title;
            self.client.events.tell(Event::Warning(format!("{title} stores {name:?} as {stored:?}")));
        }
        stored.into_owned()
    }

    pub fn path(&self, path: &RemotePath) -> Result<RemotePath> {
        path.map_names(|name| self.name(name))
    }

    /// Where two files would land on one place, or a file on a folder, only because their names change, the one whose name
    /// changes is unfit; of two such the second.
    pub(super) fn plan(&self, plan: Plan) -> Result<Plan> {
        let Plan { items, empty_folders, mut unfit, left_out } = plan;
        let mut placed = Vec::new();
        for mut item in items {
            let wished = item.folder.join(&item.name)?;
            item.folder = self.path(&item.folder)?;
            item.name = self.name(&item.name);
            let path = item.folder.join(&item.name)?;
            placed.push((path != wished, path, item));
        }
        let empty_folders = empty_folders.iter().map(|folder| self.path(folder)).collect::<Result<Vec<_>>>()?;
        let tops = placed.iter().map(|(_, _, item)| &item.folder).chain(&empty_folders);
        let folders: HashSet<RemotePath> = tops.flat_map(|top| std::iter::successors(Some(top.clone()), RemotePath::parent)).collect();
        let mut taken: HashSet<RemotePath> = placed.iter().filter(|(changed, ..)| !changed).map(|(_, path, _)| path.clone()).collect();
        let mut items = Vec::new();
        for (changed, path, item) in placed {
            if changed && (folders.contains(&path) || !taken.insert(path.clone())) {
                let why = format!("it would be stored as {path}, and so would something else of this run");
                unfit
                    .push((item.shown(), Error::new(Kind::Exists, why).with_subject(item.shown()).with_hint("give it another name first")));
            } else {
                items.push(item);
            }
        }
        Ok(Plan { items, empty_folders, unfit, left_out })
    }
}
