//! `haul get`, `cat` and `link` as a user runs them, against the sandbox: where files land, what is gone on with after a
//! cut or a kill, what is refused, and that nothing wrong is ever saved.

mod named;

use std::collections::BTreeMap;

use crate::support::command::Ran;
use crate::support::env::{Content, Play, REMOTES, below, bytes, text, tree};

fn md5(content: &Content) -> String {
    format!("{:x}", md5::compute(&content.0))
}

#[test]
fn a_folder_comes_down_whole_from_every_provider() {
    let play = Play::new();
    let files = tree(&play.home);
    for remote in REMOTES {
        play.home.run(&["put", "-q", "src", &format!("{remote}:/in/")]).ends_with(0);
        let out = format!("out-{remote}");
        let ran = play.get(&[&format!("{remote}:/in/src"), &out]).ends_with(0);
        let there: BTreeMap<_, _> = below("src", &files);
        assert_eq!(play.local(&out), there, "{remote}");
        let events = ran.events("downloaded");
        assert_eq!(events.len(), files.len(), "{remote}");
        for event in &events {
            let path = event["path"].as_str().unwrap();
            let content = &files[path.strip_prefix("/in/src/").unwrap()];
            assert_eq!((&event["schema"], &event["size"], &event["protocol"]), (&1.into(), &content.0.len().into(), &"http".into()));
            assert_eq!((&event["verified"], &event["md5"]), (&"md5".into(), &md5(content).into()), "{remote}: told, or known from the put");
            assert_eq!(event["source"], format!("{remote}:{path}"));
            assert_eq!(event["target"], format!("{out}/{}", path.strip_prefix("/in/").unwrap()));
            assert_eq!((&event["resumed_from"], &event["retries"]), (&0.into(), &0.into()));
        }
        let last = ran.json().pop().unwrap();
        assert_eq!((&last["event"], &last["files"], &last["failed"]), (&"summary".into(), &files.len().into(), &0.into()));
        let contents = format!("contents-{remote}");
        play.get(&[&format!("{remote}:/in/src/"), &contents]).ends_with(0);
        assert_eq!(play.local(&contents), files, "{remote}: what is inside");
    }
}

#[test]
fn without_what_an_earlier_put_knew_size_or_md5_is_compared() {
    let play = Play::new();
    let content = bytes(100_000, 4);
    let stranger = play.home.file("other-state/.keep", "").parent().unwrap().display().to_string();
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &content);
        let mut command = play.home.command(&["get", "--json", &format!("{remote}:/f.bin"), &format!("{remote}.bin")]);
        let ran = Ran::of(command.env("XDG_STATE_HOME", &stranger).output().unwrap()).ends_with(0);
        let verified = if remote == "iogates" { "md5" } else { "size" };
        assert_eq!(ran.events("downloaded")[0]["verified"], verified, "{remote}");
        let ran = play.get(&["--checksum", "after", &format!("{remote}:/f.bin"), &format!("{remote}-2.bin")]).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["md5"], md5(&content));
        let ran = play.get(&["--checksum", "none", &format!("{remote}:/f.bin"), &format!("{remote}-3.bin")]).ends_with(0);
        // ioGates lists no sizes, and what the answer itself says proves nothing.
        let verified = if remote == "iogates" { "none" } else { "size" };
        assert_eq!((&ran.events("downloaded")[0]["verified"], &ran.events("downloaded")[0]["md5"]), (&verified.into(), &().into()));
    }
}

#[test]
fn where_a_download_lands() {
    let play = Play::new();
    for remote in REMOTES {
        play.stored(remote, "/a/f.txt", &text("f"));
        play.stored(remote, "/a/sub/g.txt", &text("g"));
        let (f, a) = (format!("{remote}:/a/f.txt"), format!("{remote}:/a"));
        let at = |name: &str| format!("{remote}/{name}");
        play.get(&[&f, &at("deep/new-name.txt")]).ends_with(0);
        play.get(&[&f, &at("slash/")]).ends_with(0);
        play.get(&[&f, &at("slash")]).ends_with(0);
        play.get(&[&f, &format!("{remote}:/a/sub/g.txt"), &at("several")]).ends_with(0);
        play.get(&[&a, &at("whole")]).ends_with(0);
        let paths: Vec<String> = play.local(remote).into_keys().collect();
        assert_eq!(
            paths,
            ["deep/new-name.txt", "several/f.txt", "several/g.txt", "slash/f.txt", "whole/a/f.txt", "whole/a/sub/g.txt"],
            "{remote}"
        );
        let id = play.home.run(&["ls", "--json", &f]).ends_with(0).json()[0]["id"].as_str().unwrap().to_owned();
        let ran = play.get(&[&format!("{remote}:@{id}"), &at("by-id/")]).ends_with(0);
        assert_eq!(play.local(&at("by-id")), BTreeMap::from([("f.txt".to_owned(), text("f"))]), "{remote}");
        // ioGates tells the way from the top to everything.
        let source = if remote == "iogates" { f.clone() } else { format!("{remote}:@{id}") };
        assert_eq!(ran.events("downloaded")[0]["source"], source);
        let mut here = play.home.command(&["get", "-q", &f]);
        let folder = play.path(&at("cwd"));
        std::fs::create_dir(&folder).unwrap();
        Ran::of(here.current_dir(&folder).output().unwrap()).ends_with(0);
        assert_eq!(play.local(&at("cwd")).into_keys().collect::<Vec<_>>(), ["f.txt"], "LOCAL is the working directory");
    }
    play.get(&["giga0:/a/f.txt", "fileago:/a/sub/g.txt", "both/"]).ends_with(0);
    assert_eq!(play.local("both").len(), 2, "from two remotes at once");
}

