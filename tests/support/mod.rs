//! What tests share: the command in a home of its own, servers, runs that are killed. The only tests here are of the judges of what
//! the command says and of lines of a shell.

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
pub(crate) mod same_screen;
pub(crate) mod shell;
pub(crate) mod stand_ins;
#[cfg(unix)]
pub(crate) mod tmux;
pub(crate) mod told;
pub(crate) mod web_servers;
