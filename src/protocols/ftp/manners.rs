//! What a server turned out to do, for all its connections in this run.

use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Default)]
pub struct Manners {
    /// EPSV leads nowhere: PASV from then on.
    no_epsv: AtomicBool,
    /// A data connection was made: its ports can be reached.
    has_connected: AtomicBool,
    /// A data connection that was made while its command was under way failed: one after the other from then on.
    no_side_by_side: AtomicBool,
    /// Two commands at once were not answered in order: one by one from then on.
    no_pipelining: AtomicBool,
}

impl Manners {
    pub fn tries_epsv(&self) -> bool {
        !self.no_epsv.load(Ordering::Relaxed)
    }

    pub fn avoid_epsv(&self) {
        self.no_epsv.store(true, Ordering::Relaxed);
    }

    /// What is asked for the way to a data connection.
    pub fn passive_command(&self) -> &'static str {
        if self.tries_epsv() { "EPSV" } else { "PASV" }
    }

    pub fn has_connected(&self) {
        self.has_connected.store(true, Ordering::Relaxed);
    }

    pub fn connects_side_by_side(&self) -> bool {
        self.has_connected.load(Ordering::Relaxed) && !self.no_side_by_side.load(Ordering::Relaxed)
    }

    pub fn avoid_side_by_side(&self) {
        self.no_side_by_side.store(true, Ordering::Relaxed);
    }

    pub fn pipelines(&self) -> bool {
        !self.no_pipelining.load(Ordering::Relaxed)
    }

    pub fn avoid_pipelining(&self) {
        self.no_pipelining.store(true, Ordering::Relaxed);
    }
}
