//! What breaks on the way from one remote to another.

use crate::support::command::Ran;
use crate::support::env::{Play, REMOTES, bytes, text};

#[test]
fn a_download_that_drops_in_the_middle_of_an_upload() {
    let play = Play::new();
    let content = bytes(3_000_000, 21);
    let md5 = format!("{:x}", md5::compute(&content.0));
    for from in REMOTES {
        play.stored(from, "/source.bin", &content);
        for to in REMOTES.iter().filter(|to| **to != from) {
            play.sandbox.faults().script(&format!("{from}/download:cut=1000000")).unwrap();
            let name = format!("/from-{from}.bin");
            let ran = play.home.run(&["cp", "--json", &format!("{from}:/source.bin"), &format!("{to}:{name}")]).ends_with(0);
            let copied = &ran.events("copied")[0];
            let source = format!("{from}:/source.bin");
            assert_eq!((&copied["source"], &copied["md5"]), (&source.into(), &md5.clone().into()), "{from} to {to}");
            // FileAgo tells no MD5 of what it holds, so only the size is proved there, whatever is known of the source.
            assert_eq!(copied["verified"], if *to == "fileago" { "size" } else { "md5" }, "{from} to {to}");
            for field in ["remote", "path", "id", "size", "protocol", "resumed_from", "retries", "seconds"] {
                assert!(!copied[field].is_null(), "{field} of {copied}");
            }
            assert_eq!(play.arrived(to)[&name], content, "{from} to {to}");
            assert!(play.sandbox.faults().left().is_empty(), "{from} to {to}: the faults struck");
        }
    }
}

/// Each part is read for its checksum and again for the network; the source is asked for its bytes once.
#[test]
fn the_source_is_downloaded_once_whatever_the_parts() {
    let play = Play::new();
    let content = bytes(3_000_000, 25);
    play.stored("giga0", "/source.bin", &content);
    play.stored("fileago", "/source.bin", &content);
    for (from, kind) in [("giga0", "file/download"), ("fileago", "download")] {
        for protocol in ["tus", "plupload", "ftps"] {
            let before = play.sandbox.counts().requests(from, kind);
            let to = format!("iogates:/{from}-{protocol}.bin");
            play.home.run(&["cp", "--protocol", protocol, "--chunk-size", "262144", &format!("{from}:/source.bin"), &to]).ends_with(0);
            assert_eq!(play.sandbox.counts().requests(from, kind) - before, 1, "{from} by {protocol}");
            assert_eq!(play.arrived("iogates")[&format!("/{from}-{protocol}.bin")], content);
        }
    }
}

/// Every part is asked of the source at the byte that the target wants next.
#[test]
fn an_upload_that_is_cut_goes_on_in_the_middle_of_the_source() {
    let play = Play::new();
    let content = bytes(3_000_000, 22);
    play.stored("giga0", "/source.bin", &content);
    for (protocol, fault) in [("tus", "iogates/tus-patch:cut=700000"), ("ftps", "iogates:ftp-cut=1200000")] {
        play.sandbox.faults().script(fault).unwrap();
        let to = format!("iogates:/{protocol}.bin");
        let ran = play.home.run(&["cp", "--json", "--protocol", protocol, "giga0:/source.bin", &to]).ends_with(0);
        assert_eq!((&ran.events("copied")[0]["verified"], &ran.events("copied")[0]["protocol"]), (&"md5".into(), &protocol.into()));
        assert_eq!(play.arrived("iogates")[&format!("/{protocol}.bin")], content);
        assert!(play.sandbox.faults().left().is_empty(), "{protocol}: the faults struck");
    }
    let lost = "fileago/upload:answer-lost";
    play.sandbox.faults().script(lost).unwrap();
    play.home.run(&["cp", "giga0:/source.bin", "fileago:/once.bin"]).ends_with(0);
    assert_eq!(play.sandbox.counts().requests("fileago", "upload"), 1, "it had arrived, and was not sent again");
}

