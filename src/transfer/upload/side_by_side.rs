//! One file over several connections (`--streams`): spans of it travel side by side, each by a session of its own with its own
//! offset, its own tries and its own watch for a stall. The loop that sends a span is the loop that sends a file.

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::span_progress::{SpanProgress, SpanState};
use super::uploader::{SessionEnd, Uploader};
use crate::contract::{PartialUpload, Source, UploadSession};
use crate::error::{Error, Result};
use crate::transfer::effort::Effort;
use crate::transfer::source::meter::Meter;
use crate::transfer::source::span::SpanSource;

impl Uploader<'_> {
    /// Sends the spans of a split upload that are not complete.
    ///
    /// # Returns
    /// None when the server has each span; else why the upload must begin anew. `accepted`: the bytes that it has in the end.
    pub(super) async fn send_spans(
        &mut self,
        source: &Arc<dyn Source>,
        session: &mut dyn UploadSession,
        accepted: &mut u64,
    ) -> Result<Option<Error>> {
        let (client, id, is_an_earlier_run_s) = (self.client, self.id, self.sent_to > 0);
        let partials: Vec<(PartialUpload<'_>, Arc<Meter>)> = session
            .partials()
            .into_iter()
            .map(|partial| (self.meter_span(&partial), partial))
            .map(|(meter, partial)| (partial, meter))
            .collect();
        let all = partials.iter().map(|(partial, meter)| SpanState::new(partial.held, meter.pulse())).collect();
        let progress = SpanProgress::new(all, self.journal.clone());
        let at_once = partials.len().max(1);
        let work = partials.into_iter().enumerate().filter(|(_, (partial, _))| partial.held < partial.span.end - partial.span.start);
        let work: Vec<_> = work
            .map(|(number, (partial, meter))| {
                let progress = progress.of_span(number);
                async move {
                    let mut effort = Effort::new(client.policy.tries);
                    let source: Arc<dyn Source> = meter.clone();
                    let mut uploader = Uploader::new(client, id, meter, None, &mut effort);
                    uploader.span = Some(progress);
                    // Nobody knows how much an earlier run sent.
                    uploader.sent_to = if is_an_earlier_run_s { partial.span.end - partial.span.start } else { partial.held };
                    let mut accepted = partial.held;
                    let ended = Box::pin(uploader.run_session(&source, partial.session, partial.held, &mut accepted)).await;
                    (ended, uploader.retries(), uploader.worthless)
                }
            })
            .collect();
        let mut running = stream::iter(work).buffer_unordered(at_once);
        let mut outcome = Ok(None);
        // A span that fails for good ends the others: what each has sent can be gone on with.
        while let Some((ended, retries, worthless)) = running.next().await {
            self.span_retries += retries;
            self.worthless |= worthless;
            outcome = match ended {
                Ok(SessionEnd::Finished(_)) => continue,
                Ok(SessionEnd::StartOver(why)) => Ok(Some(why)),
                Err(error) => Err(error),
            };
            break;
        }
        drop(running);
        *accepted = progress.sum();
        (self.doubt, self.sent_to) = (true, source.size().unwrap_or(u64::MAX));
        outcome
    }

    /// The span as a source that counts and is slowed as the whole file would be.
    fn meter_span(&self, partial: &PartialUpload<'_>) -> Arc<Meter> {
        let span = SpanSource { whole: self.meter.source().clone(), span: partial.span.clone() };
        let meter = Meter::new(Arc::new(span), self.id, self.client.events.clone(), self.client.limit.clone(), false);
        meter.pulse().begin(partial.held);
        Arc::new(meter)
    }
}
