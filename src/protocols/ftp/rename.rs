//! The end of an upload: checks the size and gives the file its name (providers.md 6.5).

use super::FtpSession;
use super::names::name_taken_error;
use super::reply::Reply;
use super::size::Size;
use crate::error::{Error, Kind, Result};

/// The result of a rename.
enum RenameOutcome {
    Done,
    Refused(Error),
    /// The command was sent, and no answer came.
    Unanswered(Error),
}

impl FtpSession {
    pub(crate) async fn settle(&mut self) -> Result<()> {
        self.give_name().await?;
        // The new copy is complete under its name. If the older one can't be removed, the upload is a success all the same.
        if let Some(older) = self.target.older.take() {
            match self.control().await?.delete(&older).await {
                Ok(true) => tracing::info!("{older}, an older copy that an earlier run moved aside, is removed"),
                Ok(false) => tracing::warn!("{older}, an older copy that an earlier run moved aside, can't be removed and stays"),
                Err(error) => tracing::warn!("{older}, an older copy that an earlier run moved aside, stays: {error}"),
            }
        }
        Ok(())
    }

    async fn give_name(&mut self) -> Result<()> {
        if let (Some(flow), Some(control)) = (self.flow.take(), self.control.as_mut()) {
            flow.complete(control).await?;
        }
        let temporary = self.target.travelling().to_owned();
        if self.target.is_direct() {
            self.keep_time(&temporary).await?;
            return self.check_size().await;
        }
        if self.name_at_once(&temporary).await? {
            return Ok(());
        }
        let from = match self.check_at_once(&temporary).await? {
            Some(from) => Some(from),
            None => {
                self.keep_time(&temporary).await?;
                self.check_free().await?;
                match self.target.size {
                    Some(_) => self.check_size_and_begin_rename(&temporary).await?,
                    None => None,
                }
            }
        };
        match self.rename(&temporary, from).await? {
            RenameOutcome::Done => Ok(()),
            RenameOutcome::Refused(error) if self.target.may_go_direct && is_no_rename(&error) => Err(self.go_direct(error)),
            RenameOutcome::Refused(error) => Err(self.left_complete_error(error)),
            RenameOutcome::Unanswered(error) => self.clear_up(&temporary, error).await.map_err(uncertain_rename_error),
        }
    }

    /// The command that sets the time of change, if the server knows it.
    pub(super) fn time_command(&self, name: &str) -> Option<String> {
        let time = self.target.modified?;
        let is_known = self.pool.behaviour.features().is_some_and(|features| features.knows("MFMT"));
        is_known.then(|| format!("MFMT {} {name}", time.format("%Y%m%d%H%M%S")))
    }

    /// Sets the time of change. The file has arrived, so a failure is ignored.
    async fn keep_time(&mut self, name: &str) -> Result<()> {
        let Some(command) = self.time_command(name) else { return Ok(()) };
        let reply = self.control().await?.ask(&command).await?;
        if !reply.is_done() {
            tracing::debug!("the time of {name} is not kept: {}", reply.to_anyhow());
        }
        Ok(())
    }

    /// Checks the name first, because vsftpd and pure-ftpd overwrite by RNTO without an error (providers.md 12).
    async fn check_free(&mut self) -> Result<()> {
        if !self.target.must_be_free {
            return Ok(());
        }
        let name = self.target.name.clone();
        match self.control().await?.size(&name).await? {
            Size::Absent | Size::Unknown => Ok(()),
            Size::Bytes(_) => Err(name_taken_error()),
        }
    }

    /// Removes what was sent; the next upload uses the file's own name.
    fn go_direct(&mut self, refusal: Error) -> Error {
        tracing::info!("{refusal}; nothing can be renamed there, so files get their own name from the first byte on");
        self.pool.behaviour.avoid_rename();
        self.blocked = true;
        refusal.with_kind(Kind::Interrupted)
    }

    async fn check_size(&mut self) -> Result<()> {
        let size = match self.target.size {
            Some(_) => self.size().await?,
            None => return Ok(()),
        };
        let name = self.target.travelling().to_owned();
        self.compare(&name, size).await
    }

    /// Sends MFMT, both SIZE and RNFR in one round trip; the rename itself waits for the answers. None: an answer is not the
    /// expected one, or the server does not keep the order, and the commands are sent again one by one.
    async fn check_at_once(&mut self, temporary: &str) -> Result<Option<Reply>> {
        let (expected, name) = (self.target.size, self.target.name.clone());
        let mut commands: Vec<String> = self.time_command(temporary).into_iter().collect();
        commands.extend(self.target.must_be_free.then(|| format!("SIZE {name}")));
        let looks = commands.len();
        commands.extend(expected.map(|_| format!("SIZE {temporary}")));
        commands.push(format!("RNFR {temporary}"));
        if !self.pool.behaviour.keeps_order() {
            return Ok(None);
        }
        let mut replies = match self.control().await?.ask_all(&commands).await {
            Ok(replies) => replies,
            // All of them can be repeated.
            Err(error) if error.kind().is_transient() => return Ok(None),
            Err(error) => return Err(error),
        };
        let behaviour = &self.pool.behaviour;
        let from = replies.pop().filter(Reply::wants_more);
        // Some servers (libunftp) answer the quick command first.
        if from.is_none() || replies.len() + 1 != commands.len() || replies.iter().any(Reply::wants_more) {
            behaviour.avoid_pipelining();
            return Ok(None);
        }
        let size_of = |at: usize| replies.get(at).map_or(Ok(Size::Unknown), Size::parse_size);
        let is_free = !self.target.must_be_free || matches!(size_of(looks - 1), Ok(Size::Absent | Size::Unknown));
        let is_whole = expected.is_none_or(|expected| size_of(looks).is_ok_and(|size| !size.differs_from(expected)));
        if !is_free || !is_whole {
            return Ok(None);
        }
        Ok(from)
    }

