//! From a server's name to a signed-in control connection (providers.md 6.1, 6.2). Every failure here comes before any byte of
//! a file, so it is `Unreachable` and can be repeated safely.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use suppaftp::FtpError;
use tokio::time::timeout;

use super::behaviour::ServerBehaviour;
use super::control::{Connection, Ftp};
use super::features::Features;
use super::reply;
use super::reply::{Reply, timeout_error};
use super::route::{Route, unreachable};
use super::server::{FtpServer, Security};
use super::starttls::no_protection;
use super::tls::{ClearStart, TlsClient, TlsVersion, in_tls, wants_other_version};
use crate::error::{Error, Kind, Result};
use crate::protocols::tls::untrusted_certificate_error;

/// The time-outs for the steps after TCP: the greeting, AUTH and the handshake have one each.
const HANDSHAKES: u32 = 3;

const MAY_BE_IMPLICIT: &str = "try ftps+implicit:// in the url: a server that waits in silence may want TLS from the first byte";

/// Connects, starts TLS, signs in and prepares the connection for uploads. With `V12` a server without TLS 1.2 gets a second
/// connection with 1.3. Fails with `Auth`, `Unreachable`, `Busy` (too many connections), `Untrusted`, `Unsupported` (no TLS
/// there) or `Protocol` (no FTP server).
pub async fn sign_in(server: &FtpServer, version: TlsVersion, behaviour: &Arc<ServerBehaviour>) -> Result<Connection> {
    connect(server, version, behaviour).await.map_err(|error| {
        let error = error.with_subject(server.host.as_str());
        if error.kind() == Kind::Interrupted { error.with_kind(Kind::Unreachable) } else { error }
    })
}

async fn connect(server: &FtpServer, version: TlsVersion, behaviour: &Arc<ServerBehaviour>) -> Result<Connection> {
    let route = Route::to(host(server), server.port)?;
    let (ftp, tls) = if server.security == Security::Plain {
        (connect_plain(server, &route).await?, None)
    } else {
        match connect_tls(server, &route, version).await {
            Ok((ftp, tls)) => (ftp, Some(tls)),
            Err(Unprotected::Version(_)) if version == TlsVersion::V12 => {
                tracing::debug!("{} has no TLS 1.2", server.host);
                return Box::pin(connect(server, TlsVersion::V13, behaviour)).await;
            }
            Err(Unprotected::Version(error) | Unprotected::Other(error)) => return Err(error),
        }
    };
    set_up(server, behaviour, Connection::new(ftp, tls, route, behaviour.clone(), server.timeout).await?).await
}

/// Connects and starts TLS, without a sign-in. Returns a short description of the server.
pub async fn greet(server: &FtpServer) -> Result<String> {
    let route = Route::to(host(server), server.port)?;
    let answered = match server.security {
        Security::Plain => connect_plain(server, &route).await.map(|_| "an FTP server, without TLS".to_owned()),
        Security::Explicit | Security::Implicit => match connect_tls(server, &route, TlsVersion::V12).await {
            Ok(_) => Ok("an FTP server with TLS".to_owned()),
            Err(Unprotected::Version(_)) => match connect_tls(server, &route, TlsVersion::V13).await {
                Ok(_) => Ok("an FTP server with TLS 1.3".to_owned()),
                Err(Unprotected::Version(error) | Unprotected::Other(error)) => Err(error),
            },
            Err(Unprotected::Other(error)) => Err(error),
        },
    };
    answered.map_err(|error| error.with_subject(server.host.as_str()))
}

/// Connects and reads the 220, without TLS.
async fn connect_plain(server: &FtpServer, route: &Route) -> Result<Ftp> {
    let socket = route.connect(server.port, server.timeout).await?;
    match timeout(server.timeout, Ftp::connect_with_stream(socket)).await {
        Ok(greeting) => greeting.map_err(not_welcome),
        Err(_) if server.user_chooses => Err(timeout_error(server.timeout).with_hint(MAY_BE_IMPLICIT)),
        Err(_) => Err(timeout_error(server.timeout)),
    }
}

/// Why there is no TLS connection.
enum Unprotected {
    /// The server does not support our TLS version.
    Version(Error),
    Other(Error),
}

impl From<Error> for Unprotected {
    fn from(error: Error) -> Self {
        Unprotected::Other(error)
    }
}

