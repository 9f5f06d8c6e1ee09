//! Helpers that tests share: the command in its own home, servers, runs that are killed. The only tests here are for the
//! helpers that check the command's output and split shell lines.

pub(crate) mod command;
#[cfg(unix)]
pub(crate) mod document_files;
pub(crate) mod env;
pub(crate) mod events;
pub(crate) mod fixed_answers;
pub(crate) mod fixture;
#[cfg(unix)]
pub(crate) mod ftp_servers;
pub(crate) mod kill;
pub(crate) mod listed_tree;
pub(crate) mod markdown;
pub(crate) mod odd_ftp;
pub(crate) mod random;
pub(crate) mod raw_http;
pub(crate) mod remotes;
pub(crate) mod same_screen;
pub(crate) mod shell;
pub(crate) mod stand_ins;
#[cfg(unix)]
pub(crate) mod tmux;
pub(crate) mod told;
pub(crate) mod web_servers;
