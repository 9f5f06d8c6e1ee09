//! `haul sandbox`: stand-ins of all providers on loopback, to try the tool without an account.

use std::process::ExitStatus;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::signals;
use crate::cli::signals::{Heard, Signals};
use crate::error::{Error, Kind, Result};
use crate::model::Report;
use crate::sandbox::{FAULTS, FaultArg, Sandbox, ScriptedFault};

/// Local stand-ins of all providers
///
/// Examples:
///   haul sandbox -- haul put film.mov iogates:/demo/
///   haul sandbox --fault iogates:cut=100000 -- haul put film.mov iogates:
///
/// With a COMMAND: runs it with a remote of each provider in its environment,
/// named as the provider is in `haul remote add --help`, shows what arrived, and
/// ends with its status. Without: prints the environment and runs until it is
/// stopped.
#[derive(Args)]
#[command(verbatim_doc_comment, after_long_help = faults())]
// The grammar of a fault has brackets of its own.
#[allow(rustdoc::broken_intra_doc_links)]
pub struct SandboxArgs {
    /// What the stand-ins do wrong: PROVIDER[/KIND]:FAULT[=VALUE][+SKIP][*TIMES|*always]; +SKIP lets so
    /// many requests through first; may be given again
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<ScriptedFault>,
    /// What to run
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

pub async fn run(context: &mut Context, args: SandboxArgs) -> Result<u8> {
    // Heard from here on: whatever ends us, the sandbox's folder goes with us.
    let signals = Signals::new(Heard::StopsAndHangup)?;
    let sandbox = Sandbox::start().await?;
    args.faults.into_iter().for_each(|fault| sandbox.faults().add(fault));
    let Some((program, rest)) = args.command.split_first() else {
        for (name, value) in sandbox.env() {
            context.renderer.out(&format!("export {name}='{value}'\n"));
        }
        context.renderer.note("the sandbox runs until it is stopped");
        return signals::until_interrupted(std::future::pending(), Heard::StopsAndHangup).await;
    };
    let mut command = tokio::process::Command::new(program);
    command.args(rest).envs(sandbox.env()).env("PATH", own_folder_first());
    let status = signals::run_forwarding_signals(&mut command, signals).await;
    let status = status.map_err(|e| Error::new(Kind::NotFound, "this command can't be run").with_subject(program).with_cause(e))?;
    for file in sandbox.arrived() {
        context.renderer.report(&Report::Arrived {
            provider: file.provider,
            path: file.path,
            size: file.size,
            md5: file.md5,
            protocol: file.protocol.to_string(),
        });
    }
    Ok(status_of(status))
}

/// As a shell tells it: 128 and the signal for a command that a signal ended.
fn status_of(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let signal = None;
    status.code().or(signal).and_then(|code| u8::try_from(code & 0xff).ok()).unwrap_or(1)
}

fn faults() -> String {
    let line = |row: &crate::sandbox::FaultSpec| {
        let value = match row.takes {
            FaultArg::Nothing => String::new(),
            FaultArg::Number(usual) => format!("={usual}"),
            FaultArg::Word(words) => format!("={}", words.join("|")),
        };
        format!("  {}{value}\n          {} ({})\n", row.name, row.does, row.by.join(", "))
    };
    format!("Faults:\n{}", FAULTS.iter().map(line).collect::<String>())
}

/// `haul` in COMMAND is this very program, installed or not.
fn own_folder_first() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))).unwrap_or(path)
}
