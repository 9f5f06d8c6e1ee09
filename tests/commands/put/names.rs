//! Names that giga0 changes when it stores them: haul finds and reports the changed name.

use crate::support::env::{TestEnv, text};

/// Everything that is there, trash left out.
fn there(env: &TestEnv) -> Vec<String> {
    let ran = env.home.run(&["ls", "-R", "--json", "giga0:"]).ends_with(0);
    let mut paths: Vec<String> = ran.events("entry").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

#[test]
fn a_changed_name_is_put_once() {
    let env = TestEnv::new();
    env.home.file("a<b>c.txt", "content");
    for (run, name) in [("uploaded", "a<b>c.txt"), ("skipped", "a<b>c.txt"), ("skipped", " ac.txt "), ("skipped", "a\\c.txt")] {
        let ran = env.home.run(&["put", "--json", "a<b>c.txt", &format!("giga0:/t/{name}")]).ends_with(0);
        assert_eq!(ran.events(run)[0]["path"], "/t/ac.txt", "{name:?}: {}", ran.stdout);
        assert_eq!(ran.stderr.matches("giga0 stores").count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("giga0 stores {name:?} as \"ac.txt\"")), "{}", ran.stderr);
    }
    env.home.run(&["put", "--if-exists", "fail", "a<b>c.txt", "giga0:/t/"]).ends_with(6);
    env.home.file("a<b>c.txt", "changed");
    env.home.run(&["put", "a<b>c.txt", "giga0:/t/"]).ends_with(0);
    assert_eq!((there(&env), &env.arrivals("giga0")["/t/ac.txt"]), (vec!["/t".to_owned(), "/t/ac.txt".into()], &text("changed")));
    env.home.run_with_input(&["put", "-", "giga0:/t/in<i>put"], b"piped").ends_with(0).says("giga0 stores \"in<i>put\" as \"input\"");
    env.home.run(&["put", "a<b>c.txt", "giga0:/t/<b>"]).ends_with(8).says("nothing of this name is left");
    for other in ["iogates", "fileago"] {
        let ran = env.home.run(&["put", "a<b>c.txt", &format!("{other}:/")]).ends_with(0);
        assert!(env.arrivals(other).contains_key("/a<b>c.txt") && !ran.stderr.contains("stores"), "{other}");
    }
}

#[test]
fn a_changed_folder_is_made_once() {
    let env = TestEnv::new();
    env.home.file("a.txt", "a");
    env.home.file("d/s<i>b/a.txt", "a");
    let sub = env.home.file("d/s<i>b/b.txt", "b");
    std::fs::create_dir(sub.ancestors().nth(2).unwrap().join(" empty ")).unwrap();
    for _ in 0..2 {
        env.home.run(&["put", "a.txt", "giga0:/t<u>v/"]).ends_with(0).says("giga0 stores \"t<u>v\" as \"tv\"");
        let ran = env.home.run(&["put", "d", "giga0:/t<u>v/"]).ends_with(0);
        assert_eq!(ran.stderr.matches("giga0 stores").count(), 3, "each name once: {}", ran.stderr);
    }
    assert_eq!(there(&env), ["/tv", "/tv/a.txt", "/tv/d", "/tv/d/empty", "/tv/d/sb", "/tv/d/sb/a.txt", "/tv/d/sb/b.txt"]);
}

#[test]
fn two_names_that_become_one_are_never_put_onto_each_other() {
    let env = TestEnv::new();
    for name in [" x.txt", "x.txt", "x<b>.txt", "y<b>", "y<c>", "z<b>"] {
        env.home.file(&format!("d/{name}"), name);
    }
    env.home.file("d/z/in", "in");
    let ran = env.home.run(&["put", "--json", "d/", "giga0:/to"]).ends_with(9);
    let failed = ran.events("failed");
    let refused: Vec<&str> = failed.iter().map(|e| e["source"].as_str().unwrap()).collect();
    assert_eq!(refused, ["d/ x.txt", "d/x<b>.txt", "d/y<c>", "d/z<b>"]);
    assert!(failed.iter().all(|e| e["error"]["kind"] == "exists"), "{}", ran.stdout);
    assert_eq!(there(&env), ["/to", "/to/x.txt", "/to/y", "/to/z", "/to/z/in"]);
    assert_eq!((&env.arrivals("giga0")["/to/x.txt"], &env.arrivals("giga0")["/to/y"]), (&text("x.txt"), &text("y<b>")));
}

#[test]
fn a_dry_run_names_what_would_be_there() {
    let env = TestEnv::new();
    env.home.file("a<b>c.txt", "content");
    let dry = |action: &str| {
        let ran = env.home.run(&["put", "-n", "--json", "a<b>c.txt", "giga0:/t<u>v/"]).ends_with(0).says("as \"tv\"");
        assert_eq!(ran.events(action)[0]["path"], "/tv/ac.txt", "{}", ran.stdout);
    };
    dry("planned");
    assert!(there(&env).is_empty());
    env.home.run(&["put", "a<b>c.txt", "giga0:/tv/"]).ends_with(0);
    dry("skipped");
}

