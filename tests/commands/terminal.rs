//! The display during a transfer, in a real terminal.

use std::process::Command;
use std::time::Duration;

use crate::support::env::{TestEnv, bytes};
use crate::support::tmux::TmuxScreen;

fn twenty(env: &TestEnv) {
    for n in 0..20_u32 {
        env.home.file(&format!("d/A001_C{n:03}_0101AB_camera-original.mov"), bytes(150_000, n).0);
    }
}

/// Every line of the bars stands alone, whatever the window did meanwhile.
#[track_caller]
fn bars_are_in_order(shown: &str, columns: usize) {
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].contains(" of 20 files"), "{shown}");
    assert_eq!(lines.iter().filter(|line| line.contains(" of 20 files")).count(), 1, "{shown}");
    assert!(lines.len() <= 5 && lines.iter().skip(1).all(|line| line.contains("C0")), "{shown}");
    assert!(lines.iter().all(|line| line.chars().count() < columns), "{shown}");
}

#[test]
fn bars_follow_the_window_and_go_when_the_work_is_done() {
    let env = TestEnv::new();
    twenty(&env);
    let line = "haul put --bwlimit 100K -j 4 d giga0:/ & echo $! > pid; wait $!";
    let Some(screen) = TmuxScreen::of(&env.home, (120, 24), line) else { return };
    let signal = |signal: &str| {
        let pid = std::fs::read_to_string(env.path("pid")).unwrap();
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    };
    let has_bars = |shown: &str| shown.contains(" of 20 files") && shown.contains(" left") && shown.contains("━");
    bars_are_in_order(&screen.until(has_bars), 120);
    for columns in [60, 140, 40, 80] {
        // Between two frames: one that was laid out for the old window and comes to the new one can't be right.
        signal("-STOP");
        std::thread::sleep(Duration::from_millis(300));
        screen.resize(columns);
        signal("-CONT");
        // As wide as the window is now.
        let bars = screen.until(|shown| {
            let longest = shown.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            has_bars(shown) && longest < usize::from(columns) && longest + 16 > usize::from(columns).min(120)
        });
        bars_are_in_order(&bars, columns.into());
    }
    let end = screen.until(|shown| shown.contains("[ended"));
    let lines: Vec<&str> = end.lines().collect();
    assert_eq!((lines.len(), lines[1]), (2, "[ended 0]"), "only the summary stays:\n{end}");
    // What a terminal that became smaller pushed out of the window stays above it.
    assert!(lines[0].starts_with("20 files, 2.9 MiB in "), "{end}");
}

#[test]
fn failures_stay_above_the_summary_and_an_interrupt_is_summed_up() {
    let env = TestEnv::new();
    twenty(&env);
    env.home.file("d/A000 empty.mov", "");
    let line = "haul put --bwlimit 400K -j 4 d giga0:/";
    let Some(screen) = TmuxScreen::of(&env.home, (80, 24), line) else { return };
    screen.until(|shown| shown.contains(" of 21 files") && shown.contains("1 failed"));
    screen.types(&["C-c"]);
    let end = screen.until(|shown| shown.contains("[ended"));
    let lines: Vec<&str> = end.lines().collect();
    assert_eq!(lines[0], "haul: d/A000 empty.mov: this site stores no empty files", "{end}");
    assert!(lines[1].contains(" of 21 files done, ") && lines[1].contains(", 1 failed, interrupted"), "{end}");
    assert_eq!(lines[2], "haul: warning: interrupted; the same command goes on where it stopped", "{end}");
    assert_eq!((lines[3], lines.len()), ("[ended 130]", 4), "nothing of the bars is left:\n{end}");
}

