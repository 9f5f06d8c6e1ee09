//! One signed-in control connection: a command, its reply, and the way to a data connection.

use std::net::IpAddr;
use std::time::Duration;

use suppaftp::tokio::{AsyncDataStream, ImplAsyncFtpStream};
use suppaftp::types::{FtpResult, Response};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::{self, Reply};
use super::stream::{FtpsStream, TlsClient};
use crate::error::{Error, Kind, Result};
use crate::protocols::loose::digits;

pub type Ftp = ImplAsyncFtpStream<FtpsStream>;
pub type Data = AsyncDataStream<FtpsStream>;

/// A control connection says nothing during a transfer; without a sign of life a router on the way forgets it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

pub struct Connection {
    ftp: Ftp,
    /// None: everything in clear.
    pub tls: Option<TlsClient>,
    /// Where data connections go, whatever address a server behind NAT tells.
    peer: IpAddr,
    timeout: Duration,
    /// Has every command been answered? Else the next reply could be another's.
    in_step: bool,
    /// An offset was given by REST, and no transfer has used it up since: some servers keep it for the next STOR.
    restarting: bool,
    extended: bool,
    /// The server takes `REST` before `STOR` (FEAT: REST STREAM).
    pub restarts: bool,
    /// No transfer was made on it before, so it can't have died of waiting.
    pub fresh: bool,
}

/// What `SIZE` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Bytes(u64),
    Absent,
    /// The server has no such command or does not want to say.
    Untold,
}

impl Connection {
    /// Takes over after the greeting (and TLS); the sign-in follows.
    pub async fn new(ftp: Ftp, tls: Option<TlsClient>, wait: Duration) -> Result<Connection> {
        let socket = ftp.get_ref().await;
        keep_alive(&socket);
        let peer = socket.peer_addr().map_err(answer::lost)?.ip();
        drop(socket);
        Ok(Connection { ftp, tls, peer, timeout: wait, in_step: true, restarting: false, extended: true, restarts: false, fresh: true })
    }

    pub fn is_usable(&self) -> bool {
        self.in_step && !self.restarting
    }

    /// Where the next STOR begins. A refusal is handed out as any other reply.
    pub async fn restart_at(&mut self, offset: u64) -> Result<Reply> {
        let reply = self.ask(&format!("REST {offset}")).await?;
        self.restarting = reply.wants_more();
        Ok(reply)
    }

    /// The reply that ends a transfer; see [`Self::reply`].
    pub async fn end_of_transfer(&mut self, within: Duration) -> Result<Reply> {
        let reply = self.reply(within).await?;
        self.restarting &= !reply.is_done();
        Ok(reply)
    }

    /// Sends one command and reads its reply, whatever that is. Fails with `Interrupted` when none comes in time.
    pub async fn ask(&mut self, command: &str) -> Result<Reply> {
        self.in_step = false;
        // With no code to expect, suppaftp hands out every reply as unexpected: then all of them are read here alone.
        let answered = timeout(self.timeout, self.ftp.custom_command(command, &[])).await;
        self.take(answered, self.timeout)
    }

    /// User and password. suppaftp's own call: it is the one that does not log the password below TRACE.
    pub async fn sign_in(&mut self, user: &str, password: &str) -> Result<Reply> {
        self.in_step = false;
        let answered = timeout(self.timeout, self.ftp.login(user, password)).await;
        let signed_in = || Response::new(suppaftp::Status::LoggedIn, b"230".to_vec());
        self.take(answered.map(|result| result.map(|()| signed_in())), self.timeout)
    }

    /// The next reply, without a command: the end of a transfer.
    pub async fn reply(&mut self, within: Duration) -> Result<Reply> {
        self.in_step = false;
        let answered = timeout(within, self.ftp.read_response_in(&[])).await;
        self.take(answered, within)
    }

    fn take(&mut self, answered: Result<FtpResult<Response>, tokio::time::error::Elapsed>, within: Duration) -> Result<Reply> {
        let reply = match answered {
            Err(_) => return Err(silent(within)),
            Ok(Ok(response) | Err(suppaftp::FtpError::UnexpectedResponse(response))) => Reply::from(response),
            Ok(Err(error)) => return Err(answer::fault(error)),
        };
        self.in_step = !reply.is_farewell() && !reply.is_starting();
        Ok(reply)
    }

    /// Bytes of `name` there. 550 is the answer for a file that is not there (RFC 3659, 4).
    pub async fn size(&mut self, name: &str) -> Result<Size> {
        let reply = self.ask(&format!("SIZE {name}")).await?;
        match reply.code {
            213 => {
                let told = reply.text.split_whitespace().nth(1).and_then(digits);
                told.map(Size::Bytes).ok_or_else(|| {
                    Error::new(Kind::Protocol, "the server's answer to SIZE makes no sense").status(213).cause(reply.words())
                })
            }
            550 => Ok(Size::Absent),
            400..=499 => Err(reply.refusal("the question for the size")),
            _ => Ok(Size::Untold),
        }
    }

    /// Removes `name`; false: the server does not want to.
    pub async fn delete(&mut self, name: &str) -> Result<bool> {
        Ok(self.ask(&format!("DELE {name}")).await?.is_done())
    }

