//! Names that are taken, given twice, or name the source file itself.

use crate::support::env::{TestEnv, bytes, text};
use crate::support::remotes::hosts;

#[test]
fn what_exists_is_treated_as_asked() {
    let env = TestEnv::new();
    for (from, to) in [("giga0", "fileago"), ("fileago", "giga0"), ("giga0", "iogates")] {
        env.home.file("v.txt", "one");
        let (source, target) = (format!("{from}:/v-{to}.txt"), format!("{to}:/v/v-{from}.txt"));
        env.home.run(&["put", "v.txt", &source]).ends_with(0);
        let cp = |policy: &str| env.home.run(&["cp", "--json", "--if-exists", policy, &source, &target]);
        cp("fail").ends_with(0);
        cp("fail").ends_with(6);
        assert_eq!(cp("update").ends_with(0).events("skipped").len(), 1, "{from} to {to}: this machine put it there");
        assert_eq!(cp("skip").ends_with(0).events("skipped").len(), 1);
        env.home.file("v.txt", "two");
        env.home.run(&["put", "--if-exists", "replace", "v.txt", &source]).ends_with(0);
        assert_eq!(cp("rename").ends_with(0).events("copied")[0]["path"], format!("/v/v-{from} (2).txt"));
        let dry = env.home.run(&["cp", "-n", "--json", &source, &target]).ends_with(0);
        assert_eq!(dry.events("planned")[0]["action"], "replace");
        let replaced = cp("update").ends_with(0).events("copied");
        assert_eq!(replaced[0]["path"], format!("/v/v-{from}.txt"), "{from} to {to}: the source has changed since");
        assert_eq!(env.arrivals(to)[&format!("/v/v-{from}.txt")], text("two"), "{from} to {to}");
        assert_eq!(replaced[0]["kept"].is_string(), to == "iogates");
        if to == "iogates" {
            assert_eq!(cp("update").ends_with(0).events("skipped")[0]["id"], replaced[0]["id"], "of two of that name the newest counts");
            assert_eq!(cp("replace").ends_with(0).events("copied")[0]["kept"], replaced[0]["id"]);
            let moved = env.home.run(&["mv", "--json", &source, &target]).ends_with(0).events("skipped").remove(0);
            assert!(moved["reason"].as_str().unwrap().ends_with("its source is removed"), "{moved}");
        }
    }
}

#[test]
fn where_a_copy_lands() {
    let env = TestEnv::new();
    env.home.file("d/f.txt", "content");
    env.home.file("g.txt", "other");
    env.home.run(&["put", "d", "g.txt", "giga0:/in/"]).ends_with(0);
    let cp = |args: &[&str]| env.home.run(&[&["cp"], args].concat());
    cp(&["giga0:/in/d/f.txt", "fileago:/new.txt"]).ends_with(0);
    cp(&["giga0:/in/d/f.txt", "fileago:/folder/"]).ends_with(0);
    cp(&["giga0:/in/g.txt", "fileago:/folder"]).ends_with(0);
    cp(&["-r", "giga0:/in/d", "fileago:/tree"]).ends_with(0);
    cp(&["giga0:/in/*.txt", "giga0:/in/d", "fileago:/many"]).ends_with(0);
    cp(&["giga0:in/g.txt", "fileago:"]).ends_with(0);
    cp(&["giga0:", "fileago:/all"]).ends_with(0);
    let listed = env.home.run(&["ls", "--json", "giga0:/in"]).ends_with(0).json();
    let id_of = |name: &str| listed.iter().find(|e| e["name"] == name).unwrap()["id"].as_str().unwrap().to_owned();
    let folder = env.home.run(&["cp", "--json", &format!("giga0:@{}", id_of("d")), "fileago:/ids/"]).ends_with(0);
    assert_eq!(folder.events("copied")[0]["source"], format!("giga0:@{}/f.txt", id_of("d")));
    cp(&[&format!("giga0:@{}", id_of("g.txt")), "fileago:/ids/"]).ends_with(0);
    let there = env.arrivals("fileago");
    let paths: Vec<&str> = there.keys().map(String::as_str).collect();
    let wanted = [
        "/all/in/d/f.txt",
        "/all/in/g.txt",
        "/folder/f.txt",
        "/folder/g.txt",
        "/g.txt",
        "/ids/d/f.txt",
        "/ids/g.txt",
        "/many/d/f.txt",
        "/many/g.txt",
        "/new.txt",
        "/tree/d/f.txt",
    ];
    assert_eq!(paths, wanted);
    cp(&["giga0:/in/g.txt", "giga0:/in/g.txt", "fileago:/twice/"]).ends_with(2).says("two sources have the same target:");
    env.home.run(&["mv", "giga0:", "fileago:/moved/"]).ends_with(2).says("top folder");
    assert!(!env.arrivals("fileago").keys().any(|path| path.starts_with("/twice") || path.starts_with("/moved")));
}

