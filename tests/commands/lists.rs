//! `--files-from`: what a list names. `--failed-to` writes such a list.

use crate::support::env::{Play, text};
use crate::support::listed_tree::fill;

fn play() -> Play {
    let play = Play::new();
    for name in ["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt", "e"] {
        play.home.file(&format!("d/{name}"), name);
    }
    play
}

fn sent(ran: &crate::support::command::Ran) -> Vec<String> {
    let mut paths: Vec<String> = ran.events("uploaded").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

#[test]
fn a_put_of_what_a_list_names() {
    let play = play();
    play.home.file("list", "\u{feff}a.txt\r\n\r\nsub/c.txt\r\nnone.txt\r\na.txt\r\n#no comment\r\n");
    let ran = play.json(&["put", "--files-from", "list", "d", "giga0:/one"]).ends_with(9);
    assert_eq!(sent(&ran), ["/one/d/a.txt", "/one/d/sub/c.txt"]);
    let failed: Vec<_> = ran.events("failed").iter().map(|e| (e["source"].clone(), e["error"]["kind"].clone())).collect();
    assert_eq!(failed, [("d/none.txt".into(), "not-found".into()), ("d/#no comment".into(), "not-found".into())]);
    let ran = play.json(&["put", "--files-from", "list", "d/", "giga0:/two"]).ends_with(9);
    assert_eq!(sent(&ran), ["/two/a.txt", "/two/sub/c.txt"]);
    // Without a source the working directory is meant.
    play.home.file("here", "d/b.txt\nd/sub/deep\n");
    let ran = play.json(&["put", "--files-from", "here", "giga0:/three"]).ends_with(0);
    assert_eq!(sent(&ran), ["/three/d/b.txt", "/three/d/sub/deep/d.txt"], "a folder is taken whole");
    // From standard input, with NULs.
    let ran = play.home.run_with_input(&["put", "--json", "--files-from0", "-", "d/", "giga0:/four"], b"b.txt\0sub/c.txt\0");
    assert_eq!(sent(&ran.ends_with(0)), ["/four/b.txt", "/four/sub/c.txt"]);
    // Filters count, too.
    let ran = play.json(&["put", "--files-from", "here", "giga0:/five", "--exclude", "deep/"]).ends_with(0);
    assert_eq!(sent(&ran), ["/five/d/b.txt"]);
    // One that is missing alone keeps its status, and so does a list that is not there.
    play.home.file("gone", "none\n");
    play.json(&["put", "--files-from", "gone", "d", "giga0:/six"]).ends_with(3);
    play.json(&["put", "--files-from", "nowhere", "d", "giga0:/six"]).ends_with(3);
    play.home.file("hollow", "\n");
    play.json(&["put", "--files-from", "hollow", "d", "giga0:/six"]).ends_with(0).says("nothing fits");
    play.json(&["put", "--files-from", "hollow", "--fail-if-empty", "d", "giga0:/six"]).ends_with(2);
    play.home.file("out", "../secret\n");
    play.json(&["put", "--files-from", "out", "d", "giga0:/six"]).ends_with(2);
}

/// The list of a run's failures is the list of the next run: the same command with `--files-from`.
#[test]
fn what_failed_is_fed_back_in() {
    let play = play();
    for (sources, name) in [(&["d"][..], "one"), (&["d/"], "two"), (&["d/sub", "d/a.txt", "d/e"], "three")] {
        play.script("giga0/file/upload:503*2");
        let to = format!("giga0:/{name}");
        let put = |more: &[&str]| play.json(&[&["put", "--retries", "1", "-j1"], more, sources, &[&to]].concat());
        let first = put(&["--failed-to", "failed"]);
        let failed = first.events("failed").len();
        assert!(failed > 0, "{}", first.stdout);
        let list = std::fs::read_to_string(play.path("failed")).unwrap();
        assert_eq!(list.lines().count(), failed, "{list}");
        let second = put(&["--files-from", "failed", "--failed-to", "failed2"]).ends_with(0);
        assert_eq!(second.events("uploaded").len(), failed, "{}", second.stdout);
        assert_eq!(std::fs::read_to_string(play.path("failed2")).unwrap(), "");
        let again = put(&[]).ends_with(0);
        assert_eq!(again.events("uploaded").len(), 0, "{name}: each has come to the place that it had in the first run: {}", again.stdout);
    }
    // With NULs any name can stand in the list.
    play.home.file("d/evil\nname", "x");
    play.home.run_with_input(&["put", "--files-from0", "-", "--failed-to", "failed", "d/", "giga0:/x"], b"evil\nname\0").ends_with(8);
    assert_eq!(std::fs::read(play.path("failed")).unwrap(), b"evil\nname\0");
}

#[test]
fn get_cp_and_rm_take_lists_of_remote_paths() {
    for remote in ["giga0", "fileago", "ftp"] {
        let play = Play::new();
        fill(&play, remote, "/in", &["a.mov", "b.txt"], b"12345");
        fill(&play, remote, "/in/clips", &["c.mov", "y:z.tmp"], &[7; 2000]);
        let at = format!("{remote}:/in");
        play.home.file("list", "clips/c.mov\nb.txt\nnone\nclips/y:z.tmp\nb.txt\n");
        let ran = play.get(&["--files-from", "list", &at, "one/"]).ends_with(9);
        assert_eq!(play.local("one").into_keys().collect::<Vec<_>>(), ["in/b.txt", "in/clips/c.mov", "in/clips/y:z.tmp"], "{remote}");
        assert_eq!(ran.events("failed")[0]["path"], "/in/none");
        play.get(&["--files-from", "list", &format!("{at}/"), "two"]).ends_with(9);
        assert_eq!(play.local("two").into_keys().collect::<Vec<_>>(), ["b.txt", "clips/c.mov", "clips/y:z.tmp"], "{remote}");
        // Lines that name their remote, as `find` writes them.
        play.home.file("full", format!("{at}/clips\n{at}/b.txt\n"));
        play.get(&["--files-from", "full", "three/"]).ends_with(0);
        assert_eq!(play.local("three").into_keys().collect::<Vec<_>>(), ["b.txt", "clips/c.mov", "clips/y:z.tmp"], "{remote}");
        play.get(&["--files-from", "full", &at, "four/"]).ends_with(0);
        assert_eq!(play.local("four").into_keys().collect::<Vec<_>>(), ["in/b.txt", "in/clips/c.mov", "in/clips/y:z.tmp"], "{remote}");
        play.home.file("wrong", "b.txt\n");
        play.get(&["--files-from", "wrong", "five/"]).ends_with(2);

        if remote != "ftp" {
            let ran = play.json(&["cp", "--files-from", "list", &at, &format!("{remote}:/copy/")]).ends_with(9);
            assert_eq!(ran.events("copied").len(), 3, "{remote}: {}", ran.stdout);
            let there = play.there(&format!("{remote}:/copy/in"));
            assert!(there.contains("/copy/in/clips/c.mov") && there.contains("/copy/in/b.txt"), "{there:?}");
        }
        let other = if remote == "giga0" { "fileago" } else { "giga0" };
        play.json(&["cp", "--files-from", "list", &at, &format!("{other}:/copy/")]).ends_with(9);
        assert!(play.there(&format!("{other}:/copy/in")).contains("/copy/in/clips/y:z.tmp"));

        let ran = play.json(&["rm", "--files-from", "list", &at]).ends_with(9);
        assert_eq!((ran.events("deleted").len(), ran.events("failed").len()), (3, 1), "{remote}: {}", ran.stdout);
        let ran = play.home.run_with_input(&["rm", "-r", "--json", "--files-from0", "-"], format!("{at}\0{at}/a.mov\0").as_bytes());
        assert_eq!(ran.ends_with(0).events("deleted").len(), 1, "{remote}: what lies in a folder that the list names goes with it");
    }
}

/// One listing of a folder serves all that a list names in it.
#[test]
fn a_long_list_does_not_list_a_folder_for_each_line() {
    let play = Play::new();
    let names: Vec<String> = (0..60).map(|n| format!("f{n}")).collect();
    play.sandbox.fill("giga0", "/in", names.iter().cloned(), b"1").unwrap();
    play.home.file("list", names.join("\n"));
    let before = play.asked("giga0", "folder/listing");
    play.get(&["--files-from", "list", "giga0:/in", "out/"]).ends_with(0);
    assert!(play.asked("giga0", "folder/listing") - before < 6);
    let found: String = names.iter().map(|name| format!("giga0:/in/{name}\0")).collect();
    let before = play.asked("giga0", "folder/listing");
    play.home.run_with_input(&["rm", "--files-from0", "-"], found.as_bytes()).ends_with(0);
    assert!(play.asked("giga0", "folder/listing") - before < 6, "{}", play.asked("giga0", "folder/listing") - before);
}

/// One missing source of several is one failed file.
#[test]
fn a_put_sends_the_rest() {
    let play = play();
    let ran = play.json(&["put", "d/a.txt", "d/none", "d/sub", "giga0:/x"]).ends_with(9);
    assert_eq!(sent(&ran), ["/x/a.txt", "/x/sub/c.txt", "/x/sub/deep/d.txt"]);
    play.json(&["put", "d/none", "giga0:/x"]).ends_with(3);
    play.json(&["put", "d/none", "d/nor", "giga0:/x"]).ends_with(3);
    assert_eq!(play.arrived("giga0").get("/x/a.txt"), Some(&text("a.txt")));
}
