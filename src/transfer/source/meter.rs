//! A source that wraps another one: it counts, hashes and limits the speed. No protocol needs to know of this.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::contract::part::CHUNK_READ;
use crate::contract::{BoxFuture, Chunks, Events, Source};
use crate::error::{Error, Result};
use crate::model::Event;
use crate::model::event::FileId;
use crate::transfer::rate_limit::RateLimiter;
use crate::transfer::source::running_md5::RunningMd5;

/// The number of pieces that may wait for the hashing thread: it is slower than a fast line, and memory must stay flat.
pub(super) const HASH_AHEAD: usize = 2;

pub struct Meter {
    inner: Arc<dyn Source>,
    id: FileId,
    events: Events,
    limit: Option<Arc<RateLimiter>>,
    hash: Option<Sum>,
    pulse: Arc<Activity>,
    last_leaves: Option<LastLeaves>,
}

/// Awaited each time before the last byte of a source of known size is handed over.
type LastLeaves = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// What `transfer::stall` reads to notice a transfer that has stopped.
#[derive(Default)]
pub struct Activity {
    /// Bytes handed to the protocol, repeated ones included.
    pub moved: AtomicU64,
    /// The largest offset of the current part that was passed to the protocol.
    pub reached: AtomicU64,
    /// The largest offset that was passed on since `Activity::begin`, however often a part was begun.
    pub furthest: AtomicU64,
    /// The transfer waits for this side: for the source or for the speed limit.
    pub held: AtomicBool,
    /// The failure of the source, which no other try and no other protocol mends.
    pub(crate) dry: OnceLock<Error>,
}

impl Activity {
    /// Notes that the part that begins at offset `at` is being sent.
    pub(crate) fn begin(&self, at: u64) {
        self.reached.store(at, Ordering::Relaxed);
        self.furthest.store(at, Ordering::Relaxed);
    }

    /// Marks that the source is waited for: a slow source is no stalled transfer.
    async fn await_source(&self, name: &str, next: impl Future<Output = Option<std::io::Result<Bytes>>>) -> Option<std::io::Result<Bytes>> {
        self.held.store(true, Ordering::Relaxed);
        let piece = next.await;
        self.held.store(false, Ordering::Relaxed);
        if let Some(Err(e)) = &piece {
            self.dry.get_or_init(|| Error::reading(e).on_local(name));
        }
        piece
    }

    /// The source's own failure, if it failed. The failure of the network may hide it: after a lost connection a pipe is read
    /// twice.
    pub fn source_error(&self) -> Option<Error> {
        self.dry.get().map(Error::duplicate)
    }
}

impl Meter {
    /// `hash`: compute the MD5 of the content while it passes, on its own thread unless it is small.
    pub fn new(inner: Arc<dyn Source>, id: FileId, events: Events, limit: Option<Arc<RateLimiter>>, hash: bool) -> Self {
        let hash = hash.then(|| Sum::of(inner.size()));
        Meter { inner, id, events, limit, hash, pulse: Arc::default(), last_leaves: None }
    }

    /// `noted`: awaited each time before the last byte is handed over, which is not handed over when it fails.
    pub fn with_last_noted(self, noted: impl Fn() -> BoxFuture<'static, Result<()>> + Send + Sync + 'static) -> Self {
        Meter { last_leaves: Some(Arc::new(noted)), ..self }
    }

    /// The wrapped source, for readers that do not send it.
    pub(crate) fn source(&self) -> &Arc<dyn Source> {
        &self.inner
    }

    pub fn pulse(&self) -> Arc<Activity> {
        self.pulse.clone()
    }

    /// Hashes the first `end` bytes, which an earlier run has sent.
    pub async fn read_over(&self, end: u64) -> Result<()> {
        let mut chunks = self.inner.read(0, end);
        let mut at = 0;
        let feeder = self.hash.as_ref().and_then(Sum::feeder);
        while let Some(piece) = chunks.next().await {
            let piece = piece.map_err(|e| Error::reading(&e).on_local(self.name()))?;
            let len = piece.len() as u64;
            if let Some(feeder) = &feeder {
                feeder.add(at, &piece).await;
            }
            at += len;
        }
        Ok(())
    }

    /// The MD5 of `size` bytes from the first, lower-case hex; none when it was not computed or bytes were left out.
    pub async fn md5(&self, size: u64) -> Option<String> {
        self.hash.as_ref()?.finish(size).await
    }

    /// The MD5 of the bytes that passed from the first one on, where it is computed.
    pub(crate) async fn running_md5(&self) -> Option<RunningMd5> {
        self.hash.as_ref()?.so_far().await
    }
}

