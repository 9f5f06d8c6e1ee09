//! An entry's own fields, changed once and read back.

use crate::contract::Changes;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Entry};
use crate::transfer::change::ConfirmedChanges;
use crate::transfer::client::RemoteClient;
use crate::transfer::resolve::Resolver;
use crate::transfer::stored_names::StoredNameNotes;

/// Returns the entry as it is now. Fails with `Exists` when the new name is taken in its folder, before anything is
/// changed: some sites would have two of that name (providers.md 2.8).
pub async fn edit(client: &RemoteClient, address: &Address, changes: &Changes) -> Result<Entry> {
    let found = Resolver::new(client.clone()).find(address).await?;
    if found.top {
        return Err(Error::new(Kind::Usage, "a top folder can't be edited").with_subject(address.to_string()));
    }
    let name = changes.name.as_ref().map(|name| StoredNameNotes::new(client.clone()).name(name));
    if let Some(name) = &name {
        client.check_name(name)?;
        let siblings = match &found.parent {
            Some(parent) => client.list(parent).await?.collect(),
            None => Vec::new(),
        };
        if siblings.iter().any(|e| e.name == *name && e.id != found.entry.id) {
            return Err(Error::new(Kind::Exists, format!("another entry is named {name:?} already")).with_subject(address.to_string()));
        }
    }
    let changes = &Changes { name, ..changes.clone() };
    let now = ConfirmedChanges::new(client.clone())
        .edit(&found.entry, found.parent.as_ref(), changes)
        .await
        .map_err(|e| e.with_subject(address.to_string()))?;
    let path = match found.path.parent() {
        Some(parent) if !address.place.path.is_root() => crate::contract::lookup::safe_child_path(&parent, &now.name),
        _ => found.path,
    };
    Ok(Entry { path, ..now })
}
