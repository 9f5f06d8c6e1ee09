//! Runs the screens of the documents. `HAUL_UPDATE_DOCS=1` writes the output into them.

use std::collections::BTreeMap;
use std::process::Command;

use super::{Document, documents};
use crate::support::command::Ran;
use crate::support::document_files::make_files;
use crate::support::env::TestEnv;
use crate::support::markdown::{blocks, comment};
use crate::support::same_screen::is_same;

/// One command of a document: where its text and its screen stand.
struct Step {
    line: usize,
    command: String,
    /// The lines of the document that show what is printed; none for a command that is not shown.
    screen: Option<std::ops::Range<usize>>,
}

fn steps(text: &str) -> Vec<Step> {
    let hidden = text
        .lines()
        .enumerate()
        .filter_map(|(line, text)| comment(text, "$").map(|command| Step { line, command: command.to_owned(), screen: None }));
    let mut steps: Vec<Step> = hidden.collect();
    for block in blocks(text).into_iter().filter(|block| block.language == "console") {
        let mut lines = block.lines.iter().enumerate().map(|(n, line)| (block.first + n, *line)).peekable();
        while let Some((line, text)) = lines.next() {
            let Some(command) = text.strip_prefix("$ ") else { panic!("line {}: a screen before any command", line + 1) };
            let mut command = command.to_owned();
            let mut first = line + 1;
            while command.ends_with('\\') {
                let (_, more) = lines.next().unwrap();
                command = format!("{}\n{more}", command);
                first += 1;
            }
            let mut end = first;
            while lines.next_if(|(_, text)| !text.starts_with("$ ")).is_some() {
                end += 1;
            }
            steps.push(Step { line, command, screen: Some(first..end) });
        }
    }
    steps.sort_by_key(|step| step.line);
    steps
}

/// The sandbox's variables with its remotes named as the document does: `studio=iogates`.
fn environment(env: &TestEnv, document: &Document) -> BTreeMap<String, String> {
    let variables: BTreeMap<String, String> = env.sandbox.env().into_iter().collect();
    let Some(names) = document.text.lines().find_map(|line| comment(line, "remotes")) else { return variables };
    let (of_remotes, mut renamed): (BTreeMap<_, _>, BTreeMap<_, _>) =
        variables.into_iter().partition(|(name, _)| name.starts_with("HAUL_REMOTE_"));
    for (new, old) in names.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        let old = format!("HAUL_REMOTE_{}_", old.to_uppercase());
        let keys = of_remotes.iter().filter_map(|(name, value)| Some((name.strip_prefix(&old)?, value)));
        renamed.extend(keys.map(|(key, value)| (format!("HAUL_REMOTE_{}_{key}", new.to_uppercase()), value.clone())));
    }
    renamed
}

/// What a command of a document prints, both streams in one, and its status.
fn run(env: &TestEnv, variables: &BTreeMap<String, String>, command: &str, before: i32) -> (Vec<String>, i32) {
    let haul = env.home.command(&[]);
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_haul")).parent().unwrap();
    let mut shell = Command::new("sh");
    // `$?` is the status of the line before, as in a terminal.
    shell.args(["-c", &format!("exec 2>&1\n(exit {before})\n{command}")]).current_dir(haul.get_current_dir().unwrap());
    shell.env_clear().env("HOME", env.home.path()).env("TZ", "UTC").envs(variables).stdin(std::process::Stdio::null());
    shell.env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default()));
    let ran = Ran::of(shell.output().unwrap());
    // A reader has a home with a name.
    let printed = ran.stdout.replace(&*env.home.path().to_string_lossy(), "/home/ann");
    (printed.lines().map(str::to_owned).collect(), ran.status)
}

/// The document with what was printed in place of each screen that differs, and what differed.
fn correct(document: &Document) -> (String, Vec<String>) {
    let mut lines: Vec<String> = document.text.lines().map(str::to_owned).collect();
    let steps = steps(&document.text);
    if steps.is_empty() {
        return (document.text.clone(), Vec::new());
    }
    let env = TestEnv::new();
    make_files(&env);
    let variables = environment(&env, document);
    let (mut differs, mut status, mut moved) = (Vec::new(), 0, 0);
    for step in steps {
        let (printed, now) = run(&env, &variables, &step.command, status);
        status = now;
        let place = format!("{}:{}: $ {}", document.name, step.line + 1, step.command);
        let Some(screen) = step.screen else {
            assert_eq!(status, 0, "{place}: {printed:#?}");
            continue;
        };
        let at = |line: usize| line.checked_add_signed(moved).unwrap();
        let shown = lines[at(screen.start)..at(screen.end)].to_vec();
        if !is_same(&shown, &printed) {
            differs.push(format!("{place}\n  shown:\n{}\n  printed:\n{}", shown.join("\n"), printed.join("\n")));
            lines.splice(at(screen.start)..at(screen.end), printed.iter().cloned());
            moved += printed.len() as isize - shown.len() as isize;
        }
    }
    (lines.join("\n") + "\n", differs)
}

#[test]
fn every_screen_in_the_documents_is_what_is_printed() {
    let is_updating = std::env::var_os("HAUL_UPDATE_DOCS").is_some();
    let (mut differs, mut count) = (Vec::new(), 0);
    for document in documents() {
        count += steps(&document.text).len();
        let (text, wrong) = correct(&document);
        if is_updating && !wrong.is_empty() {
            std::fs::write(&document.path, text).unwrap();
        }
        differs.extend(wrong);
    }
    assert!(count > 30, "only {count} commands");
    assert!(
        differs.is_empty(),
        "{}\n\nWhere the new screens are right, run this test with HAUL_UPDATE_DOCS=1 and look at the difference.",
        differs.join("\n\n")
    );
}
