//! Uploads by FTP and FTPS (providers.md 6). suppaftp keeps the control connection: framing of commands and replies,
//! AUTH TLS, sign-in. The data connection is made here, because suppaftp's own transfer throws the server's reply away
//! when the data connection breaks, and does not tell a refused EPSV from a refused STOR.

mod commands;
mod connect;
mod connection_limit;
mod control;
mod data;
mod features;
pub mod listing;
mod manners;
mod names;
mod pipeline;
mod pool;
mod ports;
pub mod reading;
mod rename;
mod reply;
mod route;
mod server;
mod starttls;
mod tls;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use self::control::Connection;
pub use self::control::Size;
use self::data::DataTransfer;
pub use self::pool::FtpPool;
pub use self::server::{FtpServer, Security};
pub use self::starttls::REFUSED_TLS;
use crate::contract::{BoxFuture, Chunking, Error, Kind, Part, Recovery, Result, UploadSession};
use crate::model::Protocol;

#[derive(Clone, Debug, Default)]
pub struct FtpTarget {
    /// The name (or path from the login folder) that the file has in the end.
    pub name: String,
    /// The name it has while it travels; none = `name` itself. Nobody else's file may have this name: what lies there
    /// is continued, overwritten and removed as our own.
    pub temporary: Option<String>,
    /// Bytes, when known: the SIZE that the finished file must have.
    pub size: Option<u64>,
    /// The time of change that the finished file gets, where the server has MFMT.
    pub modified: Option<DateTime<Utc>>,
    /// Just before the rename `name` is looked for: what somebody has put there meanwhile is not overwritten (`Exists`).
    pub must_be_free: bool,
    /// Where nothing can be renamed the file begins anew under its own name.
    pub may_go_direct: bool,
    /// Nothing of ours can lie under `name`: before the first byte under that very name it is looked for (`Exists`).
    pub is_new: bool,
    /// An older copy that an earlier run moved aside. This copy is removed when the new one has its name.
    pub older: Option<String>,
}

impl FtpTarget {
    fn travelling(&self) -> &str {
        self.temporary.as_deref().unwrap_or(&self.name)
    }

    /// The file is whole under its own name as soon as its last byte is there.
    fn is_direct(&self) -> bool {
        self.travelling() == self.name
    }

    /// A line end in a name would be a command of its own to the server.
    fn check(&self) -> Result<()> {
        for name in [&self.name, self.travelling()] {
            if name.is_empty() || name.contains(['\r', '\n', '\0']) {
                return Err(Error::new(Kind::Refused, "FTP can't carry this name").with_subject(name).with_hint("rename the file"));
            }
        }
        Ok(())
    }
}

/// vsftpd gives up a line that died in silence, and with it the lock on the file, after 300 seconds (`data_connection_timeout`).
const LOCK_LASTS: Duration = Duration::from_secs(330);
/// So many bytes are not sent again for a lock.
const WORTH_A_WAIT: u64 = 2 << 30;

/// One file on its way. Part after part goes down one data connection, which ends with the part that is the `last`.
pub struct FtpSession {
    pool: Arc<FtpPool>,
    target: FtpTarget,
    control: Option<Connection>,
    /// The furthest byte that was sent, or that an earlier run's upload was found to have.
    reach: u64,
    /// The transfer that was cut had gone on with an earlier one.
    went_on: bool,
    /// It was waited for another session to let go of the file.
    waited: bool,
    /// What the cut transfers brought, for [`Self::is_cut_alike`].
    cuts: [u64; 2],
    /// Open between two parts.
    flow: Option<DataTransfer>,
    /// Something of ours may lie on the server under the travelling name.
    touched: bool,
    /// The server does not let a cut upload go on.
    no_restart: bool,
    /// Nothing more can be sent under the travelling name.
    blocked: bool,
    /// The other TLS version was tried.
    switched: bool,
    /// The whole file lies there and only its rename was refused: it stays, as the error tells how to go on.
    whole: bool,
    /// What makes the file appear under its own name went out: whatever is gone from the travelling name since then may
    /// be taken in already.
    appearing: bool,
}

/// Takes a connection from the pool or makes one: a server that is closed to us is found out here, before any byte.
/// Fails with `Refused` when a name can't be sent (line ends, NUL), or as the sign-in does: `Auth`, `Unreachable`,
/// `Busy` (too many connections), `Untrusted`, `Unsupported` (no TLS there), `Protocol` (no FTP server).
pub async fn open(pool: &Arc<FtpPool>, target: FtpTarget) -> Result<FtpSession> {
    let goes_direct = target.may_go_direct && !pool.manners.renames();
    let temporary = target.temporary.filter(|_| !goes_direct).map(|name| pool.free_name(name));
    let target = FtpTarget { temporary, ..target };
    target.check()?;
    let mut control = pool.take().await?;
    if goes_direct
        && target.is_new
        && let Size::Bytes(_) = control.size(&target.name).await?
    {
        pool.give(control);
        return Err(names::name_taken());
    }
    Ok(FtpSession {
        pool: pool.clone(),
        target,
        control: Some(control),
        reach: 0,
        went_on: false,
        waited: false,
        cuts: [0; 2],
        flow: None,
        touched: false,
        no_restart: false,
        blocked: false,
        switched: false,
        whole: false,
        appearing: false,
    })
}

