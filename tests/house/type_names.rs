//! A type name means one thing.

use std::collections::{BTreeMap, BTreeSet};

use super::source_tree::{RETIRED_NAMES, product_files, rust_files};

/// One idea, told once by each provider.
const OF_PROVIDERS: &[&str] =
    &["Api", "ArrivalTracker", "Attempts", "Credentials", "File", "Grant", "Listed", "Settings", "Status", "UploadForm"];

/// One idea, told once by each stand-in.
const OF_STAND_INS: &[&str] = &["Guest", "Host", "State", "Users"];

/// The type that a line defines. An associated type is no name of its own.
fn defined_type(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
    let is_definition = match words.next()? {
        "struct" | "enum" | "trait" | "union" => true,
        "type" => !line.starts_with(' '),
        // What stands in the brackets of `pub(in …)`.
        _ if line.trim_start().starts_with("pub(in") => return defined_type(line.split_once(')')?.1.trim_start()),
        _ => false,
    };
    let name = words.next().filter(|_| is_definition)?;
    Some(&name[..name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len())])
}

/// The sandbox stands in for other programs, so its names may be those of haul.
#[test]
fn a_type_name_is_used_once() {
    let mut found: BTreeMap<(bool, String), Vec<String>> = BTreeMap::new();
    for file in product_files() {
        // Two definitions in one file are one for each platform.
        let names: BTreeSet<&str> = file.code_lines().into_iter().filter_map(|(_, line)| defined_type(line)).collect();
        for name in names {
            found.entry((file.name.starts_with("sandbox/"), name.to_owned())).or_default().push(file.name.clone());
        }
    }
    assert!(found.len() > 600, "only {} types were found", found.len());
    found.retain(|_, files| files.len() > 1);
    let (mut told_often, mut wrong) = (BTreeSet::new(), Vec::new());
    for ((is_sandbox, name), files) in &found {
        let (allowed, top) = if *is_sandbox { (OF_STAND_INS, "sandbox/") } else { (OF_PROVIDERS, "providers/") };
        told_often.insert(name.as_str());
        if !allowed.contains(&name.as_str()) || !files.iter().all(|file| file.starts_with(top)) {
            wrong.push(format!("{name}: {files:?}"));
        }
    }
    assert!(wrong.is_empty(), "one name for several types: {wrong:#?}");
    let once: Vec<_> = OF_PROVIDERS.iter().chain(OF_STAND_INS).filter(|name| !told_often.contains(*name)).collect();
    assert!(once.is_empty(), "used once by now, and no exception: {once:?}");
}

#[test]
fn tests_define_no_type_by_a_retired_name() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut wrong = Vec::new();
    for file in rust_files(&tests) {
        let names = file.text.lines().filter_map(defined_type).filter(|name| RETIRED_NAMES.contains(name));
        wrong.extend(names.map(|name| format!("{}: {name}", file.name)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
