//! Options of a connection that the system itself enforces: only the system knows what the peer has acknowledged.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// After this time without data the peer is probed: otherwise a router may drop the connection, and a lost peer would stay
/// undetected.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// The number of unanswered probes after which a connection is lost. They are [`between_signs`] apart, which makes one time-out
/// in total.
pub const SIGNS: u32 = 3;

pub fn between_signs(timeout: Duration) -> Duration {
    (timeout / SIGNS).max(Duration::from_secs(1))
}

/// A connection is lost when the peer does not acknowledge bytes for `timeout` (if the system supports that), or does not
/// answer probes. If the system refuses an option, the connection is used without it.
pub fn watch_over(socket: &TcpStream, timeout: Duration) {
    let socket = SockRef::from(socket);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_INTERVAL).with_interval(between_signs(timeout));
    #[cfg(not(windows))]
    let keepalive = keepalive.with_retries(SIGNS);
    if let Err(e) = socket.set_tcp_keepalive(&keepalive) {
        tracing::debug!("no signs of life on this connection: {e}");
    }
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    if let Err(e) = socket.set_tcp_user_timeout(Some(timeout)) {
        tracing::debug!("what is not acknowledged stays unnoticed on this connection: {e}");
    }
}

/// Sends each write at once. Otherwise the system keeps a short write back until the peer has acknowledged the one before, and
/// commands that are sent together take another round trip.
pub fn send_at_once(socket: &TcpStream) {
    if let Err(e) = socket.set_nodelay(true) {
        tracing::debug!("short writes are sent late on this connection: {e}");
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_is_told_the_time_out() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        watch_over(&socket, Duration::from_secs(300));
        send_at_once(&socket);
        assert!(socket.nodelay().unwrap());
        let told = SockRef::from(&socket);
        assert_eq!(told.tcp_user_timeout().unwrap(), Some(Duration::from_secs(300)));
        let (time, interval, retries) = (told.tcp_keepalive_time(), told.tcp_keepalive_interval(), told.tcp_keepalive_retries());
        assert_eq!((time.unwrap(), interval.unwrap(), retries.unwrap()), (KEEPALIVE_INTERVAL, Duration::from_secs(100), SIGNS));
    }
}
