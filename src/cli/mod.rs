//! The command line: one verb, one file. `main` reads as a table of contents: parse, set up, run the verb, end with its
//! status.

pub mod args;
pub mod commands;
mod connection;
mod context;
mod file_times;
pub mod glob;
pub mod listing;
pub mod log;
mod output_file;
pub mod receipt;
mod resources;
mod runs;
pub mod signals;
pub mod value_parsers;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Env;
use crate::error::Result;
use crate::render::exit;
use context::Context;

#[derive(Subcommand)]
pub enum Verb {
    Put(commands::put::PutArgs),
    Get(commands::get::GetArgs),
    Cat(commands::cat::CatArgs),
    Link(commands::link::LinkArgs),
    Ls(commands::ls::LsArgs),
    Tree(commands::tree::TreeArgs),
    Du(commands::du::DuArgs),
    Stat(commands::stat::StatArgs),
    Find(commands::find::FindArgs),
    Mkdir(commands::mkdir::MkdirArgs),
    Cp(commands::cp::CpArgs),
    Mv(commands::mv::MvArgs),
    Rm(commands::rm::RmArgs),
    Edit(commands::edit::EditArgs),
    Import(commands::import::ImportArgs),
    Share(commands::share::ShareArgs),
    Star(commands::star::StarArgs),
    Unstar(commands::star::UnstarArgs),
    About(commands::about::AboutArgs),
    Comments(commands::comments::CommentsArgs),
    Login(commands::login::LoginArgs),
    Logout(commands::login::LogoutArgs),
    #[command(subcommand)]
    Remote(commands::remote::RemoteVerb),
    #[command(subcommand)]
    Transfers(commands::transfers::TransfersVerb),
    Verify(commands::verify::VerifyArgs),
    Providers(commands::providers::ProvidersArgs),
    #[cfg(feature = "sandbox")]
    Sandbox(commands::sandbox::SandboxArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::completions::ManArgs),
}

impl Verb {
    /// Runs a command that is told to stop instead of us.
    fn forwards_signals(&self) -> bool {
        #[cfg(feature = "sandbox")]
        if let Verb::Sandbox(args) = self {
            return !args.command.is_empty();
        }
        false
    }

    /// The options that say how many files are carried at once.
    fn transfer(&mut self) -> Option<&mut commands::put::TransferArgs> {
        match self {
            Verb::Put(args) => Some(&mut args.transfer),
            Verb::Get(args) => Some(&mut args.transfer),
            Verb::Cat(args) => Some(&mut args.transfer),
            Verb::Cp(args) => Some(&mut args.transfer),
            Verb::Mv(args) => Some(&mut args.transfer),
            Verb::Transfers(commands::transfers::TransfersVerb::Resume(args)) => Some(&mut args.transfer),
            Verb::Transfers(commands::transfers::TransfersVerb::Clear(args)) => Some(&mut args.transfer),
            _ => None,
        }
    }

    /// The sandbox's files are nobody's but ours.
    fn heard(&self) -> signals::Heard {
        match self {
            #[cfg(feature = "sandbox")]
            Verb::Sandbox(_) => signals::Heard::StopsAndHangup,
            _ => signals::Heard::Stops,
        }
    }
}

pub fn main() -> ExitCode {
    // A second crate that asks for "the" TLS provider must find the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    crate::render::mask_panics();
    let env = Env::of_process();
    let mut parsed = match args::parse(std::env::args_os(), &env) {
        Ok(parsed) => parsed,
        Err(early) => return early.end(),
    };
    let mut desk = Context::new(parsed.config, env, &parsed.global, parsed.stage);
    log::start(parsed.global.verbose, &desk.renderer);
    let goes_on = is_resumable(&parsed.verb);
    let status = match resources::runtime(parsed.verb.transfer()) {
        Ok((runtime, less)) => {
            less.iter().for_each(|less| desk.renderer.warning(less));
            let (passes_signals_on, heard) = (parsed.verb.forwards_signals(), parsed.verb.heard());
            let work = run(&mut desk, parsed.verb);
            let status = if passes_signals_on { runtime.block_on(work) } else { runtime.block_on(signals::until_interrupted(work, heard)) };
            // A blocked read of standard input must not keep the program alive.
            runtime.shutdown_background();
            status
        }
        Err(e) => Err(e),
    };
    if goes_on && matches!(status, Ok(exit::INTERRUPTED | exit::TERMINATED)) {
        desk.renderer.warning("interrupted; the same command goes on where it stopped");
    }
    ExitCode::from(desk.finish(status))
}

/// Does the same command go on where it was stopped? What comes from a pipe or goes to one is not taken up.
fn is_resumable(verb: &Verb) -> bool {
    match verb {
        Verb::Put(commands::put::PutArgs { places, .. }) | Verb::Get(commands::get::GetArgs { places, .. }) => {
            places.iter().all(|place| place != "-")
        }
        Verb::Cp(_) | Verb::Mv(_) | Verb::Transfers(_) => true,
        _ => false,
    }
}

async fn run(desk: &mut Context, verb: Verb) -> Result<u8> {
    match verb {
        Verb::Put(args) => commands::put::run(desk, args).await,
        Verb::Get(args) => commands::get::run(desk, args).await,
        Verb::Cat(args) => commands::cat::run(desk, args).await,
        Verb::Link(args) => commands::link::run(desk, args).await,
        Verb::Ls(args) => commands::ls::run(desk, args).await,
        Verb::Tree(args) => commands::tree::run(desk, args).await,
        Verb::Du(args) => commands::du::run(desk, args).await,
        Verb::Stat(args) => commands::stat::run(desk, args).await,
        Verb::Find(args) => commands::find::run(desk, args).await,
        Verb::Mkdir(args) => commands::mkdir::run(desk, args).await,
        Verb::Cp(args) => commands::cp::run(desk, args).await,
        Verb::Mv(args) => commands::mv::run(desk, args).await,
        Verb::Rm(args) => commands::rm::run(desk, args).await,
        Verb::Edit(args) => commands::edit::run(desk, args).await,
        Verb::Import(args) => commands::import::run(desk, args).await,
        Verb::Share(args) => commands::share::run(desk, args).await,
        Verb::Star(args) => commands::star::run(desk, args).await,
        Verb::Unstar(args) => commands::star::run_unstar(desk, args).await,
        Verb::About(args) => commands::about::run(desk, args).await,
        Verb::Comments(args) => commands::comments::run(desk, args).await,
        Verb::Login(args) => commands::login::run(desk, args).await,
        Verb::Logout(args) => commands::login::run_logout(desk, args).await,
        Verb::Remote(verb) => commands::remote::run(desk, verb).await,
        Verb::Transfers(verb) => commands::transfers::run(desk, verb).await,
        Verb::Verify(args) => commands::verify::run(desk, args).await,
        Verb::Providers(args) => commands::providers::run(desk, args),
        #[cfg(feature = "sandbox")]
        Verb::Sandbox(args) => commands::sandbox::run(desk, args).await,
        Verb::Completions(args) => commands::completions::run(desk, args),
        Verb::Man(_) => commands::completions::run_man(desk),
    }
}

/// Everything went well.
pub const DONE: u8 = exit::DONE;