async fn connect_tls(server: &FtpServer, route: &Route, version: TlsVersion) -> Result<(Ftp, TlsClient), Unprotected> {
    let host = host(server);
    let tls = TlsClient::new(host, server.ca_file.as_deref(), version)?;
    // suppaftp connects by itself: to the server, or to the proxy, which then forwards. Our side of the connector gets the
    // socket before TLS, and does the steps without TLS there.
    let proxy = route.proxy.as_ref();
    let silence_hint = server.user_chooses.then_some(MAY_BE_IMPLICIT);
    let begins_in_clear = (server.security != Security::Implicit).then_some(ClearStart { wait: server.timeout, silence_hint });
    let (client, connected) = tls.prepare_handshake(proxy.map(|proxy| (proxy.clone(), server.port)), begins_in_clear);
    let address = proxy.map_or((host, server.port), |proxy| proxy.address());
    let mut attempt = pin!(Ftp::connect_secure_implicit(address, client, host));
    let outcome = tokio::select! {
        outcome = &mut attempt => outcome,
        reached = timeout(server.timeout, connected.notified()) => match reached {
            Err(_) => return Err(Unprotected::Other(unreachable(io::ErrorKind::TimedOut.into()))),
            Ok(()) => match timeout(server.timeout * HANDSHAKES, attempt).await {
                Err(_) => return Err(Unprotected::Other(timeout_error(server.timeout))),
                Ok(outcome) => outcome,
            },
        },
    };
    let error = match outcome {
        Ok(ftp) => return Ok((ftp, tls)),
        Err(error) => error,
    };
    Err(match (tls.failure(), error) {
        (Some(failure), _) if wants_other_version(&failure) => Unprotected::Version(no_handshake(server, failure)),
        (Some(failure), _) => Unprotected::Other(no_handshake(server, failure)),
        (None, FtpError::ConnectionError(failure)) if begins_in_clear.is_some() => Unprotected::Other(match proxy {
            Some(proxy) => proxy.failure("it can't be reached", failure),
            None => unreachable(failure),
        }),
        (None, error) => Unprotected::Other(not_welcome(error)),
    })
}

/// Signs in, selects binary transfers, and reads the server's features.
async fn set_up(server: &FtpServer, behaviour: &ServerBehaviour, mut connection: Connection) -> Result<Connection> {
    for command in ["PBSZ 0", "PROT P"].into_iter().filter(|_| server.security != Security::Plain) {
        let reply = connection.ask(command).await?;
        // With TLS from the first byte vsftpd requires both commands and other servers know neither, so the answers are
        // ignored. After AUTH a refusal of either would mean that files are sent without encryption.
        if server.security == Security::Explicit && !reply.is_done() {
            return Err(no_protection(reply));
        }
    }
    let reply = connection.sign_in(&server.user, server.password.expose()).await?;
    if !reply.is_done() {
        return Err(reply.refusal("the sign-in"));
    }
    // ProFTPD starts in ASCII mode, which changes bytes.
    let reply = connection.ask("TYPE I").await?;
    if !reply.is_done() {
        return Err(reply.refusal("binary transfers"));
    }
    // Asked after the sign-in, because some servers answer only then.
    let features = connection.ask("FEAT").await?;
    let features = Features::from_reply(&features);
    connection.restarts = features.has("REST STREAM");
    if features.has("UTF8") {
        connection.ask("OPTS UTF8 ON").await?;
    }
    behaviour.record_features(features);
    let by = connection.tls.as_ref().map_or("without TLS", |tls| tls.version.name());
    tracing::debug!(target: "haul::ftp", "signed in at {}:{} as {}, {by}", server.host, server.port, server.user);
    Ok(connection)
}

/// The host, without the brackets that an IPv6 address has in a URL.
fn host(server: &FtpServer) -> &str {
    server.host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(&server.host)
}

fn not_welcome(error: FtpError) -> Error {
    match error {
        FtpError::UnexpectedResponse(response) => Reply::from(response).refusal("the connection"),
        FtpError::BadResponse => reply::from_suppaftp(error).with_hint("check host and port: no FTP server answers there"),
        other => reply::from_suppaftp(other),
    }
}

fn no_handshake(server: &FtpServer, failure: io::Error) -> Error {
    if let Some(untrusted) = untrusted_certificate_error(&failure) {
        return untrusted.with_cause(failure);
    }
    match in_tls(&failure) {
        None => unreachable(failure),
        Some(rustls::Error::InvalidMessage(_)) if server.security == Security::Implicit => {
            let error = Error::new(Kind::Unsupported, "the server does not speak TLS from the first byte").with_cause(failure);
            if server.user_chooses { error.with_hint("try ftps:// in the url") } else { error }
        }
        // Plain text came where TLS should begin. For libunftp that is a race under load (one connection in a hundred), and the
        // next try succeeds.
        Some(rustls::Error::InvalidMessage(_)) => {
            Error::new(Kind::Unreachable, "the server broke off the TLS handshake").with_cause(failure).of_reached_server()
        }
        Some(_) => Error::new(Kind::Unsupported, "no TLS connection with the server is possible").with_cause(failure),
    }
}
