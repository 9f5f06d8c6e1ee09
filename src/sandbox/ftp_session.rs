//! The control connection of one FTP session, and the faults that may strike any request, for the requests of FTP
//! (`ftp-connect`, `ftp-size`, `ftp-stor`, `ftp-delete`, `ftp-rename`).

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, Socket};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use unftp_core::storage::{Error, ErrorKind, Result};

use super::faults::table::Fault;
use super::faults::{FaultHit, Faults, RequestInfo};
use super::middleware::Shared;

pub const STOR: &str = "ftp-stor";

/// The data that the FTP sessions of one stand-in share.
#[derive(Clone)]
pub struct FtpScript {
    pub shared: Arc<Shared>,
    pub provider: &'static str,
}

impl FtpScript {
    fn request_info<'a>(&self, kind: &'a str) -> RequestInfo<'a> {
        RequestInfo { provider: self.provider, kind, carries_file: kind == STOR }
    }

    pub fn hit(&self, fault: Fault) -> Option<FaultHit> {
        self.shared.faults.hit(self.provider, fault)
    }

    /// Bytes after which the data connection of this STOR is cut.
    pub fn cut_after(&self) -> Option<u64> {
        let strike = self.hit(Fault::FtpCut).or_else(|| self.shared.faults.take(self.request_info(STOR), Fault::Cut))?;
        Some(strike.number)
    }

    /// True if a new connection is refused.
    pub fn is_refused(&self) -> bool {
        let asked = self.request_info("ftp-connect");
        let faults = self.record_request(asked);
        faults.is_gone(asked) || faults.take(asked, Fault::Cut).is_some()
    }

    fn record_request(&self, asked: RequestInfo<'_>) -> &Faults {
        self.shared.store.count_request(self.provider, asked.kind);
        self.shared.log.add(self.provider, asked.kind, None);
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
            // The connection may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Does `work` for one request, unless a fault comes before it. To lose an answer, the connection is cut after the work.
    pub async fn at<T>(&self, kind: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let asked = self.script.request_info(kind);
        let faults = self.script.record_request(asked);
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

/// The data connection, with a count of its bytes. After a failure (also a missing close of the TLS session) or a scripted cut
/// the input ends without an error, and the failure is noted: so the storage keeps the bytes that came, and the transfer is
/// answered with 426.
pub struct CountedInput<R> {
    inner: R,
    script: FtpScript,
    /// The name of the upload in the counts.
    name: String,
    block: Vec<u8>,
    left: Option<u64>,
    failed: Arc<OnceLock<()>>,
}

impl<R> CountedInput<R> {
    pub fn new(inner: R, script: FtpScript, name: String, failed: Arc<OnceLock<()>>) -> CountedInput<R> {
        let (left, block) = (script.cut_after(), vec![0; 64 * 1024]);
        CountedInput { inner, script, name, block, left, failed }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for CountedInput<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let CountedInput { inner, block, left, failed, .. } = &mut *self;
        let room = left.map_or(usize::MAX, |l| usize::try_from(l).unwrap_or(usize::MAX)).min(buf.remaining()).min(block.len());
        let mut limited = ReadBuf::new(block.get_mut(..room).unwrap_or_default());
        let ended = room == 0 || ready!(Pin::new(inner).poll_read(cx, &mut limited)).is_err();
        if ended {
            failed.get_or_init(|| ());
            return Poll::Ready(Ok(()));
        }
        let read = limited.filled();
        buf.put_slice(read);
        let read = read.len();
        if let Some(left) = left {
            *left = left.saturating_sub(read as u64);
        }
        self.script.shared.store.count_received(self.script.provider, &self.name, read);
        Poll::Ready(Ok(()))
    }
}
