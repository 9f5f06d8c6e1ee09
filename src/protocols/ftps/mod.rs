//! FTP and FTPS.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::contract::{BoxFuture, Error, Part, Recovery, Result, Slicing, UploadSession};
use crate::model::{Protocol, Secret};

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
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Secret,
    pub security: Security,
    pub ca_file: Option<PathBuf>,
    /// Time without an answer or a byte before the connection counts as lost.
    pub timeout: Duration,
}

/// Signed-in control connections of one server, kept for the next file.
pub struct FtpPool {}

impl FtpPool {
    pub fn new(_server: FtpServer) -> Arc<FtpPool> {
        unimplemented!()
    }
}

pub struct FtpTarget {
    /// The name (or path from the login folder) that the file has in the end.
    pub name: String,
    /// The name it has while it travels; none = `name` itself.
    pub temporary: Option<String>,
    /// Bytes, when known: the SIZE that the finished file must have.
    pub size: Option<u64>,
}

pub struct FtpSession {}

/// Takes a connection from the pool or makes one: a server that is closed to us is found out here, before any byte.
pub async fn open(_pool: &Arc<FtpPool>, _target: FtpTarget) -> Result<FtpSession> {
    unimplemented!()
}

impl UploadSession for FtpSession {
    fn protocol(&self) -> Protocol {
        unimplemented!()
    }
    fn slicing(&self) -> Slicing {
        Slicing::Whole
    }
    fn takes_unknown_size(&self) -> bool {
        true
    }
    fn send(&mut self, _part: Part) -> BoxFuture<'_, Result<u64>> {
        unimplemented!()
    }
    fn recover<'a>(&'a mut self, _failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        unimplemented!()
    }
    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        unimplemented!()
    }
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        unimplemented!()
    }
}
