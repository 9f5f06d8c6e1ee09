//! `haul mv`.

use crate::support::env::{TestEnv, set};
use crate::support::fixture::{OpenedProvider, stat};
use crate::support::remotes::hosts_that_change;
use crate::support::stand_ins::StandIns;

#[test]
fn where_a_move_lands() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/a.txt", "/b.txt", "/d/c.txt", "/d/e/f.txt", "/g/x.txt"]);
        let at = |path: &str| format!("{remote}:{path}");
        let ids = (env.id(&at("/a.txt")), env.id(&at("/d")));
        env.home.run(&["mv", &at("/a.txt"), &at("/renamed.txt")]).ends_with(0);
        env.home.run(&["mv", &at("/b.txt"), &at("/d")]).ends_with(0);
        env.home.run(&["mv", &at("/d/c.txt"), &at("/new/deep/")]).ends_with(0);
        env.home.run(&["mv", &at("/g/x.txt"), &at("/d/e/y.txt")]).ends_with(0);
        let wanted =
            set(["/d/", "/d/b.txt", "/d/e/", "/d/e/f.txt", "/d/e/y.txt", "/g/", "/new/", "/new/deep/", "/new/deep/c.txt", "/renamed.txt"]);
        assert_eq!(env.there(&at("")), wanted, "{remote}");
        // Several go into one folder; a folder goes with all that is in it; the root is a folder.
        env.home.run(&["mv", &at("/d"), &at("/renamed.txt"), &at("/all")]).ends_with(0);
        env.home.run(&["mv", &at("/all/d/e/f.txt"), &at("")]).ends_with(0);
        env.home.run(&["mv", &at("/all/d"), &at("/moved")]).ends_with(0);
        let wanted = set([
            "/all/",
            "/all/renamed.txt",
            "/f.txt",
            "/g/",
            "/moved/",
            "/moved/b.txt",
            "/moved/e/",
            "/moved/e/y.txt",
            "/new/",
            "/new/deep/",
            "/new/deep/c.txt",
        ]);
        assert_eq!(env.there(&at("")), wanted, "{remote}");
        assert_eq!(env.text(remote, "/moved/e/y.txt"), "content of /g/x.txt");
        assert_eq!((env.id(&at("/all/renamed.txt")), env.id(&at("/moved"))), ids, "{remote}: moved, not copied");
    }
}

#[test]
fn the_events_are_those_of_the_contract() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/a.txt", "/d/x"]);
        let (file, folder) = (env.id(&format!("{remote}:/a.txt")), env.id(&format!("{remote}:/d")));
        let at = |path: &str| format!("{remote}:{path}");
        let ran = env.json(&["mv", &at("a.txt"), &at("/d"), &at("/none"), &at("/in")]).ends_with(9);
        let mut lines: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
        let last: serde_json::Value = serde_json::from_str(&lines.pop().unwrap()).unwrap();
        assert_eq!((&last["event"], &last["files"], &last["failed"], &last["bytes"]), (&"summary".into(), &2.into(), &1.into(), &0.into()));
        let size = "content of /a.txt".len();
        assert_eq!(
            lines,
            [
                format!(
                    r#"{{"schema":1,"event":"failed","source":"{remote}:/none","remote":"{remote}","error":{{"kind":"not-found","message":"{remote}:/none: there is no such file or folder","status":null,"retryable":false}}}}"#
                ),
                format!(
                    r#"{{"schema":1,"event":"moved","source":"{remote}:/a.txt","remote":"{remote}","path":"/in/a.txt","id":"{file}","kind":"file","size":{size}}}"#
                ),
                format!(
                    r#"{{"schema":1,"event":"moved","source":"{remote}:/d","remote":"{remote}","path":"/in/d","id":"{folder}","kind":"folder","size":null}}"#
                ),
            ],
            "{remote}"
        );
    }
}

