//! Commands that need no data connection: checks, folders, removing, renaming.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connect::greet;
use super::control::Connection;
use super::features::Features;
use super::pool::FtpPool;
use super::reply::Reply;
use super::size::Size;
use crate::error::{Error, Kind, Result};
use crate::model::escape::shorten;

/// The time for the answer to MLST: uftpd announces it and never answers (providers.md 12).
pub(super) const MLST_WAIT: Duration = Duration::from_secs(5);
/// Bytes that even a slow disk hashes in a second.
const HASHED_PER_SECOND: u64 = 20 << 20;

impl FtpPool {
    /// Connects to the server without signing in.
    pub async fn greet(&self) -> Result<String> {
        greet(&self.server).await
    }

    /// Signs in, if no connection has done so, and returns the server's features.
    pub async fn features(self: &Arc<Self>) -> Result<&Features> {
        if self.behaviour.features().is_none() {
            let connection = self.take().await?;
            self.give(connection);
        }
        self.behaviour.features().ok_or_else(|| self.with_server_name(Error::new(Kind::Protocol, "the server did not report its features")))
    }

    /// Sends a command that changes nothing. If a kept connection turns out to be dead, the command is sent again on a new one.
    pub async fn query(self: &Arc<Self>, command: &str) -> Result<Reply> {
        self.query_after(None, command, self.server.timeout).await
    }

    /// As [`Self::query`], after another command on the same connection, whose answer is ignored.
    async fn query_after(self: &Arc<Self>, before: Option<&str>, command: &str, within: Duration) -> Result<Reply> {
        let ask = async |connection: &mut Connection| {
            if let Some(before) = before {
                connection.ask(before).await?;
            }
            connection.ask_within(command, within).await
        };
        let mut connection = self.take().await?;
        let reply = match ask(&mut connection).await {
            Err(error) if error.kind().is_transient() && !connection.fresh => {
                connection = self.replace(Some(connection)).await?;
                ask(&mut connection).await
            }
            reply => reply,
        };
        self.give(connection);
        reply.map_err(|error| self.with_server_name(error))
    }

    /// Asks for one entry. None: a connection that works has not answered in time, and MLST is not sent again.
    pub(super) async fn query_mlst(self: &Arc<Self>, path: &str) -> Result<Option<Reply>> {
        let (command, within) = (format!("MLST {path}"), self.server.timeout.min(MLST_WAIT));
        let mut connection = self.take().await?;
        let reply = loop {
            let begun = Instant::now();
            match connection.ask_within(&command, within).await {
                // A kept connection may be dead.
                Err(error) if error.kind().is_transient() && !connection.fresh => connection = self.replace(Some(connection)).await?,
                Err(_) if begun.elapsed() >= within => {
                    self.behaviour.avoid_mlst();
                    return Ok(None);
                }
                reply => break reply,
            }
        };
        self.give(connection);
        reply.map(Some).map_err(|error| self.with_server_name(error))
    }

    /// Sends a command that changes something, once. After `Interrupted` the change may have been done.
    pub async fn change(self: &Arc<Self>, command: &str) -> Result<Reply> {
        let mut connection = self.take().await?;
        let reply = connection.ask(command).await;
        self.give(connection);
        reply.map_err(|error| self.with_server_name(error))
    }

    /// Is there a folder that can be entered? The connection that has entered it is closed.
    pub(super) async fn has_folder(self: &Arc<Self>, path: &str) -> Result<bool> {
        let reply = self.take().await?.ask(&format!("CWD {path}")).await.map_err(|error| self.with_server_name(error))?;
        match reply.code {
            400..=499 => Err(self.with_server_name(reply.refusal("the question for a folder"))),
            _ => Ok(reply.is_done()),
        }
    }

    /// The size of a file on the server, in bytes.
    pub async fn size_of(self: &Arc<Self>, path: &str) -> Result<Size> {
        Size::parse_size(&self.query(&format!("SIZE {path}")).await?)
    }