impl Source for Meter {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn size(&self) -> Option<u64> {
        self.inner.size()
    }

    fn modified_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        self.inner.modified_at()
    }

    fn read(&self, from: u64, len: u64) -> Chunks {
        let (id, events, limit, pulse) = (self.id, self.events.clone(), self.limit.clone(), self.pulse.clone());
        let hash = self.hash.as_ref().and_then(Sum::feeder);
        let last_leaves = self.last_leaves.clone().zip(self.size());
        let name: Arc<str> = self.name().into();
        pulse.reached.store(from, Ordering::Relaxed);
        let chunks = match &limit {
            Some(limit) => split_chunks(self.inner.read(from, len), limit.max_chunk()),
            None => self.inner.read(from, len),
        };
        Box::pin(stream::unfold((chunks, from), move |(mut chunks, at)| {
            let (name, events, limit, pulse, hash) = (name.clone(), events.clone(), limit.clone(), pulse.clone(), hash.clone());
            let last_leaves = last_leaves.clone();
            async move {
                let piece = pulse.await_source(&name, chunks.next()).await;
                pulse.held.store(true, Ordering::Relaxed);
                if let Some(Ok(piece)) = &piece {
                    if let Some(hash) = &hash {
                        hash.add(at, piece).await;
                    }
                    if let Some(limit) = &limit {
                        limit.take(piece.len()).await;
                    }
                }
                pulse.held.store(false, Ordering::Relaxed);
                let mut piece = piece?;
                let len = piece.as_ref().map_or(0, |p| p.len() as u64);
                if let Some((noted, size)) = last_leaves
                    && len > 0
                    && at + len >= size
                    && let Err(e) = noted().await
                {
                    piece = Err(std::io::Error::other(e));
                }
                events.send(Event::Sent { id, bytes: len });
                pulse.moved.fetch_add(len, Ordering::Relaxed);
                pulse.reached.store(at + len, Ordering::Relaxed);
                pulse.furthest.fetch_max(at + len, Ordering::Relaxed);
                Some((piece, (chunks, at + len)))
            }
        }))
    }

    fn peek(&self, from: u64, len: u64) -> Chunks {
        let (pulse, name): (_, Arc<str>) = (self.pulse.clone(), self.name().into());
        Box::pin(stream::unfold(self.inner.peek(from, len), move |mut chunks| {
            let (pulse, name) = (pulse.clone(), name.clone());
            async move {
                let piece = pulse.await_source(&name, chunks.next()).await?;
                Some((piece, chunks))
            }
        }))
    }

    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, Result<u64>> {
        self.inner.available(from, most)
    }

    fn check_unchanged(&self) -> Result<()> {
        self.inner.check_unchanged()
    }

    fn is_touched(&self) -> bool {
        self.inner.is_touched()
    }
}

/// The same bytes in pieces of at most `most`.
fn split_chunks(chunks: Chunks, most: usize) -> Chunks {
    let slices = move |piece: std::io::Result<Bytes>| {
        let mut slices = Vec::new();
        match piece {
            Ok(mut rest) => {
                while rest.len() > most {
                    slices.push(Ok(rest.split_to(most)));
                }
                slices.push(Ok(rest));
            }
            Err(e) => slices.push(Err(e)),
        }
        stream::iter(slices)
    };
    Box::pin(chunks.flat_map(slices))
}

/// First byte, counted from the start of the file, and the bytes.
pub(crate) type Piece = (u64, Bytes);

/// What the hashing thread receives.
pub(crate) enum Feed {
    /// As [`Piece`].
    Piece(u64, Bytes),
    /// Asks for the MD5 of all bytes before it.
    Question(oneshot::Sender<RunningMd5>),
}

/// Adds the new bytes of a piece, in file order; bytes that are sent again are not added again.
fn update_sum(sum: &mut RunningMd5, at: u64, piece: &Bytes) {
    let fresh = sum.len().checked_sub(at).and_then(|skip| piece.get(usize::try_from(skip).ok()?..));
    sum.consume(fresh.unwrap_or_default());
}

/// Where the sum of a source is computed.
enum Sum {
    Beside(Hash),
    /// A small source is hashed faster than another thread could begin.
    Here(Arc<Mutex<RunningMd5>>),
}

#[derive(Clone)]
enum Feeder {
    Beside(mpsc::Sender<Feed>),
    Here(Arc<Mutex<RunningMd5>>),
}

