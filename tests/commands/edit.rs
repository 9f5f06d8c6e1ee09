//! `haul edit`, `share`, `star`, `import`, and what `mkdir` takes from them.

use serde_json::Value;

use crate::support::env::{Play, WITH_CHANGES, set};
use crate::support::fixed_answers::one_file_server;

#[test]
fn names() {
    for remote in WITH_CHANGES {
        let play = Play::with_files(remote, &["/a", "/b", "/d/x"]);
        let at = |path: &str| format!("{remote}:{path}");
        let ran = play.json(&["edit", &at("/a"), "--name", "c.txt"]).ends_with(0).events("edit");
        assert_eq!((&ran[0]["path"], &ran[0]["name"], &ran[0]["id"]), (&"/c.txt".into(), &"c.txt".into(), &play.id(&at("/c.txt")).into()));
        play.home.run(&["edit", &at("/c.txt"), "--name", "b"]).ends_with(6).says("another entry is named");
        play.home.run(&["edit", &at("/c.txt"), "--name", "x/y"]).ends_with(8);
        play.home.run(&["edit", &at("/none"), "--name", "x"]).ends_with(3);
        for fault in ["answer-lost", "cut=0", "500"] {
            let call = if remote == "giga0" { "folder/edit" } else { "change" };
            play.script(&format!("{remote}/{call}:{fault}"));
            play.home.run(&["edit", &at("/d"), "--name", "e"]).ends_with(0);
            play.home.run(&["edit", &at("/e"), "--name", "d"]).ends_with(0);
            play.faults_are_used_up();
        }
        assert_eq!(play.there(&at("")), set(["/b", "/c.txt", "/d/", "/d/x"]), "{remote}");
    }
}

fn of_folder(play: &Play, path: &str, field: &str) -> Value {
    let entries = play.json(&["ls", "giga0:/"]).ends_with(0).events("entry");
    entries.iter().find(|e| e["path"] == path).unwrap()["extra"][field].clone()
}

#[test]
fn giga0s_own_fields() {
    let play = Play::with_files("giga0", &["/a.bin", "/d/x"]);
    let ran = play.json(&["edit", "giga0:/a.bin", "--type", "application/pdf", "--name", "a.pdf"]).ends_with(0).events("edit");
    assert_eq!((&ran[0]["extra"]["type"], &ran[0]["name"]), (&"application/pdf".into(), &"a.pdf".into()));
    for (word, path) in [("public", "giga0:/d"), ("unlisted", "giga0:/d"), ("private", "giga0:/d"), ("public", "giga0:/d")] {
        play.home.run(&["edit", path, "--visibility", word]).ends_with(0);
        assert_eq!(of_folder(&play, "/d", "visibility"), word);
    }
    play.home.run(&["edit", "giga0:/a.pdf", "--visibility", "public"]).ends_with(10).says("only its folder has");
    play.home.run(&["edit", "giga0:/d", "--type", "x/y"]).ends_with(10).says("a folder has no type");
    play.home.run(&["mkdir", "giga0:/made", "--visibility", "unlisted"]).ends_with(0);
    assert_eq!(of_folder(&play, "/made", "visibility"), "unlisted");
}

#[test]
fn a_folders_password() {
    let play = Play::with_files("giga0", &["/d/x", "/a"]);
    let given = play.home.run_with_input(&["edit", "-vv", "giga0:/d", "--folder-password-stdin"], b"correct horse\nnot this").ends_with(0);
    assert_eq!(play.sandbox.giga0().folder_password("/d").as_deref(), Some(format!("{:x}", md5::compute("correct horse")).as_str()));
    for text in [given.stdout, given.stderr] {
        assert!(!text.contains("correct horse") && !text.contains(&format!("{:x}", md5::compute("correct horse"))), "{text}");
    }
    play.home.run(&["edit", "giga0:/d", "--name", "e"]).ends_with(0);
    assert!(play.sandbox.giga0().folder_password("/e").is_some(), "a new name leaves it alone");
    play.home.run_with_input(&["edit", "giga0:/e", "--folder-password-stdin"], b"\n").ends_with(0);
    assert_eq!(play.sandbox.giga0().folder_password("/e"), None);
    play.home.run_with_input(&["edit", "giga0:/a", "--folder-password-stdin"], b"x").ends_with(10);
    play.home.run_with_input(&["mkdir", "giga0:/made", "--folder-password-stdin"], b"pw").ends_with(0);
    assert_eq!(play.sandbox.giga0().folder_password("/made").as_deref(), Some(format!("{:x}", md5::compute("pw")).as_str()));
}

