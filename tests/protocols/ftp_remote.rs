//! A remote of provider `ftp` with real servers, with the command itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::command::{Home, Ran};
use crate::support::ftp_servers::{PASSWORD, Running, Software, start};

const ALL: [(Software, &[&str]); 4] = [
    (Software::Vsftpd, &["anon_mkdir_write_enable=YES"]),
    (Software::Proftpd, &["TLSRequired off"]),
    (Software::PureFtpd, &[]),
    (Software::Pyftpdlib, &[]),
];

/// A home that knows the server as `box`, with its folder `in` as the top.
fn home(running: &Running, scheme: &str, software: Software) -> Home {
    let key = |key: &str, value: &str| (format!("HAUL_REMOTE_BOX_{key}"), value.to_owned());
    Home::new().env([
        key("PROVIDER", "ftp"),
        key("URL", &format!("{scheme}://127.0.0.1:{}/in", running.port)),
        key("USERNAME", software.user()),
        key("PASSWORD", PASSWORD),
        key("CA_FILE", running.ca_file().to_str().unwrap()),
    ])
}

fn each(scheme: &str, test: impl Fn(&Running, &Home)) {
    for (software, options) in ALL {
        let options = if software == Software::Pyftpdlib && scheme == "ftp" { &["plain"] } else { options };
        if let Some(running) = start(software, options) {
            println!("{software:?}");
            test(&running, &home(&running, scheme, software));
        }
    }
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 % 251) as u8).collect()
}

fn names(ran: Ran) -> Vec<String> {
    ran.ends_with(0).json().iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn files_go_up_and_come_back() {
    each("ftps", |running, home| {
        home.file("dir/a.bin", bytes(70_000));
        home.file("dir/sub/b c.txt", b"hello");
        home.file("dir/empty", b"");
        home.run(&["put", "dir/", "box:/up/"]).ends_with(0);
        assert_eq!(std::fs::read(running.file("in/up/a.bin")).unwrap(), bytes(70_000));
        assert_eq!(std::fs::read(running.file("in/up/sub/b c.txt")).unwrap(), b"hello");
        assert_eq!(names(home.run(&["find", "--json", "--kind", "file", "box:/up"])).len(), 3);
        assert_eq!(names(home.run(&["ls", "--json", "box:/up/sub"])), ["/up/sub/b c.txt"]);
        let stat = home.run(&["stat", "--json", "box:/up/a.bin"]).ends_with(0).json().remove(0);
        assert_eq!((stat["size"].as_u64(), stat["kind"].as_str()), (Some(70_000), Some("file")));
        home.run(&["du", "box:/up"]).ends_with(0);
        home.run(&["tree", "box:/"]).ends_with(0).prints("b c.txt");
        home.run(&["cat", "box:/up/sub/b c.txt"]).ends_with(0).prints("hello");
        home.run(&["get", "box:/up/", "back/"]).ends_with(0);
        assert_eq!(std::fs::read(home.path().join("back/a.bin")).unwrap(), bytes(70_000));
        assert_eq!(std::fs::read(home.path().join("back/empty")).unwrap(), b"");
        home.run(&["about", "box:"]).ends_with(0).prints("protocols  ftps");
        home.run(&["stat", "box:/up/nothing"]).ends_with(3);
        home.run(&["get", "box:/nothing.bin", "x/"]).ends_with(3);
        home.run(&["ls", "box:/nothing"]).ends_with(3);
    });
}

#[test]
fn what_is_there_is_replaced_only_by_a_whole_file() {
    each("ftps", |running, home| {
        running.put("in/a.txt", b"the older one");
        home.file("a.txt", b"the newer one, longer");
        home.run(&["put", "--if-exists", "fail", "a.txt", "box:/"]).ends_with(6);
        assert_eq!(std::fs::read(running.file("in/a.txt")).unwrap(), b"the older one");
        let put = home.run(&["put", "--json", "a.txt", "box:/"]).ends_with(0);
        assert_eq!(put.events("uploaded").len(), 1, "{}", put.stdout);
        assert_eq!(std::fs::read(running.file("in/a.txt")).unwrap(), b"the newer one, longer");
        assert_eq!(running.names(), ["a.txt"]);
        let again = home.run(&["put", "--json", "a.txt", "box:/"]).ends_with(0);
        assert!(again.events("uploaded").is_empty(), "{}", again.stdout);
        home.file("a.txt", b"a third one");
        home.run(&["put", "--if-exists", "rename", "a.txt", "box:/"]).ends_with(0);
        assert_eq!(running.names().len(), 2);
    });
}

#[test]
fn a_server_that_overwrites_nothing_by_a_rename_gets_the_new_file() {
    let Some(running) = start(Software::Proftpd, &["AllowOverwrite off"]) else { return };
    let home = home(&running, "ftps", Software::Proftpd);
    running.put("in/a.txt", b"the older one");
    home.file("a.txt", b"the newer one, longer");
    home.run(&["put", "a.txt", "box:/"]).ends_with(0);
    assert_eq!(std::fs::read(running.file("in/a.txt")).unwrap(), b"the newer one, longer");
    assert_eq!(running.names(), ["a.txt"]);
}

/// A run died when the older copy had stepped aside, and nothing had its name; or when only that copy was left to be removed.
#[test]
fn an_older_copy_that_a_killed_run_left_aside_goes_with_the_next() {
    let Some(running) = start(Software::Proftpd, &["AllowOverwrite off"]) else { return };
    let home = home(&running, "ftps", Software::Proftpd);
    home.file("a.txt", b"the newer one, longer");
    running.put("in/a.txt.haul-old", b"the older one");
    home.run(&["put", "a.txt", "box:/"]).ends_with(0);
    assert_eq!(running.names(), ["a.txt"]);
    running.put("in/a.txt.haul-old", b"the older one");
    home.file("a.txt", b"the newest");
    home.run(&["put", "a.txt", "box:/"]).ends_with(0);
    assert_eq!((running.names(), std::fs::read(running.file("in/a.txt")).unwrap()), (vec!["a.txt".to_owned()], b"the newest".to_vec()));
    // While there is nothing in its place it stays.
    running.put("in/b.txt.haul-old", b"the only one");
    home.run(&["put", "a.txt", "box:/"]).ends_with(0);
    let mut names = running.names();
    names.sort();
    assert_eq!(names, ["a.txt", "b.txt.haul-old"]);
}

/// A control connection to `port`. The answer to the first command that begins with `verb` is lost, and the connection with it.
fn loses_an_answer(port: u16, verb: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let is_lost = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", port))) else { continue };
            let is_lost = is_lost.clone();
            std::thread::spawn(move || pass_commands(client, server, verb, &is_lost));
        }
    });
    own
}

