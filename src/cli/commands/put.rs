//! `haul put`: files, folders and standard input to a remote.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::filter_args::SelectionArgs;
use crate::cli::list_args::ListArgs;
use crate::cli::receipt::{ReceiptArgs, Receipts};
use crate::cli::runs;
use crate::cli::runs::{Carries, Noted, absolute};
use crate::cli::transfer_args::{MetadataArgs, TransferArgs, from_and_to, transfer_client};
use crate::cli::value_parsers;
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::Address;
use crate::model::place_text::is_url;
use crate::render::Tally;
use crate::transfer::IfExists;
use crate::transfer::put::{PutJob, PutOptions, put_chosen};

/// Upload files, folders, or standard input
///
/// Examples:
///   haul put film.mov studio:/incoming/
///   pg_dump shop | haul put - cloud:/backups/shop.sql
///
/// PATH is a folder when it ends in "/", is the root, names an existing folder,
/// or when there are several sources or a folder among them; then each source
/// goes into it under its own name, and missing folders are made. Otherwise PATH
/// is the file's new name. "dir/" uploads the content of dir.
#[derive(Args)]
#[command(verbatim_doc_comment, override_usage = "haul put [OPTIONS] <SOURCE>... <REMOTE:PATH>")]
pub struct PutArgs {
    /// Local files and folders, or "-" for standard input; and last, REMOTE:PATH
    // One list: of two, clap ends the first at an option, and `put FILE --json REMOTE:` would be refused.
    #[arg(required = true, value_name = "PLACE")]
    pub places: Vec<String>,
    /// Size of standard input; without it, input is stored in a temporary file first if the server must know its size
    #[arg(long, value_name = "SIZE", value_parser = value_parsers::size)]
    pub size: Option<u64>,
    /// Folders are always taken whole; accepted for the fingers' sake
    #[arg(short, long, hide = true)]
    pub recursive: bool,
    #[command(flatten)]
    pub receipts: ReceiptArgs,
    #[command(flatten)]
    pub metadata: MetadataArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub list: ListArgs,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

pub async fn run(context: &mut Context, args: PutArgs) -> Result<u8> {
    let tally = execute(context, args).await?;
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}

/// The whole of a put but its last line. An error means that nothing was sent.
pub async fn execute(context: &mut Context, args: PutArgs) -> Result<Tally> {
    let (sources, target) = match args.places.as_slice() {
        [target] if args.list.is_given() => (&[][..], target.as_str()),
        places => from_and_to(places, "put SOURCE… REMOTE:PATH")?,
    };
    let list = args.list.read()?;
    let is_listed = list.is_some();
    let mut target = Address::parse(target)?.ok_or_else(|| not_remote(target))?;
    for source in sources {
        refuse_remote_source(context, source)?;
    }
    if args.size.is_some() && !sources.iter().any(|source| *source == "-") {
        return Err(Error::new(Kind::Usage, "--size is the size of standard input, but no source is `-`").with_hint("leave --size out"));
    }
    let filter = Arc::new(args.selection.filter()?);
    let remote = context.open(&target.remote, args.transfer.connection())?;
    target.remote.clone_from(&remote.name);
    // A file alone has its own note, once it is on its way.
    let is_noted = context.puts().is_none() || sources.len() > 1 || !sources.iter().all(|source| std::path::Path::new(source).is_file());
    let run = runs::begin(context, noted_run(&args).filter(|_| is_noted), &remote.name).await?;
    let receipts = Receipts::open(&args.receipts, args.transfer.dry_run, &context.renderer)?
        .of_run(run)
        .as_list(failed_base(sources), args.list.ends_with_nul());
    let ((events, noted), (shown, receiver)) = (Events::channel(), Events::channel());
    let job = PutJob {
        client: transfer_client(&args.transfer, &remote, events),
        ledger: remote.ledger.clone(),
        remote_key: remote.key.clone(),
        target,
        options: PutOptions {
            if_exists: args.transfer.if_exists.unwrap_or(IfExists::Update),
            size_only: false,
            checksum: args.transfer.checksum,
            protocol: remote.protocol(args.transfer.protocol.0)?,
            chunk_size: args.transfer.chunk_size,
            streams: args.transfer.streams as usize,
            jobs: args.transfer.jobs as usize,
            dry_run: args.transfer.dry_run,
            fail_fast: args.transfer.fail_fast,
            stdin_size: args.size,
            metadata: args.metadata.for_remote(&remote)?,
            filter: filter.clone(),
        },
    };
    let (outcome, noted, tally) =
        tokio::join!(put_chosen(context.puts(), job, sources, list), receipts.tee(noted, shown), context.renderer.follow(receiver));
    outcome?;
    noted?;
    filter.conclude(is_listed, tally.failed > 0)?.iter().for_each(|warning| context.renderer.warning(warning));
    Ok(tally)
}

/// None: it leaves nothing that could be taken up.
fn noted_run(args: &PutArgs) -> Option<Noted> {
    // `size` belongs to standard input, and a receipt is this run's own.
    let PutArgs { places, size: _, recursive: _, receipts: _, metadata, selection, list, transfer } = args;
    let (target, sources) = places.split_last()?;
    let mut places: Vec<String> = sources.iter().map(|source| absolute(source)).collect();
    places.push(target.clone());
    if sources.iter().any(|source| source == "-") {
        return None;
    }
    let (MetadataArgs { attr, kind }, list) = (metadata.clone(), list.absolute()?);
    if list.is_given() && sources.is_empty() {
        // The list is relative to the working directory.
        places.insert(0, absolute("./"));
    }
    Some(Noted { attr, kind, list, ..Noted::new(Carries::Put, places, false, transfer)?.choosing(selection) })
}

/// The one folder that `--failed-to` writes its paths relative to, as `--files-from` reads them.
fn failed_base(sources: &[String]) -> Option<&Path> {
    match sources {
        [one] if Path::new(one).is_dir() => Some(Path::new(one)),
        _ => None,
    }
}

fn not_remote(target: &str) -> Error {
    Error::new(Kind::Usage, "the target of a put is a place on a remote")
        .with_subject(target)
        .with_hint("write it as REMOTE:PATH; `haul ls` lists the remotes")
}

/// `haul put studio:/a cloud:/b`: easily typed, and the colon in a file's name is rare.
fn refuse_remote_source(context: &Context, source: &str) -> Result<()> {
    match Address::parse(source) {
        // What can't be read of a URL may hold a password: it is no file's name in a report.
        Err(error) if is_url(source) => Err(error),
        Ok(Some(address)) if !std::path::Path::new(source).exists() && (address.is_url() || context.knows(&address.remote)) => {
            Err(Error::new(Kind::Usage, "put takes local files; this is a place on a remote")
                .with_subject(source)
                .with_hint("`haul cp` copies from one remote to another; a local file with a colon is written ./NAME:REST"))
        }
        _ => Ok(()),
    }
}
