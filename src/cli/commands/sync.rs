//! `haul sync`: copies the files of FROM to TO, and deletes at TO what FROM lacks if the user wants that.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::abilities::{DOWNLOAD, LIST, require};
use crate::cli::context::{Context, OpenRemote};
use crate::cli::filter_args::SelectionArgs;
use crate::cli::list_args::ListArgs;
use crate::cli::plan_file;
use crate::cli::plan_file::PlanHeader;
use crate::cli::receipt::ReceiptArgs;
use crate::cli::requests::CarryArgs;
use crate::cli::runs::{CarryVerb, Noted, absolute};
use crate::cli::transfer_args::{MetadataArgs, SyncOptionArgs, TransferArgs, transfer_client};
use crate::cli::transfer_run::{TransferRun, conclude};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::escape::shell_word;
use crate::model::report::SyncCounts;
use crate::model::{Address, RemotePath};
use crate::render::Tally;
use crate::transfer::filter::{Filter, PathList};
use crate::transfer::get::{GetOptions, GetSource};
use crate::transfer::put::cross_remote::CopySource;
use crate::transfer::put::{PutJob, PutOptions};
use crate::transfer::source::stdin::WINDOW;
use crate::transfer::sync::actions::Action;
use crate::transfer::sync::{SyncFrom, SyncOptions, SyncOutcome, apply_to_local, apply_to_remote, sync_to_local, sync_to_remote};

/// Make a folder match another: local to remote, remote to local, remote to remote
///
/// Examples:
///   haul sync dist/ builds:/nightly
///   haul sync --delete --max-delete 100 studio:/rushes ./rushes
///
/// Copies the content of FROM to TO, with or without a "/" after FROM. Provably
/// equal files (by MD5, or because this machine copied them and neither side has
/// changed) are skipped: a second run only lists. After an interruption run the
/// same command again: it resumes.
///
/// --delete removes at TO what FROM lacks, after all files have arrived. Nothing is
/// deleted, and the status is 8, if FROM is empty or a part of it can't be read, or
/// if more than --max-delete would be deleted. -n shows what would be done; --plan
/// writes it to a file.
///
/// --files-from takes only what a list names, and --delete deletes only such.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct SyncArgs {
    /// A local or remote folder: the source
    #[arg(value_name = "FROM")]
    pub from: String,
    /// A local or remote folder: the target, made if missing
    #[arg(value_name = "TO")]
    pub to: String,
    /// Write the planned actions to FILE, and do nothing; `haul apply FILE` does them
    #[arg(long, value_name = "FILE", env = "HAUL_PLAN")]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub sync: SyncOptionArgs,
    #[command(flatten)]
    pub metadata: MetadataArgs,
    #[command(flatten)]
    pub options: CarryArgs,
}

/// FROM and TO, with the remotes opened: to a remote, between remotes, or to this machine.
enum Sides {
    Up(PathBuf, Box<Side>),
    Across(Box<Side>, Box<Side>),
    Down(Box<Side>, String),
}

struct Side {
    remote: OpenRemote,
    address: Address,
}

pub async fn run(context: &mut Context, args: SyncArgs) -> Result<u8> {
    let tally = execute(context, args).await?;
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}

/// Runs a sync, and returns the counts for the last line of the output. Fails as `SyncJob::execute`, and where the plan can't be
/// written.
pub async fn execute(context: &mut Context, mut args: SyncArgs) -> Result<Tally> {
    args.options.transfer.dry_run |= args.plan.is_some();
    let noted = run_note(&args);
    let SyncArgs { from, to, plan, sync, metadata, options } = args;
    let CarryArgs { receipts, selection, list, transfer } = options;
    let filter = filter(&selection, &list, &from)?;
    let by_nul = list.ends_with_nul();
    let job = SyncJob { from, to, sync, metadata, filter, transfer, actions: None, plan: plan.is_some(), by_nul };
    let (tally, actions) = job.execute(context, noted, &receipts).await?;
    if let Some(file) = plan {
        let header = PlanHeader::new(place(&job.from), place(&job.to), job.sync);
        plan_file::write(&file, &header, &actions)?;
        let (file, holds) = match actions.len() {
            1 => (file.display(), "1 action, and nothing was done; this does it:".to_owned()),
            count => (file.display(), format!("{count} actions, and nothing was done; this does them:")),
        };
        let file = file.to_string();
        context.renderer.warning(&format!("{file} holds {holds} `haul apply {}`", shell_word(&file)));
    }
    Ok(tally)
}

