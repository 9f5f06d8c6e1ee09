//! Sends a part of the file over a data connection: start, resume after a cut, or retry with the other TLS version
//! (providers.md 6.4, 6.5).

use std::time::{Duration, Instant};

use super::FtpSession;
use super::data::{DataTransfer, StartOutcome, TransferMode};
use super::data_socket::DataAddress;
use super::names::name_taken_error;
use super::reply::{blames_session, may_blame_session};
use super::size::Size;
use crate::contract::Part;
use crate::error::{Error, Kind, Result};

/// The shortest time for the answer to a STOR or APPE that resumes.
const MIN_WAIT: Duration = Duration::from_secs(5);
/// Below this number of bytes, two cuts at a similar offset count as chance.
const ALIKE_FROM: u64 = 1 << 20;

impl FtpSession {
    pub(crate) fn may_switch(&self, error: &Error) -> bool {
        self.pool.is_protected() && !self.switched && may_blame_session(error)
    }

    /// Once per file, and only after the server blamed the TLS session (providers.md 6.4, OQ-33).
    pub(crate) async fn store_with_newer_tls(&mut self, part: &Part, refusal: Error) -> Result<u64> {
        self.switched = true;
        tracing::debug!("{refusal}; trying TLS 1.3");
        match self.replace_with_newer().await {
            Ok(()) => {}
            Err(e) if e.kind() == Kind::Unsupported => return Err(explain_tls_refusal(refusal)),
            Err(e) => return Err(e),
        }
        self.store(part).await.map_err(explain_tls_refusal)
    }

    async fn replace_with_newer(&mut self) -> Result<()> {
        let old = self.control.take();
        self.control = Some(self.pool.connect_newer(old).await?);
        Ok(())
    }

    /// True if two transfers were cut after the same number of bytes: ProFTPD before 1.3.8 renegotiates TLS 1.2 after a certain
    /// amount, which rustls does not support (providers.md OQ-33).
    fn is_cut_alike(&self) -> bool {
        let [one, other] = self.cuts;
        one >= ALIKE_FROM && one.abs_diff(other) <= one / 50
    }

    /// Returns the offset in the file after the last byte that was sent.
    pub(crate) async fn store(&mut self, part: &Part) -> Result<u64> {
        let mut flow = match self.flow.take() {
            Some(flow) if flow.at() == part.offset => flow,
            // The server has all bytes already; only the end was not known.
            None if part.len == 0 && part.offset > 0 => return Ok(part.offset),
            _ if part.offset > 0 => self.resume_at(part.offset).await?,
            _ => self.begin().await?,
        };
        // `flow` must not outlive the connection that opened it.
        let Some(control) = self.control.as_mut() else { return Err(cut_off_error()) };
        let begun = flow.at();
        let written = flow.write(control, part, &mut self.reach).await;
        let at = flow.at();
        if let Err(error) = written {
            self.cuts = [self.cuts[1], at - begun];
            return Err(error);
        }
        if part.last {
            self.appearing |= self.target.is_direct();
            flow.complete(control).await?;
        } else {
            self.flow = Some(flow);
        }
        Ok(at)
    }

    /// Some servers first accept the transfer and then refuse to resume: the file starts over.
    pub(crate) fn refused_to_go_on(&mut self, refusal: Error) -> Error {
        self.no_restart = true;
        refusal.with_kind(Kind::Interrupted)
    }

    async fn begin(&mut self) -> Result<DataTransfer> {
        let refusal = match self.transfer(TransferMode::Whole).await? {
            StartOutcome::Open(flow) => return Ok(flow),
            StartOutcome::Refused(reply) => reply.refusal("the upload"),
        };
        // ProFTPD's `AllowOverwrite off` answers 550 when the name is taken; a temporary name can be taken only by a remnant of
        // ours.
        if self.target.temporary.is_none() || !is_in_the_way(&refusal) {
            return Err(refusal);
        }
        let is_free = self.remove().await?;
        let refusal = match self.transfer(TransferMode::Whole).await? {
            StartOutcome::Open(flow) => return Ok(flow),
            StartOutcome::Refused(reply) => reply.refusal("the upload"),
        };
        // A remnant blocks this name if it can't be removed (a user who may only create, IIS while a dead session has the file
        // open), or if only the server sees it (ProFTPD's HiddenStores).
        if is_in_the_way(&refusal) && (!is_free || refusal.message().to_ascii_lowercase().contains("hidden file")) {
            self.block();
            return Err(refusal.with_kind(Kind::Interrupted));
        }
        Err(refusal)
    }

    /// Resumes at `offset`: REST and STOR, else APPE. SIZE is asked first: a REST beyond the end would leave a hole, and the
    /// last bytes of another connection may have arrived meanwhile, which APPE would repeat.
    async fn resume_at(&mut self, offset: u64) -> Result<DataTransfer> {
        let held = self.size().await?;
        let restarts = self.control().await?.restarts;
        if !matches!(held, Size::Bytes(n) if n >= offset) {
            return Err(Error::new(Kind::Interrupted, "the server holds less of the file than before"));
        }
        if restarts && let StartOutcome::Open(flow) = self.transfer(TransferMode::Restart(offset)).await? {
            return Ok(flow);
        }
        if held == Size::Bytes(offset)
            && let StartOutcome::Open(flow) = self.transfer(TransferMode::Append(offset)).await?
        {
            return Ok(flow);
        }
        self.no_restart = true;
        Err(Error::new(Kind::Interrupted, "the server can't resume the upload"))
    }

