//! `haul get`, `cat` and `link` as a user runs them, against the sandbox: where files land, what is gone on with after a
//! cut or a kill, what is refused, and that nothing wrong is ever saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::haul::Ran;
use crate::put::{Content, Play, REMOTES, below, bytes, text, tree};

impl Play {
    fn path(&self, name: &str) -> PathBuf {
        self.home.file(".keep", "").with_file_name(name)
    }

    /// What lies below a local folder, hidden files included.
    fn local(&self, name: &str) -> BTreeMap<String, Content> {
        let top = self.path(name);
        let mut found = BTreeMap::new();
        let mut open = vec![top.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}")) {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, Content(std::fs::read(&path).unwrap_or_default()));
                }
            }
        }
        found
    }

    /// Puts `content` at `path` of a remote, from a folder that no download looks at.
    fn stored(&self, remote: &str, path: &str, content: &Content) {
        self.home.file("origin/file", &content.0);
        self.home.run(&["put", "-q", "origin/file", &format!("{remote}:{path}")]).ends_with(0);
    }

    fn get(&self, more: &[&str]) -> Ran {
        self.home.run(&[&["get", "--json"], more].concat())
    }

    /// Starts a `get` and kills it as soon as `least` bytes are in its part.
    fn killed(&self, args: &[&str], part: &Path, least: u64) {
        let mut child = self.home.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while on_disk(part) < least {
            assert!(begun.elapsed() < Duration::from_secs(60), "{part:?} does not grow: {}", on_disk(part));
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Bytes that were really written: several streams make room for all of them at once.
#[cfg(unix)]
fn on_disk(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map_or(0, |meta| meta.len().min(meta.blocks() * 512))
}

#[cfg(not(unix))]
fn on_disk(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

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
        assert_eq!((&ran.events("downloaded")[0]["verified"], &ran.events("downloaded")[0]["md5"]), (&"size".into(), &().into()));
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
        assert_eq!(ran.events("downloaded")[0]["source"], format!("{remote}:@{id}"));
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

#[cfg(unix)]
#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let play = Play::new();
    play.stored("giga0", "/f.bin", &bytes(3_000_000, 5));
    let mut child = play.home.command(&["cat", "giga0:/f.bin"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn what_is_cut_goes_on_where_it_broke() {
    let play = Play::new();
    let content = bytes(4_000_000, 7);
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &content);
        play.sandbox.faults().script(&format!("{remote}/download:cut=1500000*2")).unwrap();
        let ran = play.get(&[&format!("{remote}:/f.bin"), &format!("{remote}.bin")]).ends_with(0);
        let event = &ran.events("downloaded")[0];
        assert_eq!((&event["retries"], &event["verified"]), (&2.into(), &"md5".into()), "{remote}");
        assert!(play.sandbox.faults().left().is_empty(), "{remote}");
        assert_eq!(std::fs::read(play.path(&format!("{remote}.bin"))).unwrap(), content.0);
    }
    // Where a server gives no ranges every try begins anew.
    for remote in ["iogates", "fileago"] {
        play.sandbox.faults().script(&format!("{remote}:range-ignored {remote}/download:cut=1500000")).unwrap();
        let ran = play.get(&["-v", &format!("{remote}:/f.bin"), &format!("{remote}-2.bin")]).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["retries"], 1);
        assert_eq!(std::fs::read(play.path(&format!("{remote}-2.bin"))).unwrap(), content.0, "{remote}");
    }
}

#[cfg(unix)]
#[test]
fn what_was_killed_goes_on_where_it_stopped() {
    use std::os::unix::fs::PermissionsExt;
    let play = Play::new();
    let content = bytes(4_000_000, 8);
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &content);
        let (source, target) = (format!("{remote}:/f.bin"), format!("{remote}/f.bin"));
        let part = play.path(&format!("{remote}/.f.bin.haul-part"));
        play.killed(&["get", "--bwlimit", "2M", &source, &target], &part, 500_000);
        assert_eq!(std::fs::metadata(&part).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!play.path(&target).exists());
        let ran = play.get(&[&source, &target]).ends_with(0);
        let event = &ran.events("downloaded")[0];
        assert!(event["resumed_from"].as_u64().unwrap() >= 500_000, "{remote}: {event}");
        assert_eq!(event["verified"], "md5");
        assert_eq!(play.local(remote), BTreeMap::from([("f.bin".to_owned(), content.clone())]), "{remote}: and nothing is left over");
        play.get(&[&source, &target]).ends_with(0).events("skipped").first().expect("unchanged since it was fetched");
    }
}