#[test]
fn a_taken_name_is_treated_as_requested() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/a", "/b", "/x/a", "/x/b", "/y/x/c"]);
        let at = |path: &str| format!("{remote}:{path}");
        let before = env.there(&at(""));
        env.home.run(&["mv", &at("/a"), &at("/b")]).ends_with(6).says("it exists already");
        env.home.run(&["mv", &at("/a"), &at("/x")]).ends_with(6);
        env.home.run(&["mv", &at("/x"), &at("/y")]).ends_with(6);
        env.home.run(&["mv", "--if-exists", "replace", &at("/x"), &at("/y")]).ends_with(6).says("a folder is never replaced");
        env.home.run(&["mv", "--if-exists", "replace", &at("/a"), &at("/a")]).ends_with(6).says("it exists already");
        env.home.run(&["mv", &at("/a"), &at("/b/")]).ends_with(6).says("in the way");
        let skipped = env.json(&["mv", "--if-exists", "skip", &at("/a"), &at("/x/")]).ends_with(0);
        assert_eq!(skipped.events("skipped")[0]["path"], "/x/a");
        assert_eq!(env.there(&at("")), before, "{remote}: nothing has changed");

        let (id, old) = (env.id(&at("/a")), env.id(&at("/x/a")));
        env.home.run(&["mv", "--if-exists", "replace", &at("/a"), &at("/x/")]).ends_with(0);
        assert_eq!((env.text(remote, "/x/a"), env.id(&at("/x/a"))), ("content of /a".to_owned(), id), "{remote}");
        let gone = if remote == "giga0" { format!("giga0:@{old}") } else { "fileago:/x/a (2)".to_owned() };
        env.home.run(&["rm", &gone]).ends_with(3);
        let renamed = env.json(&["mv", "--if-exists", "rename", &at("/b"), &at("/x/")]).ends_with(0);
        assert_eq!(renamed.events("moved")[0]["path"], "/x/b (2)");
        env.home.run(&["mv", "--if-exists", "replace", &at("/x/a"), &at("/x/b")]).ends_with(0);
        assert_eq!(env.there(&at("")), set(["/x/", "/x/b", "/x/b (2)", "/y/", "/y/x/", "/y/x/c"]), "{remote}");
        assert_eq!(env.text(remote, "/x/b"), "content of /a");
    }
}

/// `a` goes to `b` of another folder, where an `a` is, too; and where it comes from there is a `b`.
#[test]
fn names_that_block_each_other_are_moved() {
    for remote in hosts_that_change() {
        for (files, wanted) in [
            (vec!["/s/a", "/t/a"], set(["/s/", "/t/", "/t/a", "/t/b"])),
            (vec!["/s/a", "/s/b", "/t/a"], set(["/s/", "/s/b", "/t/", "/t/a", "/t/b"])),
        ] {
            let env = TestEnv::with_files(remote, &files);
            env.home.run(&["mv", &format!("{remote}:/s/a"), &format!("{remote}:/t/b")]).ends_with(0);
            assert_eq!(env.there(&format!("{remote}:")), wanted, "{remote}");
            assert_eq!(env.text(remote, "/t/b"), "content of /s/a");
        }
    }
}

#[test]
fn a_folder_never_goes_into_itself() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/d/e/f"]);
        let at = |path: &str| format!("{remote}:{path}");
        let inner = env.id(&at("/d/e"));
        let before =
            (env.there(&at("")), env.sandbox.counts().requests("giga0", "folder/move"), env.sandbox.counts().requests("fileago", "change"));
        for verb in ["mv", "cp"] {
            for to in ["/d/e/", "/d/e/g", "/d/", "/d/e/new/"] {
                env.home.run(&[verb, &at("/d"), &at(to)]).ends_with(8).says("can't go into itself");
            }
            env.home.run(&[verb, &at("/d"), &at(&format!("@{inner}"))]).ends_with(8).says("can't go into itself");
            env.home.run(&[verb, &at(&format!("@{}", env.id(&at("/d")))), &at("/d/e")]).ends_with(8);
        }
        let after =
            (env.there(&at("")), env.sandbox.counts().requests("giga0", "folder/move"), env.sandbox.counts().requests("fileago", "change"));
        assert_eq!(after.0, before.0, "{remote}");
        assert_eq!((after.1, after.2), (before.1, before.2), "{remote}: nothing was sent that changes something");
    }
}

