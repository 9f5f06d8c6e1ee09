//! SIGINT and SIGTERM stop at once; what was accepted stays on the server, and the same command goes on from there. A
//! second one leaves whatever still holds the program (a reader of standard output that does not read).

use std::future::Future;

use tokio::sync::oneshot;

use crate::error::{Error, Kind, Result};
use crate::render::exit::{INTERRUPTED, TERMINATED};

/// Runs `work`, or ends it at the first signal: dropped futures close their connections.
pub async fn until_interrupted(work: impl Future<Output = Result<u8>>) -> Result<u8> {
    let (tell, told) = oneshot::channel();
    // On a thread of its own: `work` may be blocked where it stands.
    tokio::spawn(watch(tell));
    tokio::select! {
        status = work => status,
        Ok(status) = told => status,
    }
}

async fn watch(tell: oneshot::Sender<Result<u8>>) {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(e) => {
            let _ = tell.send(Err(Error::new(Kind::Local, "signals can't be waited for").cause(e)));
            return;
        }
    };
    let _ = tell.send(Ok(signals.next().await));
    std::process::exit(i32::from(signals.next().await));
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The status that the next signal ends the program with.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        tokio::signal::windows::ctrl_c().map(Signals)
    }

    async fn next(&mut self) -> u8 {
        let _ = self.0.recv().await;
        INTERRUPTED
    }
}
