//! A remote of provider `tus`: the command itself with the official Node server, with scripted servers, and with the stand-in.

use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::command::Home;
use crate::support::env::{TestEnv, below, bytes, tree};
use crate::support::kill::{SIZE, kill_put};
use crate::support::raw_http;
use crate::support::raw_http::{Raw, RawRequest, serve};
use crate::support::web_servers;
use crate::support::web_servers::Server;

/// What the command says when a place or an ability is missing.
const REFUSED: &[(&[&str], &str)] = &[
    (&["ls", "tus:"], "list"),
    (&["ls", "-R", "tus:/a"], "list"),
    (&["tree", "tus:"], "list"),
    (&["du", "tus:"], "list"),
    (&["find", "tus:"], "list"),
    (&["get", "tus:/a"], "download"),
    (&["cat", "tus:/a"], "download"),
    (&["mkdir", "tus:/a"], "folders"),
    (&["mv", "tus:/a", "tus:/b"], "move"),
    (&["cp", "tus:/a", "tus:/b"], "copies"),
    (&["cp", "tus:/a", "giga0:/b"], "download"),
    (&["link", "tus:/a"], "download URL"),
    (&["stat", "tus:/a"], "by its address"),
    (&["rm", "tus:/a"], "by its address"),
    (&["rm", "tus:/*"], "list"),
];

fn remote(url: &str, more: &[(&str, &str)]) -> Home {
    let keys = [("PROVIDER", "tus"), ("URL", url)].into_iter().chain(more.iter().copied());
    Home::new().env(keys.map(|(key, value)| (format!("HAUL_REMOTE_BOX_{key}"), value.to_owned())))
}

/// The last step of an upload's address is its name on the Node server's disk.
fn read_stored(server: &Server, uploaded: &Value) -> Vec<u8> {
    let id = uploaded["id"].as_str().unwrap();
    std::fs::read(server.stored_path(id.rsplit('/').next().unwrap())).unwrap()
}

fn metadata(seen: &RawRequest) -> Vec<(String, String)> {
    let pairs = seen.header("upload-metadata").unwrap_or_default().split(',').filter(|pair| !pair.is_empty());
    let decoded = |text: &str| String::from_utf8(BASE64_STANDARD.decode(text).unwrap()).unwrap();
    pairs
        .map(|pair| pair.split_once(' ').map_or((pair.to_owned(), String::new()), |(key, value)| (key.to_owned(), decoded(value))))
        .collect()
}