#[test]
fn after_a_lost_answer_the_server_is_checked() {
    for (remote, call) in [("giga0", "file/move"), ("fileago", "change")] {
        let env = TestEnv::with_files(remote, &["/a", "/b", "/d/x"]);
        let at = |path: &str| format!("{remote}:{path}");
        env.script(&format!("{remote}/{call}:answer-lost"));
        env.home.run(&["mv", &at("/a"), &at("/d/")]).ends_with(0);
        env.faults_are_used_up();
        // Cut before the server has seen it: asked again.
        env.script(&format!("{remote}/{call}:cut=0"));
        env.home.run(&["mv", &at("/b"), &at("/d/")]).ends_with(0);
        env.faults_are_used_up();
        let rename = if remote == "giga0" { "file/edit" } else { "change" };
        for fault in ["answer-lost", "500", "429=0", "expired"] {
            if fault == "expired" && remote == "fileago" {
                env.script("fileago:expired");
            } else {
                env.script(&format!("{remote}/{rename}:{fault}"));
            }
            env.home.run(&["mv", &at("/d/x"), &at("/d/z")]).ends_with(0);
            env.home.run(&["mv", &at("/d/z"), &at("/d/x")]).ends_with(0);
            env.faults_are_used_up();
        }
        assert_eq!(env.there(&at("")), set(["/d/", "/d/a", "/d/b", "/d/x"]), "{remote}");
    }
}

#[test]
fn of_two_entries_with_one_name_an_id_selects() {
    let env = TestEnv::with_files("giga0", &["/x/a", "/y/a", "/z"]);
    let (first, second) = (env.id("giga0:/x/a"), env.id("giga0:/y/a"));
    env.home.run(&["edit", "giga0:/z", "--name", "zz"]).ends_with(0);
    // The site lets both lie in one folder; haul does not do such a thing by itself.
    let provider = OpenedProvider::open(&env, "giga0");
    for path in ["/x/a", "/y/a"] {
        provider.run(async |p| p.abilities().moves().unwrap().move_into(&stat(p, path).await, &stat(p, "/").await).await).unwrap();
    }
    for args in [
        vec!["mv", "giga0:/a", "giga0:/b"],
        vec!["cp", "giga0:/a", "giga0:/b"],
        vec!["rm", "giga0:/a"],
        vec!["edit", "giga0:/a", "--name", "b"],
    ] {
        let ran = env.json(&args).ends_with(3).says(&format!("@{first} (file)")).says(&format!("@{second} (file)"));
        assert_eq!(ran.events("failed")[0]["error"]["kind"], "ambiguous");
    }
    env.home.run(&["mv", "--if-exists", "replace", "giga0:/zz", "giga0:/a"]).ends_with(3);
    let moved = env.json(&["mv", &format!("giga0:@{second}"), "giga0:/by-id"]).ends_with(0);
    assert_eq!((&moved.events("moved")[0]["path"], &moved.events("moved")[0]["id"]), (&"/by-id".into(), &second.as_str().into()));
    let y = env.id("giga0:/y");
    env.home.run(&["mv", &format!("giga0:@{first}"), &format!("giga0:@{y}")]).ends_with(0);
    assert_eq!(env.text("giga0", "/y/a"), "content of /x/a");
    let renamed = env.json(&["mv", &format!("giga0:@{y}/a"), &format!("giga0:@{y}/b")]).ends_with(0);
    assert_eq!(renamed.events("moved")[0]["path"], format!("/@{y}/b"));
    env.home.run(&["mv", "giga0:@file:99", "giga0:/x/"]).ends_with(3).says("Could not find file based on file_id");
    env.home.run(&["mv", "giga0:/zz", "giga0:@99/"]).ends_with(3).says("Could not find folder based on folder_id");
}

