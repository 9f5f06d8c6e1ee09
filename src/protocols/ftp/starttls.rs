//! AUTH TLS: the greeting, one command and its answer without TLS, then TLS. No plain text is trusted afterwards: bytes after
//! the answer to AUTH and before the handshake were not requested. An attacker may have inserted them, as a false answer to a
//! later command.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::reply::{Reply, connection_lost_error, timeout_error};
use crate::error::{Error, Kind, Result};

/// The message when the server refuses AUTH TLS, PBSZ or PROT.
pub const REFUSED_TLS: &str = "the server refused TLS, and the password does not go out in clear";

const READY: u16 = 220;
/// The longest reply in bytes.
const MAX_REPLY: usize = 64 << 10;

/// Prepares the connection up to the start of TLS. Returns the greeting as it came. `silence_hint`: what to try where the server
/// does not greet.
pub async fn change_over(socket: &mut TcpStream, wait: Duration, silence_hint: Option<&'static str>) -> Result<Bytes> {
    let mut clear = ClearText::default();
    let greeting = match timeout(wait, clear.greeting(socket)).await {
        Err(_) => {
            let silence = timeout_error(wait);
            return Err(match silence_hint {
                Some(hint) => silence.with_hint(hint),
                None => silence,
            });
        }
        Ok(greeting) => greeting?,
    };
    if greeting.code != READY {
        return Err(greeting.refusal("the connection"));
    }
    socket.write_all(b"AUTH TLS\r\n").await.map_err(connection_lost_error)?;
    let answer = timeout(wait, clear.reply(socket)).await.map_err(|_| timeout_error(wait))??;
    if !answer.is_done() {
        return Err(no_protection(answer));
    }
    if !clear.rest.is_empty() {
        let why = "something was sent in clear behind the answer to AUTH TLS, as if to pass for an answer within TLS";
        return Err(Error::new(Kind::Untrusted, format!("the connection to the server is not secure: {why}"))
            .with_hint("try from another network, and tell the server's operator"));
    }
    Ok(Bytes::from(format!("{}\r\n", greeting.text)))
}

/// The error when the server refuses AUTH TLS, PBSZ or PROT. 4xx is transient (431: no TLS at the moment).
pub fn no_protection(reply: Reply) -> Error {
    if (400..500).contains(&reply.code) {
        return reply.refusal("TLS");
    }
    Error::new(Kind::Unsupported, REFUSED_TLS).with_status(reply.code).with_cause(reply.to_anyhow())
}

/// Bytes that have arrived and belong to no reply yet.
#[derive(Default)]
struct ClearText {
    rest: BytesMut,
}

impl ClearText {
    /// A server that is not ready yet says so first (120).
    async fn greeting(&mut self, socket: &mut TcpStream) -> Result<Reply> {
        loop {
            let reply = self.reply(socket).await?;
            if !reply.is_starting() {
                return Ok(reply);
            }
        }
    }

    async fn reply(&mut self, socket: &mut TcpStream) -> Result<Reply> {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let line = self.read_line(socket).await?;
            let code = line.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit())).and_then(|code| code.parse().ok());
            if lines.is_empty() && code.is_none() {
                return Err(Error::new(Kind::Protocol, "the server's answer is not FTP")
                    .with_hint("check host and port: no FTP server answers there"));
            }
            // A line of the text may begin with a larger number.
            let is_last = code.is_some()
                && match line.as_bytes().get(3) {
                    None | Some(b' ') => true,
                    Some(b'-') => false,
                    Some(_) => lines.is_empty(),
                };
            lines.push(line);
            if lines.iter().map(String::len).sum::<usize>() > MAX_REPLY {
                return Err(endless());
            }
            if let Some(code) = code.filter(|_| is_last) {
                return Ok(Reply { code, text: lines.join("\r\n") });
            }
        }
    }

    /// Returns the line without its end.
    async fn read_line(&mut self, socket: &mut TcpStream) -> Result<String> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(end + 1);
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.rest.len() > MAX_REPLY {
                return Err(endless());
            }
            if socket.read_buf(&mut self.rest).await.map_err(connection_lost_error)? == 0 {
                return Err(connection_lost_error(std::io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

fn endless() -> Error {
    Error::new(Kind::Protocol, "the server's answer never ends")
}
