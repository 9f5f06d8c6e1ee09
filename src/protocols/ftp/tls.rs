//! TLS as FTP servers need it: one session store for a control connection and its data connections, a count of the TLS tickets,
//! and a stream that flushes its writes before it reads.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, NamedGroup};
use suppaftp::tokio::{AsyncTlsConnector, TokioTlsStream};
use suppaftp::{FtpError, FtpResult};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::starttls::change_over;
use crate::contract::BoxFuture;
use crate::error::{Error, Kind, Result};
use crate::protocols::proxy::Proxy;
use crate::protocols::tls;

/// TLS 1.2 is tried first: its session can be resumed any number of times, but a ticket of 1.3 only once, and ProFTPD issues
/// two of them for a whole control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    V12,
    V13,
}

impl TlsVersion {
    pub fn name(self) -> &'static str {
        match self {
            TlsVersion::V12 => "TLS 1.2",
            TlsVersion::V13 => "TLS 1.3",
        }
    }
}

/// TLS begins after a greeting and AUTH in clear.
#[derive(Clone, Copy)]
pub struct ClearStart {
    /// For each answer.
    pub wait: Duration,
    /// What to try where the server does not greet.
    pub silence_hint: Option<&'static str>,
}

/// Makes the TLS connections of one control connection.
#[derive(Clone)]
pub struct TlsClient {
    connector: TlsConnector,
    /// The same name for all connections, because rustls resumes sessions by name.
    name: ServerName<'static>,
    sessions: Arc<Sessions>,
    /// The last failure as its own type; suppaftp keeps only its text.
    failure: Arc<Mutex<Option<io::Error>>>,
    /// Sockets are connected to this proxy, which forwards to this port of the server.
    leader: Option<(Proxy, u16)>,
    /// TLS begins after AUTH; each answer before that may take this time.
    clear: Option<ClearStart>,
    /// Signals that a socket is connected.
    connected: Arc<Notify>,
    host: String,
    pub version: TlsVersion,
}

impl TlsClient {
    pub fn new(host: &str, ca_file: Option<&Path>, version: TlsVersion) -> Result<TlsClient> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|e| Error::new(Kind::Usage, "the server's name can't stand in a certificate").with_subject(host).with_cause(e))?;
        let versions = match version {
            TlsVersion::V12 => &[&rustls::version::TLS12],
            TlsVersion::V13 => &[&rustls::version::TLS13],
        };
        let mut config = tls::client_config(ca_file, versions)?;
        let sessions = Arc::new(Sessions::default());
        config.resumption = Resumption::store(sessions.clone());
        let (connector, host) = (Arc::new(config).into(), host.to_owned());
        let (failure, connected) = Default::default();
        Ok(TlsClient { connector, name, sessions, failure, leader: None, clear: None, connected, host, version })
    }

    pub async fn secure(&self, socket: TcpStream) -> io::Result<FtpsStream> {
        self.secure_after(Bytes::new(), socket).await
    }

    /// `before` is read first, as if it had come through TLS.
    async fn secure_after(&self, before: Bytes, socket: TcpStream) -> io::Result<FtpsStream> {
        let tls = self.connector.connect(self.name.clone(), socket).await?;
        Ok(FtpsStream { tls, unflushed: false, before })
    }

    /// For the socket that suppaftp connects itself; the returned `Notify` signals when it is connected. `clear`: TLS begins
    /// after AUTH.
    pub fn prepare_handshake(&self, leader: Option<(Proxy, u16)>, clear: Option<ClearStart>) -> (TlsClient, Arc<Notify>) {
        (TlsClient { leader, clear, ..self.clone() }, self.connected.clone())
    }

    /// Starts TLS on a connected socket.
    async fn begin(&self, socket: TcpStream) -> io::Result<FtpsStream> {
        self.connected.notify_one();
        let mut socket = match &self.leader {
            Some((proxy, port)) => proxy.lead(socket, &self.host, *port).await.map_err(io::Error::other)?,
            None => socket,
        };
        let greeting = match self.clear {
            Some(clear) => change_over(&mut socket, clear.wait, clear.silence_hint).await.map_err(io::Error::other)?,
            None => Bytes::new(),
        };
        self.secure_after(greeting, socket).await
    }

    /// The failure of suppaftp's handshake, if there was one.
    pub fn failure(&self) -> Option<io::Error> {
        self.failure.lock().take()
    }

    /// True if the server has issued tickets and the last one is used: the next data connection could not resume.
    pub fn is_spent(&self) -> bool {
        let held = self.sessions.0.lock();
        held.any_ticket && held.tickets.is_empty()
    }
}

