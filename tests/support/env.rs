//! A sandbox with a home for the command under test, and content to upload.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use haul::sandbox::Sandbox;
use serde_json::Value;

use crate::support::command::{Home, Ran};
use crate::support::stand_ins::StandIns;

/// A sandbox that lives as long as the test; the command under test runs in separate processes.
pub struct TestEnv {
    pub sandbox: Sandbox,
    pub home: Home,
    pub _runtime: tokio::runtime::Runtime,
}

impl TestEnv {
    pub fn new() -> TestEnv {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start()).unwrap();
        let home = Home::new().env(sandbox.env());
        TestEnv { sandbox, home, _runtime: runtime }
    }

    /// Path and content of every complete file on the remote.
    pub fn arrivals(&self, provider: &str) -> BTreeMap<String, Content> {
        let files = self.sandbox.arrivals().into_iter().filter(|f| f.provider == provider);
        // A file that arrived under one name may have another name by now.
        files.filter_map(|f| Some((f.path.clone(), Content(std::fs::read(self.sandbox.file(provider, &f.path)?).unwrap())))).collect()
    }

    /// A sandbox that also has the remote `shared`, which uses the share's link in place of a user.
    pub fn with_share_link() -> TestEnv {
        let mut env = TestEnv::new();
        let key = |key: &str| format!("HAUL_REMOTE_SHARED_{key}");
        let ca = env.sandbox.env().into_iter().find(|(name, _)| name == "HAUL_REMOTE_IOGATES_CA_FILE").unwrap().1;
        let share = env.sandbox.iogates().share_url().to_owned();
        env.home = env.home.env([(key("PROVIDER"), "iogates".to_owned()), (key("SHARE_URL"), share), (key("CA_FILE"), ca)]);
        env
    }

    /// The folder of the state, with records of pending and complete transfers.
    pub fn state_file(&self) -> PathBuf {
        let (_, folder) = self.sandbox.env().into_iter().find(|(name, _)| name == "XDG_STATE_HOME").unwrap();
        PathBuf::from(folder).join("haul/state.db")
    }

    /// What `ls` shows of a folder: every entry, complete or not.
    pub fn listed_names(&self, place: &str) -> Vec<String> {
        let ran = self.home.run(&["ls", "--json", place]);
        if ran.status == 3 {
            return Vec::new();
        }
        ran.ends_with(0).json().iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The number of requests of one kind that a stand-in has received.
    pub fn request_count(&self, remote: &str, kind: &str) -> u64 {
        self.sandbox.counts().requests(remote, kind)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.file(".keep", "").with_file_name(name)
    }

    /// The content of a local folder, with hidden files.
    pub fn local(&self, name: &str) -> BTreeMap<String, Content> {
        let top = self.path(name);
        let mut found = BTreeMap::new();
        let mut open = vec![top.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}")) {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, Content(std::fs::read(&path).unwrap_or_default()));
                }
            }
        }
        found
    }

    /// As `local`, for a folder that may not exist.
    pub fn local_or_none(&self, name: &str) -> BTreeMap<String, Content> {
        if self.path(name).exists() { self.local(name) } else { BTreeMap::new() }
    }

    /// Uploads `content` to `path` of a remote, from a folder that no download uses.
    pub fn store(&self, remote: &str, path: &str, content: &Content) {
        self.home.file("origin/file", &content.0);
        self.home.run(&["put", "-q", "origin/file", &format!("{remote}:{path}")]).ends_with(0);
    }

    pub fn get(&self, more: &[&str]) -> Ran {
        self.home.run(&[&["get", "--json"], more].concat())
    }

    /// Starts a `get` and kills it as soon as `least` bytes are in its part.
    pub fn kill_during_get(&self, args: &[&str], part: &Path, least: u64) {
        let mut child = self.home.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while on_disk(part) < least {
            assert!(begun.elapsed() < Duration::from_secs(60), "{part:?} does not grow: {}", on_disk(part));
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Uploads small files; each contains its own path.
    pub fn with_files(remote: &str, paths: &[&str]) -> TestEnv {
        let env = TestEnv::new();
        env.add_files(remote, paths);
        env
    }

    pub fn add_files(&self, remote: &str, paths: &[&str]) {
        for path in paths {
            let input = format!("content of {path}");
            self.home.run_with_input(&["put", "-q", "-", &format!("{remote}:{path}")], input.as_bytes()).ends_with(0);
        }
    }

    pub fn json(&self, args: &[&str]) -> Ran {
        self.home.run(&[args, &["--json"]].concat())
    }

    /// Everything below a place; folders have a slash at the end.
    pub fn there(&self, place: &str) -> BTreeSet<String> {
        let ran = self.json(&["ls", "-R", place]).ends_with(0);
        // Paths below an id contain the id; the tests compare the rest.
        let top = place.split_once(":@").map(|(_, at)| format!("/@{}", at.split('/').next().unwrap())).unwrap_or_default();
        ran.events("entry").iter().map(|entry| display_entry(entry).strip_prefix(&top).unwrap().to_owned()).collect()
    }

    /// The content of the newest file at a path.
    pub fn text(&self, remote: &str, path: &str) -> String {
        let file = self.sandbox.file(remote, path).unwrap_or_else(|| panic!("{remote} has no {path}"));
        String::from_utf8(std::fs::read(file).unwrap()).unwrap()
    }

    pub fn id(&self, place: &str) -> String {
        let (folder, name) = place.rsplit_once('/').unwrap();
        let folder = if folder.ends_with(':') { format!("{folder}/") } else { folder.to_owned() };
        let entries = self.json(&["ls", &folder]).ends_with(0).events("entry");
        entries.iter().find(|e| e["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    }

    pub fn script(&self, faults: &str) {
        self.sandbox.faults().script(faults).unwrap();
    }

    #[track_caller]
    pub fn faults_are_used_up(&self) {
        assert!(self.sandbox.faults().remaining().is_empty(), "{:?}", self.sandbox.faults().remaining());
    }

    pub fn requests(&self, remote: &str) -> u64 {
        self.sandbox.counts().all_requests(remote)
    }
}

/// The size of the written bytes: with several streams the file has its full length from the start.
#[cfg(unix)]
fn on_disk(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map_or(0, |meta| meta.len().min(meta.blocks() * 512))
}

#[cfg(not(unix))]
fn on_disk(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

fn display_entry(entry: &Value) -> String {
    let slash = if entry["kind"] == "folder" { "/" } else { "" };
    format!("{}{slash}", entry["path"].as_str().unwrap())
}

pub fn set<const N: usize>(paths: [&str; N]) -> BTreeSet<String> {
    paths.into_iter().map(str::to_owned).collect()
}

/// Shows differing bytes without filling the screen.
#[derive(PartialEq, Eq, Clone)]
pub struct Content(pub Vec<u8>);

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, MD5 {:x}", self.0.len(), md5::compute(&self.0))
    }
}

pub fn text(text: &str) -> Content {
    Content(text.as_bytes().to_vec())
}

pub fn bytes(len: usize, seed: u32) -> Content {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    Content((0..len).map(step).collect())
}

pub fn tree(home: &Home) -> BTreeMap<String, Content> {
    let files = BTreeMap::from([
        ("a.txt".to_owned(), text("a")),
        ("deep/er/b.bin".to_owned(), bytes(300_000, 1)),
        ("deep/größe ✓ \"q\" #%.txt".to_owned(), text("names")),
        ("z.bin".to_owned(), bytes(1_000_003, 2)),
    ]);
    for (name, content) in &files {
        home.file(&format!("src/{name}"), &content.0);
    }
    files
}

pub fn below(prefix: &str, files: &BTreeMap<String, Content>) -> BTreeMap<String, Content> {
    files.iter().map(|(name, content)| (format!("{prefix}/{name}"), content.clone())).collect()
}
