//! The result of an upload whose outcome was uncertain: which file is found, its size, its name.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use haul::sandbox::{Canned, Sandbox};

use crate::support::command::Ran;
use crate::support::env::{Content, TestEnv, bytes, text};
use crate::support::kill::kill_when;
use crate::support::remotes::{hosts, hosts_that_change};

/// More than the buffers on the way hold, so that a form that is cut early has not left whole.
const LARGE: usize = 16 << 20;

fn stranger(sandbox: &Sandbox, remote: &str, content: &[u8]) {
    sandbox.fill(remote, "/in", ["film.bin".to_owned()].into_iter(), content).unwrap();
}

fn md5(content: &Content) -> String {
    format!("{:x}", md5::compute(&content.0))
}

/// Of one name and size, put there while ours was on its way.
#[test]
fn a_strangers_file_is_not_ours() {
    let uploads = [("giga0", "file/upload"), ("fileago", "upload")];
    // The small one fits the buffers of the system: all its bytes leave, and the server reads few of them.
    for ((remote, upload), len) in uploads.into_iter().flat_map(|upload| [(upload, LARGE), (upload, 3_000_000)]) {
        let (env, ours, theirs) = (TestEnv::new(), bytes(len, 5), bytes(len, 6));
        env.home.file("film.bin", &ours.0);
        let target = format!("{remote}:/in/film.bin");
        env.home.run(&["mkdir", &format!("{remote}:/in")]).ends_with(0);
        // A connection that was kept and dies is no try: two tries are three requests at most.
        env.sandbox.faults().script(&format!("{remote}/{upload}:cut=200000*3")).unwrap();
        let command = env
            .home
            .command(&["put", "--json", "--retries", "2", "film.bin", &target])
            .stderr(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while env.sandbox.counts().requests(remote, upload) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(2));
        }
        stranger(&env.sandbox, remote, &theirs.0);
        let ran = Ran::of(command.wait_with_output().unwrap());
        assert!(ran.events("uploaded").is_empty() && ran.status != 0, "{remote}: {}{}", ran.stdout, ran.stderr);

        // Typed again: ours comes whole, in place of theirs.
        env.sandbox.faults().clear();
        let again = env.home.run(&["put", "--json", "film.bin", &target]);
        let uploaded = again.ends_with(0).events("uploaded").remove(0);
        assert_eq!((&uploaded["md5"], &uploaded["resumed_from"]), (&md5(&ours).into(), &0.into()), "{remote}");
        assert_eq!(env.sandbox.entries(remote, "/in"), [("film.bin".to_owned(), Some(md5(&ours)))], "{remote}");
        assert!(env.sandbox.counts().all_received_bytes(remote) >= len as u64, "{remote}");
    }
}

/// While ours is on its way, `theirs` is put there, and the requests with our bytes are cut after `cut` bytes, twice. `more`:
/// further options; the last word is the source.
fn meets_a_stranger(remote: &str, upload: &str, more: &[&str], ours: &[u8], theirs: &[u8], cut: usize) -> (TestEnv, Ran) {
    let env = TestEnv::new();
    env.home.file("film.bin", ours);
    env.home.run(&["mkdir", &format!("{remote}:/in")]).ends_with(0);
    // The look after a cut comes late enough for the stranger.
    let slow = if remote == "giga0" { "giga0/folder/listing" } else { "fileago/dirlist" };
    env.sandbox.faults().script(&format!("{remote}/{upload}:cut={cut}*2 {slow}:slow=700*always")).unwrap();
    let target = format!("{remote}:/in/film.bin");
    let args = [&["put", "--json", "-v"], more, &[&target]].concat();
    let ran = std::thread::scope(|scope| {
        let from_pipe = more.last() == Some(&"-");
        let (env, args) = (&env, &args);
        let put = scope.spawn(move || if from_pipe { env.home.run_with_input(args, ours) } else { env.home.run(args) });
        let begun = Instant::now();
        while env.sandbox.counts().requests(remote, upload) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(2));
        }
        stranger(&env.sandbox, remote, theirs);
        put.join().unwrap()
    });
    (env, ran)
}

