//! The listener of the HTTP stand-ins: loopback only. Every connection can be cut in the middle, as a lost connection is (RST,
//! nothing more is written).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use socket2::{Domain, SockRef, Socket as Socket2, Type};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::options::{at, port_in_use};
use crate::error::Result;

/// The length of the queue of new connections.
const WAITING: i32 = 1024;

/// Cuts one connection.
#[derive(Clone)]
pub struct ConnectionHandle(Arc<Socket>);

#[derive(Default)]
struct Socket {
    cut: AtomicBool,
    reader: AtomicWaker,
}

impl ConnectionHandle {
    /// Cuts the connection: the peer gets a reset, and the handler of this connection is dropped.
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
    /// Keeps the port when the server is stopped.
    _port: Option<Socket2>,
    accepting: JoinHandle<()>,
    lines: Sockets,
}

type Sockets = Arc<Mutex<Vec<Weak<Socket>>>>;

/// A bound port that serves nothing yet, so that answers can contain their own address.
pub struct BoundServer {
    listener: TcpListener,
    address: SocketAddr,
    port: Option<Socket2>,
}

impl BoundServer {
    /// Port 0 is any free port.
    pub async fn new(port: u16) -> Result<Self> {
        Self::bind(port).map_err(|e| port_in_use(port, e))
    }

    fn bind(wished: u16) -> io::Result<Self> {
        // This socket is bound and never listens: after the server has stopped, connections are refused, and no other program
        // gets the port.
        let port = match cfg!(target_os = "linux") {
            true => Some(bound_socket(at(wished))?),
            // On other systems two sockets can't share a port in this way.
            false => None,
        };
        let own = port.as_ref().and_then(|port| port.local_addr().ok()?.as_socket());
        let listener = bound_socket(own.unwrap_or(at(wished)))?;
        listener.listen(WAITING)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener.into())?;
        let address = listener.local_addr()?;
        Ok(BoundServer { listener, address, port })
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn serve(self, routes: Router) -> Server {
        let lines = Sockets::default();
        let door = CuttableListener { tcp: self.listener, lines: lines.clone() };
        let service = routes.into_make_service_with_connect_info::<ConnectionHandle>();
        let accepting = tokio::spawn(async move {
            // The accept loop itself never ends with an error.
            let _ = axum::serve(door, service).await;
        });
        Server { address: self.address, _port: self.port, accepting, lines }
    }
}

fn bound_socket(at: SocketAddr) -> std::io::Result<Socket2> {
    let socket = Socket2::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    Ok(socket)
}

impl Server {
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Accepts no more connections, and cuts all open ones.
    pub fn stop(&self) {
        self.accepting.abort();
        for line in self.lines.lock().drain(..).filter_map(|l| l.upgrade()) {
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
                    // Answers are small; without this option each answer waits for the peer's delayed ACK.
                    let _ = tcp.set_nodelay(true);
                    let line = Arc::new(Socket::default());
                    let mut lines = self.lines.lock();
                    lines.retain(|l| l.strong_count() > 0);
                    lines.push(Arc::downgrade(&line));
                    return (Stream { tcp, wire: ConnectionHandle(line) }, peer);
                }
                // Probably out of file descriptors: other connections will close theirs.
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
            // Without lingering, the close sends RST instead of FIN.
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

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// A program that got the port of a stopped server would answer in its place.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_port_of_a_stopped_server_refuses_and_is_nobody_elses() {
        let server = BoundServer::new(0).await.unwrap().serve(Router::new());
        assert!(TcpStream::connect(server.address).await.is_ok());
        server.stop();
        while !server.accepting.is_finished() {
            tokio::task::yield_now().await;
        }
        assert_eq!(TcpStream::connect(server.address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        let other = Socket2::new(Domain::IPV4, Type::STREAM, None).unwrap();
        assert_eq!(other.bind(&server.address.into()).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}
