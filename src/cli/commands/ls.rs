//! `haul ls`: what a folder on a remote holds, or the remotes.

use clap::{Args, ValueEnum};

use crate::cli::abilities::LIST;
use crate::cli::context::{Context, Hit};
use crate::cli::listing::{Lister, LookArgs};
use crate::contract::{EntryOrder, SortBy};
use crate::error::Result;
use crate::model::Address;
use crate::render::{Style, View};
use crate::transfer::walk::WalkEvent;

/// List folders on a remote; without an address, the remotes
///
/// Examples:
///   haul ls 'studio:/incoming/*.mov'
///   haul ls -l --sort time -r studio:/incoming
///   haul ls -R -0 studio:/in | xargs -0 -n 1 haul stat
///
/// "*", "?" and "[…]" in a path match parts of one name, "**" matches any
/// number of folders; quote them. Several folders are listed one by one, each below
/// its name. -R prints REMOTE:/path, which every command accepts.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LsArgs {
    /// A folder, or one file
    #[arg(value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Also show kind, size and time
    #[arg(short, long)]
    pub long: bool,
    /// List subfolders, too
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// Also show the provider's ids
    #[arg(long)]
    pub id: bool,
    /// name (file2 before file10), size (largest first) or time (latest first)
    #[arg(long, value_name = "BY", default_value = "name", hide_possible_values = true, value_enum)]
    pub sort: Sorted,
    /// Reverse the order
    #[arg(short, long)]
    pub reverse: bool,
    /// Show exact sizes in bytes
    #[arg(long)]
    pub bytes: bool,
    /// End each name with NUL, and don't escape names
    #[arg(short = '0', long, conflicts_with_all = ["long", "id"])]
    pub null: bool,
    #[command(flatten)]
    pub look: LookArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Sorted {
    Name,
    Size,
    Time,
}

impl LsArgs {
    fn order(&self) -> EntryOrder {
        let by = match self.sort {
            Sorted::Name => SortBy::Name,
            Sorted::Size => SortBy::Size,
            Sorted::Time => SortBy::Time,
        };
        EntryOrder { by, reversed: self.reverse }
    }
}

pub async fn run(context: &mut Context, args: LsArgs) -> Result<u8> {
    if args.places.is_empty() {
        return super::remote::list(context);
    }
    let order = args.order();
    let view = if args.long || args.id { View::Row } else { View::Name };
    context.show_in(|style| Style { view, paths: args.recursive, exact: args.bytes, ids: args.id, null: args.null, ..style });
    let mut look = Lister::new(args.look, &LIST).with_order(order);
    let found = look.find(context, &args.places).await?;
    let several = args.places.len() > 1 || found.len() > 1;
    let (folders, mut files): (Vec<Hit>, Vec<Hit>) = found.into_iter().partition(|found| found.entry.is_folder());
    files.sort_by(|a, b| order.compare(&a.entry, &b.entry));
    if !files.is_empty() {
        show_heads(context);
    }
    let mut after = !files.is_empty();
    for Hit { remote, entry } in files {
        look.show(context, &remote, entry);
    }
    for folder in folders {
        if several && !args.recursive && !args.null {
            let gap = if after { "\n" } else { "" };
            context.renderer.print_line(&format!("{}:", Address::text(&folder.remote.name, &folder.entry.path)), gap);
        }
        after = true;
        show_heads(context);
        list(context, &mut look, folder, args.recursive).await?;
    }
    Ok(look.status())
}

/// The heads of the columns, where there are columns.
fn show_heads(context: &Context) {
    let Style { view, ids, .. } = context.renderer.style();
    let heads = ["kind", "      size", "modified", "id", "name"];
    if *view == View::Row {
        context.renderer.heads(&heads.into_iter().filter(|head| *ids || *head != "id").collect::<Vec<_>>());
    }
}

async fn list(context: &Context, look: &mut Lister, folder: Hit, recursive: bool) -> Result<()> {
    let Hit { remote, entry } = folder;
    let mut scan = look.scan(context, &remote, entry, move |_, _| recursive);
    while let Some(step) = scan.next().await? {
        match step {
            WalkEvent::Entry { entry, .. } => look.show(context, &remote, entry),
            WalkEvent::Left { depth: 0, .. } => look.count(),
            WalkEvent::Left { .. } => {}
            WalkEvent::Failed { folder, error, .. } => look.record_failure(context, &remote, folder.path, &error),
        }
        if context.renderer.is_closed() {
            break;
        }
    }
    Ok(())
}
