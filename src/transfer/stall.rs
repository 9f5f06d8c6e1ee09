//! Notices a transfer that has stopped or is too slow. A request with a body has no time-out of its own: 100 GB over a slow
//! line are fine as long as bytes move.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::RetryPolicy;
use super::processing_time::response_timeout;
use super::sleep::sleep;
use super::source::meter::Activity;
use crate::error::{Error, Kind};

const LOOK_EVERY: Duration = Duration::from_millis(250);
const CRAWL_WINDOW: Duration = Duration::from_secs(60);

/// Returns the reason as soon as `part` (bytes from the start of the file) stalls, and never returns otherwise.
pub async fn wait_for_stall(pulse: &Activity, part: Range<u64>, policy: &RetryPolicy) -> Error {
    let moved = || pulse.moved.load(Ordering::Relaxed);
    let (mut last, mut since) = (moved(), Instant::now());
    let (mut window_bytes, mut window) = (last, Instant::now());
    loop {
        sleep(LOOK_EVERY).await;
        let now = moved();
        if now != last || pulse.held.load(Ordering::Relaxed) {
            (last, since) = (now, Instant::now());
        }
        let all_sent = pulse.reached.load(Ordering::Relaxed) >= part.end;
        let allowed = if all_sent { response_timeout(policy.timeout, part.end - part.start) } else { policy.timeout };
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

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: u64 = 1 << 29;
    const END: u64 = 1 << 30;

    /// Moves `bytes` each second for `seconds`, unless the watch ends it; why and after how many seconds it did.
    async fn watch_for(pulse: &Activity, bytes: u64, seconds: u64) -> Option<(Error, u64)> {
        let policy = RetryPolicy { tries: 1, timeout: Duration::from_secs(20), min_rate: 1000 };
        let begun = Instant::now();
        let moving = async {
            for _ in 0..seconds {
                sleep(Duration::from_secs(1)).await;
                pulse.moved.fetch_add(bytes, Ordering::Relaxed);
                pulse.reached.fetch_add(bytes, Ordering::Relaxed);
            }
        };
        tokio::select! {
            stall = wait_for_stall(pulse, BEGIN..END, &policy) => Some((stall, begun.elapsed().as_secs())),
            () = moving => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_crawls_for_a_minute_is_cut() {
        let (error, after) = watch_for(&Activity::default(), 900, 300).await.unwrap();
        assert_eq!((error.kind(), after), (Kind::Interrupted, 60));
        assert_eq!(error.message(), "slower than 1000 bytes a second for a minute");
        assert!(watch_for(&Activity::default(), 1100, 300).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_cut_after_the_time_out_and_the_answer_has_more_time() {
        let (error, after) = watch_for(&Activity::default(), 0, 300).await.unwrap();
        assert_eq!((error.kind(), error.message().as_str(), after), (Kind::Interrupted, "no byte moved for 20s", 20));
        let all_sent = Activity { reached: END.into(), ..Activity::default() };
        let (error, after) = watch_for(&all_sent, 0, 3000).await.unwrap();
        assert_eq!((error.message().as_str(), after), ("the server gave no answer for 8m 52s", 532));
    }

    /// A slow disk, a pipe, `--bwlimit`: no fault of the line.
    #[tokio::test(start_paused = true)]
    async fn what_is_held_on_this_side_is_no_stall() {
        let held = Activity { held: true.into(), ..Activity::default() };
        assert!(watch_for(&held, 0, 300).await.is_none());
    }
}
