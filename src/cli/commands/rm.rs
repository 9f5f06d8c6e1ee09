//! `haul rm`: remove files and folders, to the provider's trash where it has one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clap::Args;

use crate::cli::abilities::{REMOVE, require};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::{Context, OpenRemote};
use crate::cli::filter_args::SelectionArgs;
use crate::cli::list_args::{ListArgs, ListedAddress};
use crate::cli::questions;
use crate::cli::transfer_args::LiteralArgs;
use crate::error::{Error, Kind, Result};
use crate::model::escape::shell_word;
use crate::model::report::Failure;
use crate::model::{Address, RemotePath, Report, Root};
use crate::render::exit;
use crate::transfer::filter::{Filter, RemoteFilter, is_pattern};
use crate::transfer::remote_ops::{DeleteOutcome, Remover, Resolved};

/// Remove files and folders
///
/// Examples:
///   haul rm cloud:/old.zip
///   haul rm -r --yes work:/builds/2025
///
/// In a terminal haul asks before -r removes a folder, and shows how much is in
/// it. It also asks if wildcards match more than ten entries. giga0 and FileAgo
/// move entries to a trash; an entry removed from FileAgo's trash
/// (REMOTE:@trash/NAME) is gone for good.
///
/// With a filter only matching files are removed, and a folder that is not empty
/// then stays. A file of unknown size or time stays if a filter needs it.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct RmArgs {
    /// Files and folders to remove
    #[arg(required_unless_present_any = ["files_from", "files_from0"], value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Remove folders with all their content
    #[arg(short, long)]
    pub recursive: bool,
    /// Don't ask; needed to empty the top folder of a remote
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub literal: LiteralArgs,
    /// Show what would be removed, and remove nothing
    #[arg(short = 'n', long, env = "HAUL_DRY_RUN", value_parser = clap::builder::BoolishValueParser::new())]
    pub dry_run: bool,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub list: ListArgs,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

/// So many entries that wildcards fit are removed without a question.
const ASKED_ABOVE: usize = 10;

/// The status so far.
#[derive(Default)]
struct RemoveOutcome {
    done: u64,
    failed: Vec<Kind>,
}

pub async fn run(context: &mut Context, args: RmArgs) -> Result<u8> {
    let mut outcome = RemoveOutcome::default();
    let named = args.places.iter().map(|p| Address::parse_remote(p)).collect::<Result<Vec<_>>>()?;
    let filter = Arc::new(args.selection.filter()?);
    let listed = args.list.read_addresses(context, &named)?;
    let is_listed = listed.is_some();
    let addresses: Vec<(Address, Option<RemotePath>)> = match listed {
        Some(listed) => {
            let mut seen = HashSet::new();
            let found = listed.into_iter().filter_map(|line| outcome.address_in_list(context, line));
            found.filter(|(address, _)| seen.insert(address.clone())).collect()
        }
        None => named.into_iter().map(|address| (address, None)).collect(),
    };
    let mut removers: HashMap<String, (OpenRemote, Remover)> = HashMap::new();
    for (address, _) in &addresses {
        if !removers.contains_key(&address.remote) {
            let remote = context.open(&address.remote, args.connection)?;
            require(&remote, &REMOVE)?;
            let remover = Remover::new(context.client(&remote), remote.name.clone());
            removers.insert(address.remote.clone(), (remote, if is_listed { remover.remembering() } else { remover }));
        }
    }
    let mut places = addresses;
    if !is_listed {
        let named: Vec<Address> = places.into_iter().map(|(address, _)| address).collect();
        let has_wildcard = |address: &&Address| !args.literal.literal && address.place.path.names().iter().any(|name| is_pattern(name));
        let literal = named.len() - named.iter().filter(has_wildcard).count();
        let asked = crate::cli::glob::places(context, named, args.literal.literal, args.connection).await?;
        places = asked.found.into_iter().map(|address| (address, None)).collect();
        if !confirm_all(context, &args, places.len().saturating_sub(literal)).await? {
            context.renderer.warning("nothing was removed");
            return Ok(exit::DONE);
        }
        for (address, e) in &asked.failed {
            outcome.failed.push(e.kind());
            context.renderer.report(&crate::cli::glob::failure(address, e));
        }
    }
    for (address, _) in &places {
        if address.place.path.is_root() && address.place.root == Root::Top {
            may_empty(address, &args)?;
        }
    }
    for (address, within) in &places {
        let Some((remote, remover)) = removers.get_mut(&address.remote) else { continue };
        let work = Removing { remote, remover, within: within.as_ref(), args: &args, filter: &filter };
        if let Err(e) = remove(context, address, work, &mut outcome).await {
            if e.kind() == Kind::Auth {
                return Err(e);
            }
            outcome.failed.push(e.kind());
            let path = address.place.display_path(&address.place.path);
            context.renderer.report(&Report::Failed(Failure::new(&e).at(remote.name.clone(), path)));
        }
    }
    filter.conclude(is_listed, !outcome.failed.is_empty())?.iter().for_each(|warning| context.renderer.warning(warning));
    Ok(exit::merge(outcome.done, &outcome.failed))
}