#[test]
fn a_name_that_a_stranger_took_meanwhile_is_decided_anew_in_the_same_run() {
    let (ours, theirs) = (bytes(3_000_000, 5), bytes(3_000_000, 6));
    let cuts = [200_000, 2_950_000];
    // Before all bytes have left, and after that: then what is there may be ours, and is read back.
    for ((remote, upload), cut) in [("giga0", "file/upload"), ("fileago", "upload")].into_iter().flat_map(|to| cuts.map(|cut| (to, cut))) {
        let meets = |more: &[&str]| {
            let (env, ran) = meets_a_stranger(remote, upload, more, &ours.0, &theirs.0, cut);
            assert!(ran.stderr.contains("somebody else has put a file of this name there"), "{remote} {more:?}: {}", ran.stderr);
            (env.sandbox.entries(remote, "/in"), ran)
        };
        let entry = |name: &str, content: &Content| (name.to_owned(), Some(md5(content)));
        // From a pipe the content can't be read again: its sum is known.
        for source in ["film.bin", "-"] {
            let (there, ran) = meets(&[source]);
            let uploaded = ran.ends_with(0).events("uploaded").remove(0);
            assert_eq!((&uploaded["md5"], &uploaded["path"]), (&md5(&ours).into(), &"/in/film.bin".into()), "{remote} {source}");
            assert_eq!(there, [entry("film.bin", &ours)], "{remote} {source}");
        }
        let (mut there, ran) = meets(&["--if-exists", "rename", "film.bin"]);
        there.sort();
        assert_eq!(ran.ends_with(0).events("uploaded").remove(0)["path"], "/in/film (2).bin", "{remote}");
        assert_eq!(there, [entry("film (2).bin", &ours), entry("film.bin", &theirs)], "{remote}");
        for (policy, status) in [("skip", 0), ("fail", 6)] {
            let (there, ran) = meets(&["--if-exists", policy, "film.bin"]);
            let ran = ran.ends_with(status);
            assert!(ran.events("uploaded").is_empty(), "{remote} {policy}: {}", ran.stdout);
            assert_eq!(
                (ran.events("skipped").len(), there),
                (usize::from(status == 0), vec![entry("film.bin", &theirs)]),
                "{remote} {policy}"
            );
        }
    }
}

/// Not even the last byte may differ, however large the file is.
#[test]
fn a_strangers_file_that_differs_at_its_end_is_not_ours() {
    let (ours, mut theirs) = (bytes(17 << 20, 5), bytes(17 << 20, 5));
    *theirs.0.last_mut().unwrap() ^= 1;
    for (remote, upload) in [("giga0", "file/upload"), ("fileago", "upload")] {
        for source in ["film.bin", "-"] {
            // All bytes leave, as the rest fits the buffers of the system.
            let (env, ran) = meets_a_stranger(remote, upload, &[source], &ours.0, &theirs.0, ours.0.len() - 100_000);
            let uploaded = ran.ends_with(0).says("somebody else has put a file").events("uploaded").remove(0);
            assert_eq!(uploaded["md5"], md5(&ours), "{remote} {source}");
            assert_eq!(env.sandbox.entries(remote, "/in"), [("film.bin".to_owned(), Some(md5(&ours)))], "{remote} {source}");
        }
    }
}

/// What came through a pipe and arrived is known by its sum, and without a sum by nothing.
#[test]
fn what_came_through_a_pipe_is_found_by_its_sum() {
    let content = bytes(3_000_000, 5);
    for (remote, upload) in [("giga0", "file/upload"), ("fileago", "upload")] {
        for (checksum, size, status) in [("auto", "", 0), ("after", "3000000", 0), ("none", "", 0), ("none", "3000000", 13)] {
            let env = TestEnv::new();
            env.sandbox.faults().script(&format!("{remote}/{upload}:answer-lost")).unwrap();
            let size: &[&str] = if size.is_empty() { &[] } else { &["--size", size] };
            let target = format!("{remote}:/film.bin");
            let args = [&["put", "--json", "--checksum", checksum], size, &["-", &target]].concat();
            let ran = env.home.run_with_input(&args, &content.0).ends_with(status);
            assert_eq!(ran.events("uploaded").len(), usize::from(status == 0), "{remote} {checksum} {size:?}");
            let sent = env.sandbox.counts().requests(remote, upload);
            assert_eq!((sent, &env.arrivals(remote)["/film.bin"]), (1, &content), "{remote} {checksum} {size:?}: {}", ran.stderr);
            if status != 0 {
                ran.says("what was sent can't be compared with it");
            }
        }
    }
}