    /// The MD5 of a file in lower-case hex, if the server supports that; `size` is the file's size in bytes. The server reads
    /// the file for it.
    pub async fn md5_of(self: &Arc<Self>, path: &str, size: Option<u64>) -> Result<Option<String>> {
        let features = self.features().await?;
        let Some(command) = features.md5_command() else { return Ok(None) };
        // The choice applies to one connection only.
        let choose = (command == "HASH" && features.must_choose_md5()).then_some("OPTS HASH MD5");
        let within = self.server.timeout + Duration::from_secs(size.unwrap_or(0) / HASHED_PER_SECOND);
        let reply = self.query_after(choose, &format!("{command} {path}"), within).await?;
        Ok(md5_in(&reply))
    }

    /// Fails with `Exists` if the code says so (521), else with the server's refusal, which names no path.
    pub async fn make_folder(self: &Arc<Self>, path: &str) -> Result<()> {
        let reply = self.change(&format!("MKD {path}")).await?;
        if reply.is_done() {
            return Ok(());
        }
        let refusal = reply.refusal("the folder");
        Err(self.with_server_name_unless_refused(if reply.code == 521 { refusal.with_kind(Kind::Exists) } else { refusal }))
    }

    pub async fn remove_file(self: &Arc<Self>, path: &str) -> Result<()> {
        self.run_command(&format!("DELE {path}"), "the removal").await
    }

    /// Removes an empty folder.
    pub async fn remove_folder(self: &Arc<Self>, path: &str) -> Result<()> {
        self.run_command(&format!("RMD {path}"), "the removal").await
    }

    async fn run_command(self: &Arc<Self>, command: &str, what: &str) -> Result<()> {
        let reply = self.change(command).await?;
        if reply.is_done() { Ok(()) } else { Err(self.with_server_name_unless_refused(reply.refusal(what))) }
    }

    /// Gives the file or folder another path. Some servers overwrite an existing file there: the caller must check first.
    pub async fn rename(self: &Arc<Self>, from: &str, to: &str) -> Result<()> {
        self.rename_unless_taken(from, to).await?.map_or(Ok(()), Err)
    }

    /// As [`Self::rename`], but returns the refusal of the new path (550 and 553 to RNTO), which may be taken; all other
    /// refusals are errors.
    pub async fn rename_unless_taken(self: &Arc<Self>, from: &str, to: &str) -> Result<Option<Error>> {
        let mut connection = self.take().await?;
        let renamed = async {
            let begun = connection.ask(&format!("RNFR {from}")).await?;
            if !begun.wants_more() {
                return Err(begun.refusal("the rename"));
            }
            let reply = connection.ask(&format!("RNTO {to}")).await?;
            match reply.code {
                _ if reply.is_done() => Ok(None),
                550 | 553 => Ok(Some(reply.refusal("the rename"))),
                // pure-ftpd's "local error" is permanent (providers.md 12).
                451 => Err(reply.refusal("the rename").with_kind(Kind::Refused)),
                _ => Err(reply.refusal("the rename")),
            }
        };
        let renamed = renamed.await;
        self.give(connection);
        renamed
            .map(|taken| taken.map(|refusal| self.with_server_name_unless_refused(refusal)))
            .map_err(|error| self.with_server_name_unless_refused(error))
    }
}

/// Finds the 32 hex digits in an answer such as `250 D41D8CD98F00B204E9800998ECF8427E` or `213 MD5 0-7 d41d8... name`.
fn md5_in(reply: &Reply) -> Option<String> {
    if !reply.is_done() {
        tracing::debug!("no MD5: {}", shorten(&reply.text, 100));
        return None;
    }
    let is_md5 = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    reply.text.split_whitespace().skip(1).map(|word| word.trim_matches('"')).find(is_md5).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_md5_is_found_in_any_form() {
        let told = |code, text: &str| md5_in(&Reply { code, text: text.to_owned() });
        let md5 = Some("d41d8cd98f00b204e9800998ecf8427e".to_owned());
        assert_eq!(told(250, "250 D41D8CD98F00B204E9800998ECF8427E"), md5);
        assert_eq!(told(251, "251 \"a b.txt\" d41d8cd98f00b204e9800998ecf8427e"), md5);
        assert_eq!(told(550, "550 D41D8CD98F00B204E9800998ECF8427E"), None);
        assert_eq!(told(250, "250 done"), None);
    }
}
