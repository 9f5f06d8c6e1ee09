//! Whether a file that was found by its name and size holds what was sent. After a cut nobody can tell how much the server has
//! read: bytes that left this program may have stood in buffers of the system or of a proxy. A stranger may have put a file of
//! that name and size meanwhile. Where the provider tells no MD5, the content alone can tell whose file it is.
//!
//! All of the file is read back. Its head and some places further on would cost less, and would prove nothing: two versions of
//! one film, disk image or archive often differ in few places. A stranger's file is seldom read to its end: it is left at
//! the first difference. So the whole is read only where the file is ours, instead of sending it once more. The time that
//! this takes is that of a download, and each wait in it has the same end as in every other download.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use crate::contract::{Chunks, Source};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event};
use crate::transfer::client::RemoteClient;
use crate::transfer::source::file::md5_of;
use crate::transfer::source::remote::RemoteSource;
use crate::transfer::source::running_md5::RunningMd5;

/// What is known here of the content that was sent.
pub(crate) struct SentBytes<'a> {
    pub source: &'a dyn Source,
    /// Of all of it, lower-case hex, when it was computed before the first byte or told by where it comes from.
    pub md5: Option<&'a str>,
    /// Of the bytes that passed in this run, as far as they were hashed.
    pub passed: Option<RunningMd5>,
}

impl SentBytes<'_> {
    /// True when `entry` holds it. Fails with `Unknown` when the content can't be read here a second time and was not hashed.
    pub(crate) async fn are_in(&self, client: &RemoteClient, entry: &Entry) -> Result<bool> {
        let size = self.source.size();
        let passed = self.passed.as_ref().filter(|passed| Some(passed.len()) == size);
        let known = self.md5.map(str::to_owned).or_else(|| passed.map(RunningMd5::hex));
        if let Some(there) = &entry.md5 {
            let here = match known {
                Some(here) => here,
                None => md5_of(self.source).await.map_err(|e| uncertain_error(client, entry).with_cause(e))?,
            };
            return Ok(there.eq_ignore_ascii_case(&here));
        }
        let text = format!("{}: read back, as only its content tells whether it is what was sent", client.address(&entry.path));
        client.events.send(Event::Note(text));
        let there = RemoteSource::open(client, entry, client.address(&entry.path)).await?;
        let theirs = Box::pin(limit_rate(client, there.read(0, size.unwrap_or(u64::MAX))));
        match passed {
            Some(passed) => is_summed(theirs, passed).await,
            None => match is_same(self.source.peek(0, size.unwrap_or(u64::MAX)), theirs).await {
                Ok(same) => Ok(same),
                Err(Unread::There(e)) => Err(Error::reading(&e)),
                Err(Unread::Here(e)) => Err(uncertain_error(client, entry).with_cause(e)),
            },
        }
        .map_err(|e| e.with_subject(there.name().to_owned()))
    }
}

fn uncertain_error(client: &RemoteClient, entry: &Entry) -> Error {
    Error::new(Kind::Unknown, "a file of this name and size is there, and what was sent can't be compared with it")
        .with_subject(client.address(&entry.path))
        .with_hint("look whether its content is yours before putting it again")
}

/// Under the speed limit of all transfers.
fn limit_rate(client: &RemoteClient, chunks: Chunks) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::unfold((chunks, client.limit.clone()), async |(mut chunks, limit)| {
        let piece = chunks.next().await?;
        if let (Some(limit), Ok(piece)) = (&limit, &piece) {
            limit.take(piece.len()).await;
        }
        Some((piece, (chunks, limit)))
    })
}

/// Read until it is known to be another content.
async fn is_summed(mut theirs: impl Stream<Item = std::io::Result<Bytes>> + Unpin, ours: &RunningMd5) -> Result<bool> {
    let mut sum = RunningMd5::default();
    while let Some(piece) = theirs.next().await {
        sum.consume(&piece.map_err(|e| Error::reading(&e))?);
        if !sum.may_begin(ours) {
            return Ok(false);
        }
    }
    Ok(sum.len() == ours.len() && sum.digest() == ours.digest())
}

/// On which side the reading failed.
#[derive(Debug)]
enum Unread {
    Here(std::io::Error),
    There(std::io::Error),
}

/// Both side by side, up to the first byte that differs.
async fn is_same(mut ours: Chunks, mut theirs: impl Stream<Item = std::io::Result<Bytes>> + Unpin) -> std::result::Result<bool, Unread> {
    let (mut here, mut there) = (Bytes::new(), Bytes::new());
    loop {
        if here.is_empty() {
            here = ours.next().await.transpose().map_err(Unread::Here)?.unwrap_or_default();
        }
        if there.is_empty() {
            there = theirs.next().await.transpose().map_err(Unread::There)?.unwrap_or_default();
        }
        if here.is_empty() || there.is_empty() {
            return Ok(here.is_empty() && there.is_empty());
        }
        let len = here.len().min(there.len());
        if here.split_to(len) != there.split_to(len) {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts the pieces that are asked for.
    fn pieces(content: &[u8], piece: usize, asked: &Arc<AtomicUsize>) -> Chunks {
        let pieces: Vec<_> = content.chunks(piece).map(Bytes::copy_from_slice).collect();
        let asked = asked.clone();
        Box::pin(stream::iter(pieces).map(move |piece| {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(piece)
        }))
    }

    fn sum(content: &[u8]) -> RunningMd5 {
        let mut sum = RunningMd5::default();
        sum.consume(content);
        sum
    }

    #[tokio::test]
    async fn all_of_it_is_compared_and_another_is_left_early() {
        let asked = Arc::<AtomicUsize>::default();
        let ours: Vec<u8> = (0..9_u32 << 20).map(|n| (n >> 9) as u8 ^ n as u8).collect();
        for (at, most) in [(0, 4), (3 << 20, 16), (ours.len() - 1, 36)] {
            let mut theirs = ours.clone();
            theirs[at] ^= 1;
            asked.store(0, Ordering::Relaxed);
            assert!(!is_summed(pieces(&theirs, 1 << 18, &asked), &sum(&ours)).await.unwrap(), "{at}");
            assert!(asked.swap(0, Ordering::Relaxed) <= most, "{at}");
            assert!(!is_same(pieces(&ours, 99_999, &Arc::default()), pieces(&theirs, 1 << 18, &asked)).await.unwrap(), "{at}");
            assert!(asked.load(Ordering::Relaxed) <= most, "{at}");
        }
        let other = Arc::default();
        for theirs in [&ours[..], &ours[..ours.len() - 1], &[&ours[..], &[0]].concat()] {
            let same = theirs.len() == ours.len();
            assert_eq!(is_summed(pieces(theirs, 70_000, &other), &sum(&ours)).await.unwrap(), same);
            assert_eq!(is_same(pieces(&ours, 99_999, &other), pieces(theirs, 70_000, &other)).await.unwrap(), same);
        }
    }
}
