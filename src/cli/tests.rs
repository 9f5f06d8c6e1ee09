//! What becomes of each command on a remote that can do nothing but take uploads.

use clap::{CommandFactory, Parser};

use super::args::Cli;
use super::context::Context;
use super::global::CurrentRenderer;
use crate::config::{Config, Env, LoadOptions};
use crate::error::Kind;
use crate::testing::minimal_provider::{MINIMAL, received_calls};

static PROVIDERS: &[&crate::contract::ProviderInfo] = &[&MINIMAL];

/// A command that needs more, and what it says is missing.
const REFUSED: &[(&str, &str)] = &[
    ("ls m:", "lists folders"),
    ("ls m:/*.mov", "lists folders"),
    ("tree m:", "lists folders"),
    ("du m:", "lists folders"),
    ("find m: --name *", "lists folders"),
    ("stat m:/a", "tells of an entry"),
    ("get m:/a LOCAL", "reads files"),
    ("cat m:/a", "reads files"),
    ("rm m:/a", "removes"),
    ("rm m:/*", "removes"),
    ("mkdir m:/a", "makes folders only"),
    ("cp m:/a m:/b", "copies"),
    ("cp m:/* m:/b", "copies"),
    ("mv m:/a m:/b", "moves"),
    ("cp m:/a n:/b", "reads files"),
    ("mv m:/* n:/b", "reads files"),
    ("sync m:/a LOCAL", "lists folders"),
    ("sync LOCAL m:/a", "lists folders"),
    ("sync m:/a n:/b", "lists folders"),
    ("apply PLAN", "lists folders"),
    ("edit m:/a --name b", "edits"),
    ("link m:/a", "download URL"),
    ("import https://h.example/x m:/", "fetches"),
    ("share m:/a --with x", "shares"),
    ("star m:/a", "favourites"),
    ("unstar m:/a", "favourites"),
    ("comments m:/a", "comments"),
    ("comments list m:/a", "comments"),
    ("comments add m:/a --text x", "comments"),
    ("comments edit m:/a 1 --text x", "comments"),
    ("comments rm m:/a 1", "comments"),
    ("verify RECEIPT", "tells of an entry"),
    ("put --attr a=b RECEIPT m:", "attributes"),
];

/// Commands that need nothing but an account, or no remote at all.
const NEED_NOTHING: &[&str] = &[
    "put",
    "about",
    "batch",
    "login",
    "logout",
    "remote",
    "transfers",
    "providers",
    "report",
    "sandbox",
    "completions",
    "man",
    "version",
    "help",
];

#[test]
fn every_command_is_in_a_list() {
    let mut missing = Vec::new();
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        if !NEED_NOTHING.contains(&name) && !REFUSED.iter().any(|(line, _)| line.split(' ').next() == Some(name)) {
            missing.push(name.to_owned());
        }
    }
    assert!(missing.is_empty(), "say in src/cli/tests.rs what {missing:?} needs of a provider");
}

/// Status 10 with the name of what is missing, before anything is sent.
#[tokio::test]
async fn a_missing_ability_is_told_before_anything_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let receipt = home.path().join("receipt.jsonl");
    let line = concat!(
        r#"{"schema":1,"source":"a","remote":"m","path":"/a","id":"1","size":3,"md5":null,"protocol":"tus","verified":"size","#,
        r#""entry":null,"finished":"2026-10-01T23:30:10Z","seconds":1.0,"tries":1}"#
    );
    std::fs::write(&receipt, format!("{line}\n")).unwrap();
    let plan = home.path().join("plan.jsonl");
    let header = r#"{"schema":1,"event":"plan","version":1,"from":"/src","to":"m:/a","options":{},"made":"2026-10-01T23:30:10Z"}"#;
    std::fs::write(&plan, format!("{header}\n")).unwrap();
    let vars = ["M", "N"].map(|name| (format!("HAUL_REMOTE_{name}_PROVIDER"), "minimal".to_owned()));
    for (line, wanted) in REFUSED {
        let local = |word: &str| match word {
            "PLAN" => plan.to_string_lossy().into_owned(),
            "RECEIPT" => receipt.to_string_lossy().into_owned(),
            "LOCAL" => home.path().to_string_lossy().into_owned(),
            word => word.to_owned(),
        };
        let words = std::iter::once("haul".to_owned()).chain(line.split(' ').map(local));
        let cli = Cli::try_parse_from(words).unwrap_or_else(|e| panic!("{line}: {e}"));
        let env = Env::new(vars.to_vec()).at_home(home.path());
        let config = Config::load(LoadOptions { explicit: None, env: &env, options: &[], prompt: None }, PROVIDERS).unwrap();
        let mut context = Context::new(config, env, &cli.global, CurrentRenderer::default());
        let error = super::run(&mut context, cli.verb).await.err().unwrap_or_else(|| panic!("{line}: it was done"));
        assert_eq!(
            (error.kind(), received_calls().calls.load(std::sync::atomic::Ordering::Relaxed)),
            (Kind::Unsupported, 0),
            "{line}: {error}"
        );
        assert!(error.message().contains(wanted), "{line}: {error}");
    }
}