#[test]
fn folders_moves_copies_and_edits_look_for_the_stored_name() {
    let env = TestEnv::new();
    env.home.file("a", "a");
    env.home.file("b", "b");
    env.home.run(&["put", "a", "b", "giga0:/"]).ends_with(0);
    env.home.run(&["mkdir", "giga0:/d<u>"]).ends_with(0).prints("created  giga0:/d/\n").says("giga0 stores \"d<u>\" as \"d\"");
    env.home.run(&["mkdir", "giga0:/d<u>"]).ends_with(6);
    env.home.run(&["mkdir", "-p", "giga0:/d<u>/e<u>"]).ends_with(0);
    env.home.run(&["mkdir", "-p", "giga0:/d<u>/e<u>"]).ends_with(0);
    env.home.run(&["mv", "giga0:/a", "giga0:/b<u>"]).ends_with(6).says("giga0 stores \"b<u>\" as \"b\"");
    env.home.run(&["edit", "giga0:/a", "--name", "b<u>"]).ends_with(6).says("giga0 stores");
    env.home.run(&["cp", "giga0:/a", "giga0:/d<u>/c<u>"]).ends_with(0);
    env.home.run(&["cp", "giga0:/a", "giga0:/d<u>/c<u>"]).ends_with(6);
    env.home.run(&["mv", "giga0:/a", "giga0:/d<u>/"]).ends_with(0);
    env.home.run(&["edit", "giga0:/b", "--name", "n<u>"]).ends_with(0).says("giga0 stores \"n<u>\" as \"n\"");
    assert_eq!(there(&env), ["/d", "/d/a", "/d/c", "/d/e", "/n"]);
}

#[test]
fn what_comes_from_another_remote_has_its_stored_name() {
    let env = TestEnv::new();
    env.home.file("d/a<b>.txt", "first");
    env.home.file("d/a<c>.txt", "second");
    env.home.file("d/s<i>b/c", "c");
    env.home.run(&["put", "d", "fileago:/"]).ends_with(0);
    let ran = env.home.run(&["mv", "--json", "fileago:/d", "giga0:/t<u>v/"]).ends_with(9);
    let failed = ran.events("failed");
    assert_eq!((failed.len(), &failed[0]["source"], &failed[0]["error"]["kind"]), (1, &"fileago:/d/a<c>.txt".into(), &"exists".into()));
    assert_eq!(
        env.arrivals("giga0").into_iter().collect::<Vec<_>>(),
        [("/tv/d/a.txt".into(), text("first")), ("/tv/d/sb/c".into(), text("c"))]
    );
    env.home.run(&["stat", "fileago:/d/a<c>.txt"]).ends_with(0);
    env.home.run(&["cp", "fileago:/d/a<c>.txt", "giga0:/t<u>v/c<b>.txt"]).ends_with(0);
    assert_eq!(there(&env), ["/tv", "/tv/c.txt", "/tv/d", "/tv/d/a.txt", "/tv/d/sb", "/tv/d/sb/c"]);
}

#[test]
fn a_name_that_only_the_listing_tells() {
    let env = TestEnv::new();
    for name in ["\"a\" 1.txt", "b\\1.txt", " c1.txt ", "plain.txt"] {
        env.home.file(&format!("d/{name}"), "same size");
    }
    env.sandbox.faults().script("fileago:names-changed").unwrap();
    let ran = env.home.run(&["put", "--json", "d", "fileago:/"]).ends_with(0);
    assert_eq!(env.arrivals("fileago").into_keys().collect::<Vec<_>>(), ["/d/a 1.txt", "/d/b1.txt", "/d/c1.txt", "/d/plain.txt"]);
    assert_eq!((ran.events("uploaded").len(), ran.stderr.matches("stored as").count()), (4, 3), "{}", ran.stderr);
    assert!(ran.stderr.contains("warning: fileago:/d/ c1.txt : stored as \"c1.txt\""), "{}", ran.stderr);
    let told: Vec<_> = ran.events("uploaded").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect();
    assert!(told.contains(&"/d/a 1.txt".to_owned()), "{told:?}");
}

#[test]
fn a_lost_answer_about_a_changed_name_sends_nothing_twice() {
    let env = TestEnv::new();
    env.home.file("\"a\".txt", "content");
    env.sandbox.faults().script("fileago:names-changed fileago/upload:answer-lost").unwrap();
    env.home.run(&["put", "\"a\".txt", "fileago:/"]).ends_with(0).says("stored as \"a.txt\"");
    assert_eq!(env.sandbox.counts().requests("fileago", "upload"), 1);
    assert_eq!(env.arrivals("fileago").into_keys().collect::<Vec<_>>(), ["/a.txt"]);
}