#[test]
fn a_page_in_place_of_the_source_is_reported_and_leaves_nothing_behind() {
    let play = Play::new();
    for from in REMOTES {
        play.stored(from, "/f.bin", &bytes(200_000, 3));
    }
    for (from, to) in [("giga0", "fileago"), ("fileago", "giga0"), ("iogates", "giga0"), ("giga0", "iogates")] {
        play.sandbox.faults().script(&format!("{from}/download:html")).unwrap();
        let ran = play.home.run(&["cp", "--json", &format!("{from}:/f.bin"), &format!("{to}:/page.bin")]).ends_with(11);
        ran.says("a page in place of the file: Down for maintenance");
        assert!(!play.arrived(to).contains_key("/page.bin"), "{from} to {to}");
    }
    play.sandbox.faults().script("giga0:download-page=html").unwrap();
    let move_it = ["mv", "--json", "--retries", "1", "giga0:/f.bin", "fileago:/f2.bin"];
    let ran = play.home.run(&move_it).ends_with(5).says("Please wait");
    assert_eq!(ran.events("failed")[0]["error"]["retryable"], true);
    play.home.run(&["stat", "giga0:/f.bin"]).ends_with(0);
}

#[test]
fn a_source_that_is_not_what_its_provider_says_is_reported_and_its_copy_goes() {
    let play = Play::new();
    play.stored("iogates", "/source.bin", &bytes(100_000, 22));
    std::fs::write(play.sandbox.file("iogates", "/source.bin").unwrap(), bytes(100_000, 23).0).unwrap();
    for to in ["giga0", "fileago"] {
        let ran = play.home.run(&["cp", "iogates:/source.bin", &format!("{to}:/copy.bin")]).ends_with(7);
        ran.says("is told at the source").says("removed");
        play.home.run(&["stat", &format!("{to}:/copy.bin")]).ends_with(3);
    }
    play.sandbox.faults().script("giga0/download:download-short=5").unwrap();
    play.stored("giga0", "/short.bin", &bytes(100_000, 24));
    play.home.run(&["cp", "giga0:/short.bin", "iogates:/short.bin"]).ends_with(7);
    assert!(!play.arrived("iogates").contains_key("/short.bin"));
}

/// The new revision is not what was read, and must not go with the old one.
#[cfg(unix)]
#[test]
fn a_source_that_changes_meanwhile_is_neither_good_nor_removed() {
    use std::process::{Command, Stdio};

    let play = Play::new();
    play.stored("fileago", "/film.bin", &bytes(600_000, 5));
    let slow = ["mv", "--json", "--bwlimit", "300K", "fileago:/film.bin", "giga0:/film.bin"];
    let child = play.home.command(&slow).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while play.sandbox.counts().requests("fileago", "download") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // However slow this machine is: it goes on when the new revision is there.
    let signal = |name: &str| assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    signal("-STOP");
    play.stored("fileago", "/film.bin", &bytes(600_000, 6));
    signal("-CONT");
    let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(7).says("changed while it was read");
    assert_eq!(ran.events("failed")[0]["error"]["kind"], "integrity");
    assert_eq!(play.arrived("fileago")["/film.bin"], bytes(600_000, 6));
    play.home.run(&["stat", "giga0:/film.bin"]).ends_with(3);
}

#[test]
fn what_the_other_side_can_t_hold_fails_alone_and_stays() {
    let play = Play::new();
    play.home.file("d/good.txt", "good");
    play.home.file("d/empty.txt", "");
    play.home.file("d/<b>.txt", "fine");
    play.home.run(&["put", "d", "fileago:/"]).ends_with(0);
    let ran = play.home.run(&["mv", "--json", "fileago:/d", "giga0:/to/"]).ends_with(9);
    let failed = ran.events("failed");
    assert_eq!((failed.len(), &failed[0]["error"]["kind"]), (1, &"refused".into()), "{}", ran.stdout);
    play.home.run(&["stat", "fileago:/d/empty.txt"]).ends_with(0);
    play.home.run(&["stat", "fileago:/d/good.txt"]).ends_with(3);
    play.home.file("e/~$plan.docx", "hidden");
    play.home.file("e/plan.docx", "shown");
    play.home.run(&["put", "e", "giga0:/"]).ends_with(0);
    let ran = play.home.run(&["cp", "--json", "giga0:/e", "fileago:/to/"]).ends_with(9).says("hides names that begin with ~$");
    assert_eq!((ran.events("copied").len(), ran.events("failed").len()), (1, 1));
}

