//! `haul cp`, and what it has in common with `haul mv`: sources and a target, on one remote or on two.

use clap::Args;

use super::desk::{Desk, OpenRemote};
use super::providers::lacking;
use super::put::{TransferArgs, from_and_to, transfer_desk};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::Address;
use crate::transfer::arrange::{Arrange, Way, arrange};

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
        return between(way, &from, &to);
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
fn between(_: Way, from: &[Address], to: &Address) -> Result<u8> {
    let source = from.iter().find(|source| !source.remote.eq_ignore_ascii_case(&to.remote)).unwrap_or(to);
    Err(Error::new(Kind::Unsupported, "nothing goes from one remote to another yet")
        .on(source.to_string())
        .hint("`haul get` it, then `haul put` it"))
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
