//! Following an import: asks the provider how far it is, less and less often, until it is over or our time is.

use std::time::{Duration, Instant};

use super::client::RemoteClient;
use super::sleep::sleep;
use crate::contract::Import;
use crate::error::Result;

/// Between two questions: from this, doubling, up to that.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LONGEST_LOOK: Duration = Duration::from_secs(15);

/// A site gives a job up that takes longer than a day.
const LONGEST: Duration = Duration::from_secs(25 * 60 * 60);

/// How far the import `started` is when it has ended, or when `limit` has passed. `tell` hears of every new word. One
/// without a number can't be followed.
pub async fn follow(client: &RemoteClient, started: Import, limit: Option<Duration>, mut tell: impl FnMut(&Import)) -> Result<Import> {
    let begun = Instant::now();
    let mut wait = FIRST_LOOK;
    let mut now = started;
    while let (false, false, Some(id)) = (now.done, now.failed, now.id.clone()) {
        let left = limit.unwrap_or(LONGEST).saturating_sub(begun.elapsed());
        if left.is_zero() {
            break;
        }
        sleep(wait.min(left)).await;
        wait = (wait * 2).min(LONGEST_LOOK);
        let id = &id;
        let next = client.call(|p| async move { p.abilities().imports()?.status(id).await }).await?;
        if next.status != now.status && !next.done && !next.failed {
            tell(&next);
        }
        now = next;
    }
    Ok(now)
}
