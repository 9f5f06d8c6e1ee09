//! One binary for all tests that start something: the command, a server, a provider. Unit tests sit beside their code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "sandbox")]
mod config_cli;
#[cfg(feature = "sandbox")]
mod faults;
mod floors;
#[cfg(unix)]
mod ftp_replies;
#[cfg(unix)]
mod ftps;
#[cfg(unix)]
mod ftps_resume;
mod haul;
#[cfg(unix)]
mod memory;
#[cfg(feature = "sandbox")]
mod output;
#[cfg(feature = "sandbox")]
mod put;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(unix)]
mod servers;
mod web;
mod web_servers;
