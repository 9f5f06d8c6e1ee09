//! `haul mkdir`: folders on a remote.

use clap::Args;

use super::edit::FolderArgs;
use crate::cli::abilities::{FOLDERS, require};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::{Context, OpenRemote};
use crate::contract::Changes;
use crate::contract::walk::one_named;
use crate::error::{Error, Kind, Result};
use crate::model::escape::shell_word;
use crate::model::{Address, Place, Report};
use crate::render::exit::DONE;
use crate::transfer::folder_cache::FolderCache;
use crate::transfer::remote_ops;
use crate::transfer::stored_names::StoredNameNotes;

/// Make folders on a remote
///
/// Examples:
///   haul mkdir cloud:/2026
///   haul mkdir -p work:/projects/harbour/rushes
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct MkdirArgs {
    /// The folders to make
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Also make missing parents; no error if the folder exists
    #[arg(short, long)]
    pub parents: bool,
    #[command(flatten)]
    pub folder: FolderArgs,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub async fn run(context: &mut Context, args: MkdirArgs) -> Result<u8> {
    let changes = args.folder.changes()?;
    let places = args.places.iter().map(|p| Address::parse_remote(p)).collect::<Result<Vec<_>>>()?;
    for place in places {
        let remote = context.open(&place.remote, args.connection)?;
        make(context, remote, &place, args.parents, &changes).await?;
    }
    Ok(DONE)
}

async fn make(context: &mut Context, remote: OpenRemote, address: &Address, parents: bool, changes: &Changes) -> Result<()> {
    require(&remote, &FOLDERS)?;
    super::edit::check(&remote, changes)?;
    let folders =
        FolderCache::new(context.client(&remote), address.place.root.clone(), false).with_locks(remote.ledger.clone(), remote.key.clone());
    let path = &StoredNameNotes::new(context.client(&remote)).path(&address.place.path)?;
    let address = &Address { place: Place { path: path.clone(), ..address.place.clone() }, ..address.clone() };
    let there = match (path.parent(), path.name()) {
        (Some(parent), Some(name)) => match folders.find(&parent).await? {
            Some(parent) => one_named(parent.readable(name)?.cloned().collect(), name, false, &parent.entry.path)?,
            None if parents => None,
            None => {
                return Err(Error::new(Kind::NotFound, "its parent folder does not exist")
                    .with_subject(address.to_string())
                    .with_hint(format!("make the parents too: haul mkdir -p {}", shell_word(&address.to_string()))));
            }
        },
        _ => return Err(Error::new(Kind::Exists, "the top folder always exists").with_subject(address.to_string())),
    };
    match there {
        Some(entry) if entry.is_folder() && parents => return Ok(()),
        Some(_) => return Err(Error::new(Kind::Exists, "it exists already").with_subject(address.to_string())),
        None => {}
    }
    let made = folders.ensure(path).await?;
    if !changes.is_empty() {
        let edited = remote_ops::edit(&context.client(&remote), address, changes).await;
        edited.map_err(|e| e.with_hint("the folder is made, and private; set the rest with `haul edit`"))?;
    }
    let id = Some(made.entry.id.clone());
    context.renderer.report(&Report::Created { remote: remote.name, path: made.entry.path.clone(), id, kind: "folder" });
    Ok(())
}
