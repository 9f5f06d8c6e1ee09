//! Different habits of FTP servers, with the command itself: an uploaded file is there once and complete, whatever the server
//! does with names, cut uploads and renames.

use crate::support::command::{Home, Ran};
use crate::support::env::bytes;
use crate::support::odd_ftp::{Habits, Listing, NOTHING, OddFtp};

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
    // goftp: APPE is "obsolete", and nothing happens.
    let goftp = Habits { no_restart: Some("202 obsolete"), features: "SIZE", ..Habits::default() };
    for (habits, begun) in [(iis(), 2), (filezilla(), 2), (proftpd, 3), (gone, 3), (goftp, 3)] {
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

/// vsftpd and others, after an untidy end of TLS: the file is there, and the reply says that the transfer broke off.
#[test]
fn a_whole_file_whose_upload_is_told_as_broken_is_not_sent_again() {
    for doubt in ["426 Failure reading network stream.", "450 not resumed", "451 Local error"] {
        let (server, home) = (OddFtp::start(Habits { doubts: Some(doubt), ..Habits::default() }), Home::new());
        let content = bytes(70_000, 4).0;
        home.file("a.bin", &content);
        home.run(&["put", "a.bin", &server.url("")]).ends_with(0);
        assert!(server.files()["a.bin"] == content && server.names() == ["a.bin"], "{doubt}: {:?}", server.names());
        assert_eq!((server.count("STOR"), server.count("APPE")), (1, 0), "{doubt}: {:?}", server.commands());
    }
}

/// uftpd, Axway and others announce MLST and answer nothing that can be read: the folder's listing tells of the file.
#[test]
fn a_question_for_one_file_that_is_not_understood_gives_way_to_the_listing() {
    fn unknown(command: &str) -> Option<&'static str> {
        command.starts_with("MLST").then_some("500 what")
    }
    fn answer_badly(command: &str) -> Option<&'static str> {
        command.starts_with("MLST").then_some("250-\r\n a.txt somewhere\r\n250 end")
    }
    for answers in [unknown, answer_badly] as [fn(&str) -> Option<&'static str>; 2] {
        let (server, home) = (OddFtp::start(Habits { listing: Listing::Facts, answers, ..Habits::default() }), Home::new());
        home.file("a.txt", b"content");
        home.run(&["put", "a.txt", &server.url("")]).ends_with(0);
        assert_eq!(home.run(&["stat", "--json", &server.url("a.txt")]).ends_with(0).json()[0]["size"], 7);
        home.run(&["cat", &server.url("a.txt")]).ends_with(0).prints("content");
        home.run(&["stat", &server.url("other")]).ends_with(3);
    }
}

/// uftpd announces MLST and never answers: one wait, and then the folder's listing tells of each file.
#[test]
fn a_question_for_one_file_that_is_never_answered_is_asked_once() {
    fn hang(command: &str) -> Option<&'static str> {
        command.starts_with("MLST").then_some(NOTHING)
    }
    let (server, home) = (OddFtp::start(Habits { listing: Listing::Facts, answers: hang, ..Habits::default() }), Home::new());
    for name in ["a.txt", "b.txt", "c.txt"] {
        server.put(&format!("in/{name}"), b"content");
    }
    server.make_folder("in");
    let places = ["in/a.txt", "in/b.txt", "in/c.txt"].map(|path| server.url(path));
    let ran = home.run(&["stat", "--json", "-vv", "--timeout", "1s", &places[0], &places[1], &places[2]]).ends_with(0);
    assert_eq!(ran.json().iter().filter(|line| line["size"] == 7).count(), 3);
    ran.says("no answer to MLST");
    assert!(server.count("MLST") <= 2, "{:?}", server.commands());
}

/// A folder that is shown and can't be read: not found would be wrong, and more than one other try is of no use.
#[test]
fn a_folder_that_is_shown_and_not_listed_is_asked_for_twice() {
    fn refuse(command: &str) -> Option<&'static str> {
        matches!(command, "LIST in" | "MLSD in").then_some("550 Zugriff verweigert")
    }
    for listing in [Listing::Facts, Listing::Unix] {
        let (server, home) = (OddFtp::start(Habits { listing, answers: refuse, ..Habits::default() }), Home::new());
        server.make_folder("in");
        let ran = home.run(&["ls", &server.url("in")]).ends_with(8);
        ran.says("the folder is there, but the server does not list it").says("550 Zugriff verweigert");
        let asked = server.commands().iter().filter(|command| refuse(command).is_some()).count();
        assert_eq!(asked, 2, "{:?}", server.commands());
        home.run(&["ls", &server.url("other")]).ends_with(3);
    }
}

/// vsftpd lists a folder that it can't open as if it were a file, with success. That is no empty folder: nothing here is deleted.
#[test]
fn a_folder_that_lists_itself_is_unread_unless_it_holds_a_folder_of_its_name() {
    let (server, home) = (OddFtp::start(Habits { unreadable: Some("d/shut"), ..Habits::default() }), Home::new());
    ["d", "d/shut", "d/twin", "d/twin/twin"].iter().for_each(|folder| server.make_folder(folder));
    server.put("d/a.txt", b"content");
    server.put("d/twin/twin/b.txt", b"content");
    home.file("here/shut/mine.txt", b"mine");
    let ran = home.run(&["sync", "--delete", "--max-delete", "9", &server.url("d"), "here"]).ends_with(8);
    ran.says("can't be read").says("nothing was deleted");
    assert_eq!(std::fs::read(home.file(".keep", b"").with_file_name("here").join("shut/mine.txt")).unwrap(), b"mine");
    home.run(&["cat", &server.url("d/twin/twin/b.txt")]).ends_with(0).prints("content");
    home.run(&["ls", &server.url("d/shut")]).ends_with(8).says("the server does not list it");
}

