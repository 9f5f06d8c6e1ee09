//! Servers that are down, busy, unknown or not trusted: what is retried, what is not, and the messages.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;
use crate::support::fixed_answers::{TlsServer, answers, refusal, remote, self_signed_server, tls_server};
use crate::support::raw_http::refusing_port;
use crate::support::remotes::hosts;

fn waits(ran: &Ran) -> usize {
    ran.stderr.lines().filter(|line| line.contains("waiting ")).count()
}

/// The server goes down in the middle of a batch: a few files find that out, the others do not pay for it.
#[test]
fn a_server_that_goes_down_is_given_up_after_a_few_files() {
    for provider in hosts() {
        let env = TestEnv::new();
        for n in 0..60 {
            env.home.file(&format!("d/{n:02}"), format!("file {n}"));
        }
        // By FTPS files would still get to ioGates.
        let (upload, protocol) = match provider {
            "giga0" => ("file/upload", "auto"),
            "fileago" => ("upload", "auto"),
            _ => ("tus-patch", "tus"),
        };
        env.sandbox.faults().script(&format!("{provider}/{upload}:slow=50*always")).unwrap();
        let target = format!("{provider}:/in/");
        let args = ["put", "--json", "-j", "1", "--retries", "2", "--protocol", protocol, "--failed-to", "failed", "d/", &target];
        let child = env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while env.sandbox.arrivals().len() < 3 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{provider}: nothing arrives");
            std::thread::sleep(Duration::from_millis(5));
        }
        env.sandbox.take_down(provider);
        let put = Ran::of(child.wait_with_output().unwrap()).ends_with(9);
        let (uploaded, failed) = (put.events("uploaded"), put.events("failed"));
        assert_eq!(uploaded.len() + failed.len(), 60, "{provider}: each file has an end");
        let untried = failed.iter().filter(|f| f["error"]["message"].as_str().unwrap().contains("not tried")).count();
        assert!(failed.len() - untried <= 6, "{provider}: {} were tried in vain", failed.len() - untried);
        // The first may be unknown: its answer was lost, and nobody answered the check.
        assert!(failed.iter().filter(|f| f["error"]["kind"] == "network").count() >= untried + 2, "{provider}: {failed:?}");
        let said = format!("haul: {untried} files not tried, because the server can't be reached\n");
        assert!(put.stderr.ends_with(&said) && put.stderr.lines().count() <= 8, "{provider}: {}", put.stderr);
        let named = std::fs::read_to_string(env.home.file("x", "").with_file_name("failed")).unwrap();
        assert_eq!(named.lines().count(), failed.len(), "{provider}: --failed-to names them all");
    }
}

/// Twelve times the server has too much to do: haul sends fewer files at once, says so with -v, and brings all.
#[test]
fn a_busy_server_is_sent_fewer_files_at_once() {
    let env = TestEnv::new();
    for n in 0..60 {
        env.home.file(&format!("d/{n:02}"), format!("file {n}"));
    }
    env.sandbox.faults().script("giga0/file/upload:503=0*12").unwrap();
    let put = env.home.run(&["put", "-v", "--json", "-j", "16", "--retries", "9", "d/", "giga0:/in/"]).ends_with(0);
    assert_eq!(put.events("uploaded").len(), 60);
    put.says("note: 8 files at once, 16 at most").says("note: 4 files at once instead of 8, as the server takes no more");
    assert_eq!(env.sandbox.arrivals().len(), 60);
}

/// The account answers, but no upload ever succeeds: by a reset, 503 or 500, it is the same.
#[test]
fn a_server_that_keeps_failing_is_given_up_after_three_files() {
    for (provider, fault, protocol) in [
        ("giga0", "file/upload:cut", "multipart"),
        ("fileago", "upload:500", "multipart"),
        ("iogates", "tus-patch:503=0", "tus"),
        ("iogates", "plupload:cut=100", "plupload"),
    ] {
        let env = TestEnv::new();
        for n in 0..30 {
            env.home.file(&format!("d/{n:02}"), format!("file {n}"));
        }
        env.sandbox.faults().script(&format!("{provider}/{fault}*always")).unwrap();
        let target = format!("{provider}:/in/");
        let put = env.home.run(&["put", "--json", "-j", "1", "--retries", "2", "--protocol", protocol, "d/", &target]).ends_with(5);
        let failed = put.events("failed");
        let untried = failed.iter().filter(|f| f["error"]["message"].as_str().unwrap().contains("not tried")).count();
        assert_eq!((failed.len(), untried), (30, 27), "{provider} {protocol}: {}", put.stdout);
        let said = "haul: 27 files not tried, because the server failed for three files in a row\n";
        assert!(put.stderr.ends_with(said), "{provider} {protocol}: {}", put.stderr);
    }
}

