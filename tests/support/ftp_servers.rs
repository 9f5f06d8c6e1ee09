//! Real FTP servers for tests: scripts in `tests/servers` start them on 127.0.0.1 and a free port, in a temporary folder; they
//! are stopped by their process ids.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use haul::model::Secret;
use haul::protocols::ftp::{FtpPool, FtpServer, FtpSession, FtpTarget, Security, open};
use tempfile::TempDir;

pub const PASSWORD: &str = "swordfish-1";
pub const MIB: u64 = 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Software {
    Vsftpd,
    Proftpd,
    PureFtpd,
    Pyftpdlib,
}

impl Software {
    /// The user whose password is [`PASSWORD`].
    pub fn user(self) -> &'static str {
        match self {
            Software::Vsftpd | Software::Proftpd => "anonymous",
            Software::PureFtpd | Software::Pyftpdlib => "user",
        }
    }
}

fn find_installed(path: &str) -> PathBuf {
    let cache = std::env::var_os("HAUL_TEST_SERVERS").map(PathBuf::from);
    cache.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers")).join(path)
}

pub struct Running {
    dir: TempDir,
    child: Child,
    pub software: Software,
    pub port: u16,
}

/// Starts a server with these additional options (see its script). None: the server can't run here, and a message was printed;
/// with `HAUL_TEST_REQUIRE_SERVERS` 1 that is a failure.
pub fn start(software: Software, options: &[&str]) -> Option<Running> {
    start_on("127.0.0.1", software, options)
}

pub fn start_on(address: &str, software: Software, options: &[&str]) -> Option<Running> {
    if let Some(missing) = missing(software) {
        assert!(std::env::var("HAUL_TEST_REQUIRE_SERVERS").as_deref() != Ok("1"), "{software:?}: {missing}");
        println!("skipped: {software:?}: {missing}");
        return None;
    }
    let dir = authority();
    // The servers drop root: their user must be able to enter the folder.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(dir.path().join("password"), format!("{PASSWORD}\n")).unwrap();
    let name = match software {
        Software::Vsftpd => "vsftpd.sh",
        Software::Proftpd => "proftpd.sh",
        Software::PureFtpd => "pure-ftpd.sh",
        Software::Pyftpdlib => "pyftpd.py",
    };
    // Another program may take the port before the server binds it.
    for _ in 0..3 {
        let port = TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port();
        let said = fs::File::create(dir.path().join("said")).unwrap();
        let mut command = match software {
            Software::Pyftpdlib => {
                let mut python = Command::new(find_installed("python/bin/python"));
                python.arg(script(name));
                python
            }
            _ => Command::new(script(name)),
        };
        command.arg(dir.path()).arg(port.to_string()).args(options).stdout(said.try_clone().unwrap()).stderr(said);
        let mut child = command.spawn().unwrap();
        if answers(address, port, &mut child) {
            return Some(Running { dir, child, software, port });
        }
        let _ = child.kill();
        let _ = child.wait();
    }
    panic!("{software:?} does not start: {}", fs::read_to_string(dir.path().join("said")).unwrap_or_default());
}

/// A folder with a temporary authority (ca.crt) and its certificate for 127.0.0.1 (server.crt, server.key).
pub fn authority() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert!(Command::new(script("ca.sh")).arg(dir.path()).status().unwrap().success(), "ca.sh failed; is openssl there?");
    dir
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(name)
}

fn missing(software: Software) -> Option<String> {
    if fs::metadata("/proc/self").map_or(true, |own| own.uid() != 0) {
        return Some("it needs Linux and root".to_owned());
    }
    let program = match software {
        Software::Vsftpd => PathBuf::from("/usr/sbin/vsftpd"),
        Software::Proftpd => find_installed("proftpd/usr/sbin/proftpd"),
        Software::PureFtpd => find_installed("pure-ftpd/usr/sbin/pure-ftpd"),
        Software::Pyftpdlib => find_installed("python/lib").join("installed"),
    };
    (!program.exists()).then(|| format!("no {}; run tests/servers/install.sh", program.display()))
}

fn answers(address: &str, port: u16, child: &mut Child) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until && child.try_wait().unwrap().is_none() {
        if TcpStream::connect((address, port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

impl Running {
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.crt")
    }

    /// The local path of `in/NAME` on the server.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("root").join(name)
    }

    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.file("in")).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Puts a file on the server before the upload.
    pub fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.file(name), content).unwrap();
        let owner = fs::metadata(self.file("in")).unwrap();
        std::os::unix::fs::chown(self.file(name), Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    /// The number of control connections that have signed in.
    pub fn sign_ins(&self) -> usize {
        self.count_in_log(|line| line.contains("OK LOGIN") || line == "PASS 230")
    }

    /// The number of transfers that were started and did not succeed.
    pub fn failed_uploads(&self) -> usize {
        self.count_in_log(|line| line.contains("FAIL UPLOAD") || (line.starts_with("STOR ") && line != "STOR 226"))
    }

    fn count_in_log(&self, counts: impl Fn(&str) -> bool) -> usize {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        log.lines().filter(|line| counts(line)).count()
    }

    /// Kills the processes that serve connections, as a crash would; the server itself keeps running.
    pub fn cut_connections(&self) {
        signal("KILL", &descendants(self.child.id()));
    }

    /// Suspends the server and all its sessions, until [`Self::go_on`].
    pub fn stand_still(&self) {
        signal("STOP", &[vec![self.child.id()], descendants(self.child.id())].concat());
    }

    pub fn go_on(&self) {
        signal("CONT", &[vec![self.child.id()], descendants(self.child.id())].concat());
    }

    /// Suspends the sessions with all their locks: for both sides that looks like a connection that is lost without a notice.
    pub fn freeze_connections(&self) {
        signal("STOP", &descendants(self.child.id()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let sessions = descendants(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
        signal("KILL", &sessions);
    }
}

fn descendants(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        // `pid (name) state ppid ...`; the name may contain anything.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let of = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if of == Some(parent) {
            found.push(pid);
            found.extend(descendants(pid));
        }
    }
    found
}

fn signal(name: &str, pids: &[u32]) {
    if !pids.is_empty() {
        let pids = pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        let _ = Command::new("sh").arg("-c").arg(format!("kill -{name} {pids} 2>/dev/null")).status();
    }
}

/// How a client connects to the server.
pub fn server(running: &Running, security: Security) -> FtpServer {
    FtpServer {
        host: "127.0.0.1".to_owned(),
        port: running.port,
        user: "anonymous".to_owned(),
        password: Secret::new(PASSWORD),
        security,
        user_chooses: true,
        ca_file: Some(running.ca_file()),
        timeout: TIMEOUT,
    }
}

pub fn explicit(running: &Running) -> Arc<FtpPool> {
    FtpPool::new(server(running, Security::Explicit))
}

pub fn target(name: &str, size: u64) -> FtpTarget {
    FtpTarget { name: name.to_owned(), temporary: Some(format!("{name}.download")), size: Some(size), ..FtpTarget::default() }
}

pub async fn open_session(pool: &Arc<FtpPool>, size: u64) -> FtpSession {
    open(pool, target("in/a.bin", size)).await.unwrap()
}
