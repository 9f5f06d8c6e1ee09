//! Listings that no correct server sends: rows that can't be read, and answers that decompress to a huge size.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;
use crate::support::remotes::{hosts, hosts_that_change};

/// A server of all three providers' listings, and nothing else: every call is answered with what fits it.
struct Lister {
    url: String,
}

impl Lister {
    /// `rows`: of one provider, as they stand in its list.
    fn new(rows: impl Fn(&str) -> String + Send + Sync + 'static) -> Lister {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let rows = std::sync::Arc::new(rows);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let rows = rows.clone();
                std::thread::spawn(move || serve(stream, rows.as_ref()));
            }
        });
        Lister { url }
    }

    /// A home with the remotes `iogates`, `giga0` and `fileago`.
    fn home(&self) -> Home {
        let set = |remote: &str, key: &str, value: &str| (format!("HAUL_REMOTE_{remote}_{key}"), value.to_owned());
        let mut variables = Vec::new();
        for (remote, provider) in [("IOGATES", "iogates"), ("GIGA0", "giga0"), ("FILEAGO", "fileago")] {
            variables.extend([set(remote, "PROVIDER", provider), set(remote, "URL", &self.url)]);
        }
        variables.push(set("IOGATES", "TOKEN", "33c666119"));
        for remote in ["GIGA0", "FILEAGO"] {
            variables.extend([set(remote, "USERNAME", "ann"), set(remote, "PASSWORD", "correct horse")]);
        }
        Home::new().env(variables)
    }
}