/// A server that takes everything; `post`: what it answers to the n-th creation.
async fn taking(options: &'static str, post: &'static [Option<&'static str>]) -> Raw {
    let (posts, length) = (std::sync::atomic::AtomicUsize::new(0), std::sync::atomic::AtomicU64::new(0));
    let held = std::sync::atomic::AtomicU64::new(0);
    use std::sync::atomic::Ordering::SeqCst;
    serve(move |_, seen| match seen.method.as_str() {
        "OPTIONS" => Some(options.to_owned()),
        "POST" => {
            let n = posts.fetch_add(1, SeqCst);
            length.store(seen.header("upload-length").and_then(|n| n.parse().ok()).unwrap_or(0), SeqCst);
            held.store(0, SeqCst);
            post.get(n).or(post.last()).and_then(|answer| answer.map(str::to_owned))
        }
        "PATCH" => Some(format!("204\nUpload-Offset: {}", held.fetch_add(seen.body.len() as u64, SeqCst) + seen.body.len() as u64)),
        _ => Some(format!("200\nUpload-Offset: {}\nUpload-Length: {}", held.load(SeqCst), length.load(SeqCst))),
    })
    .await
}

const OPTIONS: &str = "204\nTus-Version: 1.0.0\nTus-Extension: creation,creation-with-upload,termination";
const CREATED: &[Option<&str>] = &[Some("201\nLocation: up/1")];

#[test]
fn a_real_server_takes_files_of_every_size_and_tells_of_them() {
    for server in [web_servers::tus(24 * 3600 * 1000), web_servers::tuspy()].into_iter().flatten() {
        takes_files_of_every_size(&server);
    }
}

fn takes_files_of_every_size(server: &Server) {
    let home = remote(server.url.as_str(), &[]);
    let large = bytes((33 << 20) + 7, 5).0;
    for (name, content) in [("small.bin", bytes(5_000, 1).0), ("empty", Vec::new()), ("large.bin", large)] {
        home.file(name, &content);
        let ran = home.run(&["put", "--json", "--receipt", "receipt", name, "box:/in/day 1/"]).ends_with(0);
        let uploaded = ran.events("uploaded").remove(0);
        assert_eq!((uploaded["verified"].as_str(), uploaded["protocol"].as_str()), (Some("size"), Some("tus")), "{uploaded}");
        assert_eq!(uploaded["path"], format!("/in/day 1/{name}"));
        assert!(read_stored(server, &uploaded) == content, "{name}");
        let told = home.run(&["stat", "--json", &format!("box:@{}", uploaded["id"].as_str().unwrap())]).ends_with(0).json().remove(0);
        assert_eq!(
            (told["size"].as_u64(), told["kind"].as_str(), told["name"].as_str()),
            (Some(content.len() as u64), Some("file"), Some(name))
        );
        // tuspyserver tells of few keys.
        let path = &told["extra"]["metadata"]["path"];
        assert!(path.is_null() || *path == format!("/in/day 1/{name}"), "{told}");
    }
    assert_eq!(home.run(&["verify", "--json", "receipt"]).ends_with(0).events("verify").len(), 3);
    for pipe in [&["put", "--json", "-", "box:/piped"][..], &["put", "--json", "--size", "70000", "-", "box:/piped"]] {
        let content = bytes(70_000, 9).0;
        let uploaded = home.run_with_input(pipe, &content).ends_with(0).events("uploaded").remove(0);
        assert!(read_stored(server, &uploaded) == content);
    }
    // The same again: what this machine has put there is there.
    let again = home.run(&["put", "--json", "small.bin", "empty", "large.bin", "box:/in/day 1/"]).ends_with(0);
    assert_eq!(again.events("skipped").len(), 3, "{}", again.stdout);
    let receipt = std::fs::read_to_string(home.path().join("receipt")).unwrap();
    let first: Value = serde_json::from_str(receipt.lines().next().unwrap()).unwrap();
    let address = format!("box:@{}", first["id"].as_str().unwrap());
    home.run(&["rm", &address]).ends_with(0);
    home.run(&["stat", &address]).ends_with(3);
    home.run(&["rm", &address]).ends_with(3);
    let verified = home.run(&["verify", "--json", "receipt"]).ends_with(9).events("verify");
    assert_eq!(verified.iter().map(|line| line["status"].as_str().unwrap()).collect::<Vec<_>>(), ["missing", "same", "same"]);
    home.run(&["about", "box:"]).ends_with(0).prints("1.0.0").prints("termination");
    home.run(&["remote", "check", "box"]).ends_with(0).prints("TUS 1.0.0");
}

#[test]
fn a_killed_upload_goes_on_where_the_server_stands() {
    for server in [web_servers::tus(24 * 3600 * 1000), web_servers::tuspy()].into_iter().flatten() {
        goes_on_after_a_kill(&server);
    }
}

fn goes_on_after_a_kill(server: &Server) {
    let home = remote(server.url.as_str(), &[("CHUNK_SIZE", "1M")]);
    let content = bytes(12 << 20, 3).0;
    home.file("big.bin", &content);
    let slow = ["put", "--bwlimit", "4M", "big.bin", "box:/"];
    let mut child = home.command(&slow).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let largest = || {
        let files = std::fs::read_dir(server.stored_path("")).unwrap().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).max().unwrap_or(0)
    };
    let until = Instant::now() + Duration::from_secs(120);
    while largest() < 3 << 20 {
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "it was not caught under way");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let uploaded = home.run(&["put", "--json", "big.bin", "box:/"]).ends_with(0).events("uploaded").remove(0);
    assert!(uploaded["resumed_from"].as_u64().unwrap() >= 2 << 20, "{uploaded}");
    assert!(read_stored(server, &uploaded) == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_named_by_metadata_and_the_headers_go_along() {
    let raw = taking(OPTIONS, CREATED).await;
    let home = remote(
        raw.url.as_str(),
        &[
            ("TOKEN", "tok-en-of-box"),
            ("HEADERS", "apikey: key-of-a-site\nx-upsert: true\n"),
            ("METADATA", "bucketName=media,requiresignedurls"),
            ("NAME_KEY", "objectName"),
        ],
    );
    home.file("größe \"1\".bin", b"content");
    let ran = home.run(&["put", "-vv", "größe \"1\".bin", "box:/a/b/"]).ends_with(0);
    assert!(!ran.stderr.contains("tok-en-of-box") && !ran.stderr.contains("key-of-a-site"), "{}", ran.stderr);
    home.file("plain.txt", b"content");
    home.run(&["put", "plain.txt", "box:"]).ends_with(0);
    let seen = raw.requests();
    let of = |method: &str| seen.iter().filter(|seen| seen.method == method).cloned().collect::<Vec<_>>();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let usual = [pair("bucketName", "media"), pair("requiresignedurls", "")];
    let usual = |kind: &str| [&usual[..], &[pair("filetype", kind)]].concat();
    let named = [pair("path", "/a/b/größe \"1\".bin"), pair("objectName", "größe \"1\".bin")];
    assert_eq!(metadata(&of("POST")[0]), [&usual("application/octet-stream")[..], &named[..]].concat());
    assert_eq!(metadata(&of("POST")[1]), [&usual("text/plain")[..], &[pair("objectName", "plain.txt")]].concat());
    assert!(seen.iter().all(|seen| seen.header("authorization") == Some("Bearer tok-en-of-box")), "{seen:?}");
    assert!(seen.iter().all(|seen| seen.header("apikey") == Some("key-of-a-site") && seen.header("x-upsert") == Some("true")));
    assert!(of("POST").iter().all(|post| post.body.is_empty()), "the upload is created first: its address must be known");
}

/// An address that was pasted from elsewhere must not cost the token.
#[tokio::test(flavor = "multi_thread")]
async fn headers_go_to_no_other_host() {
    let (own, other) = (taking(OPTIONS, CREATED).await, taking(OPTIONS, CREATED).await);
    let home = remote(own.url.as_str(), &[("TOKEN", "tok-en-of-box"), ("HEADERS", "apikey: key-of-a-site")]);
    home.run(&["stat", &format!("box:@{}up/1", other.url)]).ends_with(0);
    home.run(&["rm", &format!("box:@{}up/1", other.url)]).ends_with(0);
    assert!(other.count("HEAD") >= 2 && other.count("DELETE") == 1, "{:?}", other.requests());
    assert!(other.requests().iter().all(|seen| seen.header("authorization").is_none() && seen.header("apikey").is_none()));
    home.run(&["stat", "box:@http://files.example.com/up/1"]).ends_with(2).says("plain http");
    home.run(&["stat", "box:@7"]).ends_with(2).says("https://");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tus_endpoint_is_told() {
    const PAGE: &str = "200\nContent-Type: text/html\n\n<html><title>Welcome</title></html>";
    for (options, post, status, words) in [
        ("405", Some("404"), 11, "check the url"),
        ("405", Some("405"), 11, "check the url"),
        ("501", Some("501"), 11, "check the url"),
        (PAGE, Some(PAGE), 11, "check the url"),
        (OPTIONS, Some("201"), 11, "check the url"),
        ("401", Some("401"), 4, "wants a sign-in"),
        ("204\nUpload-Draft-Interop-Version: 8", Some("201\nLocation: 1\nUpload-Draft-Interop-Version: 8"), 10, "Internet-Draft"),
        ("405", Some("400\n\nbad name"), 8, "bad name"),
    ] {
        let raw = taking(options, Box::leak(Box::new([post]))).await;
        let home = remote(raw.url.as_str(), &[]);
        home.file("a:b", b"content");
        home.run(&["put", "./a:b", "box:"]).ends_with(status).says(words);
        assert_eq!(raw.count("PATCH"), 0, "{options}");
    }
}

/// Nobody can look for a file there: what was created in vain is empty, and the bytes leave once.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_creation_sends_no_byte_twice() {
    let raw = taking(OPTIONS, &[None, None, Some("201\nLocation: up/1")]).await;
    let home = remote(raw.url.as_str(), &[]);
    home.file("a.bin", bytes(5_000, 1).0);
    home.run(&["put", "a.bin", "box:"]).ends_with(0);
    let sent: usize = raw.requests().iter().map(|seen| seen.body.len()).sum();
    assert_eq!((raw.count("POST"), raw.count("PATCH"), sent), (3, 1, 5_000));
}

/// Two answers are needed for each file, and a file must not wait for both of them on a long line.
#[tokio::test(flavor = "multi_thread")]
async fn the_uploads_of_the_next_small_files_are_created_while_others_are_sent() {
    let raw = serve(|n, seen| match seen.method.as_str() {
        "OPTIONS" => Some(OPTIONS.to_owned()),
        "POST" => Some(format!("201\nLocation: up/{n}")),
        _ => Some(format!("204\nUpload-Offset: {}", seen.body.len())),
    })
    .await;
    let home = remote(raw.url.as_str(), &[]);
    for n in 0..40 {
        home.file(&format!("src/f{n:02}"), format!("content of f{n:02}"));
    }
    home.run(&["put", "-j", "1", "src/", "box:/in/"]).ends_with(0);
    let seen = raw.requests();
    let all = |method: &str| (0..seen.len()).filter(|n| seen[*n].method == method).collect::<Vec<_>>();
    let (created, sent) = (all("POST"), all("PATCH"));
    assert_eq!((created.len(), sent.len()), (40, 40));
    assert!(created[16] < sent[15], "{created:?} {sent:?}");
    for n in sent {
        let creation: usize = seen[n].path.strip_prefix("/files/up/").unwrap().parse().unwrap();
        let name = metadata(&seen[creation]).into_iter().find(|(key, _)| key == "filename").unwrap().1;
        assert_eq!(seen[n].body, format!("content of {name}").into_bytes());
    }
}

#[test]
fn creations_that_fail_are_tried_again_and_nothing_is_created_twice() {
    for fault in ["500", "429=0", "503=0"] {
        let env = TestEnv::new();
        for n in 0..20 {
            env.home.file(&format!("src/f{n:02}"), format!("content {n}"));
        }
        env.script(&format!("tus/tus-create:{fault}"));
        env.home.run(&["put", "src/", "tus:/in/"]).ends_with(0);
        assert!(env.sandbox.faults().remaining().is_empty());
        // The one that failed is asked for again, and no other.
        assert_eq!((env.arrivals("tus").len(), env.request_count("tus", "tus-create")), (20, 21), "{fault}");
    }
}

#[test]
fn an_upload_that_was_created_in_vain_is_reported() {
    let env = TestEnv::new();
    for n in 0..12 {
        env.home.file(&format!("src/f{n:02}"), format!("content {n}"));
    }
    env.script("tus/tus-patch:413");
    env.home.run(&["put", "--fail-fast", "-j", "1", "src/", "tus:/in/"]).ends_with(8).says("empty entries stay on the server: tus:@http");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_have_exactly_the_size_that_the_remote_says() {
    let raw = taking(OPTIONS, CREATED).await;
    let home = remote(raw.url.as_str(), &[("CHUNK_SIZE", "100000")]);
    home.file("a.bin", bytes(250_000, 1).0);
    home.run(&["put", "--chunk-size", "1000", "a.bin", "box:"]).ends_with(0);
    let parts: Vec<usize> = raw.requests().iter().filter(|seen| seen.method == "PATCH").map(|seen| seen.body.len()).collect();
    assert_eq!(parts, [100_000, 100_000, 50_000]);
}

/// rustus answers 413 before it has read the body, never reads the rest, and so answers nothing more on that connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_an_unread_body_is_not_used_again() {
    let (listener, url) = raw_http::listen().await;
    let held = std::sync::Arc::new(std::sync::Mutex::new(0));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let held = held.clone();
            tokio::spawn(async move {
                while let Ok(request) = raw_http::read_head(&mut stream).await {
                    let length = request.header("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
                    let is_refused = length > 300_000;
                    if is_refused {
                        // Until then all of the body lies in the buffers of the connection.
                        tokio::time::sleep(Duration::from_millis(300)).await;
                    } else {
                        let mut rest = vec![0; length.saturating_sub(request.body.len())];
                        stream.read_exact(&mut rest).await.unwrap();
                    }
                    *held.lock().unwrap() += if is_refused { 0 } else { length };
                    let told = format!("Upload-Offset: {}\r\n", held.lock().unwrap());
                    let reply = match request.method.as_str() {
                        "OPTIONS" => "204 No Content\r\nTus-Version: 1.0.0\r\nTus-Extension: creation\r\n".to_owned(),
                        "POST" => "201 Created\r\nLocation: /files/a\r\nContent-Length: 0\r\n".to_owned(),
                        "PATCH" if is_refused => "413 Payload Too Large\r\nContent-Length: 0\r\n".to_owned(),
                        "HEAD" => format!("200 OK\r\n{told}Upload-Length: 600000\r\n"),
                        _ => format!("204 No Content\r\n{told}"),
                    };
                    let _ = stream.write_all(format!("HTTP/1.1 {reply}Tus-Resumable: 1.0.0\r\n\r\n").as_bytes()).await;
                    if is_refused {
                        std::future::pending::<()>().await;
                    }
                }
            });
        }
    });
    let home = remote(url.as_str(), &[]);
    home.file("a.bin", bytes(600_000, 1).0);
    home.run(&["put", "--timeout", "20s", "--retries", "1", "a.bin", "box:"]).ends_with(0);
}

