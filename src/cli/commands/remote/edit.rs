//! `haul remote set`, `rename` and `remove`: changes of the configuration file.

use clap::Args;

use super::settings::{pair, report};
use crate::cli::context::{Context, key_of};
use crate::cli::runs;
use crate::error::Result;
use crate::model::Address;

/// Change settings of a remote in the configuration file
///
/// Examples:
///   haul remote set studio url=https://media.example.com
///   haul remote set studio password_command='pass show studio' protocol=
///
/// KEY= without a value removes the key. Secrets can't be arguments: `haul login
/// REMOTE` asks for them. `haul remote add --help` lists the keys.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct SetArgs {
    /// The remote's name
    #[arg(value_name = "REMOTE")]
    pub name: String,
    /// Settings to change, such as username=ann
    #[arg(required = true, value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Give a remote another name
///
/// Examples:
///   haul remote rename studio mainz
///   haul remote rename studio: old-studio
///
/// Saved passwords, tokens, unfinished uploads and the records of completed uploads
/// move to the new name.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct RenameArgs {
    /// The remote's name
    #[arg(value_name = "REMOTE")]
    pub name: String,
    /// Its new name
    #[arg(value_name = "NEW")]
    pub new: String,
}

/// Remove a remote from the configuration file; nothing on the server changes
///
/// Examples:
///   haul remote remove studio
///   haul logout studio && haul remote remove studio
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct RemoveArgs {
    /// The remote's name
    #[arg(value_name = "REMOTE")]
    pub name: String,
}

pub fn set(context: &mut Context, args: SetArgs) -> Result<u8> {
    let name = context.config.remote(&Address::parse_remote(&args.name)?.remote)?.name;
    let settings = args.settings.iter().map(|text| pair(text)).collect::<Result<Vec<_>>>()?;
    let settings: Vec<_> = settings.into_iter().map(|(key, value)| (key, Some(value).filter(|value| !value.is_empty()))).collect();
    context.config.set_remote(&name, &settings).map_err(|e| e.with_subject(name.clone()))?;
    report(context, "changed", &name, Some(format!("haul remote check {name}")))
}

pub fn rename(context: &mut Context, args: RenameArgs) -> Result<u8> {
    let old = context.config.remote(&Address::parse_remote(&args.name)?.remote)?;
    let new = args.new.trim_end_matches(':');
    context.config.rename_remote(&old.name, new)?;
    let renamed = old.with_name(new);
    let runs = runs::rename_in_notes(context, &old.name, new);
    context.state().rename_remote((&old.name, new), (&key_of(&old), &key_of(&renamed)), &runs);
    report(context, "renamed", new, Some(format!("haul ls {new}:")))
}

pub fn remove(context: &mut Context, args: RemoveArgs) -> Result<u8> {
    let name = Address::parse_remote(&args.name)?.remote;
    context.config.remove_remote(&name)?;
    report(context, "removed", &name, None)
}
