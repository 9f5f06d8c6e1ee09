//! `haul ls`: what a folder on a remote holds, or the remotes.

use clap::Args;

use crate::cli::abilities::LIST;
use crate::cli::context::{Context, Hit};
use crate::cli::listing::{Lister, LookArgs};
use crate::error::Result;
use crate::model::Address;
use crate::render::View;
use crate::transfer::walk::WalkEvent;

/// List folders on a remote; without an address, the remotes
///
/// Examples:
///   haul ls 'studio:/incoming/*.mov'
///   haul ls -lR --json cloud: | jq -r .path
///
/// "*", "?" and "[…]" in a path stand for parts of one name, "**" for any
/// folders between; quote them. Of several folders each is listed below its own
/// name.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LsArgs {
    /// A folder, or one file
    #[arg(value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Kind, size, time and id, too
    #[arg(short, long)]
    pub long: bool,
    /// Folders below, too
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// Exact sizes
    #[arg(long)]
    pub bytes: bool,
    #[command(flatten)]
    pub look: LookArgs,
}

pub async fn run(context: &mut Context, args: LsArgs) -> Result<u8> {
    if args.places.is_empty() {
        return super::remote::list(context);
    }
    context.show_as(if args.long { View::Row } else { View::Name }, args.recursive, args.bytes);
    let mut look = Lister::new(args.look, &LIST);
    let found = look.find(context, &args.places).await?;
    let several = args.places.len() > 1 || found.len() > 1;
    let (folders, files): (Vec<Hit>, Vec<Hit>) = found.into_iter().partition(|found| found.entry.is_folder());
    let mut after = !files.is_empty();
    for Hit { remote, entry } in files {
        look.show(context, &remote, entry);
    }
    for folder in folders {
        if several && !args.recursive {
            let gap = if after { "\n" } else { "" };
            context.renderer.line(&format!("{}:", Address::text(&folder.remote.name, &folder.entry.path)), gap);
        }
        after = true;
        list(context, &mut look, folder, args.recursive).await?;
    }
    Ok(look.status())
}

async fn list(context: &Context, look: &mut Lister, folder: Hit, recursive: bool) -> Result<()> {
    let Hit { remote, entry } = folder;
    let mut scan = look.scan(context, &remote, entry, move |_, _| recursive);
    while let Some(step) = scan.next().await? {
        match step {
            WalkEvent::Entry { entry, .. } => look.show(context, &remote, entry),
            WalkEvent::Left { depth: 0, .. } => look.count(),
            WalkEvent::Left { .. } => {}
            WalkEvent::Failed { folder, error, .. } => look.failed(context, &remote, folder.path, &error),
        }
        if context.renderer.closed() {
            break;
        }
    }
    Ok(())
}
