//! The behaviour of a server, as its connections in this run have found out.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::features::Features;

#[derive(Debug, Default)]
pub struct ServerBehaviour {
    /// From the first sign-in.
    features: OnceLock<Features>,
    /// EPSV does not work: only PASV is used from then on.
    no_epsv: AtomicBool,
    /// A data connection has worked: the server's ports can be reached.
    has_connected: AtomicBool,
    /// A data connection failed that was made while its command was in progress: from then on one step follows the other.
    no_side_by_side: AtomicBool,
    /// Two commands at once were not answered in order: from then on commands are sent one by one.
    no_pipelining: AtomicBool,
    /// The server has answered several commands at once in order.
    has_pipelined: AtomicBool,
    /// MLST is announced and gets no answer: the folder's listing is used from then on.
    no_mlst: AtomicBool,
    /// Files can't be renamed: they get their own name from the first byte on.
    no_rename: AtomicBool,
}

impl ServerBehaviour {
    pub fn record_features(&self, features: Features) {
        let _ = self.features.set(features);
    }

    /// None before the first sign-in.
    pub fn features(&self) -> Option<&Features> {
        self.features.get()
    }

    /// True if MLST is announced and was not left without an answer.
    pub fn tries_mlst(&self) -> bool {
        self.features().is_some_and(Features::lists_facts) && !self.no_mlst.load(Ordering::Relaxed)
    }

    pub fn avoid_mlst(&self) {
        tracing::info!("no answer to MLST: folders are listed from now on");
        self.no_mlst.store(true, Ordering::Relaxed);
    }

    pub fn tries_epsv(&self) -> bool {
        !self.no_epsv.load(Ordering::Relaxed)
    }

    pub fn avoid_epsv(&self) {
        self.no_epsv.store(true, Ordering::Relaxed);
    }

    /// The command that requests a data connection.
    pub fn passive_command(&self) -> &'static str {
        if self.tries_epsv() { "EPSV" } else { "PASV" }
    }

    pub fn record_connected(&self) {
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

    pub fn record_pipelining(&self) {
        self.has_pipelined.store(true, Ordering::Relaxed);
    }

    /// True if commands whose order matters can be sent at once.
    pub fn keeps_order(&self) -> bool {
        self.pipelines() && self.has_pipelined.load(Ordering::Relaxed)
    }

    pub fn renames(&self) -> bool {
        !self.no_rename.load(Ordering::Relaxed)
    }

    pub fn avoid_rename(&self) {
        self.no_rename.store(true, Ordering::Relaxed);
    }
}
