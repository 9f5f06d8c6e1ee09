//! Decides when the rest of a run is not tried: after a failure that every further file would meet, too, or with `--fail-fast`.

use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};

use crate::error::{Error, Kind, Result};

/// After so many files in a row that met no server or a failing one, the next file would only repeat the same tries.
const DOWN_AFTER: u32 = 3;
const STOPPED: &str = "not tried, because an earlier failure stopped the run";
const DOWN: &str = "not tried, because the server can't be reached";
const FAILING: &str = "not tried, because the server failed for three files in a row";

pub(super) struct CircuitBreaker {
    fail_fast: bool,
    seen: Mutex<FailureCount>,
}

#[derive(Default)]
struct FailureCount {
    stopped: Option<Kind>,
    /// For each remote: the number of files in a row that failed because of its server.
    failing: HashMap<String, FailureRow>,
}

#[derive(Default)]
struct FailureRow {
    files: u32,
    /// One of these files could not reach the server.
    unreached: bool,
}

impl CircuitBreaker {
    pub(super) fn new(fail_fast: bool) -> CircuitBreaker {
        CircuitBreaker { fail_fast, seen: Mutex::default() }
    }

    /// Fails with the reason for which the next file of `remote` is not tried.
    pub(super) fn check(&self, remote: &str) -> Result<()> {
        let seen = self.lock_counts();
        match (seen.stopped, seen.failing.get(remote)) {
            (Some(kind), _) => Err(Error::new(kind, STOPPED).not_attempted()),
            (None, Some(row)) if row.files >= DOWN_AFTER => {
                Err(Error::new(Kind::Unreachable, if row.unreached { DOWN } else { FAILING }).not_attempted())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn success(&self, remote: &str) {
        self.lock_counts().failing.remove(remote);
    }

    pub(super) fn failure(&self, remote: &str, error: &Error) {
        let mut seen = self.lock_counts();
        if error.is_not_attempted() {
            return;
        }
        if self.fail_fast || error.kind() == Kind::Auth {
            seen.stopped.get_or_insert(error.kind());
        }
        match error.kind() {
            // The server fails in any way: a refused connection, a reset, a time-out, 5xx; also when it was asked whether the file
            // has arrived.
            kind if error.is_of_failing_server() => {
                let row = seen.failing.entry(remote.to_owned()).or_default();
                row.files += 1;
                row.unreached |= kind == Kind::Unreachable;
            }
            // The server answers, and what has become of this file does not show. This says nothing of the next file.
            Kind::Unknown => {}
            // The server answers, or was not asked. Files that were in flight when the server was given up change nothing.
            _ if seen.failing.get(remote).is_some_and(|row| row.files < DOWN_AFTER) => drop(seen.failing.remove(remote)),
            _ => {}
        }
    }

    fn lock_counts(&self) -> MutexGuard<'_, FailureCount> {
        self.seen.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(stop: &CircuitBreaker, kind: Kind) {
        stop.failure("a", &Error::new(kind, "no"));
    }

    #[test]
    fn three_in_a_row_are_a_server_that_is_down() {
        let stop = CircuitBreaker::new(false);
        for kind in [Kind::Unreachable, Kind::Unreachable, Kind::Refused, Kind::Unreachable, Kind::Unreachable] {
            fails(&stop, kind);
            stop.check("a").unwrap();
        }
        stop.success("a");
        (0..2).for_each(|_| fails(&stop, Kind::Unreachable));
        stop.check("a").unwrap();
        fails(&stop, Kind::Unreachable);
        let error = stop.check("a").unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Unreachable, DOWN));
        stop.check("b").unwrap();
    }

    #[test]
    fn a_server_that_fails_is_given_up_whatever_its_face() {
        for kinds in [[Kind::Busy; 3], [Kind::Interrupted; 3], [Kind::Interrupted, Kind::Busy, Kind::Interrupted]] {
            let stop = CircuitBreaker::new(false);
            fails(&stop, kinds[0]);
            fails(&stop, kinds[1]);
            stop.success("a");
            for kind in kinds {
                stop.check("a").unwrap();
                fails(&stop, kind);
            }
            let error = stop.check("a").unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Unreachable, FAILING), "{kinds:?}");
        }
    }

    /// The answer to the upload was lost, and then the server was asked for the file.
    #[test]
    fn an_unknown_result_counts_when_the_check_was_not_answered() {
        let lost = |check: Kind| Error::new(Kind::Interrupted, "reset").with_failed_check(Error::new(check, "no"));
        for check in [Kind::Interrupted, Kind::Busy, Kind::Unreachable] {
            let stop = CircuitBreaker::new(false);
            for _ in 0..DOWN_AFTER {
                stop.check("a").unwrap();
                // A failure that several files share is duplicated for each of them.
                stop.failure("a", &lost(check).duplicate().with_remote("a"));
            }
            assert_eq!(stop.check("a").unwrap_err().to_string(), FAILING);
        }
        let stop = CircuitBreaker::new(false);
        for _ in 0..2 * DOWN_AFTER {
            // The server answers: it has no such file, a page in place of the answer, or two files of that name.
            for check in [Kind::Refused, Kind::Protocol, Kind::Ambiguous, Kind::Integrity] {
                stop.failure("a", &lost(check));
            }
            stop.failure("a", &Error::new(Kind::Unknown, "not seen").with_cause(Error::new(Kind::Interrupted, "reset")));
            stop.check("a").unwrap();
        }
        // Neither do these failures show that the server is well.
        (0..DOWN_AFTER).for_each(|_| {
            fails(&stop, Kind::Busy);
            fails(&stop, Kind::Unknown);
        });
        stop.check("a").unwrap_err();
    }

    #[test]
    fn a_refused_sign_in_stops_all_and_fail_fast_whatever_failed() {
        let (stop, fast) = (CircuitBreaker::new(false), CircuitBreaker::new(true));
        fails(&stop, Kind::Integrity);
        stop.check("b").unwrap();
        fails(&stop, Kind::Auth);
        fails(&fast, Kind::Integrity);
        assert_eq!((stop.check("b").unwrap_err().kind(), fast.check("b").unwrap_err().kind()), (Kind::Auth, Kind::Integrity));
    }
}
