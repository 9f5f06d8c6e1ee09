//! Uploads by FTP and FTPS (providers.md 6). suppaftp keeps the control connection: framing of commands and replies,
//! AUTH TLS, sign-in. The data connection is made here, because suppaftp's own transfer throws the server's reply away
//! when the data connection breaks, and does not tell a refused EPSV from a refused STOR.

mod answer;
mod connect;
mod control;
mod pool;
mod rename;
mod store;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use self::answer::blames_session;
use self::control::{Connection, Size};
pub use self::pool::FtpPool;
use self::store::{Begun, Flow, Way};
use crate::contract::{BoxFuture, Error, Kind, Part, Recovery, Result, Slicing, UploadSession};
use crate::model::{Protocol, Secret};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 990).
    Implicit,
    /// AUTH TLS on the plain port; never goes on in clear when it is refused.
    Explicit,
    /// No TLS at all.
    Plain,
}

#[derive(Clone, Debug)]
pub struct FtpServer {
    /// Name or address; the name that its certificate is checked for, on data connections too.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Secret,
    pub security: Security,
    /// PEM file with certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Time without an answer or a byte before the connection counts as lost.
    pub timeout: Duration,
}

pub struct FtpTarget {
    /// The name (or path from the login folder) that the file has in the end.
    pub name: String,
    /// The name it has while it travels; none = `name` itself. Nobody else's file may have this name: what lies there
    /// is continued, overwritten and removed as our own.
    pub temporary: Option<String>,
    /// Bytes, when known: the SIZE that the finished file must have.
    pub size: Option<u64>,
}

impl FtpTarget {
    fn travelling(&self) -> &str {
        self.temporary.as_deref().unwrap_or(&self.name)
    }

    /// A line end in a name would be a command of its own to the server.
    fn check(&self) -> Result<()> {
        for name in [&self.name, self.travelling()] {
            if name.is_empty() || name.contains(['\r', '\n', '\0']) {
                return Err(Error::new(Kind::Refused, "FTP can't carry this name").on(name).hint("rename the file"));
            }
        }
        Ok(())
    }
}

/// One file on its way. Part after part goes down one data connection, which ends with the part that is the `last`.
pub struct FtpSession {
    pool: Arc<FtpPool>,
    target: FtpTarget,
    control: Option<Connection>,
    /// Open between two parts.
    flow: Option<Flow>,
    /// Something of ours may lie on the server under the travelling name.
    touched: bool,
    /// The server does not let a cut upload go on.
    no_restart: bool,
    /// The other TLS version was tried.
    switched: bool,
}

/// Takes a connection from the pool or makes one: a server that is closed to us is found out here, before any byte.
/// Fails with `Refused` when a name can't be sent (line ends, NUL), or as the sign-in does: `Auth`, `Unreachable`,
/// `Busy` (too many connections), `Untrusted`, `Unsupported` (no TLS there), `Protocol` (no FTP server).
pub async fn open(pool: &Arc<FtpPool>, target: FtpTarget) -> Result<FtpSession> {
    target.check()?;
    let control = Some(pool.take().await?);
    Ok(FtpSession { pool: pool.clone(), target, control, flow: None, touched: false, no_restart: false, switched: false })
}

impl UploadSession for FtpSession {
    fn protocol(&self) -> Protocol {
        if self.pool.is_protected() { Protocol::Ftps } else { Protocol::Ftp }
    }

    fn slicing(&self) -> Slicing {
        Slicing::Whole
    }

    fn takes_unknown_size(&self) -> bool {
        true
    }

    /// The server has ACCEPTED the file once the last part is through (226); what earlier parts return is what it took
    /// off the line, and only `recover` knows how much of that stays after a failure.
    ///
    /// A part that does not begin where the last one ended continues what lies under the travelling name: the caller
    /// has asked `recover`, or knows by another way that it is this very file.
    fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            let sent = match self.store(&part).await {
                Err(e) if self.may_switch(&e) => self.store_with_newer_tls(&part, e).await,
                other => other,
            };
            sent.map_err(|e| self.pool.named(e))
        })
    }

    /// Asks for the SIZE of what lies under the travelling name, by a new connection if need be. Nothing there:
    /// `ResumeAt(0)`. More than the file has, or a server that told no size or allowed no restart: `StartOver`.
    fn recover<'a>(&'a mut self, _failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        Box::pin(async move { self.look().await.map_err(|e| self.pool.named(e)) })
    }

    /// Compares the SIZE, where it is known and told (`Integrity`, and what lies there is removed), and gives the file
    /// its name. A refused rename is an error that names what is left (providers.md OQ-4). A file that can't be found
    /// under its final name afterwards is none: ioGates takes it in at once (providers.md 6.5).
    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.settle().await.map_err(|e| self.pool.named(e))?;
            self.touched = false;
            if let Some(control) = self.control.take() {
                self.pool.give(control);
            }
            Ok(())
        })
    }

    /// Closes the data connection and removes what was sent. Returns its name when it stays.
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            self.flow = None;
            let stays = self.touched && !matches!(self.remove().await, Ok(true));
            if let Some(control) = self.control.take() {
                self.pool.give(control);
            }
            stays.then(|| self.target.travelling().to_owned())
        })
    }
}

impl FtpSession {
    async fn store(&mut self, part: &Part) -> Result<u64> {
        let mut flow = match self.flow.take() {
            Some(flow) if flow.at() == part.offset => flow,
            // Everything is there already; only the end was not known.
            None if part.len == 0 && part.offset > 0 => return Ok(0),
            _ if part.offset > 0 => self.go_on(part.offset).await?,
            _ => self.begin().await?,
        };
        // `flow` lives no longer than the connection it was opened by, or it is cut off.
        let Some(control) = self.control.as_mut() else { return Err(cut_off()) };
        let sent = flow.write(control, part.chunks()).await?;
        if part.last {
            flow.complete(control).await?;
        } else {
            self.flow = Some(flow);
        }
        Ok(sent)
    }

