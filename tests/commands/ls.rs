//! `haul ls`, `tree`, `du`, `stat` and `find` as a user runs them: what is shown, in which order, what becomes of folders
//! that fail, and what wildcards fit.

use haul::sandbox::Canned;
use serde_json::Value;

use crate::support::env::{Play, REMOTES};
use crate::support::listed_tree::{ALL, filled, lines, paths};

#[test]
fn a_listing_is_sorted_and_complete() {
    let play = filled();
    for remote in REMOTES {
        let at = |path: &str| format!("{remote}:{path}");
        let short = play.home.run(&["ls", &at("/in")]).ends_with(0);
        assert_eq!(lines(&short), ["[x].txt", "a.mov", "b.mov", "clips/", "empty/", "größe ✓.txt", "x.txt"], "{remote}");
        let whole = play.home.run(&["ls", "-R", "--json", &at("in")]).ends_with(0);
        assert_eq!(paths(&whole), ALL, "{remote}");
        let drawn = play.home.run(&["ls", "-R", &at("in/clips")]).ends_with(0);
        assert_eq!(lines(&drawn), ["/in/clips/-d.mov", "/in/clips/c.mov", "/in/clips/old/", "/in/clips/old/e.mov"], "{remote}");
        let long = play.home.run(&["ls", "-l", "--bytes", &at("/in/clips/c.mov")]).ends_with(0);
        let size = if remote == "iogates" { "-" } else { "2000" };
        let cells: Vec<&str> = long.stdout.split_whitespace().collect();
        assert_eq!((cells[0], cells[1], *cells.last().unwrap()), ("file", size, "c.mov"), "{remote}");
        assert!(play.home.run(&["ls", &at("/in/empty")]).ends_with(0).stdout.is_empty());
    }
}

#[test]
fn several_places_have_headings() {
    let play = filled();
    let ran = play.home.run(&["ls", "giga0:/in/clips", "fileago:/in/a.mov", "fileago:/in/clips/old"]).ends_with(0);
    assert_eq!(ran.stdout, "a.mov\n\ngiga0:/in/clips:\n-d.mov\nc.mov\nold/\n\nfileago:/in/clips/old:\ne.mov\n");
    let long = play.home.run(&["ls", "-l", "giga0:/in/clips/old", "fileago:/in/a.mov"]).ends_with(0);
    let firsts: Vec<&str> = long.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(firsts, ["file", "", "giga0:/in/clips/old:", "file"], "a heading stands below the rows before it");
    let one_missing = play.home.run(&["ls", "giga0:/nope", "giga0:/in/clips/old"]).ends_with(9);
    assert_eq!(one_missing.stderr, "haul: giga0:/nope: there is no such file or folder\n");
    assert_eq!(one_missing.stdout, "giga0:/in/clips/old:\ne.mov\n");
}

#[test]
fn a_tree_is_drawn() {
    let play = filled();
    for remote in REMOTES {
        let at = format!("{remote}:/in");
        let whole = play.home.run(&["tree", &at]).ends_with(0);
        let drawing = "├── [x].txt\n├── a.mov\n├── b.mov\n├── clips/\n│   ├── -d.mov\n│   ├── c.mov\n│   └── old/\n│       └── e.mov\n├── empty/\n├── größe ✓.txt\n└── x.txt\n\n3 folders, 8 files\n";
        assert_eq!(whole.stdout, format!("{at}\n{drawing}"), "{remote}");
        let folders = play.home.run(&["tree", "-d", &at]).ends_with(0);
        assert_eq!(folders.stdout, format!("{at}\n├── clips/\n│   └── old/\n└── empty/\n\n3 folders\n"), "{remote}");
        let level = play.home.run(&["tree", "-d", "-L", "1", &at]).ends_with(0);
        assert_eq!(level.stdout, format!("{at}\n├── clips/\n└── empty/\n\n2 folders\n"), "{remote}");
        assert_eq!(paths(&play.home.run(&["tree", "--json", &at]).ends_with(0)), ALL, "{remote}");
        let file = play.home.run(&["tree", &format!("{remote}:/in/a.mov")]).ends_with(0);
        assert_eq!(file.stdout, format!("{remote}:/in/a.mov\n\n0 folders, 1 file\n"));
    }
    play.home.run(&["tree", "-L", "0", "giga0:"]).ends_with(2);
}