/// The first run dies in the middle of its form; the file that is there afterwards is somebody else's.
#[test]
fn after_a_kill_it_is_known_that_the_last_byte_had_not_left() {
    for (remote, upload) in [("giga0", "file/upload"), ("fileago", "upload")] {
        let (env, ours, theirs) = (TestEnv::new(), bytes(LARGE, 5), bytes(LARGE, 6));
        env.home.file("film.bin", &ours.0);
        let target = format!("{remote}:/in/film.bin");
        let mut command = env
            .home
            .command(&["put", "--json", "--bwlimit", "1M", "film.bin", &target])
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while env.sandbox.counts().all_received_bytes(remote) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{upload}");
            std::thread::sleep(Duration::from_millis(10));
        }
        command.kill().unwrap();
        command.wait().unwrap();
        stranger(&env.sandbox, remote, &theirs.0);
        let uploaded = env.home.run(&["put", "--json", "film.bin", &target]).ends_with(0).events("uploaded").remove(0);
        assert_eq!((&uploaded["md5"], &uploaded["resumed_from"]), (&md5(&ours).into(), &0.into()), "{remote}");
        assert!(env.sandbox.entries(remote, "/in").contains(&("film.bin".to_owned(), Some(md5(&ours)))), "{remote}");
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_followed_by_a_look() {
    for (remote, upload, protocol) in [("giga0", "file/upload", "auto"), ("fileago", "upload", "auto"), ("iogates", "plupload", "plupload")]
    {
        let put = |env: &TestEnv| env.home.run(&["put", "--json", "--protocol", protocol, "a.txt", &format!("{remote}:/in/a.txt")]);
        let count = |env: &TestEnv| env.sandbox.counts().requests(remote, upload);
        // It had arrived.
        let env = TestEnv::new();
        env.home.file("a.txt", "content");
        env.sandbox.faults().script(&format!("{remote}/{upload}:answer-page")).unwrap();
        assert_eq!(put(&env).ends_with(0).events("uploaded")[0]["path"], "/in/a.txt");
        assert_eq!((count(&env), env.sandbox.arrivals().len()), (1, 1), "{remote}");

        // It had not: nobody knows, and the server's own words are told.
        let env = TestEnv::new();
        env.home.file("a.txt", "content");
        env.sandbox.faults().script(&format!("{remote}/{upload}:read-page")).unwrap();
        put(&env).ends_with(13).says("maintenance").says("all bytes were sent, the answer can't be read, and the file does not appear");
        assert_eq!(count(&env), 1, "{remote}: not sent again blindly");
        put(&env).ends_with(0);
        assert_eq!((count(&env), env.arrivals(remote).into_values().collect::<Vec<_>>()), (2, vec![text("content")]), "{remote}");
    }
}

/// Nothing at all is a success at FileAgo, but not here.
#[test]
fn an_empty_answer_is_followed_by_a_look() {
    let env = TestEnv::new();
    env.home.file("a.txt", "content");
    env.sandbox.faults().answer(Canned::new("giga0", "file/upload", 200, ""));
    let put = || env.home.run(&["put", "--json", "a.txt", "giga0:/in/"]);
    put().ends_with(13).says("an empty body");
    put().ends_with(0);
    assert_eq!(env.arrivals("giga0").len(), 1);
}

/// At a site whose every answer is unreadable nothing is added by each run.
#[test]
fn typed_again_nothing_is_added() {
    let env = TestEnv::new();
    env.home.file("a.txt", "content");
    env.sandbox.faults().script("giga0/file/upload:answer-page*always").unwrap();
    for _ in 0..3 {
        env.home.run(&["put", "a.txt", "giga0:/in/"]).ends_with(0);
    }
    assert_eq!(env.sandbox.entries("giga0", "/in").len(), 1);
}

#[test]
fn warnings_around_json_are_passed_over_in_all_calls() {
    for place in ["before", "behind"] {
        let env = TestEnv::new();
        env.home.file("d/a.txt", "content");
        let faults: Vec<String> = hosts().iter().map(|remote| format!("{remote}:noise={place}")).collect();
        env.sandbox.faults().script(&faults.join(" ")).unwrap();
        for (remote, protocol) in [("iogates", "tus"), ("iogates", "plupload"), ("giga0", "auto"), ("fileago", "auto")] {
            let to = format!("{remote}:/{protocol}/");
            env.home.run(&["put", "--protocol", protocol, "d", &to]).ends_with(0);
            env.home.run(&["get", &format!("{to}d/a.txt"), "got"]).ends_with(0);
            env.home.run(&["cat", &format!("{to}d/a.txt")]).ends_with(0).prints("content");
            env.home.run(&["ls", "-R", &to]).ends_with(0).prints("a.txt");
            std::fs::remove_file(env.home.file("got", "").as_path()).unwrap();
        }
        assert_eq!(env.sandbox.arrivals().len(), 4, "{place}");
        for remote in hosts_that_change() {
            env.home.run(&["mv", &format!("{remote}:/auto/d/a.txt"), &format!("{remote}:/auto/d/b.txt")]).ends_with(0);
            env.home.run(&["rm", &format!("{remote}:/auto/d/b.txt")]).ends_with(0);
        }
    }
}

#[test]
fn a_gateway_that_lost_patience_is_followed_by_a_look() {
    for (remote, upload) in [("giga0", "file/upload"), ("fileago", "upload")] {
        let env = TestEnv::new();
        env.home.file("a.txt", "content");
        env.sandbox.faults().script(&format!("{remote}/{upload}:answer-504")).unwrap();
        env.home.run(&["put", "a.txt", &format!("{remote}:/in/")]).ends_with(0);
        assert_eq!((env.sandbox.counts().requests(remote, upload), env.sandbox.arrivals().len()), (1, 1), "{remote}");
        // Nothing came of it: sent again, once that is known.
        env.sandbox.faults().answer(Canned::new(remote, upload, 504, "<html>504"));
        env.home.run(&["put", "--timeout", "1s", "a.txt", &format!("{remote}:/in/b.txt")]).ends_with(0);
        assert_eq!((env.sandbox.counts().requests(remote, upload), env.sandbox.arrivals().len()), (3, 2), "{remote}");
    }
}

#[test]
fn a_wrong_size_that_stays_is_reported_with_both_numbers() {
    let env = TestEnv::new();
    env.home.file("a.txt", "content");
    env.sandbox.faults().script("fileago:sizes-wrong=3").unwrap();
    let begun = Instant::now();
    let ran = env.home.run(&["put", "--json", "--timeout", "600s", "a.txt", "fileago:/in/"]).ends_with(7);
    assert!(begun.elapsed() < Duration::from_secs(300));
    ran.says("10 there").says("7 here");
    assert_eq!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).stdout, "");
    // Nothing is removed that may be somebody else's; the next run replaces it.
    env.sandbox.faults().clear();
    let again = env.home.run(&["put", "--json", "a.txt", "fileago:/in/"]).ends_with(0);
    assert_eq!((again.events("uploaded").len(), env.sandbox.entries("fileago", "/in").len()), (1, 1));
}

