//! `haul cp`, and what it has in common with `haul mv`: sources and a target, on one remote or on two.

use clap::Args;

use super::desk::{Desk, OpenRemote};
use super::providers::lacking;
use super::put::{TransferArgs, from_and_to, transfer_desk};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::Address;
use crate::transfer::across::{Across, End};
use crate::transfer::arrange::{Arrange, Way, arrange};
use crate::transfer::folders::Folders;

/// Copy on the server, or between two remotes
///
/// Examples:
///   haul cp work:/plans/harbour.dwg work:/archive/
///   haul cp cloud:/2025/report.pdf cloud:/2026/report-draft.pdf
///
/// TO is a folder when it ends in "/", names an existing folder, or when there
/// are several sources; missing folders are made. Otherwise TO is the copy's new
/// name. Folders are copied whole.
#[derive(Args)]
#[command(verbatim_doc_comment, override_usage = "haul cp [OPTIONS] <FROM>... <TO>")]
#[command(mut_arg("if_exists", |arg| arg.default_value("fail")))]
pub struct CpArgs {
    /// What to copy; and last, where to
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Folders are always taken whole; accepted for the fingers' sake
    #[arg(short, long, hide = true)]
    pub recursive: bool,
    /// Take *, ? and [ in a path as they stand
    #[arg(long, env = "HAUL_LITERAL", value_parser = clap::builder::BoolishValueParser::new())]
    pub literal: bool,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

pub async fn run(desk: &mut Desk, args: CpArgs) -> Result<u8> {
    carry(desk, Way::Copy, &args.places, args.literal, &args.transfer).await
}

/// The whole of `cp` and `mv`.
pub async fn carry(desk: &mut Desk, way: Way, places: &[String], literal: bool, args: &TransferArgs) -> Result<u8> {
    let (from, to) = from_and_to(places, if way == Way::Move { "mv FROM… TO" } else { "cp FROM… TO" })?;
    let from = from.iter().map(|text| remote_address(text)).collect::<Result<Vec<_>>>()?;
    let from = super::expand::places(desk, from, literal, args.timeout).await?;
    let to = remote_address(to)?;
    let remote = desk.open(&to.remote, args.timeout)?;
    for source in &from {
        desk.config.remote(&source.remote)?;
    }
    if from.iter().any(|source| !source.remote.eq_ignore_ascii_case(&to.remote)) {
        return between(desk, way, &from, to, args).await;
    }
    check_ability(&remote, way)?;
    let (events, receiver) = Events::channel();
    let job = Arrange {
        desk: transfer_desk(args, remote.provider.clone(), events),
        ledger: remote.ledger.clone(),
        remote_key: remote.key.clone(),
        way,
        to: Address { remote: remote.name.clone(), ..to },
        if_exists: args.if_exists,
        dry_run: args.dry_run,
        fail_fast: args.fail_fast,
    };
    let (outcome, tally) = tokio::join!(arrange(job, &from), desk.renderer.follow(receiver));
    outcome?;
    desk.renderer.report(&tally.summary());
    Ok(tally.status())
}

/// Sources and target on different remotes: streamed through this machine.
async fn between(desk: &mut Desk, way: Way, from: &[Address], to: Address, args: &TransferArgs) -> Result<u8> {
    let remote = desk.open(&to.remote, args.timeout)?;
    let sources = from.iter().map(|source| desk.open(&source.remote, args.timeout)).collect::<Result<Vec<_>>>()?;
    if let Some(lacks) = sources.iter().find(|source| way == Way::Move && source.provider.removal().is_none()) {
        return Err(lacking(lacks, "remove", "has no call that removes, so nothing can be moved away from it"));
    }
    let (events, receiver) = Events::channel();
    let end = |remote: &OpenRemote| End {
        desk: transfer_desk(args, remote.provider.clone(), events.clone()),
        ledger: remote.ledger.clone(),
        key: remote.key.clone(),
    };
    let across = Across {
        to: end(&remote),
        into_folder: to.folder || from.len() > 1,
        target: Address { remote: remote.name.clone(), ..to },
        moves: way == Way::Move,
        if_exists: args.if_exists,
        protocol: remote.protocol(args.protocol.0)?,
        chunk_size: args.chunk_size,
        dry_run: args.dry_run,
    };
    let ends: Vec<(End, &Address)> = sources.iter().map(end).zip(from).collect();
    drop(events);
    let ((), tally) = tokio::join!(bring_all(across, ends), desk.renderer.follow(receiver));
    desk.renderer.report(&tally.summary());
    Ok(tally.status())
}

async fn bring_all(across: Across, sources: Vec<(End, &Address)>) {
    let folders = Folders::new(across.to.desk.clone(), across.target.place.root.clone(), across.dry_run);
    let mut ids = 0;
    for (from, source) in &sources {
        across.bring(from, source, &folders, &mut ids).await;
    }
}

fn check_ability(remote: &OpenRemote, way: Way) -> Result<()> {
    match way {
        Way::Move if remote.provider.moves().is_none() => Err(lacking(remote, "move", "has no call that moves or renames")),
        Way::Copy if remote.provider.copies().is_none() => Err(lacking(remote, "copy", "has no call that copies")),
        _ => Ok(()),
    }
}

fn remote_address(text: &str) -> Result<Address> {
    Address::parse(text)?.ok_or_else(|| {
        Error::new(Kind::Usage, "this is a local path, not a place on a remote")
            .on(text)
            .hint("`haul put` and `haul get` carry files between this machine and a remote")
    })
}
