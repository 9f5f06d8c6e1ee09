//! The command line: one verb, one file. `main` reads as a table of contents: parse, set up, run the verb, end with its
//! status.

pub mod about;
pub mod args;
pub mod cat;
pub mod comments;
pub mod completions;
mod connection;
pub mod cp;
mod dates;
mod desk;
pub mod du;
pub mod edit;
pub mod expand;
pub mod find;
pub mod get;
pub mod import;
pub mod link;
pub mod log;
pub mod login;
pub mod look;
pub mod ls;
pub mod mkdir;
pub mod mv;
pub mod providers;
pub mod put;
pub mod receipt;
pub mod remote;
pub mod rm;
mod room;
mod runs;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod share;
pub mod signals;
pub mod star;
pub mod stat;
pub mod transfers;
pub mod tree;
pub mod values;
pub mod verify;
mod written;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Env;
use crate::error::Result;
use crate::render::exit;
use desk::Desk;

#[derive(Subcommand)]
pub enum Verb {
    Put(put::PutArgs),
    Get(get::GetArgs),
    Cat(cat::CatArgs),
    Link(link::LinkArgs),
    Ls(ls::LsArgs),
    Tree(tree::TreeArgs),
    Du(du::DuArgs),
    Stat(stat::StatArgs),
    Find(find::FindArgs),
    Mkdir(mkdir::MkdirArgs),
    Cp(cp::CpArgs),
    Mv(mv::MvArgs),
    Rm(rm::RmArgs),
    Edit(edit::EditArgs),
    Import(import::ImportArgs),
    Share(share::ShareArgs),
    Star(star::StarArgs),
    Unstar(star::UnstarArgs),
    About(about::AboutArgs),
    Comments(comments::CommentsArgs),
    Login(login::LoginArgs),
    Logout(login::LogoutArgs),
    #[command(subcommand)]
    Remote(remote::RemoteVerb),
    #[command(subcommand)]
    Transfers(transfers::TransfersVerb),
    Verify(verify::VerifyArgs),
    Providers(providers::ProvidersArgs),
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::SandboxArgs),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
}

impl Verb {
    /// Runs a command that is told to stop instead of us.
    fn passes_signals_on(&self) -> bool {
        #[cfg(feature = "sandbox")]
        if let Verb::Sandbox(args) = self {
            return !args.command.is_empty();
        }
        false
    }

    /// The options that say how many files are carried at once.
    fn transfer(&mut self) -> Option<&mut put::TransferArgs> {
        match self {
            Verb::Put(args) => Some(&mut args.transfer),
            Verb::Get(args) => Some(&mut args.transfer),
            Verb::Cat(args) => Some(&mut args.transfer),
            Verb::Cp(args) => Some(&mut args.transfer),
            Verb::Mv(args) => Some(&mut args.transfer),
            Verb::Transfers(transfers::TransfersVerb::Resume(args)) => Some(&mut args.transfer),
            Verb::Transfers(transfers::TransfersVerb::Clear(args)) => Some(&mut args.transfer),
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
    let mut desk = Desk::new(parsed.config, env, &parsed.global, parsed.stage);
    log::start(parsed.global.verbose, &desk.renderer);
    let goes_on = goes_on(&parsed.verb);
    let status = match room::runtime(parsed.verb.transfer()) {
        Ok((runtime, less)) => {
            less.iter().for_each(|less| desk.renderer.warning(less));
            let (passes_signals_on, heard) = (parsed.verb.passes_signals_on(), parsed.verb.heard());
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
    ExitCode::from(desk.end(status))
}

/// Does the same command go on where it was stopped? What comes from a pipe or goes to one is not taken up.
fn goes_on(verb: &Verb) -> bool {
    match verb {
        Verb::Put(put::PutArgs { places, .. }) | Verb::Get(get::GetArgs { places, .. }) => places.iter().all(|place| place != "-"),
        Verb::Cp(_) | Verb::Mv(_) | Verb::Transfers(_) => true,
        _ => false,
    }
}

async fn run(desk: &mut Desk, verb: Verb) -> Result<u8> {
    match verb {
        Verb::Put(args) => put::run(desk, args).await,
        Verb::Get(args) => get::run(desk, args).await,
        Verb::Cat(args) => cat::run(desk, args).await,
        Verb::Link(args) => link::run(desk, args).await,
        Verb::Ls(args) => ls::run(desk, args).await,
        Verb::Tree(args) => tree::run(desk, args).await,
        Verb::Du(args) => du::run(desk, args).await,
        Verb::Stat(args) => stat::run(desk, args).await,
        Verb::Find(args) => find::run(desk, args).await,
        Verb::Mkdir(args) => mkdir::run(desk, args).await,
        Verb::Cp(args) => cp::run(desk, args).await,
        Verb::Mv(args) => mv::run(desk, args).await,
        Verb::Rm(args) => rm::run(desk, args).await,
        Verb::Edit(args) => edit::run(desk, args).await,
        Verb::Import(args) => import::run(desk, args).await,
        Verb::Share(args) => share::run(desk, args).await,
        Verb::Star(args) => star::run(desk, args).await,
        Verb::Unstar(args) => star::run_unstar(desk, args).await,
        Verb::About(args) => about::run(desk, args).await,
        Verb::Comments(args) => comments::run(desk, args).await,
        Verb::Login(args) => login::run(desk, args).await,
        Verb::Logout(args) => login::run_logout(desk, args).await,
        Verb::Remote(verb) => remote::run(desk, verb).await,
        Verb::Transfers(verb) => transfers::run(desk, verb).await,
        Verb::Verify(args) => verify::run(desk, args).await,
        Verb::Providers(args) => providers::run(desk, args),
        #[cfg(feature = "sandbox")]
        Verb::Sandbox(args) => sandbox::run(desk, args).await,
        Verb::Completions(args) => completions::run(desk, args),
        Verb::Man(_) => completions::run_man(desk),
    }
}

/// Everything went well.
pub const DONE: u8 = exit::DONE;