impl RemoveOutcome {
    /// Returns the address in a line of a list, and the folders above it, from the folder that the list is relative to. A line
    /// that can't be read counts as a failed place.
    fn address_in_list(&mut self, context: &Context, listed: ListedAddress) -> Option<(Address, Option<RemotePath>)> {
        let ListedAddress { line, address, below } = listed;
        match address {
            Ok(address) => Some((address, below.and_then(|below| below.parent()))),
            Err(e) => {
                self.failed.push(e.kind());
                context.renderer.report(&Report::Failed(Failure::new(&e).of_source(line)));
                None
            }
        }
    }
}

/// What is needed to remove a place.
struct Removing<'a> {
    remote: &'a OpenRemote,
    remover: &'a mut Remover,
    /// For a line of a list: the folders above its entry.
    within: Option<&'a RemotePath>,
    args: &'a RmArgs,
    filter: &'a Arc<Filter>,
}

async fn remove(context: &mut Context, address: &Address, work: Removing<'_>, outcome: &mut RemoveOutcome) -> Result<()> {
    let Removing { remote, remover, within, args, filter } = work;
    // A folder of the list is removed with its content, so an entry below it may be gone already.
    let Some(found) = remover.find(address).await? else { return Ok(()) };
    let (filter, client) = (filter.clone(), context.client(remote));
    let filter = RemoteFilter { filter, client, ledger: remote.ledger.clone(), key: remote.key.clone() };
    if found.top {
        may_empty(address, args)?;
    }
    if found.entry.is_folder() && !args.recursive {
        return Err(Error::new(Kind::Refused, "this is a folder")
            .with_subject(address.to_string())
            .with_hint(format!("remove it with all its content: haul rm -r {}", shell_word(&address.to_string()))));
    }
    if found.entry.is_folder()
        && !args.yes
        && !args.dry_run
        && context.may_ask()
        && questions::is_terminal()
        && !confirm(context, remover, &found, &filter).await?
    {
        context.renderer.warning(&format!("{address} is left alone"));
        return Ok(());
    }
    if filter.filter.is_active() {
        let tell = |removal| report(context, remote, &filter.filter, removal, outcome);
        return remover.remove_fitting(&found, within, &filter, args.dry_run, tell).await;
    }
    filter.filter.count_taken();
    for removed in remover.remove(&found, args.dry_run).await? {
        let report = match removed {
            Ok(report) => {
                outcome.done += 1;
                report
            }
            Err((path, e)) => {
                outcome.failed.push(e.kind());
                Report::Failed(Failure::new(&e).at(remote.name.clone(), path))
            }
        };
        context.renderer.report(&report);
    }
    Ok(())
}

fn report(context: &Context, remote: &OpenRemote, filter: &Filter, removal: DeleteOutcome, outcome: &mut RemoveOutcome) {
    let report = match removal {
        DeleteOutcome::Done(report) => {
            outcome.done += 1;
            *report
        }
        DeleteOutcome::Failed(path, e) => {
            outcome.failed.push(e.kind());
            Report::Failed(Failure::new(&e).at(remote.name.clone(), path))
        }
        DeleteOutcome::LeftOut(path, verdict) => {
            let note = filter.count_left_out(&Address::text(&remote.name, path), &verdict);
            return note.iter().for_each(|note| context.renderer.note(note));
        }
    };
    context.renderer.report(&report);
}

fn may_empty(address: &Address, args: &RmArgs) -> Result<()> {
    match args.recursive && (args.yes || args.dry_run) {
        true => Ok(()),
        false => Err(Error::new(Kind::Usage, "this is a top folder: all its content would be removed")
            .with_subject(address.to_string())
            .with_hint(format!("confirm with `haul rm -r --yes {}`", shell_word(&address.to_string())))),
    }
}

/// Many entries that wildcards fit are asked about, once for all.
async fn confirm_all(context: &Context, args: &RmArgs, fitting: usize) -> Result<bool> {
    if fitting <= ASKED_ABOVE || args.yes || args.dry_run || !context.may_ask() || !questions::is_terminal() {
        return Ok(true);
    }
    questions::is_yes(context, &format!("Remove {fitting} entries that the wildcards fit?")).await
}

async fn confirm(context: &Context, remover: &Remover, found: &Resolved, filter: &RemoteFilter) -> Result<bool> {
    let question = match filter.filter.is_active() {
        true => match remover.count_fitting(&found.entry, filter).await? {
            1 => format!("Remove from {} the 1 file that fits", found.shown),
            files => format!("Remove from {} the {files} files that fit", found.shown),
        },
        false => match remover.count(&found.entry).await? {
            0 => format!("Remove {}, which is empty", found.shown),
            1 => format!("Remove {}, with 1 entry", found.shown),
            entries => format!("Remove {}, with {entries} entries", found.shown),
        },
    };
    questions::is_yes(context, &format!("{question}?")).await
}
