//! `haul du`: how much folders hold. Only sizes of files are added: what a provider calls the size of a folder may be a
//! count (FileAgo) or out of date (giga0).

use std::sync::Arc;

use clap::Args;

use crate::cli::abilities::LIST;
use crate::cli::context::{Context, Hit, OpenRemote};
use crate::cli::filter_args::FilterArgs;
use crate::cli::glob::drop_nested;
use crate::cli::listing::{Lister, LookArgs};
use crate::error::Result;
use crate::model::{Address, Entry, Report};
use crate::render::View;
use crate::transfer::filter::{Filter, FilterDecision, FilterSpec, FilteredStep, FilteredWalk, RemoteFilter};
use crate::transfer::put::conflict::known_size;
use crate::transfer::walk::{WalkEvent, is_fatal};

/// Add up the sizes of all files below folders on a remote
///
/// Examples:
///   haul du -s studio:/incoming
///   haul du --json -d 1 cloud: | jq '{path, bytes}'
///
/// With a filter only matching files are counted.
#[derive(Args)]
#[command(verbatim_doc_comment, mut_arg("max_depth", |arg| arg.short('d').help(MAX_DEPTH)))]
pub struct DuArgs {
    /// Folders or files; wildcards are expanded
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// One line for each REMOTE:PATH, as with -d 0
    #[arg(short, long, conflicts_with = "max_depth")]
    pub summarize: bool,
    /// Show exact sizes in bytes
    #[arg(long)]
    pub bytes: bool,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub look: LookArgs,
}

/// As `du` of Unix has it.
const MAX_DEPTH: &str = "Print a line for folders down to this depth; deeper folders are only counted";

#[derive(Clone, Copy, Default)]
struct FolderTotals {
    bytes: u64,
    files: u64,
    folders: u64,
    /// Files whose size the server does not report.
    untold: u64,
}

pub async fn run(context: &mut Context, args: DuArgs) -> Result<u8> {
    context.show_as(View::Row, false, args.bytes);
    let shown = if args.summarize { 0 } else { args.filter.0.max_depth.unwrap_or(usize::MAX) };
    let filter = Filter::new(FilterSpec { max_depth: None, ..args.filter.0 })?;
    let mut work = Du { context, look: Lister::new(args.look, &LIST), filter: Arc::new(filter), shown };
    let mut untold = 0;
    for Hit { remote, entry } in each_once(work.look.find(context, &args.places).await?) {
        untold += work.add_up(&remote, entry).await?;
    }
    if untold > 0 {
        context.renderer.warning(&format!("the provider tells no size of {untold} of these files: their bytes are not counted"));
    }
    work.filter.conclude(false, work.look.has_failed())?.iter().for_each(|warning| context.renderer.warning(warning));
    Ok(work.look.status())
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

struct Du<'a> {
    context: &'a Context,
    look: Lister,
    filter: Arc<Filter>,
    /// Folders down to this depth have a line.
    shown: usize,
}

impl Du<'_> {
    /// Returns the number of files whose size is not known.
    async fn add_up(&mut self, remote: &OpenRemote, top: Entry) -> Result<u64> {
        let filter = RemoteFilter {
            filter: self.filter.clone(),
            client: self.context.client(remote),
            ledger: remote.ledger.clone(),
            key: remote.key.clone(),
        };
        if !top.is_folder() {
            self.look.count();
            let verdict = filter.decide(&top, &top.name, true).await;
            let mut sum = FolderTotals::default();
            if self.takes(remote, &top, verdict)? {
                sum.file(remote, &top)?;
            }
            print_total(self.context, remote, &top, sum);
            return Ok(sum.untold);
        }
        let mut untold = 0;
        // The sums of the open folders, one for each level. A folder's sum is added to its parent's when the walk leaves it.
        let mut sums = vec![FolderTotals::default()];
        let mut walk = FilteredWalk::new(filter, top, self.look.jobs() as usize);
        while let Some(FilteredStep { event, verdict, .. }) = walk.next().await? {
            match event {
                WalkEvent::Entry { entry, .. } => {
                    let (is_folder, takes) = (entry.is_folder(), self.takes(remote, &entry, verdict)?);
                    match sums.last_mut() {
                        _ if takes && is_folder => sums.push(FolderTotals::default()),
                        Some(sum) if takes => sum.file(remote, &entry)?,
                        _ => {}
                    }
                }
                WalkEvent::Left { folder, depth } => {
                    self.look.count();
                    untold = close_folder(self.context, remote, &folder, &mut sums, depth <= self.shown);
                }
                WalkEvent::Failed { folder, depth, error } => {
                    self.look.record_failure(self.context, remote, folder.path.clone(), &error);
                    untold = close_folder(self.context, remote, &folder, &mut sums, depth > 0 && depth <= self.shown);
                }
            }
            if self.context.renderer.is_closed() {
                break;
            }
        }
        Ok(untold)
    }

    /// Is a file to be counted, a folder to be looked into?
    fn takes(&mut self, remote: &OpenRemote, entry: &Entry, verdict: FilterDecision) -> Result<bool> {
        match verdict {
            FilterDecision::Takes => {
                if !entry.is_folder() {
                    self.filter.count_taken();
                }
                return Ok(true);
            }
            FilterDecision::Failed(error) if is_fatal(error.kind()) => return Err(error),
            FilterDecision::Failed(error) => self.look.record_failure(self.context, remote, entry.path.clone(), &error),
            verdict => {
                if let Some(note) = self.filter.count_left_out(&Address::text(&remote.name, &entry.path), &verdict) {
                    self.context.renderer.note(&note);
                }
            }
        }
        Ok(false)
    }
}

/// Returns the number of files in this folder and below whose size is not told.
fn close_folder(context: &Context, remote: &OpenRemote, folder: &Entry, sums: &mut Vec<FolderTotals>, show: bool) -> u64 {
    let sum = sums.pop().unwrap_or_default();
    if let Some(above) = sums.last_mut() {
        above.folder(sum);
    }
    if show {
        print_total(context, remote, folder, sum);
    }
    sum.untold
}

fn print_total(context: &Context, remote: &OpenRemote, of: &Entry, sum: FolderTotals) {
    let FolderTotals { bytes, files, folders, untold } = sum;
    // No size was counted, so 0 would be wrong.
    let bytes = (untold == 0 || untold < files).then_some(bytes);
    context.renderer.report(&Report::Du { remote: remote.name.clone(), path: of.path.clone(), bytes, files, folders });
}

impl FolderTotals {
    /// The size of a file that this machine put there is known, even where the provider tells none.
    fn file(&mut self, remote: &OpenRemote, file: &Entry) -> Result<()> {
        self.files += 1;
        match known_size(file, remote.ledger.as_ref(), &remote.key)? {
            Some(size) => self.bytes = self.bytes.saturating_add(size),
            None => self.untold += 1,
        }
        Ok(())
    }

    fn folder(&mut self, inside: FolderTotals) {
        self.folders += 1 + inside.folders;
        self.files += inside.files;
        self.untold += inside.untold;
        self.bytes = self.bytes.saturating_add(inside.bytes);
    }
}
