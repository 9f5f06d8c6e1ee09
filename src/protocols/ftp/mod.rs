//! Uploads by FTP and FTPS (providers.md 6). suppaftp handles the control connection: commands and replies, AUTH TLS, sign-in.
//! The data connection is made here, because suppaftp's own transfer drops the server's reply when the data connection breaks,
//! and does not tell a refused EPSV from a refused STOR.

mod behaviour;
mod commands;
mod connect;
mod connection_limit;
mod control;
mod data;
mod data_socket;
mod features;
pub mod listing;
mod name_at_once;
mod names;
mod pipeline;
mod pool;
mod ports;
pub mod reading;
mod rename;
mod reply;
mod route;
mod server;
mod size;
mod starttls;
mod tls;
mod upload;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use self::control::Connection;
use self::data::DataTransfer;
pub use self::pool::FtpPool;
pub use self::server::{FtpServer, Security};
pub use self::size::Size;
pub use self::starttls::REFUSED_TLS;
use crate::contract::{BoxFuture, Chunking, Error, Kind, Part, Recovery, Result, UploadSession};
use crate::model::{Entry, Protocol};

#[derive(Clone, Debug, Default)]
pub struct FtpTarget {
    /// The final name of the file (or path from the folder of the sign-in).
    pub name: String,
    /// The name during the upload; none = `name` itself. No other program may use this name: a file there is continued,
    /// overwritten and removed as our own.
    pub temporary: Option<String>,
    /// Bytes, if known: the SIZE that the finished file must have.
    pub size: Option<u64>,
    /// The time of change for the finished file, if the server supports MFMT.
    pub modified: Option<DateTime<Utc>>,
    /// Checks `name` just before the rename, so that a new file of another user is not overwritten (`Exists`).
    pub must_be_free: bool,
    /// If renaming is impossible, the file is uploaded again under its own name.
    pub may_go_direct: bool,
    /// No earlier upload of ours can have this `name`: before the first byte under that name haul checks that it is free
    /// (`Exists`).
    pub is_new: bool,
    /// An older copy that an earlier run moved aside. This copy is removed when the new one has its name.
    pub older: Option<String>,
    /// The entry of the finished file, and the place for it. The session asks for the file together with the rename, and puts the
    /// entry there with the size that the server tells. None: the caller looks for the file by itself.
    pub confirmed: Option<(Entry, Arc<OnceLock<Entry>>)>,
}

impl FtpTarget {
    fn travelling(&self) -> &str {
        self.temporary.as_deref().unwrap_or(&self.name)
    }

    /// The file is complete under its own name as soon as its last byte has arrived.
    fn is_direct(&self) -> bool {
        self.travelling() == self.name
    }

    /// The server would read a line break in a name as the end of the command.
    fn check(&self) -> Result<()> {
        for name in [&self.name, self.travelling()] {
            if name.is_empty() || name.contains(['\r', '\n', '\0']) {
                return Err(Error::new(Kind::Refused, "this name can't be sent by FTP").with_subject(name).with_hint("rename the file"));
            }
        }
        Ok(())
    }
}

/// How long vsftpd keeps a lost connection, and with it the lock on the file: 300 seconds (`data_connection_timeout`), and some
/// reserve.
const LOCK_LASTS: Duration = Duration::from_secs(330);
/// The time in which a server notices that a transfer is cut.
const CLOSES_WITHIN: Duration = Duration::from_secs(1);
/// From this number of bytes on, waiting for a lock is better than sending them again.
const WORTH_A_WAIT: u64 = 2 << 30;

/// The upload of one file. All parts go over one data connection, which ends with the part that is the `last`.
pub struct FtpSession {
    pool: Arc<FtpPool>,
    target: FtpTarget,
    control: Option<Connection>,
    /// The end of the bytes that were sent, or that the server had from an earlier run.
    reach: u64,
    /// The transfer that was cut had resumed an earlier one.
    went_on: bool,
    /// This upload has waited for another session to release the file.
    waited: bool,
    /// The bytes of the last two cut transfers, for [`Self::is_cut_alike`].
    cuts: [u64; 2],
    /// Open between two parts.
    flow: Option<DataTransfer>,
    /// The server may have some bytes under the temporary name.
    touched: bool,
    /// The server can't resume a cut upload.
    no_restart: bool,
    /// Nothing more can be sent under the temporary name.
    blocked: bool,
    /// The other TLS version was tried.
    switched: bool,
    /// The whole file is on the server and only its rename was refused: it stays, and the error says how to continue.
    whole: bool,
    /// The command that gives the file its own name was sent: if the temporary name is gone since then, the file may have been
    /// processed already.
    appearing: bool,
    /// The last time when the server said that the file's own name is free.
    free_at: Option<Instant>,
}

/// Takes a connection from the pool or makes one, so that an unusable server is detected before any byte is sent. Fails with
/// `Refused` when a name can't be sent (line ends, NUL), or as the sign-in does: `Auth`, `Unreachable`, `Busy` (too many
/// connections), `Untrusted`, `Unsupported` (no TLS there), `Protocol` (no FTP server).
pub async fn open(pool: &Arc<FtpPool>, target: FtpTarget) -> Result<FtpSession> {
    let goes_direct = target.may_go_direct && !pool.behaviour.renames();
    let temporary = target.temporary.filter(|_| !goes_direct).map(|name| pool.free_name(name));
    let target = FtpTarget { temporary, ..target };
    target.check()?;
    let mut control = pool.take().await?;
    if goes_direct
        && target.is_new
        && let Size::Bytes(_) = control.size(&target.name).await?
    {
        pool.give(control);
        return Err(names::name_taken_error());
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
        free_at: None,
    })
}