fn pass_commands(client: TcpStream, mut server: TcpStream, verb: &str, is_lost: &AtomicBool) {
    let cut = Arc::new(AtomicBool::new(false));
    let (mut from, mut to, is_cut) = (server.try_clone().unwrap(), client.try_clone().unwrap(), cut.clone());
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            if is_cut.load(Ordering::SeqCst) || to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
    for line in BufReader::new(client).lines() {
        let Ok(line) = line else { return };
        if line.starts_with(verb) && !is_lost.swap(true, Ordering::SeqCst) {
            cut.store(true, Ordering::SeqCst);
        }
        if server.write_all(format!("{line}\r\n").as_bytes()).is_err() {
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

/// What was done is done, and said to be.
#[test]
fn changes_whose_answer_is_lost_are_looked_for() {
    each("ftp", |running, _| {
        for (verb, args, left) in [
            ("DELE", vec!["rm", "box:/a.txt"], vec!["d", "d/b.txt"]),
            ("RNTO", vec!["mv", "box:/a.txt", "box:/c.txt"], vec!["c.txt", "d", "d/b.txt"]),
            ("RNTO", vec!["mv", "box:/a.txt", "box:/d/"], vec!["d", "d/a.txt", "d/b.txt"]),
            ("RNTO", vec!["mv", "box:/d", "box:/e"], vec!["a.txt", "e", "e/b.txt"]),
            ("DELE", vec!["rm", "-r", "box:/d"], vec!["a.txt"]),
            ("RMD", vec!["rm", "-r", "box:/d"], vec!["a.txt"]),
            ("MKD", vec!["mkdir", "box:/f"], vec!["a.txt", "d", "d/b.txt", "f"]),
        ] {
            for name in running.names() {
                let _ = std::fs::remove_dir_all(running.file(&format!("in/{name}")));
                let _ = std::fs::remove_file(running.file(&format!("in/{name}")));
            }
            let home = home(running, "ftp", running.software);
            home.file("a.txt", b"a");
            home.file("d/b.txt", b"b");
            home.run(&["put", "a.txt", "d", "box:/"]).ends_with(0);
            let url = format!("ftp://127.0.0.1:{}/in", loses_an_answer(running.port, verb));
            let home = home.env([("HAUL_REMOTE_BOX_URL".to_owned(), url)]);
            home.run(&args).ends_with(0);
            let mut there = names(home.run(&["find", "--json", "box:/"]));
            there.retain(|path| path != "/");
            there.sort();
            let left: Vec<String> = left.iter().map(|name| format!("/{name}")).collect();
            assert_eq!(there, left, "{verb} {args:?}");
        }
    });
}

/// Both steps of a rename, each forbidden.
#[test]
fn where_nothing_may_be_renamed_the_older_file_stays() {
    for forbidden in ["RNFR", "RNTO"] {
        let option = format!("cmds_denied={forbidden}");
        let Some(running) = start(Software::Vsftpd, &[&option]) else { return };
        let home = home(&running, "ftps", Software::Vsftpd);
        running.put("in/a.txt", b"the older one");
        home.file("a.txt", b"the newer one, longer");
        let ran = home.run(&["put", "--retries", "1", "a.txt", "box:/"]);
        assert!(ran.status != 0 && ran.stderr.contains("the older one"), "{forbidden}: {}", ran.stderr);
        assert_eq!(std::fs::read(running.file("in/a.txt")).unwrap(), b"the older one", "{forbidden}");
    }
}

#[test]
fn folders_are_made_moved_and_removed() {
    each("ftps", |running, home| {
        home.run(&["mkdir", "-p", "box:/x/y"]).ends_with(0);
        home.run(&["mkdir", "-p", "box:/x/y"]).ends_with(0);
        home.file("a.txt", b"content");
        home.run(&["put", "a.txt", "box:/x/y/"]).ends_with(0);
        home.run(&["mv", "box:/x/y/a.txt", "box:/x/b.txt"]).ends_with(0);
        assert_eq!(std::fs::read(running.file("in/x/b.txt")).unwrap(), b"content");
        home.run(&["mv", "box:/x", "box:/z"]).ends_with(0);
        home.run(&["rm", "box:/z"]).ends_with(8).says("rm -r");
        home.run(&["rm", "-r", "--yes", "box:/z"]).ends_with(0);
        assert!(running.names().is_empty(), "{:?}", running.names());
        home.run(&["rm", "box:/z/b.txt"]).ends_with(3);
        home.run(&["cp", "box:/a", "box:/b"]).ends_with(10);
    });
}

#[test]
fn a_name_that_a_listing_prints_oddly_is_reached() {
    each("ftps", |_, home| {
        for name in ["-la", " blank", "ü ñ 💾.txt", "a;b=c.txt", "quo\"te", "per%cent"] {
            home.file(&format!("odd/{name}"), name.as_bytes());
        }
        home.run(&["put", "odd/", "box:/odd/"]).ends_with(0);
        home.run(&["get", "box:/odd/", "back/"]).ends_with(0);
        for name in ["-la", " blank", "ü ñ 💾.txt", "a;b=c.txt", "quo\"te", "per%cent"] {
            assert_eq!(std::fs::read(home.path().join("back").join(name)).unwrap(), name.as_bytes(), "{name:?}");
        }
        home.file("-dash/a", b"x");
        home.run(&["put", "./-dash", "box:/"]).ends_with(0);
        assert_eq!(names(home.run(&["ls", "--json", "box:/-dash"])), ["/-dash/a"]);
    });
}

#[test]
fn a_killed_upload_goes_on_where_it_was() {
    each("ftps", |running, home| {
        let size = 30 << 20;
        home.file("big.bin", bytes(size));
        let put = ["put", "--json", "--bwlimit", "10M", "big.bin", "box:/"];
        let mut child = home.command(&put).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let part = running.file("in/big.bin.haul-part");
        let until = std::time::Instant::now() + Duration::from_secs(60);
        while std::fs::metadata(&part).map_or(0, |meta| meta.len()) < 4 << 20 {
            assert!(std::time::Instant::now() < until && child.try_wait().unwrap().is_none(), "it never began");
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let ran = home.run(&["put", "--json", "big.bin", "box:/"]).ends_with(0);
        let uploaded = ran.events("uploaded").remove(0);
        assert!(uploaded["resumed_from"].as_u64().unwrap_or(0) > 0, "{uploaded}");
        assert!(std::fs::read(running.file("in/big.bin")).unwrap() == bytes(size));
        assert_eq!(running.names(), ["big.bin"]);
    });
}

#[test]
fn a_killed_download_goes_on_where_it_was() {
    each("ftps", |running, home| {
        let content = bytes(30 << 20);
        running.put("in/big.bin", &content);
        let get = ["get", "--json", "--bwlimit", "10M", "box:/big.bin", "back/"];
        let mut child = home.command(&get).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let part = home.path().join("back/.big.bin.haul-part");
        let until = std::time::Instant::now() + Duration::from_secs(60);
        while std::fs::metadata(&part).map_or(0, |meta| meta.len()) < 4 << 20 {
            assert!(std::time::Instant::now() < until && child.try_wait().unwrap().is_none(), "it never began");
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let downloaded = home.run(&["get", "--json", "box:/big.bin", "back/"]).ends_with(0).events("downloaded").remove(0);
        assert!(downloaded["resumed_from"].as_u64().unwrap_or(0) > 0, "{downloaded}");
        assert!(std::fs::read(home.path().join("back/big.bin")).unwrap() == content);
        assert!(!part.exists());
        // What is there is not fetched again; what has changed there is not mixed with what was fetched.
        let again = home.run(&["get", "--json", "box:/big.bin", "back/"]).ends_with(0);
        assert!(again.events("downloaded").is_empty(), "{}", again.stdout);
    });
}

/// What is a symbolic link is shown as that, removed itself, and not followed out of the folder.
#[test]
fn symbolic_links_of_the_server_lead_nowhere_else() {
    each("ftps", |running, home| {
        // pyftpdlib itself follows them, and tells of files and folders.
        if home.run(&["about", "box:"]).ends_with(0).stdout.contains("account    user") {
            return;
        }
        std::fs::create_dir(running.file("in/dir")).unwrap();
        std::fs::create_dir(running.file("outside")).unwrap();
        std::fs::write(running.file("outside/secret.txt"), b"not yours").unwrap();
        running.put("in/dir/plain.txt", b"plain");
        for (name, target) in
            [("file.lnk", "../../outside/secret.txt"), ("dir.lnk", "../../outside"), ("loop.lnk", "."), ("own.lnk", "plain.txt")]
        {
            std::os::unix::fs::symlink(target, running.file("in/dir").join(name)).unwrap();
        }
        let owner = std::fs::metadata(running.file("in")).unwrap();
        use std::os::unix::fs::MetadataExt;
        std::os::unix::fs::chown(running.file("in/dir"), Some(owner.uid()), Some(owner.gid())).unwrap();
        let listed = home.run(&["ls", "--json", "box:/dir"]).ends_with(0).json();
        let links = listed.iter().filter(|entry| entry["extra"].get("symlink").is_some()).count();
        assert!(links >= 3, "{listed:?}");
        let got = home.run(&["get", "--json", "box:/dir", "back"]);
        assert!(got.status != 0, "what is not taken is told: {}", got.stdout);
        let names = |folder: &std::path::Path| -> Vec<String> {
            let mut names: Vec<_> =
                std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let there = names(&home.path().join("back/dir"));
        assert!(there.contains(&"plain.txt".to_owned()) && !there.contains(&"file.lnk".to_owned()), "{there:?}");
        assert!(!there.contains(&"dir.lnk".to_owned()) && !there.contains(&"loop.lnk".to_owned()), "{there:?}");
        home.run(&["rm", "-r", "--yes", "box:/dir"]).ends_with(0);
        assert_eq!(std::fs::read(running.file("outside/secret.txt")).unwrap(), b"not yours");
        assert!(!running.file("in/dir").exists());
    });
}

#[test]
fn clear_text_only_where_nobody_listens() {
    each("ftp", |_, home| {
        home.file("a.txt", b"content");
        home.run(&["put", "a.txt", "box:/"]).ends_with(0);
        home.run(&["cat", "box:/a.txt"]).ends_with(0).prints("content");
    });
    let home = Home::new().env([
        ("HAUL_REMOTE_BOX_PROVIDER".to_owned(), "ftp".to_owned()),
        ("HAUL_REMOTE_BOX_URL".to_owned(), "ftp://ftp.example.com/".to_owned()),
    ]);
    home.run(&["ls", "box:/"]).ends_with(2).says("plain FTP").says("insecure=true");
}
