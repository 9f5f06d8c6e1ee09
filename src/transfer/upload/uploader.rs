//! An upload in progress: what is known of it, for the loop, for resuming and for aborting.

use std::sync::Arc;

use super::journal::Journal;
use super::span_progress::SpanProgress;
use crate::contract::UploadRequest;
use crate::error::{Error, Result};
use crate::model::event::FileId;
use crate::model::{Entry, Event};
use crate::transfer::client::{RemoteClient, Retries};
use crate::transfer::effort::Effort;
use crate::transfer::source::meter::{Activity, Meter};

/// How a session ended without an error.
pub(super) enum SessionEnd {
    /// All bytes are accepted and the last request is answered; with the number of bytes.
    Finished(u64),
    /// The session can't go on, and its bytes are lost; with the reason.
    StartOver(Error),
}

pub(super) struct Uploader<'a> {
    pub client: &'a RemoteClient,
    pub id: FileId,
    pub meter: Arc<Meter>,
    pub pulse: Arc<Activity>,
    pub patience: Retries<'a>,
    /// None for a source that can't be read a second time.
    pub journal: Option<Journal>,
    pub resumed_from: u64,
    /// The whole file may have arrived by the current session.
    pub doubt: bool,
    pub effort: &'a mut Effort,
    /// The largest offset that the server can have in the current session.
    pub sent_to: u64,
    /// The server reports a larger offset than was ever sent, so its bytes are no part of this file.
    pub worthless: bool,
    /// Every byte of the file has left this machine, in this session or an earlier one.
    pub left: bool,
    /// The last failure said that the server goes on with the bytes that it has.
    pub still_worked_on: bool,
    /// This is one of several spans of a file.
    pub span: Option<SpanProgress>,
    /// Failures of spans that were got over, for the report.
    pub span_retries: u32,
}

impl<'a> Uploader<'a> {
    pub fn new(client: &'a RemoteClient, id: FileId, meter: Arc<Meter>, journal: Option<Journal>, effort: &'a mut Effort) -> Self {
        let (patience, pulse) = (client.retries(Some(id)), meter.pulse());
        let (resumed_from, sent_to, doubt, worthless) = (0, 0, false, false);
        let (left, still_worked_on) = (false, false);
        let (span, span_retries) = (None, 0);
        Uploader {
            client,
            id,
            meter,
            pulse,
            patience,
            journal,
            resumed_from,
            doubt,
            effort,
            sent_to,
            worthless,
            left,
            still_worked_on,
            span,
            span_retries,
        }
    }

    /// Tells that the server has the bytes up to this offset, and notes it.
    pub(super) fn report_accepted(&self, at: u64) -> Result<()> {
        let offset = match &self.span {
            Some(span) => span.record_accepted(at)?,
            None => {
                self.note(|journal| journal.record_accepted(at))?;
                at
            }
        };
        self.client.events.send(Event::Accepted { id: self.id, offset });
        Ok(())
    }

    /// Failures that were got over.
    pub(super) fn retries(&self) -> u32 {
        self.patience.retries() + self.span_retries
    }

    pub(super) fn note(&self, step: impl FnOnce(&Journal) -> Result<()>) -> Result<()> {
        self.journal.as_ref().map_or(Ok(()), step)
    }

    /// Waits until the notes are on the disk.
    pub(super) async fn commit(&self) -> Result<()> {
        match &self.journal {
            Some(journal) => journal.commit().await,
            None => Ok(()),
        }
    }
}

pub(super) fn size_of(item: &UploadRequest, entry: &Entry) -> u64 {
    item.source.size().or(entry.size).unwrap_or(0)
}
