//! Keeps the house in order: a file uses its own room and lower floors only, one place sleeps, one room prints.

use std::fs;
use std::path::{Path, PathBuf};

/// Room, and the rooms it may name besides `error` and `model`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("model", &[]),
    ("ownership", &[]),
    ("contract", &[]),
    ("protocols", &["contract"]),
    ("providers", &["contract", "protocols"]),
    ("transfer", &["contract"]),
    ("state", &["contract", "ownership"]),
    ("config", &["contract", "ownership"]),
    ("render", &[]),
    ("sandbox", &[]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The lines of a file that are code of the product: without comments and without the tests at its foot.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .map(|(n, line)| (n + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn each_source(mut visit: impl FnMut(&str, &str, &str)) {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 20, "the scan found only {} files", files.len());
    for file in files {
        let name = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        let room = name.split(['/', '.']).next().unwrap().to_owned();
        visit(&room, &name, &fs::read_to_string(&file).unwrap());
    }
}

#[test]
fn rooms_use_lower_floors_only() {
    let mut wrong = Vec::new();
    each_source(|room, name, text| {
        let Some((_, allowed)) = MAY_USE.iter().find(|(r, _)| *r == room) else { return };
        for (number, line) in code(text) {
            for (at, _) in line.match_indices("crate::") {
                let used: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let fine = used == room
                    || ["error", "model", "Error", "Kind", "Result"].contains(&used.as_str())
                    || allowed.contains(&used.as_str());
                if !fine {
                    wrong.push(format!("{name}:{number}: {room} uses {used}"));
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Providers are neighbours too: none looks at another.
#[test]
fn providers_do_not_know_each_other() {
    let mut wrong = Vec::new();
    each_source(|room, name, text| {
        let mut steps = name.split('/');
        let (Some("providers"), Some(own), Some(_)) = (steps.next(), steps.next(), steps.next()) else { return };
        assert_eq!(room, "providers");
        for (number, line) in code(text) {
            for other in ["iogates", "giga0", "fileago"].iter().filter(|o| **o != own) {
                if line.contains(&format!("providers::{other}")) || line.contains(&format!("super::super::{other}")) {
                    wrong.push(format!("{name}:{number}: {own} uses {other}"));
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn one_place_sleeps_and_one_room_prints() {
    let mut wrong = Vec::new();
    each_source(|room, name, text| {
        for (number, line) in code(text) {
            let sleeps =
                line.contains("sleep(") || line.contains("sleep_until(") || (line.contains("interval(") && !line.contains("_interval("));
            if sleeps && room != "sandbox" && room != "render" && name != "transfer/wait.rs" {
                wrong.push(format!("{name}:{number}: sleeps"));
            }
            let prints = ["println!(", "print!(", "eprintln!(", "eprint!("].iter().any(|p| line.contains(p));
            if prints && room != "render" {
                wrong.push(format!("{name}:{number}: prints"));
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
