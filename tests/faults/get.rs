//! `haul get` with faults: cuts, kills, pages, wrong answers, links, and names that lead out of the folder. A wrong file is
//! never saved, and correct bytes are resumed.

use std::collections::BTreeMap;
use std::process::Stdio;

use crate::support::command::Ran;
use crate::support::env::{Content, TestEnv, bytes, text, tree};
use crate::support::remotes::hosts;

#[test]
fn what_is_cut_goes_on_where_it_broke() {
    let env = TestEnv::new();
    let content = bytes(4_000_000, 7);
    for remote in hosts() {
        env.store(remote, "/f.bin", &content);
        env.sandbox.faults().script(&format!("{remote}/download:cut=1500000*2")).unwrap();
        let ran = env.get(&[&format!("{remote}:/f.bin"), &format!("{remote}.bin")]).ends_with(0);
        let event = &ran.events("downloaded")[0];
        assert_eq!((&event["retries"], &event["verified"]), (&2.into(), &"md5".into()), "{remote}");
        assert!(env.sandbox.faults().remaining().is_empty(), "{remote}");
        assert_eq!(std::fs::read(env.path(&format!("{remote}.bin"))).unwrap(), content.0);
    }
    // Where a server gives no ranges every try begins anew.
    for remote in ["iogates", "fileago"] {
        env.sandbox.faults().script(&format!("{remote}:range-ignored {remote}/download:cut=1500000")).unwrap();
        let ran = env.get(&["-v", &format!("{remote}:/f.bin"), &format!("{remote}-2.bin")]).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["retries"], 1);
        assert_eq!(std::fs::read(env.path(&format!("{remote}-2.bin"))).unwrap(), content.0, "{remote}");
        env.sandbox.faults().script(&format!("{remote}/download:cut=1500000")).unwrap();
        let cat = env.home.command(&["cat", &format!("{remote}:/f.bin")]).output().unwrap();
        assert_eq!(
            (cat.status.code(), Content(cat.stdout)),
            (Some(0), content.clone()),
            "{remote}: and what is written is not written twice"
        );
    }
    env.sandbox.faults().script("giga0/download:slow=4000").unwrap();
    let ran = env.get(&["--timeout", "1s", "giga0:/f.bin", "slow.bin"]).ends_with(0);
    assert_eq!(ran.events("downloaded")[0]["retries"], 1, "a silent server is left and asked again");
}

/// A server without ranges that lets a little more through each time: every answer is progress, and each costs the whole.
#[test]
fn a_server_that_begins_anew_each_time_costs_no_more_than_the_bound() {
    let env = TestEnv::new();
    let content = Content(b"0123456789".repeat(1_200_000));
    // More than what is lost in the stand-in's buffers when a line is cut.
    let cuts: String = (0..14).map(|n| format!("fileago/download:cut={} ", 6_000_000 + n * 400_000)).collect();
    env.store("fileago", "/f.bin", &content);
    for args in [&["get", "--json", "--retries", "2", "fileago:/f.bin", "f.bin"][..], &["cat", "--retries", "2", "fileago:/f.bin"]] {
        env.sandbox.faults().clear();
        env.sandbox.faults().script(&format!("fileago:range-ignored {cuts}")).unwrap();
        let before = env.sandbox.counts().requests("fileago", "download");
        let ran = env.home.run(args).ends_with(5);
        let asked = env.sandbox.counts().requests("fileago", "download") - before;
        // Answers of half the file until these are twice the file.
        assert!((4..=5).contains(&asked), "{asked} answers: {}{}", ran.stdout, ran.stderr);
        ran.says("the server begins at the first byte again each time");
        assert!(!env.path("f.bin").exists());
    }
}

