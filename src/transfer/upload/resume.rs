//! Taking up what an earlier run began. Looked first, asked then, sent last: a file that has arrived is not sent again,
//! and one that has not goes on at the byte that the server names.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant as Moment;

use super::confirm::poll_whole;
use super::journal::{Journal, JournalRecord, SourceMatch, Stage};
use super::stable_offset::at_rest;
use super::uncertain::taken_name_error;
use super::uploader::{Uploader, size_of};
use crate::contract::{BoxFuture, Checksum, Chunks, Recovery, Source, UploadHandle, UploadRequest, UploadSession};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event, Protocol};
use crate::transfer::client::RemoteClient;
use crate::transfer::processing_time::{intake_time, processing_time};

pub(crate) enum Resumed {
    /// Nothing was begun, or nothing of it can be used.
    Nothing,
    /// The earlier run's last request had arrived: so many bytes.
    There(UploadHandle, Protocol, u64),
    /// Goes on at this byte.
    At(UploadHandle, Box<dyn UploadSession>, u64),
}

impl Resumed {
    /// Bytes that an earlier run has brought there.
    pub(crate) fn resumed_bytes(&self) -> u64 {
        match self {
            Resumed::Nothing => 0,
            Resumed::There(_, _, size) => *size,
            Resumed::At(_, _, at) => *at,
        }
    }
}

