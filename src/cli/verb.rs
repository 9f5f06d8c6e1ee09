//! The verbs, each with the options of its own file, and what holds for one before it runs.

use clap::Subcommand;

use super::resources::Concurrency;
use super::signals;
use super::transfer_args::TransferArgs;
use crate::cli::commands;

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
    Sync(commands::sync::SyncArgs),
    Apply(commands::apply::ApplyArgs),
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
    Batch(commands::batch::BatchArgs),
    Verify(commands::verify::VerifyArgs),
    Report(commands::report::ReportArgs),
    Providers(commands::providers::ProvidersArgs),
    #[cfg(feature = "sandbox")]
    Sandbox(commands::sandbox::SandboxArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
    Version(commands::version::VersionArgs),
    Help(commands::help::HelpArgs),
}

impl Verb {
    /// Changes nothing, so that a failure may be no more than an answer.
    pub fn only_looks(&self) -> bool {
        let is_about_entries = matches!(self, Verb::Ls(_) | Verb::Tree(_) | Verb::Du(_) | Verb::Stat(_) | Verb::Find(_) | Verb::Link(_));
        let is_about_us = matches!(self, Verb::Providers(_) | Verb::Report(_) | Verb::Completions(_) | Verb::Man(_));
        is_about_entries || is_about_us || matches!(self, Verb::About(_) | Verb::Remote(_))
    }

    /// Runs a command that is told to stop instead of us.
    pub fn forwards_signals(&self) -> bool {
        #[cfg(feature = "sandbox")]
        if let Verb::Sandbox(args) = self {
            return !args.command.is_empty();
        }
        false
    }

    /// The options that say how many files are carried at once.
    pub fn transfer(&mut self) -> Option<&mut TransferArgs> {
        match self {
            Verb::Put(args) => Some(&mut args.options.transfer),
            Verb::Get(args) => Some(&mut args.options.transfer),
            Verb::Cat(args) => Some(&mut args.transfer),
            Verb::Cp(args) => Some(&mut args.options.transfer),
            Verb::Mv(args) => Some(&mut args.options.transfer),
            Verb::Sync(args) => Some(&mut args.options.transfer),
            Verb::Apply(args) => Some(&mut args.transfer),
            Verb::Transfers(commands::transfers::TransfersVerb::Resume(args)) => Some(&mut args.transfer),
            _ => None,
        }
    }

    /// How much is carried at once.
    pub fn concurrency_option(&mut self) -> Option<Concurrency<'_>> {
        match self {
            Verb::Batch(args) => Some(Concurrency { jobs: &mut args.jobs, streams: &mut args.streams }),
            carries => carries.transfer().map(|args| Concurrency { jobs: &mut args.jobs, streams: &mut args.streams }),
        }
    }

    /// Only haul removes the sandbox's files, so it handles SIGHUP, too.
    pub fn signals(&self) -> signals::Heard {
        match self {
            #[cfg(feature = "sandbox")]
            Verb::Sandbox(_) => signals::Heard::StopsAndHangup,
            _ => signals::Heard::Stops,
        }
    }
}
