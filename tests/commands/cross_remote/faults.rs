//! Failures during a copy from one remote to another.

use crate::support::command::Ran;
use crate::support::env::{TestEnv, bytes, text};
use crate::support::remotes::{hosts, hosts_that_change};

#[test]
fn a_download_that_drops_in_the_middle_of_an_upload() {
    let env = TestEnv::new();
    let content = bytes(3_000_000, 21);
    let md5 = format!("{:x}", md5::compute(&content.0));
    for from in hosts() {
        env.store(from, "/source.bin", &content);
        for to in hosts().iter().filter(|to| **to != from) {
            env.sandbox.faults().script(&format!("{from}/download:cut=1000000")).unwrap();
            let name = format!("/from-{from}.bin");
            let ran = env.home.run(&["cp", "--json", &format!("{from}:/source.bin"), &format!("{to}:{name}")]).ends_with(0);
            let copied = &ran.events("copied")[0];
            let source = format!("{from}:/source.bin");
            assert_eq!((&copied["source"], &copied["md5"]), (&source.into(), &md5.clone().into()), "{from} to {to}");
            // FileAgo tells no MD5 of what it holds, so only the size is proved there, whatever is known of the source.
            assert_eq!(copied["verified"], if *to == "fileago" { "size" } else { "md5" }, "{from} to {to}");
            for field in ["remote", "path", "id", "size", "protocol", "resumed_from", "retries", "seconds"] {
                assert!(!copied[field].is_null(), "{field} of {copied}");
            }
            assert_eq!(env.arrivals(to)[&name], content, "{from} to {to}");
            assert!(env.sandbox.faults().remaining().is_empty(), "{from} to {to}: the faults struck");
        }
    }
}

/// Each part is read for its checksum and again for the network; the source is asked for its bytes once.
#[test]
fn the_source_is_downloaded_once_whatever_the_parts() {
    let env = TestEnv::new();
    let content = bytes(3_000_000, 25);
    env.store("giga0", "/source.bin", &content);
    env.store("fileago", "/source.bin", &content);
    for (from, kind) in [("giga0", "file/download"), ("fileago", "download")] {
        for protocol in ["tus", "plupload", "ftps"] {
            let before = env.sandbox.counts().requests(from, kind);
            let to = format!("iogates:/{from}-{protocol}.bin");
            env.home.run(&["cp", "--protocol", protocol, "--chunk-size", "262144", &format!("{from}:/source.bin"), &to]).ends_with(0);
            assert_eq!(env.sandbox.counts().requests(from, kind) - before, 1, "{from} by {protocol}");
            assert_eq!(env.arrivals("iogates")[&format!("/{from}-{protocol}.bin")], content);
        }
    }
}

/// Every part is asked of the source at the byte that the target wants next.
#[test]
fn an_upload_that_is_cut_goes_on_in_the_middle_of_the_source() {
    let env = TestEnv::new();
    let content = bytes(3_000_000, 22);
    env.store("giga0", "/source.bin", &content);
    for (protocol, fault) in [("tus", "iogates/tus-patch:cut=700000"), ("ftps", "iogates:ftp-cut=1200000")] {
        env.sandbox.faults().script(fault).unwrap();
        let to = format!("iogates:/{protocol}.bin");
        let ran = env.home.run(&["cp", "--json", "--protocol", protocol, "giga0:/source.bin", &to]).ends_with(0);
        assert_eq!((&ran.events("copied")[0]["verified"], &ran.events("copied")[0]["protocol"]), (&"md5".into(), &protocol.into()));
        assert_eq!(env.arrivals("iogates")[&format!("/{protocol}.bin")], content);
        assert!(env.sandbox.faults().remaining().is_empty(), "{protocol}: the faults struck");
    }
    let lost = "fileago/upload:answer-lost";
    env.sandbox.faults().script(lost).unwrap();
    env.home.run(&["cp", "giga0:/source.bin", "fileago:/once.bin"]).ends_with(0);
    assert_eq!(env.sandbox.counts().requests("fileago", "upload"), 1, "it had arrived, and was not sent again");
}

