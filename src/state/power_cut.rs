//! A power cut at a point that a test chooses, in builds with debug assertions. The n-th write of this process is lost, or is
//! on the disk although no caller got an answer, and every request that was sent meanwhile has arrived.

use std::time::Duration;

/// `lost N` or `kept N`, counted from 1.
const CUT: &str = "HAUL_TEST_POWER_CUT";
/// The time for requests on their way to come to their end.
const CUT_DELAY: Duration = Duration::from_millis(150);

#[derive(Clone, Copy, PartialEq)]
pub(super) enum CutMoment {
    Before,
    After,
}

#[derive(Default)]
pub(super) struct PowerCut {
    writes: u64,
}

impl PowerCut {
    /// Called when a write begins.
    pub(super) fn next(&mut self) {
        self.writes += 1;
    }

    pub(super) fn at(&self, moment: CutMoment) {
        let wanted = match moment {
            CutMoment::Before => format!("lost {}", self.writes),
            CutMoment::After => format!("kept {}", self.writes),
        };
        if std::env::var(CUT).is_ok_and(|cut| cut == wanted) {
            std::thread::park_timeout(CUT_DELAY);
            #[cfg(unix)]
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::process::abort();
        }
    }
}
