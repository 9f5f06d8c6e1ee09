//! SIGINT and SIGTERM stop at once; what was accepted stays on the server, and the same command goes on from there. A
//! second one leaves whatever still holds the program (a reader of standard output that does not read).

use std::future::Future;
#[cfg(feature = "sandbox")]
use std::process::ExitStatus;

#[cfg(feature = "sandbox")]
use tokio::process::{Child, Command};
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

/// Signals that a command may answer in its own time before it is killed.
#[cfg(feature = "sandbox")]
const HEARD: u32 = 2;

/// Runs `command` to its end. It is told what we are told: whoever stops us means it. One that does not end is killed at
/// the third signal.
#[cfg(feature = "sandbox")]
pub async fn passed_on_to(command: &mut Command) -> std::io::Result<ExitStatus> {
    // Before the command runs, so that no signal ends us alone.
    let mut signals = Signals::new()?;
    let mut child = command.spawn()?;
    let mut heard = 0;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => {
                heard += 1;
                if heard > HEARD { child.start_kill()? } else { pass_on(&child, signal) }
            }
        }
    }
}

/// A terminal tells everybody in front of it itself; a command that has just ended needs no signal.
#[cfg(all(unix, feature = "sandbox"))]
fn pass_on(child: &Child, signal: u8) {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::IsTerminal;
    let signal = if signal == INTERRUPTED { Signal::INT } else { Signal::TERM };
    let told_by_terminal = signal == Signal::INT && std::io::stdin().is_terminal();
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid.filter(|_| !told_by_terminal) {
        let _ = kill_process(pid, signal);
    }
}

/// The console tells everybody itself.
#[cfg(all(windows, feature = "sandbox"))]
fn pass_on(_: &Child, _: u8) {}

/// SIGXFSZ.
#[cfg(unix)]
const FILE_TOO_LARGE: i32 = 25;

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        // Heard by nobody, but no longer deadly: a file that may not grow further is an error of its own (`ulimit -f`).
        let _ = signal(SignalKind::from_raw(FILE_TOO_LARGE));
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
