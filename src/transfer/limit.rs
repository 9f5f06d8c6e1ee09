//! `--bwlimit`: one bucket for all transfers together.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::wait::pause;

/// Bytes that may burst after a pause, in time at the full rate.
const BURST: Duration = Duration::from_millis(250);

pub struct Limit {
    /// Bytes a second.
    rate: f64,
    /// When the bytes handed out so far will have been paid for.
    paid: Mutex<Instant>,
}

impl Limit {
    pub fn new(bytes_per_second: u64) -> Self {
        Limit { rate: bytes_per_second.max(1) as f64, paid: Mutex::new(Instant::now()) }
    }

    /// Returns when `bytes` more may go. Waiting in line holds the lock, so that workers take turns.
    pub async fn take(&self, bytes: usize) {
        let mut paid = self.paid.lock().await;
        let now = Instant::now();
        let begin = (*paid).max(now.checked_sub(BURST).unwrap_or(now));
        *paid = begin + Duration::from_secs_f64(bytes as f64 / self.rate);
        let wait = paid.saturating_duration_since(now);
        if !wait.is_zero() {
            pause(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_are_paid_for_after_the_burst() {
        let limit = Limit::new(1_000_000);
        limit.take(200_000).await;
        let paid = *limit.paid.lock().await;
        assert!(paid <= Instant::now(), "the burst is free");
        let begun = Instant::now();
        limit.take(300_000).await;
        assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    }
}