#[cfg(unix)]
#[test]
fn a_part_of_another_file_is_not_gone_on_with() {
    let play = Play::new();
    let (old, new) = (bytes(4_000_000, 9), bytes(4_000_000, 10));
    for remote in ["giga0", "fileago"] {
        play.stored(remote, "/f.bin", &old);
        let (source, target) = (format!("{remote}:/f.bin"), format!("{remote}/f.bin"));
        play.killed(&["get", "--bwlimit", "2M", &source, &target], &play.path(&format!("{remote}/.f.bin.haul-part")), 500_000);
        play.stored(remote, "/f.bin", &new);
        let ran = play.get(&[&source, &target]).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["resumed_from"], 0, "{remote}");
        assert_eq!(play.local(remote), BTreeMap::from([("f.bin".to_owned(), new.clone())]), "{remote}");
    }
}

#[cfg(unix)]
#[test]
fn several_streams_bring_the_same_bytes() {
    let play = Play::new();
    let content = bytes(40_000_000, 11);
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &content);
        let (source, target) = (format!("{remote}:/f.bin"), format!("{remote}/f.bin"));
        let before = downloads(&play, remote);
        play.sandbox.faults().script(&format!("{remote}/download:cut=3000000*2")).unwrap();
        let ran = play.get(&["--streams", "3", &source, &format!("{remote}-cut")]).ends_with(0);
        assert!(downloads(&play, remote) - before >= 5, "{remote}: three streams, two of them cut");
        assert_eq!(ran.events("downloaded")[0]["verified"], "md5");
        assert_eq!(Content(std::fs::read(play.path(&format!("{remote}-cut"))).unwrap()), content, "{remote}");

        let part = play.path(&format!("{remote}/.f.bin.haul-part"));
        play.killed(&["get", "--streams", "3", "--bwlimit", "16M", &source, &target], &part, 20 << 20);
        let ran = play.get(&[&source, &target]).ends_with(0);
        let resumed = ran.events("downloaded")[0]["resumed_from"].as_u64().unwrap();
        assert!(resumed >= 15 << 20 && resumed < 40_000_000, "{remote}: {resumed}");
        assert_eq!(play.local(remote), BTreeMap::from([("f.bin".to_owned(), content.clone())]), "{remote}");
    }
    for remote in ["iogates", "fileago"] {
        play.sandbox.faults().script(&format!("{remote}:range-ignored")).unwrap();
        let ran = play.get(&["-v", "--streams", "3", &format!("{remote}:/f.bin"), &format!("{remote}-one")]).ends_with(0);
        assert_eq!(Content(std::fs::read(play.path(&format!("{remote}-one"))).unwrap()), content, "{remote}");
        ran.says("gives no ranges");
    }
}

fn downloads(play: &Play, remote: &str) -> u64 {
    play.sandbox.counts().requests(remote, "download")
}

#[test]
fn a_page_is_never_saved_as_the_file() {
    let play = Play::new();
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &text("content"));
        play.stored(remote, "/page.html", &text("<html><title>mine</title></html>"));
        let source = format!("{remote}:/f.bin");
        play.sandbox.faults().script(&format!("{remote}/download:html")).unwrap();
        play.get(&[&source, "got/f.bin"]).ends_with(11).says("a page in place of the file: Down for maintenance");
        play.get(&["-q", &format!("{remote}:/page.html"), &format!("{remote}.html")]).ends_with(0);
        assert_eq!(std::fs::read(play.path(&format!("{remote}.html"))).unwrap(), text("<html><title>mine</title></html>").0);
    }
    for (fault, status, words) in [("redirect", 5, "You must wait 30 seconds between downloads."), ("html", 5, "Please wait")] {
        play.sandbox.faults().script(&format!("giga0:download-page={fault}")).unwrap();
        let ran = play.get(&["--retries", "1", "giga0:/f.bin", "got/f.bin"]).ends_with(status).says(words);
        assert_eq!(ran.events("failed")[0]["error"]["retryable"], true);
    }
    assert!(!play.path("got/f.bin").exists());
    for remote in REMOTES {
        play.sandbox.faults().script(&format!("{remote}/download:500 {remote}/download:503=0")).unwrap();
        play.get(&[&format!("{remote}:/f.bin"), &format!("{remote}.bin")]).ends_with(0);
        assert_eq!(std::fs::read(play.path(&format!("{remote}.bin"))).unwrap(), b"content", "{remote}: and what passes is tried again");
    }
}

