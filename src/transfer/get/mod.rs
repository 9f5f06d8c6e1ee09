//! A `get`: finds what the addresses name, decides where each file lands, and downloads `--jobs` files at once. Folders are
//! listed when the work comes to them, so that a large tree takes no memory. Each file's result is an event; a failure that
//! stops the whole run is the error.

pub(crate) mod conflict;
pub(crate) mod local;
pub(crate) mod selected;
pub(crate) mod stdout;
mod walk;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use self::conflict::{GetDecision, LocalHistory, ReservedPaths, decide};
use self::local::{Local, check_name, create_dirs_safely};
use super::IfExists;
use super::breaker::CircuitBreaker;
use super::client::RemoteClient;
use super::download::open_folder::{LocalFolder, Target, display_path};
use super::download::part_file::{ContentId, PartFile};
use super::download::{DownloadRequest, Downloaded, LockedPart, download, lock_part};
use super::files_at_once::FilesAtOnce;
use super::filter::Filter;
use super::fingerprint::EntryFingerprint;
use super::lock_wait;
use super::put::ChecksumMode;
use super::source::hashing::tell_hashing;
use crate::contract::{Events, PlaceLock, TransferStore};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::{Failure, Transfer, TransferKind};
use crate::model::{Address, Entry, Event, RemotePath, Report};

/// What an address names, and what is needed to read it.
#[derive(Clone)]
pub struct GetSource {
    /// The remote that is read.
    pub client: RemoteClient,
    /// What this machine remembers of its transfers.
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account, as in `CompletedTransfer::remote`.
    pub key: String,
    /// The address as it was typed.
    pub address: Address,
    /// The entry at the address.
    pub entry: Entry,
    /// The entries of the folder are meant, and not the folder under its own name.
    pub contents: bool,
    /// Where in LOCAL it lands: folders that a list names it in.
    pub below: Vec<String>,
    /// So many of the folders that its files land in do not count for the filter: the source's own name.
    pub own: usize,
}

/// How a get proceeds.
#[derive(Clone)]
pub struct GetOptions {
    /// The user named several places; some of them may not exist.
    pub several: bool,
    /// What becomes of a local file of the same name.
    pub if_exists: IfExists,
    /// With [`IfExists::Update`]: an equal size is proof enough.
    pub size_only: bool,
    /// When the MD5 is computed and compared.
    pub checksum: ChecksumMode,
    /// Files in flight.
    pub jobs: usize,
    /// Connections for one large file.
    pub streams: usize,
    /// Reports what would be done, and does nothing.
    pub dry_run: bool,
    /// Begins no further file after the first failure.
    pub fail_fast: bool,
    /// What is left out.
    pub(crate) filter: Arc<Filter>,
}

/// Gets what `origins` name into `local`, as typed. An error means that nothing was fetched; failures of single files are
/// events.
///
/// # Errors
/// Nothing was downloaded: `Usage` for a target that can't be, `Auth` or `Refused` from the account, `Local` from this machine's files.
pub async fn get(origins: Vec<GetSource>, local: &str, mut options: GetOptions) -> Result<()> {
    options.several |= origins.len() > 1;
    let local = Local::of(local, options.several || origins.iter().any(|origin| origin.entry.is_folder()))?;
    let (run, origins) = GetRun::begin(origins, local, options).await?;
    run.execute(origins).await;
    Ok(())
}

/// What the accounts allow to download.
#[derive(Default)]
struct Admitted {
    origins: Vec<GetSource>,
    refused: Vec<(GetSource, Error)>,
    /// Downloads at once, by the account that allows fewest.
    most: Option<usize>,
}

/// Asks each account once. Fails where the only account refuses. If one of several accounts refuses, only its files fail.
async fn sign_in_to_sources(origins: Vec<GetSource>) -> Result<Admitted> {
    let keys: HashSet<&str> = origins.iter().map(|origin| origin.key.as_str()).collect();
    let several = keys.len() > 1;
    let (mut admitted, mut told) = (Admitted::default(), HashMap::new());
    for origin in origins {
        if !told.contains_key(&origin.key) {
            let answer = downloads_at_once(&origin).await;
            if !several {
                admitted.most = answer?;
                told.insert(origin.key.clone(), None);
            } else {
                let most = answer.as_ref().ok().copied().flatten();
                admitted.most = admitted.most.into_iter().chain(most).min();
                told.insert(origin.key.clone(), answer.err());
            }
        }
        match told.get(&origin.key).and_then(Option::as_ref) {
            Some(error) => admitted.refused.push((origin, error.duplicate())),
            None => admitted.origins.push(origin),
        }
    }
    Ok(admitted)
}

