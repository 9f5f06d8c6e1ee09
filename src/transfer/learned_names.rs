//! Names as a server was seen to store them: a file that was put under one name may have another name there (composed, in lower
//! case, without blanks). They are looked up only where nothing has the name that was asked for.

use std::collections::HashMap;
use std::sync::Arc;

use crate::contract::{TransferStore, place_key};
use crate::model::{Place, RemotePath};

#[derive(Clone)]
pub struct LearnedNames {
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account, as in `CompletedTransfer::remote`.
    pub remote: String,
}

impl LearnedNames {
    /// The name there of the file that this machine put to `path`; none where it is the same or not known.
    pub fn name(&self, path: &RemotePath) -> Option<String> {
        self.ledger.stored_name_of(&place_key(&self.remote, path)).ok().flatten()
    }

    /// What this machine put below a folder and the server keeps under another name: the path there, and the wished one.
    pub fn below(&self, folder: &RemotePath) -> HashMap<RemotePath, RemotePath> {
        let place = place_key(&self.remote, folder);
        let below = format!("{}/", place.trim_end_matches('/'));
        let noted = self.ledger.stored_names_below(&below).unwrap_or_default();
        let of_key = |key: &str| RemotePath::parse(key.get(self.remote.len() + 1..)?).ok();
        noted
            .into_iter()
            .filter_map(|(key, name)| of_key(&key).and_then(|wished| Some((wished.parent()?.join(&name).ok()?, wished))))
            .filter(|(stored, wished)| stored != wished)
            .collect()
    }

    pub fn place(&self, place: &Place) -> Option<Place> {
        let path = place.path.parent()?.join(&self.name(&place.path)?).ok()?;
        Some(Place { root: place.root.clone(), path })
    }
}
