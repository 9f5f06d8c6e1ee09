//! `haul link`: a URL that downloads a file.

use clap::Args;

use crate::cli::abilities::{LINK, require};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Report};
use crate::render::exit::DONE;

/// Print a URL that downloads a file without a password
///
/// Examples:
///   haul link studio:/cuts/final.mov
///   haul link cloud:/builds/app.zip | xargs curl -L -o app.zip
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LinkArgs {
    /// A file on a remote
    #[arg(value_name = "REMOTE:PATH")]
    pub place: String,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub async fn run(context: &mut Context, args: LinkArgs) -> Result<u8> {
    let address: Address = super::get::address(&args.place)?;
    let remote = context.open(&address.remote, args.connection)?;
    require(&remote, &LINK)?;
    let calls = context.client(&remote);
    let file = calls.stat(&address.place).await?;
    if file.is_folder() {
        return Err(Error::new(Kind::Usage, "this is a folder; only files have a link").with_subject(address.to_string()));
    }
    let of = &file;
    let url =
        calls.call(|p| async move { p.abilities().links()?.link(of).await }).await.map_err(|e| e.with_subject(address.to_string()))?;
    context.renderer.report(&Report::Link { remote: remote.name, path: file.path, url: url.expose().to_owned() });
    Ok(DONE)
}
