//! `--files-from`: the files of a list. `--failed-to` writes such a list.

use crate::support::env::{TestEnv, text};
use crate::support::listed_tree::fill;
use crate::support::remotes::that_can;

fn env() -> TestEnv {
    let env = TestEnv::new();
    for name in ["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt", "e"] {
        env.home.file(&format!("d/{name}"), name);
    }
    env
}

fn sent_files(ran: &crate::support::command::Ran) -> Vec<String> {
    let mut paths: Vec<String> = ran.events("uploaded").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

#[test]
fn a_put_of_what_a_list_names() {
    let env = env();
    env.home.file("list", "\u{feff}a.txt\r\n\r\nsub/c.txt\r\nnone.txt\r\na.txt\r\n#no comment\r\n");
    let ran = env.json(&["put", "--files-from", "list", "d", "giga0:/one"]).ends_with(9);
    assert_eq!(sent_files(&ran), ["/one/d/a.txt", "/one/d/sub/c.txt"]);
    let failed: Vec<_> = ran.events("failed").iter().map(|e| (e["source"].clone(), e["error"]["kind"].clone())).collect();
    assert_eq!(failed, [("d/none.txt".into(), "not-found".into()), ("d/#no comment".into(), "not-found".into())]);
    let ran = env.json(&["put", "--files-from", "list", "d/", "giga0:/two"]).ends_with(9);
    assert_eq!(sent_files(&ran), ["/two/a.txt", "/two/sub/c.txt"]);
    // Without a source the working directory is meant.
    env.home.file("here", "d/b.txt\nd/sub/deep\n");
    let ran = env.json(&["put", "--files-from", "here", "giga0:/three"]).ends_with(0);
    assert_eq!(sent_files(&ran), ["/three/d/b.txt", "/three/d/sub/deep/d.txt"], "a folder is taken whole");
    // From standard input, with NULs.
    let ran = env.home.run_with_input(&["put", "--json", "--files-from0", "-", "d/", "giga0:/four"], b"b.txt\0sub/c.txt\0");
    assert_eq!(sent_files(&ran.ends_with(0)), ["/four/b.txt", "/four/sub/c.txt"]);
    // Filters count, too.
    let ran = env.json(&["put", "--files-from", "here", "giga0:/five", "--exclude", "deep/"]).ends_with(0);
    assert_eq!(sent_files(&ran), ["/five/d/b.txt"]);
    // One that is missing alone keeps its status, and so does a list that is not there.
    env.home.file("gone", "none\n");
    env.json(&["put", "--files-from", "gone", "d", "giga0:/six"]).ends_with(3);
    env.json(&["put", "--files-from", "nowhere", "d", "giga0:/six"]).ends_with(3);
    env.home.file("hollow", "\n");
    env.json(&["put", "--files-from", "hollow", "d", "giga0:/six"]).ends_with(0).says("nothing fits");
    env.json(&["put", "--files-from", "hollow", "--fail-if-empty", "d", "giga0:/six"]).ends_with(2);
    env.home.file("out", "../secret\n");
    env.json(&["put", "--files-from", "out", "d", "giga0:/six"]).ends_with(2);
}

/// The list of a run's failures is the list of the next run: the same command with `--files-from`.
#[test]
fn what_failed_is_fed_back_in() {
    let env = env();
    for (sources, name) in [(&["d"][..], "one"), (&["d/"], "two"), (&["d/sub", "d/a.txt", "d/e"], "three")] {
        env.script("giga0/file/upload:503*2");
        let to = format!("giga0:/{name}");
        let put = |more: &[&str]| env.json(&[&["put", "--retries", "1", "-j1"], more, sources, &[&to]].concat());
        let first = put(&["--failed-to", "failed"]);
        let failed = first.events("failed").len();
        assert!(failed > 0, "{}", first.stdout);
        let list = std::fs::read_to_string(env.path("failed")).unwrap();
        assert_eq!(list.lines().count(), failed, "{list}");
        let second = put(&["--files-from", "failed", "--failed-to", "failed2"]).ends_with(0);
        assert_eq!(second.events("uploaded").len(), failed, "{}", second.stdout);
        assert_eq!(std::fs::read_to_string(env.path("failed2")).unwrap(), "");
        let again = put(&[]).ends_with(0);
        assert_eq!(again.events("uploaded").len(), 0, "{name}: each has come to the place that it had in the first run: {}", again.stdout);
    }
    // With NULs any name can stand in the list.
    env.home.file("d/evil\nname", "x");
    env.home.run_with_input(&["put", "--files-from0", "-", "--failed-to", "failed", "d/", "giga0:/x"], b"evil\nname\0").ends_with(8);
    assert_eq!(std::fs::read(env.path("failed")).unwrap(), b"evil\nname\0");
}

#[test]
fn get_cp_and_rm_take_lists_of_remote_paths() {
    for remote in that_can(&["list", "remove"]) {
        let env = TestEnv::new();
        fill(&env, remote, "/in", &["a.mov", "b.txt"], b"12345");
        fill(&env, remote, "/in/clips", &["c.mov", "y:z.tmp"], &[7; 2000]);
        let at = format!("{remote}:/in");
        env.home.file("list", "clips/c.mov\nb.txt\nnone\nclips/y:z.tmp\nb.txt\n");
        let ran = env.get(&["--files-from", "list", &at, "one/"]).ends_with(9);
        assert_eq!(env.local("one").into_keys().collect::<Vec<_>>(), ["in/b.txt", "in/clips/c.mov", "in/clips/y:z.tmp"], "{remote}");
        assert_eq!(ran.events("failed")[0]["path"], "/in/none");
        env.get(&["--files-from", "list", &format!("{at}/"), "two"]).ends_with(9);
        assert_eq!(env.local("two").into_keys().collect::<Vec<_>>(), ["b.txt", "clips/c.mov", "clips/y:z.tmp"], "{remote}");
        // Lines that name their remote, as `find` writes them.
        env.home.file("full", format!("{at}/clips\n{at}/b.txt\n"));
        env.get(&["--files-from", "full", "three/"]).ends_with(0);
        assert_eq!(env.local("three").into_keys().collect::<Vec<_>>(), ["b.txt", "clips/c.mov", "clips/y:z.tmp"], "{remote}");
        env.get(&["--files-from", "full", &at, "four/"]).ends_with(0);
        assert_eq!(env.local("four").into_keys().collect::<Vec<_>>(), ["in/b.txt", "in/clips/c.mov", "in/clips/y:z.tmp"], "{remote}");
        env.home.file("wrong", "b.txt\n");
        env.get(&["--files-from", "wrong", "five/"]).ends_with(2);

        if remote != "ftp" {
            let ran = env.json(&["cp", "--files-from", "list", &at, &format!("{remote}:/copy/")]).ends_with(9);
            assert_eq!(ran.events("copied").len(), 3, "{remote}: {}", ran.stdout);
            let there = env.there(&format!("{remote}:/copy/in"));
            assert!(there.contains("/copy/in/clips/c.mov") && there.contains("/copy/in/b.txt"), "{there:?}");
        }
        let other = if remote == "giga0" { "fileago" } else { "giga0" };
        env.json(&["cp", "--files-from", "list", &at, &format!("{other}:/copy/")]).ends_with(9);
        assert!(env.there(&format!("{other}:/copy/in")).contains("/copy/in/clips/y:z.tmp"));

        let ran = env.json(&["rm", "--files-from", "list", &at]).ends_with(9);
        assert_eq!((ran.events("deleted").len(), ran.events("failed").len()), (3, 1), "{remote}: {}", ran.stdout);
        let ran = env.home.run_with_input(&["rm", "-r", "--json", "--files-from0", "-"], format!("{at}\0{at}/a.mov\0").as_bytes());
        assert_eq!(ran.ends_with(0).events("deleted").len(), 1, "{remote}: what lies in a folder that the list names goes with it");
    }
}

/// One listing of a folder serves all that a list names in it.
#[test]
fn a_long_list_does_not_list_a_folder_for_each_line() {
    let env = TestEnv::new();
    let names: Vec<String> = (0..60).map(|n| format!("f{n}")).collect();
    env.sandbox.fill("giga0", "/in", names.iter().cloned(), b"1").unwrap();
    env.home.file("list", names.join("\n"));
    let before = env.request_count("giga0", "folder/listing");
    env.get(&["--files-from", "list", "giga0:/in", "out/"]).ends_with(0);
    assert!(env.request_count("giga0", "folder/listing") - before < 6);
    let found: String = names.iter().map(|name| format!("giga0:/in/{name}\0")).collect();
    let before = env.request_count("giga0", "folder/listing");
    env.home.run_with_input(&["rm", "--files-from0", "-"], found.as_bytes()).ends_with(0);
    assert!(env.request_count("giga0", "folder/listing") - before < 6, "{}", env.request_count("giga0", "folder/listing") - before);
}

/// One missing source of several is one failed file.
#[test]
fn a_put_sends_the_rest() {
    let env = env();
    let ran = env.json(&["put", "d/a.txt", "d/none", "d/sub", "giga0:/x"]).ends_with(9);
    assert_eq!(sent_files(&ran), ["/x/a.txt", "/x/sub/c.txt", "/x/sub/deep/d.txt"]);
    env.json(&["put", "d/none", "giga0:/x"]).ends_with(3);
    env.json(&["put", "d/none", "d/nor", "giga0:/x"]).ends_with(3);
    assert_eq!(env.arrivals("giga0").get("/x/a.txt"), Some(&text("a.txt")));
}
