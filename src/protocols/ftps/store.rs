//! One data connection that takes the file: STOR, REST and STOR, or APPE; bytes; and the reply that alone says whether
//! the server has them (RFC 959 5.4, providers.md 6.3).

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::Reply;
use super::control::{Connection, Data, silent};
use crate::contract::Part;
use crate::error::{Error, Kind, Result};

/// A server may first move or scan what it got before it says 226: this much per second is granted for that.
const SETTLED_PER_SECOND: u64 = 10 * 1024 * 1024;

/// How a transfer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// STOR from the first byte.
    Whole,
    /// REST and STOR from this byte.
    Restart(u64),
    /// APPE; the bytes that are there already.
    Append(u64),
}

pub enum Begun {
    Open(Flow),
    /// The server does not want this transfer; the control connection is as before.
    Refused(Reply),
}

/// An open data connection, and how far the file got in it.
pub struct Flow {
    data: Data,
    /// Bytes from the start of the file.
    at: u64,
    timeout: Duration,
}

impl Flow {
    /// Sends the command on `control` and protects `socket`, which is connected already.
    pub async fn begin(control: &mut Connection, socket: TcpStream, name: &str, way: Way, wait: Duration) -> Result<Begun> {
        if let Way::Restart(offset) = way {
            let reply = control.restart_at(offset).await?;
            if !reply.wants_more() {
                return refused(reply);
            }
        }
        let (command, at) = match way {
            Way::Whole => ("STOR", 0),
            Way::Restart(offset) => ("STOR", offset),
            Way::Append(offset) => ("APPE", offset),
        };
        let reply = control.ask(&format!("{command} {name}")).await?;
        if !reply.is_starting() {
            return refused(reply);
        }
        let data = control.protect(socket).await?;
        Ok(Begun::Open(Flow { data, at, timeout: wait }))
    }

    /// Where in the file the next byte belongs.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Sends the part's bytes. A source that fails leaves the transfer cut off in the middle.
    pub async fn write(&mut self, control: &mut Connection, part: &Part) -> Result<()> {
        let mut chunks = part.chunks();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|e| Error::reading(&e).on(part.source.name()))?;
            self.write_all(control, &chunk).await?;
            self.at += chunk.len() as u64;
        }
        Ok(())
    }

    async fn write_all(&mut self, control: &mut Connection, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let written = match timeout(self.timeout, self.data.write(bytes)).await {
                Err(_) => return Err(stalled(self.timeout)),
                Ok(Ok(0)) => return Err(control.verdict(io::ErrorKind::WriteZero.into()).await),
                Ok(Ok(n)) => n,
                Ok(Err(e)) => return Err(control.verdict(e).await),
            };
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends the transfer: close_notify, the server's end of file, and its 226 or 250. The data connection is read to
    /// its end because vsftpd sends the next TLS ticket there, and because closing a socket with unread bytes in it
    /// resets the connection, by which a server loses data that it has not read yet (baselines, traps of FTPS).
    pub async fn complete(mut self, control: &mut Connection) -> Result<()> {
        match timeout(self.timeout, self.data.shutdown()).await {
            Err(_) => return Err(stalled(self.timeout)),
            Ok(Err(e)) => return Err(control.verdict(e).await),
            Ok(Ok(())) => {}
        }
        // How that ends is no matter: the reply decides.
        let _ = timeout(self.timeout, self.read_to_end()).await;
        drop(self.data);
        let settling = Duration::from_secs(self.at / SETTLED_PER_SECOND);
        let reply = control.end_of_transfer(self.timeout.saturating_add(settling)).await?;
        if reply.is_done() { Ok(()) } else { Err(reply.refusal("the upload")) }
    }

    async fn read_to_end(&mut self) -> io::Result<()> {
        let mut rest = [0; 1024];
        while self.data.read(&mut rest).await? > 0 {}
        Ok(())
    }
}

fn refused(reply: Reply) -> Result<Begun> {
    if reply.is_farewell() { Err(reply.refusal("the upload")) } else { Ok(Begun::Refused(reply)) }
}

fn stalled(waited: Duration) -> Error {
    Error::new(Kind::Interrupted, "the server takes no more bytes").cause(silent(waited))
}