#[cfg(unix)]
#[test]
fn what_was_killed_goes_on_where_it_stopped() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    let content = bytes(4_000_000, 8);
    for remote in hosts() {
        env.store(remote, "/f.bin", &content);
        let (source, target) = (format!("{remote}:/f.bin"), format!("{remote}/f.bin"));
        let part = env.path(&format!("{remote}/.f.bin.haul-part"));
        env.kill_during_get(&["get", "--bwlimit", "2M", &source, &target], &part, 500_000);
        assert_eq!(std::fs::metadata(&part).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!env.path(&target).exists());
        let ran = env.get(&[&source, &target]).ends_with(0);
        let event = &ran.events("downloaded")[0];
        assert!(event["resumed_from"].as_u64().unwrap() >= 500_000, "{remote}: {event}");
        assert_eq!(event["verified"], "md5");
        assert_eq!(env.local(remote), BTreeMap::from([("f.bin".to_owned(), content.clone())]), "{remote}: and nothing is left over");
        env.get(&[&source, &target]).ends_with(0).events("skipped").first().expect("unchanged since it was fetched");
    }
}

#[cfg(unix)]
#[test]
fn a_part_of_another_file_is_not_resumed() {
    let env = TestEnv::new();
    let (old, new) = (bytes(4_000_000, 9), bytes(4_000_000, 10));
    for remote in ["giga0", "fileago"] {
        env.store(remote, "/f.bin", &old);
        let (source, target) = (format!("{remote}:/f.bin"), format!("{remote}/f.bin"));
        env.kill_during_get(&["get", "--bwlimit", "2M", &source, &target], &env.path(&format!("{remote}/.f.bin.haul-part")), 500_000);
        env.store(remote, "/f.bin", &new);
        let ran = env.get(&[&source, &target]).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["resumed_from"], 0, "{remote}");
        assert_eq!(env.local(remote), BTreeMap::from([("f.bin".to_owned(), new.clone())]), "{remote}");
    }
}

#[cfg(unix)]
#[test]
fn several_streams_bring_the_same_bytes() {
    let env = TestEnv::new();
    let content = bytes(40_000_000, 11);
    for remote in hosts() {
        env.store(remote, "/f.bin", &content);
        let (source, target) = (format!("{remote}:/f.bin"), format!("{remote}/f.bin"));
        let before = downloads(&env, remote);
        env.sandbox.faults().script(&format!("{remote}/download:cut=3000000*2")).unwrap();
        let ran = env.get(&["--streams", "3", &source, &format!("{remote}-cut")]).ends_with(0);
        assert!(downloads(&env, remote) - before >= 5, "{remote}: three streams, two of them cut");
        assert_eq!(ran.events("downloaded")[0]["verified"], "md5");
        assert_eq!(Content(std::fs::read(env.path(&format!("{remote}-cut"))).unwrap()), content, "{remote}");

        let part = env.path(&format!("{remote}/.f.bin.haul-part"));
        env.kill_during_get(&["get", "--streams", "3", "--bwlimit", "16M", &source, &target], &part, 20 << 20);
        let ran = env.get(&[&source, &target]).ends_with(0);
        let resumed = ran.events("downloaded")[0]["resumed_from"].as_u64().unwrap();
        assert!((15 << 20..40_000_000).contains(&resumed), "{remote}: {resumed}");
        assert_eq!(env.local(remote), BTreeMap::from([("f.bin".to_owned(), content.clone())]), "{remote}");
    }
    for remote in ["iogates", "fileago"] {
        env.sandbox.faults().script(&format!("{remote}:range-ignored")).unwrap();
        let ran = env.get(&["-v", "--streams", "3", &format!("{remote}:/f.bin"), &format!("{remote}-one")]).ends_with(0);
        assert_eq!(Content(std::fs::read(env.path(&format!("{remote}-one"))).unwrap()), content, "{remote}");
        ran.says("gives no ranges");
    }
}

