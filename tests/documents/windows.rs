//! `docs/screens.md` shows what stands in a real terminal. `HAUL_UPDATE_DOCS=1` takes its screens anew.
//!
//! `<!-- window 80x24 [fault FAULT] [until "REGEX"]: COMMAND -->` stands before each block. With `until` the screen is taken
//! while the command is at work.

use std::sync::LazyLock;

use regex::Regex;

use super::documents;
use crate::support::document_files::make_files;
use crate::support::env::{TestEnv, bytes};
use crate::support::markdown::{blocks, comment};
use crate::support::same_screen::is_same;
use crate::support::tmux::TmuxScreen;

static WINDOW: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"^(\d+)x(\d+)(?: fault (\S+))?(?: until "([^"]+)")?: (.*)$"#).unwrap());

/// What a window shows, and whether it was taken while the command was at work.
fn window_of(asked: &str) -> Option<(Vec<String>, bool)> {
    let parts = WINDOW.captures(asked).unwrap_or_else(|| panic!("{asked}"));
    let env = TestEnv::new();
    make_files(&env);
    for n in 1..=20_u32 {
        env.home.file(&format!("card/A001_C{n:03}_1126AB_camera-original.mov"), bytes(150_000, n).0);
    }
    if asked.contains("haul ls giga0:/rushes") {
        env.home.run(&["put", "-q", "rushes", "giga0:/"]).ends_with(0);
    }
    if let Some(fault) = parts.get(3) {
        env.script(fault.as_str());
    }
    let size = (parts[1].parse().unwrap(), parts[2].parse().unwrap());
    let screen = TmuxScreen::of(&env.home, size, &parts[5])?;
    let until = parts.get(4).map(|text| Regex::new(text.as_str()).unwrap());
    let shown = screen.until(|shown| until.as_ref().map_or(shown.contains("[ended"), |until| until.is_match(shown)));
    let lines = shown.lines().filter(|line| !line.starts_with("[ended")).map(|line| line.trim_end().to_owned());
    Some((lines.collect(), until.is_some()))
}

/// Of work that goes on only the form is the same each time.
fn form(line: &str) -> String {
    static CHANGING: LazyLock<[(Regex, &str); 5]> = LazyLock::new(|| {
        [(r"[0-9.]+ ([KM]i)?B(/s)?", "BYTES"), (r"[━╸─]+", "BAR"), (r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", "SPINNER"), (r"[0-9.]+", "N"), (r"\s+", " ")]
            .map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
    });
    CHANGING.iter().fold(line.to_owned(), |line, (pattern, name)| pattern.replace_all(&line, *name).into_owned())
}

fn is_alike(shown: &[String], now: &[String], is_at_work: bool) -> bool {
    if !is_at_work {
        return is_same(shown, now);
    }
    // How far the work is, and what each file in flight is doing, differs from run to run.
    let begins = |lines: &[String]| lines.first().map(|line| form(line).split(" BAR").next().unwrap_or_default().to_owned());
    begins(shown) == begins(now) && (shown.len() > 1) == (now.len() > 1)
}

#[test]
fn every_window_in_the_documents_is_what_is_seen() {
    let is_updating = std::env::var_os("HAUL_UPDATE_DOCS").is_some();
    let (mut differs, mut count) = (Vec::new(), 0);
    for document in documents() {
        let text = document.text.clone();
        let windows: Vec<(usize, &str)> =
            text.lines().enumerate().filter_map(|(number, line)| Some((number, comment(line, "window")?))).collect();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // From the last: what stands above keeps its place.
        for (number, asked) in windows.into_iter().rev() {
            let block = blocks(&text).into_iter().find(|block| block.first > number).unwrap();
            let Some((now, is_at_work)) = window_of(asked) else { return };
            let wide: usize = asked.split('x').next().unwrap().parse().unwrap();
            assert!(now.iter().all(|line| line.chars().count() <= wide), "{asked}\n{}", now.join("\n"));
            count += 1;
            let shown: Vec<String> = block.lines.iter().map(|line| (*line).to_owned()).collect();
            if !is_alike(&shown, &now, is_at_work) {
                differs.push(format!(
                    "{}:{}: {asked}\n  shown:\n{}\n  seen:\n{}",
                    document.name,
                    number + 1,
                    shown.join("\n"),
                    now.join("\n")
                ));
            }
            lines.splice(block.first..block.first + block.lines.len(), now);
        }
        if is_updating && lines.join("\n") + "\n" != text {
            std::fs::write(&document.path, lines.join("\n") + "\n").unwrap();
        }
    }
    assert!(count >= 5, "only {count} windows");
    assert!(
        differs.is_empty() || is_updating,
        "{}\n\nWhere the new screens are right, run this test with HAUL_UPDATE_DOCS=1 and look at the difference.",
        differs.join("\n\n")
    );
}