#[test]
fn hashing_waiting_and_confirming_are_seen() {
    let env = TestEnv::new();
    // Sparse: read fast, and long enough to be seen in a debug build.
    let file = env.home.file("big.bin", "");
    std::fs::File::options().write(true).open(file).unwrap().set_len(3 << 30).unwrap();
    let Some(screen) = TmuxScreen::of(&env.home, (100, 24), "haul put --checksum before big.bin iogates:/") else { return };
    let shown = screen.until(|shown| shown.contains("hashing"));
    assert!(shown.contains("big.bin ") && shown.contains("% ") && shown.contains("/3.0 GiB"), "{shown}");
    screen.types(&["C-c"]);
    screen.until(|shown| shown.contains("[ended 130]"));
    drop(screen);

    env.home.file("small.bin", bytes(5000, 1).0);
    env.script("giga0/file/upload:503=4");
    let Some(screen) = TmuxScreen::of(&env.home, (100, 24), "haul put small.bin giga0:/") else { return };
    let shown = screen.until(|shown| shown.contains("waiting "));
    assert!(shown.contains("s (try 2 of 5): "), "{shown}");
    screen.until(|shown| shown.contains("[ended 0]"));
    drop(screen);

    env.script("fileago/upload:slow=2000");
    let Some(screen) = TmuxScreen::of(&env.home, (100, 24), "haul put small.bin fileago:/") else { return };
    screen.until(|shown| shown.contains("confirming") || shown.contains("100%"));
    screen.until(|shown| shown.contains("[ended 0]"));
}

#[test]
fn each_file_has_a_line_if_wished_and_colour_obeys() {
    let env = TestEnv::new();
    twenty(&env);
    let Some(screen) = TmuxScreen::of(&env.home, (160, 40), "haul put -v d giga0:/") else { return };
    let end = screen.until(|shown| shown.contains("[ended 0]"));
    assert_eq!(end.lines().filter(|line| line.starts_with("uploaded  d/A001_C0")).count(), 20, "{end}");
    drop(screen);
    for (set, coloured) in [("", true), ("NO_COLOR=1 ", false)] {
        let line = format!("{set}haul put --if-exists replace --bwlimit 400K d giga0:/");
        let Some(screen) = TmuxScreen::of(&env.home, (80, 24), &line) else { return };
        screen.until(|shown| shown.contains(" of 20 files") && shown.contains("━"));
        assert_eq!(screen.shows_coloured().contains("\x1b[36m"), coloured, "{}", screen.shows_coloured());
    }
}

#[test]
fn an_answer_that_takes_its_time_is_awaited_visibly() {
    let env = TestEnv::new();
    env.home.file("a.mov", "a");
    env.home.run(&["put", "-q", "a.mov", "fileago:/in/"]).ends_with(0);
    env.script("fileago/dirlist:slow=4000");
    let Some(screen) = TmuxScreen::of(&env.home, (80, 24), "haul ls fileago:/in") else { return };
    screen.until(|shown| shown.contains("waiting for the server, 1s"));
    let end = screen.until(|shown| shown.contains("[ended"));
    assert_eq!(end.lines().collect::<Vec<_>>(), ["a.mov", "[ended 0]"], "nothing of the spinner is left");
    drop(screen);

    env.script("fileago/dirlist:slow=2000");
    let Some(screen) = TmuxScreen::of(&env.home, (80, 24), "haul ls -q fileago:/in") else { return };
    let seen = std::cell::RefCell::new(String::new());
    screen.until(|shown| {
        seen.borrow_mut().push_str(shown);
        shown.contains("[ended")
    });
    assert!(!seen.borrow().contains("waiting"), "quiet: {seen:?}");
}

#[test]
fn a_removal_that_takes_its_time_is_awaited_visibly() {
    let env = TestEnv::with_files("fileago", &["/in/a.mov"]);
    env.script("fileago/dirlist:slow=3000");
    let Some(screen) = TmuxScreen::of(&env.home, (80, 24), "haul rm -r --yes fileago:/in") else { return };
    screen.until(|shown| shown.contains("waiting for the server, 1s"));
    let end = screen.until(|shown| shown.contains("[ended"));
    assert!(end.ends_with("[ended 0]") && !end.contains("waiting"), "{end}");
}

/// Who thinks about an answer is no server that is awaited.
#[test]
fn a_question_stays_as_long_as_a_person_thinks() {
    let env = TestEnv::new();
    let Some(screen) = TmuxScreen::of(&env.home, (80, 24), "haul remote add") else { return };
    screen.until(|shown| shown.ends_with("Its number or name:"));
    std::thread::sleep(Duration::from_millis(1500));
    let shown = screen.shows();
    assert!(shown.ends_with("Its number or name:") && !shown.contains("waiting"), "{shown}");
    screen.types(&["giga", "Enter"]);
    screen.until(|shown| shown.contains("write `giga0`"));
}
