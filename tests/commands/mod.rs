//! What each command does when all goes well: one file a command, with the command's name. What holds for several commands has a
//! file of its own, whose name says what (`tests/house/commands.rs` knows both lists).

mod comments;
mod configuration;
mod cp;
mod cross_remote;
#[cfg(unix)]
mod dry_run;
mod edit;
mod folder_walk;
mod get;
mod large_listings;
mod login;
mod ls;
mod mv;
mod output;
mod parallel_runs;
#[cfg(unix)]
mod prompts;
mod put;
mod receipts;
mod rm;
#[cfg(unix)]
mod sandbox;
mod share_links;
#[cfg(unix)]
mod transfers;
mod unsupported;
