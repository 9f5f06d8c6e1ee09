//! A command that carries files, noted as a whole while it runs. After a kill `haul transfers resume` can finish all of it, and
//! not only the files that were in flight.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::filter_args::SelectionArgs;
use super::list_args::ListArgs;
use super::transfer_args::{AnyProtocol, SyncOptionArgs, TransferArgs};
use crate::contract::{PlaceLock, TransferStore};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::{Address, Event, Protocol, RemotePath, Report};
use crate::state::{CarryingRun, State};
use crate::transfer::IfExists;
use crate::transfer::put::ChecksumMode;

/// The shortest time between two notes of the counts, as they are not written for each small file.
const COUNT_EVERY: Duration = Duration::from_millis(100);

/// The command as the user must type it again: its places in a form that is valid in every folder, and the options that say
/// what to do. Options of speed and retries (`--jobs`, `--bwlimit`, `--retries`) are not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    pub verb: CarryVerb,
    pub places: Vec<String>,
    pub literal: bool,
    pub protocol: Option<Protocol>,
    pub chunk_size: Option<u64>,
    pub if_exists: Option<IfExists>,
    pub checksum: ChecksumMode,
    pub attr: Vec<(String, String)>,
    pub kind: Option<String>,
    /// Which files of the sources.
    #[serde(default)]
    pub selection: SelectionArgs,
    #[serde(default)]
    pub list: ListArgs,
    /// Of a sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncOptionArgs>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CarryVerb {
    Put,
    Get,
    Cp,
    Mv,
    Sync,
    /// Its one place is the file of the plan.
    Apply,
}

impl Noted {
    /// None for a dry run, which leaves nothing to resume.
    pub fn new(verb: CarryVerb, places: Vec<String>, literal: bool, args: &TransferArgs) -> Option<Noted> {
        let TransferArgs { protocol, chunk_size, if_exists, checksum, dry_run, .. } = args;
        let (protocol, chunk_size, if_exists, checksum) = (protocol.0, *chunk_size, *if_exists, *checksum);
        let (attr, kind, selection, list, sync) = (Vec::new(), None, SelectionArgs::default(), ListArgs::default(), None);
        (!dry_run).then_some(Noted { verb, places, literal, protocol, chunk_size, if_exists, checksum, attr, kind, selection, list, sync })
    }

    /// As it is noted while it runs once more.
    pub fn repeat(&self, args: &TransferArgs) -> Option<Noted> {
        let Noted { attr, kind, selection, list, sync, .. } = self.clone();
        let noted = Noted::new(self.verb, self.places.clone(), self.literal, args)?;
        Some(Noted { attr, kind, selection, list, sync, ..noted })
    }

    /// Only these files.
    pub fn choosing(self, selection: &SelectionArgs) -> Noted {
        Noted { selection: selection.absolute(), ..self }
    }

    fn key(&self) -> String {
        // Other files of the same sources are another command.
        let same = match self.selection == SelectionArgs::default() && !self.list.is_given() {
            true => serde_json::json!([self.verb, self.places]).to_string(),
            false => serde_json::json!([self.verb, self.places, self.selection, self.list]).to_string(),
        };
        format!("{:x}", md5::compute(same))
    }

    fn name(&self) -> &'static str {
        match self.verb {
            CarryVerb::Put => "put",
            CarryVerb::Get => "get",
            CarryVerb::Cp => "cp",
            CarryVerb::Mv => "mv",
            CarryVerb::Sync => "sync",
            CarryVerb::Apply => "apply",
        }
    }

    pub fn command_words(&self) -> Vec<String> {
        std::iter::once(self.name().to_owned()).chain(self.places.iter().cloned()).collect()
    }

    /// Are all local sources gone?
    pub fn has_lost_its_sources(&self) -> bool {
        if self.verb == CarryVerb::Apply {
            return self.places.iter().all(|plan| !Path::new(plan).exists());
        }
        let sources = self.places.split_last().map(|(_, sources)| sources).unwrap_or_default();
        let may_be_local = |source: &&String| Address::parse(source).is_ok_and(|address| address.is_none());
        matches!(self.verb, CarryVerb::Put | CarryVerb::Sync)
            && sources.iter().all(|source| may_be_local(&source))
            && sources.iter().all(|source| !Path::new(source).exists())
    }

    /// The path on the remote that `CarryingRun::remote` names.
    pub fn path(&self) -> RemotePath {
        let remote = |place: Option<&String>| place.and_then(|place| Address::parse(place).ok().flatten());
        let address = match self.verb {
            CarryVerb::Get => remote(self.places.first()),
            // The target, or the source where the files come here.
            _ => remote(self.places.last()).or_else(|| remote(self.places.first())),
        };
        address.map(|address| address.place.path).unwrap_or_default()
    }

    /// Options of the command, with those of `resume` that say how.
    pub fn options(&self, how: &TransferArgs) -> TransferArgs {
        TransferArgs {
            protocol: AnyProtocol(how.protocol.0.or(self.protocol)),
            chunk_size: how.chunk_size.or(self.chunk_size),
            if_exists: how.if_exists.or(self.if_exists),
            checksum: if how.checksum == ChecksumMode::Auto { self.checksum } else { how.checksum },
            ..how.clone()
        }
    }
}

