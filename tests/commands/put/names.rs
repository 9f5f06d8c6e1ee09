//! Names that giga0 changes when it stores them: looked for, and told, as they will be.

use crate::support::env::{Play, text};

/// Everything that is there, trash left out.
fn there(play: &Play) -> Vec<String> {
    let ran = play.home.run(&["ls", "-R", "--json", "giga0:"]).ends_with(0);
    let mut paths: Vec<String> = ran.events("entry").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

#[test]
fn a_changed_name_is_put_once() {
    let play = Play::new();
    play.home.file("a<b>c.txt", "content");
    for (run, name) in [("uploaded", "a<b>c.txt"), ("skipped", "a<b>c.txt"), ("skipped", " ac.txt "), ("skipped", "a\\c.txt")] {
        let ran = play.home.run(&["put", "--json", "a<b>c.txt", &format!("giga0:/t/{name}")]).ends_with(0);
        assert_eq!(ran.events(run)[0]["path"], "/t/ac.txt", "{name:?}: {}", ran.stdout);
        assert_eq!(ran.stderr.matches("giga0 stores").count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("giga0 stores {name:?} as \"ac.txt\"")), "{}", ran.stderr);
    }
    play.home.run(&["put", "--if-exists", "fail", "a<b>c.txt", "giga0:/t/"]).ends_with(6);
    play.home.file("a<b>c.txt", "changed");
    play.home.run(&["put", "a<b>c.txt", "giga0:/t/"]).ends_with(0);
    assert_eq!((there(&play), &play.arrived("giga0")["/t/ac.txt"]), (vec!["/t".to_owned(), "/t/ac.txt".into()], &text("changed")));
    play.home.run_with_input(&["put", "-", "giga0:/t/in<i>put"], b"piped").ends_with(0).says("giga0 stores \"in<i>put\" as \"input\"");
    play.home.run(&["put", "a<b>c.txt", "giga0:/t/<b>"]).ends_with(8).says("nothing of this name is left");
    for other in ["iogates", "fileago"] {
        let ran = play.home.run(&["put", "a<b>c.txt", &format!("{other}:/")]).ends_with(0);
        assert!(play.arrived(other).contains_key("/a<b>c.txt") && !ran.stderr.contains("stores"), "{other}");
    }
}

#[test]
fn a_changed_folder_is_made_once() {
    let play = Play::new();
    play.home.file("a.txt", "a");
    play.home.file("d/s<i>b/a.txt", "a");
    let sub = play.home.file("d/s<i>b/b.txt", "b");
    std::fs::create_dir(sub.ancestors().nth(2).unwrap().join(" empty ")).unwrap();
    for _ in 0..2 {
        play.home.run(&["put", "a.txt", "giga0:/t<u>v/"]).ends_with(0).says("giga0 stores \"t<u>v\" as \"tv\"");
        let ran = play.home.run(&["put", "d", "giga0:/t<u>v/"]).ends_with(0);
        assert_eq!(ran.stderr.matches("giga0 stores").count(), 3, "each name once: {}", ran.stderr);
    }
    assert_eq!(there(&play), ["/tv", "/tv/a.txt", "/tv/d", "/tv/d/empty", "/tv/d/sb", "/tv/d/sb/a.txt", "/tv/d/sb/b.txt"]);
}

#[test]
fn two_names_that_become_one_are_never_put_onto_each_other() {
    let play = Play::new();
    for name in [" x.txt", "x.txt", "x<b>.txt", "y<b>", "y<c>", "z<b>"] {
        play.home.file(&format!("d/{name}"), name);
    }
    play.home.file("d/z/in", "in");
    let ran = play.home.run(&["put", "--json", "d/", "giga0:/to"]).ends_with(9);
    let failed = ran.events("failed");
    let refused: Vec<&str> = failed.iter().map(|e| e["source"].as_str().unwrap()).collect();
    assert_eq!(refused, ["d/ x.txt", "d/x<b>.txt", "d/y<c>", "d/z<b>"]);
    assert!(failed.iter().all(|e| e["error"]["kind"] == "exists"), "{}", ran.stdout);
    assert_eq!(there(&play), ["/to", "/to/x.txt", "/to/y", "/to/z", "/to/z/in"]);
    assert_eq!((&play.arrived("giga0")["/to/x.txt"], &play.arrived("giga0")["/to/y"]), (&text("x.txt"), &text("y<b>")));
}

#[test]
fn a_dry_run_names_what_would_be_there() {
    let play = Play::new();
    play.home.file("a<b>c.txt", "content");
    let dry = |action: &str| {
        let ran = play.home.run(&["put", "-n", "--json", "a<b>c.txt", "giga0:/t<u>v/"]).ends_with(0).says("as \"tv\"");
        assert_eq!(ran.events(action)[0]["path"], "/tv/ac.txt", "{}", ran.stdout);
    };
    dry("planned");
    assert!(there(&play).is_empty());
    play.home.run(&["put", "a<b>c.txt", "giga0:/tv/"]).ends_with(0);
    dry("skipped");
}

