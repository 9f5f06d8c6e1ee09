//! The steps from a command to its data connection: connect, begin TLS, and hear the server's reply to the command. Where data
//! connections to the server have worked before, these steps are done at the same time, as each takes a round trip.
//!
//! The handshake begins when the command was sent, never before: some servers lock up otherwise. A server that refuses the command
//! leaves the handshake without an answer; its reply is what counts. Behind a question that was sent before the command, the
//! handshake also waits for the answer to the question: where the reply to the command comes first, this connection is given up, and
//! a server that had secured it would still write an empty file when the file comes by the next connection.

use std::future::ready;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::control::{Connection, Data};
use super::ports::port_of;
use super::reply::{Reply, timeout_error};
use super::route::Route;
use super::tls::{FtpsStream, TlsClient};
use crate::contract::BoxFuture;
use crate::error::{Error, Kind, Result};
use crate::protocols::socket::{send_at_once, watch_over};
use crate::protocols::tls::untrusted_certificate_error;

/// The steps to a data connection get a part of the time-out each: so EPSV and then PASV have failed, and their failure is
/// reported, before the transfer counts as stalled.
pub(super) const STEPS: u32 = 4;

/// The outcome of a handshake, or that it took longer than the time-out.
type Secured = Result<io::Result<FtpsStream>, Elapsed>;

/// The target of a data connection.
pub enum DataAddress {
    Connected(TcpStream),
    /// A port of the server; the connection is made while the command is in progress.
    Port(u16),
}

/// A data connection whose command the server has accepted.
pub enum DataSocket {
    Connected(TcpStream),
    /// The handshake has begun.
    Securing(BoxFuture<'static, Secured>),
}

/// Connects to ports of the server, in parallel with the control connection.
pub struct Dialer {
    route: Route,
    /// The time-out of the control connection.
    wait: Duration,
}

impl Dialer {
    pub async fn dial(&self, port: u16) -> Result<TcpStream> {
        let socket = self.route.dial(port, self.wait / STEPS).await?;
        watch_over(&socket, self.wait);
        send_at_once(&socket);
        Ok(socket)
    }
}

impl Connection {
    /// The target of the next data connection. If data connections to this server worked before, only the port is returned:
    /// then the command is sent without waiting for the connection.
    pub async fn data_address(&mut self) -> Result<DataAddress> {
        if let Some(port) = self.prepared.take().as_ref().and_then(port_told_by) {
            return Ok(DataAddress::Port(port));
        }
        if self.behaviour.connects_side_by_side() {
            let reply = self.ask_within(self.behaviour.passive_command(), self.timeout / STEPS).await?;
            if let Some(port) = port_told_by(&reply) {
                return Ok(DataAddress::Port(port));
            }
        }
        self.open_data().await.map(DataAddress::Connected)
    }

    /// Connects to the server for the next transfer. EPSV is tried first. After any failure of it (a refusal of any class, an
    /// unreadable answer, an unreachable port) PASV is tried, and if that works only PASV is used from then on.
    pub async fn open_data(&mut self) -> Result<TcpStream> {
        let mut refusal = None;
        if self.behaviour.tries_epsv() {
            match self.passive("EPSV").await {
                Err(error) if self.is_usable() => refusal = Some(error),
                other => return other,
            }
        }
        match self.passive("PASV").await {
            Ok(socket) => {
                self.behaviour.avoid_epsv();
                Ok(socket)
            }
            // If the server knows only one of the two commands, the failure of that command is returned.
            Err(error) => Err(refusal.filter(|e| e.kind() != Kind::Unsupported).unwrap_or(error)),
        }
    }

    async fn passive(&mut self, command: &str) -> Result<TcpStream> {
        let reply = self.ask_within(command, self.timeout / STEPS).await?;
        if !reply.is_done() {
            return Err(reply.refusal("the data connection"));
        }
        let port = port_of(&reply.text).ok_or_else(|| {
            Error::new(Kind::Protocol, "the server names no port for the data connection")
                .with_status(reply.code)
                .with_cause(reply.to_anyhow())
        })?;
        let socket = self.dialer().dial(port).await?;
        self.behaviour.record_connected();
        Ok(socket)
    }