/// One that was sent before the fault struck is over first; one after the other would end in their order.
#[test]
fn several_files_are_on_their_way_at_once() {
    let play = Play::new();
    for n in 0..12 {
        play.home.file(&format!("d/{n:02}.txt"), format!("file {n}"));
    }
    play.home.run(&["put", "d", "giga0:/"]).ends_with(0);
    let slowest = |ran: &Ran, event: &str| {
        let seconds: Vec<f64> = ran.events(event).iter().map(|e| e["seconds"].as_f64().unwrap()).collect();
        seconds.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0
    };
    play.sandbox.faults().script("fileago/upload:slow=3000").unwrap();
    let ran = play.home.run(&["cp", "--json", "-j", "3", "giga0:/d", "fileago:/"]).ends_with(0);
    assert!(slowest(&ran, "copied") >= 3, "it holds nobody up: {}", ran.stdout);
    play.sandbox.faults().script("iogates/tus-patch:slow=3000").unwrap();
    let ran = play.home.run(&["cp", "--json", "-j", "1", "giga0:/d", "iogates:/"]).ends_with(0);
    assert_eq!(slowest(&ran, "copied"), 0, "{}", ran.stdout);
    assert_eq!((play.arrived("fileago").len(), play.arrived("iogates")["/d/07.txt"].clone()), (12, text("file 7")));

    play.sandbox.faults().script("giga0/file/copy:slow=3000").unwrap();
    let ran = play.home.run(&["cp", "--json", "-j", "3", "giga0:/d", "giga0:/copy/"]).ends_with(0);
    let order: Vec<String> = ran.events("copied").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(order.len(), 12);
    assert!(order.iter().rposition(|path| ["/copy/d/00.txt", "/copy/d/01.txt", "/copy/d/02.txt"].contains(&path.as_str())).unwrap() >= 3);
    assert_eq!(play.arrived("giga0").iter().filter(|(path, _)| path.starts_with("/d/")).count(), 12);
    assert_eq!(play.home.run(&["ls", "--json", "giga0:/copy/d"]).ends_with(0).json().len(), 12);
}

#[test]
fn tokens_run_out_on_both_sides() {
    let play = Play::new();
    for n in 0..12 {
        play.home.file(&format!("d/{n:02}.txt"), format!("file {n}"));
    }
    let asks = [("iogates", "file"), ("giga0", "file/download"), ("fileago", "download")];
    let takes = [("iogates", "file"), ("giga0", "file/upload"), ("fileago", "upload-token")];
    for (from, asked) in asks {
        play.home.run(&["put", "d", &format!("{from}:/")]).ends_with(0);
        for (to, taken) in takes.iter().filter(|(to, _)| *to != from) {
            play.home.run(&["ls", &format!("{to}:")]).ends_with(0);
            let before = [from, to].map(|remote| play.sandbox.counts().sign_ins(remote));
            play.sandbox.faults().script(&format!("{from}/{asked}:expired {to}/{taken}:expired")).unwrap();
            play.home.run(&["cp", "-j", "8", &format!("{from}:/d"), &format!("{to}:/of-{from}/")]).ends_with(0);
            assert_eq!(play.arrived(to).keys().filter(|path| path.starts_with(&format!("/of-{from}/d/"))).count(), 12);
            let after = [from, to].map(|remote| play.sandbox.counts().sign_ins(remote));
            assert!(after[1] == before[1] + 1 && after[0] <= before[0] + 1, "{from} to {to}: {before:?} {after:?}");
        }
    }
}
