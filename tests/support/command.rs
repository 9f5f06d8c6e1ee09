//! The built binary as a user runs it: an empty home, a clean environment, its output and its exit status.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::told;

/// A home folder for the runs of one test; removed at the end of the test.
pub struct Home {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Home {
    pub fn new() -> Home {
        Home { dir: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    pub fn env(mut self, more: impl IntoIterator<Item = (String, String)>) -> Home {
        self.env.extend(more);
        self
    }

    /// Writes a file below the home and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        // Set whatever the umask is: haul refuses a configuration that others may write.
        #[cfg(unix)]
        for made in [&path, path.parent().unwrap()] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(made).unwrap().permissions().mode();
            std::fs::set_permissions(made, std::fs::Permissions::from_mode(mode & !0o022)).unwrap();
        }
        path
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        signals_as_usual();
        let mut command = Command::new(env!("CARGO_BIN_EXE_haul"));
        command.args(args).env_clear().current_dir(self.dir.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.dir.path()).envs(self.env.iter().cloned());
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    pub fn run_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        use std::io::Write;
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // The command may close the pipe early after a refusal.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ran::of(output)
    }
}

/// A child process ignores the signals that the suite itself was started to ignore (`nohup`, a shell's `&`). Signals with a
/// handler in this process have their default effect in the child.
fn signals_as_usual() {
    use tokio::signal::unix::{SignalKind, signal};
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
        let ignored = u64::from_str_radix(mask.trim(), 16).unwrap();
        // In a thread of its own: the test that comes first may run in a runtime.
        let handled = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for kind in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()] {
                    if ignored & (1 << (kind.as_raw_value() - 1)) != 0 {
                        drop(signal(kind).unwrap());
                    }
                }
            });
        });
        handled.join().unwrap();
    });
}

pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn of(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Ran { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        let wrong = told::wrong(&ran.stdout, &ran.stderr);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        ran
    }

    #[track_caller]
    pub fn ends_with(self, status: i32) -> Ran {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Ran {
        assert!(self.stderr.contains(words), "{words:?} is not in stderr: {}", self.stderr);
        self
    }

    #[track_caller]
    pub fn prints(self, words: &str) -> Ran {
        assert!(self.stdout.contains(words), "{words:?} is not in stdout: {}", self.stdout);
        self
    }

    /// Parses every line of standard output as JSON; any other line is a failure.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{l:?} is no JSON: {e}"))).collect()
    }

    #[track_caller]
    pub fn events(&self, name: &str) -> Vec<Value> {
        self.json().into_iter().filter(|v| v["event"] == name).collect()
    }
}