#[test]
fn hostile_names_are_moved_like_others() {
    for remote in hosts_that_change() {
        let name = "größe ✓ \"q\" #%&+?.txt";
        let env = TestEnv::with_files(remote, &["/a"]);
        let at = |path: &str| format!("{remote}:{path}");
        env.home.run(&["mv", &at("/a"), &at(&format!("/{name}"))]).ends_with(0);
        env.home.run(&["mv", &at(&format!("/{name}")), &at("/@at/-dash")]).ends_with(0);
        let red = env.home.run(&["mv", &at("/@at/-dash"), &at("/@at/\u{1b}[31mred")]);
        assert!(!red.stdout.contains('\u{1b}') && !red.stderr.contains('\u{1b}'), "{remote}");
        env.home.run(&["mv", &at("/@at/-dash"), &at("/a\nb")]).ends_with(8);
        assert!(env.there(&at("")).contains("/@at/"), "{remote}");
    }
    let env = TestEnv::with_files("giga0", &["/a"]);
    let moved = env.json(&["mv", "giga0:/a", "giga0:/x<b>y "]).ends_with(0);
    assert_eq!(moved.events("moved")[0]["path"], "/xy", "the site strips tags and blanks; its name is the one that counts");
    env.home.run(&["mv", "giga0:/xy", "giga0:/<b>"]).ends_with(8).says("nothing of this name is left");
    let env = TestEnv::with_files("fileago", &["/a"]);
    env.home.run(&["mv", "fileago:/a", "fileago:/~$a"]).ends_with(8).says("hides names");
}

#[test]
fn a_dry_run_moves_nothing() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/a", "/d/b"]);
        let at = |path: &str| format!("{remote}:{path}");
        let planned = env.json(&["mv", "-n", &at("/a"), &at("/d"), &at("/new/")]).ends_with(0).events("planned");
        assert_eq!((&planned[0]["action"], &planned[0]["path"], &planned[1]["path"]), (&"move".into(), &"/new/a".into(), &"/new/d".into()));
        let replaced = env.json(&["mv", "-n", "--if-exists", "replace", &at("/a"), &at("/d/b")]).ends_with(0).events("planned");
        assert_eq!(replaced[0]["action"], "replace");
        assert_eq!(env.there(&at("")), set(["/a", "/d/", "/d/b"]), "{remote}");
    }
}

#[test]
fn other_roots_of_fileago_are_addressed() {
    let env = TestEnv::with_files("fileago", &["/a", "/d/b"]);
    let group = env.sandbox.fileago().group().to_owned();
    let about = env.json(&["about", "fileago:"]).ends_with(0).events("about");
    assert_eq!(about[0]["extra"]["groups"], serde_json::json!([{"name": "Editors", "uuid": group}]));
    let at = format!("fileago:@home:{group}");
    let moved = env.json(&["mv", "fileago:/a", &format!("{at}/deep/")]).ends_with(0);
    assert_eq!(moved.events("moved")[0]["path"], format!("/@home:{group}/deep/a"));
    env.home.run(&["cp", "fileago:/d", &at]).ends_with(0);
    assert_eq!(env.there(&at), set(["/d/", "/d/b", "/deep/", "/deep/a"]));
    env.home.run(&["mv", &format!("{at}/deep/a"), "fileago:/back"]).ends_with(0);
    env.home.run(&["rm", "-r", &format!("{at}/d")]).ends_with(0);
    assert_eq!((env.there(&at), env.there("fileago:")), (set(["/deep/"]), set(["/back", "/d/", "/d/b"])));
    // An upload there is told there, and is not the one of the same path in one's own home.
    env.home.file("f", "group");
    for (place, told) in [(format!("{at}/put/"), format!("/@home:{group}/put/f")), ("fileago:/put/".into(), "/put/f".into())] {
        let put = env.json(&["put", "f", &place]).ends_with(0);
        assert_eq!(put.events("uploaded")[0]["path"], told);
        env.home.run(&["rm", &format!("{place}none")]).ends_with(3).says(&format!("haul: {place}none: there is no such file or folder\n"));
    }
    env.home.run(&["stat", &format!("{at}/put/f")]).ends_with(0).prints(&format!("{at}/put/f\n"));
    env.home.run(&["mkdir", &format!("{at}/made")]).ends_with(0).prints(&format!("created  {at}/made/\n"));
    let stranger = env.sandbox.fileago().colleague().to_owned();
    env.home.run(&["mv", "fileago:/back", &format!("fileago:@home:{stranger}/")]).ends_with(8).says("You do not have permission");
}
