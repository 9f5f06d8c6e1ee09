//! One signed-in control connection: a command, its reply, and the steps to a data connection.

use std::sync::Arc;
use std::time::Duration;

use suppaftp::tokio::{AsyncDataStream, ImplAsyncFtpStream};
use suppaftp::types::{FtpResult, Response};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::behaviour::ServerBehaviour;
use super::connection_limit::Seat;
use super::reply;
use super::reply::{Reply, timeout_error};
use super::route::Route;
use super::size::Size;
use super::tls::{FtpsStream, TlsClient};
use crate::error::{Error, Kind, Result};
use crate::model::escape::shorten;

/// Of a reply, in the log.
const WORDS_LOGGED: usize = 100;
use crate::protocols::socket::{send_at_once, watch_over};

pub type Ftp = ImplAsyncFtpStream<FtpsStream>;
pub type Data = AsyncDataStream<FtpsStream>;

pub struct Connection {
    pub(super) ftp: Ftp,
    /// None: no TLS.
    pub tls: Option<TlsClient>,
    /// The host of data connections, whatever address a server behind NAT reports.
    pub(super) route: Route,
    pub(super) timeout: Duration,
    /// True if every command has been answered. Otherwise the next reply might belong to another command.
    pub(super) in_step: bool,
    /// REST has set an offset that no transfer has used since: some servers keep it for the next STOR.
    restarting: bool,
    /// STOR or APPE was sent, and the server has not answered yet.
    pub(super) beginning: bool,
    /// How long the answer to a STOR or APPE may take.
    pub begins_within: Duration,
    pub(super) behaviour: Arc<ServerBehaviour>,
    /// The answer to EPSV or PASV for the next data connection, requested in advance.
    pub(super) prepared: Option<Reply>,
    /// A question that is sent before the next STOR, in the same round trip.
    pub(super) look: Option<String>,
    /// The answer to `look`.
    pub(super) looked: Option<Reply>,
    /// Told when the server has answered `look`.
    pub(super) look_answered: Arc<Notify>,
    /// The next transfer brings bytes from the server.
    pub(super) is_reading: bool,
    /// The server has answered the start of a download with the reply that ends it.
    pub(super) is_ended_early: bool,
    /// The permit of this connection.
    seat: Option<Seat>,
    /// The server takes `REST` before `STOR` (FEAT: REST STREAM).
    pub restarts: bool,
    /// No transfer has used the connection yet, so it can't have been closed for idleness.
    pub fresh: bool,
}