#[test]
fn sizes_are_added_up() {
    let play = filled();
    for remote in ["giga0", "fileago"] {
        let at = format!("{remote}:/in");
        let all = play.home.run(&["du", "--json", &at]).ends_with(0);
        let told: Vec<(&str, u64, u64, u64)> =
            vec![("/in/clips/old", 10_000, 1, 0), ("/in/clips", 14_000, 3, 1), ("/in/empty", 0, 0, 0), ("/in", 14_025, 8, 3)];
        let number = |e: &Value, key: &str| e[key].as_u64().unwrap();
        let events = all.events("du");
        let got: Vec<_> =
            events.iter().map(|e| (e["path"].as_str().unwrap(), number(e, "bytes"), number(e, "files"), number(e, "folders"))).collect();
        assert_eq!(got, told, "{remote}");
        let sum = play.home.run(&["du", "-s", "--bytes", &at]).ends_with(0);
        assert_eq!(sum.stdout.split_whitespace().collect::<Vec<_>>(), ["14025", at.as_str()]);
        let top = play.home.run(&["du", "-d", "1", &at]).ends_with(0);
        let shown: Vec<Vec<&str>> = top.stdout.lines().map(|l| l.split_whitespace().collect()).collect();
        assert_eq!(shown[0], ["13.7", "KiB", &format!("{at}/clips")], "{}", top.stdout);
        assert_eq!(shown.len(), 3);
        // What lies in another is counted once.
        let twice = play.home.run(&["du", "-s", "--json", &format!("{at}/clips"), &at, &format!("{at}/a.mov")]).ends_with(0);
        assert_eq!(twice.events("du").len(), 1);
        assert_eq!(play.home.run(&["du", "--json", &format!("{at}/a.mov")]).ends_with(0).events("du")[0]["bytes"], 5);
    }
    let untold = play.home.run(&["du", "-s", "--json", "iogates:/in"]).ends_with(0).says("tells no size of 8 of these files");
    assert_eq!((&untold.events("du")[0]["bytes"], &untold.events("du")[0]["files"]), (&Value::Null, &8.into()));
    assert_eq!(play.home.run(&["du", "-s", "iogates:/in"]).ends_with(0).stdout.split_whitespace().next(), Some("?"));
    play.home.file("known.txt", "12345");
    play.home.run(&["put", "known.txt", "iogates:/mine/"]).ends_with(0);
    assert_eq!(play.home.run(&["du", "-s", "--json", "iogates:/mine"]).ends_with(0).events("du")[0]["bytes"], 5, "put there from here");
    play.home.run(&["put", "known.txt", "iogates:/in/"]).ends_with(0);
    assert_eq!(
        play.home.run(&["du", "-s", "--json", "iogates:/in"]).says("size of 8 of these").events("du")[0]["bytes"],
        5,
        "what is told"
    );
    play.home.run(&["du", "-s", "-d", "1", "giga0:"]).ends_with(2);
}

#[test]
fn a_place_tells_all_it_is() {
    let play = filled();
    for remote in REMOTES {
        let ran = play.home.run(&["stat", "--json", &format!("{remote}:/in/a.mov"), &format!("{remote}:/in"), &format!("{remote}:")]);
        let ran = ran.ends_with(0);
        let events = ran.events("entry");
        let (file, folder, root) = (&events[0], &events[1], &events[2]);
        assert_eq!((&file["remote"], &file["name"], &file["kind"]), (&remote.into(), &"a.mov".into(), &"file".into()));
        assert_eq!(file["size"], if remote == "iogates" { Value::Null } else { 5.into() }, "{remote}");
        assert!(file["modified"].is_string(), "{remote}: giga0's listings tell no time, the file itself does");
        let by_pattern = play.home.run(&["stat", "--json", &format!("{remote}:/in/a.*")]).ends_with(0);
        assert_eq!(by_pattern.events("entry"), std::slice::from_ref(file), "{remote}");
        assert_eq!((&folder["kind"], &folder["size"], &root["path"]), (&"folder".into(), &Value::Null, &"/".into()));
        // What an id names is the same thing.
        let again = play.home.run(&["stat", "--json", &format!("{remote}:@{}", file["id"].as_str().unwrap())]).ends_with(0);
        assert_eq!(again.events("entry")[0]["id"], file["id"], "{remote}");
        let shown = play.home.run(&["stat", &format!("{remote}:/in/größe ✓.txt")]).ends_with(0).stdout;
        assert!(shown.starts_with(&format!("{remote}:/in/größe ✓.txt\n  kind ")), "{shown}");
        let missing = play.home.run(&["stat", "--json", &format!("{remote}:/in/a.mov"), &format!("{remote}:/in/nope")]).ends_with(9);
        let failed = &missing.events("failed")[0];
        assert_eq!((&failed["path"], &failed["error"]["kind"]), (&"/in/nope".into(), &"not-found".into()), "{remote}");
        play.home.run(&["stat", &format!("{remote}:/nope")]).ends_with(3).says(&format!("haul: {remote}:/nope: "));
    }
}

