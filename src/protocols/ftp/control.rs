//! One signed-in control connection: a command, its reply, and the way to a data connection.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use suppaftp::tokio::{AsyncDataStream, ImplAsyncFtpStream};
use suppaftp::types::{FtpResult, Response};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection_limit::Seat;
use super::manners::Manners;
use super::ports::port_of;
use super::reply;
use super::reply::{Reply, silent};
use super::route::Route;
use super::tls::{FtpsStream, TlsClient};
use crate::error::{Error, Kind, Result};
use crate::protocols::lenient_json::digits;
use crate::protocols::socket::watch_over;
use crate::protocols::tls::untrusted;

pub type Ftp = ImplAsyncFtpStream<FtpsStream>;
pub type Data = AsyncDataStream<FtpsStream>;

/// The steps to a data connection have a part of the time-out each, so that EPSV and then PASV are through, and their
/// failure is told, before whoever watches the transfer says that no byte moves.
pub(super) const STEPS: u32 = 4;

pub struct Connection {
    pub(super) ftp: Ftp,
    /// None: everything in clear.
    pub tls: Option<TlsClient>,
    /// Where data connections go, whatever address a server behind NAT tells.
    route: Route,
    pub(super) timeout: Duration,
    /// Has every command been answered? Else the next reply could be another's.
    pub(super) in_step: bool,
    /// An offset was given by REST, and no transfer has used it up since: some servers keep it for the next STOR.
    restarting: bool,
    /// STOR or APPE went out, and the server has not said whether it begins.
    beginning: bool,
    /// How long the answer to a STOR or APPE may take.
    pub begins_within: Duration,
    pub(super) manners: Arc<Manners>,
    /// The way to the next data connection, asked for ahead.
    pub(super) prepared: Prepared,
    /// This connection's place among those that the server lets us have.
    seat: Option<Seat>,
    /// The server takes `REST` before `STOR` (FEAT: REST STREAM).
    pub restarts: bool,
    /// No transfer was made on it before, so it can't have died of waiting.
    pub fresh: bool,
}

/// `EPSV` or `PASV`, sent before the next file needs the answer.
#[derive(Debug, Default)]
pub enum Prepared {
    #[default]
    No,
    /// The answer is not read yet.
    Sent,
    Answered(Reply),
}

/// Where a data connection goes.
pub enum DataAddress {
    Connected(TcpStream),
    /// A port of the server that can be connected to while the command is under way.
    Port(u16),
}

/// Connects to ports of the server, beside whatever the control connection does.
pub struct Dialer {
    route: Route,
    wait: Duration,
}

impl Dialer {
    pub async fn dial(&self, port: u16) -> Result<TcpStream> {
        let socket = self.route.dial(port, self.wait / STEPS).await?;
        watch_over(&socket, self.wait);
        Ok(socket)
    }
}

/// What `SIZE` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Bytes(u64),
    Absent,
    /// The server has no such command or does not want to say.
    Unknown,
}

impl Size {
    /// 550 is the answer for a file that is not there (RFC 3659, 4).
    pub fn told_by(reply: &Reply) -> Result<Size> {
        match reply.code {
            213 => {
                let told = reply.text.split_whitespace().nth(1).and_then(digits);
                told.map(Size::Bytes).ok_or_else(|| {
                    Error::new(Kind::Protocol, "the server's answer to SIZE makes no sense").with_status(213).with_cause(reply.words())
                })
            }
            550 => Ok(Size::Absent),
            400..=499 => Err(reply.refusal("the question for the size")),
            _ => Ok(Size::Unknown),
        }
    }
}

impl Connection {
    /// Takes over after the greeting (and TLS); the sign-in follows.
    pub async fn new(ftp: Ftp, tls: Option<TlsClient>, route: Route, manners: Arc<Manners>, wait: Duration) -> Result<Connection> {
        let socket = ftp.get_ref().await;
        // A control connection says nothing during a transfer.
        watch_over(&socket, wait);
        let route = route.of_data(&socket)?;
        drop(socket);
        Ok(Connection {
            ftp,
            tls,
            route,
            timeout: wait,
            in_step: true,
            restarting: false,
            beginning: false,
            begins_within: wait,
            manners,
            prepared: Prepared::No,
            seat: None,
            restarts: false,
            fresh: true,
        })
    }

