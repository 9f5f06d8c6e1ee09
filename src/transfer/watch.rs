//! Notices a transfer that has stopped, or crawls. A request with a body has no time-out of its own: 100 GB over a slow
//! line are fine as long as bytes move.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::meter::Pulse;
use super::retry::Policy;
use super::wait::pause;
use crate::error::{Error, Kind};

const LOOK_EVERY: Duration = Duration::from_millis(250);
const CRAWL_WINDOW: Duration = Duration::from_secs(60);

/// After the last byte the server may copy and hash the file before it answers (giga0 posts it again inside itself,
/// nginx hands it to PHP in three passes): ten minutes, and a second for each 5 MiB.
pub fn answer_patience(timeout: Duration, bytes: u64) -> Duration {
    timeout.max(Duration::from_secs(600)) + Duration::from_secs(bytes / (5 << 20))
}

/// Returns, with the reason, when the part that ends at `end` (bytes from the start of the file) stalls. Never returns else.
pub async fn stalled(pulse: &Pulse, end: u64, policy: &Policy) -> Error {
    let moved = || pulse.moved.load(Ordering::Relaxed);
    let (mut last, mut since) = (moved(), Instant::now());
    let (mut window_bytes, mut window) = (last, Instant::now());
    loop {
        pause(LOOK_EVERY).await;
        let now = moved();
        if now != last || pulse.held.load(Ordering::Relaxed) {
            (last, since) = (now, Instant::now());
        }
        let all_sent = pulse.reached.load(Ordering::Relaxed) >= end;
        let allowed = if all_sent { answer_patience(policy.timeout, end) } else { policy.timeout };
        if since.elapsed() > allowed {
            let what = if all_sent { "the server gave no answer" } else { "no byte moved" };
            return Error::new(Kind::Interrupted, format!("{what} for {}", humantime::format_duration(allowed)));
        }
        if all_sent || pulse.held.load(Ordering::Relaxed) {
            (window_bytes, window) = (now, Instant::now());
        } else if window.elapsed() >= CRAWL_WINDOW {
            let rate = (now - window_bytes) / CRAWL_WINDOW.as_secs();
            if rate < policy.min_rate {
                return Error::new(Kind::Interrupted, format!("slower than {} bytes a second for a minute", policy.min_rate));
            }
            (window_bytes, window) = (now, Instant::now());
        }
    }
}