    /// The port of the next data connection. EPSV first; a server that answers it with 5xx is asked by PASV from then on.
    pub async fn data_port(&mut self) -> Result<u16> {
        if self.extended {
            let reply = self.ask("EPSV").await?;
            match reply.code {
                200..=299 => return extended_port(&reply.text).ok_or_else(|| no_port(&reply)),
                500..=599 => self.extended = false,
                _ => return Err(reply.refusal("the data connection")),
            }
        }
        let reply = self.ask("PASV").await?;
        if !reply.is_done() {
            return Err(reply.refusal("the data connection"));
        }
        passive_port(&reply.text).ok_or_else(|| no_port(&reply))
    }

    /// Connects to that port of the control connection's own host: the address in a PASV reply is often a private one.
    pub async fn dial(&self, port: u16) -> Result<TcpStream> {
        let failed = || {
            Error::new(Kind::Unreachable, format!("the data connection to port {port} can't be made"))
                .hint("look for a firewall that lets only the FTP port through")
        };
        match timeout(self.timeout, TcpStream::connect((self.peer, port))).await {
            Err(_) => Err(failed().cause(silent(self.timeout))),
            Ok(Err(e)) => Err(failed().cause(e)),
            Ok(Ok(socket)) => {
                keep_alive(&socket);
                Ok(socket)
            }
        }
    }

    /// The TLS handshake of a data connection: after the command, as some servers lock up when it comes before.
    pub async fn protect(&mut self, socket: TcpStream) -> Result<Data> {
        let Some(tls) = &self.tls else { return Ok(Data::Tcp(socket)) };
        match timeout(self.timeout, tls.secure(socket)).await {
            Err(_) => Err(silent(self.timeout)),
            Ok(Ok(stream)) => Ok(Data::Ssl(Box::new(stream))),
            Ok(Err(e)) => Err(self.verdict(e).await),
        }
    }

    /// The data connection broke: the reply tells why (425, 522, 552), and only if there is none is it the line.
    /// Servers differ in how many replies follow, so this connection is not used again.
    pub async fn verdict(&mut self, broken: std::io::Error) -> Error {
        let reply = self.reply(self.timeout).await;
        self.in_step = false;
        match reply {
            Ok(reply) if !reply.is_done() => reply.refusal("the upload"),
            _ => answer::lost(broken),
        }
    }
}

/// An error for a server that says nothing.
pub fn silent(waited: Duration) -> Error {
    Error::new(Kind::Interrupted, format!("no answer from the server within {}", humantime::format_duration(waited)))
}

/// Best effort: a connection without it works as well.
fn keep_alive(socket: &TcpStream) {
    let times = socket2::TcpKeepalive::new().with_time(SIGN_OF_LIFE);
    if let Err(e) = socket2::SockRef::from(socket).set_tcp_keepalive(&times) {
        tracing::debug!("TCP keepalive can't be set: {e}");
    }
}

fn no_port(reply: &Reply) -> Error {
    Error::new(Kind::Protocol, "the server names no port for the data connection").status(reply.code).cause(reply.words())
}

/// `229 Entering Extended Passive Mode (|||6446|)`; the delimiter may be any character (RFC 2428, 3).
fn extended_port(text: &str) -> Option<u16> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let delimiter = inside.chars().next()?;
    inside.split(delimiter).nth(3)?.parse().ok().filter(|port| *port != 0)
}

/// `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)`, with or without brackets (RFC 1123, 4.1.2.6).
fn passive_port(text: &str) -> Option<u16> {
    let mut words = text.split(|c: char| !c.is_ascii_digit() && c != ',');
    words
        .find_map(|word| {
            let numbers: Vec<u8> = word.split(',').map(|n| n.parse().ok()).collect::<Option<_>>()?;
            match numbers[..] {
                [_, _, _, _, high, low] => Some(u16::from_be_bytes([high, low])),
                _ => None,
            }
        })
        .filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_what_servers_write() {
        assert_eq!(extended_port("229 Entering Extended Passive Mode (|||6446|)"), Some(6446));
        assert_eq!(extended_port("229 ok (!!!21!)."), Some(21));
        assert_eq!(extended_port("229 ok (|||70000|)"), None);
        assert_eq!(extended_port("229 ok (|||0|)"), None);
        assert_eq!(extended_port("229 nothing"), None);
        assert_eq!(passive_port("227 Entering Passive Mode (10,0,0,1,195,80)."), Some(195 * 256 + 80));
        assert_eq!(passive_port("227 =10,0,0,1,0,21"), Some(21));
        assert_eq!(passive_port("227 Entering (10,0,0,1,256,80)"), None);
        assert_eq!(passive_port("227 Entering (1,2,3)"), None);
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::model::noise;

    proptest! {
        #![proptest_config(noise::config())]

        #[test]
        fn a_port_is_one(text in prop_oneof![noise::text(), "229 .\\([|!]{0,4}[0-9]{0,6}[|!]?\\)", "227 .?\\(?([0-9]{1,4},){0,7}[0-9]{0,4}\\)?"]) {
            prop_assert_ne!(extended_port(&text), Some(0));
            prop_assert_ne!(passive_port(&text), Some(0));
        }

        #[test]
        fn a_port_that_is_told_is_understood(port in 1..u16::MAX) {
            prop_assert_eq!(extended_port(&format!("229 Entering Extended Passive Mode (|||{port}|)")), Some(port));
            prop_assert_eq!(passive_port(&format!("227 Entering (192,0,2,1,{},{})", port / 256, port % 256)), Some(port));
        }
    }
}