impl Uploader<'_> {
    /// `run`: when this run began.
    pub(crate) async fn resume(&mut self, item: &mut UploadRequest, run: Moment) -> Result<Resumed> {
        let Some(journal) = self.journal.clone() else { return Ok(Resumed::Nothing) };
        let (begun, unproven) = match journal.load()? {
            Some((begun, freshness @ (SourceMatch::Same | SourceMatch::Unproven))) => (begun, freshness == SourceMatch::Unproven),
            _ => return Ok(Resumed::Nothing),
        };
        let Some(protocol) = begun.protocol else { return Ok(Resumed::Nothing) };
        let mut ticket = begun.ticket.clone();
        self.left = begun.stage >= Stage::Leaving;
        // What arrived before this run shows in one listing for all. What is not in that one is looked for once more below.
        let since = if max_wait(self.client, &begun).is_zero() { Moment::now() } else { run };
        match self.remote_state(&begun, &mut ticket, item, Duration::ZERO, since).await? {
            RemoteState::Whole(entry) => return Ok(Resumed::There(ticket, protocol, size_of(item, &entry))),
            RemoteState::NotYet if begun.stage == Stage::Missing => {
                self.tell_missing(&ticket);
                return self.begin_anew(&journal, begun, &ticket);
            }
            RemoteState::NotYet => {}
            RemoteState::Gone => {
                self.forget_vanished(&begun, item).await;
                journal.close()?;
                return Ok(Resumed::Nothing);
            }
        }
        let reopened = self.reopen(&begun, item).await?;
        // A server that still holds all the bytes has not taken them in. Any other may be about to: looked for in patience.
        let patience = max_wait(self.client, &begun);
        if !patience.is_zero() && !reopened.as_ref().is_some_and(|(_, held)| holds_all(*held, item)) {
            let text = format!("{}: an earlier run's last bytes may have left; looks for {patience:?} whether they arrive", ticket.path);
            self.client.events.send(Event::Note(text));
            if let RemoteState::Whole(entry) = self.remote_state(&begun, &mut ticket, item, patience, Moment::now()).await? {
                return Ok(Resumed::There(ticket, protocol, size_of(item, &entry)));
            }
        }
        let Some((mut session, offset)) = reopened else {
            // A name that nothing was appended to can be used again; one that was spoilt stays behind, empty.
            match begun.spoils_name {
                false => item.reusable = Some(ticket.clone()),
                true => self.report_leftover(&ticket),
            }
            return self.begin_anew(&journal, begun, &ticket);
        };
        if begun.stage == Stage::Finishing && !self.client.has(|can| can.find_uploaded.is_some()) {
            self.check_last_step(&journal, &begun, offset, session.has_blind_last_step()).await?;
        }
        match offset {
            Recovery::ResumeAt(at) => {
                self.client.events.send(Event::Accepted { id: self.id, offset: at });
                self.client.events.send(Event::Note(format!("{}: resumes at byte {at}", item.source.name())));
                journal.record_resumed(JournalRecord { unproven, ..begun });
                Ok(Resumed::At(ticket, session, at))
            }
            Recovery::StartOver => {
                let spoilt = session.is_spoilt();
                let left_behind = session.abort().await;
                let why = "what an earlier run sent can't be gone on with (an upload there may have expired), so it begins anew";
                self.client.events.send(Event::Warning(format!("{}: {why}", item.source.name())));
                self.client.events.send(Event::StartedOver { id: self.id, left_behind });
                item.reusable = (!spoilt).then(|| ticket.clone());
                self.begin_anew(&journal, begun, &ticket)
            }
        }
    }

    /// As [`find_remote_state`]; what has the upload's name and size is read back where that is needed.
    async fn remote_state(
        &self,
        begun: &JournalRecord,
        ticket: &mut UploadHandle,
        item: &UploadRequest,
        patience: Duration,
        since: Moment,
    ) -> Result<RemoteState> {
        if !begun.may_have_arrived() {
            return Ok(RemoteState::NotYet);
        }
        RemoteState::of(self.check(ticket, item, patience, since).await)
    }

    /// Where somebody else has the name by now, it is to be decided anew what becomes of the file.
    fn begin_anew(&self, journal: &Journal, begun: JournalRecord, ticket: &UploadHandle) -> Result<Resumed> {
        if !ticket.strangers.is_empty() {
            journal.close()?;
            return Err(taken_name_error(self.client, ticket));
        }
        journal.begins_anew(begun);
        Ok(Resumed::Nothing)
    }

    /// None: what was begun can't be continued. A server that can't be reached, or that no longer takes the upload's own
    /// address (a token in it has run out), is no reason to fail: these notes last until a new upload is open.
    async fn reopen(&mut self, begun: &JournalRecord, item: &UploadRequest) -> Result<Option<(Box<dyn UploadSession>, Recovery)>> {
        let failure = match self.query_offset(begun, item).await {
            Ok(answer) => return Ok(answer),
            Err(e) if matches!(e.kind(), Kind::Interrupted | Kind::Busy | Kind::Cancelled) => return Err(e),
            Err(e) => e,
        };
        let text = format!("{}: what an earlier run sent can't be continued: {failure}", begun.ticket.path);
        self.client.events.send(Event::Note(text));
        self.patience = self.client.retries(Some(self.id));
        Ok(None)
    }

    async fn query_offset(&mut self, begun: &JournalRecord, item: &UploadRequest) -> Result<Option<(Box<dyn UploadSession>, Recovery)>> {
        let Some(note) = &begun.note else { return Ok(None) };
        let opened = self.client.call(|p| p.resume_upload(item, &begun.ticket, note)).await?;
        let Some(mut session) = opened.map(|upload| upload.session) else { return Ok(None) };
        let ended = Error::new(Kind::Interrupted, "an earlier run ended");
        loop {
            // The dead process's kernel may still send.
            let found = match session.recover(&ended).await {
                Ok(found) => at_rest(session.as_mut(), &ended, found, item.source.size()).await,
                Err(error) => Err(error),
            };
            match found {
                Ok(recovery) => return Ok(Some((session, recovery))),
                Err(error) => self.patience.backoff(error).await?,
            }
        }
    }

    /// Fails with `Unknown` where the earlier run ended in its last step, and nobody can tell what came of that. The user is told
    /// before anything is done twice.
    async fn check_last_step(&self, journal: &Journal, begun: &JournalRecord, offset: Recovery, is_blind: bool) -> Result<()> {
        let (what, hint) = match offset {
            Recovery::StartOver => (
                "an earlier run had sent all of it, and the server no longer has the upload: it may have become a file",
                "look there whether the file is there; the same command sends it again",
            ),
            Recovery::ResumeAt(_) if is_blind => (
                "an earlier run ended while it asked the server to join the parts of the file: nobody can tell whether it has",
                "look there whether the file is there; the same command asks once more",
            ),
            Recovery::ResumeAt(_) => return Ok(()),
        };
        journal.outcome_told(begun.clone())?;
        journal.commit().await?;
        Err(Error::new(Kind::Unknown, what).with_subject(self.client.address(&begun.ticket.path)).with_hint(hint))
    }

    /// Somebody has removed the entry that an earlier run's bytes were for: they would never appear anywhere.
    async fn forget_vanished(&self, begun: &JournalRecord, item: &UploadRequest) {
        let left = match discard_partial(self.client, begun, item).await {
            Ok(left) => left.stays.map_or_else(String::new, |left| format!("; {left} stays on the server")),
            Err(error) => format!("; what it had sent may stay on the server: {error}"),
        };
        let text = format!("{}: the entry of an earlier run was removed on the server, so it starts anew{left}", begun.ticket.path);
        self.client.events.send(Event::Warning(text));
    }

    fn tell_missing(&self, ticket: &UploadHandle) {
        let entry = ticket.id.as_ref().filter(|_| ticket.upload_name.is_some());
        let stays = entry.map(|id| format!("; the empty entry @{id} stays on the server")).unwrap_or_default();
        let text = format!("{}: an earlier run's bytes were all accepted, and no file came of them, so it begins anew{stays}", ticket.path);
        self.client.events.send(Event::Warning(text));
    }

    fn report_leftover(&self, ticket: &UploadHandle) {
        let id = ticket.id.as_deref().unwrap_or("?");
        let text = format!("{}: the earlier run's half-sent entry @{id} stays on the server; it can't be continued", ticket.path);
        self.client.events.send(Event::Warning(text));
    }
}

