//! Signed-in control connections of one server, kept for the next file: 500 small files sign in as often as files
//! travel at once, not 500 times.

use std::sync::{Arc, Mutex, PoisonError};

use super::connect::sign_in;
use super::control::Connection;
use super::stream::TlsVersion;
use super::{FtpServer, Security};
use crate::error::{Error, Result};

pub struct FtpPool {
    pub(super) server: FtpServer,
    kept: Mutex<Kept>,
}

struct Kept {
    idle: Vec<Connection>,
    /// What the server turned out to speak.
    version: TlsVersion,
}

impl FtpPool {
    pub fn new(server: FtpServer) -> Arc<FtpPool> {
        Arc::new(FtpPool { server, kept: Mutex::new(Kept { idle: Vec::new(), version: TlsVersion::V12 }) })
    }

    pub(super) fn is_protected(&self) -> bool {
        self.server.security != Security::Plain
    }

    /// An idle connection, else a new one. An idle one may have died in silence: its first command shows it.
    pub(super) async fn take(&self) -> Result<Connection> {
        let idle = self.kept().idle.pop();
        match idle {
            Some(connection) => Ok(connection),
            None => self.connect().await,
        }
    }

    pub(super) async fn connect(&self) -> Result<Connection> {
        let version = self.kept().version;
        self.connect_with(version).await
    }

    /// With TLS 1.3: for a server that does not accept sessions of 1.2.
    pub(super) async fn connect_newer(&self) -> Result<Connection> {
        self.connect_with(TlsVersion::V13).await
    }

    async fn connect_with(&self, version: TlsVersion) -> Result<Connection> {
        let connection = sign_in(&self.server, version).await?;
        if let Some(tls) = &connection.tls {
            self.kept().version = tls.version;
        }
        Ok(connection)
    }

    /// Takes a connection back, unless a reply is still open on it.
    pub(super) fn give(&self, mut connection: Connection) {
        if connection.is_usable() {
            connection.fresh = false;
            self.kept().idle.push(connection);
        }
    }

    /// Names the server in an error.
    pub(super) fn named(&self, error: Error) -> Error {
        error.on(self.server.host.as_str())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
