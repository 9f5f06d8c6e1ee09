//! `--include`, `--exclude` and the other filters, on all commands for many files.

mod local;
#[cfg(unix)]
mod real_server;
mod remote;
