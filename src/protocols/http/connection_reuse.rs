//! Connections that are kept for the next request. The server may have closed a kept connection meanwhile, and some servers
//! close each connection at its second request. If a kept connection closes without a byte of an answer, the caller is told so
//! and uses a new connection. If no kept connection ever answers, none is kept any more.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper_util::client::legacy::Error as Legacy;
use hyper_util::client::legacy::connect::{Connected, HttpInfo};
use parking_lot::Mutex;
use reqwest::{Response, Url};

/// After a kept connection has failed, the other kept ones of that server are not used for this time: they are as old.
const MOURNING: Duration = Duration::from_secs(2);
/// After a server has refused a body as too large, kept connections to that server are not used for this time. Some servers
/// (rustus) never read the rest of such a body, and so never answer the next request on its connection.
const UNREAD_BODY: Duration = Duration::from_secs(10);
/// After this number of failures without an answer between them, no connection to that server is kept any more.
const HOPELESS: u32 = 2;
/// The largest number of remembered connections; port numbers repeat in time.
const MAX_REMEMBERED: usize = 4096;

#[derive(Default)]
pub(crate) struct Reuse(Mutex<HashMap<String, ServerRecord>>);

#[derive(Default)]
struct ServerRecord {
    /// Our addresses of the connections that have brought an answer.
    answered: HashSet<SocketAddr>,
    deaths: u32,
    last: Option<Instant>,
    /// The last time when a body was refused as too large.
    refused: Option<Instant>,
}

impl Reuse {
    /// True if the next request may use a kept connection.
    pub(crate) fn is_wise(&self, url: &Url) -> bool {
        let is_over = |since: Option<Instant>, pause| since.is_none_or(|since| since.elapsed() > pause);
        self.of(url, |kept| kept.deaths < HOPELESS && is_over(kept.last, MOURNING) && is_over(kept.refused, UNREAD_BODY))
    }

    /// Notes that the server refused a body as too large.
    pub(crate) fn record_refused_body(&self, url: &Url) {
        self.of(url, |kept| kept.refused = Some(Instant::now()));
    }

    /// True if this server has answered before.
    pub(crate) fn has_answered(&self, url: &Url) -> bool {
        self.of(url, |kept| !kept.answered.is_empty())
    }

    pub(crate) fn record_answer(&self, url: &Url, response: &Response) {
        let Some(info) = response.extensions().get::<HttpInfo>() else { return };
        self.of(url, |kept| {
            if kept.answered.len() >= MAX_REMEMBERED {
                kept.answered.clear();
            }
            if !kept.answered.insert(info.local_addr()) {
                (kept.deaths, kept.last) = (0, None);
            }
        });
    }

    /// Returns true if the connection had answered before, and this request got no byte on it.
    pub(crate) fn is_stale_connection(&self, url: &Url, error: &reqwest::Error) -> bool {
        let Some(end) = end_of(error).filter(|_| is_silent(error)) else { return false };
        self.of(url, |kept| {
            let is_kept = kept.answered.remove(&end);
            if is_kept {
                (kept.deaths, kept.last) = (kept.deaths + 1, Some(Instant::now()));
            }
            is_kept
        })
    }

    fn of<T>(&self, url: &Url, look: impl FnOnce(&mut ServerRecord) -> T) -> T {
        let mut all = self.0.lock();
        look(all.entry(url.origin().ascii_serialization()).or_default())
    }
}

/// Our address of the connection that the request used.
fn end_of(error: &reqwest::Error) -> Option<SocketAddr> {
    let connected: &Connected = steps(error).find_map(|step| step.downcast_ref::<Legacy>())?.connect_info()?;
    let mut extras = Default::default();
    connected.get_extras(&mut extras);
    Some(extras.get::<HttpInfo>()?.local_addr())
}

/// Closed or reset before the head of an answer arrived.
pub(crate) fn is_silent(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    let closed = |kind| matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof);
    !error.is_connect()
        && steps(error).any(|step| {
            step.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
                || step.downcast_ref::<std::io::Error>().is_some_and(|io| closed(io.kind()))
        })
}

/// The causes of a failure, the outermost first.
pub(crate) fn steps<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |step| step.source())
}
