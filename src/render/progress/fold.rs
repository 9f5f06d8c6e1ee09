//! A section of a GitLab log that is folded until the reader opens it.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::Utc;

/// Each section of a job needs its own name.
static COUNT: AtomicU32 = AtomicU32::new(1);

pub(super) struct Fold(String);

impl Fold {
    pub(super) fn new() -> Fold {
        Fold(format!("haul_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    pub(super) fn begin(&self) -> String {
        format!("\x1b[0Ksection_start:{}:{}[collapsed=true]\r\x1b[0Khaul: the files\n", Utc::now().timestamp(), self.0)
    }

    pub(super) fn end(&self) -> String {
        format!("\x1b[0Ksection_end:{}:{}\r\x1b[0K\n", Utc::now().timestamp(), self.0)
    }
}
