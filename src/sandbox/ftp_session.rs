//! The control connection of one FTP session, and what befalls it: the faults that may strike any request, at the
//! requests of FTP (`ftp-connect`, `ftp-size`, `ftp-stor`, `ftp-delete`, `ftp-rename`).

use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, Socket};
use tokio::net::TcpStream;
use unftp_core::storage::{Error, ErrorKind, Result};

use super::faults::table::Fault;
use super::faults::{FaultHit, Faults, RequestInfo};
use super::middleware::Shared;

pub const STOR: &str = "ftp-stor";

/// What the FTP sessions of one stand-in share.
#[derive(Clone)]
pub struct FtpScript {
    pub shared: Arc<Shared>,
    pub provider: &'static str,
}

impl FtpScript {
    fn asked<'a>(&self, kind: &'a str) -> RequestInfo<'a> {
        RequestInfo { provider: self.provider, kind, carries_file: kind == STOR }
    }

    pub fn hit(&self, fault: Fault) -> Option<FaultHit> {
        self.shared.faults.hit(self.provider, fault)
    }

    /// Bytes after which the data connection of this STOR is cut.
    pub fn cut_after(&self) -> Option<u64> {
        let strike = self.hit(Fault::FtpCut).or_else(|| self.shared.faults.take(self.asked(STOR), Fault::Cut))?;
        Some(strike.number)
    }

    /// Is a new connection refused?
    pub fn is_refused(&self) -> bool {
        let asked = self.asked("ftp-connect");
        let faults = self.come_in(asked);
        faults.is_gone(asked) || faults.take(asked, Fault::Cut).is_some()
    }

    fn come_in(&self, asked: RequestInfo<'_>) -> &Faults {
        self.shared.store.count_request(self.provider, asked.kind);
        self.shared.faults.arrive(asked);
        &self.shared.faults
    }
}

/// One session. Without a socket it can't be cut.
pub struct FtpConnection {
    script: FtpScript,
    socket: Option<Socket>,
}

impl FtpConnection {
    pub fn of(stream: &TcpStream, script: FtpScript) -> Arc<FtpConnection> {
        Arc::new(FtpConnection { script, socket: SockRef::from(stream).try_clone().ok() })
    }

    fn cut(&self) {
        if let Some(socket) = &self.socket {
            // It may be gone by itself.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Does `work` for one request, unless a fault comes before it. A lost answer is lost with the connection.
    pub async fn at<T>(&self, kind: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let asked = self.script.asked(kind);
        let faults = self.script.come_in(asked);
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
