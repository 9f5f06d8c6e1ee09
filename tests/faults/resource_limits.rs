//! Few threads, few file handles, little memory: all files arrive, with fewer files at once, or the status is 12. Nothing hangs
//! or panics.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::command::Ran;
use crate::support::env::{TestEnv, bytes};
use crate::support::remotes::hosts;

const FILES: usize = 60;
/// The administrator has as many threads as he likes: then it is tried as somebody else, who has nothing else running.
const NOBODY: &str = "54321";

fn fill(env: &TestEnv) {
    (0..FILES).for_each(|n| drop(env.home.file(&format!("d/{n:02}.bin"), bytes(5_000, n as u32 + 1).0)));
    env.home.file("d/big.bin", bytes(3_000_000, 99).0);
}

/// The program where everybody can run it, and a home that everybody can use.
fn for_everybody(env: &TestEnv) -> PathBuf {
    let haul = env.home.path().join("haul");
    if haul.exists() {
        return haul;
    }
    std::fs::hard_link(env!("CARGO_BIN_EXE_haul"), &haul).or_else(|_| std::fs::copy(env!("CARGO_BIN_EXE_haul"), &haul).map(drop)).unwrap();
    haul
}

/// Runs it under a limit of `prlimit`.
fn under(env: &TestEnv, limit: &str, args: &[&str]) -> Ran {
    let haul = for_everybody(env);
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let as_somebody = is_root && limit.contains("--nproc");
    let mut command = match as_somebody {
        true => Command::new("setpriv"),
        false => Command::new("prlimit"),
    };
    if as_somebody {
        // The folder, its files and the certificate must be theirs to read.
        std::fs::set_permissions(env.home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "prlimit"]);
    }
    command.arg(limit).arg(haul).args(args).env_clear();
    let like = env.home.command(&[]);
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(env.home.path());
    if as_somebody {
        command.env("XDG_STATE_HOME", "/nowhere").env("XDG_CONFIG_HOME", "/nowhere");
        command.env_remove("HAUL_REMOTE_IOGATES_CA_FILE");
    }
    run_with_limit(command)
}

/// Killed after two minutes, and then the status is -1.
fn run_with_limit(mut command: Command) -> Ran {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut err = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(&mut err).unwrap());
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code().unwrap_or(-2);
        }
        if begun.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            child.wait().unwrap();
            break -1;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Ran { status, stdout: String::new(), stderr: reader.join().unwrap() }
}

#[test]
fn few_threads() {
    let (mut some, mut none) = (0, 0);
    for threads in [3, 6, 9, 12, 16, 24, 48] {
        for remote in hosts() {
            let env = TestEnv::new();
            fill(&env);
            let ran = under(&env, &format!("--nproc={threads}"), &["put", "-j", "8", "d", &format!("{remote}:/")]);
            let there = env.arrivals(remote).len();
            match ran.status {
                0 => {
                    assert_eq!(there, FILES + 1, "{threads} {remote}: {}", ran.stderr);
                    some += 1;
                }
                12 => {
                    assert!(there == 0 && ran.stderr.contains("ulimit -u"), "{threads} {remote}: {}", ran.stderr);
                    none += 1;
                }
                status => panic!("{threads} threads, {remote}: {status} with {there} files: {}", ran.stderr),
            }
        }
    }
    assert!(some > 0 && none > 0, "{some} runs had enough and {none} had not");
}

/// A container's own limit on processes and threads, which `ulimit` does not show.
struct Group(PathBuf);

impl Group {
    /// None where this user or this system makes none.
    fn with_most(processes: u32) -> Option<Group> {
        ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].into_iter().find_map(|parent| {
            let group = Group(PathBuf::from(parent).join(format!("haul-test-{}-{processes}", std::process::id())));
            std::fs::create_dir(&group.0).ok()?;
            std::fs::write(group.0.join("pids.max"), processes.to_string()).ok()?;
            Some(group)
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn few_threads_in_a_container() {
    let (mut some, mut none) = (0, 0);
    for threads in [4, 8, 12, 16, 32] {
        let Some(group) = Group::with_most(threads) else {
            println!("skipped: no control group can be made here");
            return;
        };
        for remote in hosts() {
            let env = TestEnv::new();
            fill(&env);
            let mut command = Command::new("sh");
            command.args(["-c", r#"echo $$ >"$0" && exec "$@""#]).arg(group.0.join("cgroup.procs"));
            command.arg(env!("CARGO_BIN_EXE_haul")).args(["put", "-j", "8", "d", &format!("{remote}:/")]).env_clear();
            let like = env.home.command(&[]);
            command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(env.home.path());
            let (ran, there) = (run_with_limit(command), env.arrivals(remote).len());
            match ran.status {
                0 => {
                    assert_eq!(there, FILES + 1, "{threads} {remote}: {}", ran.stderr);
                    some += 1;
                }
                12 => {
                    assert!(there == 0 && ran.stderr.contains("or the container's"), "{threads} {remote}: {}", ran.stderr);
                    none += 1;
                }
                status => panic!("{threads} threads, {remote}: {status} with {there} files: {}", ran.stderr),
            }
        }
    }
    assert!(some > 0 && none > 0, "{some} runs had enough and {none} had not");
}

#[test]
fn few_file_handles() {
    for handles in [40, 64, 100] {
        for remote in hosts() {
            let env = TestEnv::new();
            fill(&env);
            let ran = under(&env, &format!("--nofile={handles}"), &["put", "-j", "8", "d", &format!("{remote}:/")]).ends_with(0);
            assert_eq!(env.arrivals(remote).len(), FILES + 1, "{handles} {remote}: {}", ran.stderr);
            let ran = under(&env, &format!("--nofile={handles}"), &["get", "-j", "8", &format!("{remote}:/d"), "back/"]).ends_with(0);
            assert_eq!(std::fs::read_dir(env.home.path().join("back/d")).unwrap().count(), FILES + 1, "{handles} {remote}: {}", ran.stderr);
        }
    }
}

#[test]
fn little_memory() {
    for megabytes in [60_u64, 80, 100, 150, 300, 600, 1_000, 1_500, 16_000] {
        let env = TestEnv::new();
        fill(&env);
        let ran = under(&env, &format!("--as={}", megabytes << 20), &["put", "-j", "8", "d", "giga0:/"]);
        match ran.status {
            0 => assert_eq!(env.arrivals("giga0").len(), FILES + 1, "{megabytes}"),
            status => {
                assert_eq!(status, 12, "{megabytes}: {}", ran.stderr);
                assert!(megabytes < 16_000 && ran.stderr.contains("ulimit -v"), "{megabytes}: {}", ran.stderr);
            }
        }
    }
}
