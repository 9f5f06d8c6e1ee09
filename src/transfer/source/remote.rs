//! A file on a remote as one stream: after a failure the download is requested again from the byte where it stopped. For
//! standard output, and for an upload to another remote; nothing is stored here.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::{Mutex, mpsc};

use super::file::{read_failure, receive};
use super::meter::Activity;
use super::stdin::WINDOW;
use crate::contract::{BoxFuture, Chunks, Provider, Source};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event};
use crate::transfer::client::{RemoteClient, Retries};
use crate::transfer::effort::Effort;
use crate::transfer::stall::wait_for_stall;

/// The number of pieces that are read ahead; a piece is what one read from the network returned.
const READ_AHEAD: usize = 8;

pub struct RemoteSource {
    name: String,
    size: Option<u64>,
    reel: Arc<Mutex<ReplayBuffer>>,
}

/// One download that serves part after part, and the bytes that may be needed a second time. A part is read once for its
/// checksum and once for the network; a second download would cost a request and all its bytes.
struct ReplayBuffer {
    client: RemoteClient,
    file: Arc<Entry>,
    size: Option<u64>,
    version: Version,
    /// The kept bytes begin at this offset of the file; `coming` continues where they end.
    start: u64,
    kept: VecDeque<Bytes>,
    /// The bytes from this offset on may be needed again.
    wanted: Option<u64>,
    coming: Option<Chunks>,
}

impl ReplayBuffer {
    fn end_offset(&self) -> u64 {
        self.start + self.buffered_bytes()
    }

    fn buffered_bytes(&self) -> u64 {
        self.kept.iter().map(|piece| piece.len() as u64).sum()
    }

    fn at(&self, at: u64) -> Option<Bytes> {
        let mut begin = self.start;
        for piece in &self.kept {
            let within = usize::try_from(at.checked_sub(begin)?).ok()?;
            if within < piece.len() {
                return Some(piece.slice(within..));
            }
            begin += piece.len() as u64;
        }
        None
    }

    fn drop_before(&mut self, at: u64) {
        while let Some(first) = self.kept.front().map(|piece| piece.len() as u64).filter(|len| self.start + len <= at) {
            self.start += first;
            self.kept.pop_front();
        }
    }

    /// Returns the bytes from `at` on, as many as came together and at most up to `end`; none at the end of the file.
    async fn next(&mut self, at: u64, end: u64) -> Option<std::io::Result<Bytes>> {
        let cut = |mut piece: Bytes| {
            piece.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
            piece
        };
        if let Some(piece) = self.at(at) {
            return Some(Ok(cut(piece)));
        }
        if self.coming.is_none() || at != self.end_offset() {
            self.kept.clear();
            self.start = at;
            self.coming = Some(bytes(&self.client, &self.file, at, self.size, &self.version));
        }
        let piece = match self.next_piece(at).await? {
            Ok(piece) => piece,
            Err(e) => {
                self.coming = None;
                return Some(Err(e));
            }
        };
        // Forgets bytes that were returned, unless their part is still being sent and is small enough to be kept.
        self.drop_before(self.wanted.map_or(at, |wanted| wanted.max(at.saturating_sub(WINDOW))));
        self.kept.push_back(piece.clone());
        Some(Ok(cut(piece)))
    }

    /// Returns the next piece, at offset `at`. The last piece waits for the end of the answer: a caller that has all announced
    /// bytes asks for no more, and would not notice that the file is longer.
    async fn next_piece(&mut self, at: u64) -> Option<std::io::Result<Bytes>> {
        let coming = self.coming.as_mut()?;
        let piece = coming.next().await?;
        match (&piece, self.size) {
            (Ok(last), Some(size)) if at + last.len() as u64 >= size => match coming.next().await {
                None => Some(piece),
                Some(Ok(_)) => Some(Err(std::io::Error::other(too_long(size)))),
                failed => failed,
            },
            _ => Some(piece),
        }
    }
}

/// The failure where more bytes come than were announced.
pub(crate) fn too_long(size: u64) -> Error {
    Error::new(Kind::Integrity, format!("more bytes come than the {size} that were announced"))
        .with_hint("list the folder again; if it still differs, something writes to the file there")
}

/// The warning about a file whose size the server did not announce.
pub(crate) fn end_untold(shown: &str) -> String {
    format!("{shown}: nobody tells how long this file is, so nothing proves that all of it came")
}

/// The server's mark of the content that came first (`Download::version`): all further bytes must have the same mark.
pub type Version = Arc<OnceLock<String>>;

impl RemoteSource {
    /// Asks for the size where the listing does not tell it. `name`: how a person calls the file.
    pub async fn open(client: &RemoteClient, file: &Entry, name: String) -> Result<RemoteSource> {
        let size = match file.size {
            Some(0) => {
                client.call(|p| see_empty(p, file, client.address(&file.path))).await?;
                Some(0)
            }
            Some(size) => Some(size),
            None => client.call(|p| p.open_download(file, 0)).await?.size,
        };
        let file = Arc::new(file.clone());
        let (start, kept) = (0, VecDeque::new());
        let version = Version::default();
        let reel = ReplayBuffer { client: client.clone(), file, size, version, start, kept, wanted: None, coming: None };
        Ok(RemoteSource { name, size, reel: Arc::new(Mutex::new(reel)) })
    }
}

