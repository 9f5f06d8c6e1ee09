//! The options of every command that talks to a server.

use std::time::Duration;

use clap::Args;

use super::value_parsers;

#[derive(Args, Clone, Copy, PartialEq)]
pub struct ConnectArgs {
    /// Tries of one request, including the first
    #[arg(long, value_name = "N", default_value = "5", env = "HAUL_RETRIES", value_parser = value_parsers::count)]
    pub retries: u32,
    /// Time without a byte before a connection counts as lost
    #[arg(long, value_name = "D", default_value = "60s", env = "HAUL_TIMEOUT", value_parser = value_parsers::time)]
    pub timeout: Duration,
}