/// Every connection is reset unread: the upload, and the question whether it has arrived. The result of these files is unknown,
/// and the server is given up all the same.
#[test]
fn a_server_that_answers_nothing_any_more_is_given_up() {
    for (provider, skip) in [("giga0", 12), ("fileago", 12)] {
        let env = TestEnv::new();
        for n in 0..100 {
            env.home.file(&format!("d/{n:02}"), format!("file {n}"));
        }
        env.sandbox.faults().script(&format!("{provider}:gone+{skip}")).unwrap();
        let target = format!("{provider}:/in/");
        let put = env.home.run(&["put", "--json", "-j", "4", "--retries", "2", "d/", &target]);
        let failed = put.events("failed");
        let untried = failed.iter().filter(|f| f["error"]["message"].as_str().unwrap().contains("not tried")).count();
        assert_eq!(put.events("uploaded").len() + failed.len(), 100, "{provider}: {}", put.stderr);
        assert!(untried >= 80, "{provider}: {untried} of {} not tried: {}", failed.len(), put.stderr);
        assert!(put.stderr.contains(&format!("haul: {untried} files not tried, because the server ")), "{provider}: {}", put.stderr);
    }
}

#[test]
fn a_download_from_a_server_that_goes_down() {
    let env = TestEnv::new();
    env.sandbox.fill("giga0", "/d", (0..60).map(|n| format!("{n:02}")), b"content").unwrap();
    env.sandbox.faults().script("giga0/file/download:slow=50*always").unwrap();
    let args = ["get", "--json", "-j", "1", "--retries", "2", "giga0:/d", "."];
    let mut child = env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first: Vec<String> = lines.by_ref().take(3).collect();
    env.sandbox.take_down("giga0");
    let rest: Vec<String> = lines.collect();
    let get = Ran::of(child.wait_with_output().unwrap()).ends_with(9);
    let failed = first.iter().chain(&rest).filter(|line| line.contains("\"event\":\"failed\"")).count();
    let done = first.iter().chain(&rest).filter(|line| line.contains("\"event\":\"downloaded\"")).count();
    assert_eq!(done + failed, 60);
    assert!(get.stderr.ends_with("files not tried, because the server can't be reached\n"), "{}", get.stderr);
    assert!(get.stderr.lines().count() <= 8, "{}", get.stderr);
}

#[test]
fn a_host_that_is_not_there_and_a_port_that_is_closed() {
    let (_held, closed) = refusing_port();
    for (url, host) in [("https://haul.invalid".to_owned(), "haul.invalid"), (format!("http://{closed}"), "127.0.0.1")] {
        let home = Home::new().env(remote(&url));
        home.file("f.txt", "x");
        let put = home.run(&["put", "-v", "--json", "--retries", "3", "f.txt", "r:/"]).ends_with(5);
        let failed = &put.events("failed")[0]["error"];
        assert_eq!((&failed["kind"], &failed["retryable"]), (&"network".into(), &true.into()));
        assert!(failed["message"].as_str().unwrap().starts_with(&format!("r ({host}")), "{failed}");
        assert!(failed["message"].as_str().unwrap().contains("the server can't be reached"), "{failed}");
        assert_eq!(waits(&put), 2, "{}", put.stderr);
    }
}

#[test]
fn a_wait_of_zero_or_of_a_date_that_is_over_is_none() {
    for asked in ["0", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        let (url, seen) = answers(refusal("503 Busy", &format!("retry-after: {asked}\r\n")));
        let home = Home::new().env(remote(&url));
        let ls = home.run(&["ls", "r:/"]).ends_with(5).says("the server is busy and asks to wait");
        assert_eq!((waits(&ls), seen.lock().unwrap().len()), (0, 5), "{asked}: no wait worth a line, five tries");
    }
}

/// What `--retries` says holds for each call that a command makes, wherever the command has it from.
#[test]
fn every_command_tries_as_often_as_it_is_reported() {
    for args in
        [&["ls", "r:/"][..], &["stat", "r:/x"], &["rm", "r:/x"], &["about", "r:"], &["login", "r"], &["cat", "r:/x"], &["mkdir", "r:/x"]]
    {
        let (url, seen) = answers(refusal("503 Busy", "retry-after: 0\r\n"));
        let home = Home::new().env(remote(&url));
        home.run(&[args, &["--retries", "2"]].concat()).ends_with(5);
        let typed = seen.lock().unwrap().len();
        let home = home.env([("HAUL_RETRIES".to_owned(), "1".to_owned())]);
        home.run(args).ends_with(5);
        assert_eq!((typed, seen.lock().unwrap().len()), (2, 3), "{args:?}");
    }
}