#[test]
fn finding_by_every_condition() {
    let play = filled();
    for remote in REMOTES {
        let find = |args: &[&str]| {
            let at = format!("{remote}:/in");
            let ran = play.home.run(&[&["find", "--json", at.as_str()], args].concat()).ends_with(0);
            paths(&ran)
        };
        assert_eq!(find(&[]).len(), 1 + ALL.len(), "{remote}: the place itself and all below");
        assert_eq!(find(&["--name", "*.mov"]), ["/in/a.mov", "/in/b.mov", "/in/clips/-d.mov", "/in/clips/c.mov", "/in/clips/old/e.mov"]);
        assert_eq!(find(&["--name", "gr??e*"]), ["/in/größe ✓.txt"]);
        assert_eq!(find(&["--kind", "folder"]), ["/in", "/in/clips", "/in/clips/old", "/in/empty"]);
        let sized = remote != "iogates";
        let only_if_sized = |wanted: &[&'static str]| if sized { wanted.to_vec() } else { vec![] };
        assert_eq!(find(&["--size", "+1K"]), only_if_sized(&["/in/clips/-d.mov", "/in/clips/c.mov", "/in/clips/old/e.mov"]), "{remote}");
        assert_eq!(find(&["--size", "-1K", "--name", "?.mov"]), only_if_sized(&["/in/a.mov", "/in/b.mov"]), "{remote}");
        assert_eq!(find(&["--size", "10000"]), only_if_sized(&["/in/clips/old/e.mov"]), "{remote}");
        assert_eq!(find(&["--newer", "1h", "--kind", "file"]).len(), 8, "{remote}");
        assert_eq!(find(&["--newer", "2100-01-01T00:00:00Z"]).len(), 0);
    }
    let plain = play.home.run(&["find", "giga0:/in", "--kind", "folder"]).ends_with(0);
    assert_eq!(lines(&plain), ["/in/", "/in/clips/", "/in/clips/old/", "/in/empty/"]);
    for wrong in [["--size", "much"], ["--newer", "soon"], ["--kind", "link"]] {
        play.home.run(&[&["find", "giga0:"], &wrong[..]].concat()).ends_with(2);
    }
}

/// giga0's listings give files no date; each file that fits all else is asked for it.
#[test]
fn times_that_a_listing_leaves_out_are_asked_for() {
    let play = filled();
    let find = |args: &[&str]| play.home.run(&[&["find", "--json", "giga0:/in", "--newer", "1h"], args].concat());
    let asked = || play.sandbox.counts().requests("giga0", "file/info");
    for jobs in ["1", "3", "50"] {
        let before = asked();
        let fitting = ["/in/a.mov", "/in/b.mov", "/in/clips/c.mov", "/in/clips/old/e.mov"];
        assert_eq!(paths(&find(&["--name", "?.mov", "-j", jobs]).ends_with(0)), fitting, "-j {jobs}");
        assert_eq!(asked() - before, 4, "only for those that fit all else");
        assert_eq!(paths(&find(&["-j", jobs]).ends_with(0)), [&["/in"][..], &ALL].concat(), "files and folders in one order");
    }
    let before = asked();
    assert!(paths(&find(&["--kind", "folder", "--name", "c*"]).ends_with(0)) == ["/in/clips"] && asked() == before);
    let canned = |answer: &str| Canned::new("giga0", "file/info", 200, answer.to_owned());
    // One that tells no time, one that went while we looked, one that is refused.
    let timeless = r#"{"data":{"id":"1","filename":"a.mov","fileSize":"5"},"_status":"success"}"#;
    play.sandbox.faults().answer(canned(timeless));
    let ran = find(&["--name", "[ab].mov", "-j1"]).ends_with(0).says("the provider tells no time of 1 entry, which --newer left out");
    assert_eq!(paths(&ran), ["/in/b.mov"]);
    play.sandbox.faults().answer(canned(r#"{"response":"Could not find file based on file_id.","_status":"error"}"#));
    let ran = find(&["--name", "[ab].mov", "-j1"]).ends_with(0);
    assert_eq!((paths(&ran), ran.stderr.as_str()), (vec!["/in/b.mov".to_owned()], ""));
    play.sandbox.faults().answer(canned(r#"{"response":"Not for you","_status":"error"}"#));
    let ran = find(&["--name", "[ab].mov", "-j1"]).ends_with(9);
    assert_eq!((&ran.events("failed")[0]["path"], paths(&ran)), (&"/in/a.mov".into(), vec!["/in/b.mov".to_owned()]));
    play.sandbox.faults().answer(canned(r#"{"response":"Not for you","_status":"error"}"#));
    let ran = play.home.run(&["stat", "--json", "-j1", "giga0:/in/[ab].mov"]).ends_with(9);
    assert_eq!((&ran.events("failed")[0]["path"], paths(&ran)), (&"/in/a.mov".into(), vec!["/in/b.mov".to_owned()]));
    let sizeless = play.home.run(&["find", "iogates:/in", "--size", "+1", "--name", "*.mov"]).ends_with(0);
    sizeless.says("the provider tells no size of 5 entries, which --size left out");
}

#[test]
fn wildcards_stand_for_names() {
    let play = filled();
    for remote in REMOTES {
        let stat = |path: &str| paths(&play.home.run(&["stat", "--json", &format!("{remote}:{path}")]).ends_with(0));
        assert_eq!(stat("/in/*.mov"), ["/in/a.mov", "/in/b.mov"], "{remote}");
        assert_eq!(stat("in/?.txt"), ["/in/x.txt"], "{remote}");
        assert_eq!(stat("/i*/cl*/[!-]*.mov"), ["/in/clips/c.mov"], "{remote}");
        assert_eq!(stat("/**/*.mov").len(), 5, "{remote}");
        assert_eq!(stat("/in/clips/**"), ["/in/clips/-d.mov", "/in/clips/c.mov", "/in/clips/old", "/in/clips/old/e.mov"], "{remote}");
        assert_eq!(stat("/in/*/"), ["/in/clips", "/in/empty"], "{remote}: folders only");
        assert_eq!(stat("/in/[x].txt"), ["/in/[x].txt"], "{remote}: the name itself wins over what it fits");
        let none = play.home.run(&["ls", &format!("{remote}:/in/*.avi")]).ends_with(3);
        assert_eq!(none.stderr, format!("haul: {remote}:/in/*.avi: nothing there fits these wildcards\n"));
        play.home.run(&["ls", "--literal", &format!("{remote}:/in/*.mov")]).ends_with(3).says("there is no such file");
        let literal = play.home.run(&["ls", "--literal", &format!("{remote}:/in/[x].txt")]).ends_with(0);
        assert_eq!(literal.stdout, "[x].txt\n", "{remote}");
        let listed = play.home.run(&["ls", &format!("{remote}:/in/[ac]*")]).ends_with(0);
        assert_eq!(listed.stdout, format!("a.mov\n\n{remote}:/in/clips:\n-d.mov\nc.mov\nold/\n"));
        let one = play.home.run(&["ls", &format!("{remote}:/in/cl*")]).ends_with(0);
        assert_eq!(one.stdout, "-d.mov\nc.mov\nold/\n", "{remote}: one folder needs no heading");
    }
    // Only folders that the pattern leads into are listed: root, /in, and the literal name is looked up again.
    let before = play.sandbox.counts().requests("giga0", "folder/listing");
    play.home.run(&["stat", "giga0:/in/cl*/c.mov"]).ends_with(0);
    assert_eq!(play.sandbox.counts().requests("giga0", "folder/listing") - before, 3);
}

#[test]
fn bad_addresses_are_told_before_anything_is_sent() {
    let play = Play::new();
    for verb in ["ls", "tree", "du", "stat", "find"] {
        play.home.run(&[verb, "giga0:/", "nowhere:/"]).ends_with(3).says("there is no such remote");
        play.home.run(&[verb, "giga0:/a/../b"]).ends_with(2);
        if verb != "ls" {
            play.home.run(&[verb]).ends_with(2);
        }
    }
    assert_eq!(play.sandbox.counts().all_requests("giga0"), 0);
}
