//! `--bwlimit`: one bucket for all transfers together.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::sleep::sleep;
use crate::contract::part::CHUNK_READ;

/// The bytes that may follow a pause at once, as a time at the full rate.
const BURST: Duration = Duration::from_millis(250);
/// The smallest piece in bytes. Pieces shrink with the rate: eight workers that take turns with large pieces would each be
/// silent for long, and servers close such connections.
const MIN_PIECE: u64 = 4 << 10;

pub struct RateLimiter {
    /// Bytes a second.
    rate: f64,
    /// The time at which the granted bytes are used up at this rate.
    paid: Mutex<Instant>,
}

impl RateLimiter {
    pub fn new(bytes_per_second: u64) -> Self {
        RateLimiter { rate: bytes_per_second.max(1) as f64, paid: Mutex::new(Instant::now()) }
    }

    /// The largest piece that should go at once, so that no worker waits long for its turn.
    pub fn max_chunk(&self) -> usize {
        ((self.rate / 16.0) as u64).clamp(MIN_PIECE, CHUNK_READ as u64) as usize
    }

    /// Returns when `bytes` more may go. Waiting in line holds the lock, so that workers take turns.
    pub async fn take(&self, bytes: usize) {
        let mut paid = self.paid.lock().await;
        let now = Instant::now();
        let begin = (*paid).max(now.checked_sub(BURST).unwrap_or(now));
        *paid = begin + Duration::from_secs_f64(bytes as f64 / self.rate);
        let wait = paid.saturating_duration_since(now);
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_are_paid_for_after_the_burst() {
        let limit = RateLimiter::new(1_000_000);
        limit.take(200_000).await;
        let paid = *limit.paid.lock().await;
        assert!(paid <= Instant::now(), "the burst is free");
        let begun = Instant::now();
        limit.take(300_000).await;
        assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    }
}
