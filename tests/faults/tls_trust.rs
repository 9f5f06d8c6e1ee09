//! Where passwords and tokens are sent: to the origin of the remote, by https or on loopback, and nowhere else. They appear in
//! no output and in no file except the table of tokens.

use haul::sandbox::Canned;

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;
use crate::support::fixed_answers::{answers, refusal};
use crate::support::remotes::hosts;

#[test]
fn plain_http_goes_to_loopback_only_whatever_the_url_looks_like() {
    let home = Home::new();
    for url in [
        "http://localhost.evil.example",
        "http://127.0.0.1.nip.io",
        "http://127.0.0.1@evil.example/",
        "http://localhost:80@evil.example/",
        "http://0.0.0.0:9",
        "http://[::]:9",
        "http://10.0.0.1",
        "http://evil.example#@127.0.0.1/",
        "http://evil.example?@localhost/",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
    ] {
        for provider in hosts() {
            let key = |key: &str, value: &str| (format!("HAUL_REMOTE_R_{key}"), value.to_owned());
            let variables = [key("PROVIDER", provider), key("URL", url), key("USERNAME", "ann"), key("PASSWORD", "swordfish-1")];
            let ls = Ran::of(home.command(&["ls", "r:/"]).envs(variables).output().unwrap());
            assert_eq!(ls.status, 2, "{provider} {url}: {}", ls.stderr);
            assert!(!ls.stderr.contains("swordfish-1"), "{}", ls.stderr);
        }
    }
    for url in ["http://[::1]:9", "http://127.0.0.1:9", "http://localhost:9", "http://127.1:9"] {
        let key = |key: &str, value: &str| (format!("HAUL_REMOTE_R_{key}"), value.to_owned());
        let variables = [key("PROVIDER", "giga0"), key("URL", url), key("USERNAME", "ann"), key("PASSWORD", "swordfish-1")];
        let check = Ran::of(home.command(&["remote", "check", "r"]).envs(variables).output().unwrap());
        assert_eq!(check.status, 5, "{url} is nobody, but allowed: {}{}", check.stdout, check.stderr);
    }
}

/// 307 and 308 ask to send the very request again elsewhere, password and all.
#[test]
fn no_call_follows_a_redirect() {
    for provider in hosts() {
        for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
            let (other, seen) = answers(refusal("200 OK", ""));
            let (url, asked) = answers(refusal(status, &format!("location: {other}/take\r\n")));
            let key = |key: &str, value: &str| (format!("HAUL_REMOTE_R_{key}"), value.to_owned());
            let home =
                Home::new().env([key("PROVIDER", provider), key("URL", &url), key("USERNAME", "ann"), key("PASSWORD", "swordfish-1")]);
            home.file("f.txt", "x");
            for args in [&["ls", "r:/"][..], &["put", "f.txt", "r:/"], &["get", "r:/f.txt", "."]] {
                let ran = home.run(args);
                assert!(ran.status != 0 && ran.stderr.contains(&other), "{provider} {status}: the other origin is named: {}", ran.stderr);
            }
            assert_eq!(seen.lock().unwrap().len(), 0, "{provider} {status}");
            assert_eq!(asked.lock().unwrap().len(), 3, "{provider} {status}: and nothing is tried again");
        }
    }
}

fn shows_who_we_are(head: &str) -> bool {
    head.to_lowercase()
        .lines()
        .skip(1)
        .any(|line| ["authorization:", "authorisation:", "token:", "cookie:"].iter().any(|h| line.starts_with(h)))
}

/// The address of a download is the server's to choose, and another host as a rule: nothing of ours goes along.
#[test]
fn a_download_elsewhere_gets_no_token() {
    let env = TestEnv::new();
    env.sandbox.fill("giga0", "/d", ["f.txt".to_owned()].into_iter(), b"content").unwrap();
    let (last, at_last) = answers("HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\ncontent".to_owned());
    let (first, at_first) = answers(refusal("302 Found", &format!("location: {last}/f\r\n")));
    let body = serde_json::json!({ "data": { "download_url": format!("{first}/x?download_token=abcdef123456") }, "_status": "success" });
    env.sandbox.faults().answer(Canned::new("giga0", "file/download", 200, body.to_string()));
    let get = env.home.run(&["get", "-vv", "giga0:/d/f.txt", "."]).ends_with(0);
    assert!(!get.stderr.contains("abcdef123456"), "{}", get.stderr);
    let heads: Vec<String> = [at_first, at_last].iter().flat_map(|seen| seen.lock().unwrap().clone()).collect();
    assert_eq!(heads.len(), 2);
    assert!(!heads.iter().any(|head| shows_who_we_are(head)), "{heads:?}");
}

