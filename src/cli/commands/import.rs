//! `haul import`: the provider fetches URLs itself.

use std::time::Duration;

use clap::Args;
use reqwest::Url;

use crate::cli::abilities::{IMPORT, require};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::{Context, OpenRemote};
use crate::cli::transfer_args::from_and_to;
use crate::cli::value_parsers;
use crate::contract::Import;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Address, Entry, Place, RemotePath, Report, Secret};
use crate::render::exit;
use crate::transfer::folder_cache::FolderCache;
use crate::transfer::import::follow;
use crate::transfer::stored_names::StoredNameNotes;

/// Let the provider fetch URLs itself (giga0)
///
/// Examples:
///   haul import https://example.com/film.mov cloud:/films/
///   haul import --wait https://example.com/a.iso https://example.com/b.iso cloud:/
///
/// PATH is the target folder; it is made if it is missing.
#[derive(Args)]
#[command(verbatim_doc_comment, override_usage = "haul import [OPTIONS] <URL>... <REMOTE:PATH>")]
pub struct ImportArgs {
    /// URLs to fetch; and last, REMOTE:PATH
    #[arg(required = true, value_name = "PLACE")]
    pub places: Vec<String>,
    /// Wait until each fetch has ended; print each new status
    #[arg(short, long)]
    pub wait: bool,
    /// The longest wait for all of them; the provider continues after it
    #[arg(long, value_name = "D", requires = "wait", value_parser = value_parsers::time)]
    pub wait_limit: Option<Duration>,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

/// The text itself is not repeated: it may hold a password.
fn url(number: usize, text: &str) -> Result<Url> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "ftp") && url.host_str().is_some() => Ok(url),
        _ => Err(Error::new(Kind::Usage, format!("argument {number} is not a URL to import"))
            .with_hint("it begins with https://, http:// or ftp://")),
    }
}

/// What opens the source is a secret in every output: its user, its password, a signature in its query.
fn remember_secrets(url: &Url) {
    let opens = |key: &str| ["token", "key", "sig", "pass", "secret", "auth", "credential"].iter().any(|w| key.to_lowercase().contains(w));
    let user = url.password().or_else(|| Some(url.username()).filter(|user| !user.is_empty()));
    let query = url.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let secrets = query.filter(|(key, _)| opens(key)).map(|(_, value)| value);
    // Made is remembered, and whatever is printed goes past what is remembered.
    user.into_iter().chain(secrets).map(Secret::new).for_each(drop);
}

pub async fn run(context: &mut Context, args: ImportArgs) -> Result<u8> {
    let (urls, target) = from_and_to(&args.places, "import URL… REMOTE:PATH")?;
    let urls = urls.iter().enumerate().map(|(n, text)| url(n + 1, text)).collect::<Result<Vec<_>>>()?;
    urls.iter().for_each(remember_secrets);
    let target = Address::parse_remote(target)?;
    let remote = context.open(&target.remote, args.connection)?;
    require(&remote, &IMPORT)?;
    let path = StoredNameNotes::new(context.client(&remote)).path(&target.place.path)?;
    let target = Address { place: Place { path, ..target.place }, ..target };
    let folders =
        FolderCache::new(context.client(&remote), target.place.root.clone(), false).with_locks(remote.ledger.clone(), remote.key.clone());
    let folder = folders.ensure(&target.place.path).await.map_err(|e| e.with_subject(target.to_string()))?.entry.clone();
    let job = Job { remote: &remote, folder, target: &target };
    let mut started = Vec::new();
    let mut failed = Vec::new();
    for url in &urls {
        match job.start(context, url).await {
            Ok(import) => started.push((url, import)),
            Err(e) if e.kind() == Kind::Auth => return Err(e),
            Err(e) => failed.push(job.report_failure(context, url, e)),
        }
    }
    let begun = std::time::Instant::now();
    let mut done = 0;
    for (url, import) in started {
        let limit = args.wait_limit.map(|limit| limit.saturating_sub(begun.elapsed()));
        match if args.wait { job.await_end(context, url, import, limit).await } else { Ok(()) } {
            Ok(()) => done += 1,
            Err(e) => failed.push(job.report_failure(context, url, e)),
        }
    }
    Ok(if failed.is_empty() { exit::DONE } else { exit::merge(done, &failed) })
}

struct Job<'a> {
    remote: &'a OpenRemote,
    folder: Entry,
    target: &'a Address,
}

impl Job<'_> {
    async fn start(&self, context: &Context, url: &Url) -> Result<Import> {
        let calls = context.client(self.remote);
        let start = calls.mutate(|p| async move { p.abilities().imports()?.start(url.as_str(), &self.folder).await });
        let import = start.await.map_err(|e| match e.may_have_happened() {
            true => Error::new(Kind::Unknown, "the answer was lost or can't be read: whether the site fetches this is not known")
                .with_hint("check the folder before you import it again")
                .with_cause(e),
            false => e,
        })?;
        self.report(context, url, &import);
        Ok(import)
    }

    async fn await_end(&self, context: &Context, url: &Url, import: Import, limit: Option<Duration>) -> Result<()> {
        let over_already = import.done;
        let calls = context.client(self.remote);
        let end = follow(&calls, import, limit, |now| self.report(context, url, now)).await.map_err(|e| match e.kind() {
            kind if kind.is_transient() || kind == Kind::Protocol => {
                Error::new(Kind::Unknown, "the site took the import, but how it ended is not known")
                    .with_hint("check the folder later; the site goes on, and would fetch the file a second time")
                    .with_cause(e)
            }
            _ => e,
        })?;
        if end.failed {
            let text = format!("the site could not fetch it: {}", end.status);
            return Err(Error::new(Kind::Refused, text).with_hint("check that the URL can be read from the internet"));
        }
        if !end.done && end.id.is_none() {
            return Err(Error::new(Kind::Unknown, "the site is fetching this address already, and gave no number to follow it")
                .with_hint("check the folder that was named first"));
        }
        if !end.done {
            let text = format!("it has not ended in time: {}", end.status);
            return Err(Error::new(Kind::Unknown, text).with_hint("check the folder later; the site goes on"));
        }
        if !over_already {
            self.report(context, url, &end);
        }
        Ok(())
    }

    fn report(&self, context: &Context, url: &Url, import: &Import) {
        let folder = self.target.place.display_path(&self.target.place.path);
        let path = import.file.as_ref().map_or_else(|| folder.clone(), |file| folder.join_path(&file.path));
        context.renderer.report(&Report::Import {
            remote: self.remote.name.clone(),
            path,
            url: url.to_string(),
            id: import.id.clone(),
            status: import.status.clone(),
            done: import.done,
            file: import.file.as_ref().map(|file| file.id.clone()),
        });
    }

    fn report_failure(&self, context: &Context, url: &Url, error: Error) -> Kind {
        let path: RemotePath = self.target.place.display_path(&self.target.place.path);
        let source = crate::model::secret::mask(url.as_str()).into_owned();
        let failure = Failure::new(&error).of_source(source).at(self.remote.name.clone(), path);
        context.renderer.report(&Report::Failed(failure));
        error.kind()
    }
}
