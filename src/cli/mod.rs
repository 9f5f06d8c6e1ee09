//! The command line: one command, one file. `main` reads as a table of contents: parse, set up, run the command, end with its
//! status.

pub mod abilities;
pub mod args;
mod batch_line;
pub mod commands;
mod complete;
mod connection;
mod context;
mod file_times;
mod filter_args;
pub mod glob;
pub mod global;
mod line_places;
mod list_args;
pub mod listing;
pub mod log;
mod mistakes;
mod output_file;
mod plan_file;
mod questions;
pub mod receipt;
pub mod requests;
mod resources;
mod runs;
pub mod signals;
#[cfg(test)]
mod tests;
mod top_help;
pub mod transfer_args;
mod transfer_run;
pub mod tree;
pub mod value_parsers;
pub mod verb;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::config::Env;
use crate::error::{Error, Kind, Result};
use crate::render::exit;
use context::Context;
use verb::Verb;

pub fn main() -> ExitCode {
    // A second crate that asks for "the" TLS provider must find the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    crate::render::mask_panics();
    if let Some(answered) = complete::answer() {
        return answered;
    }
    let env = Env::of_process();
    let typed: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let mut parsed = match args::parse(typed.iter().cloned(), &env) {
        Ok(parsed) => parsed,
        Err(early) => return early.exit(),
    };
    if let Some(early) = args::unwritable_log(&parsed.global) {
        return early.exit();
    }
    let misspelt = args::misspelt_variables(&env);
    let mut context = Context::new(parsed.config, env, &parsed.global, parsed.stage);
    log::start(parsed.global.verbose, &context.renderer, &typed);
    misspelt.iter().for_each(|warning| context.renderer.warning(warning));
    if parsed.verb.only_looks() {
        context.only_looks();
    }
    let goes_on = is_resumable(&parsed.verb);
    let status = match resources::runtime(parsed.verb.concurrency_option()) {
        Ok((runtime, less)) => {
            less.iter().for_each(|less| context.renderer.warning(less));
            let (passes_signals_on, heard) = (parsed.verb.forwards_signals(), parsed.verb.signals());
            let work = run_any(&mut context, parsed.verb);
            let status =
                if passes_signals_on { runtime.block_on(work) } else { runtime.block_on(signals::run_until_interrupted(work, heard)) };
            // A blocked read of standard input must not keep the program alive.
            runtime.shutdown_background();
            status
        }
        Err(e) => Err(e),
    };
    if goes_on && matches!(status, Ok(exit::INTERRUPTED | exit::TERMINATED)) {
        context.renderer.warning("interrupted; the same command goes on where it stopped");
    }
    ExitCode::from(context.finish(status))
}

/// Can the same command go on where it was stopped? A command that reads from a pipe or writes to one can't.
fn is_resumable(verb: &Verb) -> bool {
    match verb {
        Verb::Put(commands::put::PutArgs { places, .. }) | Verb::Get(commands::get::GetArgs { places, .. }) => {
            places.iter().all(|place| place != "-")
        }
        Verb::Batch(commands::batch::BatchArgs { file, .. }) => file != "-",
        Verb::Cp(_) | Verb::Mv(_) | Verb::Sync(_) | Verb::Apply(_) | Verb::Transfers(_) => true,
        _ => false,
    }
}

/// A batch runs the others, line by line.
async fn run_any(context: &mut Context, verb: Verb) -> Result<u8> {
    match verb {
        Verb::Batch(args) => commands::batch::run(context, args, |context, verb| Box::pin(run(context, verb))).await,
        one => run(context, one).await,
    }
}

fn command() -> clap::Command {
    top_help::with_first_page(args::Cli::command())
}

async fn run(context: &mut Context, verb: Verb) -> Result<u8> {
    match verb {
        Verb::Batch(_) => Err(Error::new(Kind::Usage, "a batch runs no other batch")),
        Verb::Put(args) => commands::put::run(context, args).await,
        Verb::Get(args) => commands::get::run(context, args).await,
        Verb::Cat(args) => commands::cat::run(context, args).await,
        Verb::Link(args) => commands::link::run(context, args).await,
        Verb::Ls(args) => commands::ls::run(context, args).await,
        Verb::Tree(args) => commands::tree::run(context, args).await,
        Verb::Du(args) => commands::du::run(context, args).await,
        Verb::Stat(args) => commands::stat::run(context, args).await,
        Verb::Find(args) => commands::find::run(context, args).await,
        Verb::Mkdir(args) => commands::mkdir::run(context, args).await,
        Verb::Cp(args) => commands::cp::run(context, args).await,
        Verb::Mv(args) => commands::mv::run(context, args).await,
        Verb::Sync(args) => commands::sync::run(context, args).await,
        Verb::Apply(args) => commands::apply::run(context, args).await,
        Verb::Rm(args) => commands::rm::run(context, args).await,
        Verb::Edit(args) => commands::edit::run(context, args).await,
        Verb::Import(args) => commands::import::run(context, args).await,
        Verb::Share(args) => commands::share::run(context, args).await,
        Verb::Star(args) => commands::star::run(context, args).await,
        Verb::Unstar(args) => commands::star::run_unstar(context, args).await,
        Verb::About(args) => commands::about::run(context, args).await,
        Verb::Comments(args) => commands::comments::run(context, args).await,
        Verb::Login(args) => commands::login::run(context, args).await,
        Verb::Logout(args) => commands::login::run_logout(context, args).await,
        Verb::Remote(verb) => commands::remote::run(context, verb).await,
        Verb::Transfers(verb) => commands::transfers::run(context, verb).await,
        Verb::Verify(args) => commands::verify::run(context, args).await,
        Verb::Report(args) => commands::report::run(context, args),
        Verb::Providers(args) => commands::providers::run(context, args),
        #[cfg(feature = "sandbox")]
        Verb::Sandbox(args) => commands::sandbox::run(context, args).await,
        Verb::Completions(args) => commands::completions::run(context, args),
        Verb::Man(args) => commands::man::run(context, args, command()),
        Verb::Version(args) => commands::version::run(context, args),
        Verb::Help(args) => commands::help::run(context, args, command()),
    }
}
