//! Checks the structure: a file uses only its own module and lower layers, no two files of the program import each other in a
//! circle, one file sleeps, one module prints, and a file is short enough to be read.

use std::collections::BTreeSet;

use super::source_tree::{RETIRED_NAMES, SourceFile, product_files};

/// A module, and the modules it may use besides `error` and `model`.
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

/// Lines of product code in one file; tests are not counted.
const MAX_LINES: usize = 400;

/// One layer as it is drawn: its number, its modules, and what else is said of it.
type Layer = (u8, BTreeSet<String>, BTreeSet<String>);

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The drawing in `src/lib.rs`. A line without a number goes on with the layer above it.
fn parse_drawing(text: &str) -> Vec<Layer> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("//! ")).skip_while(|line| *line != "```text").skip(1);
    let mut layers: Vec<Layer> = Vec::new();
    for line in lines.take_while(|line| *line != "```") {
        let (number, rest) = match line.strip_prefix("layer ") {
            Some(rest) => (rest[..1].parse().unwrap(), rest[1..].trim()),
            None => (layers.last().unwrap().0, line.trim()),
        };
        let (modules, said) = rest.split_once("   ").unwrap();
        layers.push((number, words(modules), words(said)));
    }
    layers
}

/// The table in `docs/architecture.md`: modules stand in backticks.
fn parse_table(text: &str) -> Vec<Layer> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let rows = rows.filter_map(|(layer, rest)| Some((layer.parse().ok()?, rest)));
    rows.map(|(layer, rest)| {
        let part = |nth: usize| rest.split('`').skip(nth).step_by(2).collect::<Vec<_>>().join(" ");
        (layer, words(&part(1)), words(&part(0)))
    })
    .collect()
}

/// The layers are drawn twice: by the same names, each module on one, above all that it may use.
#[test]
fn the_layers_are_drawn_alike() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let both = [parse_drawing(&read("src/lib.rs")), parse_table(&read("docs/architecture.md"))];
    for layers in &both {
        let layer_of = |module: &str| {
            let on: Vec<u8> = layers.iter().filter(|(_, modules, _)| modules.contains(module)).map(|(layer, ..)| *layer).collect();
            assert_eq!(on.len(), 1, "{module} is on the layers {on:?}");
            on[0]
        };
        for (module, uses) in MAY_USE {
            assert!(uses.iter().all(|used| layer_of(used) < layer_of(module)), "{module} uses {uses:?}");
        }
    }
    let [first, second] = both.map(|layers| layers.into_iter().find(|(layer, ..)| *layer == 2).unwrap());
    assert_eq!(first, second);
    let is_module = |name: &String| ["", "/mod"].iter().any(|end| root.join(format!("src/protocols/{name}{end}.rs")).exists());
    assert!(!first.2.is_empty() && first.2.iter().all(is_module), "{:?}", first.2);
}

#[test]
fn modules_use_lower_layers_only() {
    let mut wrong = Vec::new();
    for file in product_files() {
        let module = file.module_name();
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else { continue };
        for (number, line) in file.code_lines() {
            for (at, _) in line.match_indices("crate::") {
                let used: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let is_fine = used == module
                    || ["error", "model", "Error", "Kind", "Result"].contains(&used.as_str())
                    || allowed.contains(&used.as_str());
                if !is_fine {
                    wrong.push(format!("{}:{number}: {module} uses {used}", file.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Providers do not use each other.
#[test]
fn providers_do_not_know_each_other() {
    let registry: Vec<&str> = haul::providers::REGISTRY.iter().map(|p| p.id).collect();
    let mut wrong = Vec::new();
    for file in product_files() {
        let mut steps = file.name.split('/');
        let (Some("providers"), Some(own), Some(_)) = (steps.next(), steps.next(), steps.next()) else { continue };
        for (number, line) in file.code_lines() {
            for other in registry.iter().filter(|other| **other != own) {
                if line.contains(&format!("providers::{other}")) || line.contains(&format!("super::super::{other}")) {
                    wrong.push(format!("{}:{number}: {own} uses {other}", file.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn one_file_sleeps_and_one_module_prints() {
    let mut wrong = Vec::new();
    for file in product_files() {
        for (number, line) in file.code_lines() {
            let sleeps = ["time::sleep", "thread::sleep", "sleep_until(", "time::interval"].iter().any(|call| line.contains(call));
            if sleeps && !["sandbox", "render"].contains(&file.module_name()) && file.name != "transfer/sleep.rs" {
                wrong.push(format!("{}:{number}: sleeps", file.name));
            }
            let prints = ["println!(", "print!(", "eprintln!(", "eprint!("].iter().any(|p| line.contains(p));
            if prints && file.module_name() != "render" {
                wrong.push(format!("{}:{number}: prints", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = product_files()
        .iter()
        .map(|file| (file.product_lines(), &file.name))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, name)| format!("{name}: {lines} lines of product code, at most {MAX_LINES}"))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn retired_names_do_not_come_back() {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut wrong = Vec::new();
    for file in product_files() {
        for (number, line) in file.code_lines() {
            for word in line.split(|c| !is_word(c)).filter(|word| RETIRED_NAMES.contains(word)) {
                wrong.push(format!("{}:{number}: {word}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each file is reached from the root of its crate: a file that no `mod` names is never compiled, and its tests never run.
#[test]
fn no_file_is_forgotten() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut forgotten = Vec::new();
    for crate_root in ["src", "tests"] {
        let files = super::source_tree::rust_files(&root.join(crate_root));
        for file in files.iter().filter(|f| !["lib.rs", "main.rs"].contains(&f.name.as_str())) {
            let (folder, stem) = match file.name.trim_end_matches(".rs").rsplit_once('/') {
                Some((folder, "mod")) => folder.rsplit_once('/').unwrap_or(("", folder)),
                Some((folder, stem)) => (folder, stem),
                None => ("", file.name.trim_end_matches(".rs")),
            };
            let is_parent = |f: &SourceFile| match folder {
                "" => ["lib.rs", "main.rs"].contains(&f.name.as_str()),
                folder => f.name == format!("{folder}/mod.rs") || f.name == format!("{folder}.rs"),
            };
            let declaration = format!("mod {stem};");
            if !files
                .iter()
                .filter(|f| is_parent(f))
                .any(|f| f.text.lines().any(|line| line.trim_start_matches("pub(crate) ").trim_start_matches("pub ").trim() == declaration))
            {
                forgotten.push(format!("{crate_root}/{}", file.name));
            }
        }
    }
    assert!(forgotten.is_empty(), "{forgotten:#?}");
}
