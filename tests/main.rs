//! One binary for all tests that start something: the command, a server, a provider. Unit tests sit beside their code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "sandbox")]
mod commands;
#[cfg(feature = "sandbox")]
mod contract;
#[cfg(feature = "sandbox")]
mod faults;
mod house;
mod protocols;
#[cfg(feature = "sandbox")]
mod sandbox;
mod support;
