//! Each command without faults: one file for each command, with the command's name. Tests for several commands have a file of
//! their own, named after their subject (`tests/house/commands.rs` checks both).

mod about;
mod apply;
mod batch;
mod cat;
mod comments;
mod completions;
mod configuration;
mod cp;
mod cross_remote;
#[cfg(unix)]
mod dry_run;
mod du;
mod edit;
mod failed_sources;
mod filters;
mod find;
mod folder_walk;
mod get;
mod help;
mod hints;
mod import;
mod large_listings;
mod link;
mod lists;
mod login;
mod logout;
mod ls;
mod man;
mod mkdir;
mod mv;
mod output;
mod parallel_runs;
mod partial_failure;
#[cfg(unix)]
mod prompts;
mod providers;
mod put;
mod refused_arguments;
mod remote;
mod report;
mod rm;
#[cfg(unix)]
mod sandbox;
mod share;
mod share_links;
mod star;
mod stat;
#[cfg(unix)]
mod sync;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod transfers;
mod tree;
mod unstar;
mod verify;
mod version;
mod wildcards;
