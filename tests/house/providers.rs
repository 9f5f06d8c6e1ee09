//! No call to a provider bypasses the retries, and a provider's name appears only in its four places: its folder, the registry,
//! its fixtures, its stand-in.

use haul::model::Protocol;
use haul::providers::REGISTRY;

use super::source_tree::{product_files, rust_files};

/// How a provider is held or opened: who has one can call it.
const HOLDS_A_PROVIDER: &[&str] = &["AnyProvider", "Arc<dyn Provider>", "Box<dyn Provider>", ".open)("];

#[test]
fn only_the_client_holds_a_provider() {
    let mut wrong = Vec::new();
    let is_bound = |name: &str| (name.starts_with("transfer/") || name.starts_with("cli/")) && name != "transfer/client.rs";
    for file in product_files().iter().filter(|file| is_bound(&file.name)) {
        for (number, line) in file.code_lines() {
            if HOLDS_A_PROVIDER.iter().any(|held| line.contains(held)) {
                wrong.push(format!("{}:{number}: {}", file.name, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "calls go through `RemoteClient`, which repeats them: {wrong:#?}");
}

/// Files that may name providers beside the four places, and why.
const MAY_NAME_PROVIDERS: &[(&str, &str)] =
    &[("render/testing.rs", "samples of reports, for tests"), ("sandbox/faults/table.rs", "a fault names the stand-ins that can do it")];

#[test]
fn a_provider_is_named_in_its_own_places_only() {
    // A provider that is called as its protocol (FTP) is named wherever the protocol is.
    let is_protocol = |name: &str| Protocol::UPLOADS.iter().any(|protocol| protocol.name() == name);
    let names = REGISTRY.iter().flat_map(|info| info.aliases.iter().chain([&info.id])).map(|name| name.to_lowercase());
    let names: Vec<String> = names.filter(|name| !is_protocol(name)).collect();
    let mut wrong = Vec::new();
    for file in product_files() {
        let own = |name: &String| ["providers", "sandbox"].iter().any(|top| file.name.starts_with(&format!("{top}/{name}/")));
        let is_list = ["providers/mod.rs", "sandbox/mod.rs", "sandbox/registry.rs", "sandbox/names.rs"].contains(&file.name.as_str());
        if is_list || names.iter().any(own) || MAY_NAME_PROVIDERS.iter().any(|(allowed, _)| *allowed == file.name) {
            continue;
        }
        for (number, line) in file.code_lines() {
            let line = line.to_lowercase();
            if let Some(name) = names.iter().find(|name| line.contains(name.as_str())) {
                wrong.push(format!("{}:{number}: {name}: {}", file.name, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "state it in the provider's folder, and derive it from the registry: {wrong:#?}");
    for (allowed, _) in MAY_NAME_PROVIDERS {
        assert!(product_files().iter().any(|file| file.name == *allowed), "{allowed} is gone");
    }
}

/// What people read before they know any provider: first lines of help, the README, the package.
#[test]
fn every_provider_is_introduced() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let about = <haul::cli::args::Cli as clap::CommandFactory>::command().get_about().unwrap().to_string();
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let description = manifest["package"]["description"].as_str().unwrap().to_owned();
    let readme = read("README.md");
    let texts = [("haul --help", about), ("Cargo.toml", description), ("README.md", readme)];
    for info in REGISTRY {
        for (name, text) in &texts {
            assert!(text.contains(info.title), "{name} does not speak of {}", info.title);
        }
    }
}

/// A list of most providers in a test leaves out the next one: [`crate::support::remotes`] reads the registry.
#[test]
fn tests_list_no_providers_by_name() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let names: Vec<String> = REGISTRY.iter().map(|info| format!("\"{}\"", info.id)).collect();
    let mut wrong = Vec::new();
    for file in rust_files(&tests) {
        for (number, line) in file.text.lines().enumerate() {
            let lists = line.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
            if lists.map(|(list, _)| list).any(|list| names.iter().filter(|name| list.split(", ").any(|one| one == *name)).count() > 2) {
                wrong.push(format!("{}:{}: {}", file.name, number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
