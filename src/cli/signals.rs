//! SIGINT and SIGTERM stop at once; what was accepted stays on the server, and the same command goes on from there.

use std::future::Future;

use crate::error::{Error, Kind, Result};
use crate::render::exit::{INTERRUPTED, TERMINATED};

/// Runs `work`, or ends it at the first signal: dropped futures close their connections.
pub async fn until_interrupted(work: impl Future<Output = Result<u8>>) -> Result<u8> {
    tokio::select! {
        status = work => status,
        status = interrupted() => status,
    }
}

#[cfg(unix)]
async fn interrupted() -> Result<u8> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |e: std::io::Error| Error::new(Kind::Local, "signals can't be waited for").cause(e);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        _ = interrupt.recv() => Ok(INTERRUPTED),
        _ = terminate.recv() => Ok(TERMINATED),
    }
}

#[cfg(not(unix))]
async fn interrupted() -> Result<u8> {
    tokio::signal::ctrl_c().await.map_err(|e| Error::new(Kind::Local, "signals can't be waited for").cause(e))?;
    Ok(INTERRUPTED)
}