    pub fn sit(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// Closes the connection; its place stays ours.
    pub fn leave(self) -> Option<Seat> {
        self.seat
    }

    /// The server was asked to begin a transfer and says nothing: it may wait for a lock on the file (vsftpd), which the
    /// session of a line that died in silence holds for minutes (providers.md 12).
    pub fn is_kept_waiting(&self) -> bool {
        self.beginning
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

    /// The reply that ends a transfer was good.
    pub fn has_ended(&mut self) {
        self.restarting = false;
    }

    /// Sends one command and reads its reply, whatever that is. Fails with `Interrupted` when none comes in time.
    pub async fn ask(&mut self, command: &str) -> Result<Reply> {
        self.ask_within(command, self.timeout).await
    }

    pub(super) async fn ask_within(&mut self, command: &str, within: Duration) -> Result<Reply> {
        self.read_prepared().await?;
        self.in_step = false;
        // With no code to expect, suppaftp hands out every reply as unexpected: then all of them are read here alone.
        let answered = timeout(within, self.ftp.custom_command(command, &[])).await;
        self.take(answered, within)
    }

    /// STOR or APPE. Its answer has a little less time than the transfer is watched for, so that silence is told as such.
    pub async fn begin(&mut self, command: &str) -> Result<Reply> {
        self.beginning = true;
        let within = self.begins_within - self.begins_within / 10;
        let begun = std::time::Instant::now();
        let reply = self.ask_within(command, within).await;
        // A connection that was closed keeps nobody waiting.
        self.beginning = reply.is_err() && begun.elapsed() >= within;
        match reply {
            Err(_) if self.beginning => Err(Error::new(
                Kind::Interrupted,
                format!("no answer to {command} within {}: another session may still hold the file", humantime::format_duration(within)),
            )),
            reply => reply,
        }
    }

    /// As [`Self::begin`], and connects to `port` meanwhile. Returns the socket, or the server's refusal.
    pub async fn begin_and_dial(&mut self, command: &str, port: u16) -> Result<Result<TcpStream, Reply>> {
        let dialer = self.dialer();
        let mut dial = pin!(dialer.dial(port));
        let connected = {
            let mut begin = pin!(self.begin(command));
            tokio::select! {
                reply = &mut begin => {
                    let reply = reply?;
                    if !reply.is_starting() {
                        return Ok(Err(reply));
                    }
                    dial.await.map(Ok)
                }
                socket = &mut dial => match socket {
                    Ok(socket) => begin.await.map(|reply| if reply.is_starting() { Ok(socket) } else { Err(reply) }),
                    Err(error) => Err(error),
                },
            }
        };
        if connected.as_ref().is_err_and(|error| error.kind() == Kind::Unreachable) {
            // The server waits for a connection that can't be made, and not for a lock.
            (self.in_step, self.beginning) = (false, false);
        }
        connected
    }

    /// User and password. suppaftp's own call: it is the one that does not log the password below TRACE.
    pub async fn sign_in(&mut self, user: &str, password: &str) -> Result<Reply> {
        self.in_step = false;
        let answered = timeout(self.timeout, self.ftp.login(user, password)).await;
        let signed_in = || Response::new(suppaftp::Status::LoggedIn, b"230".to_vec());
        self.take(answered.map(|result| result.map(|()| signed_in())), self.timeout)
    }

    /// The next reply, without a command: the end of a transfer. What only says that work goes on (1xx) is passed over.
    pub async fn reply(&mut self, within: Duration) -> Result<Reply> {
        match timeout(within, self.next_reply()).await {
            Err(_) => Err(silent(within)),
            Ok(reply) => reply,
        }
    }

    /// As [`Self::reply`], however long it takes. May be dropped and called again: no byte of a reply gets lost.
    pub async fn next_reply(&mut self) -> Result<Reply> {
        loop {
            self.in_step = false;
            let answered = self.ftp.read_response_in(&[]).await;
            let reply = self.take(Ok(answered), self.timeout)?;
            if !reply.is_starting() {
                return Ok(reply);
            }
        }
    }

    /// The reply that came while bytes were still on their way: the transfer is over, and this connection with it, as
    /// servers differ in how many replies follow.
    pub fn cut_short(&mut self, reply: Result<Reply>) -> Error {
        self.in_step = false;
        match reply {
            Ok(reply) if reply.is_done() => Error::new(Kind::Interrupted, "the server ended the upload early").with_cause(reply.words()),
            Ok(reply) => reply.refusal("the upload"),
            Err(error) => error,
        }
    }

    pub(super) fn take(&mut self, answered: Result<FtpResult<Response>, tokio::time::error::Elapsed>, within: Duration) -> Result<Reply> {
        let reply = match answered {
            Err(_) => return Err(silent(within)),
            Ok(Ok(response) | Err(suppaftp::FtpError::UnexpectedResponse(response))) => Reply::from(response),
            Ok(Err(error)) => return Err(reply::from_suppaftp(error)),
        };
        self.in_step = !reply.is_closing() && !reply.is_starting();
        Ok(reply)
    }

    /// Bytes of `name` there.
    pub async fn size(&mut self, name: &str) -> Result<Size> {
        Size::told_by(&self.ask(&format!("SIZE {name}")).await?)
    }

    /// Removes `name`; false: the server does not want to.
    pub async fn delete(&mut self, name: &str) -> Result<bool> {
        Ok(self.ask(&format!("DELE {name}")).await?.is_done())
    }

    /// Where the next data connection goes. Its port alone, where data connections of this server were made before: then the
    /// command need not wait for the connection.
    pub async fn data_address(&mut self) -> Result<DataAddress> {
        if let Some(port) = self.prepared_port().await? {
            return Ok(DataAddress::Port(port));
        }
        if self.manners.connects_side_by_side() {
            let reply = self.ask_within(self.manners.passive_command(), self.timeout / STEPS).await?;
            if let Some(port) = port_told_by(&reply) {
                return Ok(DataAddress::Port(port));
            }
        }
        self.open_data().await.map(DataAddress::Connected)
    }

    /// Connects to the server for the next transfer. EPSV first; whatever goes wrong with that (a refusal of any class, an
    /// answer that nobody can read, a port that nobody can reach), PASV is asked, and from then on PASV alone where it works.
    pub async fn open_data(&mut self) -> Result<TcpStream> {
        let mut refusal = None;
        if self.manners.tries_epsv() {
            match self.passive("EPSV").await {
                Err(error) if self.is_usable() => refusal = Some(error),
                other => return other,
            }
        }
        match self.passive("PASV").await {
            Ok(socket) => {
                self.manners.avoid_epsv();
                Ok(socket)
            }
            // Of a server that knows one of the two, that one's failure counts.
            Err(error) => Err(refusal.filter(|e| e.kind() != Kind::Unsupported).unwrap_or(error)),
        }
    }

    async fn passive(&mut self, command: &str) -> Result<TcpStream> {
        let reply = self.ask_within(command, self.timeout / STEPS).await?;
        if !reply.is_done() {
            return Err(reply.refusal("the data connection"));
        }
        let port = port_of(&reply.text).ok_or_else(|| {
            Error::new(Kind::Protocol, "the server names no port for the data connection").with_status(reply.code).with_cause(reply.words())
        })?;
        let socket = self.dialer().dial(port).await?;
        self.manners.has_connected();
        Ok(socket)
    }

    pub fn dialer(&self) -> Dialer {
        Dialer { route: self.route.clone(), wait: self.timeout }
    }

    /// The TLS handshake of a data connection: after the command, as some servers lock up when it comes before.
    pub async fn protect(&mut self, socket: TcpStream) -> Result<Data> {
        let Some(tls) = &self.tls else { return Ok(Data::Tcp(socket)) };
        match timeout(self.timeout, tls.secure(socket)).await {
            Err(_) => Err(silent(self.timeout)),
            Ok(Ok(stream)) => Ok(Data::Ssl(Box::new(stream))),
            Ok(Err(e)) => Err(match untrusted(&e) {
                // The server only sees that we go away.
                Some(untrusted) => untrusted.with_cause(e),
                None => self.verdict(e).await,
            }),
        }
    }

    /// The data connection broke: the reply tells why (425, 522, 552), and only if there is none is it the line.
    /// Servers differ in how many replies follow, so this connection is not used again.
    pub async fn verdict(&mut self, broken: std::io::Error) -> Error {
        let reply = self.reply(self.timeout).await;
        self.in_step = false;
        match reply {
            Ok(reply) if !reply.is_done() => reply.refusal("the upload"),
            _ => reply::connection_lost(broken),
        }
    }
}

pub(super) fn port_told_by(reply: &Reply) -> Option<u16> {
    if reply.is_done() { port_of(&reply.text) } else { None }
}