#[test]
fn standard_output_takes_the_bytes_and_nothing_else() {
    let play = Play::new();
    let content = bytes(3_000_000, 5);
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &content);
        play.stored(remote, "/g.txt", &text("second"));
        let (f, g) = (format!("{remote}:/f.bin"), format!("{remote}:/g.txt"));
        let raw = |args: &[&str]| {
            let output = play.home.command(args).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            Content(output.stdout)
        };
        assert_eq!(raw(&["get", &f, "-"]), content, "{remote}");
        assert_eq!(raw(&["cat", &f, &g]), Content([content.0.as_slice(), b"second"].concat()), "{remote}");
        play.sandbox.faults().script(&format!("{remote}/download:cut=1000000")).unwrap();
        assert_eq!(raw(&["cat", &f]), content, "{remote}: a line that breaks is gone on with");
        assert!(play.sandbox.faults().left().is_empty());
        for args in [["cat", "--json", &f].as_slice(), &["get", "--json", &f, "-"]] {
            play.home.run(args).ends_with(2).says("standard output");
        }
        play.home.run(&["cat", &format!("{remote}:/")]).ends_with(2).says("folder");
        play.home.run(&["cat", &format!("{remote}:/nope")]).ends_with(3);
        std::fs::write(play.sandbox.file(remote, "/f.bin").unwrap(), bytes(3_000_000, 6).0).unwrap();
        let wrong = play.home.command(&["cat", &f]).output().unwrap();
        assert_eq!(wrong.status.code(), Some(7), "{remote}: the MD5 is known");
    }
}

#[test]
fn what_is_here_is_treated_as_asked() {
    let play = Play::new();
    for remote in REMOTES {
        play.stored(remote, "/v.txt", &text("there"));
        let target = play.home.file(&format!("{remote}/v.txt"), "local");
        let get = |policy: &str| play.get(&["--if-exists", policy, &format!("{remote}:/v.txt"), &format!("{remote}/")]);
        get("fail").ends_with(6);
        assert_eq!(get("skip").ends_with(0).events("skipped")[0]["target"], format!("{remote}/v.txt"));
        assert_eq!(std::fs::read(&target).unwrap(), b"local");
        assert_eq!(get("rename").ends_with(0).events("downloaded")[0]["target"], format!("{remote}/v (2).txt"));
        assert_eq!(get("update").ends_with(0).events("downloaded").len(), 1, "{remote}: same size, other content");
        assert_eq!(std::fs::read(&target).unwrap(), b"there");
        let reason = || get("update").ends_with(0).events("skipped")[0]["reason"].as_str().unwrap().to_owned();
        // Only ioGates tells an MD5 in its listings.
        let by_signs = if remote == "iogates" { "same MD5" } else { "unchanged since it was fetched" };
        assert_eq!([reason(), reason()], ["same MD5", by_signs], "{remote}");
        std::fs::write(&target, "there").unwrap();
        assert_eq!([reason(), reason()], ["same MD5", by_signs], "{remote}");
        assert_eq!(get("replace").ends_with(0).events("downloaded").len(), 1);
        std::fs::remove_file(&target).unwrap();
        std::fs::create_dir(&target).unwrap();
        get("replace").ends_with(6).says("a folder of this name is in the way");
    }
}

