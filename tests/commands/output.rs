//! What haul prints, where, and what it never prints.

use std::io::Read;
use std::process::Stdio;

use crate::support::command::Ran;
use crate::support::env::{TestEnv, bytes, text};

const ROUTES: [(&str, &str); 5] =
    [("iogates", "tus"), ("iogates", "plupload"), ("iogates", "ftps"), ("giga0", "auto"), ("fileago", "auto")];

#[test]
fn the_log_shows_every_request_and_no_secret() {
    for (remote, protocol) in ROUTES {
        let env = TestEnv::new();
        env.home.file("d/a.bin", vec![7; 50_000]);
        env.home.file("d/b.bin", "b");
        let secrets: Vec<String> = env.sandbox.env().into_iter().filter(|(k, _)| k.ends_with("_PASSWORD")).map(|(_, v)| v).collect();
        let first = env.home.run(&["put", "-vv", "--json", "--protocol", protocol, "d", &format!("{remote}:/")]).ends_with(0);
        // The kept token is read back, and an error of the server's is shown, too.
        env.sandbox.faults().script(&format!("{remote}:500")).unwrap();
        let second = env.home.run(&["put", "-vv", "--if-exists", "replace", "--protocol", protocol, "d", &format!("{remote}:/")]);
        let shown = format!("{}{}{}{}", first.stdout, first.stderr, second.stdout, second.stderr);
        assert!(shown.contains(" POST http://"), "{protocol}: {shown}");
        assert_eq!(protocol == "ftps", shown.contains("STOR "), "{protocol}: {shown}");
        for secret in secrets {
            assert!(!shown.contains(&secret), "{protocol}: a password is shown: {shown}");
        }
        assert!(!shown.contains("PASS "), "{protocol}: {shown}");
        for line in shown.lines().filter(|l| l.contains(" http://")) {
            for place in ["/api/authinfo/", "/upload/tus/", "handlers/upload.php?token="] {
                if let Some((_, after)) = line.split_once(place) {
                    assert!(after.starts_with("***"), "{protocol}: {line}");
                }
            }
            if remote == "fileago"
                && let Some((_, after)) = line.split_once("/upload/")
            {
                assert!(after.starts_with("*** "), "{line}");
            }
        }
    }
}

