//! The end of an upload: the size is right, and the file gets its name (providers.md 6.5).

use super::FtpSession;
use super::control::Size;
use crate::error::{Error, Kind, Result};

/// What became of a rename.
enum Renamed {
    Done,
    Refused(Error),
    /// The command went out, and no answer came back.
    Unanswered(Error),
}

impl FtpSession {
    pub(crate) async fn settle(&mut self) -> Result<()> {
        if let (Some(flow), Some(control)) = (self.flow.take(), self.control.as_mut()) {
            flow.complete(control).await?;
        }
        self.check_size().await?;
        if self.target.is_direct() {
            return Ok(());
        }
        let temporary = self.target.travelling().to_owned();
        match self.rename(&temporary).await? {
            Renamed::Done => Ok(()),
            Renamed::Refused(error) => Err(self.left_whole(error)),
            Renamed::Unanswered(error) => self.clear_up(&temporary, error).await.map_err(may_be_done),
        }
    }

    async fn check_size(&mut self) -> Result<()> {
        let Some(expected) = self.target.size else { return Ok(()) };
        // Absent: a file that has its final name already may have been taken in; else the rename will tell.
        let Size::Bytes(held) = self.size().await? else { return Ok(()) };
        if held == expected {
            return Ok(());
        }
        let left = match self.remove().await {
            Ok(true) => String::new(),
            _ => format!("; it is left there as {}", self.target.travelling()),
        };
        Err(Error::new(Kind::Integrity, format!("the server holds {held} bytes of {expected}{left}")))
    }

    async fn rename(&mut self, temporary: &str) -> Result<Renamed> {
        let from = self.control().await?.ask(&format!("RNFR {temporary}")).await?;
        if !from.wants_more() {
            return Ok(Renamed::Refused(left_behind(from.refusal("the rename"), temporary)));
        }
        let command = format!("RNTO {}", self.target.name);
        self.appearing = true;
        Ok(match self.control().await?.ask(&command).await {
            Ok(reply) if reply.is_done() => Renamed::Done,
            Ok(reply) if reply.is_closing() => Renamed::Unanswered(reply.refusal("the rename")),
            // "Local error": pure-ftpd's answer when it may not rename, or can't from disk to disk. It stays so.
            Ok(reply) if reply.code == 451 => {
                Renamed::Refused(left_behind(reply.refusal("the rename").with_kind(Kind::Refused), temporary))
            }
            Ok(reply) => Renamed::Refused(left_behind(reply.refusal("the rename"), temporary)),
            Err(error) => Renamed::Unanswered(error),
        })
    }

    /// Is the old name still there? Then the rename was not done, and doing it once more can't do harm. Gone: it was
    /// done, whether or not the new name is still to be seen.
    async fn clear_up(&mut self, temporary: &str, unanswered: Error) -> Result<()> {
        match self.size().await? {
            Size::Absent => return Ok(()),
            Size::Unknown => return Err(unanswered.with_kind(Kind::Unknown)),
            Size::Bytes(_) => {}
        }
        match self.rename(temporary).await? {
            Renamed::Done => Ok(()),
            Renamed::Refused(error) => Err(self.left_whole(error)),
            Renamed::Unanswered(error) => Err(error),
        }
    }

    /// For a refused rename: what lies there is the whole file, and whoever may rename it must still find it.
    fn left_whole(&mut self, error: Error) -> Error {
        self.whole = true;
        error
    }
}

/// A server that can't be reached now has had the rename all the same.
fn may_be_done(error: Error) -> Error {
    if error.kind() == Kind::Unreachable { error.with_kind(Kind::Interrupted) } else { error }
}

fn left_behind(error: Error, temporary: &str) -> Error {
    error.with_hint(format!("rename {temporary} on the server: it holds the whole file"))
}