/// Auth Info names the server of the uploads, and that one the upload's address.
#[test]
fn an_upload_elsewhere_gets_no_token_and_leads_no_further() {
    let env = TestEnv::new();
    env.home.file("f.txt", "content");
    let (third, at_third) = answers(refusal("204 No Content", ""));
    let (upload, at_upload) = answers(refusal("201 Created", &format!("tus-resumable: 1.0.0\r\nlocation: {third}/1\r\n")));
    let body = serde_json::json!({ "available": ["tus"], "tus": { "server": format!("{upload}/files/t0ken123456") } });
    env.sandbox.faults().answer(Canned::new("iogates", "auth-info", 200, body.to_string()).times(9));
    let put = env.home.run(&["put", "-vv", "--retries", "1", "f.txt", "iogates:/f.txt"]);
    assert_eq!(put.status, 11, "{}", put.stderr);
    assert!(!put.stderr.contains("t0ken123456"), "{}", put.stderr);
    let heads = at_upload.lock().unwrap().clone();
    assert!(!heads.is_empty() && !heads.iter().any(|head| shows_who_we_are(head)), "{heads:?}");
    assert_eq!(at_third.lock().unwrap().len(), 0, "from one plain http address to another");
}

/// The secrets that the state keeps of a provider, and all that it remembers besides, as text.
fn saved_secrets(env: &TestEnv, provider: &str) -> (Vec<String>, String) {
    let state = env.sandbox.env().into_iter().find(|(key, _)| key == "XDG_STATE_HOME").unwrap().1;
    let db = rusqlite::Connection::open(std::path::Path::new(&state).join("haul/state.db")).unwrap();
    let mut secrets = Vec::new();
    let mut tokens = db.prepare("SELECT token, fields FROM tokens WHERE account LIKE ?1 || '|%'").unwrap();
    for row in tokens.query_map([provider], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap() {
        let (token, fields) = row.unwrap();
        let fields: Vec<(String, String)> = serde_json::from_str(&fields).unwrap();
        secrets.push(token);
        secrets.extend(fields.into_iter().filter(|(name, _)| name == "fileaccesskey").map(|(_, value)| value));
    }
    let mut rest = String::new();
    let mut finished = db.prepare("SELECT remote || id || stamp || source FROM finished").unwrap();
    finished.query_map([], |row| row.get::<_, String>(0)).unwrap().for_each(|row| rest.push_str(&row.unwrap()));
    (secrets, rest)
}

/// A server may repeat what it was sent; `-vv`, JSON, receipts and the ledger must not.
#[test]
fn no_secret_is_in_any_output() {
    let env = TestEnv::new();
    env.home.file("d/f.txt", "content");
    let passwords: Vec<String> = env.sandbox.env().into_iter().filter(|(key, _)| key.ends_with("_PASSWORD")).map(|(_, v)| v).collect();
    let (mut said, mut all) = (String::new(), Vec::new());
    for (provider, call) in [("giga0", "folder/listing"), ("fileago", "dirlist"), ("iogates", "files")] {
        let at = |path: &str| format!("{provider}:{path}");
        let run = |args: &[&str]| {
            let ran = env.home.run(&[&["-vv", "--json"], args].concat());
            format!("{args:?}\n{}{}", ran.stdout, ran.stderr)
        };
        for args in [
            &["put", "--receipt", "receipt", "--failed-to", "failed", "d/", &at("/in/")][..],
            &["get", "--receipt", "receipt", &at("/in/f.txt"), "back"],
            &["ls", "-l", &at("/in")],
            &["stat", &at("/in/f.txt")],
            &["about", &at("")],
            &["login", provider],
            &["remote", "check", provider],
            &["remote", "show", provider],
            &["transfers", "list"],
            &["verify", "receipt"],
        ] {
            said += &run(args);
        }
        let (tokens, ledger) = saved_secrets(&env, provider);
        assert!(!tokens.is_empty(), "{provider}");
        said += &ledger;
        let echo = format!("you sent {} {}", passwords.join(" "), tokens.join(" "));
        for (status, body) in [(400, echo.clone()), (200, format!("<html><body>{echo}")), (500, echo)] {
            env.sandbox.faults().clear();
            env.sandbox.faults().answer(Canned::new(provider, call, status, body).times(99));
            said += &run(&["put", "--retries", "1", "--failed-to", "failed", "d/", &at("/new/")]);
        }
        env.sandbox.faults().clear();
        all.extend(tokens);
    }
    assert!(said.contains("you sent ***"), "{said}");
    for file in ["receipt", "failed"] {
        said += &std::fs::read_to_string(env.home.file("x", "").with_file_name(file)).unwrap();
    }
    for secret in passwords.iter().chain(&all) {
        let at = said.find(secret.as_str());
        assert!(at.is_none(), "{secret} is in: {}", &said[at.unwrap().saturating_sub(300)..at.unwrap() + 100]);
    }
}