/// True if the server refuses our TLS version. OpenSSL answers `protocol_version`, or `handshake_failure` when no cipher
/// remains.
pub fn wants_other_version(failure: &io::Error) -> bool {
    use AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
    matches!(
        in_tls(failure),
        Some(rustls::Error::AlertReceived(ProtocolVersion | HandshakeFailure | InsufficientSecurity))
            | Some(rustls::Error::PeerIncompatible(_))
    )
}

/// The error of TLS itself; none for a transport error.
pub fn in_tls(failure: &io::Error) -> Option<&rustls::Error> {
    failure.get_ref()?.downcast_ref()
}

impl std::fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsClient").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}

/// The signature that `#[async_trait]` gives this method.
impl AsyncTlsConnector for TlsClient {
    type Stream = FtpsStream;

    fn connect<'a, 'b, 'c>(&'a self, _domain: &'b str, socket: TcpStream) -> BoxFuture<'c, FtpResult<FtpsStream>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            self.begin(socket).await.map_err(|e| {
                let text = e.to_string();
                *self.failure.lock() = Some(e);
                FtpError::SecureError(text)
            })
        })
    }
}

/// The sessions of one server name. rustls's own store does the same but does not report the number of remaining tickets.
#[derive(Debug, Default)]
struct Sessions(Mutex<SessionCache>);

#[derive(Debug, Default)]
struct SessionCache {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tickets: Vec<Tls13ClientSessionValue>,
    any_ticket: bool,
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.lock().group = Some(group);
    }
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.lock().group
    }
    fn set_tls12_session(&self, _: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.0.lock().tls12 = Some(session);
    }
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.lock().tls12.clone()
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.lock().tls12 = None;
    }
    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        let mut held = self.0.lock();
        held.any_ticket = true;
        held.tickets.push(ticket);
        // A server may send any number of tickets.
        if held.tickets.len() > MAX_TICKETS {
            held.tickets.remove(0);
        }
    }
    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.lock().tickets.pop()
    }
}

const MAX_TICKETS: usize = 8;

/// A TLS stream that flushes before it reads. suppaftp writes a command and reads the answer without a flush. If tokio's budget
/// is used up at that moment, tokio-rustls still holds the command, and both sides would wait for ever.
#[derive(Debug)]
pub struct FtpsStream {
    tls: TlsStream<TcpStream>,
    unflushed: bool,
    /// The greeting that came before TLS: suppaftp reads it first.
    before: Bytes,
}

impl AsyncRead for FtpsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            let room = self.before.len().min(buf.remaining());
            buf.put_slice(&self.before.split_to(room));
            return Poll::Ready(Ok(()));
        }
        if self.unflushed {
            match Pin::new(&mut self.tls).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                // The read continues: the server may wait for it before it accepts more.
                Poll::Pending => {}
            }
        }
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

impl AsyncWrite for FtpsStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.unflushed = true;
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.unflushed = false;
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}

impl TokioTlsStream for FtpsStream {
    type InnerStream = TlsStream<TcpStream>;

    fn tcp_stream(self) -> FtpResult<TcpStream> {
        Ok(self.tls.into_inner().0)
    }

    fn get_ref(&self) -> &TcpStream {
        self.tls.get_ref().0
    }

    fn mut_ref(&mut self) -> &mut TlsStream<TcpStream> {
        &mut self.tls
    }
}
