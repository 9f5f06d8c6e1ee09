//! Waits for another run that works on the same target. The wait is reported and has an end.

use std::time::Duration;

use tokio::time::Instant;

use super::client::RemoteClient;
use super::sleep::sleep;
use crate::contract::{PlaceLock, TransferStore};
use crate::error::{Error, Kind, Result};
use crate::model::Event;

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A shorter wait is not reported.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// The shortest time without a sign of life that counts: on a busy machine a process may stand still for seconds.
const LEAST: Duration = Duration::from_secs(15);

/// Takes the lock of `key` as soon as it is free. Another process that works is waited for, however long its file takes. If it
/// gives no sign of life for the time-out, this call fails with `Busy`. `what` is shown to the user.
pub async fn lock_place(client: &RemoteClient, ledger: &dyn TransferStore, key: &str, what: &str) -> Result<PlaceLock> {
    let begun = Instant::now();
    let (mut waited, mut told) = (false, false);
    let limit = client.policy.timeout.max(LEAST);
    loop {
        if let Some(claim) = ledger.lock_place(key).await? {
            return Ok(PlaceLock { waited: claim.waited || waited, ..claim });
        }
        waited = true;
        let holder = ledger.holder(key);
        let who = holder.as_ref().and_then(|holder| holder.process);
        let who = who.map_or_else(|| "another haul".to_owned(), |id| format!("another haul (process {id})"));
        if begun.elapsed() >= TOLD_AFTER && !told {
            told = true;
            client.events.send(Event::Warning(format!("{what}: {who} is working on it, so this command waits")));
        }
        if begun.elapsed() >= limit && holder.is_some_and(|holder| holder.silent >= limit) {
            return Err(Error::new(Kind::Busy, format!("{who} is working on it, and has made no progress for {}s", limit.as_secs()))
                .with_subject(what)
                .with_hint("let that process go on, or end it"));
        }
        sleep(LOOK_EVERY).await;
    }
}
