//! Completes paths on remotes. The shell does not wait for a server: another process lists the folder and keeps the names. The
//! completion uses the names that are there within a moment.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::candidate::{Completion, context};
use crate::cli::abilities::LIST;
use crate::cli::connection::ConnectArgs;
use crate::cli::context::{Context, OpenRemote};
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Place};

/// Set for the process that lists a folder: the address.
pub const FILL: &str = "_HAUL_COMPLETE_FILL";
/// The configuration file of that process.
const FILL_CONFIG: &str = "_HAUL_COMPLETE_CONFIG";
/// Names are good for so long without another look.
const FRESH: Duration = Duration::from_secs(20);
/// After a refused sign-in no process lists for this time: a wrong password that is repeated locks the account.
const REFUSED_FOR: Duration = Duration::from_secs(3600);
/// The time that a person waits for a new listing, without the start of haul.
const PATIENCE: Duration = Duration::from_millis(150);
/// The other process gives up after this time.
const LISTING: ConnectArgs = ConnectArgs { retries: 1, timeout: Duration::from_secs(10) };

const REFUSED: &str = "refused";

/// Returns the entries of the typed folder, as `REMOTE:PATH`.
pub fn below(remote: &str, path: &str, file: Option<&str>) -> Vec<Completion> {
    names(remote, path, file).unwrap_or_default()
}

fn names(remote: &str, path: &str, file: Option<&str>) -> Result<Vec<Completion>> {
    let context = context(file)?;
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let shown = if path.contains('/') { format!("{folder}/") } else { String::new() };
    let open = context.open(remote, LISTING)?;
    let place = format!("{}:{folder}/", open.name);
    let state = context.state();
    let key = format!("{}|{folder}", open.key);
    let is_refused = state.cached_names(&refusal_of(&open)).is_some_and(|(age, _)| age < REFUSED_FOR);
    let kept = state.cached_names(&key);
    let is_fresh = kept.as_ref().is_some_and(|(age, _)| *age < FRESH);
    if !is_fresh && !is_refused && open.can(&LIST) {
        list_elsewhere(&place, file);
    }
    let (_, names) = state.cached_names(&key).or(kept).unwrap_or_default();
    let fitting = names.into_iter().filter(|found| found.starts_with(name));
    Ok(fitting.map(|found| Completion::new(format!("{remote}:{shown}{found}"), "")).collect())
}

fn refusal_of(remote: &OpenRemote) -> String {
    format!("{}|{REFUSED}", remote.key)
}

/// Starts the other process and waits for its end, but not for long.
fn list_elsewhere(place: &str, file: Option<&str>) {
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = Command::new(program);
    command.env_remove("_HAUL_COMPLETE").env_remove("_HAUL_COMPLETE_LINE").env(FILL, place);
    command.envs(file.map(|file| (FILL_CONFIG, file)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // A signal of the terminal is meant for the shell.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let Ok(mut child) = command.spawn() else { return };
    let Some(mut out) = child.stdout.take() else { return };
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = out.read(&mut [0; 1]);
        let _ = tell.send(());
    });
    let _ = told.recv_timeout(PATIENCE);
}

/// Lists the folder and keeps its names. A refused sign-in is noted; every other failure is ignored.
pub fn fill(place: &str) {
    let file = std::env::var(FILL_CONFIG).ok();
    let filled = context(file.as_deref()).and_then(|context| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let filled = runtime.block_on(async { tokio::time::timeout(LISTING.timeout, list(&context, place)).await });
        context.state().take_warnings();
        filled.unwrap_or_else(|_| Err(Error::new(Kind::Unreachable, "the listing takes too long")))
    });
    drop(filled);
    let _ = std::io::stdout().write_all(b".");
}

async fn list(context: &Context, place: &str) -> Result<()> {
    let address = Address::parse_remote(place)?;
    let config = context.config.remote(&address.remote)?;
    // A command for a secret may open a window of its own.
    config.forbid_commands();
    let open = context.open_with(config, context.state(), LISTING)?;
    let client = context.client(&open);
    let Place { root, path } = &address.place;
    let folder = place.split_once(':').map_or("", |(_, path)| path.trim_end_matches('/'));
    let listed = async {
        let top = client.stat(&Place { root: root.clone(), path: path.clone() }).await?;
        client.list(&top).await
    };
    match listed.await {
        Ok(mut entries) => {
            crate::contract::EntryOrder::default().sort(&mut entries);
            let names = entries.map(|entry| if entry.is_folder() { format!("{}/", entry.name) } else { entry.name });
            context.state().keep_names(&format!("{}|{folder}", open.key), names);
            Ok(())
        }
        Err(error) => {
            if error.kind() == Kind::Auth {
                context.state().keep_names(&refusal_of(&open), std::iter::empty());
            }
            Err(error)
        }
    }
}
