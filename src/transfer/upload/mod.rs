//! Uploads one file: the only upload loop. After a failure the session tells the offset, and the provider tells whether the
//! file is there. Nothing that may have arrived is sent again before haul has looked for it.

pub(crate) mod checksums;
pub(crate) mod confirm;
pub mod journal;
mod opening;
pub(crate) mod parts;
pub(crate) mod read_back;
pub mod resume;
mod side_by_side;
mod span_progress;
pub(crate) mod stable_offset;
pub(crate) mod uncertain;
mod uploader;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::Instant as Moment;

use super::client::RemoteClient;
use super::effort::{Effort, way_out};
use super::processing_time::intake_time;
use super::put::confirmation_queue::{ConfirmationQueue, Confirming};
use super::source::meter::Meter;
use super::stall::wait_for_stall;
use super::upload::checksums::Sums;
use super::upload::confirm::{discard, not_seen_error, wait_until_visible};
use super::upload::journal::Journal;
use super::upload::parts::{check_complete, next_part};
use super::upload::resume::Resumed;
use super::upload::stable_offset::{at_rest, may_be_on_its_way};
use super::upload::uncertain::taken_name_error;
use super::upload::uploader::{SessionEnd, Uploader};
use crate::contract::{Chunking, Closed, Recovery, Source, UploadHandle, UploadRequest, UploadSession};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::Verified;
use crate::model::{Entry, Event, Protocol};

/// A file that is complete on the server, and what it was compared by.
pub struct Uploaded {
    pub entry: Entry,
    /// Bytes.
    pub size: u64,
    /// The MD5 of the local content in lower-case hex.
    pub md5: Option<String>,
    pub verified: Verified,
    pub protocol: Protocol,
    /// Bytes that an earlier run had already sent.
    pub resumed_from: u64,
    pub retries: u32,
    pub time: Duration,
    /// Held until the file is reported.
    pub(crate) confirming: Option<Confirming>,
}

/// Uploads `item`. With `hash` the MD5 is computed while the bytes pass, and compared with one that was known before. With
/// `journal` the upload goes on where an earlier run stopped, and each step is noted for a later run. Fails with `NeedsSize`
/// before anything was sent, with `Unknown` when the file may or may not be there, and with `Exists` when somebody else has the
/// name by now: the caller then decides anew what becomes of the file. After its last byte the file waits in `queue` and makes
/// room for the next one.
pub async fn upload(
    client: &RemoteClient,
    id: FileId,
    item: UploadRequest,
    hash: bool,
    journal: Option<Journal>,
    queue: &ConfirmationQueue,
) -> Result<Uploaded> {
    upload_within(client, id, item, hash, journal, queue, &mut Effort::new(client.policy.tries)).await
}

