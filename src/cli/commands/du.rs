//! `haul du`: how much folders hold. Only sizes of files are added: what a provider calls the size of a folder may be a
//! count (FileAgo) or out of date (giga0).

use clap::Args;

use crate::cli::abilities::LIST;
use crate::cli::context::{Context, Hit, OpenRemote};
use crate::cli::glob::drop_nested;
use crate::cli::listing::{Lister, LookArgs};
use crate::error::Result;
use crate::model::{Entry, Report};
use crate::render::View;
use crate::transfer::put::conflict::known_size;
use crate::transfer::walk::WalkEvent;

/// Add up the sizes of what is below folders on a remote
///
/// Examples:
///   haul du -s studio:/incoming
///   haul du --json -d 1 cloud: | jq '{path, bytes}'
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct DuArgs {
    /// Where to look; wildcards are taken
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// One line for each REMOTE:PATH, as with -d 0
    #[arg(short, long, conflicts_with = "max_depth")]
    pub summarize: bool,
    /// Folders down to this depth have a line; deeper ones are only counted
    #[arg(short = 'd', long, value_name = "N")]
    pub max_depth: Option<usize>,
    /// Exact sizes
    #[arg(long)]
    pub bytes: bool,
    #[command(flatten)]
    pub look: LookArgs,
}

#[derive(Clone, Copy, Default)]
struct Totals {
    bytes: u64,
    files: u64,
    folders: u64,
    /// Files whose size nobody tells.
    untold: u64,
}

pub async fn run(context: &mut Context, args: DuArgs) -> Result<u8> {
    context.show_as(View::Row, false, args.bytes);
    let shown = if args.summarize { 0 } else { args.max_depth.unwrap_or(usize::MAX) };
    let mut look = Lister::new(args.look, &LIST);
    let mut untold = 0;
    for Hit { remote, entry } in each_once(look.find(context, &args.places).await?) {
        untold += add_up(context, &mut look, &remote, entry, shown).await?;
    }
    if untold > 0 {
        context.renderer.warning(&format!("the provider tells no size of {untold} of these files: their bytes are not counted"));
    }
    Ok(look.status())
}

/// Leaves out places that lie in another place, as they are counted there.
fn each_once(mut found: Vec<Hit>) -> Vec<Hit> {
    let mut kept = Vec::new();
    while let Some(remote) = found.first().map(|first| first.remote.clone()) {
        let (same, others) = found.into_iter().partition(|other| other.remote.name == remote.name);
        let entries = Vec::into_iter(same).map(|found: Hit| found.entry).collect();
        kept.extend(drop_nested(entries).into_iter().map(|entry| Hit { remote: remote.clone(), entry }));
        found = others;
    }
    kept
}

/// Returns the number of files whose size is not told.
async fn add_up(context: &Context, look: &mut Lister, remote: &OpenRemote, top: Entry, shown: usize) -> Result<u64> {
    if !top.is_folder() {
        look.count();
        let mut sum = Totals::default();
        sum.file(remote, &top)?;
        say(context, remote, &top, sum);
        return Ok(sum.untold);
    }
    let mut untold = 0;
    // The sums of the open folders, one for each level. A folder's sum is added to its parent's when the walk leaves it.
    let mut sums = vec![Totals::default()];
    let mut scan = look.scan(context, remote, top, |_, _| true);
    while let Some(step) = scan.next().await? {
        match step {
            WalkEvent::Entry { entry, .. } if entry.is_folder() => sums.push(Totals::default()),
            WalkEvent::Entry { entry, .. } => {
                if let Some(sum) = sums.last_mut() {
                    sum.file(remote, &entry)?;
                }
            }
            WalkEvent::Left { folder, depth } => {
                look.count();
                untold = close_folder(context, remote, &folder, &mut sums, depth <= shown);
            }
            WalkEvent::Failed { folder, depth, error } => {
                look.failed(context, remote, folder.path.clone(), &error);
                untold = close_folder(context, remote, &folder, &mut sums, depth > 0 && depth <= shown);
            }
        }
        if context.renderer.closed() {
            break;
        }
    }
    Ok(untold)
}

/// Returns the number of files in this folder and below whose size is not told.
fn close_folder(context: &Context, remote: &OpenRemote, folder: &Entry, sums: &mut Vec<Totals>, show: bool) -> u64 {
    let sum = sums.pop().unwrap_or_default();
    if let Some(above) = sums.last_mut() {
        above.folder(sum);
    }
    if show {
        say(context, remote, folder, sum);
    }
    sum.untold
}

fn say(context: &Context, remote: &OpenRemote, of: &Entry, sum: Totals) {
    let Totals { bytes, files, folders, untold } = sum;
    // No size was counted, so 0 would be wrong.
    let bytes = (untold == 0 || untold < files).then_some(bytes);
    context.renderer.report(&Report::Du { remote: remote.name.clone(), path: of.path.clone(), bytes, files, folders });
}

impl Totals {
    /// The size of a file that this machine put there is known, even where the provider tells none.
    fn file(&mut self, remote: &OpenRemote, file: &Entry) -> Result<()> {
        self.files += 1;
        match known_size(file, remote.ledger.as_ref(), &remote.key)? {
            Some(size) => self.bytes = self.bytes.saturating_add(size),
            None => self.untold += 1,
        }
        Ok(())
    }

    fn folder(&mut self, inside: Totals) {
        self.folders += 1 + inside.folders;
        self.files += inside.files;
        self.untold += inside.untold;
        self.bytes = self.bytes.saturating_add(inside.bytes);
    }
}
