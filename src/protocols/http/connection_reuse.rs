//! Connections that are kept for the next request. A server may have closed one in the meantime without our having heard
//! of it, and some close each at its second request. Who gets not a byte back on such a connection learns it, and goes on a
//! fresh one; where no kept connection ever answers none is kept any more.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper_util::client::legacy::Error as Legacy;
use hyper_util::client::legacy::connect::{Connected, HttpInfo};
use parking_lot::Mutex;
use reqwest::{Response, Url};

/// So long after a death the other kept connections of that server are passed by: they are as old.
const MOURNING: Duration = Duration::from_secs(2);
/// Deaths without an answer in between: no connection to that server is kept any more.
const HOPELESS: u32 = 2;
/// Connections that are remembered; a port comes around again at last.
const MOST_REMEMBERED: usize = 4096;

#[derive(Default)]
pub(crate) struct Reuse(Mutex<HashMap<String, ServerRecord>>);

#[derive(Default)]
struct ServerRecord {
    /// Our ends of connections that have brought an answer.
    answered: HashSet<SocketAddr>,
    deaths: u32,
    last: Option<Instant>,
}

impl Reuse {
    /// May the next request go over a connection that was kept?
    pub(crate) fn is_wise(&self, url: &Url) -> bool {
        self.of(url, |kept| kept.deaths < HOPELESS && kept.last.is_none_or(|last| last.elapsed() > MOURNING))
    }

    /// Has this server answered before?
    pub(crate) fn has_answered(&self, url: &Url) -> bool {
        self.of(url, |kept| !kept.answered.is_empty())
    }

    pub(crate) fn answered(&self, url: &Url, response: &Response) {
        let Some(info) = response.extensions().get::<HttpInfo>() else { return };
        self.of(url, |kept| {
            if kept.answered.len() >= MOST_REMEMBERED {
                kept.answered.clear();
            }
            if !kept.answered.insert(info.local_addr()) {
                (kept.deaths, kept.last) = (0, None);
            }
        });
    }

    /// True when it was a connection that had answered before, and this request got nothing back on it.
    pub(crate) fn died(&self, url: &Url, error: &reqwest::Error) -> bool {
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

/// Our end of the connection that the request went over.
fn end_of(error: &reqwest::Error) -> Option<SocketAddr> {
    let connected: &Connected = steps(error).find_map(|step| step.downcast_ref::<Legacy>())?.connect_info()?;
    let mut extras = Default::default();
    connected.get_extras(&mut extras);
    Some(extras.get::<HttpInfo>()?.local_addr())
}

/// Closed or reset before the head of an answer was there.
pub(crate) fn is_silent(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    let closed = |kind| matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof);
    !error.is_connect()
        && steps(error).any(|step| {
            step.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
                || step.downcast_ref::<std::io::Error>().is_some_and(|io| closed(io.kind()))
        })
}

/// What lies under a failure, the outermost first.
pub(crate) fn steps<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |step| step.source())
}