#[test]
fn parts_that_are_too_large_become_smaller_unless_the_remote_says_their_size() {
    let env = TestEnv::new();
    env.script("tus:largest-body=300000");
    env.home.file("a.bin", bytes(1_000_003, 1).0);
    let exact = env.home.command(&["put", "a.bin", "tus:"]).env("HAUL_REMOTE_TUS_CHUNK_SIZE", "400000").output().unwrap();
    assert_eq!(exact.status.code(), Some(8), "{exact:?}");
    assert!(String::from_utf8(exact.stderr).unwrap().contains("chunk_size"));
    env.home.run(&["put", "a.bin", "tus:"]).ends_with(0);
    assert_eq!(env.arrivals("tus")["/a.bin"], bytes(1_000_003, 1));
}

#[test]
fn folders_and_pipes_reach_the_stand_in() {
    let env = TestEnv::new();
    let files = tree(&env.home);
    env.home.run(&["put", "src", "tus:/in/"]).ends_with(0);
    assert_eq!(env.arrivals("tus"), below("/in/src", &files));
    env.home.run_with_input(&["put", "-", "tus:/from a pipe"], &bytes(100_000, 4).0).ends_with(0);
    assert_eq!(env.arrivals("tus")["/from a pipe"], bytes(100_000, 4));
    env.home.run(&["about", "tus:"]).ends_with(0).prints("creation-defer-length");
    env.sandbox.of("tus").unwrap().limit_file_size(1_000);
    env.home.run(&["put", "src/z.bin", "tus:"]).ends_with(8).says("1000");
}

