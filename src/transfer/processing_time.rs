//! How long a server may work on a file after its last byte, and how long haul waits for that: one function for each thing that
//! is waited for, with the reason. FTP has its own measure, because there the final reply itself ends the wait
//! (`protocols/ftp/data.rs`: a second for each MiB).

use std::time::Duration;

/// The time for which a change is looked for after its answer was lost: a server may still work on a large folder. A copy is
/// not requested again before.
pub(super) const VISIBLE_WITHIN: Duration = Duration::from_secs(10);

/// The longest wait for an answer, however large the request was.
const MAX_ANSWER_TIME: Duration = Duration::from_secs(2 * 3600);

/// The wait for an answer after the last byte: the time-out, and a second for each MiB of the request. A server may copy and
/// hash what came before it answers (giga0 posts it again inside itself, nginx hands it to PHP in three passes).
pub fn response_timeout(timeout: Duration, bytes: u64) -> Duration {
    let patience = timeout.saturating_add(Duration::from_secs(bytes >> 20));
    patience.min(MAX_ANSWER_TIME.max(timeout))
}

/// The time that a provider may take to show a file whose last byte it has accepted: it may copy and hash the file first.
pub(crate) fn processing_time(timeout: Duration, size: u64) -> Duration {
    timeout + intake_time(size)
}

/// The time that a server may need for a file after its last byte: it passes the file on, copies and hashes it.
pub(crate) fn intake_time(size: u64) -> Duration {
    Duration::from_secs(2 + size / (50 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_much_is_waited_for_two_hours_at_most() {
        let minutes = |timeout: u64, bytes| response_timeout(Duration::from_secs(timeout * 60), bytes).as_secs() as f64 / 60.0;
        assert_eq!((minutes(1, 0), minutes(1, 2 << 20), minutes(1, 600 << 20)), (1.0, 1.0 + 2.0 / 60.0, 11.0));
        assert_eq!((minutes(1, 100 << 30), minutes(180, 1 << 30), minutes(1, u64::MAX)), (120.0, 180.0, 120.0));
    }

    #[test]
    fn a_larger_file_may_take_longer() {
        let times = [0, 50 << 20, 1 << 40].map(|size| processing_time(Duration::from_secs(60), size).as_secs());
        assert_eq!(times, [62, 63, 62 + (1 << 40) / (50 << 20)]);
    }
}
