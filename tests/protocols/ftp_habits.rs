//! Different habits of FTP servers, with the command itself: an uploaded file is there once and complete, whatever the server
//! does with names, cut uploads and renames.

use crate::support::command::{Home, Ran};
use crate::support::env::bytes;
use crate::support::odd_ftp::{Habits, Listing, OddFtp};

const IIS: &str = "550 Cannot create a file when that file already exists.";

fn iis() -> Habits {
    Habits { features: "SIZE\nMDTM\nREST STREAM", listing: Listing::Dos, taken: Some(IIS), deletes_cut: true, ..Habits::default() }
}

/// Old FileZilla Server.
fn filezilla() -> Habits {
    Habits { listing: Listing::Facts, taken: Some("553 file exists"), ..Habits::default() }
}

fn names(ran: &Ran) -> Vec<String> {
    ran.json().iter().filter_map(|line| Some(line["path"].as_str()?.to_owned())).collect()
}

/// Puts a file, then another in its place; the older one is there until the newer one is.
#[test]
fn a_name_that_is_taken_is_given_away_only_to_a_whole_file() {
    for habits in [iis(), filezilla(), Habits { listing: Listing::Facts, ..Habits::default() }, Habits::default()] {
        let (server, home) = (OddFtp::start(habits.clone()), Home::new());
        for content in [bytes(70_000, 1).0, bytes(50_000, 2).0] {
            home.file("a file.bin", &content);
            let put = home.run(&["put", "--json", "a file.bin", &server.url("")]).ends_with(0);
            assert_eq!(put.events("uploaded").len(), 1, "{habits:?}: {}", put.stdout);
            assert_eq!(server.files().into_iter().collect::<Vec<_>>(), [("a file.bin".to_owned(), content)], "{habits:?}");
        }
        home.run(&["mkdir", &server.url("in")]).ends_with(0);
        home.run(&["mv", &server.url("a%20file.bin"), &server.url("in/")]).ends_with(0);
        let listed = home.run(&["ls", "-R", "--json", &server.url("")]).ends_with(0);
        assert_eq!(names(&listed), ["/in", "/in/a file.bin"], "{habits:?}");
        home.run(&["get", &server.url("in/a%20file.bin"), "back.bin"]).ends_with(0);
        assert!(std::fs::read(home.path().join("back.bin")).unwrap() == bytes(50_000, 2).0);
        home.run(&["rm", "-r", "--yes", &server.url("in")]).ends_with(0);
        assert!(server.names().is_empty(), "{habits:?}: {:?}", server.names());
    }
}

/// The line dies in the middle: what is kept is gone on with, and what is not begins anew (IIS deletes it, ProFTPD answers 451 to
/// any restart, for ever).
#[test]
fn a_cut_upload_goes_on_or_begins_anew() {
    let forever = Some("451 Append/Restart not permitted, try again");
    let proftpd = Habits { no_restart: forever, ..Habits::default() };
    let gone = Habits { no_restart: Some("501 REST not compatible with HiddenStores"), ..Habits::default() };
    for (habits, begun) in [(iis(), 2), (filezilla(), 2), (proftpd, 3), (gone, 3)] {
        let (server, home) = (OddFtp::start(Habits { cut: Some(1_000_000), ..habits.clone() }), Home::new());
        let content = bytes(3_000_000, 3).0;
        home.file("a.bin", &content);
        home.run(&["put", "--retries", "3", "a.bin", &server.url("")]).ends_with(0);
        assert!(server.files()["a.bin"] == content && server.names() == ["a.bin"], "{habits:?}: {:?}", server.names());
        let stores = server.count("STOR") + server.count("APPE");
        assert!(stores <= begun + 1, "{habits:?}: {:?}", server.commands());
    }
}