#[test]
fn what_such_a_server_can_not_do_is_refused_before_anything_is_sent() {
    let env = TestEnv::new();
    for (args, words) in REFUSED {
        env.home.run(args).ends_with(10).says(words);
    }
    assert_eq!(env.requests("tus"), 0, "{:?}", env.sandbox.request_kinds("tus"));
}

#[test]
fn what_befalls_an_upload_is_got_over() {
    for fault in ["tus-locked", "tus-patch:tus-conflict", "tus-checksum", "tus-patch:cut=50000", "tus-patch:answer-lost", "tus-no-options"]
    {
        let env = TestEnv::new();
        env.script(&if fault.contains(':') { format!("tus/{fault}") } else { format!("tus:{fault}") });
        let content = bytes(300_000, 8);
        env.home.file("a.bin", &content.0);
        let uploaded = env.json(&["put", "--chunk-size", "100000", "a.bin", "tus:"]).ends_with(0).events("uploaded").remove(0);
        assert_eq!(env.arrivals("tus")["/a.bin"], content, "{fault}");
        assert_eq!(env.sandbox.arrivals().len(), 1, "{fault}");
        assert_eq!(uploaded["verified"], "size", "{fault}");
    }
}

/// The upload expires while it is sent: all of the file is sent again, which the user is told without asking.
#[test]
fn an_upload_that_expires_within_a_run_is_started_again_and_said() {
    for fault in ["tus/tus-patch:tus-gone+1", "tus/tus-patch:cut=50000,tus/tus-head:tus-gone"] {
        let env = TestEnv::new();
        fault.split(',').for_each(|fault| env.script(fault));
        let content = bytes(300_000, 8);
        env.home.file("a.bin", &content.0);
        let ran = env.home.run(&["put", "--chunk-size", "100000", "a.bin", "tus:"]).ends_with(0).says("may have expired");
        assert_eq!(ran.stderr.matches("it is started again").count(), 1, "{fault}: {}", ran.stderr);
        assert_eq!(env.arrivals("tus")["/a.bin"], content, "{fault}");
        assert_eq!(env.sandbox.arrivals().len(), 1, "{fault}");
    }
}

