//! Sends two commands in one round trip, if the second does not depend on the first answer.
//!
//! No standard forbids this between transfers, but servers differ: replies are told apart by their codes, and after the first
//! sign of trouble the server gets one command at a time for the rest of the run. Only commands that can be repeated are sent
//! before an answer (SIZE, RNFR, EPSV). During a transfer nothing is sent: pure-ftpd would answer with 500.

use std::pin::pin;

use futures_util::poll;
use tokio::task::coop::unconstrained;
use tokio::time::timeout;

use super::control::{Connection, Prepared, STEPS, port_told_by};
use super::reply;
use super::reply::{Reply, silent};
use crate::error::Result;

/// Replies to EPSV and PASV; no other command has these codes.
const PASSIVE_CODES: [u16; 2] = [227, 229];

impl Connection {
    /// Sends a command. Its reply is read later, unless it is there at once.
    async fn post(&mut self, command: &str) -> Result<Option<Reply>> {
        self.in_step = false;
        let socket = self.ftp.get_ref().await;
        let is_writable = timeout(self.timeout, socket.writable()).await;
        drop(socket);
        is_writable.map_err(|_| silent(self.timeout))?.map_err(reply::connection_lost)?;
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
        if !self.manners.pipelines() {
            return Ok((self.ask(first).await?, self.ask(second).await?));
        }
        self.read_prepared().await?;
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
                self.manners.avoid_pipelining();
                Ok((other, one))
            }
            Ok((one, other)) => {
                if !other.wants_more() {
                    self.manners.avoid_pipelining();
                }
                Ok((one, other))
            }
            Err(error) => {
                self.manners.avoid_pipelining();
                Err(error)
            }
        }
    }

    /// Sends a command, and after it the request for the next data connection, whose answer is read when it is needed.
    pub async fn ask_and_prepare(&mut self, command: &str) -> Result<Reply> {
        if !self.manners.pipelines() || !self.manners.connects_side_by_side() {
            return self.ask(command).await;
        }
        self.read_prepared().await?;
        if let Some(reply) = self.post(command).await? {
            return Ok(reply);
        }
        let reply = self.ask_within(self.manners.passive_command(), self.timeout).await?;
        if PASSIVE_CODES.contains(&reply.code) {
            self.manners.avoid_pipelining();
            self.prepared = Prepared::Answered(reply);
            return self.reply(self.timeout).await;
        }
        if !reply.is_closing() {
            self.prepared = Prepared::Sent;
        }
        Ok(reply)
    }

    /// Reads the outstanding answer. Fails when none comes: then the connection is of no use.
    pub(super) async fn read_prepared(&mut self) -> Result<()> {
        if !matches!(self.prepared, Prepared::Sent) {
            return Ok(());
        }
        self.prepared = Prepared::No;
        match self.reply(self.timeout / STEPS).await {
            Ok(reply) => {
                self.prepared = Prepared::Answered(reply);
                Ok(())
            }
            Err(error) => {
                self.manners.avoid_pipelining();
                Err(error)
            }
        }
    }

    /// Returns the port that was requested in advance, once.
    pub(super) async fn prepared_port(&mut self) -> Result<Option<u16>> {
        self.read_prepared().await?;
        match std::mem::take(&mut self.prepared) {
            Prepared::Answered(reply) => Ok(port_told_by(&reply)),
            Prepared::No | Prepared::Sent => Ok(None),
        }
    }
}
