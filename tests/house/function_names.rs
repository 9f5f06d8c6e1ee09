//! A function is named by a verb, a predicate begins with `is_` or `has_`, a getter is a noun. A bare past participle (`told`,
//! `landed`) reads like a predicate and states neither what the function does nor what it returns.

use std::path::Path;

use super::source_tree::rust_files;

/// Verbs and nouns that end as a participle does.
const NO_PARTICIPLES: &[&str] = &["embed", "exceed", "feed", "need", "proceed", "seed", "shed", "speed", "succeed"];

/// Participles of irregular verbs. Those that are also a present tense (`read`, `put`, `set`, `cut`, `hit`, `split`, `run`) are
/// verbs.
const IRREGULAR: &[&str] = &[
    "begun",
    "bent",
    "bound",
    "bought",
    "broken",
    "brought",
    "built",
    "caught",
    "chosen",
    "done",
    "drawn",
    "driven",
    "fallen",
    "fed",
    "felt",
    "forgotten",
    "found",
    "frozen",
    "given",
    "gone",
    "grown",
    "heard",
    "held",
    "hidden",
    "hung",
    "kept",
    "known",
    "laid",
    "led",
    "left",
    "lent",
    "lost",
    "made",
    "meant",
    "met",
    "paid",
    "said",
    "seen",
    "sent",
    "shown",
    "shut",
    "spent",
    "spoilt",
    "sprung",
    "stolen",
    "stood",
    "stuck",
    "sunk",
    "sworn",
    "taken",
    "taught",
    "thrown",
    "told",
    "torn",
    "undone",
    "withdrawn",
    "won",
    "worn",
    "written",
];

/// Files that were named by a metaphor. The name of a file says what is in it.
const RETIRED_FILES: &[&str] = &[
    "arrange",
    "board",
    "crew",
    "desk",
    "earlier",
    "hands",
    "kept",
    "landing",
    "lease",
    "ledger",
    "loose",
    "manners",
    "ours",
    "paper",
    "porch",
    "rivalry",
    "screen",
    "shelves",
    "unfinished",
    "verdict",
];

/// The name of the function that a line defines.
fn defined_function(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let are_modifiers = before
        .split_whitespace()
        .all(|word| word.starts_with("pub") || ["const", "async", "in", "default"].contains(&word) || word.ends_with(')'));
    let name = &rest[..rest.find(['(', '<'])?];
    are_modifiers.then_some(name).filter(|name| !name.is_empty())
}

fn is_participle(name: &str) -> bool {
    let is_one_word = !name.contains('_');
    let is_regular = name.len() > 3 && name.ends_with("ed") && !NO_PARTICIPLES.contains(&name);
    is_one_word && (is_regular || IRREGULAR.contains(&name))
}

#[test]
fn no_function_is_named_by_a_bare_participle() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for folder in ["src", "tests", "benches", "examples"] {
        for file in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let mut is_test = false;
            for (number, line) in file.text.lines().enumerate() {
                let trimmed = line.trim_start();
                if trimmed.starts_with("#[") {
                    // The name of a test is a sentence.
                    is_test |= trimmed.contains("test]") || trimmed.contains("test(");
                    continue;
                }
                if let Some(name) = defined_function(line) {
                    count += 1;
                    if !is_test && is_participle(name) {
                        wrong.push(format!("{folder}/{}:{}: {name}", file.name, number + 1));
                    }
                }
                is_test &= trimmed.starts_with("//");
            }
        }
    }
    assert!(count > 5000, "only {count} functions were found");
    assert!(wrong.is_empty(), "name these by what they do or return: {wrong:#?}");
}

#[test]
fn no_file_is_named_by_a_metaphor() {
    let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let names = files.iter().filter(|file| {
        let mut steps = file.name.trim_end_matches(".rs").split('/');
        steps.any(|step| RETIRED_FILES.contains(&step))
    });
    let wrong: Vec<&str> = names.map(|file| file.name.as_str()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_rules_find_what_they_are_for() {
    let names = ["    pub(crate) async fn told<T>(&self)", "fn shown(entry: &Entry) -> String", "pub(in crate::transfer) fn cleared()"];
    assert_eq!(names.map(|line| defined_function(line).filter(|name| is_participle(name))), [Some("told"), Some("shown"), Some("cleared")]);
    let fine = ["fn read(&self)", "fn feed(&mut self)", "fn is_closed(&self)", "// what the fn told(", "fn accepted_entry()"];
    assert!(fine.iter().all(|line| defined_function(line).is_none_or(|name| !is_participle(name))));
}