#[test]
fn a_file_that_the_server_refuses_at_its_end_is_no_success() {
    let env = TestEnv::new();
    env.script("tus:tus-refuses-end*always");
    env.home.file("a.bin", bytes(300_000, 8).0);
    env.home.run(&["put", "a.bin", "tus:"]).ends_with(8).says("this file is not wanted here");
    assert!(env.sandbox.arrivals().is_empty());
}

#[test]
fn an_upload_that_was_killed_is_taken_up_listed_and_cleared() {
    let env = TestEnv::new();
    let content = bytes(SIZE, 6);
    env.home.file("a.bin", &content.0);
    kill_put(&env, &["a.bin", "tus:/in/"], "tus", 300_000);
    env.home.run(&["transfers", "list"]).ends_with(0).prints("tus:/in/a.bin");
    let uploaded = env.json(&["put", "a.bin", "tus:/in/"]).ends_with(0).events("uploaded").remove(0);
    assert!(uploaded["resumed_from"].as_u64().unwrap() > 0, "{uploaded}");
    assert_eq!(env.arrivals("tus")["/in/a.bin"], content);

    kill_put(&env, &["a.bin", "tus:/again/"], "tus", 300_000);
    env.home.run(&["transfers", "clear"]).ends_with(0);
    assert_eq!(env.request_count("tus", "tus-delete"), 1, "what nobody goes on with is removed there");

    kill_put(&env, &["a.bin", "tus:/expired/"], "tus", 300_000);
    env.script("tus/tus-head:tus-gone");
    let ran = env.home.run(&["put", "a.bin", "tus:/expired/"]).ends_with(0);
    assert!(ran.stderr.contains("may have expired"), "{}", ran.stderr);
    assert_eq!(env.arrivals("tus")["/expired/a.bin"], content);
}