fn downloads(env: &TestEnv, remote: &str) -> u64 {
    env.sandbox.counts().requests(remote, "download")
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let env = TestEnv::new();
    env.store("giga0", "/f.bin", &bytes(3_000_000, 5));
    let mut child = env.home.command(&["cat", "giga0:/f.bin"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_page_is_never_saved_as_the_file() {
    let env = TestEnv::new();
    for remote in hosts() {
        env.store(remote, "/f.bin", &text("content"));
        env.store(remote, "/page.html", &text("<html><title>mine</title></html>"));
        let source = format!("{remote}:/f.bin");
        env.sandbox.faults().script(&format!("{remote}/download:html")).unwrap();
        env.get(&[&source, "got/f.bin"]).ends_with(11).says("a page in place of the file: Down for maintenance");
        env.get(&["-q", &format!("{remote}:/page.html"), &format!("{remote}.html")]).ends_with(0);
        assert_eq!(std::fs::read(env.path(&format!("{remote}.html"))).unwrap(), text("<html><title>mine</title></html>").0);
    }
    for (fault, status, words) in [("redirect", 5, "You must wait 30 seconds between downloads."), ("html", 5, "Please wait")] {
        env.sandbox.faults().script(&format!("giga0:download-page={fault}")).unwrap();
        let ran = env.get(&["--retries", "1", "giga0:/f.bin", "got/f.bin"]).ends_with(status).says(words);
        assert_eq!(ran.events("failed")[0]["error"]["retryable"], true);
    }
    assert!(!env.path("got/f.bin").exists());
    for remote in hosts() {
        env.sandbox.faults().script(&format!("{remote}/download:500 {remote}/download:503=0")).unwrap();
        env.get(&[&format!("{remote}:/f.bin"), &format!("{remote}.bin")]).ends_with(0);
        assert_eq!(std::fs::read(env.path(&format!("{remote}.bin"))).unwrap(), b"content", "{remote}: and what passes is tried again");
    }
}

#[test]
fn sizes_and_checksums_that_differ_are_failures() {
    let env = TestEnv::new();
    for remote in hosts() {
        env.store(remote, "/f.bin", &bytes(100_000, 12));
        let source = format!("{remote}:/f.bin");
        env.sandbox.faults().script(&format!("{remote}/download:download-short=5")).unwrap();
        let ran = env.get(&[&source, &format!("{remote}/f.bin")]).ends_with(7);
        assert_eq!(ran.events("failed")[0]["error"]["kind"], "integrity", "{remote}");
        std::fs::write(env.sandbox.file(remote, "/f.bin").unwrap(), bytes(100_000, 13).0).unwrap();
        env.get(&[&source, &format!("{remote}/f.bin")]).ends_with(7).says("the MD5 differs");
        assert!(env.local(remote).is_empty(), "{remote}: neither file nor part");
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    use std::os::unix::fs::symlink;
    let env = TestEnv::new();
    let files = tree(&env.home);
    std::fs::create_dir_all(env.path("away")).unwrap();
    for remote in hosts() {
        env.home.run(&["put", "-q", "src/", &format!("{remote}:/d")]).ends_with(0);
        let top = env.path(remote);
        std::fs::create_dir_all(&top).unwrap();
        symlink(env.path("away"), top.join("deep")).unwrap();
        symlink(env.path("away/a.txt"), top.join("a.txt")).unwrap();
        let ran = env.get(&[&format!("{remote}:/d/"), remote]).ends_with(9);
        let failed = ran.events("failed");
        assert!(failed.iter().all(|f| f["error"]["kind"] == "refused"), "{failed:?}");
        assert_eq!(env.local("away"), BTreeMap::new(), "{remote}");
        assert_eq!(std::fs::read(top.join("z.bin")).unwrap(), files["z.bin"].0, "{remote}: the others go on");
        // What the user names may be a link.
        symlink(env.path("away"), env.path(&format!("link-{remote}"))).unwrap();
        env.get(&[&format!("{remote}:/d/z.bin"), &format!("link-{remote}")]).ends_with(0);
        std::fs::remove_file(env.path("away/z.bin")).unwrap();
    }
}

/// Somebody who may write there flips a folder and a link to another place while files arrive.
#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link_that_appears_meanwhile() {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};
    let env = TestEnv::new();
    let names: Vec<String> = (0..120).map(|n| format!("f{n}.bin")).collect();
    env.sandbox.fill("fileago", "/d/in", names.into_iter(), &bytes(20_000, 15).0).unwrap();
    let (top, away) = (env.path("flip"), env.path("away"));
    std::fs::create_dir_all(&top).unwrap();
    std::fs::create_dir_all(&away).unwrap();
    let stopped = std::sync::Arc::new(AtomicBool::new(false));
    let flipping = std::thread::spawn({
        let (stopped, away) = (stopped.clone(), away.clone());
        move || {
            let (folder, kept) = (top.join("in"), top.join("kept"));
            for turn in 0.. {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let _ = std::fs::rename(&folder, &kept);
                let _ = symlink(&away, &folder);
                // And one of the names beside a part.
                let _ = symlink(away.join("victim"), kept.join(format!(".f{}.bin.haul-part.json", turn % 120)));
                std::thread::sleep(std::time::Duration::from_micros(200));
                let _ = std::fs::remove_file(&folder);
                let _ = std::fs::rename(&kept, &folder);
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        }
    });
    std::fs::write(away.join("victim"), "untouched").unwrap();
    for _ in 0..3 {
        let ran = env.get(&["-j", "8", "--if-exists", "replace", "fileago:/d/", "flip"]);
        assert!(matches!(ran.status, 0 | 8 | 9), "{}", ran.stderr);
    }
    stopped.store(true, Ordering::Relaxed);
    flipping.join().unwrap();
    assert_eq!(env.local("away"), BTreeMap::from([("victim".to_owned(), text("untouched"))]));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_reported_and_the_download_resumes_later() {
    let env = TestEnv::new();
    let content = bytes(2_000_000, 14);
    env.store("fileago", "/f.bin", &content);
    // The shell's limit stands for the disk: 512 KiB for one file.
    let haul = env!("CARGO_BIN_EXE_haul");
    let script = format!("trap '' XFSZ; ulimit -f 1024; exec {haul} get --json fileago:/f.bin full.bin");
    let mut command = env.home.command(&[]);
    let envs: Vec<_> = command.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).env_clear().envs(envs).current_dir(env.path("").as_path());
    command.stdin(Stdio::null());
    let ran = Ran::of(shell.output().unwrap()).ends_with(12);
    assert_eq!(ran.events("failed")[0]["error"]["kind"], "local");
    let ran = env.get(&["fileago:/f.bin", "full.bin"]).ends_with(0);
    assert!(ran.events("downloaded")[0]["resumed_from"].as_u64().unwrap() > 0);
    assert_eq!(Content(std::fs::read(env.path("full.bin")).unwrap()), content);
}

#[test]
fn an_old_token_is_renewed_and_a_missing_permission_explained() {
    let env = TestEnv::new();
    for remote in hosts() {
        env.store(remote, "/f.bin", &text("x"));
        env.sandbox.faults().script(&format!("{remote}:expired")).unwrap();
        env.get(&[&format!("{remote}:/f.bin"), &format!("{remote}.bin")]).ends_with(0);
        assert!(env.sandbox.faults().remaining().is_empty(), "{remote}");
    }
    env.sandbox.faults().script("fileago:no-latest").unwrap();
    env.get(&["fileago:/f.bin", "no-latest.bin"]).ends_with(0);
    env.sandbox.faults().script("fileago:no-download").unwrap();
    env.get(&["fileago:/f.bin", "no.bin"]).ends_with(8).says("you may not download this file, only: read, write");
}

/// Renames a file by the service's own call, which takes any name.
fn rename(env: &TestEnv, remote: &str, path: &str, name: &str) {
    let variables: std::collections::HashMap<_, _> = env.sandbox.env().into_iter().collect();
    let of = |key: &str| variables[&format!("HAUL_REMOTE_{}_{key}", remote.to_uppercase())].as_str();
    let entry = env.home.run(&["ls", "--json", &format!("{remote}:{path}")]).ends_with(0).json().remove(0);
    let id = entry["id"].as_str().unwrap();
    let network = haul::contract::Network { timeout: std::time::Duration::from_secs(10), ca_file: None, insecure: false };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let http = haul::protocols::http::Http::new(&network).unwrap();
        let post = |path: &str| http.client().post(format!("{}{path}", of("URL")));
        let json = |request: reqwest::RequestBuilder| async {
            request.send().await.unwrap().json::<serde_json::Value>().await.unwrap_or_default()
        };
        if remote == "giga0" {
            let account = json(post("/api/v2/authorize").form(&[("username", of("USERNAME")), ("password", of("PASSWORD"))])).await;
            let data = |key: &str| account["data"][key].to_string().trim_matches('"').to_owned();
            let (token, account) = (data("access_token"), data("account_id"));
            let number = id.strip_prefix("file:").unwrap();
            let fields = [("access_token", token.as_str()), ("account_id", &account), ("file_id", number), ("filename", name)];
            let answer = json(post("/api/v2/file/edit").form(&fields)).await;
            assert_eq!(answer["data"]["filename"], name, "{answer}");
        } else {
            let login = serde_json::json!({ "username": of("USERNAME"), "password": of("PASSWORD") });
            let token = json(post("/auth").json(&login)).await["token"].as_str().unwrap().to_owned();
            let change = post(&format!("/api/nodes/{id}")).bearer_auth(token).json(&serde_json::json!({ "new_name": name }));
            assert!(change.send().await.unwrap().status().is_success());
        }
    });
}

#[test]
fn names_from_the_server_stay_in_their_folder() {
    let env = TestEnv::new();
    // The stand-in of FileAgo keeps slashes out by itself.
    let cases = [
        ("giga0", ["../../evil", "..", "/etc/evil", "sub/evil", ".good.txt.haul-part"].as_slice()),
        ("fileago", &["..", ".", ".good.txt.haul-part"]),
    ];
    for (remote, hostile) in cases {
        for (n, name) in hostile.iter().enumerate() {
            env.store(remote, &format!("/d/{n}.txt"), &text("evil"));
            rename(&env, remote, &format!("/d/{n}.txt"), name);
        }
        env.store(remote, "/d/good.txt", &text("good"));
        let ran = env.get(&[&format!("{remote}:/d"), &format!("{remote}/in")]).ends_with(9);
        let failed = ran.events("failed");
        assert_eq!(failed.len(), hostile.len(), "{remote}");
        assert!(failed.iter().all(|f| f["error"]["kind"] == "refused"), "{failed:?}");
        assert_eq!(env.local(remote), BTreeMap::from([("in/d/good.txt".to_owned(), text("good"))]), "{remote}");
        // By its id, and under a name of the user's own, each can be had.
        let list = env.home.run(&["ls", "--json", &format!("{remote}:/d")]).ends_with(0).json();
        let id = list.iter().find(|e| e["name"] == hostile[0]).unwrap()["id"].as_str().unwrap().to_owned();
        env.get(&[&format!("{remote}:@{id}"), &format!("{remote}/")]).ends_with(8);
        env.get(&[&format!("{remote}:@{id}"), &format!("{remote}/tame")]).ends_with(0);
        assert_eq!(std::fs::read(env.path(&format!("{remote}/tame"))).unwrap(), b"evil");
    }
    assert!(!env.path("../evil").exists() && !env.path("evil").exists());
}

#[test]
fn two_of_one_name_are_not_put_on_each_other() {
    let env = TestEnv::new();
    for (n, content) in ["one", "two"].iter().enumerate() {
        env.store("giga0", &format!("/d/{n}.txt"), &text(content));
        rename(&env, "giga0", &format!("/d/{n}.txt"), "same.txt");
    }
    env.store("giga0", "/d/other.txt", &text("other"));
    let ran = env.get(&["giga0:/d/", "here"]).ends_with(9);
    let failed = ran.events("failed");
    assert_eq!((failed.len(), &failed[0]["error"]["kind"]), (2, &"ambiguous".into()));
    assert_eq!(env.local("here"), BTreeMap::from([("other.txt".to_owned(), text("other"))]));
}
