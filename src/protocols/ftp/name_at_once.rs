//! Renames a small file and asks for it in one round trip. On a slow line a small file takes as long as its round trips: with
//! this one it needs four (STOR, TLS, the bytes, the rename); at vsftpd five, which answers 226 only when the client's machine has
//! confirmed the end of the data connection.
//!
//! The other way ([`super::rename`]) looks at the name and at the size before the rename. Here the name was free when the
//! transfer began, at most half a second ago, and the size is compared after the rename. If the server refuses anything, or
//! mixes up the answers, the file is renamed the other way.

use std::time::Duration;

use super::FtpSession;
use super::FtpTarget;
use super::commands::MLST_WAIT;
use super::listing::{RemoteKind, row_in};
use super::rename::uncertain_rename_error;
use super::reply::Reply;
use super::size::Size;
use crate::error::{Error, Kind, Result};
use crate::model::Entry;

/// The largest size in bytes. For a larger file one more round trip does not matter.
const SMALL: u64 = 1 << 20;
/// After this time the name is looked for again.
const STAYS_FREE: Duration = Duration::from_millis(500);

impl FtpTarget {
    /// True if the file can be renamed without a look directly before.
    pub(super) fn is_named_at_once(&self) -> bool {
        self.confirmed.is_some() && !self.is_direct() && self.must_be_free && self.size.is_some_and(|size| size <= SMALL)
    }
}

impl FtpSession {
    fn may_name_at_once(&self) -> bool {
        let is_free = self.free_at.is_some_and(|since| since.elapsed() < STAYS_FREE);
        is_free && self.target.is_named_at_once() && self.pool.behaviour.keeps_order() && !self.appearing
    }

    /// Returns false if the file still has its temporary name.
    pub(super) async fn name_at_once(&mut self, temporary: &str) -> Result<bool> {
        if !self.may_name_at_once() {
            return Ok(false);
        }
        let mut commands: Vec<String> = self.time_command(temporary).into_iter().collect();
        let before = commands.len();
        commands.extend([format!("RNFR {temporary}"), format!("RNTO {}", self.target.name)]);
        commands.extend(self.look_command());
        self.appearing = true;
        let unanswered = match self.control().await?.ask_all_and_prepare(&commands).await {
            Ok(replies) => match replies.get(before..) {
                Some([from, to, looked]) if from.wants_more() && is_renamed(to) && !looked.wants_more() => {
                    let looked = looked.clone();
                    return self.check_renamed(Some(looked)).await.map(|()| true);
                }
                Some([from, to, looked]) if !to.is_closing() && !looked.is_closing() => {
                    if to.is_done() || to.wants_more() || looked.wants_more() {
                        // The answers are not in the order of the commands.
                        self.pool.behaviour.avoid_pipelining();
                    }
                    if !to.is_done() {
                        return Ok(false);
                    }
                    to.refusal("the rename")
                }
                _ => Error::new(Kind::Interrupted, "the server closed the connection"),
            },
            Err(error) => error,
        };
        // If the temporary name is gone, the rename was done.
        match self.size().await.map_err(uncertain_rename_error)? {
            Size::Absent => Ok(true),
            Size::Bytes(_) => Ok(false),
            Size::Unknown => Err(unanswered.with_kind(Kind::Unknown)),
        }
    }

    /// The command that asks for the file under its own name. None: the caller looks by itself.
    pub(super) fn look_command(&self) -> Option<String> {
        self.target.confirmed.as_ref()?;
        Some(format!("{} {}", if self.pool.behaviour.tries_mlst() { "MLST" } else { "SIZE" }, self.target.name))
    }

    /// Reads the answer to the look command; without an answer the command is sent. If the answer is of no use, the caller looks
    /// for the file as usual.
    pub(super) async fn check_renamed(&mut self, looked: Option<Reply>) -> Result<()> {
        let (Some((entry, told)), Some(command)) = (self.target.confirmed.clone(), self.look_command()) else { return Ok(()) };
        let within = self.pool.server.timeout.min(MLST_WAIT);
        let looked = match looked {
            Some(looked) => looked,
            None => match self.control().await?.ask_within(&command, within).await {
                Ok(looked) => looked,
                Err(_) => return Ok(()),
            },
        };
        let entry =
            match command.starts_with("MLST") {
                true => row_in(&looked)
                    .filter(|row| looked.is_done() && row.kind == RemoteKind::File && row.size.is_some())
                    .map(|row| Entry { size: row.size, modified: row.modified, ..entry }),
                false => match Size::parse_size(&looked) {
                    Ok(Size::Bytes(held)) => Some(Entry { size: Some(held), ..entry }),
                    _ => None,
                },
            };
        let Some(entry) = entry else { return Ok(()) };
        let name = self.target.name.clone();
        self.compare(&name, entry.size.map_or(Size::Unknown, Size::Bytes)).await?;
        let _ = told.set(entry);
        Ok(())
    }
}

fn is_renamed(to: &Reply) -> bool {
    to.is_done() && !to.is_passive()
}
