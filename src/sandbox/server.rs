//! The listening side of the HTTP stand-ins: loopback only, and every connection can be cut in the middle, the way a
//! dying line does it (RST, nothing more is written).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::task::AtomicWaker;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::storage::held;
use crate::error::Result;

/// Cuts one connection.
#[derive(Clone)]
pub struct ConnectionHandle(Arc<Socket>);

#[derive(Default)]
struct Socket {
    cut: AtomicBool,
    reader: AtomicWaker,
}

impl ConnectionHandle {
    /// The peer sees a reset; whatever handler works on this connection is dropped.
    pub fn cut(&self) {
        self.0.cut.store(true, Ordering::SeqCst);
        self.0.reader.wake();
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().wire.clone()
    }
}

/// A running HTTP server; dropping it cuts every connection.
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
    lines: Sockets,
}

type Sockets = Arc<Mutex<Vec<Weak<Socket>>>>;

/// A bound port that serves nothing yet, so that the pages served may speak of their own address.
pub struct BoundServer(TcpListener, SocketAddr);

impl BoundServer {
    pub async fn new() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(BoundServer(listener, address))
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.1)
    }

    pub fn serve(self, routes: Router) -> Server {
        let lines = Sockets::default();
        let door = CuttableListener { tcp: self.0, lines: lines.clone() };
        let service = routes.into_make_service_with_connect_info::<ConnectionHandle>();
        let accepting = tokio::spawn(async move {
            // The accept loop itself never ends with an error.
            let _ = axum::serve(door, service).await;
        });
        Server { address: self.1, accepting, lines }
    }
}

impl Server {
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Nobody is let in any more, and every connection is cut.
    pub fn stop(&self) {
        self.accepting.abort();
        for line in held(&self.lines).drain(..).filter_map(|l| l.upgrade()) {
            ConnectionHandle(line).cut();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

pub struct CuttableListener {
    tcp: TcpListener,
    lines: Sockets,
}

impl Listener for CuttableListener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.tcp.accept().await {
                Ok((tcp, peer)) => {
                    // Answers are small; without this each one waits for the peer's delayed ACK.
                    let _ = tcp.set_nodelay(true);
                    let line = Arc::new(Socket::default());
                    let mut lines = held(&self.lines);
                    lines.retain(|l| l.strong_count() > 0);
                    lines.push(Arc::downgrade(&line));
                    return (Stream { tcp, wire: ConnectionHandle(line) }, peer);
                }
                // Out of file descriptors, most likely: others will close theirs.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

pub struct Stream {
    tcp: TcpStream,
    wire: ConnectionHandle,
}

impl Stream {
    fn uncut(&self) -> io::Result<()> {
        if self.wire.0.cut.load(Ordering::SeqCst) {
            // No lingering: closing sends RST instead of FIN.
            let _ = SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO));
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.wire.0.reader.register(cx.waker());
        self.uncut()?;
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.uncut()?;
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.uncut()?;
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.uncut()?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