impl UploadSession for FtpSession {
    fn protocol(&self) -> Protocol {
        if self.pool.is_protected() { Protocol::Ftps } else { Protocol::Ftp }
    }

    fn note(&self) -> Option<String> {
        // The other names come from the adapter, and SIZE reports the offset.
        Some(self.target.travelling().to_owned())
    }

    fn chunking(&self) -> Chunking {
        Chunking::Whole
    }

    fn takes_unknown_size(&self) -> bool {
        true
    }

    /// The server has ACCEPTED the file after the last part (226). For earlier parts the number of sent bytes is returned, and
    /// only `recover` finds out how many of them remain after a failure.
    ///
    /// A part that does not begin where the last one ended continues the file under the temporary name: the caller has called
    /// `recover`, or knows in another way that it is the same file.
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
            sent.map_err(|e| self.pool.with_server_name(e))
        })
    }

    /// Asks for the SIZE under the temporary name, on a new connection if necessary. No file: `ResumeAt(0)`. `StartOver` in
    /// these cases: the server has more bytes than the file, reports no size, or can't resume; the file is gone after it may
    /// have got its own name; or another session holds the name. The next session then uses another temporary name.
    fn recover<'a>(&'a mut self, _failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        Box::pin(async move { self.query_offset().await.map_err(|e| self.pool.with_server_name(e)) })
    }

    /// Compares the SIZE, if both sizes are known (after `Integrity` the file there is removed), and gives the file its name. A
    /// refused rename is an error that names what is left (providers.md OQ-4). If the file is not found under its final name
    /// afterwards, that is no error: ioGates processes it at once (providers.md 6.5).
    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.settle().await.map_err(|e| self.pool.with_server_name(e))?;
            self.touched = false;
            if let Some(control) = self.control.take() {
                self.pool.give(control);
            }
            Ok(())
        })
    }

    /// Closes the data connection and removes what was sent, but not a whole file (OQ-4). Returns the name if the file could
    /// not be removed.
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            self.end_transfer().await;
            let stays = self.touched && !self.whole && !matches!(self.remove().await, Ok(true));
            if let Some(control) = self.control.take() {
                self.pool.give(control);
            }
            stays.then(|| self.target.travelling().to_owned())
        })
    }
}

impl FtpSession {
    /// Closes the data connection of an unfinished transfer and waits a moment for the server's reply: until then the server
    /// has the file open, and IIS removes no file that is open.
    async fn end_transfer(&mut self) {
        self.flow = None;
        let unanswered = |control: &mut Connection| !control.in_step && !control.is_kept_waiting();
        if let Some(mut control) = self.control.take_if(unanswered) {
            let _ = control.reply(CLOSES_WITHIN.min(self.pool.server.timeout)).await;
        }
    }

    /// Returns the current connection if no reply is pending on it, else a new one: the failure of this connection may also
    /// have hit those in the pool.
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
        self.size_of(&name).await
    }

    async fn size_of(&mut self, name: &str) -> Result<Size> {
        let control = self.control().await?;
        match control.size(name).await {
            // The connection may have been closed while it was in the pool.
            Err(e) if !control.fresh && e.kind().is_transient() => self.replace().await?.size(name).await,
            size => size,
        }
    }

    async fn query_offset(&mut self) -> Result<Recovery> {
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
            // The file may have been processed: the caller must look before it sends the file again.
            Size::Absent if self.appearing => Recovery::StartOver,
            // pure-ftpd hides a file while it is being resumed, and the old session may live for minutes. At its end the server
            // puts the file back, over any file with that name (providers.md 12).
            Size::Absent if self.went_on => {
                self.block();
                Recovery::StartOver
            }
            Size::Absent => Recovery::ResumeAt(0),
            // Whether this is more than was ever sent is checked by the caller, as for every offset.
            Size::Bytes(n) if self.target.size.is_none_or(|whole| n <= whole) => {
                self.reach = self.reach.max(n);
                Recovery::ResumeAt(n)
            }
            Size::Bytes(_) | Size::Unknown => Recovery::StartOver,
        })
    }

    /// Another session holds the bytes that were sent. If they are many, waits for that session once; otherwise the file is
    /// uploaded under another name. So at most one request waits at the server, and not one more for each try.
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

    /// A file without a temporary name has no other name.
    fn block(&mut self) {
        if let Some(name) = &self.target.temporary {
            tracing::debug!("{name} can't be written to: the file travels under another name");
            self.pool.block(name);
            self.blocked = true;
        }
    }

    /// Removes the file under the temporary name. Returns true if nothing is left there.
    async fn remove(&mut self) -> Result<bool> {
        let name = self.target.travelling().to_owned();
        self.remove_named(&name).await
    }

    async fn remove_named(&mut self, name: &str) -> Result<bool> {
        if self.control().await?.delete(name).await? {
            return Ok(true);
        }
        Ok(self.size_of(name).await? == Size::Absent)
    }
}
