//! `haul edit`: an entry's own fields.

use clap::Args;

use super::login;
use crate::cli::abilities::{EDIT, VISIBILITY, require, unsupported_error};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::{Context, OpenRemote};
use crate::cli::value_parsers;
use crate::contract::{Changes, Visibility};
use crate::error::{Error, Kind, Result};
use crate::model::{Address, EntryKind, Report};
use crate::render::exit::DONE;
use crate::transfer::remote_ops;

/// Change an entry's own fields
///
/// Examples:
///   haul edit cloud:/report.pdf --name report-2026.pdf
///   pass show dock | haul edit cloud:/dock --folder-password-stdin
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct EditArgs {
    /// A file or folder
    #[arg(value_name = "REMOTE:PATH")]
    pub place: String,
    /// A new name in the same folder
    #[arg(long)]
    pub name: Option<String>,
    /// A file's type, such as application/pdf (giga0)
    #[arg(long = "type", value_name = "T")]
    pub file_type: Option<String>,
    #[command(flatten)]
    pub folder: FolderArgs,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

/// Fields that only folders have.
#[derive(Args)]
pub struct FolderArgs {
    /// Who can see a folder: private, unlisted or public (giga0)
    #[arg(long, value_name = "V", hide_possible_values = true, value_parser = value_parsers::one_of(&["private", "unlisted", "public"], visibility))]
    pub visibility: Option<Visibility>,
    /// Read a folder's password from standard input, up to the first line end; an empty line removes it (giga0)
    #[arg(long)]
    pub folder_password_stdin: bool,
}

impl FolderArgs {
    /// Reads standard input if the folder's password comes from there.
    pub fn changes(&self) -> Result<Changes> {
        let folder_password = if self.folder_password_stdin { Some(login::first_line(std::io::stdin())?) } else { None };
        Ok(Changes { visibility: self.visibility, folder_password, ..Changes::default() })
    }
}

fn visibility(text: &str) -> Result<Visibility, String> {
    Ok(match text {
        "private" => Visibility::Private,
        "unlisted" => Visibility::Unlisted,
        "public" => Visibility::Public,
        _ => return Err("use private, unlisted or public".to_owned()),
    })
}

pub async fn run(context: &mut Context, args: EditArgs) -> Result<u8> {
    let address = Address::parse_remote(&args.place)?;
    let remote = context.open(&address.remote, args.connection)?;
    require(&remote, &EDIT)?;
    let changes = Changes { name: args.name, file_type: args.file_type, ..args.folder.changes()? };
    if changes.is_empty() {
        return Err(Error::new(Kind::Usage, "nothing is to be changed")
            .with_subject(args.place)
            .with_hint("use --name, --type, --visibility or --folder-password-stdin"));
    }
    check(&remote, &changes)?;
    let entry = remote_ops::edit(&context.client(&remote), &address, &changes).await?;
    context.renderer.report(&Report::Edit { remote: remote.name, entry });
    Ok(DONE)
}

/// Refuses, before anything is sent, fields that the provider can change in no kind of entry.
pub fn check(remote: &OpenRemote, changes: &Changes) -> Result<()> {
    let possible = |kind| remote.provider.has(|can| can.edits.is_some_and(|edits| edits.check(kind, changes).is_ok()));
    match changes.is_empty() || possible(EntryKind::File) || possible(EntryKind::Folder) {
        true => Ok(()),
        false => Err(unsupported_error(remote, &VISIBILITY)),
    }
}
