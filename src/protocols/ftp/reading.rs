//! Reads from a data connection: a file, or a listing.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::control::{Connection, Data};
use super::data::start_command;
use super::data_socket::DataAddress;
use super::pool::FtpPool;
use super::reply;
use super::reply::{Reply, blames_session, timeout_error};
use super::upload::explain_tls_refusal;
use crate::contract::Chunks;
use crate::contract::part::CHUNK_READ;
use crate::error::{Error, Kind, Result};

/// An open data connection that is read.
pub struct Reading {
    pool: Arc<FtpPool>,
    control: Connection,
    data: Data,
    buffer: BytesMut,
    /// The offset of the first byte, from the start of the file.
    pub from: u64,
    what: &'static str,
    /// The last byte that came.
    last: Option<u8>,
    /// TLS ended without a close_notify.
    is_cut: bool,
    /// The server's final reply, if it came before the last byte.
    ended: Option<Result<Reply>>,
}

/// Starts `command`, at offset `from` if the server supports that. `what` is the word for it in errors. Reading changes
/// nothing: if it fails on a kept connection, or with one TLS version, it is tried once more on a new connection.
pub async fn open_reading(pool: &Arc<FtpPool>, command: &str, from: u64, what: &'static str) -> Result<Reading> {
    let reading = |control, (data, from)| Reading {
        pool: pool.clone(),
        control,
        data,
        buffer: BytesMut::new(),
        from,
        what,
        last: None,
        is_cut: false,
        ended: None,
    };
    let mut control = pool.take().await?;
    let failure = match begin(&mut control, command, from, what).await {
        Ok(begun) => return Ok(reading(control, begun)),
        Err(failure) => failure,
    };
    if control.is_usable() {
        pool.give(control);
        return Err(pool.with_server_name_unless_refused(failure));
    }
    let blamed = pool.is_protected() && blames_session(&failure);
    if !blamed && !failure.kind().is_transient() {
        return Err(pool.with_server_name(failure));
    }
    if failure.kind() == Kind::Unreachable {
        control.behaviour.avoid_side_by_side();
    }
    tracing::debug!("{failure}; once more on a new connection");
    let old = Some(control);
    let mut control = if blamed { pool.connect_newer(old).await? } else { pool.replace(old).await? };
    match begin(&mut control, command, from, what).await {
        Ok(begun) => Ok(reading(control, begun)),
        Err(again) => {
            if control.is_usable() {
                pool.give(control);
            }
            Err(pool.with_server_name_unless_refused(explain_tls_refusal(again)))
        }
    }
}

/// Returns the data connection with TLS, and the offset of its first byte.
async fn begin(control: &mut Connection, command: &str, from: u64, what: &str) -> Result<(Data, u64)> {
    let address: DataAddress = control.data_address().await?;
    control.is_reading = true;
    let from = if from > 0 && control.restart_at(from).await?.wants_more() { from } else { 0 };
    let socket = match start_command(control, address, command).await? {
        Ok(socket) => socket,
        Err(refusal) => {
            control.is_reading = false;
            let error = refusal.refusal(what);
            // RFC 959: 550 means that the file is not found or not readable.
            return Err(if refusal.code == 550 { error.with_kind(Kind::NotFound) } else { error });
        }
    };
    let data = control.protect(socket).await?;
    control.is_reading = false;
    Ok((data, from))
}

