//! Real web servers, started on free ports of 127.0.0.1 and stopped with the test that uses them.
//! `tests/servers/install-web.sh` installs them.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reqwest::Url;
use tempfile::TempDir;

pub struct Server {
    child: Child,
    pub url: Url,
    folder: TempDir,
}

impl Server {
    /// The bytes that the server stored under this name.
    pub fn stored_path(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Prints that a test is skipped; if servers are required (CI), that is a failure.
fn missing(what: &str) {
    let required = std::env::var("HAUL_TEST_REQUIRE_SERVERS").is_ok_and(|v| v == "1");
    assert!(!required, "{what} is missing: run tests/servers/install-web.sh");
    println!("skipped: {what} is missing (tests/servers/install-web.sh installs it)");
}

/// Node from the registry if the system's is too old (see the install script).
fn node(modules: &Path) -> PathBuf {
    let own = modules.join(".bin/node");
    if own.exists() { own } else { "node".into() }
}

fn runs(program: impl AsRef<OsStr>) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("root")).unwrap();
    folder
}

/// The official Node TUS server; unfinished uploads expire after `expires` milliseconds.
pub fn tus(expires: u64) -> Option<Server> {
    start_tus(&[&expires.to_string()])
}

/// The same server without locks: two requests can write to one upload at once.
pub fn tus_without_locks() -> Option<Server> {
    start_tus(&["3600000", "no-locks"])
}

fn start_tus(arguments: &[&str]) -> Option<Server> {
    let modules = here("target/servers/npm/node_modules");
    let node = node(&modules);
    if !modules.join("@tus/server").exists() || !runs(&node) {
        missing("the Node TUS server");
        return None;
    }
    let folder = folder();
    let mut child = Command::new(&node)
        .arg(here("tests/servers/tusnode.mjs"))
        .args([here("target/servers/npm"), folder.path().join("root")])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = Url::parse(&format!("http://127.0.0.1:{}/files", port.trim())).unwrap();
    Some(Server { child, url, folder })
}

/// tuspyserver, which also supports concatenation.
pub fn tuspy() -> Option<Server> {
    let python = here("target/servers/python");
    if !python.join("lib/installed").exists() {
        missing("tuspyserver");
        return None;
    }
    let folder = folder();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(python.join("bin/python"));
    command.arg(here("tests/servers/tuspy.py")).arg(folder.path().join("root")).arg(port.to_string());
    let child = command.spawn().unwrap();
    let server = Server { child, url: Url::parse(&format!("http://127.0.0.1:{port}/files/")).unwrap(), folder };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < until, "tuspyserver does not start");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Some(server)
}

/// plupload's own receiver, changed only where its comments require it: the guard line and the target folder.
pub fn plupload(settings: &[&str]) -> Option<Server> {
    let example = here("target/servers/npm/node_modules/plupload/examples/upload.php");
    let Ok(script) = fs::read_to_string(example) else {
        missing("plupload's receiver");
        return None;
    };
    let script: Vec<&str> = script
        .lines()
        .filter(|line| !line.starts_with("die(\"Make sure"))
        .map(|line| if line.starts_with("$targetDir = ini_get") { "$targetDir = getenv('HAUL_ROOT');" } else { line })
        .collect();
    php(&script.join("\n"), settings)
}

/// A receiver for one plain form.
pub fn form(settings: &[&str]) -> Option<Server> {
    php(&fs::read_to_string(here("tests/servers/receive.php")).unwrap(), settings)
}

fn php(script: &str, settings: &[&str]) -> Option<Server> {
    if !runs("php") {
        missing("php");
        return None;
    }
    let folder = folder();
    fs::create_dir(folder.path().join("www")).unwrap();
    fs::write(folder.path().join("www/up.php"), script).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut php = Command::new("php");
    php.arg("-n").args(["-S", &format!("127.0.0.1:{port}"), "-t"]).arg(folder.path().join("www"));
    for setting in settings {
        php.args(["-d", setting]);
    }
    let mut child = php.env("HAUL_ROOT", folder.path().join("root")).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(") started") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "php did not start");
    }
    // The log of requests must be read, or the server stops when the pipe is full.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    let url = Url::parse(&format!("http://127.0.0.1:{port}/up.php")).unwrap();
    Some(Server { child, url, folder })
}