impl Feeder {
    async fn add(&self, at: u64, piece: &Bytes) {
        match self {
            // A hash thread that is gone only costs the checksum.
            Feeder::Beside(thread) => drop(thread.send(Feed::Piece(at, piece.clone())).await),
            Feeder::Here(sum) => update_sum(&mut sum.lock(), at, piece),
        }
    }
}

impl Sum {
    fn of(size: Option<u64>) -> Sum {
        match size {
            Some(size) if size <= CHUNK_READ as u64 => Sum::Here(Arc::default()),
            _ => Sum::Beside(Hash::start()),
        }
    }

    fn feeder(&self) -> Option<Feeder> {
        match self {
            Sum::Beside(hash) => hash.feeder().map(Feeder::Beside),
            Sum::Here(sum) => Some(Feeder::Here(sum.clone())),
        }
    }

    async fn so_far(&self) -> Option<RunningMd5> {
        match self {
            Sum::Beside(hash) => hash.so_far().await,
            Sum::Here(sum) => Some(sum.lock().clone()),
        }
    }

    /// None when not all of the first `size` bytes passed.
    async fn finish(&self, size: u64) -> Option<String> {
        match self {
            Sum::Beside(hash) => hash.finish(size).await,
            Sum::Here(_) => self.so_far().await.filter(|sum| sum.len() == size).map(|sum| sum.hex()),
        }
    }
}

/// The MD5 of what passes, computed on a thread of its own.
pub(crate) struct Hash {
    feeder: Mutex<Option<mpsc::Sender<Feed>>>,
}

impl Hash {
    pub(crate) fn start() -> Self {
        let (sender, mut receiver) = mpsc::channel(HASH_AHEAD);
        tokio::task::spawn_blocking(move || {
            let mut sum = RunningMd5::default();
            while let Some(feed) = receiver.blocking_recv() {
                match feed {
                    Feed::Piece(at, piece) => update_sum(&mut sum, at, &piece),
                    Feed::Question(asker) => {
                        // The caller may be gone.
                        let _ = asker.send(sum.clone());
                    }
                }
            }
        });
        Hash { feeder: Mutex::new(Some(sender)) }
    }

    pub(crate) fn feeder(&self) -> Option<mpsc::Sender<Feed>> {
        self.feeder.lock().clone()
    }

    /// What has passed from the first byte on without a gap.
    pub(crate) async fn so_far(&self) -> Option<RunningMd5> {
        let (asker, answer) = oneshot::channel();
        self.feeder()?.send(Feed::Question(asker)).await.ok()?;
        answer.await.ok()
    }

    /// None when not all of the first `size` bytes passed. Nothing more is hashed.
    pub(crate) async fn finish(&self, size: u64) -> Option<String> {
        let sum = self.so_far().await;
        drop(self.feeder.lock().take());
        sum.filter(|sum| sum.len() == size).map(|sum| sum.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::source::stdin::StdinSource;

    fn meter(content: &'static [u8]) -> Meter {
        let (events, _) = Events::channel();
        Meter::new(Arc::new(StdinSource::new(Box::new(content), Some(content.len() as u64))), 1, events, None, true)
    }

    #[tokio::test]
    async fn what_is_sent_twice_is_hashed_once() {
        let m = meter(b"0123456789");
        m.available(0, 10).await.unwrap();
        for (from, len) in [(0, 6), (4, 2), (2, 8)] {
            m.read(from, len).for_each(|_| async {}).await;
        }
        assert_eq!(m.md5(10).await.unwrap(), format!("{:x}", md5::compute(b"0123456789")));
        assert_eq!(m.pulse().moved.load(Ordering::Relaxed), 16);
    }

    #[tokio::test]
    async fn under_a_low_limit_the_pieces_are_small() {
        let (events, _) = Events::channel();
        let content = vec![7u8; 20_000];
        let source = StdinSource::new(Box::new(std::io::Cursor::new(content.clone())), Some(20_000));
        let slow = Meter::new(Arc::new(source), 1, events, Some(Arc::new(RateLimiter::new(80_000))), true);
        let pieces: Vec<Bytes> = slow.read(0, 20_000).map(|piece| piece.unwrap()).collect().await;
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [5000, 5000, 5000, 5000]);
        assert_eq!(slow.md5(20_000).await.unwrap(), format!("{:x}", md5::compute(&content)));
    }

    #[tokio::test]
    async fn a_gap_leaves_no_checksum() {
        let m = meter(b"0123456789");
        m.available(0, 10).await.unwrap();
        m.read(4, 6).for_each(|_| async {}).await;
        assert_eq!(m.md5(10).await, None);
    }
}