/// How many downloads the account may have at once. Fails with `Refused` when it may have none.
async fn downloads_at_once(origin: &GetSource) -> Result<Option<usize>> {
    let account = origin.client.call(|p| p.sign_in()).await?;
    for warning in account.warnings {
        origin.client.events.send(Event::Warning(warning));
    }
    let refused = |why: &str, hint: &str| Err(Error::new(Kind::Refused, why).with_subject(origin.address.remote.clone()).with_hint(hint));
    match account.limits {
        limits if limits.expired == Some(true) => refused("the share or account has expired", "ask its owner for a new one"),
        limits if limits.may_download == Some(false) => {
            refused("this account may not download the files themselves", "ask the owner for the download of originals")
        }
        limits => Ok(limits.downloads_at_once),
    }
}

/// How a person calls an entry: `studio:/a/b`.
fn display_source(address: &Address, entry: &Entry) -> String {
    Address::text(&address.remote, &entry.path)
}

fn report_failed(id: FileId, origin: &GetSource, entry: &Entry, error: &Error) {
    let failure = Failure::new(error).of_source(display_source(&origin.address, entry)).at(&origin.address.remote, entry.path.clone());
    origin.client.events.send(Event::Finished { id, report: Box::new(Report::Failed(failure)) });
}

/// One file to get.
#[derive(Clone)]
struct GetItem {
    origin: Arc<GetSource>,
    file: Entry,
    /// Folders below the user's own.
    below: Vec<String>,
    /// Its name here.
    name: String,
}

struct GetRun {
    at_once: FilesAtOnce,
    local: Local,
    /// The user's own folder, opened once: whatever its path leads to later, the files of this run come to one place.
    top: Mutex<Option<LocalFolder>>,
    options: GetOptions,
    /// Sources may land on each other.
    several: bool,
    taken: Mutex<HashSet<PathBuf>>,
    given: ReservedPaths,
    /// Files and bytes that are known of so far.
    planned: Mutex<(u64, u64)>,
    ids: AtomicU64,
    stop: CircuitBreaker,
}

impl GetRun {
    /// Asks the accounts. With several accounts, a refusal is reported and the others go on.
    async fn begin(origins: Vec<GetSource>, local: Local, mut options: GetOptions) -> Result<(Arc<GetRun>, Vec<GetSource>)> {
        let Admitted { mut origins, refused, most } = sign_in_to_sources(origins).await?;
        for (origin, error) in refused {
            report_failed(u64::MAX, &origin, &origin.entry, &error);
        }
        if let Some(most) = most {
            options.jobs = options.jobs.min(most).max(1);
            options.streams = options.streams.min(most / options.jobs).max(1);
        }
        let events = origins.first().map_or_else(|| Events::channel().0, |origin| origin.client.events.clone());
        let at_once = FilesAtOnce::new(options.jobs, events);
        for origin in &mut origins {
            origin.client = origin.client.clone().with_files_at_once(at_once.clone());
        }
        let run = GetRun {
            at_once,
            local,
            top: Mutex::default(),
            stop: CircuitBreaker::new(options.fail_fast),
            several: options.several,
            options,
            taken: Mutex::default(),
            given: ReservedPaths::default(),
            planned: Mutex::default(),
            ids: AtomicU64::new(0),
        };
        Ok((Arc::new(run), origins))
    }

