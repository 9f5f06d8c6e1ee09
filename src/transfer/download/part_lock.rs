//! The lock of a download's target: two runs that know nothing of each other (two containers with one disk) may fetch to it.

use std::time::Duration;

use tokio::time::Instant;

use super::open_folder::{Target, display_path};
use super::part_file::{ContentId, PartFile, writer};
use crate::error::{Error, Kind, Result};
use crate::model::Event;
use crate::transfer::client::RemoteClient;
use crate::transfer::sleep::sleep;

const ASKED_EVERY: Duration = Duration::from_millis(200);
/// A wait of this length is reported.
const LONG: Duration = Duration::from_secs(1);

pub struct LockedPart {
    pub part: PartFile,
    /// Another run held the lock: the target may be another file by now.
    pub waited: bool,
}

/// Waits for the lock of the part, at most as long as for a silent server. Fails with `Busy` when another run still holds it.
pub async fn lock_part(client: &RemoteClient, target: &Target, whose: &ContentId) -> Result<LockedPart> {
    let begun = Instant::now();
    let (mut waited, mut told) = (false, false);
    loop {
        if let Some(part) = PartFile::open(target, whose)? {
            return Ok(LockedPart { part, waited });
        }
        waited = true;
        let by = writer(target).map_or_else(|| "another run".to_owned(), |process| format!("another run (process {process})"));
        let on = display_path(&target.path());
        if begun.elapsed() >= client.policy.timeout {
            return Err(Error::new(Kind::Busy, format!("{by} is downloading to this place"))
                .with_subject(on)
                .with_hint("run it again when that one has ended"));
        }
        if begun.elapsed() >= LONG && !told {
            told = true;
            let most = humantime::format_duration(client.policy.timeout);
            client.events.send(Event::Warning(format!("{on}: {by} is downloading to this place; waiting for it for {most} at most")));
        }
        sleep(ASKED_EVERY).await;
    }
}
