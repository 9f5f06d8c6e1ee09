//! `haul ls`: what a folder on a remote holds, or the remotes.

use clap::Args;

use super::desk::{Desk, OpenRemote};
use super::{DONE, values};
use crate::error::Result;
use crate::model::{Address, Entry, Report};
use crate::render::View;

/// List a folder on a remote; without an address, the remotes
///
/// Examples:
///   haul ls studio:/incoming
///   haul ls -lR --json cloud: | jq -r .path
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LsArgs {
    /// A folder, or one file
    #[arg(value_name = "REMOTE:PATH")]
    pub place: Option<String>,
    /// Kind, size, time and id, too
    #[arg(short, long)]
    pub long: bool,
    /// Folders below, too
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// Exact sizes
    #[arg(long)]
    pub bytes: bool,
    /// Time without a byte before a connection counts as lost
    #[arg(long, value_name = "D", default_value = "60s", env = "HAUL_TIMEOUT", value_parser = values::time)]
    pub timeout: std::time::Duration,
}

pub async fn run(desk: &mut Desk, args: LsArgs) -> Result<u8> {
    let Some(place) = args.place else {
        return super::remote::list(desk);
    };
    let address = Address::parse_remote(&place)?;
    let remote = desk.open(&address.remote, args.timeout)?;
    desk.show_as(if args.long { View::Row } else { View::Name }, args.recursive, args.bytes);
    let calls = desk.calls(&remote);
    let top = calls.ask(|| remote.provider.stat(&address.place)).await?;
    if !top.is_folder() {
        show(desk, &remote, top);
        return Ok(DONE);
    }
    // A stack instead of recursion: deep trees, one folder's entries in memory for each open level.
    let mut open = vec![sorted(calls.ask(|| remote.provider.list(&top)).await?)];
    while let Some(level) = open.last_mut() {
        let Some(entry) = level.pop() else {
            open.pop();
            continue;
        };
        if args.recursive && entry.is_folder() {
            open.push(sorted(calls.ask(|| remote.provider.list(&entry)).await?));
        }
        show(desk, &remote, entry);
    }
    Ok(DONE)
}

/// By name, the first at the end: levels are taken from their end.
fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|a, b| b.name.cmp(&a.name).then_with(|| b.id.cmp(&a.id)));
    entries
}

fn show(desk: &mut Desk, remote: &OpenRemote, entry: Entry) {
    desk.renderer.report(&Report::Entry { remote: remote.name.clone(), entry });
}