/// The job that `sync` and `apply` run.
pub(super) struct SyncJob {
    pub from: String,
    pub to: String,
    pub sync: SyncOptionArgs,
    pub metadata: MetadataArgs,
    pub filter: Arc<Filter>,
    pub transfer: TransferArgs,
    /// Of `apply`: the actions of the plan. None: the two sides are compared.
    pub actions: Option<Vec<Action>>,
    /// Returns the actions of a dry run, as `sync` writes a plan.
    pub plan: bool,
    /// In the list of failed files each path ends with NUL.
    pub by_nul: bool,
}

impl SyncJob {
    /// Runs the job. Returns the counts, and the actions where a plan is wanted. Fails where a side can't be opened, as the functions
    /// of [`crate::transfer::sync`], and with `Usage` by `--fail-if-empty`. Fails with `Local` where a line of a receipt can't be
    /// written: the files are transferred all the same.
    pub(super) async fn execute(
        &self,
        context: &mut Context,
        noted: Option<Noted>,
        receipts: &ReceiptArgs,
    ) -> Result<(Tally, Vec<Action>)> {
        let sides = self.open(context)?;
        let named = match &sides {
            Sides::Up(_, side) | Sides::Across(_, side) | Sides::Down(side, _) => side.remote.name.clone(),
        };
        let (run, events) = TransferRun::begin(context, noted, &named, (receipts, self.transfer.dry_run)).await?;
        let base = Some(Path::new(&self.from)).filter(|from| from.is_dir());
        let (outcome, mut tally) = run.with_list(base, self.by_nul).follow(context, Box::pin(self.sync(sides, events, receipts))).await?;
        let SyncOutcome { equal, deleted, left, refused, only_unread, actions } = outcome;
        tally.sync = Some(SyncCounts { equal, sent: 0, deleted, left });
        if let Some(refused) = refused {
            tally.count(&refused);
            tally.stopped = only_unread.then_some(refused.kind());
            context.renderer.error(&refused);
        }
        if self.actions.is_none() {
            conclude(context, &self.filter, false, &tally)?;
        }
        Ok((tally, actions))
    }

    async fn sync(&self, sides: Sides, events: Events, receipts: &ReceiptArgs) -> Result<SyncOutcome> {
        let SyncOptionArgs { delete, max_delete, track_renames, size_only } = self.sync;
        let (transfer, actions) = (&self.transfer, self.actions.clone());
        let options = SyncOptions { from: self.from.clone(), to: self.to.clone(), delete, max_delete, track_renames, plan: self.plan };
        let (from, to) = match sides {
            Sides::Down(side, local) => {
                let Side { remote, address } = *side;
                let client = transfer_client(transfer, &remote, events);
                let entry = client.stat(&address.place).await.map_err(|e| e.with_remote(&remote.name).with_subject(address.to_string()))?;
                let source = GetSource {
                    client,
                    ledger: remote.ledger.clone(),
                    key: remote.key.clone(),
                    address,
                    entry,
                    contents: true,
                    below: Vec::new(),
                    own: 0,
                };
                let get = GetOptions { size_only, ..transfer.get_options(&self.filter) };
                return match actions {
                    Some(actions) => apply_to_local(source, &local, get, actions).await,
                    None => sync_to_local(source, &local, get, &options).await,
                };
            }
            Sides::Up(local, to) => (SyncFrom::Local(local), to),
            Sides::Across(side, to) => {
                let Side { remote, address } = *side;
                let client = transfer_client(transfer, &remote, events.clone());
                let source = CopySource { client, ledger: remote.ledger.clone(), key: remote.key.clone(), from: address.into() };
                (SyncFrom::Remote(Box::new(source)), to)
            }
        };
        let Side { remote, address: target } = *to;
        // A copy between remotes is not stored on this machine. So a chunk that may be sent again is held in memory, and must not be
        // large.
        let window = matches!(from, SyncFrom::Remote(_)).then_some(WINDOW);
        let job = PutJob {
            client: transfer_client(transfer, &remote, events),
            ledger: remote.ledger.clone(),
            remote_key: remote.key.clone(),
            target,
            options: PutOptions {
                size_only,
                // A receipt has a line for each file that passed this machine, so no file may be copied by the server.
                copies_on_server: receipts.receipt.is_none(),
                chunk_size: transfer.chunk_size.or(window),
                metadata: self.metadata.clone().for_remote(&remote)?,
                ..transfer.put_options(&remote, &self.filter)?
            },
        };
        match actions {
            Some(actions) => apply_to_remote(job, from, actions, &options).await,
            None => sync_to_remote(job, from, &options).await,
        }
    }