#[test]
fn copies_for_others() {
    let play = Play::with_files("fileago", &["/a", "/d/b"]);
    let (ann, group) = (play.sandbox.fileago().colleague().to_owned(), play.sandbox.fileago().group().to_owned());
    let both = format!("{ann},{group}");
    let ran = play.json(&["share", "fileago:/a", "--with", &both]).ends_with(0);
    assert_eq!(
        ran.stdout,
        format!("{{\"schema\":1,\"event\":\"share\",\"remote\":\"fileago\",\"path\":\"/a\",\"with\":[\"{ann}\",\"{group}\"]}}\n")
    );
    play.home.run(&["share", "fileago:/d", "--with", &group, "--with", &ann]).ends_with(0);
    let incoming = format!("fileago:@incoming:{group}");
    assert_eq!(play.there(&incoming), set(["/a", "/d/", "/d/b"]));
    assert_eq!(play.text("fileago", &format!("/incoming:{ann}/d/b")), "content of /d/b");
    play.home.run(&["share", "fileago:/a", "--with", "nobody"]).ends_with(8).says("Unknown user or group");
    play.home.run(&["share", "fileago:/none", "--with", &ann]).ends_with(3);
    // It can't be looked at, so it is not done twice.
    let asked = play.sandbox.counts().requests("fileago", "change");
    play.script("fileago/change:answer-lost");
    play.home.run(&["share", "fileago:/a", "--with", &ann]).ends_with(13).says("whether the copy was shared is not known");
    assert_eq!(play.sandbox.counts().requests("fileago", "change"), asked + 1);
}

#[test]
fn favourites() {
    let play = Play::with_files("fileago", &["/a", "/d/b"]);
    let ran = play.json(&["star", "fileago:/a", "fileago:/d/b"]).ends_with(0);
    assert_eq!(ran.stdout.lines().next().unwrap(), r#"{"schema":1,"event":"star","remote":"fileago","path":"/a","starred":true}"#);
    assert_eq!(play.there("fileago:@favorites"), set(["/a", "/b"]));
    play.script("fileago/change:answer-lost");
    let ran = play.json(&["unstar", "fileago:@favorites/b"]).ends_with(0);
    assert_eq!((&ran.events("star")[0]["path"], &ran.events("star")[0]["starred"]), (&"/@favorites/b".into(), &false.into()));
    assert_eq!(play.there("fileago:@favorites"), set(["/a"]));
    // It lies elsewhere, and is looked for there when the answer is lost.
    play.script("fileago/delete:answer-lost");
    play.home.run(&["rm", "fileago:@favorites/a"]).ends_with(0);
    assert_eq!(play.sandbox.counts().requests("fileago", "delete"), 1);
    play.home.run(&["star", "fileago:/none"]).ends_with(3);
}

#[test]
fn imports() {
    let play = Play::with_files("giga0", &["/a"]);
    // A file of the other stand-in behind a URL that needs no sign-in is not to be had; any loopback server will do.
    let server = one_file_server(b"film");
    let url = format!("http://{server}/film.mov");
    let ran = play.json(&["import", "--wait", &url, "giga0:/films/"]).ends_with(0);
    let events = ran.events("import");
    let (first, last) = (&events[0], events.last().unwrap());
    assert_eq!((&first["done"], &first["path"], &first["url"]), (&false.into(), &"/films".into(), &url.as_str().into()));
    assert_eq!((&last["done"], &last["status"], &last["path"]), (&true.into(), &"complete".into(), &"/films/film.mov".into()));
    assert_eq!((&last["file"], &last["id"]), (&play.id("giga0:/films/film.mov").into(), &first["id"]));
    assert_eq!(play.text("giga0", "/films/film.mov"), "film");

    let failed = play.json(&["import", "--wait", "https://user:s3cr3t-pw@192.0.2.1/x?X-Sig=s1gnature", &url, "giga0:/"]).ends_with(9);
    assert_eq!(failed.events("failed")[0]["error"]["kind"], "refused");
    assert!(failed.events("failed")[0]["error"]["message"].as_str().unwrap().contains("failed"));
    for secret in ["s3cr3t-pw", "s1gnature"] {
        assert!(!failed.stdout.contains(secret) && !failed.stderr.contains(secret), "{}", failed.stdout);
    }
    assert_eq!(failed.events("failed")[0]["source"], "https://user:***@192.0.2.1/x?X-Sig=***");

    let (add, asked) = ("file/url_upload_add", play.sandbox.counts().requests("giga0", "file/url_upload_add"));
    play.script(&format!("giga0/{add}:answer-lost"));
    play.home.run(&["import", &url, "giga0:/once/"]).ends_with(13).says("look into the folder");
    assert_eq!(play.sandbox.counts().requests("giga0", add), asked + 1, "asked twice it would be fetched twice");
    play.script("giga0/file/url_upload_status:500");
    play.home.run(&["import", "--wait", &url, "giga0:/again/"]).ends_with(0);
    play.home.run(&["import", &url, "giga0:/a/"]).ends_with(6);
    play.sandbox.giga0().set(|package| package.imports = false);
    play.home.run(&["import", &url, "giga0:/"]).ends_with(8).says("Background URL downloading is not enabled");
}
