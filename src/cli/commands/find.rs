//! `haul find`: the entries below folders on a remote that fit all conditions.

use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::cli::abilities::LIST;
use crate::cli::context::{Context, Hit, OpenRemote};
use crate::cli::filter_args::FilterArgs;
use crate::cli::listing::{Lister, LookArgs};
use crate::cli::value_parsers;
use crate::contract::EntryOrder;
use crate::error::Result;
use crate::model::{Address, Entry, EntryKind};
use crate::render::{Style, View};
use crate::transfer::filter::{Candidate, Conditions, Filter, FilterDecision, FilteredWalk, NamePattern, RemoteFilter, SizeBound};
use crate::transfer::walk::{WalkEvent, is_fatal};

/// Find files and folders on a remote, by name, kind, size and time
///
/// Examples:
///   haul find studio:/incoming --name '*.mov' --size +10G
///   haul find -0 cloud: --kind file --newer 2d | xargs -0 haul rm
///
/// Prints REMOTE:/path, which every command accepts. All given conditions must be
/// met. REMOTE:PATH itself may be among the results. Folders that --exclude matches
/// are not searched, nor are folders deeper than --max-depth. An entry of unknown
/// size or time matches no condition on it; a warning counts the entries that meet
/// all other conditions.
/// giga0 lists no times: --newer and --older take one request for each file that
/// meets all other conditions, --jobs at the same time.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct FindArgs {
    /// Folders or files; wildcards are expanded
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Names that match a pattern of *, ? and […]
    #[arg(long, value_name = "GLOB", value_parser = |text: &str| Ok::<_, String>(NamePattern::new(text)))]
    pub name: Option<NamePattern>,
    /// As --name, in small or capital letters
    #[arg(long, value_name = "GLOB", conflicts_with = "name", value_parser = |text: &str| Ok::<_, String>(NamePattern::ignoring_case(text)))]
    pub iname: Option<NamePattern>,
    /// Only files, or only folders
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<Kinds>,
    /// Files above +10M, below -1K, or of exactly 1G
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = parse_size_bound)]
    pub size: Option<SizeBound>,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// End each line with NUL, and don't escape names
    #[arg(short = '0', long)]
    pub null: bool,
    #[command(flatten)]
    pub look: LookArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Kinds {
    File,
    Folder,
}

impl From<Kinds> for EntryKind {
    fn from(kind: Kinds) -> EntryKind {
        match kind {
            Kinds::File => EntryKind::File,
            Kinds::Folder => EntryKind::Folder,
        }
    }
}

fn parse_size_bound(text: &str) -> Result<SizeBound, String> {
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => value_parsers::size(rest).map(SizeBound::Above),
        (_, Some(rest)) => value_parsers::size(rest).map(SizeBound::Below),
        _ => value_parsers::size(text).map(SizeBound::Exactly),
    }
}

pub async fn run(context: &mut Context, args: FindArgs) -> Result<u8> {
    context.show_in(|style| Style { view: View::Name, paths: true, null: args.null, ..style });
    let conditions = Conditions { name: args.name.or(args.iname), kind: args.kind.map(EntryKind::from), size: args.size };
    let filter = Arc::new(args.filter.filter()?);
    let look = Lister::new(args.look, &LIST);
    let mut search = Search { context, look, filter, conditions: Arc::new(conditions), sizeless: 0 };
    for found in search.look.find(context, &args.places).await? {
        search.below(found).await?;
    }
    if search.sizeless > 0 {
        let (number, entries) = (search.sizeless, if search.sizeless == 1 { "entry" } else { "entries" });
        context.renderer.warning(&format!("the provider tells no size of {number} {entries}, which --size left out"));
    }
    search.filter.conclude(false, search.look.has_failed())?.iter().for_each(|warning| context.renderer.warning(warning));
    Ok(search.look.status())
}

struct Search<'a> {
    context: &'a Context,
    look: Lister,
    filter: Arc<Filter>,
    conditions: Arc<Conditions>,
    /// Entries that fit all other conditions, and whose size the server does not report.
    sizeless: u64,
}

impl Search<'_> {
    async fn below(&mut self, Hit { remote, entry: top }: Hit) -> Result<()> {
        self.look.count();
        let filter = RemoteFilter {
            filter: self.filter.clone(),
            client: self.context.client(&remote),
            ledger: remote.ledger.clone(),
            key: remote.key.clone(),
        };
        if !top.is_folder() {
            let verdict = filter.decide(&top, &top.name, true).await;
            return self.meet(&remote, top, verdict);
        }
        // A root has no time.
        if !(top.path.is_root() && top.modified.is_none() && self.filter.needs_time()) {
            let candidate = Candidate { is_source: true, is_folder: true, modified: top.modified, ..Candidate::default() };
            let verdict = self.filter.decide(&candidate);
            self.meet(&remote, top.clone(), verdict)?;
        }
        if self.filter.closes("").is_some() {
            return Ok(());
        }
        let conditions = self.conditions.clone();
        let wanted = move |entry: &Entry| conditions.is_fitting_name(entry) && conditions.is_fitting_size(entry) == Some(true);
        let mut walk = FilteredWalk::new(filter, top, self.look.jobs() as usize).with_order(EntryOrder::default()).only(wanted);
        while let Some(step) = walk.next().await? {
            match step.event {
                WalkEvent::Entry { entry, .. } if entry.is_folder() => {
                    if let Some(note) = self.filter.count_left_out(&display_path(&remote, &entry), &step.verdict) {
                        self.context.renderer.note(&note);
                    }
                    let candidate = Candidate { path: &step.path, is_folder: true, modified: entry.modified, ..Candidate::default() };
                    let verdict = self.filter.decide(&candidate);
                    self.meet(&remote, entry, verdict)?;
                }
                WalkEvent::Entry { entry, .. } => self.meet(&remote, entry, step.verdict)?,
                WalkEvent::Left { .. } => {}
                WalkEvent::Failed { folder, error, .. } => self.look.record_failure(self.context, &remote, folder.path, &error),
            }
            if self.context.renderer.is_closed() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn meet(&mut self, remote: &OpenRemote, entry: Entry, verdict: FilterDecision) -> Result<()> {
        if !self.conditions.is_fitting_name(&entry) {
            return Ok(());
        }
        match self.conditions.is_fitting_size(&entry) {
            Some(true) => {}
            Some(false) => return Ok(()),
            None => {
                self.sizeless += 1;
                return Ok(());
            }
        }
        match verdict {
            FilterDecision::Takes => {
                self.filter.count_taken();
                self.look.show(self.context, remote, entry);
            }
            FilterDecision::Failed(error) if is_fatal(error.kind()) => return Err(error),
            FilterDecision::Failed(error) => self.look.record_failure(self.context, remote, entry.path, &error),
            verdict => {
                if let Some(note) = self.filter.count_left_out(&display_path(remote, &entry), &verdict) {
                    self.context.renderer.note(&note);
                }
            }
        }
        Ok(())
    }
}

fn display_path(remote: &OpenRemote, entry: &Entry) -> String {
    Address::text(&remote.name, &entry.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_typed() {
        assert_eq!(parse_size_bound("+10M"), Ok(SizeBound::Above(10 << 20)));
        assert_eq!(parse_size_bound("-1K"), Ok(SizeBound::Below(1024)));
        assert_eq!(parse_size_bound("7"), Ok(SizeBound::Exactly(7)));
        assert!(parse_size_bound("+").is_err() && parse_size_bound("--1").is_err() && parse_size_bound("much").is_err());
    }
}