/// pure-ftpd with AutoRename: a name that somebody has, even a remnant, sends the file elsewhere, with a 226.
#[test]
fn a_server_that_renames_by_itself_is_no_silent_success() {
    let (server, home) = (OddFtp::start(Habits { renames_itself: true, listing: Listing::Facts, ..Habits::default() }), Home::new());
    server.put("a.bin.haul-part", b"a remnant");
    let content = bytes(70_000, 1).0;
    home.file("a.bin", &content);
    let first = home.run(&["put", "a.bin", &server.url("")]);
    match first.status {
        0 => assert!(server.files()["a.bin"] == content),
        _ => {
            first.ends_with(7).says("renames uploads by itself");
            home.run(&["put", "a.bin", &server.url("")]).ends_with(0);
            assert!(server.files()["a.bin"] == content);
        }
    }
}

#[test]
fn a_listing_of_an_unknown_form_is_told_with_its_first_line() {
    let lines = "somebody's own form of a.bin\r\nand another line\r\n";
    let (server, home) = (OddFtp::start(Habits { listing: Listing::Lines(lines), ..Habits::default() }), Home::new());
    home.run(&["ls", &server.url("")]).ends_with(11).says("somebody's own form of a.bin");
    let error = home.run(&["ls", "--json", &server.url("")]).ends_with(11).events("failed").remove(0);
    assert_eq!(error["error"]["kind"], "protocol");
}

/// Names from the server that would leave the folder, or that are none.
#[test]
fn hostile_names_in_a_listing_write_nothing_outside() {
    let lines = "-rw-r--r--    1 1000     1000     9 Nov 26 20:15 ../evil.txt\r\n\
                 -rw-r--r--    1 1000     1000     9 Nov 26 20:15 /tmp/haul-evil.txt\r\n\
                 -rw-r--r--    1 1000     1000     9 Nov 26 20:15 good.txt\r\n";
    let (server, home) = (OddFtp::start(Habits { listing: Listing::Lines(lines), ..Habits::default() }), Home::new());
    for name in ["good.txt", "evil.txt", "tmp/haul-evil.txt"] {
        server.put(name, b"x\nnine by");
    }
    let ran = home.run(&["get", "--json", &server.url(""), "back/"]);
    assert!(ran.status != 0 && ran.stdout.contains("evil.txt"), "{}", ran.stdout);
    assert_eq!(std::fs::read(home.path().join("back/good.txt")).unwrap(), b"x\nnine by");
    assert!(!home.path().join("evil.txt").exists() && !std::path::Path::new("/tmp/haul-evil.txt").exists());
}