/// The item of an upload whose source is not at hand: enough to find what it left on the server.
pub fn cleanup_request(begun: &JournalRecord, folder: Entry) -> UploadRequest {
    UploadRequest {
        source: Arc::new(MissingSource { size: begun.ticket.size }),
        folder,
        siblings: [].into(),
        name: begun.name.clone(),
        checksum: Checksum::default(),
        replaces: None,
        protocol: None,
        avoid: Vec::new(),
        chunk_size: None,
        spans: Vec::new(),
        reusable: None,
        on_created: None,
        metadata: Arc::default(),
    }
}

/// A source that is only asked for its size.
struct MissingSource {
    size: Option<u64>,
}

impl Source for MissingSource {
    fn name(&self) -> &str {
        "an earlier source"
    }
    fn size(&self) -> Option<u64> {
        self.size
    }
    fn read(&self, _: u64, _: u64) -> Chunks {
        Box::pin(futures_util::stream::once(async { Err(std::io::Error::other("this source is gone")) }))
    }
    fn available(&self, _: u64, _: u64) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async { Ok(0) })
    }
    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

fn holds_all(held: Recovery, item: &UploadRequest) -> bool {
    matches!(held, Recovery::ResumeAt(at) if at > 0 && Some(at) == item.source.size())
}

/// How long the earlier run's last request may still be worked on.
fn max_wait(client: &RemoteClient, begun: &JournalRecord) -> Duration {
    match begun.stage {
        Stage::Finishing => processing_time(client.policy.timeout, begun.ticket.size.unwrap_or(0)),
        Stage::Leaving => intake_time(begun.ticket.size.unwrap_or(0)),
        // Waited for by the run that noted it.
        Stage::Missing | Stage::Planned | Stage::Made | Stage::Sending => Duration::ZERO,
    }
}

/// What has become of the file of an earlier run.
enum RemoteState {
    Whole(Box<Entry>),
    NotYet,
    /// The entry that was made for it is no longer there.
    Gone,
}

impl RemoteState {
    fn of(looked: Result<Option<Entry>>) -> Result<RemoteState> {
        match looked {
            Ok(Some(entry)) => Ok(RemoteState::Whole(Box::new(entry))),
            Ok(None) => Ok(RemoteState::NotYet),
            Err(e) if e.kind() == Kind::NotFound => Ok(RemoteState::Gone),
            Err(e) => Err(e),
        }
    }
}

async fn find_remote_state(client: &RemoteClient, begun: &JournalRecord, patience: Duration, since: Moment) -> Result<RemoteState> {
    if !begun.may_have_arrived() {
        return Ok(RemoteState::NotYet);
    }
    RemoteState::of(poll_whole(client, patience, &begun.ticket, since).await)
}

/// Had the earlier run's last request arrived?
async fn find_arrived(client: &RemoteClient, begun: &JournalRecord, patience: Duration) -> Result<Option<Entry>> {
    Ok(match find_remote_state(client, begun, patience, Moment::now()).await? {
        RemoteState::Whole(entry) => Some(*entry),
        RemoteState::NotYet | RemoteState::Gone => None,
    })
}

/// What became of what an earlier run had brought to the server.
#[derive(Debug, Default)]
pub struct Leftover {
    /// It had arrived as a whole, and is a file like any other.
    pub whole: bool,
    /// The bytes that lay there are gone.
    pub removed: bool,
    /// What has some of the bytes, and can't be removed.
    pub stays: Option<String>,
    /// The id of the entry that was made for them and has none, where no entry can be removed (ioGates).
    pub empty: Option<String>,
}

/// Removes what an earlier run left of a source that has changed since, or that nobody wants any more. What had arrived as
/// a whole stays.
pub async fn discard_partial(client: &RemoteClient, begun: &JournalRecord, item: &UploadRequest) -> Result<Leftover> {
    if find_arrived(client, begun, max_wait(client, begun)).await?.is_some() {
        return Ok(Leftover { whole: true, ..Leftover::default() });
    }
    let mut removed = false;
    let mut stays = begun.spoils_name.then(|| begun.ticket.id.clone().unwrap_or_default());
    if let Some(note) = &begun.note
        && let Some(mut upload) = client.call(|p| p.resume_upload(item, &begun.ticket, note)).await?
    {
        // Only what is there is removed, so the session has to look.
        let look = Error::new(Kind::Interrupted, "an earlier run ended");
        desk_recover(client, upload.session.as_mut(), &look).await?;
        stays = upload.session.abort().await;
        removed = stays.is_none();
    }
    let empty = begun.ticket.id.clone().filter(|_| stays.is_none() && !client.has(|can| can.deletions.is_some()));
    Ok(Leftover { whole: false, removed, stays, empty })
}

async fn desk_recover(client: &RemoteClient, session: &mut dyn UploadSession, look: &Error) -> Result<()> {
    let mut patience = client.retries(None);
    loop {
        match session.recover(look).await {
            Ok(_) => return Ok(()),
            Err(error) => patience.backoff(error).await?,
        }
    }
}