impl Connection {
    /// Takes over the connection after the greeting (and TLS), before the sign-in.
    pub async fn new(
        ftp: Ftp,
        tls: Option<TlsClient>,
        route: Route,
        behaviour: Arc<ServerBehaviour>,
        wait: Duration,
    ) -> Result<Connection> {
        let socket = ftp.get_ref().await;
        // The control connection is idle during a transfer.
        watch_over(&socket, wait);
        send_at_once(&socket);
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
            behaviour,
            prepared: None,
            look: None,
            looked: None,
            look_answered: Arc::default(),
            is_reading: false,
            is_ended_early: false,
            seat: None,
            restarts: false,
            fresh: true,
        })
    }

    pub fn sit(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// Closes the connection and returns its permit.
    pub fn leave(self) -> Option<Seat> {
        self.seat
    }

    /// True if the server has not answered the start of a transfer. It may be waiting for a lock on the file (vsftpd), which
    /// the session of a lost connection holds for minutes (providers.md 12).
    pub fn is_kept_waiting(&self) -> bool {
        self.beginning
    }

    pub fn is_usable(&self) -> bool {
        self.in_step && !self.restarting
    }

    /// Sets where the next STOR begins. A refusal is returned like any other reply.
    pub async fn restart_at(&mut self, offset: u64) -> Result<Reply> {
        let reply = self.ask(&format!("REST {offset}")).await?;
        self.restarting = reply.wants_more();
        Ok(reply)
    }

    /// Reads the reply that ends a transfer; see [`Self::reply`].
    pub async fn end_of_transfer(&mut self, within: Duration) -> Result<Reply> {
        let reply = self.reply(within).await?;
        self.restarting &= !reply.is_done();
        Ok(reply)
    }

    /// Notes that the transfer ended successfully.
    pub fn mark_ended(&mut self) {
        self.restarting = false;
    }

    /// Sends one command and returns its reply, whatever its code. Fails with `Interrupted` when no reply comes in time.
    pub async fn ask(&mut self, command: &str) -> Result<Reply> {
        self.ask_within(command, self.timeout).await
    }

    pub(super) async fn ask_within(&mut self, command: &str, within: Duration) -> Result<Reply> {
        self.in_step = false;
        tracing::debug!(target: "haul::ftp", "{command}");
        // Without an expected code, suppaftp returns every reply as unexpected: so all replies are handled here.
        let answered = timeout(within, self.ftp.custom_command(command, &[])).await;
        self.take(answered, within)
    }

    /// Sends STOR or APPE. The wait for the answer is a little shorter than the time after which the transfer counts as
    /// stalled, so that the silence is reported as its own error.
    pub async fn begin(&mut self, command: &str) -> Result<Reply> {
        self.beginning = true;
        let within = self.begins_within - self.begins_within / 10;
        let begun = std::time::Instant::now();
        let reply = match self.look.take() {
            Some(look) => self.ask_behind(&look, command, within).await,
            None => self.ask_within(command, within).await,
        };
        // If the connection was closed, the server is not waiting for a lock.
        self.beginning = reply.is_err() && begun.elapsed() >= within;
        match reply {
            Err(_) if self.beginning => Err(Error::new(
                Kind::Interrupted,
                format!("no answer to {command} within {}: another session may still hold the file", humantime::format_duration(within)),
            )),
            reply => reply,
        }
    }

    /// True if the data connection can be used. Some servers leave out the 150 of a download: their first reply is the last.
    pub(super) fn has_begun(&mut self, reply: &Reply) -> bool {
        self.is_ended_early = self.is_reading && reply.is_done();
        reply.is_starting() || self.is_ended_early
    }

    /// Sends user and password. This is suppaftp's own call, because only it does not log the password above TRACE.
    pub async fn sign_in(&mut self, user: &str, password: &str) -> Result<Reply> {
        self.in_step = false;
        let answered = timeout(self.timeout, self.ftp.login(user, password)).await;
        let signed_in = || Response::new(suppaftp::Status::LoggedIn, b"230".to_vec());
        self.take(answered.map(|result| result.map(|()| signed_in())), self.timeout)
    }

    /// Reads the next reply, without a command: the end of a transfer. Intermediate replies (1xx) are skipped.
    pub async fn reply(&mut self, within: Duration) -> Result<Reply> {
        match timeout(within, self.next_reply()).await {
            Err(_) => Err(timeout_error(within)),
            Ok(reply) => reply,
        }
    }

    /// As [`Self::reply`], without a time limit. May be dropped and called again: no byte of a reply is lost.
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

    /// The error for a reply that came while bytes were still being sent. The transfer has ended, and this connection is not
    /// used again, as servers differ in how many replies follow.
    pub fn cut_short_error(&mut self, reply: Result<Reply>) -> Error {
        self.in_step = false;
        match reply {
            Ok(reply) if reply.is_done() => {
                Error::new(Kind::Interrupted, "the server ended the upload early").with_cause(reply.to_anyhow())
            }
            Ok(reply) => reply.refusal("the upload"),
            Err(error) => error,
        }
    }

    pub(super) fn take(&mut self, answered: Result<FtpResult<Response>, tokio::time::error::Elapsed>, within: Duration) -> Result<Reply> {
        let reply = match answered {
            Err(_) => return Err(timeout_error(within)),
            Ok(Ok(response) | Err(suppaftp::FtpError::UnexpectedResponse(response))) => Reply::from(response),
            Ok(Err(error)) => return Err(reply::from_suppaftp(error)),
        };
        tracing::debug!(target: "haul::ftp", "-> {}", shorten(&reply.text, WORDS_LOGGED));
        self.in_step = !reply.is_closing() && !reply.is_starting();
        Ok(reply)
    }

    /// The size of `name` on the server, in bytes.
    pub async fn size(&mut self, name: &str) -> Result<Size> {
        Size::parse_size(&self.ask(&format!("SIZE {name}")).await?)
    }

    /// Removes `name`. Returns false if the server refuses.
    pub async fn delete(&mut self, name: &str) -> Result<bool> {
        Ok(self.ask(&format!("DELE {name}")).await?.is_done())
    }

    /// The error for a broken data connection: the server's reply has the reason (425, 522, 552); without a reply the
    /// connection was lost. Servers differ in how many replies follow, so this connection is not used again.
    pub async fn verdict(&mut self, broken: std::io::Error) -> Error {
        let reply = self.reply(self.timeout).await;
        self.in_step = false;
        match reply {
            Ok(reply) if !reply.is_done() => reply.refusal("the upload"),
            _ => reply::connection_lost_error(broken),
        }
    }
}
