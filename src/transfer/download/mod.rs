//! Downloads one file: the only download loop. Bytes go to `.NAME.haul-part` beside the target. After a transient failure the
//! next request begins where they end. Only a complete and verified file gets its name.

pub mod open_folder;
mod parallel;
pub mod part_file;
mod part_lock;
mod part_record;
mod version;
mod write;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use self::open_folder::Target;
use self::part_file::PartFile;
pub use self::part_lock::{LockedPart, lock_part};
use self::write::DiskWriter;
use super::client::RemoteClient;
use super::effort::Effort;
use super::source::file::{FileSource, md5_of};
use super::source::meter::Hash;
use super::source::remote::end_untold;
use crate::contract::{Download, Provider};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::Verified;
use crate::model::{Entry, Event, Protocol};

/// A file to download, and its target.
pub struct DownloadRequest<'a> {
    pub file: &'a Entry,
    /// The path of the target; its folder exists.
    pub target: &'a Target,
    /// True: something has the name and may be replaced. False: nothing is replaced, also if it appears meanwhile.
    pub replace: bool,
    /// Connections for this file, where the server gives ranges.
    pub streams: usize,
    /// The MD5 that the content must have, in lower-case hex.
    pub md5: Option<String>,
    /// Compute the MD5 although there is nothing to compare it with.
    pub hash: bool,
}

/// A file that is complete here, under its name.
#[derive(Debug)]
pub struct Downloaded {
    /// Bytes.
    pub size: u64,
    /// The MD5 in lower-case hex, if it was computed.
    pub md5: Option<String>,
    pub verified: Verified,
    pub protocol: Protocol,
    /// Bytes that an earlier run had downloaded.
    pub resumed_from: u64,
    pub retries: u32,
    pub time: Duration,
}

/// Downloads the file into `part`, and gives it its name. Fails with `Integrity` when size or MD5 are not what the provider
/// tells (the bytes are removed then), with `Exists` when something took the name meanwhile, with `Local` when it can't be
/// stored.
pub async fn download(client: &RemoteClient, id: FileId, order: &DownloadRequest<'_>, part: PartFile) -> Result<Downloaded> {
    let begun = Instant::now();
    let part = Arc::new(part);
    let resumed_from = part.have()?;
    let fetching = Downloader::new(client, id, order, part.clone(), resumed_from);
    client.events.send(Event::Accepted { id, offset: resumed_from });
    let outcome = match fetching.run().await {
        Ok(()) => fetching.verify().await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok((size, md5, verified)) => {
            part.finish(order.target, order.replace)?;
            let protocol = fetching.protocol.get().copied().unwrap_or(Protocol::Https);
            let retries = fetching.retries.load(Ordering::Relaxed);
            let resumed_from = fetching.resumed_from.load(Ordering::Relaxed).min(size);
            Ok(Downloaded { size, md5, verified, protocol, resumed_from, retries, time: begun.elapsed() })
        }
        Err(error) => {
            // A later run must not go on with wrong bytes.
            if error.kind() == Kind::Integrity {
                part.discard();
            }
            Err(error)
        }
    }
}

struct Downloader<'a> {
    client: &'a RemoteClient,
    id: FileId,
    order: &'a DownloadRequest<'a>,
    part: Arc<PartFile>,
    /// The MD5 is computed while the bytes come in order from the first on; otherwise the file is read once more.
    hash: Mutex<Option<Hash>>,
    /// The size of the file: as the provider lists it, else as the first answer says.
    size: OnceLock<u64>,
    protocol: OnceLock<Protocol>,
    retries: AtomicU32,
    /// Counts over all answers and streams.
    effort: Mutex<Effort>,
    resumed_from: AtomicU64,
    /// One of several streams has failed for good.
    stopped: AtomicBool,
}

impl<'a> Downloader<'a> {
    fn new(client: &'a RemoteClient, id: FileId, order: &'a DownloadRequest<'a>, part: Arc<PartFile>, have: u64) -> Self {
        // If another program may write to the part, the file on the disk is hashed at the end.
        let inline = (order.hash || order.md5.is_some()) && have == 0 && order.streams < 2 && part.is_locked();
        let size = order.file.size.map(OnceLock::from).unwrap_or_default();
        let hash = Mutex::new(inline.then(Hash::start));
        let (protocol, retries, stopped) = Default::default();
        let (effort, resumed_from) = (Mutex::new(Effort::new(client.policy.tries)), AtomicU64::new(have));
        Downloader { client, id, order, part, hash, size, protocol, retries, effort, resumed_from, stopped }
    }

    async fn run(&self) -> Result<()> {
        if (self.order.streams > 1 || self.part.is_split()) && self.parallel().await? {
            return Ok(());
        }
        self.sequential().await
    }

