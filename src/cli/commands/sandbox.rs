//! `haul sandbox`: stand-ins of all providers on loopback, to try the tool without an account and to test scripts that use
//! it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::str::FromStr;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::output_file;
use crate::cli::signals;
use crate::cli::signals::{Heard, Signals};
use crate::error::{Error, Kind, Result};
use crate::model::Report;
use crate::render::exit::DONE;
use crate::render::units;
use crate::sandbox::{Arrived, FAULTS, FaultArg, NAMES, PortChoice, Sandbox, SandboxOptions, ScriptedFault, kinds_of, stand_in_named};

/// Arrived files that are shown; of more there is a count.
const MAX_SHOWN: usize = 10;

/// Start local stand-ins of all providers, to try and test without an account
///
/// Examples:
///   haul sandbox -- haul put film.mov iogates:/demo/
///   haul sandbox --fault iogates:cut=100000 -- haul put film.mov iogates:
///   haul sandbox --seed giga0=fixtures --log requests.jsonl -- ./deliver.sh
///
/// With a COMMAND: runs the command with a remote for each provider in its
/// environment, named as in `haul remote add --help`; then shows the files that
/// arrived, and exits with the command's status. Without a COMMAND: prints the
/// variables of the remotes, ready to paste into a shell, and runs until it is
/// stopped. `haul sandbox -- bash` opens a shell to try haul.
#[derive(Args)]
#[command(verbatim_doc_comment, after_long_help = faults())]
// The grammar of a fault has brackets of its own.
#[allow(rustdoc::broken_intra_doc_links)]
pub struct SandboxArgs {
    /// An error that the stand-ins make: PROVIDER[/KIND]:FAULT[=VALUE][+SKIP][*TIMES|*always]; +SKIP lets
    /// that many requests through first; can be repeated; "help" lists the kinds and the faults
    #[arg(long = "fault", value_name = "FAULT", env = "HAUL_FAULT", value_delimiter = ' ')]
    pub faults: Vec<FaultOption>,
    /// A fixed port for the first stand-in, and the next ports for the others; or REMOTE=PORT; can be repeated
    #[arg(long = "port", value_name = "PORT", env = "HAUL_PORT", value_delimiter = ',')]
    pub ports: Vec<PortChoice>,
    /// Use "open-sesame" as every password and token
    #[arg(long, env = "HAUL_FIXED_CREDENTIALS", value_parser = clap::builder::BoolishValueParser::new())]
    pub fixed_credentials: bool,
    /// Keep the files of the remotes in DIR/REMOTE, and start with the files there
    #[arg(long, value_name = "DIR", env = "HAUL_DATA")]
    pub data: Option<PathBuf>,
    /// Start with the files below DIR on every remote, or on one ([REMOTE=]DIR); can be repeated
    #[arg(long, value_name = "DIR", env = "HAUL_SEED")]
    pub seed: Vec<Seed>,
    /// Append a JSON line for each request
    #[arg(long, value_name = "FILE", env = "HAUL_LOG")]
    pub log: Option<PathBuf>,
    /// Write the variables of the remotes as NAME=VALUE lines, as soon as all of them answer
    #[arg(long, value_name = "FILE", env = "HAUL_ENV_FILE")]
    pub env_file: Option<PathBuf>,
    /// The command to run
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `--fault`
#[derive(Clone)]
pub enum FaultOption {
    Help,
    Fault(ScriptedFault),
}

impl FromStr for FaultOption {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "help" { Ok(FaultOption::Help) } else { text.parse().map(FaultOption::Fault) }
    }
}

/// `--seed`
#[derive(Clone)]
pub struct Seed {
    /// All, where it is none.
    remote: Option<&'static str>,
    folder: PathBuf,
}

impl FromStr for Seed {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((name, folder)) if !name.contains(std::path::is_separator) => {
                Ok(Seed { remote: Some(stand_in_named(name)?), folder: folder.into() })
            }
            _ => Ok(Seed { remote: None, folder: text.into() }),
        }
    }
}