#[test]
fn sizes_and_checksums_that_differ_are_failures() {
    let play = Play::new();
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &bytes(100_000, 12));
        let source = format!("{remote}:/f.bin");
        play.sandbox.faults().script(&format!("{remote}/download:download-short=5")).unwrap();
        let ran = play.get(&[&source, &format!("{remote}/f.bin")]).ends_with(7);
        assert_eq!(ran.events("failed")[0]["error"]["kind"], "integrity", "{remote}");
        std::fs::write(play.sandbox.file(remote, "/f.bin").unwrap(), bytes(100_000, 13).0).unwrap();
        play.get(&[&source, &format!("{remote}/f.bin")]).ends_with(7).says("the MD5 differs");
        assert!(play.local(remote).is_empty(), "{remote}: neither file nor part");
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
        assert_eq!(get("update").ends_with(0).events("skipped")[0]["reason"], "unchanged since it was fetched", "{remote}");
        std::fs::write(&target, "there").unwrap();
        assert_eq!(get("update").ends_with(0).events("skipped")[0]["reason"], "same MD5", "{remote}");
        assert_eq!(get("replace").ends_with(0).events("downloaded").len(), 1);
        std::fs::remove_file(&target).unwrap();
        std::fs::create_dir(&target).unwrap();
        get("replace").ends_with(6).says("a folder of this name is in the way");
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

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    use std::os::unix::fs::symlink;
    let play = Play::new();
    let files = tree(&play.home);
    std::fs::create_dir_all(play.path("away")).unwrap();
    for remote in REMOTES {
        play.home.run(&["put", "-q", "src/", &format!("{remote}:/d")]).ends_with(0);
        let top = play.path(remote);
        std::fs::create_dir_all(&top).unwrap();
        symlink(play.path("away"), top.join("deep")).unwrap();
        symlink(play.path("away/a.txt"), top.join("a.txt")).unwrap();
        let ran = play.get(&[&format!("{remote}:/d/"), remote]).ends_with(9);
        let failed = ran.events("failed");
        assert!(failed.iter().all(|f| f["error"]["kind"] == "refused"), "{failed:?}");
        assert_eq!(play.local("away"), BTreeMap::new(), "{remote}");
        assert_eq!(std::fs::read(top.join("z.bin")).unwrap(), files["z.bin"].0, "{remote}: the others go on");
        // What the user names may be a link.
        symlink(play.path("away"), play.path(&format!("link-{remote}"))).unwrap();
        play.get(&[&format!("{remote}:/d/z.bin"), &format!("link-{remote}")]).ends_with(0);
        std::fs::remove_file(play.path("away/z.bin")).unwrap();
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

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_gone_on_with() {
    let play = Play::new();
    let content = bytes(2_000_000, 14);
    play.stored("fileago", "/f.bin", &content);
    // The shell's limit stands for the disk: 512 KiB for one file.
    let haul = env!("CARGO_BIN_EXE_haul");
    let script = format!("trap '' XFSZ; ulimit -f 1024; exec {haul} get --json fileago:/f.bin full.bin");
    let mut command = play.home.command(&[]);
    let envs: Vec<_> = command.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).env_clear().envs(envs).current_dir(play.path("").as_path());
    command.stdin(Stdio::null());
    let ran = Ran::of(shell.output().unwrap()).ends_with(12);
    assert_eq!(ran.events("failed")[0]["error"]["kind"], "local");
    let ran = play.get(&["fileago:/f.bin", "full.bin"]).ends_with(0);
    assert!(ran.events("downloaded")[0]["resumed_from"].as_u64().unwrap() > 0);
    assert_eq!(Content(std::fs::read(play.path("full.bin")).unwrap()), content);
}

#[test]
fn an_old_token_is_renewed_and_a_missing_permission_explained() {
    let play = Play::new();
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &text("x"));
        play.sandbox.faults().script(&format!("{remote}:expired")).unwrap();
        play.get(&[&format!("{remote}:/f.bin"), &format!("{remote}.bin")]).ends_with(0);
        assert!(play.sandbox.faults().left().is_empty(), "{remote}");
    }
    play.sandbox.faults().script("fileago:no-latest").unwrap();
    play.get(&["fileago:/f.bin", "no-latest.bin"]).ends_with(0);
    play.sandbox.faults().script("fileago:no-download").unwrap();
    play.get(&["fileago:/f.bin", "no.bin"]).ends_with(8).says("you may not download this file, only: read, write");
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
