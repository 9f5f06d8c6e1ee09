//! `haul tree`: a folder with all that is below it, drawn.

use clap::Args;

use crate::cli::abilities::LIST;
use crate::cli::context::{Context, Hit};
use crate::cli::listing::{Lister, LookArgs};
use crate::cli::value_parsers;
use crate::error::Result;
use crate::model::{Address, Entry};
use crate::transfer::walk::WalkEvent;

/// Show the content of a folder on a remote as a tree
///
/// Examples:
///   haul tree studio:/incoming
///   haul tree -d -L 2 cloud:
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct TreeArgs {
    /// Folders; wildcards are expanded
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Show only this many levels
    #[arg(short = 'L', long = "level", value_name = "DEPTH", value_parser = value_parsers::count)]
    pub level: Option<u32>,
    /// Show only folders
    #[arg(short, long)]
    pub dirs: bool,
    #[command(flatten)]
    pub look: LookArgs,
}

#[derive(Default)]
struct TreeCounts {
    folders: u64,
    files: u64,
}

pub async fn run(context: &mut Context, args: TreeArgs) -> Result<u8> {
    let deepest = args.level.map_or(usize::MAX, |level| level as usize);
    let mut look = Lister::new(args.look, &LIST);
    let mut sums = TreeCounts::default();
    for found in look.find(context, &args.places).await? {
        draw(context, &mut look, found, deepest, args.dirs, &mut sums).await?;
    }
    if look.has_entries() {
        context.renderer.print_line(&sums.display(args.dirs), "\n");
    }
    Ok(look.status())
}

async fn draw(context: &Context, look: &mut Lister, found: Hit, deepest: usize, dirs: bool, sums: &mut TreeCounts) -> Result<()> {
    let Hit { remote, entry: top } = found;
    context.renderer.print_line(&Address::text(&remote.name, &top.path), "");
    look.count();
    if !top.is_folder() {
        sums.add(&top);
        look.event(context, &remote, top);
        return Ok(());
    }
    // For each open level: does something follow there?
    let mut follows: Vec<bool> = Vec::new();
    let mut scan = look.scan(context, &remote, top, move |_, depth| depth < deepest).folders_only(dirs);
    while let Some(step) = scan.next().await? {
        match step {
            WalkEvent::Entry { entry, depth, last } => {
                follows.truncate(depth - 1);
                context.renderer.print_branch(&branch(&follows, last), &entry);
                follows.push(!last);
                sums.add(&entry);
                look.event(context, &remote, entry);
            }
            WalkEvent::Left { .. } => {}
            WalkEvent::Failed { folder, error, .. } => look.record_failure(context, &remote, folder.path, &error),
        }
        if context.renderer.is_closed() {
            break;
        }
    }
    Ok(())
}

fn branch(follows: &[bool], last: bool) -> String {
    let mut line = String::new();
    for more in follows {
        line.push_str(if *more { "│   " } else { "    " });
    }
    line.push_str(if last { "└── " } else { "├── " });
    line
}

impl TreeCounts {
    fn add(&mut self, entry: &Entry) {
        match entry.is_folder() {
            true => self.folders += 1,
            false => self.files += 1,
        }
    }

    fn display(&self, dirs: bool) -> String {
        let of = |number: u64, thing: &str| format!("{number} {thing}{}", if number == 1 { "" } else { "s" });
        match dirs {
            true => of(self.folders, "folder"),
            false => format!("{}, {}", of(self.folders, "folder"), of(self.files, "file")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntryKind, RemotePath};

    #[test]
    fn branches_and_sums() {
        let folder = Entry::new(EntryKind::Folder, "1", RemotePath::parse("/a/clips").unwrap());
        assert_eq!(branch(&[], false), "├── ");
        assert_eq!(branch(&[true, false], true), "│       └── ");
        let mut sums = TreeCounts::default();
        sums.add(&folder);
        assert_eq!((sums.display(false), sums.display(true)), ("1 folder, 0 files".to_owned(), "1 folder".to_owned()));
    }
}
