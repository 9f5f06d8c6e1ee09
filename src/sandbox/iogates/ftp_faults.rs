//! The control connection of one FTP session, and what befalls it: the faults that may strike any request, at the
//! requests of FTP (`ftp-connect`, `ftp-size`, `ftp-stor`, `ftp-delete`, `ftp-rename`).

use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, Socket};
use tokio::net::TcpStream;
use unftp_core::storage::{Error, ErrorKind, Result};

use super::NAME;
use super::state::Iogates;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::faults::{Faults, RequestInfo};

/// None: it can't be cut.
pub struct FtpConnection(Option<Socket>);

pub const STOR: &str = "ftp-stor";

fn asked(kind: &str) -> RequestInfo<'_> {
    RequestInfo { provider: NAME, kind, carries_file: kind == STOR }
}

/// Bytes after which the data connection of this STOR is cut.
pub fn cut_after(host: &Iogates) -> Option<u64> {
    let strike = host.hit(Fault::FtpCut).or_else(|| host.ground.faults.take(asked(STOR), Fault::Cut))?;
    Some(strike.number)
}

/// Is a new connection refused?
pub fn is_refused(host: &Iogates) -> bool {
    let asked = asked("ftp-connect");
    let faults = come_in(host, asked);
    faults.is_gone(asked) || faults.take(asked, Fault::Cut).is_some()
}

fn come_in<'a>(host: &'a Iogates, asked: RequestInfo<'_>) -> &'a Faults {
    host.ground.store.count_request(NAME, asked.kind);
    host.ground.faults.arrive(asked);
    &host.ground.faults
}

impl FtpConnection {
    pub fn of(stream: &TcpStream) -> Arc<FtpConnection> {
        Arc::new(FtpConnection(SockRef::from(stream).try_clone().ok()))
    }

    fn cut(&self) {
        if let Some(socket) = &self.0 {
            // It may be gone by itself.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Does `work` for one request, unless a fault comes before it. A lost answer is lost with the connection.
    pub async fn at<T>(&self, host: &Iogates, kind: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let asked = asked(kind);
        let faults = come_in(host, asked);
        let later = kind == STOR && faults.peek(asked, Fault::Cut).is_some_and(|strike| strike.number > 0);
        if faults.is_gone(asked) || (!later && faults.take(asked, Fault::Cut).is_some()) {
            self.cut();
            return Err(Error::from(ErrorKind::ConnectionClosed));
        }
        if faults.take(asked, Fault::Unavailable).or_else(|| faults.take(asked, Fault::TooMany)).is_some() {
            return Err(Error::from(ErrorKind::TransientFileNotAvailable));
        }
        if faults.take(asked, Fault::ServerError).is_some() {
            return Err(Error::from(ErrorKind::LocalError));
        }
        let done = work.await;
        if let Some(strike) = faults.take(asked, Fault::Slow) {
            tokio::time::sleep(Duration::from_millis(strike.number)).await;
        }
        if faults.take(asked, Fault::AnswerLost).is_some() {
            self.cut();
        }
        done
    }
}