/// pure-ftpd with KeepAllFiles, and no overwriting: the older copy can't be removed, and no copy is lost.
#[test]
fn a_server_that_removes_nothing_keeps_each_copy() {
    fn keeps(command: &str) -> Option<&'static str> {
        command.starts_with("DELE").then_some("550 Deletion of files is disabled")
    }
    let (server, home) = (OddFtp::start(Habits { taken: Some(IIS), answers: keeps, ..Habits::default() }), Home::new());
    let copies = [bytes(70_000, 1).0, bytes(50_000, 2).0, bytes(30_000, 3).0];
    let put = |content: &[u8]| {
        home.file("a.bin", content);
        home.run(&["put", "a.bin", &server.url("")])
    };
    put(&copies[0]).ends_with(0);
    put(&copies[1]).ends_with(0);
    assert!(server.files()["a.bin"] == copies[1] && server.files()["a.bin.haul-old"] == copies[0]);
    let third = put(&copies[2]);
    assert!(third.status != 0 && third.stderr.contains("is still there"), "{} {}", third.status, third.stderr);
    assert!(copies.iter().all(|copy| server.files().values().any(|there| there == copy)), "{:?}", server.names());
}

/// Some servers send the bytes of a download at once, and leave the 150 out or tell the end before it.
#[test]
fn a_download_without_a_start_is_read_to_its_end() {
    for listing in [Listing::Facts, Listing::Unix, Listing::Dos] {
        let (server, home) = (OddFtp::start(Habits { omits_150: true, listing, ..Habits::default() }), Home::new());
        let content = bytes(3_000_000, 5).0;
        server.put("a.bin", &content);
        server.make_folder("empty");
        assert_eq!(names(&home.run(&["ls", "-R", "--json", &server.url("")]).ends_with(0)), ["/a.bin", "/empty"]);
        home.run(&["get", &server.url("a.bin"), "back.bin"]).ends_with(0);
        assert!(std::fs::read(home.path().join("back.bin")).unwrap() == content);
    }
}

/// The refusal is about a path, and says which.
#[test]
fn a_refused_change_names_its_path() {
    fn no(command: &str) -> Option<&'static str> {
        ["MKD", "DELE", "RMD", "RNFR"].contains(&command.split(' ').next()?).then_some("550 Permission denied")
    }
    let (server, home) = (OddFtp::start(Habits { answers: no, ..Habits::default() }), Home::new());
    server.make_folder("in");
    server.put("in/a.txt", b"content");
    let (file, folder) = (server.url("in/a.txt"), server.url("in"));
    for (args, place) in [
        (&["mkdir", &server.url("new")][..], server.url("new")),
        (&["rm", &file], file.clone()),
        (&["rm", "-r", "--yes", &folder], file.clone()),
        (&["mv", &file, &server.url("b.txt")], file.clone()),
    ] {
        home.run(args).ends_with(8).says(&format!("{place}: the server refused")).says("550 Permission denied");
    }
    home.file("b.txt", b"content");
    home.run(&["put", "b.txt", &server.url("new/")]).ends_with(8).says(&format!("{}: the server refused the folder", server.url("new")));
}

/// A name that no command can hold. A command for a name like it would meet another file.
#[test]
fn a_listed_name_with_a_control_character_is_left_out_by_name() {
    let lines = "type=file;size=7;modify=20261126201500; a\rb\r\ntype=file;size=7;modify=20261126201500; a_b\r\n";
    fn facts(command: &str) -> Option<&'static str> {
        (command == "FEAT").then_some("211-Features:\r\n MLST type*;size*;modify*;\r\n211 End")
    }
    let (server, home) = (OddFtp::start(Habits { listing: Listing::Lines(lines), answers: facts, ..Habits::default() }), Home::new());
    server.put("a_b", b"content");
    let listed = home.run(&["ls", "--json", &server.url("")]);
    assert_eq!((names(&listed), listed.stderr.contains(r"a\rb")), (vec!["/a_b".to_owned()], true), "{}", listed.stderr);
    let got = home.run(&["get", &server.url(""), "back/"]).says(r"a\rb");
    assert!(got.status != 0 && std::fs::read(home.path().join("back/a_b")).unwrap() == b"content", "{}", got.stderr);
    assert_eq!(std::fs::read_dir(home.path().join("back")).unwrap().count(), 1);
    assert_eq!(server.count("RETR"), 1, "{:?}", server.commands());
}

/// NUL comes by lists and by JSON only.
#[test]
fn a_name_with_nul_is_refused_by_name_wherever_it_comes_from() {
    let (server, home) = (OddFtp::start(Habits::default()), Home::new());
    home.file("good", b"good");
    let lines = format!("[\"put\", \"good\", \"{0}z\\u0000z\"]\n[\"get\", \"{0}z\\u0000z\", \"back\"]\n", server.url(""));
    home.file("lines", lines.as_bytes());
    home.run(&["batch", "lines"]).ends_with(8).says("line break or NUL");
    home.file("list", b"good\0a\rb\0");
    home.file("a\rb", b"bad");
    home.run(&["put", "--files-from0", "list", &server.url("in/")]).ends_with(9).says(r"a\rb").says("line break or NUL");
    assert_eq!(server.names(), ["in/good"]);
}