/// A place of the command line in a form that is valid in every folder; `dir/` keeps its slash.
pub fn absolute(place: &str) -> String {
    match std::env::current_dir() {
        Ok(here) if Path::new(place).is_relative() => format!("{}/{place}", here.display()),
        _ => place.to_owned(),
    }
}

pub fn claim_key(run: &CarryingRun) -> String {
    format!("run {}", run.key)
}

/// A command that is running.
pub struct Running {
    state: Arc<State>,
    run: CarryingRun,
    in_flight: HashSet<FileId>,
    /// A file failed that another run may be able to carry.
    is_unfinished: bool,
    counted: Instant,
    _claim: PlaceLock,
}

/// Notes the command before anything is sent. None: there is nothing to note, or the very same command runs in another process.
pub async fn begin(context: &Context, noted: Option<Noted>, remote: &str) -> Result<Option<Running>> {
    let Some(noted) = noted else { return Ok(None) };
    let command = serde_json::to_string(&noted).map_err(|e| Error::new(Kind::Other, "the command can't be noted").with_cause(e))?;
    let (key, remote, at) = (noted.key(), remote.to_owned(), Utc::now().timestamp());
    let run = CarryingRun { key, remote, command, files: None, done: 0, failed: 0, in_flight: 0, at };
    let state = context.state();
    let Some(claim) = state.lock_place(&claim_key(&run)).await? else { return Ok(None) };
    state.commit(state.begin_run(&run)).await?;
    let (in_flight, counted) = (HashSet::new(), Instant::now());
    Ok(Some(Running { state, run, in_flight, is_unfinished: false, counted, _claim: claim }))
}

impl Running {
    pub fn note(&mut self, event: &Event) {
        let planned = match event {
            // It grows while the sources are walked through.
            Event::Planned { files, .. } => self.run.files.replace(*files).is_none(),
            Event::Started { id, .. } => {
                self.in_flight.insert(*id);
                false
            }
            Event::Finished { id, report } => {
                self.in_flight.remove(id);
                match &**report {
                    Report::Failed(failure) => {
                        self.run.failed += 1;
                        self.is_unfinished |= failure.untried || failure.error.retryable;
                    }
                    _ => self.run.done += 1,
                }
                false
            }
            _ => return,
        };
        if planned || self.counted.elapsed() >= COUNT_EVERY {
            self.count();
        }
    }

    fn count(&mut self) {
        self.run.in_flight = self.in_flight.len() as u64;
        self.counted = Instant::now();
        self.state.count_run(&self.run);
    }

    /// Ends the note when every file was tried. The command stays in the list if another run may carry a failed file.
    pub fn finish(mut self) {
        if self.is_unfinished { self.count() } else { self.state.forget_run(&self.run.key) }
    }
}

/// The commands of `remote`, or all. Notes of another version that this one can't read are left out.
pub fn select_runs(context: &Context, remote: Option<&str>) -> Vec<(CarryingRun, Noted)> {
    let is_wanted = |run: &CarryingRun| remote.is_none_or(|wanted| run.remote.eq_ignore_ascii_case(wanted));
    let all = context.state().runs().into_iter().filter(is_wanted);
    all.filter_map(|run| serde_json::from_str(&run.command).ok().map(|noted| (run, noted))).collect()
}

/// The commands that carry files to or from a remote, as they are to be noted when the remote has another name. With the key
/// that each had.
pub fn rename_in_notes(context: &Context, old: &str, new: &str) -> Vec<(String, CarryingRun)> {
    let place = |place: String| match place.split_once(':') {
        Some((remote, path)) if remote.eq_ignore_ascii_case(old) => format!("{new}:{path}"),
        _ => place,
    };
    let rename = |(run, noted): (CarryingRun, Noted)| {
        let before = noted.places.clone();
        let noted = Noted { places: noted.places.into_iter().map(place).collect(), ..noted };
        let is_named = run.remote.eq_ignore_ascii_case(old);
        let remote = if is_named { new.to_owned() } else { run.remote };
        let command = serde_json::to_string(&noted).ok()?;
        (is_named || before != noted.places).then(|| (run.key, CarryingRun { key: noted.key(), remote, command, ..run }))
    };
    select_runs(context, None).into_iter().filter_map(rename).collect()
}

pub fn is_any(context: &Context, remote: &str) -> bool {
    !select_runs(context, Some(remote)).is_empty()
}

pub fn list(context: &Context) {
    for (run, noted) in select_runs(context, None) {
        let CarryingRun { remote, files, done, failed, in_flight, at, .. } = run;
        context.renderer.report(&Report::Run {
            remote,
            path: noted.path(),
            command: noted.command_words(),
            files,
            done,
            failed,
            in_flight,
            not_begun: files.map(|files| files.saturating_sub(done + failed + in_flight)),
            since: DateTime::from_timestamp(at, 0),
        });
    }
}

/// Forgets the commands, except those that run in another process. True when no such command was there.
pub async fn clear(context: &Context, remote: Option<&str>, dry_run: bool) -> Result<bool> {
    let mut all = true;
    for (run, noted) in select_runs(context, remote) {
        let Some(_turn) = context.state().lock_place(&claim_key(&run)).await? else {
            all = false;
            continue;
        };
        if dry_run {
            let source = Some(noted.command_words().join(" "));
            context.renderer.report(&Report::Planned {
                action: "forget",
                source,
                remote: run.remote,
                path: noted.path(),
                target: None,
                size: None,
            });
        } else {
            context.state().forget_run(&run.key);
        }
    }
    Ok(all)
}
