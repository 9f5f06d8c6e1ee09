//! SIGINT and SIGTERM stop the work at once. What the server has accepted stays there, and the same command goes on from there.
//! A second signal ends the program even where something still holds it (a reader of standard output that does not read). A
//! signal that the parent process ignores (a shell's `&`, `nohup`) stays ignored.

use std::future::Future;
#[cfg(feature = "sandbox")]
use std::process::ExitStatus;

#[cfg(feature = "sandbox")]
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use crate::error::{Error, Kind, Result};
use crate::render::exit::{INTERRUPTED, TERMINATED};

/// The signals that end the work in an orderly way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// SIGINT and SIGTERM. A closed terminal (SIGHUP) ends the program as it ends any other program.
    Stops,
    /// SIGHUP as well, because haul must remove a folder that nobody else removes.
    StopsAndHangup,
}

/// Runs `work`, or ends it at the first signal: dropped futures close their connections.
pub async fn run_until_interrupted(work: impl Future<Output = Result<u8>>, heard: Heard) -> Result<u8> {
    let signals = Signals::new(heard)?;
    let (tell, told) = oneshot::channel();
    // The signals have a thread of their own, because `work` may block its thread.
    tokio::spawn(watch(signals, tell));
    tokio::select! {
        status = work => status,
        Ok(status) = told => Ok(status),
    }
}

async fn watch(mut signals: Signals, tell: oneshot::Sender<u8>) {
    let _ = tell.send(signals.next().await);
    std::process::exit(i32::from(signals.next().await));
}

/// So many signals are passed on to the command; the next one kills it.
#[cfg(feature = "sandbox")]
const SIGNALS_FORWARDED: u32 = 2;

/// Runs `command` to its end and passes each signal on to it, because a user who stops haul means the command. A command that
/// does not end is killed at the third signal. haul listens for signals before the command runs, so that no signal ends haul
/// alone.
#[cfg(feature = "sandbox")]
pub async fn run_forwarding_signals(command: &mut Command, mut signals: Signals) -> std::io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    let mut heard = 0;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => {
                heard += 1;
                if heard > SIGNALS_FORWARDED { child.start_kill()? } else { pass_on(&child, signal) }
            }
        }
    }
}

/// A terminal signals each of its processes by itself, and a command that has just ended needs no signal.
#[cfg(all(unix, feature = "sandbox"))]
fn pass_on(child: &Child, signal: u8) {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::IsTerminal;
    let signal = match signal {
        INTERRUPTED => Signal::INT,
        HUNG_UP => Signal::HUP,
        _ => Signal::TERM,
    };
    let told_by_terminal = signal == Signal::INT && std::io::stdin().is_terminal();
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid.filter(|_| !told_by_terminal) {
        let _ = kill_process(pid, signal);
    }
}

/// The console signals each of its processes by itself.
#[cfg(all(windows, feature = "sandbox"))]
fn pass_on(_: &Child, _: u8) {}

/// SIGXFSZ.
#[cfg(unix)]
const FILE_TOO_LARGE: i32 = 25;

/// The status that a shell gives to a program that SIGHUP ended.
#[cfg(unix)]
const HUNG_UP: u8 = 129;

/// The signals that are waited for, each with the status that the program then ends with.
#[cfg(unix)]
pub struct Signals(Vec<(tokio::signal::unix::Signal, u8)>);

#[cfg(unix)]
impl Signals {
    /// Fails with `Local`.
    pub fn new(heard: Heard) -> Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        // Nobody reads this signal, but it no longer ends the program: a file that may not grow further (`ulimit -f`) is
        // reported as an error.
        let _ = signal(SignalKind::from_raw(FILE_TOO_LARGE));
        let ignored = ignored_signals();
        let mut waited_for = vec![(SignalKind::interrupt(), INTERRUPTED), (SignalKind::terminate(), TERMINATED)];
        if heard == Heard::StopsAndHangup {
            waited_for.push((SignalKind::hangup(), HUNG_UP));
        }
        waited_for.retain(|(kind, _)| ignored & (1 << (kind.as_raw_value() - 1)) == 0);
        let registered = waited_for.into_iter().map(|(kind, status)| Ok((signal(kind)?, status))).collect::<std::io::Result<_>>();
        registered.map(Signals).map_err(|e| Error::new(Kind::Local, "signals can't be waited for").with_cause(e))
    }

    /// The status that the next signal ends the program with.
    async fn next(&mut self) -> u8 {
        let each = self.0.iter_mut().map(|(signal, status)| {
            Box::pin(async move {
                signal.recv().await;
                *status
            })
        });
        let each: Vec<_> = each.collect();
        match each.is_empty() {
            true => std::future::pending().await,
            false => futures_util::future::select_all(each).await.0,
        }
    }
}

/// The signals that the parent process made this one ignore, one bit for each; the lowest bit is signal 1. Only Linux reports
/// them.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(windows)]
pub struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    pub fn new(_: Heard) -> Result<Signals> {
        tokio::signal::windows::ctrl_c().map(Signals).map_err(|e| Error::new(Kind::Local, "signals can't be waited for").cause(e))
    }

    async fn next(&mut self) -> u8 {
        let _ = self.0.recv().await;
        INTERRUPTED
    }
}