    /// Sends SIZE and RNFR in one round trip; the rename itself waits for both answers. None: RNFR must be sent (again).
    async fn check_size_and_begin_rename(&mut self, temporary: &str) -> Result<Option<Reply>> {
        let control = self.control().await?;
        match control.ask_two(&format!("SIZE {temporary}"), &format!("RNFR {temporary}")).await {
            Ok((size, from)) => {
                self.compare(temporary, Size::parse_size(&size)?).await?;
                Ok(Some(from).filter(Reply::wants_more))
            }
            // Both commands can be repeated.
            Err(error) if error.kind().is_transient() => self.check_size().await.map(|()| None),
            Err(error) => Err(error),
        }
    }

    /// Compares the size that the server holds under `name` with the expected size, and removes a wrong file.
    pub(super) async fn compare(&mut self, name: &str, size: Size) -> Result<()> {
        // Absent: a file with its final name may have been processed already; otherwise the rename will fail.
        let (Size::Bytes(held), Some(expected)) = (size, self.target.size) else { return Ok(()) };
        if held == expected {
            return Ok(());
        }
        let left = match self.remove_named(name).await {
            Ok(true) => String::new(),
            _ => format!("; it is left there as {name}"),
        };
        Err(Error::new(Kind::Integrity, format!("the server holds {held} bytes of {expected}{left}"))
            .with_hint("put the file again; a server that renames uploads by itself may hold this one under a name beside it"))
    }

    /// `from` is the answer to RNFR, if there is one already.
    async fn rename(&mut self, temporary: &str, from: Option<Reply>) -> Result<RenameOutcome> {
        let from = match from {
            Some(from) => from,
            None => self.control().await?.ask(&format!("RNFR {temporary}")).await?,
        };
        if !from.wants_more() {
            return Ok(RenameOutcome::Refused(left_behind_error(from.refusal("the rename"), temporary)));
        }
        let mut commands = vec![format!("RNTO {}", self.target.name)];
        commands.extend(self.look_command());
        self.appearing = true;
        let control = self.control().await?;
        let replies = match (control.behaviour.keeps_order(), commands.as_slice()) {
            (true, _) => control.ask_all_and_prepare(&commands).await,
            (false, [rename, ..]) => control.ask(rename).await.map(|reply| vec![reply]),
            (false, []) => Ok(Vec::new()),
        };
        let mut replies = match replies {
            Ok(replies) => replies.into_iter(),
            Err(error) => return Ok(RenameOutcome::Unanswered(error)),
        };
        Ok(match replies.next() {
            None => RenameOutcome::Unanswered(Error::new(Kind::Interrupted, "the server did not answer the rename")),
            Some(reply) if reply.is_passive() || reply.is_closing() => {
                self.pool.behaviour.avoid_pipelining();
                RenameOutcome::Unanswered(reply.refusal("the rename"))
            }
            Some(reply) if reply.is_done() => {
                self.check_renamed(replies.next()).await?;
                RenameOutcome::Done
            }
            // "Local error" is pure-ftpd's answer when it may not rename, or can't rename across disks. It is permanent.
            Some(reply) if reply.code == 451 => {
                RenameOutcome::Refused(left_behind_error(reply.refusal("the rename").with_kind(Kind::Refused), temporary))
            }
            Some(reply) => RenameOutcome::Refused(left_behind_error(reply.refusal("the rename"), temporary)),
        })
    }

    /// After a lost answer: if the old name is still there, the rename was not done and can be repeated. If it is gone, the
    /// rename was done, even if the new name is not visible.
    async fn clear_up(&mut self, temporary: &str, unanswered: Error) -> Result<()> {
        match self.size().await? {
            Size::Absent => return Ok(()),
            Size::Unknown => return Err(unanswered.with_kind(Kind::Unknown)),
            Size::Bytes(_) => {}
        }
        match self.rename(temporary, None).await? {
            RenameOutcome::Done => Ok(()),
            RenameOutcome::Refused(error) => Err(self.left_complete_error(error)),
            RenameOutcome::Unanswered(error) => Err(error),
        }
    }

    /// After a refused rename the whole file is there and must stay, so that the user can rename it.
    fn left_complete_error(&mut self, error: Error) -> Error {
        self.whole = true;
        error
    }
}

/// True if the command is unknown or forbidden. (The name itself is no reason: haul has checked that it is free.)
fn is_no_rename(error: &Error) -> bool {
    matches!(error.status_code(), Some(500 | 502 | 504 | 550 | 553))
}

/// If the server can't be reached now, the rename may have been done.
pub(super) fn uncertain_rename_error(error: Error) -> Error {
    if error.kind() == Kind::Unreachable { error.with_kind(Kind::Interrupted) } else { error }
}

fn left_behind_error(error: Error, temporary: &str) -> Error {
    error.with_hint(format!("rename {temporary} on the server: it holds the whole file"))
}
