//! `haul remote add`: what is missing is asked for, and each answer is tried at once.

use clap::Args;

use super::draft::Draft;
use super::settings::{keys_help, pair, provider, report};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::cli::questions::is_somebody_there;
use crate::error::Result;
use crate::providers::REGISTRY;

/// Add a remote to the configuration file
///
/// Examples:
///   haul remote add
///   haul remote add studio --provider iogates username=ann
///   haul remote add work --provider fileago url=https://box.example username=ann
///
/// In a terminal haul asks for missing settings, and tests each answer at once:
/// whether the address answers, whether the sign-in works. Without a terminal a
/// missing setting is an error.
///
/// Secrets can't be arguments: `haul login REMOTE` asks for them, and K_command=…
/// names a command that prints the secret K.
#[derive(Args)]
#[command(verbatim_doc_comment, after_long_help = keys_help())]
pub struct AddArgs {
    /// The name for the remote, as in NAME:PATH
    pub name: Option<String>,
    #[arg(short, long, help = provider_help())]
    pub provider: Option<String>,
    /// Its settings, such as username=ann
    #[arg(value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

fn provider_help() -> String {
    let names = REGISTRY.iter().flat_map(|info| std::iter::once(&info.id).chain(info.aliases));
    names.copied().collect::<Vec<_>>().join(", ")
}

pub async fn run(context: &mut Context, args: AddArgs) -> Result<u8> {
    // `haul remote add username=ann`: a name holds no "=".
    let (name, first) = match args.name {
        Some(text) if text.contains('=') => (None, Some(text)),
        name => (name, None),
    };
    let name = name.map(|name| name.trim_end_matches(':').to_owned());
    let settings = first.iter().chain(&args.settings).map(|text| pair(text)).collect::<Result<Vec<_>>>()?;
    let provider = args.provider.as_deref().map(provider).transpose()?;
    let draft = Draft { name, provider, settings };
    if is_somebody_there(context) && !draft.has_all() {
        return draft.complete(context, args.connection).await;
    }
    let (name, provider) = draft.name_and_provider()?;
    let remote = context.config.draft_remote(&name, provider, &draft.settings).map_err(|e| draft.with_remote_name(e))?;
    // Sends nothing: an address that can't be used is reported now, and not at the first upload.
    context.open_with(remote.clone(), context.state(), args.connection)?;
    context.config.add_remote(&name, provider, &draft.settings)?;
    let needs_secret = !remote.prompted_keys().is_empty();
    let next = if needs_secret { format!("haul login {name}") } else { format!("haul remote check {name}") };
    report(context, "added", &name, Some(next))
}
