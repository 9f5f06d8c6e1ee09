//! Two providers that declare settings as real ones do. For tests.

use crate::config::keys::Providers;
use crate::contract::{Error, Kind, ProviderContext, ProviderInfo, Result, Setting, provider::AnyProvider};

pub(crate) static PROVIDERS: Providers = &[&IOGATES, &GIGA0];

const fn setting(key: &'static str, help: &'static str, secret: bool, required: bool) -> Setting {
    Setting { key, help, secret, required, identifies: false }
}

pub(crate) static IOGATES: ProviderInfo = ProviderInfo {
    id: "iogates",
    aliases: &[],
    title: "ioGates",
    default_url: Some("https://iogates.example"),
    sample_url: "https://localhost",
    settings: &[
        setting("username", "the account", false, false),
        setting("password", "its password", true, false),
        setting("share_url", "a share instead of an account", true, false),
    ],
    protocols: &[],
    open,
};

pub(crate) static GIGA0: ProviderInfo = ProviderInfo {
    id: "giga0",
    aliases: &["yetishare"],
    title: "giga0",
    default_url: None,
    sample_url: "https://localhost",
    settings: &[
        setting("url", "the site's address", false, true),
        setting("username", "the account", false, false),
        setting("password", "its password", true, false),
        setting("key1", "the first API key", true, false),
    ],
    protocols: &[],
    open,
};

fn open(_: ProviderContext) -> Result<AnyProvider> {
    Err(Error::new(Kind::Unsupported, "a fixture opens nothing"))
}
