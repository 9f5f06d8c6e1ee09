//! Commands and files in the documents can be parsed by haul, and links have targets.

use std::collections::BTreeSet;

use clap::CommandFactory;
use haul::cli::args::Cli;
use haul::model::report::TransferKind;
use serde_json::Value;

use super::documents;
use crate::support::command::Home;
use crate::support::events;
use crate::support::markdown::{anchors, blocks, links, prose, texts_in_backticks};
use crate::support::shell::{commands, split};

/// Why a command can't be typed. A verb alone, as a text names one, is enough.
fn refusal(command: &str) -> Option<String> {
    use clap::error::ErrorKind::{
        DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion, MissingRequiredArgument, MissingSubcommand,
    };
    let error = Cli::command().try_get_matches_from(split(command)).err()?;
    let is_enough = matches!(
        error.kind(),
        MissingRequiredArgument | MissingSubcommand | DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand
    );
    (!is_enough).then(|| format!("{command}: {error}"))
}

/// The commands of haul in a line, without a comment behind them, variables before them or what the sandbox would run.
fn ours(line: &str) -> Vec<String> {
    let line = line.split(" # ").next().unwrap_or_default();
    let without_wrapper = |command: String| command.find("haul ").map(|at| command[at..].to_owned()).unwrap_or(command);
    let named = commands(line).into_iter().map(without_wrapper).filter(|command| command.starts_with("haul "));
    named.map(|command| command.trim_end_matches('\\').replace('…', "x:/y").replace("SHELL", "bash")).collect()
}

#[test]
fn every_command_in_the_documents_can_be_typed() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for document in documents() {
        // What stands in a screen is run, and may be a mistake on purpose.
        let in_blocks = blocks(&document.text).into_iter().filter(|block| block.language == "sh");
        let typed = in_blocks.flat_map(|block| block.lines).flat_map(ours);
        let spoken_of =
            prose(&document.text).into_iter().flat_map(texts_in_backticks).filter(|text| text.starts_with("haul ")).flat_map(ours);
        for command in typed.chain(spoken_of) {
            count += 1;
            wrong.extend(refusal(&command).map(|why| format!("{}: {why}", document.name)));
        }
    }
    assert!(count > 40 && wrong.is_empty(), "{count} commands: {wrong:#?}");
    assert!(refusal("haul lss x:").is_some() && refusal("haul put --jobz 3 a x:").is_some());
}

#[test]
fn every_configuration_in_the_documents_is_read() {
    let home = Home::new();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for document in documents() {
        let configurations = blocks(&document.text).into_iter().filter(|block| block.language == "toml");
        for block in
            configurations.filter(|block| block.lines.iter().any(|line| line.starts_with("[remotes.") || line.starts_with("[defaults]")))
        {
            count += 1;
            let file = home.file("config.toml", block.lines.join("\n"));
            let ran = home.run(&["remote", "list", "--json", "--config", file.to_str().unwrap()]);
            if ran.status != 0 {
                wrong.push(format!("{}:{}: {}", document.name, block.first, ran.stdout));
            }
        }
    }
    assert!(count > 3 && wrong.is_empty(), "{count} configurations: {wrong:#?}");
}

#[test]
fn every_json_line_in_the_documents_fits_the_schema() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for document in documents() {
        for block in blocks(&document.text).into_iter().filter(|block| block.language == "json") {
            for line in block.lines.iter().filter(|line| line.starts_with(r#"{"schema":1,"#)) {
                count += 1;
                let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{}: {line}: {e}", document.name));
                let why = if value.get("event").is_some() { events::wrong_with_event(&value) } else { events::wrong_with_receipt(&value) };
                wrong.extend(why.map(|why| format!("{}: {line}: {why}", document.name)));
            }
        }
    }
    assert!(count > 5 && wrong.is_empty(), "{count} lines: {wrong:#?}");
}

/// The events of the schema are those of the source, and the page about JSON speaks of each.
#[test]
fn every_event_has_a_schema_and_stands_in_the_documents() {
    let source = include_str!("../../src/model/report/mod.rs");
    let list = source.split("pub enum Report {").nth(1).unwrap();
    let mut renamed = None;
    let mut in_source = BTreeSet::new();
    for line in list.lines() {
        if let Some(name) = line.strip_prefix("    #[serde(rename = \"") {
            renamed = Some(name.trim_end_matches("\")]").to_owned());
        } else if line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase() {
            let variant: String = line.trim().chars().take_while(char::is_ascii_alphabetic).collect();
            in_source.insert(renamed.take().unwrap_or_else(|| variant.to_lowercase()));
        }
    }
    // This one is named by how the file was carried.
    assert!(in_source.remove("transferred"));
    in_source.extend(TransferKind::ALL.map(|how| how.name().to_owned()));
    let in_schema: BTreeSet<String> = events::schema()["$defs"]["events"].as_object().unwrap().keys().cloned().collect();
    assert!(in_source.len() > 20);
    assert_eq!(in_source, in_schema, "docs/events.schema.json");
    let page = documents().into_iter().find(|document| document.name == "docs/json.md").unwrap().text;
    let missing: Vec<_> = in_schema.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in docs/json.md: {missing:?}");
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let documents = documents();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for document in &documents {
        for link in prose(&document.text).into_iter().flat_map(links).filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            count += 1;
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { document.path.clone() } else { document.path.parent().unwrap().join(file) };
            let is_there = target.exists()
                && anchor.is_none_or(|anchor| anchors(&std::fs::read_to_string(&target).unwrap()).iter().any(|known| known == anchor));
            if !is_there {
                wrong.push(format!("{}: {link}", document.name));
            }
        }
    }
    assert!(count > 20 && wrong.is_empty(), "{count} links: {wrong:#?}");
}

#[test]
fn every_page_stands_in_the_table_of_contents() {
    let documents = documents();
    let contents = documents.iter().find(|document| document.name == "docs/SUMMARY.md").unwrap();
    let listed: BTreeSet<&str> = contents.text.lines().flat_map(links).collect();
    let pages: BTreeSet<&str> =
        documents.iter().filter_map(|d| d.name.strip_prefix("docs/")).filter(|name| *name != "SUMMARY.md").collect();
    assert_eq!(listed, pages, "docs/SUMMARY.md");
}
