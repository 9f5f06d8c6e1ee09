//! One data connection that uploads the file: STOR, REST and STOR, or APPE; the bytes; and the final reply, which alone
//! confirms that the server has them (RFC 959 5.4, providers.md 6.3).

use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::control::{Connection, Data};
use super::data_socket::{DataAddress, DataSocket};
use super::reply::{Reply, timeout_error};
use crate::contract::Part;
use crate::error::{Error, Kind, Result};

/// The final reply may take one second for each of this number of bytes: a server may first move, hash or scan the file.
const PROCESSING_BYTES_PER_SECOND: u64 = 1 << 20;
/// The longest time for the final reply.
const MAX_PROCESSING_TIME: Duration = Duration::from_secs(2 * 60 * 60);
/// The time that a server may take to close the data connection after 226.
const CLOSING: Duration = Duration::from_secs(5);

/// The start of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferMode {
    /// STOR from the first byte.
    Whole,
    /// REST with this offset in bytes, then STOR.
    Restart(u64),
    /// APPE; the number of bytes that the server has already.
    Append(u64),
}

pub enum StartOutcome {
    Open(DataTransfer),
    /// The server refuses this transfer; the control connection can still be used.
    Refused(Reply),
}

/// An open data connection, and the offset of its next byte.
pub struct DataTransfer {
    data: Data,
    /// Bytes from the start of the file.
    at: u64,
    timeout: Duration,
}

impl DataTransfer {
    /// Sends the command on `control`, and connects at the same time if only the port is known. Returns the data
    /// connection, or the server's refusal; then the control connection can still be used.
    pub async fn start(control: &mut Connection, address: DataAddress, name: &str, way: TransferMode) -> Result<Result<DataSocket, Reply>> {
        if let TransferMode::Restart(offset) = way {
            let reply = control.restart_at(offset).await?;
            if !reply.wants_more() {
                return as_refusal(reply);
            }
        }
        let verb = if matches!(way, TransferMode::Append(_)) { "APPE" } else { "STOR" };
        start_command(control, address, &format!("{verb} {name}")).await
    }

    /// Waits for TLS on the data connection of a transfer that the server has accepted.
    pub async fn open(control: &mut Connection, socket: DataSocket, way: TransferMode, wait: Duration) -> Result<DataTransfer> {
        let at = match way {
            TransferMode::Whole => 0,
            TransferMode::Restart(offset) | TransferMode::Append(offset) => offset,
        };
        let data = control.protect(socket).await?;
        Ok(DataTransfer { data, at, timeout: wait })
    }

    /// The offset in the file of the next byte.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Sends the part's bytes, and reads replies at the same time: a server whose disk is full says so at once, and may leave
    /// the data connection open. If the source fails, the transfer is cut in the middle. `reach` is set to the offset after the
    /// last byte that was sent, also when this future is dropped.
    pub async fn write(&mut self, control: &mut Connection, part: &Part, reach: &mut u64) -> Result<()> {
        let broken = {
            let mut early = pin!(control.next_reply());
            tokio::select! {
                biased;
                written = self.write_part(part, reach) => match written {
                    Ok(()) => return Ok(()),
                    Err(Cut::Ours(error)) => return Err(error),
                    Err(Cut::Line(error)) => Broken::Line(error),
                },
                reply = &mut early => Broken::Early(reply),
            }
        };
        Err(match broken {
            Broken::Line(error) => control.verdict(error).await,
            Broken::Early(reply) => control.cut_short_error(reply),
        })
    }

    async fn write_part(&mut self, part: &Part, reach: &mut u64) -> Result<(), Cut> {
        let mut chunks = part.chunks();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|e| Cut::Ours(Error::reading(&e).with_subject(part.source.name())))?;
            let mut bytes = &chunk[..];
            while !bytes.is_empty() {
                let written = match timeout(self.timeout, self.data.write(bytes)).await {
                    Err(_) => return Err(Cut::Ours(stall_error(self.timeout))),
                    Ok(Ok(0)) => return Err(Cut::Line(io::ErrorKind::WriteZero.into())),
                    Ok(Ok(n)) => n,
                    Ok(Err(e)) => return Err(Cut::Line(e)),
                };
                self.at += written as u64;
                *reach = self.at.max(*reach);
                bytes = bytes.get(written..).unwrap_or_default();
            }
        }
        Ok(())
    }

    /// Ends the transfer: close_notify, the server's end of file, and its 226 or 250. The data connection is read to its end,
    /// because vsftpd sends the next TLS ticket there. Closing a socket with unread bytes would also reset the connection, and
    /// the server would lose data that it has not read yet (providers.md 12).
    pub async fn complete(mut self, control: &mut Connection) -> Result<()> {
        let settling = Duration::from_secs(self.at / PROCESSING_BYTES_PER_SECOND);
        let patience = self.timeout.saturating_add(settling).min(MAX_PROCESSING_TIME.max(self.timeout));
        let ended = tokio::select! {
            biased;
            ended = self.finish() => Some(ended),
            // 226 may come before the data connection ends, and a refusal may come while it stays open.
            reply = control.next_reply() => {
                let reply = reply?;
                if !reply.is_done() {
                    return Err(control.cut_short_error(Ok(reply)));
                }
                None
            }
        };
        let reply = match ended {
            None => {
                let _ = timeout(CLOSING.min(self.timeout), self.finish()).await;
                control.mark_ended();
                return Ok(());
            }
            Some(Err(Cut::Ours(error))) => return Err(error),
            Some(Err(Cut::Line(error))) => return Err(control.verdict(error).await),
            Some(Ok(())) => {
                drop(self.data);
                control.end_of_transfer(patience).await?
            }
        };
        if reply.is_done() { Ok(()) } else { Err(reply.refusal("the upload")) }
    }

    async fn finish(&mut self) -> Result<(), Cut> {
        match timeout(self.timeout, self.data.shutdown()).await {
            Err(_) => return Err(Cut::Ours(stall_error(self.timeout))),
            Ok(Err(e)) if e.kind() != io::ErrorKind::NotConnected => return Err(Cut::Line(e)),
            Ok(_) => {}
        }
        // The result is ignored: the reply decides.
        let _ = timeout(self.timeout, self.read_to_end()).await;
        Ok(())
    }

    async fn read_to_end(&mut self) -> io::Result<()> {
        let mut rest = [0; 1024];
        while self.data.read(&mut rest).await? > 0 {}
        Ok(())
    }
}

/// Starts a transfer, and connects at the same time if only the port is known.
pub async fn start_command(control: &mut Connection, address: DataAddress, command: &str) -> Result<Result<DataSocket, Reply>> {
    let started = match address {
        DataAddress::Port(port) => control.begin_and_dial(command, port).await?,
        DataAddress::Connected(socket) => {
            let reply = control.begin(command).await?;
            if control.has_begun(&reply) { Ok(DataSocket::Connected(socket)) } else { Err(reply) }
        }
    };
    started.map_or_else(as_refusal, |socket| Ok(Ok(socket)))
}

/// Why the writing ended.
enum Cut {
    /// The source failed, or our time limit was reached.
    Ours(Error),
    /// The data connection failed; the reply may have the reason.
    Line(io::Error),
}

enum Broken {
    Line(io::Error),
    Early(Result<Reply>),
}

fn as_refusal<T>(reply: Reply) -> Result<Result<T, Reply>> {
    if reply.is_closing() { Err(reply.refusal("the upload")) } else { Ok(Err(reply)) }
}

fn stall_error(waited: Duration) -> Error {
    Error::new(Kind::Interrupted, "the server takes no more bytes").with_cause(timeout_error(waited))
}
