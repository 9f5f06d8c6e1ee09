//! A failed upload whose progress on the server is not known: haul looks for the file before it sends it again, aborts it or
//! removes it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::Instant as Moment;

use super::confirm::{discard, poll_whole, whole};
use super::journal::Journal;
use super::read_back::SentBytes;
use super::uploader::{Uploader, size_of};
use crate::contract::{UploadHandle, UploadRequest, UploadSession};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Protocol, RemotePath};
use crate::transfer::client::RemoteClient;
use crate::transfer::processing_time::{intake_time, processing_time};

/// HTTP 504: the server behind the gateway has not answered yet.
const GATEWAY_TIMEOUT: u16 = 504;
const METHOD_NOT_ALLOWED: u16 = 405;
/// The largest number of files of other people that are read back to compare them.
const MAX_STRANGERS: usize = 4;

impl Uploader<'_> {
    /// Ends a failed upload: looks whether the file has arrived all the same, and removes what is half there.
    pub(crate) async fn abort(
        &mut self,
        error: Error,
        mut ticket: UploadHandle,
        mut session: Box<dyn UploadSession>,
        item: &UploadRequest,
        accepted: u64,
    ) -> Result<(UploadHandle, Protocol, u64)> {
        if self.worthless || session.is_spoilt() {
            return self.abort_unusable(error, ticket, session, item).await;
        }
        // The next run looks for an upload that has a journal.
        let all_left = self.left && item.source.size().is_some();
        let in_doubt = self.doubt && self.journal.is_none() && error.kind().is_transient() && all_left;
        let unread = self.is_unread(&error);
        if error.kind() == Kind::Interrupted || in_doubt || unread {
            match self.find_uploaded(&mut ticket, item).await {
                Ok(Some(entry)) => return Ok((ticket, session.protocol(), size_of(item, &entry))),
                Ok(None) if unread && session.note().is_none() => {
                    return Err(self.judge_unseen(error, session.as_ref(), &ticket.path));
                }
                Ok(None) => {}
                Err(e) => {
                    return Err(error
                        .quoting(Kind::Unknown, |said| format!("{said}; then looking failed too"))
                        .with_subject(self.client.address(&ticket.path))
                        .with_hint(format!("{} whether the file is there before putting it again", self.client.how_to_look(&ticket.path)))
                        .with_check(e));
                }
            }
        }
        let all_there = item.source.size() == Some(accepted);
        let can_go_on = accepted > 0 && Self::can_go_on(&error, session.as_ref());
        // An upload from a pipe has no journal, so no later run resumes it.
        let passes = self.journal.is_some() && (error.kind().is_transient() || can_go_on);
        // After a refused last step (a rename) the bytes are still good. They stay where the error says they are.
        if passes || error.kind() == Kind::Unknown || (all_there && error.kind() == Kind::Refused) {
            return Err(error);
        }
        // Only an upload whose bytes were all accepted can have left a whole copy. Another file of this name is not ours.
        if error.kind() == Kind::Integrity
            && all_there
            && let Ok(Some(entry)) = self.client.check(|p| whole(p, &ticket, Moment::now())).await
        {
            self.note(Journal::close)?;
            return Err(discard(self.client, &entry, item.replaces.as_ref(), error).await);
        }
        Err(self.abort_upload(error, session.as_mut()).await?)
    }

    /// Were all bytes sent without a readable answer (a page, nothing, a warning)? Then the server may have taken them. 405 is
    /// an answer: the server did nothing with the request.
    fn is_unread(&self, error: &Error) -> bool {
        error.kind() == Kind::Protocol && self.left && error.status_code() != Some(METHOD_NOT_ALLOWED)
    }

    /// The failure of an upload whose file was looked for and not found. After an unreadable answer the outcome is unknown,
    /// unless the session can ask for its offset: then the upload is known to be incomplete.
    pub(crate) fn judge_unseen(&self, error: Error, session: &dyn UploadSession, path: &RemotePath) -> Error {
        let nobody_can_tell = self.is_unread(&error) && session.note().is_none();
        if nobody_can_tell { not_seen_error(self.client, error, path).with_remote(&self.client.remote) } else { error }
    }

    /// Aborts this upload for good. Where the server refused the whole file, it may have taken it in all the same.
    async fn abort_unusable(
        &self,
        error: Error,
        mut ticket: UploadHandle,
        mut session: Box<dyn UploadSession>,
        item: &UploadRequest,
    ) -> Result<(UploadHandle, Protocol, u64)> {
        if let Some(size) = self.bytes_if_arrived(&mut ticket, item).await? {
            return Ok((ticket, session.protocol(), size));
        }
        Err(self.abort_upload(error, session.as_mut()).await?)
    }

    /// Removes the upload and forgets its notes; the error says what stays.
    pub(crate) async fn abort_upload(&self, error: Error, session: &mut dyn UploadSession) -> Result<Error> {
        let left = session.abort().await;
        self.note(Journal::close)?;
        Ok(match left {
            Some(left) => error.with_hint(format!("a part of it stays on the server as {left}")),
            None => error,
        })
    }

    /// Can a person mend the failure (a proxy's page, a changed password, a disk that can't be read now)? Then the upload is
    /// kept, and the same command goes on with it.
    fn can_go_on(error: &Error, session: &dyn UploadSession) -> bool {
        let passes_by_hand = matches!(error.kind(), Kind::Protocol | Kind::Auth | Kind::Untrusted | Kind::Local);
        passes_by_hand && session.note().is_some()
    }

    /// As [`Self::find_uploaded`], but returns the bytes. Fails with `Unknown` when nobody can tell.
    pub(crate) async fn bytes_if_arrived(&self, ticket: &mut UploadHandle, item: &UploadRequest) -> Result<Option<u64>> {
        let found = self.find_uploaded(ticket, item).await.map_err(|e| {
            Error::new(Kind::Unknown, "the last answer was lost, and the check failed")
                .with_subject(self.client.address(&ticket.path))
                .with_hint("check whether the file is there before putting it again")
                .with_check(e)
        })?;
        Ok(found.map(|entry| size_of(item, &entry)))
    }

    /// After a failed request: may every byte of the file have left this machine? Also true where the size is not known.
    pub(crate) fn note_failure(&mut self, failure: &Error, session: &dyn UploadSession, size: Option<u64>, accepted: u64) {
        let reached = self.pulse.reached.load(Ordering::Relaxed).max(accepted);
        self.doubt |= failure.kind() != Kind::Unreachable;
        self.left |= session.has_left() && size.is_none_or(|size| reached >= size);
        self.still_worked_on = failure.status_code() == Some(GATEWAY_TIMEOUT);
        // With this note a later run need not look for the file. If the note is lost, the run looks without result.
        if !self.left {
            let _ = self.note(Journal::record_not_left);
        }
    }

    /// Has the file arrived although no answer said so? A file whose last byte never left has not: a file of that name and size
    /// is somebody else's. A file whose every byte has left may still be taken in, although a gateway in front of the server
    /// has given up.
    async fn find_uploaded(&self, ticket: &mut UploadHandle, item: &UploadRequest) -> Result<Option<Entry>> {
        if !self.left {
            return Ok(None);
        }
        let patience = match item.source.size() {
            // The gateway itself says that the server behind it is still working.
            Some(size) if self.still_worked_on => processing_time(self.client.policy.timeout, size),
            Some(size) => intake_time(size),
            None => Duration::ZERO,
        };
        self.check(ticket, item, patience, Moment::now()).await
    }

    /// Looks for the file, for at most `patience`, first for what was there at `since` or later. What turns out to be somebody else's joins the ticket's strangers: ours may
    /// lie beside it, as a site may have given it another name.
    pub(crate) async fn check(
        &self,
        ticket: &mut UploadHandle,
        item: &UploadRequest,
        patience: Duration,
        since: Moment,
    ) -> Result<Option<Entry>> {
        let begun = Instant::now();
        while ticket.strangers.len() < MAX_STRANGERS {
            let looked = &*ticket;
            let Some(entry) = poll_whole(self.client, patience.saturating_sub(begun.elapsed()), looked, since).await? else { break };
            if ticket.strangers.contains(&entry.id) {
                break;
            }
            if self.is_ours(&entry, ticket, item).await? {
                return Ok(Some(entry));
            }
            ticket.strangers.push(entry.id);
        }
        Ok(None)
    }

    /// Has another file the name of an upload that did not arrive, and that can be recognised by its name only? This is checked
    /// before the file is sent again.
    pub(crate) async fn is_name_taken(&self, ticket: &UploadHandle) -> bool {
        if ticket.upload_name.is_some() || !self.client.has(|can| can.find_uploaded.is_some()) {
            return false;
        }
        // The server is asked once, as a failure of this check is no reason to wait.
        !ticket.strangers.is_empty()
            || matches!(self.client.retries(None).attempt(|p| p.find_uploaded(ticket, Moment::now())).await, Ok(Some(_)))
    }

    /// Is `entry` the file of this upload? Yes for an entry that was made for the upload (ioGates), and for one that the
    /// server's answer names. An entry that is known by its name and size alone is ours if its content is.
    async fn is_ours(&self, entry: &Entry, ticket: &UploadHandle, item: &UploadRequest) -> Result<bool> {
        if ticket.upload_name.is_some() || ticket.confirmed_entry.get().is_some() {
            return Ok(true);
        }
        let (source, passed) = (self.meter.source().as_ref(), self.meter.running_md5().await);
        SentBytes { source, md5: item.checksum.md5.as_deref(), passed }.are_in(self.client, entry).await
    }
}

/// The failure where somebody else has put a file there since haul decided what becomes of ours.
pub(crate) fn taken_name_error(client: &RemoteClient, ticket: &UploadHandle) -> Error {
    Error::new(Kind::Exists, "somebody else has put a file of this name there meanwhile")
        .with_subject(client.address(&ticket.path))
        .with_hint("put it again: --if-exists then decides by what is there now")
}

fn not_seen_error(client: &RemoteClient, error: Error, path: &RemotePath) -> Error {
    error
        .quoting(Kind::Unknown, |said| format!("all bytes were sent, the answer can't be read, and the file does not appear: {said}"))
        .with_hint(format!("{} whether the file is there before putting it again", client.how_to_look(path)))
}
