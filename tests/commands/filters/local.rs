//! Filters on local files: `put`.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::support::command::Ran;
use crate::support::env::TestEnv;

const FILES: [(&str, usize); 7] = [
    ("a.mov", 5),
    ("b.txt", 5),
    ("clips/c.mov", 2000),
    ("clips/old/e.mov", 10_000),
    ("clips/old/f.txt", 10_000),
    ("clips/y.tmp", 2000),
    ("x.tmp", 5),
];

fn filled_env() -> TestEnv {
    let env = TestEnv::new();
    for (name, size) in FILES {
        env.home.file(&format!("d/{name}"), vec![7; size]);
    }
    std::fs::create_dir_all(env.path("d/empty")).unwrap();
    env
}

fn sent_files(ran: &Ran, top: &str) -> Vec<String> {
    let paths = ran.events("uploaded").into_iter().map(|e| e["path"].as_str().unwrap().strip_prefix(top).unwrap().to_owned());
    paths.collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn a_put_takes_what_fits() {
    let env = filled_env();
    let old = std::fs::File::options().append(true).open(env.path("d/a.mov")).unwrap();
    old.set_modified(SystemTime::now() - Duration::from_secs(7 * 86_400)).unwrap();
    let all = FILES.map(|(name, _)| name);
    let without = |left_out: &[&str]| all.into_iter().filter(|file| !left_out.contains(file)).collect::<Vec<_>>();
    let cases: Vec<(&[&str], Vec<&str>)> = vec![
        (&["--exclude", "*.tmp"], without(&["x.tmp", "clips/y.tmp"])),
        (&["--exclude", "clips/", "--include", "clips/c.mov"], vec!["a.mov", "b.txt", "clips/c.mov", "x.tmp"]),
        (&["--include", "*.mov"], vec!["a.mov", "clips/c.mov", "clips/old/e.mov"]),
        (&["--include", "*.mov", "--exclude", "old"], vec!["a.mov", "clips/c.mov"]),
        (&["--min-size", "2000", "--max-size", "5K"], vec!["clips/c.mov", "clips/y.tmp"]),
        (&["--max-depth", "1"], vec!["a.mov", "b.txt", "x.tmp"]),
        (&["--newer", "2d"], without(&["a.mov"])),
        (&["--older", "2d"], vec!["a.mov"]),
        (&["--older", "2d", "--max-size", "1"], vec![]),
    ];
    for (number, (filter, files)) in cases.into_iter().enumerate() {
        let to = format!("giga0:/{number}");
        let ran = env.json(&[&["put", "d", &to], filter].concat()).ends_with(0);
        assert_eq!(sent_files(&ran, &format!("/{number}/d/")), files, "{filter:?}: {}", ran.stderr);
        if files.is_empty() {
            ran.says("nothing fits: no file is taken");
            env.json(&[&["put", "d", &to, "--fail-if-empty"], filter].concat()).ends_with(2);
        }
    }
    assert!(env.there("giga0:/0/d").contains("/0/d/empty/"), "an empty folder that nothing leaves out is made");
    assert!(!env.there("giga0:/2/d").contains("/2/d/empty/"), "where files are chosen it is not");
    let dry = env.json(&["put", "-n", "d/", "giga0:/dry", "--include", "*.mov"]).ends_with(0);
    assert_eq!(dry.events("planned").len(), 3);
    let named = env.json(&["put", "d/a.mov", "d/b.txt", "d/clips/", "giga0:/named/", "--exclude", "*.txt"]).ends_with(0);
    assert_eq!(sent_files(&named, "/named/"), ["a.mov", "c.mov", "old/e.mov", "y.tmp"], "what is named itself must fit, too");
    env.home.run(&["put", "-v", "d", "giga0:/v", "--exclude", "clips"]).ends_with(0).says("d/clips: left out (--exclude \"clips\")");
}

#[test]
fn an_empty_source_can_be_a_failure() {
    let env = TestEnv::new();
    std::fs::create_dir_all(env.path("hollow")).unwrap();
    env.home.run(&["put", "hollow", "giga0:/x"]).ends_with(0);
    env.home.run(&["put", "hollow", "giga0:/x", "--fail-if-empty"]).ends_with(2);
    env.home.file("hollow/f", "1");
    env.home.run(&["put", "hollow", "giga0:/x", "--fail-if-empty"]).ends_with(0);
}

/// A `.haulignore` counts before the options, a deeper one after those above; one that can't be read lets nothing out.
#[test]
fn files_of_patterns_in_a_source_count() {
    let env = filled_env();
    env.home.file("d/.haulignore", "# what stays here\n*.tmp\nold/\n.haulignore\n");
    env.home.file("d/clips/.haulignore", "!y.tmp\n.haulignore\n");
    let ran = env.json(&["put", "d", "giga0:/one"]).ends_with(0);
    assert_eq!(sent_files(&ran, "/one/d/"), ["a.mov", "b.txt", "clips/c.mov", "clips/y.tmp"]);
    let ran = env.json(&["put", "d", "giga0:/two", "--include", "x.tmp"]).ends_with(0);
    assert_eq!(sent_files(&ran, "/two/d/"), ["x.tmp"]);
    env.home.file("d/clips/.haulignore", "[z-a]\n");
    let ran = env.json(&["put", "d", "giga0:/three"]).ends_with(9);
    assert_eq!(sent_files(&ran, "/three/d/"), ["a.mov", "b.txt"]);
    assert!(ran.events("failed")[0]["error"]["message"].as_str().unwrap().contains("[z-a]"), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn what_is_left_out_fails_nobody_and_what_is_no_file_is_skipped() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let env = filled_env();
    let d = env.path("d");
    symlink("/nowhere", d.join("dangling")).unwrap();
    symlink(&d, d.join("clips/loop")).unwrap();
    symlink(d.join("b.txt"), d.join("link.txt")).unwrap();
    let ran = env.json(&["put", "d", "giga0:/follow"]).ends_with(9);
    assert_eq!((ran.events("uploaded").len(), ran.events("failed").len()), (8, 2), "{}", ran.stdout);
    let ran = env.json(&["put", "d", "giga0:/skip", "--links", "skip"]).ends_with(0);
    assert_eq!(sent_files(&ran, "/skip/d/"), FILES.map(|(name, _)| name));
    env.json(&["put", "d", "giga0:/excluded", "--exclude", "dangling", "--exclude", "loop"]).ends_with(0);
    for name in ["dangling", "clips/loop"] {
        std::fs::remove_file(d.join(name)).unwrap();
    }
    let _socket = std::os::unix::net::UnixListener::bind(d.join("socket")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(d.join("clips/pipe")).status().unwrap().success());
    let ran = env.json(&["put", "d", "giga0:/special"]).ends_with(0);
    let ran = ran.says("d/socket: left out, as it is neither").says("d/clips/pipe: left out");
    assert_eq!((ran.events("uploaded").len(), ran.events("failed").len()), (8, 0), "{}", ran.stdout);
    // A folder that is left out is not looked into.
    let closed = d.join("clips/old");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let ran = env.json(&["put", "d", "giga0:/closed", "--exclude", "old/"]);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(ran.ends_with(0).events("failed").len(), 0);
}

/// What somebody is writing is left for the next run.
#[test]
fn a_file_that_has_just_changed_is_left_for_the_next_run() {
    let env = filled_env();
    for (name, _) in FILES.iter().filter(|(name, _)| *name != "a.mov") {
        let file = std::fs::File::options().append(true).open(env.path(&format!("d/{name}"))).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(600)).unwrap();
    }
    let ran = env.json(&["put", "d", "giga0:/x", "--settle", "5m"]).ends_with(0);
    assert_eq!(sent_files(&ran, "/x/d/").len(), 6);
    let skipped = ran.events("skipped");
    assert_eq!((skipped.len(), &skipped[0]["source"]), (1, &"d/a.mov".into()));
    assert!(skipped[0]["reason"].as_str().unwrap().contains("--settle waits for 5m"), "{}", skipped[0]);
    env.home.run(&["put", "d", "giga0:/x", "--settle", "0"]).ends_with(2);
}

#[test]
fn shares_of_a_put_are_disjoint_and_whole() {
    let env = filled_env();
    let mut all = Vec::new();
    for task in 0..4 {
        let count = [("SLURM_ARRAY_TASK_ID", task + 7), ("SLURM_ARRAY_TASK_MIN", 7), ("SLURM_ARRAY_TASK_COUNT", 4)];
        let mut command = env.home.command(&["put", "--json", "d/", "giga0:/s", "--shard", "auto"]);
        command.envs(count.map(|(name, value)| (name, value.to_string())));
        all.extend(sent_files(&Ran::of(command.output().unwrap()).ends_with(0), "/s/"));
    }
    all.sort();
    assert_eq!(all, FILES.map(|(name, _)| name));
    assert!(env.there("giga0:/s").contains("/s/empty/"));
    for (shard, says) in [("0/4", "no share 0 of 4"), ("5/4", "no share 5 of 4"), ("auto", "no job index")] {
        env.home.run(&["put", "d", "giga0:/x", "--shard", shard]).ends_with(2).says(says);
    }
}