pub async fn run(context: &mut Context, args: SandboxArgs) -> Result<u8> {
    if args.faults.iter().any(|fault| matches!(fault, FaultOption::Help)) {
        context.renderer.out(&format!("{}\n{}", kinds(), faults()));
        return Ok(DONE);
    }
    // Heard from here on: whatever ends us, the sandbox's folder goes with us.
    let signals = Signals::new(Heard::StopsAndHangup)?;
    let log = args.log.as_deref().map(open_log).transpose()?;
    let (ports, fixed_credentials, data) = (args.ports, args.fixed_credentials, args.data);
    let sandbox = Sandbox::start_with(SandboxOptions { ports, fixed_credentials, data, log }).await?;
    for Seed { remote, folder } in &args.seed {
        for name in NAMES.iter().filter(|name| remote.is_none_or(|remote| remote == **name)) {
            sandbox.seed(name, folder)?;
        }
    }
    for fault in args.faults {
        if let FaultOption::Fault(fault) = fault {
            sandbox.faults().add(fault);
        }
    }
    let mut env = sandbox.remotes();
    env.push(("HAUL_STATE_DIR".to_owned(), sandbox.state_dir().display().to_string()));
    if let Some(file) = &args.env_file {
        write_env(file, &env)?;
    }
    let Some((program, rest)) = args.command.split_first() else {
        tell_ready(context, &env, args.env_file.as_deref());
        return signals::run_until_interrupted(std::future::pending(), Heard::StopsAndHangup).await;
    };
    env.push(("HAUL_CONFIG".to_owned(), sandbox.config_file().display().to_string()));
    let mut command = tokio::process::Command::new(program);
    command.args(rest).envs(env).env("PATH", own_folder_first());
    let status = signals::run_forwarding_signals(&mut command, signals).await;
    let status = status.map_err(|e| Error::new(Kind::NotFound, "this command can't be run").with_subject(program).with_cause(e))?;
    report_arrivals(context, sandbox.arrivals());
    Ok(status_of(status))
}

/// The environment on standard output, and what to do with it.
fn tell_ready(context: &Context, env: &[(String, String)], file: Option<&Path>) {
    if context.renderer.style().json {
        let remotes = NAMES.iter().map(|name| (*name).to_owned()).collect();
        let env = env.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        return context.renderer.report(&Report::Sandbox { ready: true, remotes, env });
    }
    let use_it = match file {
        Some(file) => format!("`set -a; . {}` sets them up in a shell", quote_for_shell(&file.display().to_string())),
        None => {
            let lines: String = env.iter().map(|(name, value)| format!("export {name}={}\n", quote_for_shell(value))).collect();
            context.renderer.out(&lines);
            "paste the lines above into another shell, or run `haul sandbox -- bash`".to_owned()
        }
    };
    context.renderer.remark(&format!("ready: {} answer; {use_it}; Ctrl-C ends the sandbox", NAMES.join(", ")));
}

/// A word of a shell.
fn quote_for_shell(value: &str) -> String {
    match value.chars().all(|c| c.is_ascii_alphanumeric() || "/:._-@+,".contains(c)) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', r"'\''")),
    }
}

/// The file is complete as soon as it exists: a script that waits for it may read it at once.
fn write_env(path: &Path, env: &[(String, String)]) -> Result<()> {
    let failed = |e: std::io::Error| Error::new(Kind::Local, "it can't be written").on_local(path.display().to_string()).with_cause(e);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let text: String = env.iter().map(|(name, value)| format!("{name}={}\n", quote_for_shell(value))).collect();
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

fn open_log(path: &Path) -> Result<std::fs::File> {
    let file = output_file::open(std::fs::OpenOptions::new().create(true).append(true), path);
    file.map_err(|e| Error::new(Kind::Local, "it can't be written").on_local(path.display().to_string()).with_cause(e))
}

fn report_arrivals(context: &Context, arrived: Vec<Arrived>) {
    let (count, bytes) = (arrived.len(), arrived.iter().map(|file| file.size).sum::<u64>());
    let shown = if context.renderer.style().json { count } else { MAX_SHOWN };
    for file in arrived.into_iter().take(shown) {
        context.renderer.report(&Report::Arrived {
            provider: file.provider,
            path: file.path,
            size: file.size,
            md5: file.md5,
            protocol: file.protocol.to_string(),
        });
    }
    if count > shown {
        context.renderer.remark(&format!("… and {} more arrived; {count} files, {} in all", count - shown, units::size(bytes)));
    }
}

/// As a shell tells it: 128 and the signal for a command that a signal ended.
fn status_of(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let signal = None;
    status.code().or(signal).and_then(|code| u8::try_from(code & 0xff).ok()).unwrap_or(1)
}

fn kinds() -> String {
    let line = |name: &&str| format!("  {name}\n          {}\n", kinds_of(name).join(", "));
    format!("Kinds of requests:\n{}", NAMES.iter().map(line).collect::<String>())
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