    async fn sequential(&self) -> Result<()> {
        let mut patience = self.client.retries(Some(self.id));
        self.effort().record_offset(self.part.have()?);
        loop {
            let outcome = patience.attempt(|p| self.attempt(p)).await;
            self.retries.store(patience.retries(), Ordering::Relaxed);
            let Err(error) = outcome else { return Ok(()) };
            let have = self.part.have()?;
            if self.effort().record_offset(have) {
                patience.progress();
            }
            self.client.events.send(Event::Accepted { id: self.id, offset: have });
            let error = self.effort().ask_again(error, self.size.get().copied())?;
            patience.backoff(error).await?;
        }
    }

    /// Makes one request, from the end of the part.
    async fn attempt(&self, provider: &dyn Provider) -> Result<()> {
        let have = self.part.have()?;
        match self.size.get() {
            // Without an MD5 only the end of the answer shows that this is the end of the file (see `Flow::see_the_end`).
            Some(size) if have == *size && have > 0 && self.order.md5.is_some() => return Ok(()),
            Some(size) if have > *size => self.start_over()?,
            _ => {}
        }
        let at = self.part.have()?;
        let mut download = self.open(provider, at).await?;
        if download.from == at && at > 0 && !self.part.same_version(download.version.as_deref()) {
            self.note("the file has changed there, so it is fetched from its first byte");
            download = self.open(provider, 0).await?;
        }
        if download.from != at {
            self.start_over()?;
        }
        if download.from == 0 {
            self.part.record_version(download.version.as_deref())?;
        }
        let (from, end) = (download.from, self.size.get().copied().unwrap_or(u64::MAX));
        if self.flow(None).run(download, from, end).await? {
            return Ok(());
        }
        // The bytes were hashed.
        *self.hash.lock() = None;
        Err(write::ended_early_error())
    }

    /// Requests the file from offset `at` on. Fails with `Integrity` when the answer belongs to a file of another size.
    async fn open(&self, provider: &dyn Provider, at: u64) -> Result<Download> {
        let download = provider.open_download(self.order.file, at).await?;
        if download.from != at && download.from != 0 {
            return Err(Error::new(Kind::Protocol, "the server sent another part of the file than requested"));
        }
        let _ = self.protocol.set(download.protocol);
        if let Some(told) = download.size {
            let size = *self.size.get_or_init(|| told);
            if told != size {
                return Err(Error::new(Kind::Integrity, format!("the size differs: {size} bytes are announced, {told} bytes are sent"))
                    .with_hint("list the folder again; if it still differs, the copy there is not good"));
            }
        }
        Ok(download)
    }

    fn start_over(&self) -> Result<()> {
        *self.hash.lock() = None;
        self.resumed_from.store(0, Ordering::Relaxed);
        if self.part.have()? > 0 {
            self.part.start_over()?;
            self.client.events.send(Event::StartedOver { id: self.id, left_behind: None });
        }
        Ok(())
    }

    fn note(&self, text: &str) {
        self.client.events.send(Event::Note(format!("{}: {text}", self.order.file.path)));
    }

    fn flow(&self, span: Option<usize>) -> DiskWriter<'_> {
        let feeder = self.hash.lock().as_ref().and_then(Hash::feeder);
        DiskWriter { client: self.client, id: self.id, part: &self.part, span, hash: feeder, effort: &self.effort, stopped: &self.stopped }
    }

    fn effort(&self) -> MutexGuard<'_, Effort> {
        self.effort.lock()
    }

    /// Compares all that is known.
    async fn verify(&self) -> Result<(u64, Option<String>, Verified)> {
        let (have, known) = (self.part.have()?, self.size.get().copied());
        if let Some(size) = known.filter(|size| *size != have) {
            return Err(Error::new(Kind::Integrity, format!("the size differs: {size} bytes there, {have} bytes came")));
        }
        let md5 = match self.order.hash || self.order.md5.is_some() {
            true => Some(self.md5(have).await?),
            false => None,
        };
        match (&self.order.md5, &md5) {
            (Some(there), Some(here)) if !there.eq_ignore_ascii_case(here) => {
                Err(Error::new(Kind::Integrity, format!("the MD5 differs: {there} there, {here} came"))
                    .with_hint("run it again; nothing was kept of it"))
            }
            (Some(_), _) => Ok((have, md5, Verified::Md5)),
            // The length that the answer states proves only that nothing of the answer was lost.
            _ if self.order.file.size.is_some() => Ok((have, md5, Verified::Size)),
            _ => {
                if known.is_none() {
                    self.client.events.send(Event::Warning(end_untold(&self.client.address(&self.order.file.path))));
                }
                Ok((have, md5, Verified::None))
            }
        }
    }

    async fn md5(&self, size: u64) -> Result<String> {
        let inline = self.hash.lock().take();
        if let Some(hash) = inline
            && let Some(md5) = hash.finish(size).await
        {
            return Ok(md5);
        }
        self.client.events.send(Event::Checking { id: self.id });
        md5_of(&FileSource::of(self.part.display_path(), self.part.file.try_clone()?)?).await
    }
}
