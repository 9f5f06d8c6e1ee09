//! Downloads one file over several connections (`--streams`). Each requests a span of the file by `bytes=N-` and closes the
//! connection at the span's end, as some servers know no other form of ranges (providers.md 2.6).

use std::sync::atomic::Ordering;

use futures_util::{StreamExt, stream};

use super::part_record::ByteRange;
use super::{Downloader, write};
use crate::contract::Download;
use crate::error::Result;
use crate::model::Event;
use crate::transfer::spans::split;

impl Downloader<'_> {
    /// False: this file should or can only be fetched in one stream. The bytes that are there are then used or dropped.
    pub(super) async fn parallel(&self) -> Result<bool> {
        let mut first = None;
        if !self.part.is_split() {
            if self.part.have()? > 0 {
                return Ok(false);
            }
            let Some((spans, opened)) = self.divide().await? else { return Ok(false) };
            self.part.split(spans)?;
            self.part.record_version(opened.1.version.as_deref())?;
            first = Some(opened);
        }
        if self.all(first).await? {
            return Ok(true);
        }
        self.note("the server has stopped giving ranges, or the file has changed there");
        self.start_over()?;
        Ok(false)
    }

    /// Returns the spans of a file that is large enough, and the begun answer to the second one, which proves that the server
    /// knows ranges.
    async fn divide(&self) -> Result<Option<(Vec<ByteRange>, (usize, Download))>> {
        let size = match self.size.get() {
            Some(size) => *size,
            None => match self.client.call(|p| self.open(p, 0)).await?.size {
                Some(size) => size,
                None => return Ok(None),
            },
        };
        let spans: Vec<_> = split(size, self.order.streams).into_iter().map(|span| ByteRange { at: span.start, end: span.end }).collect();
        let Some(second) = spans.get(1) else { return Ok(None) };
        let opened = self.client.call(|p| self.open(p, second.at)).await?;
        if opened.from != second.at {
            self.note("the server gives no ranges, so one stream is used");
            return Ok(None);
        }
        Ok(Some((spans, (1, opened))))
    }

    /// False when the server sent a span from another offset than was requested, or of another content.
    async fn all(&self, first: Option<(usize, Download)>) -> Result<bool> {
        let (begun, mut opened) = first.map_or((None, None), |(index, download)| (Some(index), Some(download)));
        let spans: Vec<_> = self.part.spans().into_iter().enumerate().filter(|(_, span)| span.at < span.end).collect();
        let work = spans.into_iter().map(|(index, span)| {
            let opened = if begun == Some(index) { opened.take() } else { None };
            self.one_span(index, span.end, opened)
        });
        let work: Vec<_> = work.collect();
        let mut running = stream::iter(work).buffer_unordered(self.order.streams.max(1));
        let mut outcome = Ok(true);
        // No task is dropped before its end, as its thread would go on writing.
        while let Some(ended) = running.next().await {
            if !matches!(ended, Ok(true)) {
                self.stopped.store(true, Ordering::Relaxed);
                outcome = outcome.and(ended);
            }
        }
        self.part.note()?;
        self.stopped.store(false, Ordering::Relaxed);
        outcome
    }

    async fn one_span(&self, index: usize, end: u64, mut opened: Option<Download>) -> Result<bool> {
        let mut patience = self.client.retries(Some(self.id));
        loop {
            let at = self.part.spans().get(index).map_or(end, |span| span.at);
            if at >= end || self.stopped.load(Ordering::Relaxed) {
                return Ok(true);
            }
            let outcome = match opened.take() {
                Some(download) => Ok(download),
                None => patience.attempt(|p| self.open(p, at)).await,
            };
            let outcome = match outcome {
                Ok(download) if download.from != at || !self.part.same_version(download.version.as_deref()) => return Ok(false),
                Ok(download) => match self.flow(Some(index)).run(download, at, end).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(write::ended_early_error()),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            let Err(error) = outcome else { continue };
            if self.part.spans().get(index).is_some_and(|span| span.at > at) {
                patience.progress();
            }
            self.client.events.send(Event::Accepted { id: self.id, offset: self.part.have()? });
            let error = self.effort().ask_again(error, self.size.get().copied())?;
            patience.backoff(error).await?;
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
    }
}
