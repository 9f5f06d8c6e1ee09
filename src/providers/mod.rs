//! The registry: one line for each provider. A provider's folder holds `mod` (the trait, as an index), `api` (calls), `wire`
//! (JSON), `answer` (decides what each reply means) and `upload`.

pub(crate) mod adapter;
pub(crate) mod fileago;
pub(crate) mod ftp;
pub(crate) mod giga0;
pub(crate) mod iogates;
pub(crate) mod tus;

use crate::contract::ProviderInfo;

/// All providers, in the order in which lists show them.
pub static REGISTRY: &[&ProviderInfo] = &[&iogates::INFO, &giga0::INFO, &fileago::INFO, &ftp::INFO, &tus::INFO];

/// Returns the provider of that id or alias, without regard to case.
pub fn find(id: &str) -> Option<&'static ProviderInfo> {
    REGISTRY.iter().copied().find(|p| p.id.eq_ignore_ascii_case(id) || p.aliases.iter().any(|a| a.eq_ignore_ascii_case(id)))
}
