//! `haul remote`: the configured accounts.

mod add;
mod draft;
mod edit;
mod settings;

use clap::{Args, Subcommand};
use reqwest::Url;

use crate::cli::commands::version;
use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::contract::Provider;
use crate::error::{Error, Kind, Result};
use crate::model::report::CheckLine;
use crate::model::{Address, Place, RemotePath, Report};
use crate::render::{View, exit};

/// Add, check, list and change remotes (the configured accounts)
///
/// Examples:
///   haul remote add studio --provider iogates username=ann
///   haul remote check studio
#[derive(Subcommand)]
#[command(verbatim_doc_comment)]
pub enum RemoteVerb {
    Add(add::AddArgs),
    List(RemoteListArgs),
    Show(ShowArgs),
    Check(CheckArgs),
    Set(edit::SetArgs),
    Rename(edit::RenameArgs),
    Remove(edit::RemoveArgs),
}

/// List the remotes and where they are configured
///
/// Examples:
///   haul remote list
///   haul remote list --json | jq -r .name
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct RemoteListArgs {}

/// Show the settings of a remote and their sources; secrets as ***
///
/// Examples:
///   haul remote show studio
///   haul remote show --json studio
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ShowArgs {
    /// The remote's name
    #[arg(value_name = "REMOTE")]
    pub name: String,
}

/// Test a remote step by step, from its name to its upload protocols
///
/// Examples:
///   haul remote check studio
///   haul remote check --json studio
///
/// Prints one line each for the version, name resolution, TLS, sign-in, listing of
/// the root and every offered upload protocol. The output is safe to paste into a
/// bug report.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct CheckArgs {
    /// The remote's name
    #[arg(value_name = "REMOTE")]
    pub name: String,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub async fn run(context: &mut Context, verb: RemoteVerb) -> Result<u8> {
    match verb {
        RemoteVerb::Add(args) => add::run(context, args).await,
        RemoteVerb::List(_) => list(context),
        RemoteVerb::Show(args) => show(context, args),
        RemoteVerb::Check(args) => check(context, args).await,
        RemoteVerb::Set(args) => edit::set(context, args),
        RemoteVerb::Rename(args) => edit::rename(context, args),
        RemoteVerb::Remove(args) => edit::remove(context, args),
    }
}

pub fn list(context: &mut Context) -> Result<u8> {
    context.show_as(View::Row, false, false);
    let lines: Vec<_> = context.config.remotes().iter().map(|r| r.remote_line()).collect();
    if lines.is_empty() {
        context.renderer.warning("there are no remotes yet; `haul remote add` makes one, `haul sandbox` lets you try without an account");
    }
    for line in lines {
        context.renderer.report(&Report::Remote(line));
    }
    Ok(exit::DONE)
}

fn show(context: &mut Context, args: ShowArgs) -> Result<u8> {
    let line = context.config.configured_remote(&Address::parse_remote(&args.name)?.remote)?.remote_line();
    context.show_as(View::Block, false, false);
    context.renderer.report(&Report::Remote(line));
    Ok(exit::DONE)
}

async fn check(context: &mut Context, args: CheckArgs) -> Result<u8> {
    let remote = context.open(&Address::parse_remote(&args.name)?.remote, args.connection)?;
    let calls = context.client(&remote);
    let mut worst = exit::DONE;
    let mut tell = |context: &mut Context, step: String, outcome: Result<String>| {
        let ok = outcome.is_ok();
        let detail = outcome.unwrap_or_else(|e| {
            worst = if worst == exit::DONE { exit::status(e.kind()) } else { worst };
            e.to_string()
        });
        context.renderer.report(&Report::Check(CheckLine { remote: remote.name.clone(), step, ok, detail }));
        ok
    };
    let info = calls.info();
    let offers: Vec<&str> = info.protocols.iter().map(|protocol| protocol.name()).collect();
    tell(context, "version".into(), Ok(format!("{}; {} by {}", version::program(), info.title, offers.join(", "))));
    if !tell(context, "name".into(), calls.call(resolve).await) || !tell(context, "connection".into(), calls.call(|p| p.reach()).await) {
        return Ok(worst);
    }
    let account = calls.call(|p| p.sign_in()).await;
    let offered = account.as_ref().map(|a| a.protocols.clone()).unwrap_or_default();
    if !tell(context, "sign-in".into(), account.map(|a| a.account.unwrap_or_default())) {
        return Ok(worst);
    }
    if remote.provider.has(|can| can.lookup.is_some() && can.browse.is_some()) {
        tell(context, "listing".into(), calls.call(count_root).await);
    }
    for protocol in offered {
        tell(context, format!("upload by {protocol}"), calls.call(|p| p.probe(protocol)).await);
    }
    Ok(worst)
}

async fn resolve(provider: &dyn Provider) -> Result<String> {
    let url = Url::parse(&provider.origin().await?).ok();
    let (Some(host), Some(port)) = (url.as_ref().and_then(Url::host_str), url.as_ref().and_then(Url::port_or_known_default)) else {
        return Err(Error::new(Kind::Usage, "the url names no host"));
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((bare, port)).await;
    let found =
        found.map_err(|e| Error::new(Kind::Unreachable, "the name can't be resolved").with_subject(host.to_owned()).with_cause(e))?;
    let addresses: Vec<String> = found.map(|a| a.ip().to_string()).collect();
    Ok(format!("{host} is {}", addresses.join(", ")))
}

async fn count_root(provider: &dyn Provider) -> Result<String> {
    let root = provider.stat(&Place::at(RemotePath::root())).await?;
    Ok(match provider.list(&root).await?.len() {
        1 => "1 entry in the root".to_owned(),
        count => format!("{count} entries in the root"),
    })
}
