//! Remotes of the sandbox for tests that hold for many, read from the registry of providers: a new provider joins the tests of
//! what it can do. A test of what one provider does differently names that one.

use haul::cli::abilities::holds;
use haul::contract::ProviderInfo;
use haul::model::Protocol;
use haul::providers::REGISTRY;

pub fn all() -> Vec<&'static str> {
    REGISTRY.iter().map(|info| info.id).collect()
}

/// Those that can do all of it, in the words of `cli/abilities.rs`.
pub fn that_can(abilities: &[&str]) -> Vec<&'static str> {
    REGISTRY.iter().filter(|info| can(info, abilities)).map(|info| info.id).collect()
}

/// File hosts: they are asked by HTTP, and tell what they hold.
pub fn hosts() -> Vec<&'static str> {
    hosts_that_can(&[])
}

/// The file hosts whose entries can be moved, copied and removed.
pub fn hosts_that_change() -> Vec<&'static str> {
    hosts_that_can(&["move", "copy", "remove"])
}

fn hosts_that_can(abilities: &[&str]) -> Vec<&'static str> {
    let is_http = |info: &ProviderInfo| info.protocols.iter().any(|protocol| ![Protocol::Ftp, Protocol::Ftps].contains(protocol));
    let hosts = REGISTRY.iter().filter(|info| is_http(info) && can(info, &["list", "download"]) && can(info, abilities));
    hosts.map(|info| info.id).collect()
}

fn can(info: &'static ProviderInfo, abilities: &[&str]) -> bool {
    abilities.iter().all(|ability| holds(info, ability).unwrap().unwrap_or_else(|| panic!("{ability} is no ability")))
}