    pub fn dialer(&self) -> Dialer {
        Dialer { route: self.route.clone(), wait: self.timeout }
    }

    /// As [`Self::begin`]; connects to `port` at the same time, and begins TLS there. Returns the data connection, or the server's
    /// refusal.
    pub async fn begin_and_dial(&mut self, command: &str, port: u16) -> Result<Result<DataSocket, Reply>> {
        let (dialer, tls, within) = (self.dialer(), self.tls.clone(), self.timeout);
        // A signal of an earlier command is of no use.
        self.look_answered = Arc::default();
        let look_answered = self.look.is_some().then(|| self.look_answered.clone());
        let mut dial = pin!(dialer.dial(port));
        let is_reading = self.is_reading;
        let opened = {
            let mut begin = pin!(self.begin(command));
            tokio::select! {
                reply = &mut begin => {
                    let reply = reply?;
                    if !(reply.is_starting() || is_reading && reply.is_done()) {
                        return Ok(Err(reply));
                    }
                    dial.await.map(|socket| (reply, DataSocket::Connected(socket)))
                }
                socket = &mut dial => match (socket, tls) {
                    (Ok(socket), Some(tls)) => begin_beside(begin, secure(look_answered, tls, socket, within)).await,
                    (Ok(socket), None) => begin.await.map(|reply| (reply, DataSocket::Connected(socket))),
                    (Err(error), _) => Err(error),
                },
            }
        };
        if opened.as_ref().is_err_and(|error| error.kind() == Kind::Unreachable) {
            // The server waits for a data connection that can't be made, and not for a lock.
            (self.in_step, self.beginning) = (false, false);
        }
        opened.map(|(reply, socket)| if self.has_begun(&reply) { Ok(socket) } else { Err(reply) })
    }

    /// Ends the TLS handshake of a data connection. Replies are read at the same time: a server that refuses the connection (522,
    /// 425) may leave the socket open.
    pub async fn protect(&mut self, socket: DataSocket) -> Result<Data> {
        let within = self.timeout;
        let mut handshake = match (socket, self.tls.clone()) {
            (DataSocket::Securing(handshake), _) => handshake,
            (DataSocket::Connected(socket), Some(tls)) => secure(None, tls, socket, within),
            (DataSocket::Connected(socket), None) => return Ok(Data::Tcp(socket)),
        };
        let secured = loop {
            let reply = tokio::select! {
                biased;
                secured = &mut handshake => break secured,
                reply = self.next_reply(), if !self.is_ended_early => reply,
            };
            match reply {
                // The final reply of a short download can arrive before the last bytes of the handshake.
                Ok(reply) if self.is_reading && reply.is_done() => self.is_ended_early = true,
                reply => return Err(self.cut_short_error(reply)),
            }
        };
        match secured {
            Err(_) => Err(timeout_error(within)),
            Ok(Ok(stream)) => Ok(Data::Ssl(Box::new(stream))),
            Ok(Err(e)) => Err(match untrusted_certificate_error(&e) {
                // The server sees only a closed connection.
                Some(untrusted) => untrusted.with_cause(e),
                None => self.verdict(e).await,
            }),
        }
    }
}

pub(super) fn port_told_by(reply: &Reply) -> Option<u16> {
    if reply.is_done() { port_of(&reply.text) } else { None }
}

/// The handshake, after `signal` where there is one. The time-out does not count the wait for the signal: the reply to the command
/// has a limit of its own.
fn secure(signal: Option<Arc<Notify>>, tls: TlsClient, socket: TcpStream, within: Duration) -> BoxFuture<'static, Secured> {
    Box::pin(async move {
        if let Some(signal) = signal {
            signal.notified().await;
        }
        timeout(within, tls.secure(socket)).await
    })
}

/// Waits for the reply to the command while the handshake goes on.
async fn begin_beside(
    begin: impl Future<Output = Result<Reply>>,
    mut handshake: BoxFuture<'static, Secured>,
) -> Result<(Reply, DataSocket)> {
    let mut begin = pin!(begin);
    tokio::select! {
        reply = &mut begin => reply.map(|reply| (reply, DataSocket::Securing(handshake))),
        secured = &mut handshake => begin.await.map(|reply| (reply, DataSocket::Securing(ready(secured).boxed()))),
    }
}
