//! One binary for all tests that start something: the command, a server, a provider. Unit tests sit beside their code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "sandbox")]
mod across;
#[cfg(all(unix, feature = "sandbox"))]
mod asking;
#[cfg(feature = "sandbox")]
mod circles;
#[cfg(feature = "sandbox")]
mod config_cli;
#[cfg(feature = "sandbox")]
mod contract;
#[cfg(all(unix, feature = "sandbox"))]
mod crash;
#[cfg(all(unix, feature = "sandbox"))]
mod dry_run;
#[cfg(feature = "sandbox")]
mod errors;
#[cfg(feature = "sandbox")]
mod faults;
mod floors;
#[cfg(unix)]
mod ftp_replies;
#[cfg(unix)]
mod ftps;
#[cfg(unix)]
mod ftps_proxy;
#[cfg(unix)]
mod ftps_resume;
#[cfg(feature = "sandbox")]
mod get;
#[cfg(feature = "sandbox")]
mod get_faults;
#[cfg(feature = "sandbox")]
mod get_named;
#[cfg(feature = "sandbox")]
mod haul;
#[cfg(feature = "sandbox")]
mod lease;
#[cfg(all(target_os = "linux", feature = "sandbox"))]
mod limits;
#[cfg(feature = "sandbox")]
mod listings;
#[cfg(feature = "sandbox")]
mod look;
#[cfg(feature = "sandbox")]
mod manual;
#[cfg(feature = "sandbox")]
mod matrix;
#[cfg(feature = "sandbox")]
mod media;
#[cfg(unix)]
mod memory;
#[cfg(all(unix, feature = "sandbox"))]
mod noise;
#[cfg(feature = "sandbox")]
mod ops;
#[cfg(feature = "sandbox")]
mod outages;
#[cfg(feature = "sandbox")]
mod output;
#[cfg(feature = "sandbox")]
mod patience;
#[cfg(feature = "sandbox")]
mod put;
#[cfg(feature = "sandbox")]
mod receipts;
#[cfg(all(unix, feature = "sandbox"))]
mod resume;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(unix)]
mod servers;
#[cfg(feature = "sandbox")]
mod trust;
#[cfg(all(unix, feature = "sandbox"))]
mod unchanged;
mod web;
mod web_servers;