impl Source for RemoteSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> Option<u64> {
        self.size
    }

    fn read(&self, from: u64, len: u64) -> Chunks {
        let end = from.saturating_add(len);
        let end = self.size.map_or(end, |size| size.min(end));
        Box::pin(stream::unfold((self.reel.clone(), from), move |(reel, at)| async move {
            if at >= end {
                return None;
            }
            let piece = reel.lock().await.next(at, end).await?;
            let next = at + piece.as_ref().map_or(0, |piece| piece.len() as u64);
            Some((piece, (reel, next)))
        }))
    }

    /// Begins a new part: the bytes before it are not needed again.
    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        let left = self.size.map_or(most, |size| size.saturating_sub(from).min(most));
        Box::pin(async move {
            let mut reel = self.reel.lock().await;
            reel.wanted = Some(from);
            reel.drop_before(from);
            Ok(left)
        })
    }

    fn is_one_stream(&self) -> bool {
        true
    }

    /// This is checked after the last byte by `RemoteFile::is_still_there`, which knows the provider's id of the file.
    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

/// Reads the end of a file that is listed as empty: no byte of it would be requested otherwise, and a longer file would become
/// an empty one.
async fn see_empty(provider: &dyn Provider, file: &Entry, shown: String) -> Result<()> {
    let mut download = provider.open_download(file, 0).await?;
    if download.size.is_some_and(|size| size > 0) {
        return Err(too_long(0));
    }
    while let Some(piece) = download.chunks.next().await {
        if !piece.map_err(|e| read_failure(e, &shown))?.is_empty() {
            return Err(too_long(0));
        }
    }
    Ok(())
}

/// All bytes from `from` on. `size`: bytes of the whole file, where known. Fails with `Integrity` where fewer or more come.
pub fn bytes(client: &RemoteClient, file: &Arc<Entry>, from: u64, size: Option<u64>, version: &Version) -> Chunks {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let (size, effort) = (size.or(file.size), Effort::new(client.policy.tries));
    let flow = ResumingDownload { client: client.clone(), file: file.clone(), size, version: version.clone(), effort, to: sender };
    tokio::spawn(flow.run(from));
    receive(receiver)
}

struct ResumingDownload {
    client: RemoteClient,
    file: Arc<Entry>,
    size: Option<u64>,
    version: Version,
    effort: Effort,
    to: mpsc::Sender<std::io::Result<Bytes>>,
}

impl ResumingDownload {
    async fn run(mut self, mut at: u64) {
        let client = self.client.clone();
        let mut patience = client.retries(None);
        self.effort.record_offset(at);
        loop {
            let Err(error) = self.once(&patience, &mut at).await else { return };
            if self.effort.record_offset(at) {
                patience.progress();
            }
            let allowed = self.effort.ask_again(error, self.size);
            let again = match allowed {
                Ok(error) => patience.backoff(error).await,
                enough => enough.map(drop),
            };
            if let Err(last) = again {
                // The receiver is gone, so the error is not needed.
                let _ = self.to.send(Err(std::io::Error::other(last))).await;
                return;
            }
        }
    }

    /// Makes one request. Where the server begins at the first byte again, the known bytes are skipped.
    async fn once(&mut self, patience: &Retries<'_>, at: &mut u64) -> Result<()> {
        let file = self.file.clone();
        let download = patience.attempt(|p| p.open_download(&file, *at)).await?;
        let skip = at.checked_sub(download.from);
        if let (Some(told), Some(size)) = (download.size, self.size)
            && told != size
        {
            return Err(Error::new(Kind::Integrity, format!("the size differs: {size} bytes are announced, {told} bytes are sent"))
                .with_subject(self.client.address(&self.file.path)));
        }
        if let Some(told) = &download.version
            && self.version.get_or_init(|| told.clone()) != told
        {
            return Err(Error::new(Kind::Integrity, "the file was changed there while it was read")
                .with_subject(self.file.path.to_string())
                .with_hint("the downloaded part is of the older version: start again"));
        }
        self.size = self.size.or(download.size);
        let told = download.size.is_some();
        let begun = *at;
        let pulse = Activity::default();
        let passed = tokio::select! {
            passed = self.forward(download.chunks, at, skip, &pulse) => passed,
            stall = wait_for_stall(&pulse, 0..u64::MAX, &self.client.policy) => Err(stall),
        };
        self.effort.spend(pulse.moved.load(Ordering::Relaxed));
        passed?;
        match self.size {
            _ if self.to.is_closed() => Ok(()),
            Some(end) if *at < end => {
                self.client.events.send(Event::Note(format!("{}: the bytes ended after {at} of {end}", self.file.path)));
                // The server itself ended the answer: the bytes may be its report of a failure, and they have been written by
                // now.
                let kind = if *at > begun { Kind::Integrity } else { Kind::Interrupted };
                Err(Error::new(kind, format!("the bytes ended after {at} of {end}")))
            }
            None if !told => {
                self.client.events.send(Event::Warning(end_untold(&self.client.address(&self.file.path))));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Passes on what follows the first `skip` bytes, to the end. None: the answer begins behind the requested byte.
    async fn forward(&self, mut chunks: Chunks, at: &mut u64, mut skip: Option<u64>, pulse: &Activity) -> Result<()> {
        while let Some(piece) = chunks.next().await {
            let mut piece = piece.map_err(|e| read_failure(e, &self.client.address(&self.file.path)))?;
            pulse.moved.fetch_add(piece.len() as u64, Ordering::Relaxed);
            let Some(left) = &mut skip else {
                return Err(Error::new(Kind::Protocol, "the server sent another part of the file than requested"));
            };
            let gone = piece.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= gone as u64;
            drop(piece.split_to(gone));
            if piece.is_empty() {
                continue;
            }
            let behind = *at + piece.len() as u64;
            if let Some(size) = self.size.filter(|size| behind > *size) {
                return Err(too_long(size));
            }
            *at = behind;
            // The receiver may be slow.
            pulse.held.store(true, Ordering::Relaxed);
            if self.to.send(Ok(piece)).await.is_err() {
                return Ok(());
            }
            pulse.held.store(false, Ordering::Relaxed);
        }
        Ok(())
    }
}