#[test]
fn folders_moves_copies_and_edits_look_for_the_stored_name() {
    let play = Play::new();
    play.home.file("a", "a");
    play.home.file("b", "b");
    play.home.run(&["put", "a", "b", "giga0:/"]).ends_with(0);
    play.home.run(&["mkdir", "giga0:/d<u>"]).ends_with(0).prints("created  giga0:/d/\n").says("giga0 stores \"d<u>\" as \"d\"");
    play.home.run(&["mkdir", "giga0:/d<u>"]).ends_with(6);
    play.home.run(&["mkdir", "-p", "giga0:/d<u>/e<u>"]).ends_with(0);
    play.home.run(&["mkdir", "-p", "giga0:/d<u>/e<u>"]).ends_with(0);
    play.home.run(&["mv", "giga0:/a", "giga0:/b<u>"]).ends_with(6).says("giga0 stores \"b<u>\" as \"b\"");
    play.home.run(&["edit", "giga0:/a", "--name", "b<u>"]).ends_with(6).says("giga0 stores");
    play.home.run(&["cp", "giga0:/a", "giga0:/d<u>/c<u>"]).ends_with(0);
    play.home.run(&["cp", "giga0:/a", "giga0:/d<u>/c<u>"]).ends_with(6);
    play.home.run(&["mv", "giga0:/a", "giga0:/d<u>/"]).ends_with(0);
    play.home.run(&["edit", "giga0:/b", "--name", "n<u>"]).ends_with(0).says("giga0 stores \"n<u>\" as \"n\"");
    assert_eq!(there(&play), ["/d", "/d/a", "/d/c", "/d/e", "/n"]);
}

#[test]
fn what_comes_from_another_remote_has_its_stored_name() {
    let play = Play::new();
    play.home.file("d/a<b>.txt", "first");
    play.home.file("d/a<c>.txt", "second");
    play.home.file("d/s<i>b/c", "c");
    play.home.run(&["put", "d", "fileago:/"]).ends_with(0);
    let ran = play.home.run(&["mv", "--json", "fileago:/d", "giga0:/t<u>v/"]).ends_with(9);
    let failed = ran.events("failed");
    assert_eq!((failed.len(), &failed[0]["source"], &failed[0]["error"]["kind"]), (1, &"fileago:/d/a<c>.txt".into(), &"exists".into()));
    assert_eq!(
        play.arrived("giga0").into_iter().collect::<Vec<_>>(),
        [("/tv/d/a.txt".into(), text("first")), ("/tv/d/sb/c".into(), text("c"))]
    );
    play.home.run(&["stat", "fileago:/d/a<c>.txt"]).ends_with(0);
    play.home.run(&["cp", "fileago:/d/a<c>.txt", "giga0:/t<u>v/c<b>.txt"]).ends_with(0);
    assert_eq!(there(&play), ["/tv", "/tv/c.txt", "/tv/d", "/tv/d/a.txt", "/tv/d/sb", "/tv/d/sb/c"]);
}

#[test]
fn a_name_that_only_the_listing_tells() {
    let play = Play::new();
    for name in ["\"a\" 1.txt", "b\\1.txt", " c1.txt ", "plain.txt"] {
        play.home.file(&format!("d/{name}"), "same size");
    }
    play.sandbox.faults().script("fileago:names-changed").unwrap();
    let ran = play.home.run(&["put", "--json", "d", "fileago:/"]).ends_with(0);
    assert_eq!(play.arrived("fileago").into_keys().collect::<Vec<_>>(), ["/d/a 1.txt", "/d/b1.txt", "/d/c1.txt", "/d/plain.txt"]);
    assert_eq!((ran.events("uploaded").len(), ran.stderr.matches("stored as").count()), (4, 3), "{}", ran.stderr);
    assert!(ran.stderr.contains("warning: fileago:/d/ c1.txt : stored as \"c1.txt\""), "{}", ran.stderr);
    let told: Vec<_> = ran.events("uploaded").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect();
    assert!(told.contains(&"/d/a 1.txt".to_owned()), "{told:?}");
}

#[test]
fn a_lost_answer_about_a_changed_name_sends_nothing_twice() {
    let play = Play::new();
    play.home.file("\"a\".txt", "content");
    play.sandbox.faults().script("fileago:names-changed fileago/upload:answer-lost").unwrap();
    play.home.run(&["put", "\"a\".txt", "fileago:/"]).ends_with(0).says("stored as \"a.txt\"");
    assert_eq!(play.sandbox.counts().requests("fileago", "upload"), 1);
    assert_eq!(play.arrived("fileago").into_keys().collect::<Vec<_>>(), ["/a.txt"]);
}
