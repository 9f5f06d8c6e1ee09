//! `haul version`: what a bug report should say of the program and its places.

use clap::Args;

use crate::cli::context::Context;
use crate::error::Result;
use crate::providers::REGISTRY;
use crate::render::exit::DONE;

/// Show version and build, and the paths of configuration and state
///
/// Examples:
///   haul version
///   haul version | head -n 1
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct VersionArgs {}

pub fn run(context: &mut Context, _: VersionArgs) -> Result<u8> {
    let place = |path: Option<&std::path::Path>| path.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let providers: Vec<&str> = REGISTRY.iter().map(|info| info.id).collect();
    let mut text = format!("haul {}\nproviders  {}\n", build(), providers.join(", "));
    text.push_str(&format!("config     {}\n", place(context.config.path().ok())));
    text.push_str(&format!("state      {}\n", place(context.state_folder())));
    context.renderer.out(&text);
    Ok(DONE)
}

/// `haul 0.1.0 on linux x86_64`
pub fn program() -> String {
    format!("haul {} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)
}

/// Behind the name of the program: version, build, system.
pub fn build() -> String {
    let kind = if cfg!(debug_assertions) { "debug" } else { "release" };
    let libc = if cfg!(target_env = "musl") { "-musl" } else { "" };
    let sandbox = if cfg!(feature = "sandbox") { "with the sandbox" } else { "without the sandbox" };
    let commit = option_env!("HAUL_COMMIT").map(|commit| format!("\ncommit     {commit}")).unwrap_or_default();
    let (version, arch, os) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
    format!("{version}\nbuild      {kind}, {arch}-{os}{libc}, {sandbox}{commit}")
}
