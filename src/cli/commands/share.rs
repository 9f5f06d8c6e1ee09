//! `haul share`: a copy for other users or groups.

use clap::Args;

use crate::cli::abilities::{SHARE, require};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Report};
use crate::render::exit::DONE;

/// Share a copy with users or groups (FileAgo)
///
/// Examples:
///   haul share work:/plan.dwg --with 3d768c52-9cf8-4eb1-8a1a-7b4a6a0e7c11
///   haul share work:/plans --with "$ANN,$EDITORS"
///
/// `haul about --json REMOTE:` lists your groups with their ids. The copy appears
/// in their "incoming".
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ShareArgs {
    /// A file or folder
    #[arg(value_name = "REMOTE:PATH")]
    pub place: String,
    /// Ids of users or groups; repeat it or separate them by commas
    #[arg(long, value_name = "ID", required = true, value_delimiter = ',', value_parser = id)]
    pub with: Vec<String>,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

fn id(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("an id is empty".to_owned()),
        id => Ok(id.to_owned()),
    }
}

pub async fn run(context: &mut Context, args: ShareArgs) -> Result<u8> {
    let address = Address::parse_remote(&args.place)?;
    let remote = context.open(&address.remote, args.connection)?;
    require(&remote, &SHARE)?;
    let calls = context.client(&remote);
    let entry = calls.stat(&address.place).await.map_err(|e| e.with_subject(address.to_string()))?;
    // What others have in their folders can't be looked at.
    let (entry, with) = (&entry, &args.with);
    let share = calls.mutate(|p| async move { p.abilities().shares()?.share_copy(entry, with).await });
    share.await.map_err(|e| match e.may_have_happened() {
        true => Error::new(Kind::Unknown, "the answer was lost or can't be read: whether the copy was shared is not known")
            .with_subject(address.to_string())
            .with_hint("ask one of them before you share it again")
            .with_cause(e),
        false => e.with_subject(address.to_string()),
    })?;
    let path = address.place.display_path(&address.place.path);
    context.renderer.report(&Report::Share { remote: remote.name.clone(), path, with: args.with });
    Ok(DONE)
}