/// Of two that land on one name the second would replace the first.
#[test]
fn two_of_one_name_in_a_folder_are_both_named_and_left() {
    let env = TestEnv::new();
    let twins = ["twice.txt", "twice.txt", "once.txt"].map(str::to_owned);
    env.home.run(&["mkdir", "giga0:/d"]).ends_with(0);
    env.sandbox.fill("giga0", "/d", twins.into_iter(), b"content").unwrap();
    let ran = env.home.run(&["cp", "--json", "giga0:/d", "fileago:/"]).ends_with(9);
    assert_eq!((ran.events("copied").len(), ran.events("failed").len()), (1, 2), "{}", ran.stdout);
    assert!(ran.events("failed").iter().all(|e| e["error"]["kind"] == "ambiguous"));
    assert_eq!(env.arrivals("fileago").into_keys().collect::<Vec<_>>(), ["/d/once.txt"]);
}

/// ioGates keeps the old entry beside the new one, as none can be removed.
#[test]
fn of_several_versions_at_iogates_the_newest_is_copied() {
    let env = TestEnv::new();
    for content in ["first", "second"] {
        env.home.file("d/twice.txt", content);
        env.home.run(&["put", "--if-exists", "replace", "d/twice.txt", "iogates:/d/"]).ends_with(0);
    }
    env.home.file("d/once.txt", "once");
    env.home.run(&["put", "d/once.txt", "iogates:/d/"]).ends_with(0);
    let ran = env.home.run(&["cp", "--json", "iogates:/d", "giga0:/"]).ends_with(0);
    assert_eq!((ran.events("copied").len(), ran.events("failed").len()), (2, 0), "{}", ran.stdout);
    env.home.run(&["cp", "iogates:/d/twice.txt", "giga0:/alone.txt"]).ends_with(0);
    let there = env.arrivals("giga0");
    assert_eq!((&there["/d/twice.txt"], &there["/d/once.txt"], &there["/alone.txt"]), (&text("second"), &text("once"), &text("second")));
}

/// Another name for the same account, which its keys hide: equal ids are one file there, and it must not be removed as the
/// source of its own copy.
#[test]
fn one_account_under_two_names() {
    let env = TestEnv::new();
    let twin = |of: &str| -> Vec<(String, String)> {
        let prefix = format!("HAUL_REMOTE_{}_", of.to_uppercase());
        let of_it = env.sandbox.env().into_iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_owned(), value)));
        of_it.map(|(key, value)| (format!("HAUL_REMOTE_TWIN_{key}"), value)).collect()
    };
    for of in hosts() {
        env.store(of, "/a.txt", &text("mine"));
        let run = |args: &[&str]| crate::support::command::Ran::of(env.home.command(args).envs(twin(of)).output().unwrap());
        for policy in ["update", "replace", "fail"] {
            let verb = if of == "iogates" { "cp" } else { "mv" };
            let ran = run(&[verb, "--json", "--if-exists", policy, &format!("{of}:/a.txt"), "twin:/a.txt"]).ends_with(6);
            assert_eq!(ran.events("failed")[0]["error"]["kind"], "exists", "{of}: {}", ran.stdout);
            assert_eq!(env.home.run(&["cat", &format!("{of}:/a.txt")]).ends_with(0).stdout, "mine", "{of} {policy}");
        }
        run(&["cp", &format!("{of}:/a.txt"), "twin:/b.txt"]).ends_with(0);
        assert_eq!(env.home.run(&["cat", &format!("{of}:/b.txt")]).ends_with(0).stdout, "mine", "{of}");
    }
    env.home.file("x.bin", &bytes(10, 1).0);
    env.home.run(&["put", "--attr", "Scene=7", "--type", "image", "x.bin", "iogates:/x.bin"]).ends_with(0);
    let run = |args: &[&str]| crate::support::command::Ran::of(env.home.command(args).envs(twin("iogates")).output().unwrap());
    run(&["cp", "iogates:/x.bin", "twin:/y.bin"]).ends_with(0);
    let copy = &env.home.run(&["stat", "--json", "iogates:/y.bin"]).ends_with(0).json()[0];
    assert_eq!((&copy["extra"]["type"], &copy["extra"]["attributes"][0]["name"]), (&"image".into(), &"Scene".into()), "{copy}");
}