    async fn begin(&mut self) -> Result<Flow> {
        let refusal = match self.transfer(Way::Whole).await? {
            Begun::Open(flow) => return Ok(flow),
            Begun::Refused(reply) => reply.refusal("the upload"),
        };
        // ProFTPD's `AllowOverwrite off` answers 550 when the name is taken; under a travelling name by a remnant of ours.
        let in_the_way = self.target.temporary.is_some() && matches!(refusal.http_or_ftp_status(), Some(550 | 553));
        if !in_the_way || !self.remove().await? {
            return Err(refusal);
        }
        match self.transfer(Way::Whole).await? {
            Begun::Open(flow) => Ok(flow),
            Begun::Refused(reply) => Err(reply.refusal("the upload")),
        }
    }

    /// Continues at `offset`: REST and STOR, else APPE. The SIZE is asked first, because a REST beyond the end would
    /// leave a hole, and because another connection's last bytes may have come in meanwhile, which APPE would repeat.
    async fn go_on(&mut self, offset: u64) -> Result<Flow> {
        let held = self.size().await?;
        let restarts = self.control().await?.restarts;
        if !matches!(held, Size::Bytes(n) if n >= offset) {
            return Err(Error::new(Kind::Interrupted, "the server holds less of the file than before"));
        }
        if restarts && let Begun::Open(flow) = self.transfer(Way::Restart(offset)).await? {
            return Ok(flow);
        }
        if held == Size::Bytes(offset)
            && let Begun::Open(flow) = self.transfer(Way::Append(offset)).await?
        {
            return Ok(flow);
        }
        self.no_restart = true;
        Err(Error::new(Kind::Interrupted, "the server does not let the upload go on where it was cut"))
    }

    async fn transfer(&mut self, way: Way) -> Result<Begun> {
        let (socket, wait) = (self.data_socket().await?, self.pool.server.timeout);
        let Some(control) = self.control.as_mut() else { return Err(cut_off()) };
        self.touched = true;
        Flow::begin(control, socket, self.target.travelling(), way, wait).await
    }

    /// The first step of a transfer is also where a connection shows that it died in the pool: it is replaced here,
    /// before any byte, and so is one whose TLS tickets are used up.
    async fn data_socket(&mut self) -> Result<TcpStream> {
        let control = self.control().await?;
        if control.tls.as_ref().is_some_and(|tls| tls.is_spent()) {
            self.control = Some(self.pool.connect().await?);
        }
        let control = self.control().await?;
        let port = match control.data_port().await {
            Err(e) if !control.fresh && e.kind().may_pass() => {
                let control = self.control.insert(self.pool.connect().await?);
                control.data_port().await?
            }
            port => port?,
        };
        let control = self.control().await?;
        control.dial(port).await
    }

    /// The connection in hand if no reply is open on it, else another.
    async fn control(&mut self) -> Result<&mut Connection> {
        if !self.control.as_ref().is_some_and(Connection::is_usable) {
            self.control = None;
        }
        match &mut self.control {
            Some(control) => Ok(control),
            empty => Ok(empty.insert(self.pool.take().await?)),
        }
    }

    async fn size(&mut self) -> Result<Size> {
        let name = self.target.travelling().to_owned();
        self.control().await?.size(&name).await
    }

    async fn look(&mut self) -> Result<Recovery> {
        self.flow = None;
        if self.no_restart {
            return Ok(Recovery::StartOver);
        }
        let size = self.size().await?;
        self.touched |= size != Size::Absent;
        Ok(match size {
            Size::Absent => Recovery::ResumeAt(0),
            Size::Bytes(n) if self.target.size.is_none_or(|whole| n <= whole) => Recovery::ResumeAt(n),
            Size::Bytes(_) | Size::Untold => Recovery::StartOver,
        })
    }

    /// Removes what lies under the travelling name; true: nothing is left there.
    async fn remove(&mut self) -> Result<bool> {
        let name = self.target.travelling().to_owned();
        if self.control().await?.delete(&name).await? {
            return Ok(true);
        }
        Ok(self.size().await? == Size::Absent)
    }

    fn may_switch(&self, error: &Error) -> bool {
        self.pool.is_protected() && !self.switched && blames_session(error)
    }

    /// Once per file, and only after the server blamed the TLS session (providers.md 6.4, OQ-33).
    async fn store_with_newer_tls(&mut self, part: &Part, refusal: Error) -> Result<u64> {
        self.switched = true;
        self.flow = None;
        tracing::debug!("{refusal}; trying TLS 1.3");
        let Ok(control) = self.pool.connect_newer().await else { return Err(no_session(refusal)) };
        self.control = Some(control);
        self.store(part).await.map_err(|e| if blames_session(&e) { no_session(e) } else { e })
    }
}

/// A data connection whose control connection is gone.
fn cut_off() -> Error {
    Error::new(Kind::Interrupted, "the connection to the server was lost")
}

/// Words for the refusal that users of FTPS meet most.
fn no_session(refusal: Error) -> Error {
    let status = refusal.http_or_ftp_status().unwrap_or_default();
    Error::new(Kind::Unsupported, "the server does not accept our TLS session on the data connection (session reuse)")
        .status(status)
        .cause(anyhow::anyhow!("{}", refusal.message()))
        .hint("try another protocol, or ask the server's operator not to require TLS session reuse")
}
