//! The waits between two tries of a call.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// The first wait. Each further wait is twice as long, with a random spread.
const RETRY_DELAY_INITIAL: Duration = Duration::from_millis(500);
/// The longest wait. A `Retry-After` of the server counts for more than both.
pub(super) const RETRY_DELAY_MAX: Duration = Duration::from_secs(30);

/// The wait for people, in whole seconds.
pub(super) fn display_wait(wish: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(wish.as_secs()))
}

pub(super) fn delays() -> backon::ExponentialBackoff {
    delays_from(RETRY_DELAY_INITIAL)
}

pub(super) fn delays_from(first: Duration) -> backon::ExponentialBackoff {
    ExponentialBuilder::default().with_min_delay(first).with_max_delay(RETRY_DELAY_MAX).with_jitter().without_max_times().build()
}

/// How long a request that fails is tried again.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// Tries of one request, the first included (`--retries`).
    pub tries: u32,
    /// Time without a byte (`--timeout`).
    pub timeout: Duration,
    /// Bytes a second; a transfer that is slower for a minute is cut and resumed (`--min-rate`).
    pub min_rate: u64,
}
