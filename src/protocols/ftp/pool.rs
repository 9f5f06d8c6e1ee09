//! Signed-in control connections of one server, kept for the next file: 500 small files need as many sign-ins as files are sent
//! at once, not 500.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use super::behaviour::ServerBehaviour;
use super::connect::sign_in;
use super::connection_limit::{Seat, Seats};
use super::control::Connection;
use super::names::number_name;
use super::server::{FtpServer, Security};
use super::tls::TlsVersion;
use crate::error::{Error, Kind, Result};

pub struct FtpPool {
    pub(crate) server: FtpServer,
    kept: Mutex<IdleConnections>,
    seats: Arc<Seats>,
    pub(super) behaviour: Arc<ServerBehaviour>,
}

struct IdleConnections {
    idle: Vec<Connection>,
    /// The TLS version that works with the server.
    version: TlsVersion,
    /// The number of connections that the server allows, after it has refused one more.
    most: Option<usize>,
    /// `most` was found while no connection was signed in; after the first sign-in it is found again.
    is_guess: bool,
    /// Temporary names that can't be written to: another session holds them, or they can't be removed.
    blocked: HashSet<String>,
    /// The sign-in was refused. It is not repeated, because repeated wrong sign-ins lock accounts.
    refusal: Option<Error>,
}

impl FtpPool {
    pub fn new(server: FtpServer) -> Arc<FtpPool> {
        let kept = IdleConnections {
            idle: Vec::new(),
            version: TlsVersion::V12,
            most: None,
            is_guess: false,
            blocked: HashSet::new(),
            refusal: None,
        };
        Arc::new(FtpPool { server, kept: Mutex::new(kept), seats: Arc::default(), behaviour: Arc::default() })
    }

    pub fn server(&self) -> &FtpServer {
        &self.server
    }

    pub(crate) fn is_protected(&self) -> bool {
        self.server.security != Security::Plain
    }

    /// Returns an idle connection, else a new one, else the next one that another file returns. An idle connection may be dead:
    /// its first command shows that.
    pub(crate) async fn take(&self) -> Result<Connection> {
        let mut unreachable_until = None;
        loop {
            let mut changed = std::pin::pin!(self.seats.changed.notified());
            // No change from here on is missed.
            changed.as_mut().enable();
            let seat = {
                let mut kept = self.lock_idle();
                if let Some(connection) = kept.idle.pop() {
                    return Ok(connection);
                }
                let is_free = kept.most.is_none_or(|most| self.seats.used_seats() < most);
                is_free.then(|| self.seats.take())
            };
            let Some(seat) = seat else {
                changed.await;
                continue;
            };
            let version = self.lock_idle().version;
            let error = match self.connect_with(version, seat).await {
                Err(error) if self.seats.used_seats() > 0 => error,
                outcome => return outcome,
            };
            match error.kind() {
                Kind::Busy => self.lock_idle().most = Some(self.seats.used_seats().max(1)),
                // ProFTPD closes a surplus connection without an answer (`MaxInstances`). If the server accepts no connection
                // at all, the last of the waiting tasks returns the error: immediate retries of each would keep the others
                // waiting.
                Kind::Unreachable if error.is_of_closed_connection() => {
                    let mut kept = self.lock_idle();
                    kept.most = Some(self.seats.used_seats().max(1));
                    kept.is_guess = self.seats.signed_in() == 0;
                }
                Kind::Unreachable if self.seats.signed_in() > 0 => {
                    let until = *unreachable_until.get_or_insert_with(|| Instant::now() + self.server.timeout);
                    if timeout_at(until, changed).await.is_err() {
                        return Err(error);
                    }
                }
                _ => return Err(error),
            }
        }
    }

    /// Replaces `old`, which is closed first: the server may allow only one connection.
    pub(crate) async fn replace(&self, old: Option<Connection>) -> Result<Connection> {
        let version = self.lock_idle().version;
        self.connect_with(version, self.seat_of(old)).await
    }

    /// Connects with TLS 1.3, for a server that does not accept sessions of 1.2.
    pub(crate) async fn connect_newer(&self, old: Option<Connection>) -> Result<Connection> {
        self.connect_with(TlsVersion::V13, self.seat_of(old)).await
    }

    fn seat_of(&self, old: Option<Connection>) -> Seat {
        old.and_then(Connection::leave).unwrap_or_else(|| self.seats.take())
    }

    async fn connect_with(&self, version: TlsVersion, seat: Seat) -> Result<Connection> {
        if let Some(refusal) = &self.lock_idle().refusal {
            return Err(refusal.duplicate());
        }
        let mut connection = sign_in(&self.server, version, &self.behaviour).await.inspect_err(|error| {
            if error.kind() == Kind::Auth {
                self.lock_idle().refusal = Some(error.duplicate());
            }
        })?;
        connection.sit(seat.signed_in());
        let mut kept = self.lock_idle();
        if let Some(tls) = &connection.tls {
            kept.version = tls.version;
        }
        if std::mem::take(&mut kept.is_guess) {
            kept.most = None;
            self.seats.changed.notify_waiters();
        }
        drop(kept);
        Ok(connection)
    }

    /// Returns a connection to the pool, unless a reply is pending on it.
    pub(crate) fn give(&self, mut connection: Connection) {
        if connection.is_usable() {
            connection.fresh = false;
            self.lock_idle().idle.push(connection);
            self.seats.changed.notify_waiters();
        }
    }

    /// From now on no file is uploaded under this name.
    pub(crate) fn block(&self, name: &str) {
        self.lock_idle().blocked.insert(name.to_owned());
    }

    /// The first of `name` and its numbered variants that is not blocked.
    pub(crate) fn free_name(&self, name: String) -> String {
        let kept = self.lock_idle();
        let mut names = std::iter::once(name.clone()).chain((2..).map(|n: u32| number_name(&name, n)));
        names.find(|name| !kept.blocked.contains(name)).unwrap_or(name)
    }

    /// Names the server in an error.
    pub(crate) fn with_server_name(&self, error: Error) -> Error {
        error.with_subject(self.server.host.as_str())
    }

    /// As [`Self::with_server_name`], but not for a refusal: that is about a path, which the caller names.
    pub(crate) fn with_server_name_unless_refused(&self, error: Error) -> Error {
        let is_refusal = error.status_code().is_some() && !error.kind().is_transient();
        if is_refusal { error } else { self.with_server_name(error) }
    }

    fn lock_idle(&self) -> parking_lot::MutexGuard<'_, IdleConnections> {
        self.kept.lock()
    }
}
