//! One binary for all tests that start something: the command, a server, a provider. Unit tests are beside their code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod commands;
mod contract;
mod documents;
mod faults;
mod house;
mod protocols;
mod sandbox;
mod support;
