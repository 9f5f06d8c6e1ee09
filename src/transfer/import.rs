//! Follows an import: asks the provider for its state, less and less often, until the import or the time limit ends.

use std::time::{Duration, Instant};

use super::client::RemoteClient;
use super::sleep::sleep;
use crate::contract::Import;
use crate::error::Result;

/// The first wait between two questions for the state; each wait is twice the one before.
const POLL_INITIAL: Duration = Duration::from_millis(250);
/// The longest wait between two questions.
const POLL_MAX: Duration = Duration::from_secs(15);

/// The longest time that an import is followed: a site abandons a job that takes longer than a day.
const MAX_WAIT: Duration = Duration::from_secs(25 * 60 * 60);

/// Returns the state of the import `started` when it has ended, or when `limit` has passed. `tell` gets each new state. An
/// import without an id can't be followed.
pub async fn follow(client: &RemoteClient, started: Import, limit: Option<Duration>, mut tell: impl FnMut(&Import)) -> Result<Import> {
    let begun = Instant::now();
    let mut wait = POLL_INITIAL;
    let mut now = started;
    while let (false, false, Some(id)) = (now.done, now.failed, now.id.clone()) {
        let left = limit.unwrap_or(MAX_WAIT).saturating_sub(begun.elapsed());
        if left.is_zero() {
            break;
        }
        sleep(wait.min(left)).await;
        wait = (wait * 2).min(POLL_MAX);
        let id = &id;
        let next = client.call(|p| async move { p.abilities().imports()?.status(id).await }).await?;
        if next.status != now.status && !next.done && !next.failed {
            tell(&next);
        }
        now = next;
    }
    Ok(now)
}
