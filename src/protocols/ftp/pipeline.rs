//! Sends several commands in one round trip, if none depends on the answer to another.
//!
//! No standard forbids this between transfers, but servers differ: replies are told apart by their codes, and after the first
//! sign of trouble the server gets one command at a time for the rest of the run. At first only SIZE and RNFR are sent
//! together, because both can be repeated. RNTO and STOR are sent behind others only to a server that has answered those two in
//! order. During a transfer nothing is sent: pure-ftpd would answer with 500.

use std::pin::pin;
use std::time::Duration;

use futures_util::poll;
use tokio::task::coop::unconstrained;
use tokio::time::timeout;

use super::control::Connection;
use super::reply;
use super::reply::{Reply, timeout_error};
use crate::error::{Error, Kind, Result};

impl Connection {
    /// Sends a command. Its reply is read later, unless it is there at once.
    async fn post(&mut self, command: &str) -> Result<Option<Reply>> {
        self.in_step = false;
        let socket = self.ftp.get_ref().await;
        let is_writable = timeout(self.timeout, socket.writable()).await;
        drop(socket);
        is_writable.map_err(|_| timeout_error(self.timeout))?.map_err(reply::connection_lost_error)?;
        tracing::debug!(target: "haul::ftp", "{command}");
        // suppaftp sends and waits in one call. If the socket has room, the first poll sends the command; a reply that was not
        // waited for is kept for the next call.
        let answered = {
            let mut asked = pin!(unconstrained(self.ftp.custom_command(command, &[])));
            poll!(asked.as_mut())
        };
        match answered {
            std::task::Poll::Pending => Ok(None),
            std::task::Poll::Ready(answer) => self.take(Ok(answer), self.timeout).map(Some),
        }
    }

    /// Sends two commands in one round trip and returns both replies. `second` must not depend on the answer to `first`, and
    /// only a reply to `second` may be of class 3xx.
    pub async fn ask_two(&mut self, first: &str, second: &str) -> Result<(Reply, Reply)> {
        if !self.behaviour.pipelines() {
            return Ok((self.ask(first).await?, self.ask(second).await?));
        }
        if let Some(reply) = self.post(first).await? {
            return Ok((reply, self.ask(second).await?));
        }
        let replies = async {
            let one = self.ask_within(second, self.timeout).await?;
            let other = self.reply(self.timeout).await?;
            Ok((one, other))
        };
        match replies.await {
            // Some servers (libunftp) answer the faster command first.
            Ok((one, other)) if one.wants_more() => {
                self.behaviour.avoid_pipelining();
                Ok((other, one))
            }
            Ok((one, other)) => {
                match other.wants_more() {
                    true => self.behaviour.record_pipelining(),
                    false => self.behaviour.avoid_pipelining(),
                }
                Ok((one, other))
            }
            Err(error) => {
                self.behaviour.avoid_pipelining();
                Err(error)
            }
        }
    }

    /// Sends all commands in one round trip, and returns the replies in their order. No command may depend on the answer to
    /// another.
    pub async fn ask_all(&mut self, commands: &[String]) -> Result<Vec<Reply>> {
        let asked = async {
            let (mut replies, mut open) = (Vec::with_capacity(commands.len()), 0);
            let Some((last, others)) = commands.split_last() else { return Ok(replies) };
            for command in others {
                open += 1;
                if let Some(reply) = self.post(command).await? {
                    open -= 1;
                    replies.push(reply);
                }
            }
            replies.push(self.ask_within(last, self.timeout).await?);
            for _ in 0..open {
                if replies.last().is_some_and(Reply::is_closing) {
                    break;
                }
                replies.push(self.reply(self.timeout).await?);
            }
            Ok(replies)
        };
        let replies = asked.await;
        if replies.is_err() {
            self.behaviour.avoid_pipelining();
        }
        replies
    }

    /// Sends `command` directly after `look`. The answer to `look` is kept in `looked`.
    pub(super) async fn ask_behind(&mut self, look: &str, command: &str, within: Duration) -> Result<Reply> {
        if let Some(looked) = self.post(look).await? {
            self.looked = Some(looked);
            self.look_answered.notify_one();
            return self.ask_within(command, within).await;
        }
        let looked = self.ask_within(command, within).await?;
        self.in_step = false;
        if looked.is_starting() || looked.is_closing() {
            self.behaviour.avoid_pipelining();
            return Err(Error::new(Kind::Interrupted, "the server does not answer in order").with_cause(looked.to_anyhow()));
        }
        self.looked = Some(looked);
        self.look_answered.notify_one();
        let answered = timeout(within, self.ftp.read_response_in(&[])).await;
        self.take(answered, within)
    }

    /// As [`Self::ask_all`]. The last command is the request for the next data connection.
    pub async fn ask_all_and_prepare(&mut self, commands: &[String]) -> Result<Vec<Reply>> {
        if !self.behaviour.connects_side_by_side() {
            return self.ask_all(commands).await;
        }
        let mut all = commands.to_vec();
        all.push(self.behaviour.passive_command().to_owned());
        let mut replies = self.ask_all(&all).await?;
        if replies.len() == all.len() {
            self.prepared = replies.pop();
        }
        Ok(replies)
    }
}
