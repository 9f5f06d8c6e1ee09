//! From a part of the file to a data connection: begin, go on where it was cut, or once more with the other TLS
//! (providers.md 6.4, 6.5).

use tokio::net::TcpStream;

use super::FtpSession;
use super::answer::blames_session;
use super::control::Size;
use super::store::{Begun, Flow, Way};
use crate::contract::Part;
use crate::error::{Error, Kind, Result};

impl FtpSession {
    pub(super) fn may_switch(&self, error: &Error) -> bool {
        self.pool.is_protected() && !self.switched && blames_session(error)
    }

    /// Once per file, and only after the server blamed the TLS session (providers.md 6.4, OQ-33).
    pub(super) async fn store_with_newer_tls(&mut self, part: &Part, refusal: Error) -> Result<u64> {
        self.switched = true;
        self.control = None;
        tracing::debug!("{refusal}; trying TLS 1.3");
        match self.pool.connect_newer().await {
            Ok(control) => self.control = Some(control),
            Err(e) if e.kind() == Kind::Unsupported => return Err(no_session(refusal)),
            Err(e) => return Err(e),
        }
        self.store(part).await.map_err(|e| if blames_session(&e) { no_session(e) } else { e })
    }

    /// Bytes from the start of the file that went down the line.
    pub(super) async fn store(&mut self, part: &Part) -> Result<u64> {
        let mut flow = match self.flow.take() {
            Some(flow) if flow.at() == part.offset => flow,
            // Everything is there already; only the end was not known.
            None if part.len == 0 && part.offset > 0 => return Ok(part.offset),
            _ if part.offset > 0 => self.go_on(part.offset).await?,
            _ => self.begin().await?,
        };
        // `flow` lives no longer than the connection it was opened by, or it is cut off.
        let Some(control) = self.control.as_mut() else { return Err(cut_off()) };
        flow.write(control, part).await?;
        let at = flow.at();
        if part.last {
            self.appearing |= self.target.is_direct();
            flow.complete(control).await?;
        } else {
            self.flow = Some(flow);
        }
        Ok(at)
    }

    /// Some servers say first that they begin, and then that they don't go on: the file starts over.
    pub(super) fn refused_to_go_on(&mut self, refusal: Error) -> Error {
        self.no_restart = true;
        refusal.with_kind(Kind::Interrupted)
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
        if self.control().await?.tls.as_ref().is_some_and(|tls| tls.is_spent()) {
            self.replace().await?;
        }
        let control = self.control().await?;
        let port = match control.data_port().await {
            Err(e) if !control.fresh && e.kind().may_pass() => self.replace().await?.data_port().await?,
            port => port?,
        };
        self.control().await?.dial(port).await
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
