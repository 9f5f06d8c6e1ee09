//! The server and the user that connections are made for, and how they are protected.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Secret;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 990).
    Implicit,
    /// AUTH TLS on the plain port; never goes on in clear when it is refused.
    Explicit,
    /// No TLS at all.
    Plain,
}

#[derive(Clone, Debug)]
pub struct FtpServer {
    /// Name or address; the name that its certificate is checked for, on data connections too.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Secret,
    pub security: Security,
    /// PEM file with certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Time without an answer or a byte before the connection counts as lost.
    pub timeout: Duration,
}