    /// Opens both sides. Fails with `Usage` for a pipe and where neither side is on a remote, and with `Unsupported` where a provider
    /// can't list, or FROM can't be downloaded.
    fn open(&self, context: &Context) -> Result<Sides> {
        for place in [&self.from, &self.to] {
            if place == "-" {
                return Err(Error::new(Kind::Usage, "sync takes folders, and this is a pipe")
                    .with_subject("-")
                    .with_hint("`haul put` and `haul get` take \"-\""));
            }
        }
        let transfer = &self.transfer;
        let side = |mut address: Address| -> Result<Box<Side>> {
            let remote = context.open(&address.remote, transfer.connection)?;
            address.remote.clone_from(&remote.name);
            require(&remote, &LIST)?;
            Ok(Box::new(Side { remote, address }))
        };
        let source = |address: Address| -> Result<Box<Side>> {
            let source = side(address)?;
            require(&source.remote, &DOWNLOAD)?;
            Ok(source)
        };
        match (Address::parse(&self.from)?, Address::parse(&self.to)?) {
            (Some(from), Some(to)) => Ok(Sides::Across(source(from)?, side(to)?)),
            (Some(from), None) => Ok(Sides::Down(source(from)?, self.to.clone())),
            (None, Some(to)) => Ok(Sides::Up(PathBuf::from(&self.from), side(to)?)),
            (None, None) => Err(Error::new(Kind::Usage, "one side of a sync is a place on a remote")
                .with_subject(self.to.clone())
                .with_hint("write it as REMOTE:PATH; `haul ls` lists the remotes")),
        }
    }
}

/// Returns the filter that the options describe; with a list only the paths of the list pass. Fails for a filter or list that can't
/// be read.
pub(super) fn filter(selection: &SelectionArgs, list: &ListArgs, from: &str) -> Result<Arc<Filter>> {
    let filter = selection.filter()?;
    Ok(Arc::new(match list.read()? {
        Some(lines) => filter.only_listed(parse_list(&lines, from)?),
        None => filter,
    }))
}

/// Returns the note that lets a later command resume this run. None: the run is a dry run, or its list
/// comes from standard input.
fn run_note(args: &SyncArgs) -> Option<Noted> {
    let SyncArgs { from, to, plan: _, sync, metadata, options } = args;
    let CarryArgs { receipts: _, selection, list, transfer } = options;
    let MetadataArgs { attr, kind } = metadata.clone();
    let noted = Noted::new(CarryVerb::Sync, vec![place(from), place(to)], true, transfer)?.choosing(selection);
    Some(Noted { attr, kind, list: list.absolute()?, sync: Some(sync.clone()), ..noted })
}

/// Returns a place of the command line in a form that means the same from every folder: a local path is made absolute.
fn place(text: &str) -> String {
    if matches!(Address::parse(text), Ok(None)) { absolute(text) } else { text.to_owned() }
}

/// Returns the lines of a list as paths relative to FROM. A line may also be an address on the remote of FROM, or an absolute path in
/// a local FROM. Fails with `Usage` for a line that leads out of FROM.
fn parse_list(lines: &[PathBuf], from: &str) -> Result<PathList> {
    let top = Address::parse(from)?;
    let outside = |line: &Path| {
        Error::new(Kind::Usage, "this line of the list is not in FROM")
            .with_subject(line.display().to_string())
            .with_hint("lines are paths below FROM")
    };
    let one = |line: &PathBuf| -> Result<String> {
        let text = line.to_string_lossy();
        if let Some(top) = &top {
            let path = match Address::parse(&text)? {
                Some(place) if place.remote.eq_ignore_ascii_case(&top.remote) && place.place.root == top.place.root => {
                    place.place.path.below(&top.place.path).ok_or_else(|| outside(line))?
                }
                _ => RemotePath::parse(&text)?,
            };
            return Ok(path.names().join("/"));
        }
        let below = match line.is_absolute() {
            true => line.strip_prefix(std::path::absolute(from)?).map_err(|_| outside(line))?,
            false => line,
        };
        let parts = below.components().filter(|part| !matches!(part, Component::CurDir));
        let names = parts.map(|part| match part {
            Component::Normal(name) => Ok(name.to_string_lossy()),
            _ => Err(outside(line)),
        });
        Ok(names.collect::<Result<Vec<_>>>()?.join("/"))
    };
    Ok(PathList::new(lines.iter().map(one).collect::<Result<Vec<_>>>()?))
}