    fn next_id(&self) -> FileId {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    async fn process(&self, item: GetItem) {
        let id = self.next_id();
        let outcome = match self.stop.check(&item.origin.key) {
            Ok(()) => {
                let (events, name) = (&item.origin.client.events, display_source(&item.origin.address, &item.file));
                tell_hashing(events, id, name, item.file.size, self.download_file(id, &item)).await
            }
            Err(stopped) => Err(stopped),
        };
        match outcome {
            Ok(report) => {
                self.stop.success(&item.origin.key);
                self.at_once.record_finished();
                item.origin.client.events.send(Event::Finished { id, report: Box::new(report) });
            }
            Err(error) => {
                self.stop.failure(&item.origin.key, &error);
                report_failed(id, &item.origin, &item.file, &error);
            }
        }
    }

    async fn download_file(&self, id: FileId, item: &GetItem) -> Result<Report> {
        let GetItem { origin, file, name, .. } = item;
        let folder = create_dirs_safely(&self.top()?, &item.below, !self.options.dry_run)?;
        let target = folder.at(check_name(name)?);
        self.take(&target)?;
        let GetOptions { checksum, size_only, dry_run, .. } = self.options;
        let known = LocalHistory { ledger: origin.ledger.as_ref(), remote: &origin.key, checksum, size_only, dry_run };
        // Two runs that fetch to one place take turns, and the second one sees what the first has done.
        let _claim = self.claim(origin, &target, true).await?;
        let mut held: Option<(Target, PartFile)> = None;
        loop {
            let (decision, _second_claim) = self.prepare(item, &target, &known).await?;
            let (to, replaces) = match decision {
                GetDecision::Fetch { to, replaces } if self.options.dry_run => return Ok(self.plan_report(item, &to, replaces)),
                GetDecision::Fetch { to, replaces } => (to, replaces),
                GetDecision::Skip { reason } => {
                    held.take().inspect(|(_, part)| part.discard());
                    return Ok(self.skipped_report(item, &target, reason));
                }
            };
            match held.take() {
                Some((place, part)) if place == to => return self.fetch(id, item, &known, (&to, replaces), part).await,
                other => drop(other.inspect(|(_, part)| part.discard())),
            }
            let LockedPart { part, waited } = lock_part(&origin.client, &to, &ContentId::of(file, &origin.key)).await?;
            if !waited {
                return self.fetch(id, item, &known, (&to, replaces), part).await;
            }
            // We hold the lock now, and look again at what the other run has left there.
            held = Some((to, part));
        }
    }

    async fn fetch(
        &self,
        id: FileId,
        item: &GetItem,
        known: &LocalHistory<'_>,
        (to, replace): (&Target, bool),
        part: PartFile,
    ) -> Result<Report> {
        let GetItem { origin, file, .. } = item;
        origin.client.events.send(Event::Started { id, name: display_source(&origin.address, file), size: file.size });
        let md5 = if self.options.checksum == ChecksumMode::None { None } else { known.md5(file)? };
        let hash = matches!(self.options.checksum, ChecksumMode::Before | ChecksumMode::After);
        let order = DownloadRequest { file, target: to, replace, streams: self.options.streams, md5, hash };
        let downloaded = download(&origin.client, id, &order, part).await?;
        if let Err(e) = known.record_download(file, to, downloaded.md5.clone()).await {
            origin.client.events.send(Event::Warning(format!("this download could not be recorded: {e}")));
        }
        Ok(self.downloaded_report(item, to, downloaded))
    }

    fn top(&self) -> Result<LocalFolder> {
        let mut top = self.top.lock();
        if let Some(folder) = top.as_ref() {
            return Ok(folder.clone());
        }
        let folder = LocalFolder::open(self.local.folder(), !self.options.dry_run)?;
        *top = Some(folder.clone()).filter(LocalFolder::is_open);
        Ok(folder)
    }

    /// With the claim of the new name, where the file gets one: another run may have its eye on the same.
    async fn prepare(&self, item: &GetItem, target: &Target, known: &LocalHistory<'_>) -> Result<(GetDecision, Option<PlaceLock>)> {
        loop {
            let decision = decide(self.options.if_exists, target, &item.file, known, &self.given).await?;
            let GetDecision::Fetch { to, .. } = &decision else { return Ok((decision, None)) };
            if to == target || self.options.dry_run {
                return Ok((decision, None));
            }
            // A run that holds one lock must not wait for a second: a name that another run is working on, or was, is skipped.
            if let Some(claim) = self.claim(&item.origin, to, false).await?
                && !to.is_taken()
            {
                return Ok((decision, Some(claim)));
            }
        }
    }

    async fn claim(&self, origin: &GetSource, place: &Target, wait: bool) -> Result<Option<PlaceLock>> {
        if self.options.dry_run {
            return Ok(None);
        }
        let place = std::path::absolute(place.path())?;
        let key = format!("get|{}", place.display());
        match wait {
            true => lock_wait::lock_place(&origin.client, origin.ledger.as_ref(), &key, &display_path(&place)).await.map(Some),
            false => origin.ledger.lock_place(&key).await,
        }
    }

    /// Fails with `Usage` when another source of this run lands there too.
    fn take(&self, target: &Target) -> Result<()> {
        if !self.several || self.taken.lock().insert(target.path()) {
            return Ok(());
        }
        Err(Error::new(Kind::Usage, format!("two sources have the same target: {}", display_path(&target.path())))
            .with_hint("get them into different folders"))
    }

    fn skipped_report(&self, item: &GetItem, target: &Target, reason: String) -> Report {
        let (source, remote, path) = from(item);
        let (target, id) = (Some(display_path(&target.path())), Some(item.file.id.clone()));
        Report::Skipped { source, remote, path, target, id, size: item.file.size, reason }
    }

    fn plan_report(&self, item: &GetItem, target: &Target, replaces: bool) -> Report {
        let (source, remote, path) = from(item);
        let action = if replaces { "replace" } else { "download" };
        let (source, target) = (Some(source), Some(display_path(&target.path())));
        Report::Planned { action, source, remote, path, target, size: item.file.size }
    }

    fn downloaded_report(&self, item: &GetItem, target: &Target, done: Downloaded) -> Report {
        let (source, remote, path) = from(item);
        Report::Transferred {
            how: TransferKind::Downloaded,
            transfer: Transfer {
                source,
                remote,
                path,
                id: Some(item.file.id.clone()),
                size: done.size,
                md5: done.md5,
                verified: done.verified,
                protocol: done.protocol,
                resumed_from: done.resumed_from,
                retries: done.retries,
                seconds: done.time.as_secs_f64(),
                stamp: Some(EntryFingerprint::of(&item.file).text()),
                target: Some(display_path(&target.path())),
                kept: None,
                url: None,
            },
        }
    }
}

fn from(item: &GetItem) -> (String, String, RemotePath) {
    let address = &item.origin.address;
    (display_source(address, &item.file), address.remote.clone(), item.file.path.clone())
}