impl Reading {
    /// The bytes up to the server's confirmation of the end. A transport error is an `io::Error` that contains our error.
    pub fn chunks(self) -> Chunks {
        Box::pin(stream::unfold(Some(self), |reading| async {
            let mut reading = reading?;
            match reading.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(reading))),
                Ok(None) => reading.finish().await.err().map(|error| (Err(io::Error::other(error)), None)),
                Err(error) => Some((Err(io::Error::other(error)), None)),
            }
        }))
    }

    /// None at the end of the stream. Replies are read at the same time: a server that refuses the transfer (522, 425, 426) may
    /// leave the data connection open. A final reply of success, or a lost control connection, does not stop the bytes that are on
    /// their way.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let wait = self.pool.server.timeout;
        // Small pieces share one buffer.
        if self.buffer.capacity() == 0 {
            self.buffer.reserve(CHUNK_READ);
        }
        let read = loop {
            let ended = tokio::select! {
                biased;
                read = timeout(wait, self.data.read_buf(&mut self.buffer)) => break read,
                ended = self.control.next_reply(), if self.ended.is_none() && !self.control.is_ended_early => ended,
            };
            match ended {
                Ok(reply) if !reply.is_done() => return Err(refusal_error(&self.pool, &reply, self.what)),
                ended => self.ended = Some(ended),
            }
        };
        match read {
            Err(_) => Err(timeout_error(wait)),
            Ok(Ok(0)) => Ok(None),
            Ok(Ok(_)) => {
                let piece = self.buffer.split().freeze();
                self.last = piece.last().copied();
                Ok(Some(piece))
            }
            // No close_notify, as many servers end it: whether that was all is told by the reply, and of a file by the size that
            // the listing has. (lftp, and rclone by Go's TLS, believe the reply, too.)
            Ok(Err(e)) if e.kind() == io::ErrorKind::UnexpectedEof => {
                self.is_cut = true;
                Ok(None)
            }
            Ok(Err(e)) => Err(reply::connection_lost_error(e)),
        }
    }

    /// Reads the server's final reply. Our close_notify is sent first, because some servers report a lost connection otherwise
    /// (providers.md 12).
    async fn finish(mut self) -> Result<()> {
        let wait = self.pool.server.timeout;
        let _ = timeout(wait, self.data.shutdown()).await;
        drop(self.data);
        if self.control.is_ended_early {
            // Another reply may follow, so this connection is not used again.
            return Ok(());
        }
        let reply = match self.ended {
            Some(ended) => ended?,
            None => self.control.reply(wait).await?,
        };
        if !reply.is_done() {
            return Err(refusal_error(&self.pool, &reply, self.what));
        }
        self.control.mark_ended();
        self.pool.give(self.control);
        Ok(())
    }

    /// As [`Reading::chunks`], of lines: what ends without a close_notify within a line was cut, whatever the reply says.
    pub fn lines(self) -> Chunks {
        Box::pin(stream::unfold(Some(self), |reading| async {
            let mut reading = reading?;
            match reading.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(reading))),
                Ok(None) if reading.is_cut && reading.last.is_some_and(|byte| byte != b'\n') => {
                    let error = Error::new(Kind::Interrupted, format!("{} broke off within a line", reading.what));
                    Some((Err(io::Error::other(reading.pool.with_server_name(error))), None))
                }
                Ok(None) => reading.finish().await.err().map(|error| (Err(io::Error::other(error)), None)),
                Err(error) => Some((Err(io::Error::other(error)), None)),
            }
        }))
    }
}

fn refusal_error(pool: &FtpPool, reply: &Reply, what: &str) -> Error {
    pool.with_server_name(explain_tls_refusal(reply.refusal(what)))
}

/// Passes each line to `each` without its end.
pub async fn read_lines(chunks: Chunks, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    use futures_util::TryStreamExt;
    /// Bytes of one line. No file system has names as long.
    const MAX_LINE: usize = 64 << 10;
    let mut chunks = chunks;
    let mut rest = BytesMut::new();
    while let Some(piece) = chunks.try_next().await.map_err(|e| Error::reading(&e))? {
        rest.extend_from_slice(&piece);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = rest.split_to(end + 1);
            each(line.strip_suffix(b"\n").map_or(&line[..], |line| line.strip_suffix(b"\r").unwrap_or(line)))?;
        }
        if rest.len() > MAX_LINE {
            return Err(Error::new(Kind::Protocol, "the server's listing is not made of lines"));
        }
    }
    if rest.is_empty() { Ok(()) } else { each(&rest) }
}
