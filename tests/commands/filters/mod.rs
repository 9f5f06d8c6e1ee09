//! `--include`, `--exclude` and their like, on all commands that work off many files.

mod local;
#[cfg(unix)]
mod real_server;
mod remote;
