//! `haul batch`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::Ran;
use crate::support::env::{TestEnv, text};
use crate::support::remotes::{hosts, hosts_that_change, that_can};

/// The lines as a file.
fn batch(env: &TestEnv, lines: &[String], more: &[&str]) -> Ran {
    env.home.file("lines.txt", lines.join("\n"));
    env.home.run(&[&["batch", "lines.txt"], more].concat())
}

fn lines<const N: usize>(lines: [&str; N]) -> Vec<String> {
    lines.map(str::to_owned).to_vec()
}

/// Each event names its line; each line has its result, and the batch has the last word.
#[test]
fn lines_run_in_one_process_with_one_sign_in() {
    let env = TestEnv::new();
    env.home.file("a b.txt", "one");
    env.home.file("dir/c.txt", "two");
    for remote in hosts() {
        let wanted = vec![
            format!("# what goes to {remote}"),
            format!("put 'a b.txt' {remote}:/in/"),
            String::new(),
            format!(r#"["put", "a b.txt", "{remote}:/in/x y.txt"]"#),
            format!("haul put dir {remote}:/in/   # a folder"),
            format!("ls {remote}:/in"),
            format!("get {remote}:/in/dir/c.txt {remote}.txt"),
        ];
        let before = env.sandbox.counts().sign_ins(remote);
        let ran = batch(&env, &wanted, &["--json", "-j", "3"]).ends_with(0);
        assert_eq!(env.sandbox.counts().sign_ins(remote) - before, 1, "{remote}");
        let there = BTreeMap::from([
            ("/in/a b.txt".to_owned(), text("one")),
            ("/in/x y.txt".to_owned(), text("one")),
            ("/in/dir/c.txt".to_owned(), text("two")),
        ]);
        assert_eq!(env.arrivals(remote), there);
        assert_eq!(std::fs::read_to_string(env.path(&format!("{remote}.txt"))).unwrap(), "two");
        let uploaded = ran.events("uploaded");
        let mut of: Vec<_> = uploaded.iter().map(|event| (event["line"].as_u64().unwrap(), event["path"].as_str().unwrap())).collect();
        of.sort_unstable();
        assert_eq!(of, [(2, "/in/a b.txt"), (4, "/in/x y.txt"), (5, "/in/dir/c.txt")], "{remote}");
        // It was put before: the listing is not older.
        let listed = ran.events("entry");
        assert!(listed.iter().all(|entry| entry["line"] == 6) && listed.len() == 3, "{remote}: {}", ran.stdout);
        let results = ran.events("line");
        assert_eq!(results.len(), 5, "{remote}");
        assert!(results.iter().all(|result| result["status"] == 0), "{remote}: {}", ran.stdout);
        assert_eq!(results.iter().find(|result| result["line"] == 2).unwrap()["command"][1], "a b.txt", "{remote}");
        let last = ran.json().pop().unwrap();
        assert_eq!((&last["event"], &last["lines"], &last["failed"], &last["not_run"]), (&"batch".into(), &5.into(), &0.into(), &0.into()));
    }
}

#[test]
fn a_line_that_fails_does_not_stop_the_others() {
    let env = TestEnv::new();
    env.home.file("a.txt", "one");
    let failing = lines(["put missing.txt giga0:/", "put a.txt giga0:/", "ls giga0:/nowhere", "mkdir 'giga0:/new one'"]);
    let ran = batch(&env, &failing, &["--failed-to", "failed.txt"]).ends_with(9);
    for said in
        ["haul: line 1: missing.txt", "line 1: failed (3)  put missing.txt giga0:/", "line 2: ok  put a.txt giga0:/", "haul: line 3: "]
    {
        assert!(ran.stderr.contains(said), "{said:?} is not in {}", ran.stderr);
    }
    assert!(ran.stderr.contains("4 lines in ") && ran.stderr.contains(", 2 failed"), "{}", ran.stderr);
    assert_eq!(env.there("giga0:/").len(), 2);
    let failed = std::fs::read_to_string(env.path("failed.txt")).unwrap();
    let mut left: Vec<&str> = failed.lines().collect();
    left.sort_unstable();
    assert_eq!(left, ["ls giga0:/nowhere", "put missing.txt giga0:/"]);
    // Given back, all fail alike.
    let json = env.home.run(&["batch", "failed.txt", "--json"]).ends_with(3);
    assert_eq!(json.events("failed").len(), 2);
    assert!(json.events("failed").iter().all(|event| event["error"]["kind"] == "not-found" && event["line"].is_u64()), "{}", json.stdout);
    // And when they can be done, they are done.
    env.home.file("missing.txt", "two");
    env.home.run(&["mkdir", "giga0:/nowhere"]).ends_with(0);
    env.home.run(&["batch", "failed.txt"]).ends_with(0);

    let stopped =
        batch(&env, &lines(["rm giga0:/none", "put a.txt giga0:/late/", "rm giga0:/none"]), &["--fail-fast", "-j1", "--failed-to", "left"]);
    let stopped = stopped.ends_with(3);
    assert!(stopped.stderr.contains("1 line in ") && stopped.stderr.contains("1 failed, 2 not run"), "{}", stopped.stderr);
    assert_eq!(std::fs::read_to_string(env.path("left")).unwrap(), "rm giga0:/none\nput a.txt giga0:/late/\nrm giga0:/none\n");
    env.home.run(&["ls", "giga0:/late"]).ends_with(3);
}

/// A file is read whole before anything is sent.
#[test]
fn a_mistake_in_a_file_is_told_with_its_line() {
    let env = TestEnv::new();
    env.home.file("a.txt", "one");
    let (good, batch_of) =
        ("put a.txt giga0:/".to_owned(), |line: &str| vec!["put a.txt giga0:/".to_owned(), "#".to_owned(), line.to_owned()]);
    for (line, says) in [
        ("put a.txt", "line 3: a source and a target"),
        ("putt a.txt giga0:/", "line 3: there is no command `putt`; write `haul put`"),
        ("put a.txt giga0:/ --if-exists perhaps", "line 3: invalid value 'perhaps' for '--if-exists <P>': use one of update, replace"),
        ("put a.txt giga0:/ --job 3", "line 3: `haul put` has no option `--job`; write `--jobs`"),
        ("put --help", "line 3: help and version can't be shown in a batch"),
        ("[]", "line 3: this is not a JSON array of strings"),
        ("ls 'giga0:/", "line 3: a quote is not closed"),
        (r#"["ls", 1]"#, "line 3: this is not a JSON array of strings"),
        ("put - giga0:/x", "line 3: put can't be used in a batch: standard input"),
        ("cat giga0:/x", "line 3: cat can't be used in a batch"),
        ("get giga0:/x -", "line 3: get can't be used in a batch"),
        ("comments add iogates:/x --text -", "line 3: comments can't be used in a batch"),
        ("mkdir giga0:/x --folder-password-stdin", "line 3: mkdir can't be used in a batch"),
        ("login giga0", "line 3: login can't be used in a batch: it asks for a password"),
        ("batch other.txt", "line 3: batch can't be used in a batch"),
        ("sandbox", "line 3: sandbox can't be used in a batch"),
        ("ls giga0:/ --json", "line 3: --json applies to all lines"),
        ("-q ls giga0:/", "line 3: --quiet applies to all lines"),
    ] {
        // What only a run of the command finds is a failure of its line.
        if line == "put a.txt" {
            batch(&env, &[line.to_owned()], &[]).ends_with(2).says("line 1: a source and a target");
            continue;
        }
        let before = env.requests("giga0");
        batch(&env, &batch_of(line), &[]).ends_with(2).says(says);
        assert_eq!(env.requests("giga0"), before, "{line}");
        let json = batch(&env, &batch_of(line), &["--json"]).ends_with(2);
        assert_eq!((&json.events("failed")[0]["line"], json.events("failed").len()), (&3.into(), 1), "{line}");
    }
    // Each of them.
    let ran = batch(&env, &["ls -x r:".to_owned(), good, "lss".to_owned()], &[]).ends_with(2).says("line 1: ").says("line 3: ");
    assert!(!ran.stderr.contains("line 2"), "{}", ran.stderr);
    env.home.run(&["batch", "nothing.txt"]).ends_with(3).says("nothing.txt");
    env.home.file("empty.txt", "\n  # nothing\r\n");
    env.home.run(&["batch", "empty.txt"]).ends_with(0);
    env.home.file("bom.txt", "\u{feff}ls giga0:/\r\n");
    env.home.run(&["batch", "bom.txt"]).ends_with(0);
}

/// Lines of standard input run as they come; a mistake there is one failed line.
#[test]
fn standard_input_is_run_as_it_comes() {
    let env = TestEnv::new();
    env.home.file("a.txt", "one");
    let mut child =
        env.home.command(&["batch", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut say = |line: &str| writeln!(input, "{line}").and_then(|()| input.flush()).unwrap();
    let arrives = |path: &str| {
        let begun = Instant::now();
        while !env.arrivals("giga0").contains_key(path) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{path} does not come while the input is open");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    say("put a.txt giga0:/first.txt");
    arrives("/first.txt");
    say("nonsense");
    say("put a.txt fileago:/second.txt");
    say("put a.txt giga0:/third.txt");
    arrives("/third.txt");
    drop(input);
    let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(9);
    assert_eq!(env.arrivals("fileago").len(), 1);
    let statuses: BTreeMap<_, _> =
        ran.events("line").iter().map(|result| (result["line"].as_u64().unwrap(), result["status"].as_u64().unwrap())).collect();
    assert_eq!(statuses, BTreeMap::from([(1, 0), (2, 2), (3, 0), (4, 0)]));
}

/// Lines that touch one place keep their order, whatever `--jobs` is, and none believes what was there before the others.
#[test]
fn lines_of_one_place_keep_their_order() {
    for remote in hosts_that_change() {
        let env = TestEnv::new();
        for name in ["one", "two", "three"] {
            env.home.file(name, name);
        }
        let r = |line: &str| line.replace("r:", &format!("{remote}:"));
        let wanted = [
            "put one r:/in/x",
            "put two r:/in/x",
            "mv r:/in/x r:/in/y",
            "put one r:/in/x",
            "put one two three r:/box/",
            "rm r:/box/two",
            "put three r:/box/two",
            "rm -r r:/gone",
            "put one r:/gone/a",
            "get r:/box/two out",
            "put out r:/again",
            "put one r:/in",
            "put three r:/in/one",
        ];
        env.add_files(remote, &["/gone/b"]);
        batch(&env, &wanted.map(r), &["-j", "8"]).ends_with(0);
        let wanted = [
            ("/again", "three"),
            ("/box/one", "one"),
            ("/box/three", "three"),
            ("/box/two", "three"),
            ("/gone/a", "one"),
            ("/in/one", "three"),
            ("/in/x", "one"),
            ("/in/y", "two"),
        ];
        let there: Vec<String> = env.there(&format!("{remote}:/")).into_iter().filter(|path| !path.ends_with('/')).collect();
        assert_eq!(there, wanted.map(|(path, _)| path.to_owned()), "{remote}");
        for (path, content) in wanted {
            assert_eq!(env.text(remote, path), content, "{remote}:{path}");
        }
    }
}

/// As many puts ask no more than one put of as many files: the folder is listed for all of them, and they are confirmed together.
#[test]
fn many_puts_share_what_they_know() {
    const FILES: usize = 120;
    for remote in that_can(&["list"]) {
        let asked = |is_batch: bool| {
            let env = TestEnv::new();
            for n in 0..FILES {
                env.home.file(&format!("many/{n:03}.txt"), format!("file {n}"));
            }
            let begun = Instant::now();
            match is_batch {
                true => {
                    let wanted: Vec<String> = (0..FILES).map(|n| format!("put many/{n:03}.txt {remote}:/many/")).collect();
                    batch(&env, &wanted, &["-q", "-j", "8"]).ends_with(0)
                }
                false => env.home.run(&["put", "-q", "-j", "8", "many", &format!("{remote}:/")]).ends_with(0),
            };
            assert_eq!(env.sandbox.arrivals().len(), FILES, "{remote}");
            (env.requests(remote), begun.elapsed().as_secs())
        };
        let ((alone, _), (together, took)) = (asked(false), asked(true));
        // ioGates makes the entries of many files of one put by one request.
        let own = if remote == "iogates" { FILES as u64 } else { 0 };
        // On a busy machine a listing a second comes besides.
        assert!(together <= alone + own + 20 + took, "{remote}: {together} requests, and {alone} of one put");
    }
}

/// Nobody is asked, the options of a line are its own, and files for all lines hold what all lines did.
#[test]
fn a_line_is_as_the_command_alone() {
    let env = TestEnv::new();
    for name in ["a", "b"] {
        env.home.file(name, name);
    }
    env.add_files("giga0", &["/old/x", "/old/y"]);
    let wanted = lines([
        "put a giga0:/in/ --receipt receipt",
        "put b giga0:/in/ --receipt receipt",
        "rm -r giga0:/old",
        "put -n a giga0:/never/",
        "about giga0:",
        "find giga0:/in --name '[ab]'",
    ]);
    let ran = batch(&env, &wanted, &["--json"]).ends_with(0);
    assert_eq!(ran.events("about")[0]["line"], 5);
    assert_eq!(ran.events("planned")[0]["line"], 4);
    assert_eq!(env.there("giga0:/").into_iter().collect::<Vec<_>>(), ["/in/", "/in/a", "/in/b"]);
    assert_eq!(std::fs::read_to_string(env.path("receipt")).unwrap().lines().count(), 2);
    env.home.run(&["verify", "receipt"]).ends_with(0);
    // What was killed in the middle is taken up line by line, not as a batch.
    env.home.run(&["transfers", "list"]).ends_with(0);
    env.home.run(&["batch", "--help"]).ends_with(0).prints("haul batch nightly.txt");
}