impl UploadSession for FtpSession {
    fn protocol(&self) -> Protocol {
        if self.pool.is_protected() { Protocol::Ftps } else { Protocol::Ftp }
    }

    fn note(&self) -> Option<String> {
        // The names are the adapter's own, and SIZE tells the rest.
        Some(self.target.travelling().to_owned())
    }

    fn chunking(&self) -> Chunking {
        Chunking::Whole
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
            let continues = part.offset > 0 && self.flow.is_none();
            let sent = match self.store(&part).await {
                Err(e) if self.may_switch(&e) => self.store_with_newer_tls(&part, e).await,
                Err(e) if continues && e.status_code().is_some_and(|code| matches!(code, 500..=504 | 550 | 551)) => {
                    Err(self.refused_to_go_on(e))
                }
                other => other,
            };
            sent.map_err(|e| self.pool.named(e))
        })
    }

    /// Asks for the SIZE of what lies under the travelling name, by a new connection if need be. Nothing there:
    /// `ResumeAt(0)`. More than the file has, a server that told no size or allowed no restart, or nothing there after
    /// the file may have got its own name: `StartOver`. So does a name that another session holds; what is opened next
    /// travels under another.
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

    /// Closes the data connection and removes what was sent, but not a whole file (OQ-4). Returns its name when it stays
    /// against our will.
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            self.flow = None;
            let stays = self.touched && !self.whole && !matches!(self.remove().await, Ok(true));
            if let Some(control) = self.control.take() {
                self.pool.give(control);
            }
            stays.then(|| self.target.travelling().to_owned())
        })
    }
}

impl FtpSession {
    /// The connection in hand if no reply is open on it, else a new one: what ended this one may have ended those in
    /// the pool as well.
    async fn control(&mut self) -> Result<&mut Connection> {
        match self.control.take().filter(Connection::is_usable) {
            Some(control) => Ok(self.control.insert(control)),
            None => self.replace().await,
        }
    }

    async fn replace(&mut self) -> Result<&mut Connection> {
        let old = self.control.take();
        Ok(self.control.insert(self.pool.replace(old).await?))
    }

    async fn size(&mut self) -> Result<Size> {
        let name = self.target.travelling().to_owned();
        let control = self.control().await?;
        match control.size(&name).await {
            // It may have died in the pool.
            Err(e) if !control.fresh && e.kind().is_transient() => self.replace().await?.size(&name).await,
            size => size,
        }
    }

    async fn look(&mut self) -> Result<Recovery> {
        self.flow = None;
        if self.control.as_ref().is_some_and(Connection::is_kept_waiting) {
            self.outlive_or_leave()?;
        }
        if self.no_restart || self.blocked {
            return Ok(Recovery::StartOver);
        }
        let size = self.size().await?;
        self.touched |= size != Size::Absent;
        Ok(match size {
            // To send it again onto a file that was taken in is for nobody to do before looking.
            Size::Absent if self.appearing => Recovery::StartOver,
            // pure-ftpd hides a file that is gone on with, and its session may live for minutes: at its end the file is put
            // back, over whatever has the name by then (providers.md 12).
            Size::Absent if self.went_on => {
                self.block();
                Recovery::StartOver
            }
            Size::Absent => Recovery::ResumeAt(0),
            // Whether it is more than was ever sent is judged where every offset is.
            Size::Bytes(n) if self.target.size.is_none_or(|whole| n <= whole) => {
                self.reach = self.reach.max(n);
                Recovery::ResumeAt(n)
            }
            Size::Bytes(_) | Size::Unknown => Recovery::StartOver,
        })
    }

    /// Another session holds what was sent. Where that is much, it is waited for once; else the file travels under another
    /// name. Either way there is one waiter at the server, and not one more with each try.
    fn outlive_or_leave(&mut self) -> Result<()> {
        let name = self.target.travelling().to_owned();
        if !self.waited && self.reach >= WORTH_A_WAIT {
            (self.waited, self.control) = (true, None);
            let why = "another session still holds what was sent, and may let go of it in five minutes";
            return Err(Error::new(Kind::Busy, why).with_subject(name).with_retry_after(Some(LOCK_LASTS)));
        }
        self.block();
        Ok(())
    }

    /// A file without a travelling name has no other.
    fn block(&mut self) {
        if let Some(name) = &self.target.temporary {
            tracing::debug!("{name} can't be written to: the file travels under another name");
            self.pool.block(name);
            self.blocked = true;
        }
    }

    /// Removes what lies under the travelling name; true: nothing is left there.
    async fn remove(&mut self) -> Result<bool> {
        let name = self.target.travelling().to_owned();
        if self.control().await?.delete(&name).await? {
            return Ok(true);
        }
        Ok(self.size().await? == Size::Absent)
    }
}