/// As [`upload`]. `effort` counts over all uploads of this file.
pub(crate) async fn upload_within(
    client: &RemoteClient,
    id: FileId,
    mut item: UploadRequest,
    hash: bool,
    journal: Option<Journal>,
    queue: &ConfirmationQueue,
    effort: &mut Effort,
) -> Result<Uploaded> {
    let begun = Instant::now();
    let raw = item.source.clone();
    let meter = Meter::new(raw.clone(), id, client.events.clone(), client.limit.clone(), hash);
    let meter = Arc::new(match journal.clone() {
        Some(journal) => meter.with_last_noted(move || {
            let journal = journal.clone();
            Box::pin(async move { journal.leaving().await })
        }),
        None => meter,
    });
    item.source = meter.clone();
    let mut carrier = Uploader::new(client, id, meter.clone(), journal, effort);
    let taken_up = carrier.resume(&mut item, queue.start_time()).await?;
    let sent = (!matches!(taken_up, Resumed::Nothing)).then(|| taken_up.resumed_bytes());
    let unproven = sent.is_some() && carrier.journal.as_ref().is_some_and(Journal::is_unproven);
    let mut sums = Sums::begin(&meter, &raw, &item.checksum, sent, hash).await?;
    let (ticket, protocol, size) = carrier.run(&mut item, taken_up, &mut sums).await?;
    let (retries, resumed_from) = (carrier.retries(), carrier.resumed_from);
    sums.finish(size).await;
    let mut confirming = queue.enter();
    let entry = match wait_until_visible(client, id, (&ticket, size), (queue, item.siblings.len())).await {
        Ok(Some(entry)) => entry,
        Ok(None) => {
            // The next run looks once more and then begins anew: a file that has not appeared by now will not appear.
            carrier.note(Journal::missing)?;
            return Err(not_seen_error(client, &ticket));
        }
        Err(error) if error.kind() == Kind::Integrity => {
            // If the next run resumed this upload, the file would be wrong again.
            carrier.note(Journal::close)?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    confirming.finish_confirmation().await;
    let (md5, verified) = match sums.compare(&entry, size, unproven && resumed_from > 0).await {
        Ok(known) => known,
        Err(error) if error.kind() == Kind::Integrity => {
            // Taken up by the next run it would only be found bad again.
            carrier.note(Journal::close)?;
            return Err(discard(client, &entry, item.replaces.as_ref(), error).await);
        }
        Err(error) => return Err(error),
    };
    Ok(Uploaded { entry, size, md5, verified, protocol, resumed_from, retries, time: begun.elapsed(), confirming: Some(confirming) })
}

impl Uploader<'_> {
    /// Opens uploads until one of them has sent the whole file. The first may be one that an earlier run began.
    async fn run(&mut self, item: &mut UploadRequest, taken_up: Resumed, sums: &mut Sums) -> Result<(UploadHandle, Protocol, u64)> {
        let mut open = match taken_up {
            Resumed::There(ticket, protocol, size) => {
                self.resumed_from = size;
                return Ok((ticket, protocol, size));
            }
            Resumed::At(ticket, session, at) => {
                self.resumed_from = at;
                Some((ticket, session, at))
            }
            Resumed::Nothing => None,
        };
        loop {
            let is_an_earlier_run_s = open.is_some();
            let (mut ticket, mut session, from) = match open.take() {
                Some(open) => open,
                None => self.open(item).await?,
            };
            if session.is_split() {
                sums.read_beside();
            } else if item.spans.len() > 1 {
                let text = format!("{}: goes in one stream, as the server takes no file in several", ticket.path);
                self.client.events.send(Event::Note(text));
            }
            let mut accepted = from;
            (self.doubt, self.worthless) = (from > 0, false);
            // Nobody knows how much an earlier run sent.
            self.sent_to = if is_an_earlier_run_s { item.source.size().unwrap_or(u64::MAX) } else { 0 };
            let carried = self.run_session(&item.source, session.as_mut(), from, &mut accepted).await;
            match carried {
                Ok(SessionEnd::Finished(size)) => {
                    if size == 0 {
                        self.end_empty(&ticket, session.as_mut()).await;
                    }
                    return Ok((ticket, session.protocol(), size));
                }
                Ok(SessionEnd::StartOver(why)) => {
                    let why = match self.effort.start_over(why, way_out(self.client.info().protocols, session.protocol())) {
                        Ok(why) => why,
                        Err(enough) => return self.abort(enough, ticket, session, item, accepted).await,
                    };
                    if self.doubt
                        && let Some(size) = self.bytes_if_arrived(&mut ticket, item).await?
                    {
                        return Ok((ticket, session.protocol(), size));
                    }
                    if self.is_name_taken(&ticket).await {
                        return Err(self.abort_upload(taken_name_error(self.client, &ticket), session.as_mut()).await?);
                    }
                    let spoilt = self.worthless || session.is_spoilt();
                    if spoilt {
                        self.client.events.send(Event::Warning(format!("{}: {why}; so its upload begins anew", ticket.path)));
                    } else if session.is_gone() {
                        let lost = "the server no longer has what was sent of this file (the upload may have expired)";
                        self.client.events.send(Event::Warning(format!("{}: {lost}; so it is started again", ticket.path)));
                    }
                    let left_behind = session.abort().await;
                    self.client.events.send(Event::Accepted { id: self.id, offset: 0 });
                    self.client.events.send(Event::StartedOver { id: self.id, left_behind });
                    self.resumed_from = 0;
                    item.reusable = (!spoilt && !session.burns_name_on_failure()).then_some(ticket);
                }
                Err(error)
                    if accepted == 0
                        && self.pulse.source_error().is_none()
                        && is_closed(&error)
                        && self.has_other_protocol(item, session.protocol()) =>
                {
                    // A proxy's page came in place of the answer: the server may have taken all bytes.
                    let doubtful = error.kind() == Kind::Protocol;
                    if doubtful && let Some(size) = self.bytes_if_arrived(&mut ticket, item).await? {
                        return Ok((ticket, session.protocol(), size));
                    }
                    self.client.events.send(Event::Note(format!("{} can't be used: {error}", session.protocol())));
                    let error = self.judge_unseen(error, session.as_ref(), &ticket.path);
                    session.abort().await;
                    item.avoid.push(Closed { protocol: session.protocol(), error: Arc::new(error) });
                    item.reusable = (!(doubtful && session.burns_name_on_failure())).then_some(ticket);
                }
                Err(error) => {
                    if error.kind() == Kind::Unknown && session.has_blind_last_step() {
                        self.note(Journal::is_unknown)?;
                    }
                    return self.abort(error, ticket, session, item, accepted).await;
                }
            }
        }
    }

    /// Sends part after part. `accepted` is the largest offset that the server has confirmed.
    async fn run_session(
        &mut self,
        source: &Arc<dyn Source>,
        session: &mut dyn UploadSession,
        from: u64,
        accepted: &mut u64,
    ) -> Result<SessionEnd> {
        let (mut at, mut all_sent) = (from, from > 0 && source.size() == Some(from));
        loop {
            if !all_sent && session.is_split() {
                if let Some(why) = self.send_spans(source, session, accepted).await? {
                    return Ok(SessionEnd::StartOver(why));
                }
                (at, all_sent) = (source.size().unwrap_or(at), true);
            }
            let before = (session.chunking(), self.effort.spent_attempts());
            let outcome = if all_sent {
                // Before the last step makes the file appear under its name.
                check_complete(source.as_ref(), at).await?;
                self.note(Journal::finishing)?;
                if session.has_last_step() {
                    self.commit().await?;
                }
                session.finish().await.map(|()| (at, true))
            } else {
                self.send_next(source, session, at).await
            };
            match outcome {
                Ok(_) if all_sent => return Ok(SessionEnd::Finished(at)),
                Ok(sent) => (at, all_sent) = sent,
                Err(failure) => {
                    if let Some(own) = self.pulse.source_error() {
                        return Err(own);
                    }
                    self.note_failure(&failure, session, source.size(), at);
                    if all_sent {
                        self.note(|journal| journal.goes_on_as(session.note()))?;
                    }
                    let shown = failure.duplicate();
                    let is_smaller = is_smaller(session.chunking(), before.0);
                    if is_smaller {
                        self.effort.reset_to(before.1);
                    }
                    match self.recover(session, failure, is_smaller, source.size()).await? {
                        Recovery::StartOver => return Ok(SessionEnd::StartOver(shown)),
                        Recovery::ResumeAt(offset) => (at, all_sent) = (offset, offset > 0 && source.size() == Some(offset)),
                    }
                }
            }
            if at > self.sent_to {
                (self.doubt, self.worthless) = (true, true);
                let why = format!("the server claims {at} bytes where {} were sent", self.sent_to);
                return Ok(SessionEnd::StartOver(Error::new(Kind::Protocol, why)));
            }
            if self.effort.record_offset(at) {
                self.patience.progress();
            }
            self.client.at_once.record_accepted(at.saturating_sub(*accepted));
            *accepted = at.max(*accepted);
            self.report_accepted(at)?;
        }
    }

    /// Sends one part. Returns how many bytes of the file the server has accepted, and whether these are all. An answer by
    /// which the server accepted nothing is a failure.
    async fn send_next(&mut self, source: &Arc<dyn Source>, session: &mut dyn UploadSession, at: u64) -> Result<(u64, bool)> {
        let part = next_part(source, session.chunking(), session.takes_unknown_size(), at).await?;
        let (end, last) = (part.offset.saturating_add(part.len), part.last);
        let endless = part.len == u64::MAX;
        if !endless {
            self.effort.allow(part.len, source.size().unwrap_or(end))?;
        }
        self.pulse.begin(at);
        let sent = tokio::select! {
            accepted = session.send(part) => accepted,
            stall = wait_for_stall(&self.pulse, at..end, &self.client.policy) => Err(stall),
        };
        let left = self.pulse.furthest.load(Ordering::Relaxed);
        self.effort.spend(left.saturating_sub(at));
        self.sent_to = self.sent_to.max(left);
        let now = sent?;
        if now > end && !endless {
            // The offset is checked where all offsets are.
            return Ok((now, false));
        }
        if now <= at && end > at && !endless {
            return Err(Error::new(Kind::Interrupted, format!("the server keeps no more than {now} bytes")));
        }
        Ok((now, last && (now == end || endless)))
    }

    /// Waits, and then asks the session for the offset. Both may fail and are tried again. After a part that was `too_large`
    /// smaller parts follow at once, which does not count as a try.
    async fn recover(&mut self, session: &mut dyn UploadSession, failure: Error, too_large: bool, size: Option<u64>) -> Result<Recovery> {
        let on_its_way = may_be_on_its_way(&failure);
        let (mut error, mut is_free) = (failure, too_large);
        loop {
            let shown = error.duplicate();
            if !std::mem::take(&mut is_free) {
                self.patience.backoff(error).await?;
            }
            let found = match session.recover(&shown).await {
                Ok(found) if on_its_way => at_rest(session, &shown, found, size).await,
                found => found,
            };
            match found {
                Ok(recovery) => return Ok(recovery),
                Err(e) => error = e,
            }
        }
    }

    /// Some servers complete an empty file only when they are asked to. A failure here does not matter, because a look for the
    /// file follows.
    async fn end_empty(&self, ticket: &UploadHandle, session: &mut dyn UploadSession) {
        if !self.client.has(|can| can.find_uploaded.is_some()) {
            return;
        }
        let looked = self.client.poll(intake_time(0), |p| p.find_uploaded(ticket, Moment::now())).await;
        if matches!(looked, Ok(None))
            && let Err(error) = session.nudge().await
        {
            self.client.events.send(Event::Note(format!("{}: {error}", ticket.path)));
        }
    }

    fn has_other_protocol(&self, item: &UploadRequest, failed: Protocol) -> bool {
        item.protocol.is_none()
            && self.client.info().protocols.iter().any(|p| *p != failed && item.avoid.iter().all(|closed| closed.protocol != *p))
    }
}

/// Has the session reduced the size of its parts?
fn is_smaller(now: Chunking, before: Chunking) -> bool {
    match (now, before) {
        (Chunking::Parts(now), Chunking::Parts(before)) => now < before,
        (Chunking::Parts(_), Chunking::Whole) => true,
        (Chunking::Whole, _) => false,
    }
}

/// Is the protocol closed to us (a firewall, a proxy that blocks it, a handler that is gone)? Another protocol may be open.
fn is_closed(error: &Error) -> bool {
    match error.kind() {
        Kind::Unreachable | Kind::Untrusted | Kind::NotFound | Kind::Unsupported | Kind::Protocol => true,
        Kind::Refused => matches!(error.status_code(), Some(403..=405)),
        _ => false,
    }
}