#[test]
fn a_page_in_place_of_the_source_is_reported_and_leaves_nothing_behind() {
    let env = TestEnv::new();
    for from in hosts() {
        env.store(from, "/f.bin", &bytes(200_000, 3));
    }
    for (from, to) in [("giga0", "fileago"), ("fileago", "giga0"), ("iogates", "giga0"), ("giga0", "iogates")] {
        env.sandbox.faults().script(&format!("{from}/download:html")).unwrap();
        let ran = env.home.run(&["cp", "--json", &format!("{from}:/f.bin"), &format!("{to}:/page.bin")]).ends_with(11);
        ran.says("a page in place of the file: Down for maintenance");
        assert!(!env.arrivals(to).contains_key("/page.bin"), "{from} to {to}");
    }
    env.sandbox.faults().script("giga0:download-page=html").unwrap();
    let move_it = ["mv", "--json", "--retries", "1", "giga0:/f.bin", "fileago:/f2.bin"];
    let ran = env.home.run(&move_it).ends_with(5).says("Please wait");
    assert_eq!(ran.events("failed")[0]["error"]["retryable"], true);
    env.home.run(&["stat", "giga0:/f.bin"]).ends_with(0);
}

#[test]
fn a_source_that_is_not_what_its_provider_says_is_reported_and_its_copy_goes() {
    let env = TestEnv::new();
    env.store("iogates", "/source.bin", &bytes(100_000, 22));
    std::fs::write(env.sandbox.file("iogates", "/source.bin").unwrap(), bytes(100_000, 23).0).unwrap();
    for to in hosts_that_change() {
        let ran = env.home.run(&["cp", "iogates:/source.bin", &format!("{to}:/copy.bin")]).ends_with(7);
        ran.says("is told at the source").says("removed");
        env.home.run(&["stat", &format!("{to}:/copy.bin")]).ends_with(3);
    }
    env.sandbox.faults().script("giga0/download:download-short=5").unwrap();
    env.store("giga0", "/short.bin", &bytes(100_000, 24));
    env.home.run(&["cp", "giga0:/short.bin", "iogates:/short.bin"]).ends_with(7);
    assert!(!env.arrivals("iogates").contains_key("/short.bin"));
}

/// The new revision is not what was read, and must not go with the old one.
#[cfg(unix)]
#[test]
fn a_source_that_changes_meanwhile_is_neither_good_nor_removed() {
    use std::process::{Command, Stdio};

    let env = TestEnv::new();
    env.store("fileago", "/film.bin", &bytes(600_000, 5));
    let slow = ["mv", "--json", "--bwlimit", "300K", "fileago:/film.bin", "giga0:/film.bin"];
    let child = env.home.command(&slow).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while env.sandbox.counts().requests("fileago", "download") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // However slow this machine is: it goes on when the new revision is there.
    let signal = |name: &str| assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    signal("-STOP");
    env.store("fileago", "/film.bin", &bytes(600_000, 6));
    signal("-CONT");
    let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(7).says("changed while it was read");
    assert_eq!(ran.events("failed")[0]["error"]["kind"], "integrity");
    assert_eq!(env.arrivals("fileago")["/film.bin"], bytes(600_000, 6));
    env.home.run(&["stat", "giga0:/film.bin"]).ends_with(3);
}

#[test]
fn what_the_other_side_can_t_hold_fails_alone_and_stays() {
    let env = TestEnv::new();
    env.home.file("d/good.txt", "good");
    env.home.file("d/empty.txt", "");
    env.home.file("d/<b>.txt", "fine");
    env.home.run(&["put", "d", "fileago:/"]).ends_with(0);
    let ran = env.home.run(&["mv", "--json", "fileago:/d", "giga0:/to/"]).ends_with(9);
    let failed = ran.events("failed");
    assert_eq!((failed.len(), &failed[0]["error"]["kind"]), (1, &"refused".into()), "{}", ran.stdout);
    env.home.run(&["stat", "fileago:/d/empty.txt"]).ends_with(0);
    env.home.run(&["stat", "fileago:/d/good.txt"]).ends_with(3);
    env.home.file("e/~$plan.docx", "hidden");
    env.home.file("e/plan.docx", "shown");
    env.home.run(&["put", "e", "giga0:/"]).ends_with(0);
    let ran = env.home.run(&["cp", "--json", "giga0:/e", "fileago:/to/"]).ends_with(9).says("hides names that begin with ~$");
    assert_eq!((ran.events("copied").len(), ran.events("failed").len()), (1, 1));
}