#[test]
fn a_name_that_the_server_writes_its_own_way_is_learned() {
    let (wished, stored) = ("Cafe\u{301} A b.txt", "caf\u{e9}_a_b.txt");
    for (remote, upload) in [("giga0", "file/upload"), ("fileago", "upload")] {
        let env = TestEnv::new();
        env.sandbox.faults().script(&format!("{remote}:names-folded")).unwrap();
        let put = || env.home.run(&["put", "--json", wished, &format!("{remote}:/in/")]).ends_with(0);
        let names = || env.sandbox.entries(remote, "/in").into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        env.home.file(wished, "one");
        assert_eq!(put().says("stored as").events("uploaded")[0]["path"], format!("/in/{stored}"), "{remote}");
        assert_eq!(put().events("skipped").len(), 1, "{remote}");
        env.home.file(wished, "two");
        assert_eq!(put().events("uploaded")[0]["path"], format!("/in/{stored}"), "{remote}");
        assert_eq!(put().events("skipped").len(), 1, "{remote}");
        env.home.run_with_input(&["put", "-", &format!("{remote}:/in/{wished}")], b"three").ends_with(0);
        assert_eq!((names(), env.arrivals(remote)[&format!("/in/{stored}")].clone()), (vec![stored.to_owned()], text("three")), "{remote}");

        // A lost answer about such a name sends nothing twice.
        let sent = env.sandbox.counts().requests(remote, upload);
        env.sandbox.faults().script(&format!("{remote}/{upload}:answer-lost")).unwrap();
        env.home.run(&["put", wished, &format!("{remote}:/in/Other.txt")]).ends_with(0).says("stored as \"other.txt\"");
        assert_eq!((env.sandbox.counts().requests(remote, upload), names().len()), (sent + 1, 2), "{remote}");
    }
}