    /// The time for the answer to a STOR or APPE. vsftpd delays it while a cut session holds the file, and such a session may
    /// never end. So the wait is at most as long as sending the bytes again over a slow connection.
    fn begins_within(&self, way: &TransferMode) -> Duration {
        match way {
            TransferMode::Whole => self.pool.server.timeout,
            TransferMode::Restart(at) | TransferMode::Append(at) => self.pool.server.timeout.min(MIN_WAIT + Duration::from_secs(at >> 20)),
        }
    }

    async fn transfer(&mut self, way: TransferMode) -> Result<StartOutcome> {
        let address = self.data_address().await?;
        let is_side_by_side = matches!(address, DataAddress::Port(_));
        let name = self.target.travelling().to_owned();
        let (wait, begins_within) = (self.pool.server.timeout, self.begins_within(&way));
        let Some(control) = self.control.as_mut() else { return Err(cut_off_error()) };
        (self.touched, self.went_on) = (true, way != TransferMode::Whole);
        control.begins_within = begins_within;
        let look = (way == TransferMode::Whole && self.target.is_named_at_once() && control.behaviour.keeps_order())
            .then(|| format!("SIZE {}", self.target.name));
        (control.look, control.looked) = (look, None);
        let started = match DataTransfer::start(control, address, &name, way).await {
            // The connection was closed in the pool, or its port can't be reached any more: no byte was sent.
            Err(e) if is_side_by_side && e.kind().is_transient() && !control.is_kept_waiting() => {
                if e.kind() == Kind::Unreachable {
                    control.behaviour.avoid_side_by_side();
                }
                tracing::debug!("{e}; the data connection is made first");
                let control = self.replace().await?;
                control.begins_within = begins_within;
                let socket = control.open_data().await?;
                DataTransfer::start(control, DataAddress::Connected(socket), &name, way).await?
            }
            // Some servers keep the port open for the next command only.
            Ok(Err(reply)) if control.looked.is_some() && reply.code == 425 => {
                control.behaviour.avoid_pipelining();
                let socket = control.open_data().await?;
                DataTransfer::start(control, DataAddress::Connected(socket), &name, way).await?
            }
            started => started?,
        };
        let Some(control) = self.control.as_mut() else { return Err(cut_off_error()) };
        if let Some(looked) = control.looked.take() {
            match Size::parse_size(&looked) {
                Ok(Size::Absent) => self.free_at = Some(Instant::now()),
                Ok(Size::Bytes(_)) => {
                    // The transfer has begun, so the connection can't be used again.
                    control.in_step = false;
                    return Err(name_taken_error());
                }
                // The name is looked for again before the rename.
                Ok(Size::Unknown) | Err(_) => {}
            }
        }
        match started {
            Ok(socket) => DataTransfer::open(control, socket, way, wait).await.map(StartOutcome::Open),
            Err(reply) => Ok(StartOutcome::Refused(reply)),
        }
    }

    /// The first step of a transfer also shows whether a connection was closed in the pool. Such a connection is replaced here,
    /// before any byte is sent, and so is one whose TLS tickets are used up.
    async fn data_address(&mut self) -> Result<DataAddress> {
        if self.pool.is_protected() && !self.switched && self.is_cut_alike() {
            self.switched = true;
            if let Err(error) = self.replace_with_newer().await {
                tracing::debug!("no TLS 1.3 after two cuts alike: {error}");
            }
        }
        let control = self.control().await?;
        if control.tls.as_ref().is_some_and(|tls| tls.is_spent()) {
            self.replace().await?;
        }
        let control = self.control().await?;
        match control.data_address().await {
            Err(e) if e.kind().is_transient() && !control.is_usable() && (!control.fresh || control.behaviour.tries_epsv()) => {
                // The connection was closed in the pool, or by a server that does not support EPSV.
                if control.fresh {
                    control.behaviour.avoid_epsv();
                }
                self.replace().await?.open_data().await.map(DataAddress::Connected)
            }
            opened => opened,
        }
    }
}

/// The name is taken, or must not be written to.
fn is_in_the_way(refusal: &Error) -> bool {
    matches!(refusal.status_code(), Some(550 | 553))
}

/// The error for a data connection whose control connection is gone.
fn cut_off_error() -> Error {
    Error::new(Kind::Interrupted, "the connection to the server was lost")
}

/// Explains a refused TLS session; a 425 with another reason stays as it is.
pub(super) fn explain_tls_refusal(refusal: Error) -> Error {
    if blames_session(&refusal) { no_session(refusal) } else { refusal }
}

/// The error for a refused TLS session, which users of FTPS meet most often.
pub(super) fn no_session(refusal: Error) -> Error {
    let status = refusal.status_code().unwrap_or_default();
    Error::new(Kind::Unsupported, "the server does not accept our TLS session on the data connection (session reuse)")
        .with_status(status)
        .with_cause(anyhow::anyhow!("{}", refusal.message()))
        .with_hint(
            "ask the server's operator not to require it (vsftpd: require_ssl_reuse=NO; ProFTPD: TLSOptions NoSessionReuseRequired; \
             FileZilla Server: the option to require TLS session resumption), or try another --protocol where the remote has one",
        )
}