/// The answer is lost and the thing is done: the command looks, and does nothing twice.
#[test]
fn a_lost_answer_to_a_change_is_looked_for() {
    for (verb, args) in [
        ("RNTO", &["mv", "in/a.txt", "in/b.txt"][..]),
        ("RNTO", &["mv", "in", "other"]),
        ("DELE", &["rm", "-r", "--yes", "in"]),
        ("RMD", &["rm", "-r", "--yes", "in"]),
        ("DELE", &["rm", "in/a.txt"]),
        ("MKD", &["mkdir", "-p", "new/deep"]),
    ] {
        for listing in [Listing::Facts, Listing::Unix] {
            let (server, home) = (OddFtp::start(Habits { loses: Some(verb), listing, ..Habits::default() }), Home::new());
            server.make_folder("in");
            server.put("in/a.txt", b"content");
            let typed: Vec<String> = args
                .iter()
                .map(|word| {
                    if word.starts_with("in") || word.starts_with("other") || word.starts_with("new") {
                        server.url(word)
                    } else {
                        (*word).to_owned()
                    }
                })
                .collect();
            let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
            let ran = home.run(&typed);
            assert_eq!(ran.status, 0, "{verb} {args:?} {listing:?}: {}\n{:?}", ran.stderr, server.commands());
            let there = server.files();
            match args {
                ["mv", _, "in/b.txt"] => assert_eq!(there.keys().collect::<Vec<_>>(), ["in/b.txt"]),
                ["mv", ..] => assert_eq!(there.keys().collect::<Vec<_>>(), ["other/a.txt"]),
                ["rm", ..] => assert!(there.is_empty(), "{there:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn what_the_server_tells_of_a_file_is_compared() {
    fn other_sum(command: &str) -> Option<&'static str> {
        command.starts_with("XMD5").then_some("250 00000000000000000000000000000000")
    }
    for (features, command) in [("XMD5", "XMD5"), ("HASH SHA-256*;MD5", "HASH"), ("HASH MD5*", "HASH")] {
        let (server, home) = (OddFtp::start(Habits { features, ..Habits::default() }), Home::new());
        home.file("a.txt", b"content");
        let uploaded = home.run(&["put", "--json", "a.txt", &server.url("")]).ends_with(0).events("uploaded").remove(0);
        assert_eq!(uploaded["verified"], "md5", "{features}: {:?}", server.commands());
        assert!(server.count(command) > 0);
        assert_eq!(server.commands().iter().any(|line| line == "OPTS HASH MD5"), features.contains("SHA-256*"), "{features}");
    }
    let (server, home) = (OddFtp::start(Habits { features: "XMD5", answers: other_sum, ..Habits::default() }), Home::new());
    home.file("a.txt", b"content");
    home.run(&["put", "a.txt", &server.url("")]).ends_with(7).says("MD5");
}

#[test]
fn a_name_with_a_line_break_is_refused_by_name_and_never_sent() {
    let (server, home) = (OddFtp::start(Habits::default()), Home::new());
    server.put("victim", b"stays");
    home.file("dir/good.txt", b"good");
    home.file("dir/a\r\nDELE victim", b"bad");
    home.file("dir/b\nc", b"bad");
    let ran = home.run(&["put", "--json", "dir", &server.url("")]).ends_with(9);
    assert_eq!(ran.events("failed").len(), 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("line break"), "{}", ran.stderr);
    assert!(server.files().contains_key("victim") && server.files().contains_key("dir/good.txt"));
    assert_eq!(server.count("DELE"), 0, "{:?}", server.commands());
    home.run(&["ls", &format!("{}a%0d%0aDELE%20victim", server.url(""))]).ends_with(8);
}

#[test]
fn what_is_not_announced_is_not_asked_for() {
    for (features, is_sent) in [("REST STREAM", false), ("REST STREAM\nUTF8", true)] {
        let (server, home) = (OddFtp::start(Habits { features, ..Habits::default() }), Home::new());
        home.file("ü.txt", b"content");
        home.run(&["put", "ü.txt", &server.url("")]).ends_with(0);
        assert_eq!(server.commands().iter().any(|line| line == "OPTS UTF8 ON"), is_sent);
        assert_eq!(server.names(), ["ü.txt"]);
    }
}

#[test]
fn an_address_in_the_answer_to_pasv_is_not_followed() {
    let (server, home) = (OddFtp::start(Habits { foreign_address: true, ..Habits::default() }), Home::new());
    home.file("a.txt", b"content");
    home.run(&["put", "a.txt", &server.url("")]).ends_with(0);
    home.run(&["cat", &server.url("a.txt")]).ends_with(0).prints("content");
}

/// No TLS there: nothing of the sign-in leaves, and the setting that would allow it is named.
#[test]
fn a_server_without_tls_is_refused_with_the_setting_that_allows_it() {
    for answer in ["500 what", "502 no TLS", "534 not here"] {
        let habits = match answer {
            "502 no TLS" => Habits { answers: |command| command.starts_with("AUTH").then_some("502 no TLS"), ..Habits::default() },
            "534 not here" => Habits { answers: |command| command.starts_with("AUTH").then_some("534 not here"), ..Habits::default() },
            _ => Habits::default(),
        };
        let (server, home) = (OddFtp::start(habits), Home::new());
        home.file("a.txt", b"content");
        let secure = server.url("").replace("ftp://", "ftps://");
        for args in [&["put", "a.txt", &secure][..], &["ls", &secure], &["about", &secure]] {
            home.run(args).ends_with(10).says("insecure = true");
        }
        assert_eq!((server.count("USER"), server.count("PASS")), (0, 0));
    }
}
