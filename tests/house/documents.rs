//! The targets of references in documents and comments exist: files, sections of `docs/providers.md`, open questions.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::source_tree::rust_files;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts between backticks.
fn texts_in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_file_that_a_document_names_is_there() {
    let mut missing = Vec::new();
    let mut count = 0;
    for document in ["README.md", "CONTRIBUTING.md", "docs/architecture.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for name in texts_in_backticks(&text).filter(|q| q.ends_with(".rs") && !q.contains(['*', '{', ' ']) && !q.contains("NAME")) {
            count += 1;
            // A short name continues the folder of the sentence: `put/previous.rs` after `transfer/put/file.rs`.
            let places = ["", "src/", "src/transfer/", "src/cli/"];
            if !places.iter().any(|place| root().join(place).join(name).exists()) {
                missing.push(format!("{document}: {name}"));
            }
        }
    }
    assert!(count > 15 && missing.is_empty(), "{count} names, missing: {missing:#?}");
}

/// `(providers.md 2.5)` and `OQ-20` in comments.
#[test]
fn every_section_that_a_comment_cites_is_there() {
    let reference = fs::read_to_string(root().join("docs/providers.md")).unwrap();
    let headings = reference.lines().filter(|l| l.starts_with('#')).filter_map(|l| l.trim_start_matches('#').split_whitespace().next());
    let sections: BTreeSet<String> = headings.map(|number| number.trim_end_matches('.').to_owned()).collect();
    let questions: BTreeSet<&str> = reference.lines().filter_map(|l| l.strip_prefix("| OQ-")?.split(' ').next()).collect();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in ["src", "tests"].iter().flat_map(|folder| rust_files(&root().join(folder))) {
        for (number, line) in file.text.lines().enumerate() {
            let cited = line.split("providers.md").skip(1).map(|rest| rest.trim_start_matches([',', ' ']).trim_start_matches("section "));
            for section in cited.map(|rest| rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect::<String>()) {
                let section = section.trim_end_matches('.');
                if !section.is_empty() {
                    count += 1;
                    if !sections.contains(section) {
                        wrong.push(format!("{}:{}: section {section}", file.name, number + 1));
                    }
                }
            }
            for question in line.split("OQ-").skip(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>()) {
                if !question.is_empty() && !questions.contains(question.as_str()) {
                    wrong.push(format!("{}:{}: OQ-{question}", file.name, number + 1));
                }
            }
        }
    }
    assert!(count > 100 && wrong.is_empty(), "{count} citations, wrong: {wrong:#?}");
}