#[test]
fn each_output_mode_prints_what_it_should() {
    let env = TestEnv::new();
    env.home.file("d/a.txt", "a");
    env.home.file("d/empty", "");
    let put = |n: u32, more: &[&str]| env.home.run(&[&["put", "d", &format!("giga0:/{n}/")], more].concat()).ends_with(9);
    let plain = put(1, &[]);
    assert!(plain.stdout.starts_with("uploaded  d/a.txt -> giga0:/1/d/a.txt  (1 B, md5 "), "{}", plain.stdout);
    assert!(plain.stderr.contains("haul: d/empty: this site stores no empty files\n"), "{}", plain.stderr);
    assert!(plain.stderr.contains("1 file, 1 B in ") && plain.stderr.ends_with(", 1 failed\n"), "{}", plain.stderr);
    assert!(!plain.stderr.contains('\x1b') && !plain.stdout.contains('\x1b'), "no escapes in a pipe");
    let quiet = put(2, &["-q"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", "haul: d/empty: this site stores no empty files\n"));
    let json = put(3, &["--json"]);
    assert_eq!(json.json().iter().map(|e| e["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), ["failed", "uploaded", "summary"]);
    let coloured = env.home.command(&["put", "d/empty", "giga0:/"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(Ran::of(coloured).ends_with(8).stderr.contains("\x1b["), "colour by force");
    let plain = env.home.command(&["put", "d/empty", "giga0:/"]).envs([("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).output().unwrap();
    assert!(!Ran::of(plain).ends_with(8).stderr.contains('\x1b'), "NO_COLOR wins");
}

#[test]
fn a_reader_that_leaves_does_not_stop_a_transfer() {
    let env = TestEnv::new();
    for n in 0..50 {
        env.home.file(&format!("d/{n}"), "x");
    }
    let mut child = env.home.command(&["put", "d", "giga0:/"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut one = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut one).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(0);
    assert!(ran.stderr.starts_with("50 files, "), "{}", ran.stderr);
    assert_eq!(env.arrivals("giga0").len(), 50);
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_a_failure() {
    let env = TestEnv::new();
    env.home.file("f", "x");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = env.home.command(&["put", "f", "giga0:/"]).stdout(full).output().unwrap();
    Ran::of(output).ends_with(12).says("standard output can't be written");
    assert_eq!(env.arrivals("giga0").len(), 1);
}

#[test]
fn a_job_of_github_gets_annotations_and_a_summary() {
    let env = TestEnv::new();
    env.home.file("d/a.txt", "a");
    for n in 0..12 {
        env.home.file(&format!("d/empty-{n:02}"), "");
    }
    let page = env.home.file("summary.md", "# before\n");
    let variables = [("GITHUB_ACTIONS", "true"), ("CI", "true"), ("GITHUB_STEP_SUMMARY", page.to_str().unwrap())];
    let output = env.home.command(&["put", "--json", "d/", "giga0:/j"]).envs(variables).output().unwrap();
    let ran = Ran::of(output).ends_with(9);
    assert_eq!(ran.stderr.lines().filter(|l| l.starts_with("::error ")).count(), 10, "{}", ran.stderr);
    assert!(!ran.stderr.contains("::add-mask::"), "whoever keeps the log would keep the passwords: {}", ran.stderr);
    assert!(ran.stderr.contains("::warning title=haul::2 more failed"), "{}", ran.stderr);
    assert_eq!(ran.events("failed").len(), 12, "standard output stays JSON");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("# before\n") && page.contains("1 file, 1 B in") && page.contains("| uploaded | d/a.txt |"), "{page}");
}

#[test]
fn later_steps_of_a_job_get_what_was_brought() {
    let env = TestEnv::new();
    env.home.file("a.txt", "a");
    let output = env.home.file("output", "");
    let job = |args: &[&str]| {
        std::fs::write(&output, "").unwrap();
        let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_OUTPUT", output.to_str().unwrap())];
        let ran = Ran::of(env.home.command(args).envs(variables).output().unwrap());
        (ran, std::fs::read_to_string(&output).unwrap())
    };
    let (_, one) = job(&["put", "--receipt", "r.jsonl", "a.txt", "giga0:/j/"]);
    let lines: Vec<&str> = one.lines().collect();
    assert_eq!(lines[..4], ["files=1", "bytes=1", "failed=0", "receipt=r.jsonl"], "{one}");
    assert!(lines[4].starts_with("id=") && lines[5].starts_with("url=http://127.0.0.1:"), "{one}");
    let (looked, nothing) = job(&["ls", "giga0:/none"]);
    assert_eq!((looked.ends_with(3).stderr.contains("::error"), nothing.as_str()), (false, ""), "it may be a test whether it is there");
    let (failed, outputs) = job(&["put", "a.txt", "nosuch:/"]);
    assert!(failed.ends_with(3).stderr.starts_with("::error title=haul::nosuch: there is no such remote"));
    assert_eq!(outputs, "files=0\nbytes=0\nfailed=1\n");
}

#[test]
fn a_job_of_gitlab_gets_a_folded_log_and_a_dotenv_file() {
    let env = TestEnv::new();
    env.home.file("d/a.txt", "a");
    env.home.file("d/empty", "");
    let output =
        env.home.command(&["put", "--dotenv", "haul.env", "d", "giga0:/"]).envs([("GITLAB_CI", "true"), ("CI", "true")]).output().unwrap();
    let ran = Ran::of(output).ends_with(9);
    let (begin, rest) = ran.stderr.split_once("\r\x1b[0Khaul: the files\n").unwrap();
    assert!(begin.contains("\x1b[0Ksection_start:") && begin.ends_with("[collapsed=true]"), "{begin:?}");
    let (_, after) = rest.split_once("\x1b[0Ksection_end:").unwrap();
    assert!(after.contains("\n1 file failed:\n  d/empty: this site stores no empty files\n1 file, 1 B in "), "{after:?}");
    let dotenv = std::fs::read_to_string(env.path("haul.env")).unwrap();
    assert!(dotenv.starts_with("HAUL_FILES=1\nHAUL_BYTES=1\nHAUL_FAILED=1\nHAUL_ID="), "{dotenv}");
}

#[test]
fn summaries_say_what_was_done() {
    let env = TestEnv::new();
    env.home.file("d/a.txt", "a");
    env.home.file("d/b.txt", "bb");
    let ends = |args: &[&str], words: &str| {
        let ran = env.home.run(args);
        let last = ran.stderr.lines().last().unwrap_or_default().to_owned();
        assert!(last.starts_with(words), "{args:?}: {last:?}");
        ran
    };
    let planned = ends(&["put", "-n", "d", "giga0:/"], "dry run: would upload 2 files, 3 B in all").ends_with(0);
    assert_eq!(planned.stdout.lines().filter(|line| line.starts_with("would upload")).count(), 2);
    let json = env.home.run(&["put", "-n", "--json", "d", "giga0:/"]).events("summary").remove(0);
    assert_eq!((&json["files"], &json["planned"], &json["planned_bytes"]), (&0.into(), &2.into(), &3.into()));
    ends(&["put", "--receipt", "r", "d", "giga0:/"], "2 files, 3 B in ").ends_with(0);
    ends(&["put", "d", "giga0:/"], "0 files, 0 B in ").ends_with(0).says(", 2 skipped");
    ends(&["cp", "giga0:/d/a.txt", "giga0:/c.txt"], "1 file copied on the server").ends_with(0);
    ends(&["mv", "giga0:/c.txt", "giga0:/e.txt"], "1 file moved on the server").ends_with(0);
    ends(&["verify", "r"], "2 of 2 files the same").ends_with(0);
    env.home.run(&["rm", "giga0:/d/b.txt"]).ends_with(0);
    ends(&["verify", "r"], "1 of 2 files the same, 1 missing").ends_with(9);
    let quiet = env.home.run(&["verify", "-q", "r"]).ends_with(9);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("missing  giga0:/d/b.txt\n", ""));
}

#[test]
fn a_log_has_a_line_a_file_up_to_a_hundred_and_failures_last() {
    for (files, lines) in [(100, 99), (101, 0)] {
        let env = TestEnv::new();
        env.home.file("d/000-empty", "");
        for n in 1..files {
            env.home.file(&format!("d/{n:03}"), "x");
        }
        let ran = env.home.run(&["put", "d", "giga0:/"]).ends_with(9);
        assert_eq!(ran.stdout.lines().count(), lines, "{files}");
        let said: Vec<&str> = ran.stderr.lines().collect();
        let (summary, above) = said.split_last().unwrap();
        assert!(summary.contains(", 1 failed"), "{}", ran.stderr);
        assert!(above.last().unwrap().contains("d/000-empty: "), "{}", ran.stderr);
        assert_eq!(above.contains(&"1 file failed:"), lines > 0, "{}", ran.stderr);
    }
}

/// A runner obeys lines that begin with its commands, whoever wrote them.
#[test]
fn names_are_no_commands_of_a_runner() {
    let env = TestEnv::new();
    for name in ["::error file=x", "##[error]y", " ::warning::z", "##vso[task.complete]w", "a\u{61c}b\u{200b}"] {
        env.store("giga0", &format!("/d/{name}"), &text("x"));
    }
    for variables in [[("GITHUB_ACTIONS", "true")], [("CI", "true")], [("TF_BUILD", "True")]] {
        let verbs: [&[&str]; 7] = [
            &["ls", "giga0:/d"],
            &["ls", "-l", "giga0:/d"],
            &["find", "giga0:/d"],
            &["tree", "giga0:/d"],
            &["stat", "giga0:/d/*"],
            &["ls", "--json", "giga0:/d"],
            &["get", "-n", "giga0:/d", "."],
        ];
        for verb in verbs {
            let ran = Ran::of(env.home.command(verb).envs(variables).output().unwrap()).ends_with(0);
            let all = format!("{}\n{}", ran.stdout, ran.stderr);
            let begins = |line: &str| line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso[");
            assert!(!all.lines().any(begins), "{variables:?} {verb:?}: {all}");
            assert!(!all.contains(['\u{61c}', '\u{200b}']), "{variables:?} {verb:?}: {all:?}");
            assert!(!all.contains("::add-mask::"), "{all}");
        }
    }
}

/// `script` gives the command a terminal; standard output is a file in it.
#[cfg(unix)]
#[test]
fn a_file_to_a_pipe_is_watched_on_the_terminal() {
    if std::process::Command::new("script").arg("--version").output().is_err() {
        assert!(std::env::var_os("HAUL_TEST_REQUIRE_SERVERS").is_none(), "`script` (util-linux) is missing");
        println!("skipped: there is no `script` to give the command a terminal");
        return;
    }
    let env = TestEnv::new();
    env.store("giga0", "/film.bin", &bytes(1_500_000, 3));
    let haul = env.home.command(&["cat", "--bwlimit", "1M", "giga0:/film.bin"]);
    let line = format!("{} cat --bwlimit 1M giga0:/film.bin", haul.get_program().to_string_lossy());
    let at_terminal = |line: &str| {
        let mut script = std::process::Command::new("script");
        script.args(["-qec", line, "/dev/null"]).env_clear().current_dir(haul.get_current_dir().unwrap());
        let output = script.envs(haul.get_envs().filter_map(|(k, v)| Some((k, v?)))).env("TERM", "xterm").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let seen = String::from_utf8_lossy(&at_terminal(&format!("{line} > out.bin"))).into_owned();
    assert!(seen.contains("film.bin"), "{seen:?}");
    assert!(std::fs::read(haul.get_current_dir().unwrap().join("out.bin")).unwrap() == bytes(1_500_000, 3).0);
}

#[test]
fn a_mistake_in_the_options_is_an_event_too() {
    let env = TestEnv::new();
    for args in [["put", "--json", "-j", "0", "a", "giga0:"], ["put", "--json", "a", "giga0:", "--jobz", "3"]] {
        let ran = env.home.run(&args).ends_with(2);
        assert_eq!(ran.events("failed")[0]["error"]["kind"], "usage");
        assert_eq!((ran.json().len(), ran.stderr.lines().count()), (1, 1), "{}", ran.stderr);
    }
    let asked = env.home.command(&["put", "-j", "0", "a", "giga0:"]).env("HAUL_JSON", "1").output().unwrap();
    assert!(String::from_utf8_lossy(&asked.stdout).contains(r#""event":"failed""#));
    // Where it went wrong is told in fields of its own.
    let failed = env.home.run(&["get", "--json", "giga0:/none", "."]).ends_with(3).events("failed");
    assert_eq!((&failed[0]["remote"], &failed[0]["path"]), (&"giga0".into(), &"/none".into()));
}

/// A log that is pasted into an issue tells which haul it was and what was typed, and each request tells its file.
#[test]
fn a_log_names_the_version_the_command_and_the_files() {
    let env = TestEnv::new();
    for name in ["one.mov", "two.mov"] {
        env.home.file(&format!("d/{name}"), vec![b'x'; 400_000]);
    }
    for (remote, line) in [("giga0", "/api/v2/file/upload"), ("fileago", "/upload"), ("iogates", "PATCH "), ("ftp", "STOR ")] {
        let target = format!("{remote}:/in/");
        let args = ["put", "-q", "--log-file", "log", "--retries", "6", "--attr", "code=s3cret-of-mine", "d/", &target];
        let args: Vec<&str> =
            args.into_iter().filter(|arg| remote == "iogates" || !["--attr", "code=s3cret-of-mine"].contains(arg)).collect();
        let ran = env.home.run(&args).ends_with(0);
        assert_eq!(ran.stderr, "", "{remote}");
        let path = env.home.path().join("log");
        let log = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        let first = log.lines().next().unwrap();
        let says = format!(
            " haul {} on {} {}: haul put -q --log-file log --retries 6 ",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        assert!(first.contains(&says) && first.ends_with(&format!(" d/ {target}")), "{remote}: {first}");
        assert!(!log.contains("s3cret-of-mine"), "{remote}: {log}");
        for name in ["one.mov", "two.mov"] {
            let of_file = |text: &&str| text.contains(&format!("[d/{name}] ")) && text.contains(line);
            assert!(log.lines().any(|text| of_file(&text)), "{remote} {name}: {log}");
        }
        assert!(!log.contains("TLS Steam") && !log.contains("custom command"), "{remote}: {log}");
        if remote == "ftp" {
            assert!(log.contains("signed in at 127.0.0.1:") && log.contains(", TLS 1.") && log.contains("-> 226 "), "{log}");
        }
    }
}

/// What is not there afterwards is told, though the command succeeds.
#[test]
fn empty_folders_that_a_provider_can_not_make_are_told() {
    let env = TestEnv::new();
    env.home.file("d/f.txt", "x");
    for folder in ["d/one", "d/two/three"] {
        std::fs::create_dir_all(env.home.path().join(folder)).unwrap();
    }
    let says = "warning: 2 empty folders are left out: ioGates makes folders only for files; -v names each";
    let ran = env.home.run(&["put", "d", "iogates:/in"]).ends_with(0).says(says);
    assert!(!ran.stderr.contains("three"), "{}", ran.stderr);
    let ran = env.home.run(&["put", "-v", "d/one", "iogates:/in"]).ends_with(0).says("warning: 1 empty folder is left out: ioGates");
    assert!(ran.stderr.contains("/in/one: this folder is empty, and is left out"), "{}", ran.stderr);
    let ran = env.home.run(&["put", "d", "giga0:/in"]).ends_with(0);
    assert!(!ran.stderr.contains("left out"), "{}", ran.stderr);
}
