//! Writes an answer to the disk: its bytes pass the speed limit and the hash, and a blocking thread writes them. When this
//! returns, all bytes that were received are in the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::part_file::PartFile;
use crate::contract::{Chunks, Download};
use crate::error::{Error, Kind, Result};
use crate::model::Event;
use crate::model::event::FileId;
use crate::transfer::client::RemoteClient;
use crate::transfer::effort::Effort;
use crate::transfer::source::file::read_failure;
use crate::transfer::source::meter::{Activity, Feed, Piece};
use crate::transfer::source::remote::too_long;
use crate::transfer::stall::wait_for_stall;

/// The number of pieces that may wait for the disk; a piece is what one read from the network returned.
const WRITE_BEHIND: usize = 16;

pub struct DiskWriter<'a> {
    pub client: &'a RemoteClient,
    pub id: FileId,
    pub part: &'a Arc<PartFile>,
    /// The number of the span, if there are several.
    pub span: Option<usize>,
    pub hash: Option<mpsc::Sender<Feed>>,
    pub effort: &'a Mutex<Effort>,
    pub stopped: &'a AtomicBool,
}

impl DiskWriter<'_> {
    /// Writes the bytes `[at, end)` of the file, which `download` returns from `at` on; `end` is `u64::MAX` where nobody knows
    /// it. False: the server itself ended the answer early, so its bytes may be a report of a failure, as PHP writes one.
    /// Nothing of that answer is kept. Fails with `Interrupted` when the connection breaks or stalls: the bytes that came stay.
    pub async fn run(&self, download: Download, at: u64, end: u64) -> Result<bool> {
        let (sender, mut receiver) = mpsc::channel::<Piece>(WRITE_BEHIND);
        let (part, span) = (self.part.clone(), self.span);
        let writer = tokio::task::spawn_blocking(move || {
            while let Some((at, piece)) = receiver.blocking_recv() {
                part.write(span, at, &piece)?;
            }
            Ok::<_, std::io::Error>(())
        });
        let pulse = Activity::default();
        let read = tokio::select! {
            read = self.read(download, at, end, sender, &pulse) => read,
            stall = wait_for_stall(&pulse, 0..u64::MAX, &self.client.policy) => Err(stall),
        };
        let written = writer.await.map_err(|e| Error::new(Kind::Other, "writing broke off").with_cause(e))?;
        // The failure of the disk is reported first: it explains why the reading stopped.
        written.map_err(|e| unwritable(self.part, e))?;
        let whole = read?;
        if !whole {
            self.part.rewind_to(self.span, at)?;
        }
        Ok(whole)
    }

    async fn read(&self, download: Download, mut at: u64, end: u64, disk: mpsc::Sender<Piece>, pulse: &Activity) -> Result<bool> {
        let mut chunks = download.chunks;
        while at < end && !self.stopped.load(Ordering::Relaxed) {
            let Some(piece) = chunks.next().await else { break };
            let piece = piece.map_err(|e| read_failure(e, &self.part.display_path()))?;
            let piece = self.cut(piece, at, end)?;
            let len = piece.len() as u64;
            self.effort.lock().spend(len);
            pulse.held.store(true, Ordering::Relaxed);
            if let Some(limit) = &self.client.limit {
                limit.take(piece.len()).await;
            }
            if let Some(hash) = &self.hash {
                // Without the hash thread the file is only read once more.
                let _ = hash.send(Feed::Piece(at, piece.clone())).await;
            }
            if disk.send((at, piece)).await.is_err() {
                return Ok(true);
            }
            pulse.held.store(false, Ordering::Relaxed);
            pulse.moved.fetch_add(len, Ordering::Relaxed);
            self.client.at_once.record_accepted(len);
            self.client.events.send(Event::Sent { id: self.id, bytes: len });
            at += len;
        }
        if at == end && self.span.is_none() && !self.stopped.load(Ordering::Relaxed) {
            self.see_the_end(&mut chunks, end).await?;
        }
        Ok(at >= end || end == u64::MAX || self.stopped.load(Ordering::Relaxed))
    }

    /// An answer without a length may go on behind the size of the listing: only its end proves that the file is not longer.
    async fn see_the_end(&self, chunks: &mut Chunks, end: u64) -> Result<()> {
        while let Some(piece) = chunks.next().await {
            let piece = piece.map_err(|e| read_failure(e, &self.part.display_path()))?;
            if !piece.is_empty() {
                return Err(too_long(end));
            }
        }
        Ok(())
    }

    /// The answer to a range goes on to the end of the file, whatever was requested. Behind a whole file nothing may follow.
    fn cut(&self, piece: Bytes, at: u64, end: u64) -> Result<Bytes> {
        let room = usize::try_from(end - at).unwrap_or(usize::MAX);
        if piece.len() <= room {
            return Ok(piece);
        }
        if self.span.is_none() {
            return Err(too_long(end));
        }
        Ok(piece.slice(..room))
    }
}

pub fn ended_early_error() -> Error {
    Error::new(Kind::Interrupted, "the server ended its answer before the end of the file")
}

fn unwritable(part: &PartFile, e: std::io::Error) -> Error {
    let error = Error::new(Kind::Local, "it can't be written").with_subject(part.display_path());
    let full = matches!(e.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
    let error = error.with_cause(e);
    if full { error.with_hint("free some space and run it again; it resumes where it stopped") } else { error }
}
