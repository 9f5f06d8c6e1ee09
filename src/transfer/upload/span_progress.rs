//! How far the spans of one file are that travel side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::journal::Journal;
use crate::error::Result;
use crate::transfer::source::meter::Activity;

/// How far one span has come, and beside it the others.
#[derive(Clone)]
pub(super) struct SpanProgress {
    number: usize,
    all: Arc<Vec<SpanState>>,
    /// Of the file.
    journal: Option<Journal>,
}

pub(super) struct SpanState {
    accepted: AtomicU64,
    pulse: Arc<Activity>,
}

impl SpanState {
    /// `held`: the bytes of the span that the server has.
    pub(super) fn new(held: u64, pulse: Arc<Activity>) -> SpanState {
        SpanState { accepted: held.into(), pulse }
    }
}

impl SpanProgress {
    pub(super) fn new(all: Vec<SpanState>, journal: Option<Journal>) -> SpanProgress {
        SpanProgress { number: 0, all: Arc::new(all), journal }
    }

    pub(super) fn of_span(&self, number: usize) -> SpanProgress {
        SpanProgress { number, ..self.clone() }
    }

    /// Notes that the server has so many bytes of this span.
    ///
    /// # Returns
    /// The bytes of the whole file that have left, as a bar shows them: what the other spans have on their way counts, too.
    pub(super) fn record_accepted(&self, at: u64) -> Result<u64> {
        let Some(own) = self.all.get(self.number) else { return Ok(at) };
        own.accepted.store(at, Ordering::Relaxed);
        own.pulse.reached.store(at, Ordering::Relaxed);
        if let Some(journal) = &self.journal {
            journal.record_accepted(self.sum())?;
        }
        Ok(self.all.iter().map(|span| span.pulse.reached.load(Ordering::Relaxed)).sum())
    }

    /// The bytes of the file that the server has.
    pub(super) fn sum(&self) -> u64 {
        self.all.iter().map(|span| span.accepted.load(Ordering::Relaxed)).sum()
    }
}
