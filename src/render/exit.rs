//! The exit status: the one table from [`Kind`] to status (docs/errors.md), and how the results of several files become one
//! status.

use crate::error::Kind;

/// Everything is done; skipped files count as done.
pub const DONE: u8 = 0;
/// SIGINT.
pub const INTERRUPTED: u8 = 130;
/// SIGTERM.
pub const TERMINATED: u8 = 143;

/// The exit status of one failure.
pub fn status(kind: Kind) -> u8 {
    match kind {
        Kind::Other => 1,
        Kind::Usage => 2,
        Kind::NotFound | Kind::Ambiguous => 3,
        Kind::Auth | Kind::Expired => 4,
        Kind::Unreachable | Kind::Untrusted | Kind::Interrupted | Kind::Busy => 5,
        Kind::Exists => 6,
        Kind::Integrity => 7,
        Kind::Refused => 8,
        Kind::Partial => 9,
        Kind::Unsupported | Kind::NeedsSize => 10,
        Kind::Protocol => 11,
        Kind::Local => 12,
        Kind::Unknown => 13,
        Kind::Cancelled => INTERRUPTED,
    }
}

/// The exit status for several files: `done` of them succeeded (skipped ones count), the others failed with these kinds. If all
/// failed with the same status, that status; otherwise 9. An interrupt takes precedence, because the remaining files were not
/// tried.
pub fn merge(done: u64, failed: &[Kind]) -> u8 {
    let Some(first) = failed.first().map(|kind| status(*kind)) else { return 0 };
    if failed.contains(&Kind::Cancelled) {
        return INTERRUPTED;
    }
    match done == 0 && failed.iter().all(|kind| status(*kind) == first) {
        true => first,
        false => status(Kind::Partial),
    }
}

/// As [`merge`], for several commands that each ended with a status.
pub fn merge_statuses(statuses: &[u8]) -> u8 {
    if let Some(stopped) = statuses.iter().find(|status| matches!(**status, INTERRUPTED | TERMINATED)) {
        return *stopped;
    }
    let mut failed = statuses.iter().filter(|status| **status != DONE);
    let Some(first) = failed.next() else { return DONE };
    if statuses.iter().all(|status| status == first) { *first } else { status(Kind::Partial) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of docs/errors.md, written out: name and status of every kind.
    const TABLE: [(Kind, &str, u8); 20] = [
        (Kind::Usage, "usage", 2),
        (Kind::NotFound, "not-found", 3),
        (Kind::Ambiguous, "ambiguous", 3),
        (Kind::Auth, "auth", 4),
        (Kind::Expired, "auth", 4),
        (Kind::Unreachable, "network", 5),
        (Kind::Untrusted, "network", 5),
        (Kind::Interrupted, "network", 5),
        (Kind::Busy, "network", 5),
        (Kind::Exists, "exists", 6),
        (Kind::Integrity, "integrity", 7),
        (Kind::Refused, "refused", 8),
        (Kind::Partial, "partial", 9),
        (Kind::Unsupported, "unsupported", 10),
        (Kind::NeedsSize, "unsupported", 10),
        (Kind::Protocol, "protocol", 11),
        (Kind::Local, "local", 12),
        (Kind::Unknown, "unknown", 13),
        (Kind::Cancelled, "cancelled", 130),
        (Kind::Other, "other", 1),
    ];

    #[test]
    fn every_kind_has_the_status_and_name_of_the_contract() {
        let built: Vec<_> = Kind::ALL.into_iter().map(|kind| (kind, kind.name(), status(kind))).collect();
        assert_eq!(built, TABLE);
    }

    #[test]
    fn one_name_never_means_two_statuses() {
        for (_, name, code) in TABLE {
            assert!(TABLE.iter().filter(|row| row.1 == name).all(|row| row.2 == code), "{name}");
        }
    }

    #[test]
    fn several_commands_end_in_one_status() {
        for (statuses, one) in
            [(vec![], 0), (vec![0, 0], 0), (vec![3, 3], 3), (vec![3, 0], 9), (vec![3, 5], 9), (vec![9], 9), (vec![0, 130], 130)]
        {
            assert_eq!(merge_statuses(&statuses), one, "{statuses:?}");
        }
    }

    #[test]
    fn several_files_end_in_one_status() {
        assert_eq!(merge(0, &[]), 0);
        assert_eq!(merge(5, &[]), 0);
        assert_eq!(merge(0, &[Kind::Refused]), 8);
        assert_eq!(merge(1, &[Kind::Refused]), 9);
        assert_eq!(merge(0, &[Kind::Busy, Kind::Unreachable]), 5);
        assert_eq!(merge(3, &[Kind::Busy, Kind::Unreachable]), 9);
        assert_eq!(merge(0, &[Kind::Auth, Kind::Local]), 9);
        assert_eq!(merge(2, &[Kind::Local, Kind::Cancelled]), 130);
    }
}