/// A clock that is years away from ours: what counts is how far the two dates are from each other.
#[test]
fn a_date_to_wait_for_is_read_by_the_servers_own_clock() {
    let dates = "date: Wed, 21 Oct 2015 07:27:58 GMT\r\nretry-after: Wed, 21 Oct 2015 07:28:10 GMT\r\n";
    let (url, _) = answers(refusal("503 Busy", dates));
    let home = Home::new().env(remote(&url));
    let mut child = home.command(&["ls", "r:/"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("waiting 12s") && line.contains("; goes on at "), "{line}");
}

/// A year: so long nobody waits without being told. An hour is waited for, and what was asked for is said.
#[test]
fn a_wait_of_a_year_is_bounded_and_said() {
    for args in [&["ls", "r:/"][..], &["put", "f.txt", "r:/"]] {
        for asked in ["31536000", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let (url, _) = answers(refusal("429 Too Many", &format!("retry-after: {asked}\r\n")));
            let home = Home::new().env(remote(&url));
            home.file("f.txt", "x");
            let mut child = home.command(args).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            let hour = line.contains("waiting 3600s") || line.contains("waiting 60m") || line.contains("waiting 1h");
            assert!(hour && line.contains("it asks for ") && (line.contains("month") || line.contains("year")), "{args:?} {asked}: {line}");
        }
    }
}

#[test]
fn a_no_is_asked_for_once() {
    for status in ["400 Bad", "402 Pay", "403 Forbidden", "404 No", "405 No", "410 Gone", "413 Large", "422 No", "451 Law"] {
        let (url, seen) = answers(refusal(status, "retry-after: 0\r\n"));
        let home = Home::new().env(remote(&url));
        home.file("f.txt", "x");
        let put = home.run(&["put", "f.txt", "r:/"]);
        assert!(!matches!(put.status, 0 | 5), "{status}: {} {}", put.status, put.stderr);
        assert_eq!(seen.lock().unwrap().len(), 1, "{status}: {}", put.stderr);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_reported_with_its_cure_and_never_tried_again() {
    let cases = [
        (tls_server(&["127.0.0.1"], false, String::new()), false, "is not trusted", "as `ca_file` of the remote, or by SSL_CERT_FILE"),
        (tls_server(&["files.example"], false, String::new()), true, "is for another name", "check the host in the remote's url"),
        (tls_server(&["127.0.0.1"], true, String::new()), true, "is out of date", "check this machine's clock"),
    ];
    for (server, with_ca, why, hint) in cases {
        let ca = ("HAUL_REMOTE_R_CA_FILE".to_owned(), server.folder.path().join("ca.pem").to_string_lossy().into_owned());
        let home = Home::new().env(remote(&server.url)).env(with_ca.then_some(ca));
        home.file("f.txt", "x");
        let put = home.run(&["put", "-v", "--json", "f.txt", "r:/"]).ends_with(5).says(why).says(hint);
        assert_eq!(put.events("failed")[0]["error"]["retryable"], false);
        assert_eq!((waits(&put), server.requests.lock().unwrap().iter().filter(|r| !r.is_empty()).count()), (0, 0), "{}", put.stderr);
    }
}

/// `ca_file` adds to what the system trusts, and takes nothing away (`SSL_CERT_FILE` names the system's here).
#[test]
fn a_ca_file_stands_beside_the_systems_roots() {
    let (own, systems) =
        (tls_server(&["127.0.0.1"], false, refusal("418 Tea", "")), tls_server(&["127.0.0.1"], false, refusal("418 Tea", "")));
    let pem = |server: &TlsServer| server.folder.path().join("ca.pem").to_string_lossy().into_owned();
    for server in [&own, &systems] {
        let home = Home::new().env(remote(&server.url));
        let mut command = home.command(&["ls", "r:/"]);
        command.env("HAUL_REMOTE_R_CA_FILE", pem(&own)).env("SSL_CERT_FILE", pem(&systems));
        let ls = Ran::of(command.output().unwrap());
        assert!(!ls.stderr.contains("certificate"), "{}", ls.stderr);
        assert_eq!(server.requests.lock().unwrap().len(), 1, "it was spoken to: {}", ls.stderr);
    }
}

/// Most servers of people's own have a certificate that `openssl req -x509` has made: it says that it is an authority, and often
/// names nothing.
#[test]
fn a_self_signed_certificate_is_trusted_when_it_is_named() {
    for (names, is_authority, by_file, by_system) in
        [(&["127.0.0.1"][..], true, true, true), (&[], true, true, true), (&["127.0.0.1"], false, true, true), (&[], false, true, false)]
    {
        let server = self_signed_server(names, is_authority, refusal("418 Tea", ""));
        let other = self_signed_server(names, is_authority, refusal("418 Tea", ""));
        let home = Home::new().env(remote(&server.url));
        for (variable, named, is_trusted) in [
            ("HAUL_REMOTE_R_CA_FILE", &server, by_file),
            ("SSL_CERT_FILE", &server, by_system),
            ("HAUL_REMOTE_R_CA_FILE", &other, false),
            ("SSL_CERT_FILE", &other, false),
        ] {
            let file = named.folder.path().join("ca.pem");
            let ls = Ran::of(home.command(&["ls", "r:/"]).env(variable, file).output().unwrap());
            assert_eq!(!ls.stderr.contains("certificate"), is_trusted, "{names:?} {is_authority} {variable}: {}", ls.stderr);
        }
    }
}
