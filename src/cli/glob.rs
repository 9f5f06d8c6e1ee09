//! Wildcards in remote paths, as typed: what several addresses name, over all remotes.

use super::abilities::{LIST, require};
use super::connection::ConnectArgs;
use super::context::{Context, OpenRemote};
use crate::error::{Error, Result};
use crate::model::report::Failure;
use crate::model::{Address, Entry, Place, RemotePath, Report, Root};
use crate::transfer::filter::is_pattern;
use crate::transfer::wildcards;
pub use crate::transfer::wildcards::{FailedRemotes, drop_nested};

/// See [`wildcards::expand`].
pub async fn expand(context: &Context, remote: &OpenRemote, address: &Address, literal: bool) -> Result<Vec<Entry>> {
    wildcards::expand(&context.client(remote), address, literal).await
}

/// The entries that several addresses name. An address that names nothing is one failed place, and the rest is done.
#[derive(Default)]
pub struct Places {
    pub found: Vec<Address>,
    pub failed: Vec<(Address, Error)>,
}

/// The addresses, with each pattern replaced by the outermost entries that fit it: for commands that treat folders as a whole.
/// A single address that names nothing fails with `NotFound`.
pub async fn places(context: &Context, addresses: Vec<Address>, literal: bool, connection: ConnectArgs) -> Result<Places> {
    let mut lost = FailedRemotes::of(addresses.len());
    let mut places = Places::default();
    for address in addresses {
        if literal || !address.place.path.names().iter().any(|name| is_pattern(name)) {
            places.found.push(address);
            continue;
        }
        let remote = context.open(&address.remote, connection)?;
        require(&remote, &LIST)?;
        let entries = match lost.ask(&address, async || expand(context, &remote, &address, literal).await).await? {
            Ok(entries) => drop_nested(entries),
            Err(error) => {
                places.failed.push((address, error));
                continue;
            }
        };
        for entry in entries {
            // The path of an entry below an id does not begin at the root, so the entry's own id names it.
            let place = match &address.place.root {
                Root::Top => Place::at(entry.path),
                Root::Id(_) => Place { root: Root::Id(entry.id), path: RemotePath::root() },
            };
            places.found.push(Address { remote: address.remote.clone(), place, folder: false });
        }
    }
    Ok(places)
}

/// A failed place, for reports.
pub fn failure(address: &Address, error: &Error) -> Report {
    let path = address.place.display_path(&address.place.path);
    Report::Failed(Failure::new(error).of_source(address.to_string()).at(address.remote.clone(), path))
}