fn serve(mut stream: TcpStream, rows: &dyn Fn(&str) -> String) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let _ = stream.read_exact(&mut vec![0; length]);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let body = match path {
        "/api/v2/authorize" => r#"{"_status":"success","data":{"access_token":"t","account_id":"1"}}"#.to_owned(),
        "/api/v2/folder/listing" => format!(r#"{{"_status":"success","data":{{"folders":[],"files":[{}]}}}}"#, rows("giga0")),
        "/api/v2/account/info" => r#"{"_status":"success","data":{"username":"ann","status":"active"}}"#.to_owned(),
        "/api/v2/account/package" => r#"{"_status":"success","data":{"can_upload":"1"}}"#.to_owned(),
        "/api/nodes/home" => r#"{"status":"success","data":{"uuid":"home","name":"Home","type":"Dir"}}"#.to_owned(),
        "/auth" => r#"{"status":"success","token":"a.b.c","fileaccesskey":"k"}"#.to_owned(),
        "/api/nodes/home/dirlist" => format!(r#"{{"status":"success","data":[{}]}}"#, rows("fileago")),
        "/api/files" => format!(r#"{{"files":[{}],"map":[]}}"#, rows("iogates")),
        _ => r#"{"status":"error","_status":"error","msg":"not found","response":"Could not find it"}"#.to_owned(),
    };
    let zipped = body.len() > 1 << 20;
    let body = if zipped { gzip(body.as_bytes()) } else { body.into_bytes() };
    let encoding = if zipped { "content-encoding: gzip\r\n" } else { "" };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{encoding}connection: close\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

fn row(provider: &str, id: &str, name: &str) -> String {
    match provider {
        "giga0" => format!(
            r#"{{"id":{id},"filename":{name},"fileSize":"1116","shortUrl":"2Vv","fileType":"image/gif","downloads":"3","status":"active","folderId":"7","url_file":"https://giga0.example/2Vv/a.gif"}}"#
        ),
        "fileago" => format!(
            r#"{{"uuid":{id},"name":{name},"type":"File","size":1116,"updated":1538224353000,"is_starred":false,"public_shares":0,"private_shares":0,"comment_count":0,"revision":1}}"#
        ),
        _ => format!(
            r#"{{"id":{id},"name":{name},"type":"video/mp4","attributes":[],"parent":null,"created":"2020-07-07T10:14:21+0200","description":null,"editable":true,"href":"https://iogates.example/api/file/1","size":null,"transfer_name":{name},"download":"https://iogates.example/download-file/1/0/0/1/0/351-YC20zxKNb7a5PoxtRjazw7A23TpfZ0Kd","md5":"2d53a2f20ffc76c89848b6a47c97d5d8","Etag":1}}"#
        ),
    }
}

#[test]
fn a_row_that_cannot_be_read_costs_a_warning_and_nobody_else() {
    let lister = Lister::new(|provider| {
        let row = |id, name| row(provider, id, name);
        let (good, other) = (row("1", "\"good.txt\""), row("2", "\"other.txt\""));
        [good, row("3", "\"\\ud800.txt\""), row("4", "null"), row("null", "\"no id.txt\""), "null".into(), other].join(",")
    });
    let home = lister.home();
    for remote in hosts() {
        let listed = home.run(&["ls", &format!("{remote}:")]).ends_with(0);
        assert_eq!(listed.stdout, "good.txt\nother.txt\n", "{remote}");
        let warning = listed.stderr.lines().filter(|line| line.contains("can't be read")).collect::<Vec<_>>();
        assert!(matches!(warning[..], [one] if one.contains("4 entries") && one.contains("no id.txt")), "{remote}: {}", listed.stderr);
        home.run(&["ls", &format!("{remote}:/good.txt")]).ends_with(0).prints("good.txt");
        home.run(&["ls", &format!("{remote}:/none.txt")]).ends_with(3);
        home.run(&["ls", &format!("{remote}:/no id.txt")]).ends_with(11).says("no id.txt");
        home.file("no id.txt", "x");
        home.run(&["put", "no id.txt", &format!("{remote}:/")]).ends_with(11).says("no id.txt");
        let planned = home.run(&["put", "-n", "--json", "no id.txt", &format!("{remote}:/good.txt")]).ends_with(0);
        assert_eq!(planned.events("planned").len(), 1, "{remote}");
    }
}

/// Whoever takes all that a folder holds can't say that all is done; what can be read is, and nothing is lost.
#[test]
fn a_folder_with_a_row_that_cannot_be_read_is_not_taken_as_a_whole() {
    for (from, to) in [("giga0", "fileago"), ("fileago", "giga0")] {
        let env = TestEnv::new();
        let fill = |path: &str| env.sandbox.fill(from, path, ["a.txt".to_owned()].into_iter(), b"a").unwrap();
        let names = |remote: &str, path: &str| {
            let entries = env.sandbox.entries(remote, path).into_iter();
            entries.map(|(name, _)| name).collect::<Vec<_>>()
        };
        ["/d", "/e", "/f", "/here"].iter().for_each(|path| fill(path));
        env.sandbox.faults().script(&format!("{from}:row-unreadable")).unwrap();
        let told = |ran: &Ran, path: &str| {
            let failed = ran.events("failed");
            let [one] = &failed[..] else { panic!("{from}: {failed:?}") };
            let message = one["error"]["message"].as_str().unwrap();
            assert!(one["error"]["kind"] == "protocol" && message.contains(path) && message.contains("no id.txt"), "{one}");
            let lines = ran.stderr.lines().filter(|line| line.contains("can't be read") && !line.contains("warning: "));
            assert_eq!(lines.count(), 1, "{}", ran.stderr);
        };

        let got = env.home.run(&["get", "--json", &format!("{from}:/d"), "."]).ends_with(9);
        told(&got, "/d");
        assert_eq!((got.events("downloaded").len(), std::fs::read(env.path("d/a.txt")).unwrap()), (1, b"a".to_vec()));

        let copied = env.home.run(&["cp", "--json", &format!("{from}:/e"), &format!("{to}:/")]).ends_with(9);
        told(&copied, "/e");
        assert_eq!(names(to, "/e"), ["a.txt"]);

        // The row may be a file: the folder stays.
        let moved = env.home.run(&["mv", "--json", &format!("{from}:/f"), &format!("{to}:/")]).ends_with(9);
        told(&moved, "/f");
        assert_eq!((names(to, "/f"), moved.events("moved").len()), (vec!["a.txt".to_owned()], 1));
        env.home.run(&["ls", &format!("{from}:/f")]).ends_with(0).prints("");

        // On the server nothing lands on what can't be read, whatever is asked for.
        env.sandbox.fill(from, "/x", ["no id.txt".to_owned()].into_iter(), b"x").unwrap();
        for verb in ["cp", "mv"] {
            for policy in ["update", "replace", "skip", "fail"] {
                let source = format!("{from}:/x/no id.txt");
                for target in ["/here/", "/here/no id.txt"] {
                    let ran = env.home.run(&[verb, "--if-exists", policy, &source, &format!("{from}:{target}")]);
                    ran.ends_with(11).says("/here/no id.txt");
                }
            }
        }
        assert_eq!(names(from, "/here"), ["a.txt"]);
        env.home.run(&["cp", "--if-exists", "rename", &format!("{from}:/x/no id.txt"), &format!("{from}:/here/")]).ends_with(0);
        assert_eq!(names(from, "/here"), ["a.txt", "no id (2).txt"]);

        // giga0 copies folders piece by piece, and knows then that one is missing; FileAgo does it by itself.
        let copied = env.home.run(&["cp", "--json", &format!("{from}:/d"), &format!("{from}:/here/")]);
        match from {
            "giga0" => told(&copied.ends_with(9), "/d"),
            _ => drop(copied.ends_with(0)),
        }
        env.home.run(&["rm", "-r", "--json", "--yes", &format!("{from}:/here")]).ends_with(0);
        let emptied = env.home.run(&["rm", "-r", "--json", "--yes", &format!("{from}:")]).ends_with(9);
        assert!(emptied.events("deleted").len() > 1);
        told(&emptied, "");
    }
}

/// Runs it, and returns the most memory that it took, in kilobytes.
#[cfg(target_os = "linux")]
fn run_and_measure(home: &Home, args: &[&str]) -> (Ran, u64) {
    let child = home.command(args).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let ending = std::thread::spawn(move || Ran::of(child.wait_with_output().unwrap()));
    let mut most = 0;
    while !ending.is_finished() {
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(most > 0);
    (ending.join().unwrap(), most)
}

/// Kilobytes that a process may take which lists nothing, with its debug build's own pages: what one takes, and some more.
#[cfg(target_os = "linux")]
fn base() -> u64 {
    let (ran, peak) = run_and_measure(&Lister::new(|_| String::new()).home(), &["ls", "giga0:"]);
    ran.ends_with(0);
    peak + 30_000
}

#[cfg(target_os = "linux")]
#[test]
fn a_small_answer_that_unpacks_to_much_ends_in_a_clear_error() {
    let base = base();
    for (text, times, words) in [("{},", 1_100_000, "no end (over 1000000 entries)"), ("[", 40 << 20, "haul:")] {
        let lister = Lister::new(move |_| text.repeat(times));
        let home = lister.home();
        for remote in hosts() {
            let (ran, peak) = run_and_measure(&home, &["ls", &format!("{remote}:")]);
            ran.ends_with(11).says(words);
            assert!(peak < base, "{remote}: {peak} kB for {text}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_long_listing_takes_little_memory() {
    const ROWS: usize = 100_000;
    let base = base();
    let lister = Lister::new(|provider| {
        (1..=ROWS).fold(String::new(), |mut rows, n| {
            let comma = if n == 1 { "" } else { "," };
            let _ = write!(rows, "{comma}{}", row(provider, &n.to_string(), &format!("\"20200707_clip_{n:06}.mp4\"")));
            rows
        })
    });
    let home = lister.home();
    for remote in hosts() {
        let (listed, peak) = run_and_measure(&home, &["ls", &format!("{remote}:")]);
        let listed = listed.ends_with(0);
        assert_eq!(listed.stdout.lines().count(), ROWS, "{remote}");
        assert_eq!(listed.stdout.lines().nth(4711), Some("20200707_clip_004712.mp4"), "{remote}");
        assert!(peak < base + ROWS as u64 * 3 / 10, "{remote}: {peak} kB");
    }
}

#[test]
fn what_lies_in_a_trash_is_missing() {
    for remote in hosts_that_change() {
        let env = TestEnv::new();
        env.home.file("a.txt", "one");
        env.home.file("d/b.txt", "two");
        env.home.run(&["put", "--receipt", "r.jsonl", "a.txt", "d", &format!("{remote}:/r/")]).ends_with(0);
        let id = env.home.run(&["stat", "--json", &format!("{remote}:/r/d")]).events("entry")[0]["id"].as_str().unwrap().to_owned();
        env.home.file("c.txt", "three");
        env.home.run(&["put", "--receipt", "below.jsonl", "c.txt", &format!("{remote}:@{id}/")]).ends_with(0);
        env.home.run(&["verify", "r.jsonl"]).ends_with(0);
        env.home.run(&["rm", "-r", "--yes", &format!("{remote}:/r/a.txt"), &format!("{remote}:/r/d")]).ends_with(0);
        for (receipt, files) in [("r.jsonl", 2), ("below.jsonl", 1)] {
            let there = env.home.run(&["verify", "--json", receipt]).ends_with(3).events("verify");
            assert!(there.len() == files && there.iter().all(|v| v["status"] == "missing"), "{remote}: {there:?}");
        }
    }
}

/// Each `put` of a changed file adds an entry at ioGates, and an upload that was given up leaves one without bytes.
#[test]
fn a_path_means_the_newest_filled_file_where_none_can_be_removed() {
    let env = TestEnv::new();
    for content in ["one", "two!", "three"] {
        env.home.file("a.txt", content);
        env.home.run(&["put", "a.txt", "iogates:/v/"]).ends_with(0);
    }
    // The entry is made, and no byte follows.
    env.sandbox.faults().script("iogates/tus-create:500*always").unwrap();
    env.home.file("a.txt", "four?");
    env.home.run(&["put", "--protocol", "tus", "--retries", "1", "a.txt", "iogates:/v/"]).ends_with(5);
    env.sandbox.faults().clear();
    assert_eq!(env.home.run(&["ls", "iogates:/v"]).ends_with(0).stdout.lines().count(), 4, "all are shown");
    let newest = env.home.run(&["cat", "-v", "iogates:/v/a.txt"]).ends_with(0).says("3 passed over");
    assert_eq!(newest.stdout, "three");
    assert!(!env.home.run(&["cat", "iogates:/v/a.txt"]).ends_with(0).stderr.contains("passed over"));
    for verb in ["stat", "link", "ls"] {
        env.home.run(&[verb, "iogates:/v/a.txt"]).ends_with(0);
    }
    env.home.run(&["get", "iogates:/v/a.txt", "one.txt"]).ends_with(0);
    env.home.run(&["get", "-v", "iogates:/v", "whole"]).ends_with(0).says("3 entries of this name");
    for file in ["one.txt", "whole/v/a.txt"] {
        let there = env.home.file("touch", "").with_file_name(file);
        assert_eq!(std::fs::read_to_string(there).unwrap(), "three", "{file}");
    }
}