/// What was put under a name is found under it, whatever the server made of the name; a file that has it wins.
#[test]
fn what_is_stored_under_another_name_is_found_by_the_wished_one() {
    let (wished, stored) = ("Cafe\u{301} A b.txt", "caf\u{e9}_a_b.txt");
    for remote in hosts_that_change() {
        let env = TestEnv::new();
        env.sandbox.faults().script(&format!("{remote}:names-folded")).unwrap();
        env.home.file(wished, "one");
        let there = format!("{remote}:/in/{wished}");
        let put = || env.home.run(&["put", "--receipt", "receipt", wished, &format!("{remote}:/in/")]).ends_with(0);
        put();
        env.sandbox.faults().clear();
        env.home.run(&["cat", &there]).ends_with(0).prints("one");
        env.home.run(&["get", &there, "got.txt"]).ends_with(0);
        assert_eq!(std::fs::read_to_string(env.path("got.txt")).unwrap(), "one", "{remote}");
        for verb in ["ls", "stat", "du"] {
            let shown = env.home.run(&[verb, "--json", &there]).ends_with(0);
            assert!(shown.stdout.contains(&format!("/in/{stored}")), "{remote} {verb}: {}", shown.stdout);
        }
        match remote {
            "giga0" => drop(env.home.run(&["link", &there]).ends_with(0)),
            _ => drop(env.home.run(&["star", &there]).ends_with(0)),
        }
        env.home.run(&["verify", "receipt"]).ends_with(0).prints("same");
        env.home.run(&["edit", &there, "--name", "B.txt"]).ends_with(0);
        // Gone from where it was: nothing is found any more.
        env.home.run(&["cat", &there]).ends_with(3).says(wished);
        env.sandbox.faults().script(&format!("{remote}:names-folded")).unwrap();
        put();
        env.sandbox.faults().clear();
        env.home.run(&["cp", &there, &format!("{remote}:/copy/")]).ends_with(0);
        env.home.run(&["mv", &there, &format!("{remote}:/moved/")]).ends_with(0);
        let names = |path: &str| env.sandbox.entries(remote, path).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!((names("/copy"), names("/moved"), names("/in")), (vec![stored.into()], vec![stored.into()], vec!["B.txt".into()]));
        env.sandbox.faults().script(&format!("{remote}:names-folded")).unwrap();
        put();
        env.sandbox.faults().clear();
        // Somebody's file of that very name.
        env.sandbox.fill(remote, "/in", [wished.to_owned()].into_iter(), b"exact").unwrap();
        env.home.run(&["cat", &there]).ends_with(0).prints("exact");
        env.home.run(&["rm", &there]).ends_with(0);
        assert_eq!(names("/in"), ["B.txt", stored], "{remote}");
        env.home.run(&["rm", &there]).ends_with(0);
        assert_eq!(names("/in"), ["B.txt"], "{remote}");
        env.home.run(&["rm", &there]).ends_with(3);
    }
}

/// Wildcards fit the name that was wished, and the one that is there; a file that has the wished name itself is meant alone.
#[test]
fn wildcards_fit_what_is_stored_under_another_name() {
    for remote in hosts_that_change() {
        let env = TestEnv::new();
        env.sandbox.faults().script(&format!("{remote}:names-folded")).unwrap();
        for name in ["Film A.mov", "Film B.mov", "note.txt"] {
            env.home.file(&format!("day/{name}"), name);
        }
        env.home.run(&["put", "day", &format!("{remote}:/in/")]).ends_with(0);
        env.sandbox.faults().clear();
        let got = |pattern: &str, to: &str| {
            env.home.run(&["get", &format!("{remote}:/in/{pattern}"), &format!("{remote}-{to}/")]).ends_with(0);
            env.local(&format!("{remote}-{to}")).into_keys().collect::<Vec<_>>()
        };
        assert_eq!(got("day/Film*", "wished"), ["film_a.mov", "film_b.mov"], "{remote}");
        assert_eq!(got("day/film_*", "stored"), ["film_a.mov", "film_b.mov"], "{remote}");
        assert_eq!(got("**/*m [A]*", "deep"), ["film_a.mov"], "{remote}");
        env.sandbox.fill(remote, "/in/day", ["Film A.mov".to_owned()].into_iter(), b"exact").unwrap();
        assert_eq!(got("day/Film*", "both"), ["Film A.mov", "film_b.mov"], "{remote}");
        env.home.run(&["rm", &format!("{remote}:/in/day/Film*")]).ends_with(0);
        let left = env.sandbox.entries(remote, "/in/day").into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>();
        assert_eq!(left, BTreeSet::from(["film_a.mov".to_owned(), "note.txt".to_owned()]), "{remote}");
    }
}

