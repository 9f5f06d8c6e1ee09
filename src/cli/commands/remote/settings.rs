//! A remote's settings as they are typed, and what is said when they are written.

use crate::cli::context::Context;
use crate::contract::ProviderInfo;
use crate::error::{Error, Kind, Result};
use crate::model::Report;
use crate::providers::{self, REGISTRY};
use crate::render::exit;

pub(super) fn pair(text: &str) -> Result<(String, String)> {
    let wrong = || Error::new(Kind::Usage, "this is not KEY=VALUE").with_subject(text).with_hint("write it as in username=ann");
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) fn provider(name: &str) -> Result<&'static ProviderInfo> {
    providers::find(name).ok_or_else(|| {
        let known: Vec<&str> = REGISTRY.iter().map(|p| p.id).collect();
        Error::new(Kind::Usage, "there is no such provider").with_subject(name).with_hint(crate::config::suggestion(name, known))
    })
}

/// What became of a remote's settings, and what to type next.
pub(super) fn report(context: &Context, action: &'static str, remote: &str, next: Option<String>) -> Result<u8> {
    let file = context.config.path()?.display().to_string();
    context.renderer.report(&Report::Configured { action, remote: remote.to_owned(), file, next });
    Ok(exit::DONE)
}

/// The keys of every provider, from their own declarations.
pub(super) fn keys_help() -> String {
    let mut text = String::from("Keys (a secret K may be set as K_file or K_command):\n");
    for info in REGISTRY {
        text.push_str(&format!("\n{}\n", info.id));
        for setting in info.settings {
            text.push_str(&format!("  {:<18} {}{}\n", setting.key, setting.help, if setting.secret { " (secret)" } else { "" }));
        }
    }
    text
}