/// One that was sent before the fault struck is over first; one after the other would end in their order.
#[test]
fn several_files_are_on_their_way_at_once() {
    let env = TestEnv::new();
    for n in 0..12 {
        env.home.file(&format!("d/{n:02}.txt"), format!("file {n}"));
    }
    env.home.run(&["put", "d", "giga0:/"]).ends_with(0);
    let slowest = |ran: &Ran, event: &str| {
        let seconds: Vec<f64> = ran.events(event).iter().map(|e| e["seconds"].as_f64().unwrap()).collect();
        seconds.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0
    };
    env.sandbox.faults().script("fileago/upload:slow=3000").unwrap();
    let ran = env.home.run(&["cp", "--json", "-j", "3", "giga0:/d", "fileago:/"]).ends_with(0);
    assert!(slowest(&ran, "copied") >= 3, "it holds nobody up: {}", ran.stdout);
    env.sandbox.faults().script("iogates/tus-patch:slow=3000").unwrap();
    let ran = env.home.run(&["cp", "--json", "-j", "1", "giga0:/d", "iogates:/"]).ends_with(0);
    assert_eq!(slowest(&ran, "copied"), 0, "{}", ran.stdout);
    assert_eq!((env.arrivals("fileago").len(), env.arrivals("iogates")["/d/07.txt"].clone()), (12, text("file 7")));

    env.sandbox.faults().script("giga0/file/copy:slow=3000").unwrap();
    let ran = env.home.run(&["cp", "--json", "-j", "3", "giga0:/d", "giga0:/copy/"]).ends_with(0);
    let order: Vec<String> = ran.events("copied").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(order.len(), 12);
    assert!(order.iter().rposition(|path| ["/copy/d/00.txt", "/copy/d/01.txt", "/copy/d/02.txt"].contains(&path.as_str())).unwrap() >= 3);
    assert_eq!(env.arrivals("giga0").iter().filter(|(path, _)| path.starts_with("/d/")).count(), 12);
    assert_eq!(env.home.run(&["ls", "--json", "giga0:/copy/d"]).ends_with(0).json().len(), 12);
}

#[test]
fn tokens_run_out_on_both_sides() {
    let env = TestEnv::new();
    for n in 0..12 {
        env.home.file(&format!("d/{n:02}.txt"), format!("file {n}"));
    }
    let asks = [("iogates", "file"), ("giga0", "file/download"), ("fileago", "download")];
    let takes = [("iogates", "file"), ("giga0", "file/upload"), ("fileago", "upload-token")];
    for (from, asked) in asks {
        env.home.run(&["put", "d", &format!("{from}:/")]).ends_with(0);
        for (to, taken) in takes.iter().filter(|(to, _)| *to != from) {
            env.home.run(&["ls", &format!("{to}:")]).ends_with(0);
            let before = [from, to].map(|remote| env.sandbox.counts().sign_ins(remote));
            env.sandbox.faults().script(&format!("{from}/{asked}:expired {to}/{taken}:expired")).unwrap();
            env.home.run(&["cp", "-j", "8", &format!("{from}:/d"), &format!("{to}:/of-{from}/")]).ends_with(0);
            assert_eq!(env.arrivals(to).keys().filter(|path| path.starts_with(&format!("/of-{from}/d/"))).count(), 12);
            let after = [from, to].map(|remote| env.sandbox.counts().sign_ins(remote));
            assert!(after[1] == before[1] + 1 && after[0] <= before[0] + 1, "{from} to {to}: {before:?} {after:?}");
        }
    }
}
