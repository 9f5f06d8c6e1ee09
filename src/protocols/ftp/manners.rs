//! What a server turned out to do, for all its connections in this run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::features::Features;

#[derive(Debug, Default)]
pub struct Manners {
    /// Of the first sign-in.
    features: OnceLock<Features>,
    /// EPSV leads nowhere: PASV from then on.
    no_epsv: AtomicBool,
    /// A data connection was made: its ports can be reached.
    has_connected: AtomicBool,
    /// A data connection that was made while its command was under way failed: one after the other from then on.
    no_side_by_side: AtomicBool,
    /// Two commands at once were not answered in order: one by one from then on.
    no_pipelining: AtomicBool,
    /// Nothing can be renamed: files get their own name from the first byte on.
    no_rename: AtomicBool,
}

impl Manners {
    pub fn tell(&self, features: Features) {
        let _ = self.features.set(features);
    }

    /// None before the first sign-in.
    pub fn features(&self) -> Option<&Features> {
        self.features.get()
    }

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

    pub fn renames(&self) -> bool {
        !self.no_rename.load(Ordering::Relaxed)
    }

    pub fn avoid_rename(&self) {
        self.no_rename.store(true, Ordering::Relaxed);
    }
}