/// The new name of one file is the own name of another that is still on its way.
#[test]
fn two_files_of_one_run_get_two_names() {
    let play = Play::new();
    let (first, second) = (bytes(2_000_000, 7), bytes(2_000_001, 8));
    for remote in REMOTES {
        play.stored(remote, "/d/x (2).mov", &first);
        play.stored(remote, "/d/x.mov", &second);
        play.home.file(&format!("{remote}/x.mov"), "mine");
        let get = |more: &[&str]| play.get(&[more, &["--if-exists", "rename", &format!("{remote}:/d/"), remote]].concat()).ends_with(0);
        let planned = get(&["-n", "-j", "1"]).events("planned");
        let targets: Vec<_> = planned.iter().map(|event| event["target"].as_str().unwrap()).collect();
        assert_eq!(targets, [format!("{remote}/x (2).mov"), format!("{remote}/x (3).mov")]);
        // A line that breaks keeps the first on its way while the second looks for a name.
        play.sandbox.faults().script(&format!("{remote}/download:cut=1000000*2")).unwrap();
        get(&["-j", "4"]);
        let mut here: Vec<_> = play.local(remote).into_values().collect();
        here.sort_by_key(|content| content.0.len());
        assert_eq!(here, [text("mine"), first.clone(), second.clone()], "{remote}");
    }
}

#[test]
fn a_dry_run_fetches_nothing() {
    let play = Play::new();
    tree(&play.home);
    for remote in REMOTES {
        play.home.run(&["put", "-q", "src", &format!("{remote}:/")]).ends_with(0);
        let ran = play.get(&["-n", &format!("{remote}:/src"), "dry"]).ends_with(0);
        let planned = ran.events("planned");
        assert_eq!(planned.len(), 4, "{remote}");
        assert!(planned.iter().all(|e| e["action"] == "download" && e["target"].as_str().unwrap().starts_with("dry/src/")), "{planned:?}");
        assert!(!play.path("dry").exists());
    }
}

#[test]
fn bad_input_is_told() {
    let play = Play::new();
    let home = &play.home;
    home.file("file", "x");
    for remote in REMOTES {
        play.stored(remote, "/d/f.txt", &text("x"));
        home.run(&["get", &format!("{remote}:/nope"), "."]).ends_with(3).says("/nope");
        home.run(&["get", &format!("{remote}:/d/f.txt/"), "."]).ends_with(3).says("this is a file, not a folder");
        home.run(&["get", &format!("{remote}:/d"), "file"]).ends_with(6).says("in the way of the folder");
        home.run(&["get", &format!("{remote}:/d/f.txt"), &format!("{remote}:/d/f.txt"), "twice/"])
            .ends_with(9)
            .says("two sources would land");
        home.run(&["get", &format!("{remote}:/d/f.txt"), "file/x"]).ends_with(12);
        home.run(&["get", &format!("{remote}:/d/f.txt"), ".f.haul-part"]).ends_with(8);
    }
    home.run(&["get", "nowhere:/x"]).ends_with(3).says("there is no such remote");
    home.run(&["get", "local", "other"]).ends_with(2).says("REMOTE:PATH");
    home.run(&["get", "local"]).ends_with(2).says("REMOTE:PATH");
    home.run(&["get"]).ends_with(2);
    home.run(&["get", "--streams", "0", "giga0:/d"]).ends_with(2);
    home.run(&["cat", "local"]).ends_with(2);
}

#[test]
fn links_download_the_file() {
    let play = Play::new();
    for remote in ["iogates", "giga0"] {
        play.stored(remote, "/f.txt", &text("linked"));
        let place = format!("{remote}:/f.txt");
        let url = play.home.run(&["link", &place]).ends_with(0).stdout.trim_end().to_owned();
        let ran = play.home.run(&["link", "--json", &place]).ends_with(0);
        let event = &ran.events("link")[0];
        assert_eq!((&event["path"], event["url"].as_str().unwrap().split('?').next()), (&"/f.txt".into(), url.split('?').next()));
        assert_eq!(fetched(&url), "linked", "{remote}");
        play.home.run(&["link", &format!("{remote}:/")]).ends_with(2).says("folder");
        play.home.run(&["link", &format!("{remote}:/nope")]).ends_with(3);
    }
    play.home.run(&["link", "fileago:/x"]).ends_with(10).says("ioGates and giga0 can");
}

#[test]
fn many_small_files_at_once() {
    let play = Play::new();
    for n in 0..60 {
        play.home.file(&format!("many/{n:03}.txt"), format!("file {n}"));
    }
    for remote in REMOTES {
        play.home.run(&["put", "-j", "8", "-q", "many", &format!("{remote}:/")]).ends_with(0);
        let out = format!("out-{remote}");
        play.home.run(&["get", "-j", "8", "-q", &format!("{remote}:/many"), &out]).ends_with(0);
        let here = play.local(&out);
        assert_eq!(here.len(), 60, "{remote}");
        assert_eq!(here["many/041.txt"], text("file 41"));
    }
}

/// By a client of others: one request, by hand.
fn fetched(url: &str) -> String {
    use std::io::{Read, Write};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}
