//! The server and the user of the connections, and their protection.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Secret;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 990).
    Implicit,
    /// AUTH TLS on the plain port; if the server refuses it, nothing is sent without TLS.
    Explicit,
    /// No TLS at all.
    Plain,
}

#[derive(Clone, Debug)]
pub struct FtpServer {
    /// Name or address; the certificate is checked for this name, on data connections too.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Secret,
    pub security: Security,
    /// The user chose `security` and can choose another, as errors then say. At ioGates the service tells it.
    pub user_chooses: bool,
    /// PEM file with certificates that are trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The time without an answer or a byte after which the connection counts as lost.
    pub timeout: Duration,
}
