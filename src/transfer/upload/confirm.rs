//! After the last byte: finds the file, compares it, and removes or names a wrong one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::Instant as Moment;

use crate::contract::{Provider, UploadHandle};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::Verified;
use crate::model::{Entry, EntryKind, Event};
use crate::transfer::client::RemoteClient;
use crate::transfer::processing_time::processing_time;
use crate::transfer::put::confirmation_queue::ConfirmationQueue;

/// After so long without a change of its size a file is no longer being taken in.
const STAYS: Duration = Duration::from_secs(5);

/// Waits for the file of an upload. None: the file does not appear in the time that it may take. `held` is the number of
/// entries that its folder held before the run.
pub(crate) async fn wait_until_visible(
    client: &RemoteClient,
    id: FileId,
    (ticket, size): (&UploadHandle, u64),
    (queue, held): (&ConfirmationQueue, usize),
) -> Result<Option<Entry>> {
    if !client.has(|can| can.find_uploaded.is_some()) {
        return Ok(Some(accepted_entry(ticket, size)));
    }
    client.events.send(Event::Checking { id });
    let (other, accepted) = (Mutex::new(OtherSize::default()), Mutex::new(Some(Moment::now())));
    let is_over = |entry: &Entry| ticket.has_size_of(entry) || ticket.confirmed_entry.get().is_some() || other.lock().stays(entry);
    // A second look asks the server again.
    let since = || accepted.lock().take().unwrap_or_else(Moment::now);
    let found = match client.check(|p| queue.check(ticket, held, since(), |since| p.find_uploaded(ticket, since))).await {
        Ok(found) if found.as_ref().is_some_and(&is_over) => Ok(found),
        Ok(_) => {
            let is_over = &is_over;
            // The time limit begins now, as the first look may have waited for its turn.
            let look = client.poll(processing_time(client.policy.timeout, size), |p| async move {
                Ok(queue.check(ticket, held, Moment::now(), |since| p.find_uploaded(ticket, since)).await?.filter(is_over))
            });
            look.await
        }
        Err(error) => Err(error),
    };
    let found = found
        .map_err(|e| uncertain_error(client, ticket, "all bytes were sent, but looking for the file failed".to_owned()).with_cause(e))?;
    if let Some(entry) = found.as_ref().filter(|entry| !ticket.has_size_of(entry) && ticket.confirmed_entry.get().is_none()) {
        // A file that was found by its name alone may be another client's: the message names it, and haul does not remove it.
        return Err(match verify(entry, size, None) {
            Err(error) => error.with_hint(format!("a copy that is not good stays there as @{}: put the file again", entry.id)),
            Ok(_) => uncertain_error(client, ticket, "all bytes were sent and accepted, but the file there has another size".to_owned()),
        });
    }
    Ok(found)
}

/// Where nothing can be looked up, the server's own offset is the proof.
fn accepted_entry(ticket: &UploadHandle, size: u64) -> Entry {
    let unnamed = || Entry::new(EntryKind::File, ticket.id.clone().unwrap_or_default(), ticket.path.clone());
    Entry { size: Some(size), ..ticket.confirmed_entry.get().cloned().unwrap_or_else(unnamed) }
}

fn uncertain_error(client: &RemoteClient, ticket: &UploadHandle, why: String) -> Error {
    Error::new(Kind::Unknown, why)
        .with_subject(client.address(&ticket.path))
        .with_hint(format!("{} before putting it again: the server may still be working on it", client.how_to_look(&ticket.path)))
}

/// The failure for a file that [`wait_until_visible`] did not find.
pub(crate) fn not_seen_error(client: &RemoteClient, ticket: &UploadHandle) -> Error {
    let under = ticket.upload_name.as_ref().map(|name| format!(" (they travelled under the name {name})")).unwrap_or_default();
    let missing = uncertain_error(client, ticket, format!("all bytes were sent and accepted, but the file does not appear{under}"));
    match ticket.missing_hint {
        Some(hint) => missing.with_hint(format!("{}; {hint}", client.how_to_look(&ticket.path))),
        None => missing,
    }
}

/// A different size may belong to a file that is still being taken in. A size that stays different is wrong.
#[derive(Default)]
struct OtherSize(Option<(u64, Instant)>);

impl OtherSize {
    fn stays(&mut self, entry: &Entry) -> bool {
        let size = entry.size.unwrap_or(0);
        match self.0 {
            Some((seen, since)) if seen == size => since.elapsed() >= STAYS,
            _ => {
                self.0 = Some((size, Instant::now()));
                false
            }
        }
    }
}

/// Looks for the upload's complete file, by an answer that was requested at `since` or later.
pub(crate) async fn whole(provider: &dyn Provider, ticket: &UploadHandle, since: Moment) -> Result<Option<Entry>> {
    Ok(provider.find_uploaded(ticket, since).await?.filter(|entry| ticket.has_size_of(entry)))
}

/// Looks for the file for at most `patience`; the first answer must have been requested at `since` or later. None at once where
/// the provider can't look.
pub(crate) async fn poll_whole(client: &RemoteClient, patience: Duration, ticket: &UploadHandle, since: Moment) -> Result<Option<Entry>> {
    if !client.has(|can| can.find_uploaded.is_some()) {
        return Ok(None);
    }
    let first = AtomicBool::new(true);
    client.poll(patience, |p| whole(p, ticket, if first.swap(false, Ordering::Relaxed) { since } else { Moment::now() })).await
}

/// A wrong copy must not look like a good one: it is removed where the provider can, and named where it can't. A wrong revision
/// stays, as its removal would remove the good revisions, too.
pub(crate) async fn discard(client: &RemoteClient, entry: &Entry, replaces: Option<&Entry>, error: Error) -> Error {
    let stays = |error: Error| error.with_hint(format!("a copy that is not good stays there as @{}", entry.id));
    if replaces.is_some_and(|old| old.id == entry.id) {
        return stays(error);
    }
    match client.mutate(|p| async move { p.abilities().deletions()?.remove(entry).await }).await {
        Ok(()) => error.with_hint("the bad copy is removed: put the file again"),
        Err(_) => stays(error),
    }
}

/// Compares the MD5 where the provider tells one, else the size.
pub(crate) fn verify(entry: &Entry, size: u64, md5: Option<&str>) -> Result<Verified> {
    let differs = |what: &str, there: &str, here: &str| {
        Error::new(Kind::Integrity, format!("the {what} differs: {there} there (id {}), {here} here", entry.id))
            .with_subject(entry.path.to_string())
            .with_hint("the copy there is not good: put the file again")
    };
    if let Some(there) = entry.size
        && there != size
    {
        return Err(differs("size", &there.to_string(), &size.to_string()));
    }
    match (&entry.md5, md5) {
        (Some(there), Some(here)) if !there.eq_ignore_ascii_case(here) => Err(differs("MD5", there, here)),
        (Some(_), Some(_)) => Ok(Verified::Md5),
        _ if entry.size.is_some() => Ok(Verified::Size),
        _ => Ok(Verified::None),
    }
}