/// Folders, too, where the provider itself says how it writes a name.
#[test]
fn folders_are_found_by_the_name_before_the_site_changed_it() {
    let env = TestEnv::new();
    env.home.file("a<b>c/x.txt", "one");
    env.home.run(&["put", "a<b>c", "giga0:/in/"]).ends_with(0).says("stores \"a<b>c\" as \"ac\"");
    env.home.run(&["cat", "giga0:/in/a<b>c/x.txt"]).ends_with(0).prints("one");
    env.home.run(&["get", "giga0:/in/a<b>c/", "back/"]).ends_with(0);
    assert_eq!(env.local("back").into_keys().collect::<Vec<_>>(), ["x.txt"]);
    env.home.run(&["ls", "giga0:/in/a<b>c"]).ends_with(0).prints("x.txt");
    env.home.run(&["mv", "giga0:/in/a<b>c/x.txt", "giga0:/in/y.txt"]).ends_with(0);
    env.home.run(&["rm", "-r", "giga0:/in/a<b>c"]).ends_with(0);
    env.home.run(&["ls", "giga0:/in/a<b>c"]).ends_with(3).says("a<b>c");
}

/// An answer that names nothing costs a listing: one serves all that wait, and the files go on meanwhile.
#[test]
fn many_files_into_one_folder_share_their_listings() {
    let env = TestEnv::new();
    for n in 0..600 {
        env.home.file(&format!("many/{n:03}.txt"), format!("file {n}"));
    }
    let begun = std::time::Instant::now();
    env.home.run(&["put", "-q", "-j", "8", "many", "fileago:/"]).ends_with(0);
    assert_eq!(env.arrivals("fileago").len(), 600);
    let listings = env.sandbox.counts().requests("fileago", "dirlist");
    // A quarter of the folder waits for each; on a machine that is busy one a second comes besides.
    let most = 24 + begun.elapsed().as_secs();
    assert!(listings <= most, "{listings} listings, of {most}");
}

#[test]
fn the_longer_a_listing_takes_the_more_files_wait_for_it() {
    let env = TestEnv::new();
    for n in 0..200 {
        env.home.file(&format!("many/{n:03}.txt"), format!("file {n}"));
    }
    env.sandbox.faults().script("fileago/dirlist:slow=1000*always").unwrap();
    env.home.run(&["put", "-q", "-j", "4", "many", "fileago:/"]).ends_with(0);
    assert_eq!(env.arrivals("fileago").len(), 200);
    let listings = env.sandbox.counts().requests("fileago", "dirlist");
    assert!(listings < 20, "{listings} listings");
}

/// What the answers would have named is in one listing of the run that follows the kill.
#[cfg(unix)]
#[test]
fn files_that_a_killed_run_did_not_see_are_found_in_one_listing() {
    let env = TestEnv::new();
    for n in 0..60 {
        env.home.file(&format!("many/{n:03}.txt"), format!("file {n}"));
    }
    // The folder is listed before the first file, and then no more.
    env.sandbox.faults().script("fileago/dirlist:slow=60000+3*3").unwrap();
    kill_when(&env, &["put", "-q", "-j", "8", "many", "fileago:/"], || env.sandbox.arrivals().len() >= 60);
    env.sandbox.faults().clear();
    let before = env.sandbox.counts().requests("fileago", "dirlist");
    env.home.run(&["put", "--json", "-j", "8", "many", "fileago:/"]).ends_with(0);
    let (listings, sent) =
        (env.sandbox.counts().requests("fileago", "dirlist") - before, env.sandbox.counts().requests("fileago", "upload"));
    assert_eq!((sent, env.arrivals("fileago").len()), (60, 60), "none is sent twice");
    assert!(listings <= 20, "{listings} listings");
}

#[test]
fn typed_again_at_once_the_folder_is_listed_once() {
    for (remote, list) in [("giga0", "folder/listing"), ("fileago", "dirlist")] {
        let env = TestEnv::new();
        for n in 0..60 {
            env.home.file(&format!("many/{n:03}.txt"), format!("file {n}"));
        }
        env.home.run(&["put", "-q", "many", &format!("{remote}:/")]).ends_with(0);
        let before = env.sandbox.counts().requests(remote, list);
        let again = env.home.run(&["put", "--json", "many", &format!("{remote}:/")]).ends_with(0);
        assert_eq!(again.events("skipped").len(), 60, "{remote}");
        let listings = env.sandbox.counts().requests(remote, list) - before;
        assert!(listings <= 4, "{remote}: {listings} listings");
    }
}
