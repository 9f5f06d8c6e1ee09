//! A sandbox with a home for the command under test, and content to put.

use std::collections::BTreeMap;

use haul::sandbox::Sandbox;

use crate::support::command::Home;

pub const REMOTES: [&str; 3] = ["iogates", "giga0", "fileago"];

/// A sandbox that lives as long as the test; the command under test runs in processes of its own.
pub struct Play {
    pub sandbox: Sandbox,
    pub home: Home,
    _runtime: tokio::runtime::Runtime,
}

impl Play {
    pub fn new() -> Play {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start()).unwrap();
        let home = Home::new().env(sandbox.env());
        Play { sandbox, home, _runtime: runtime }
    }

    /// Path and content of everything that is complete there.
    pub fn arrived(&self, provider: &str) -> BTreeMap<String, Content> {
        let files = self.sandbox.arrived().into_iter().filter(|f| f.provider == provider);
        // What came under one name may have another by now.
        files.filter_map(|f| Some((f.path.clone(), Content(std::fs::read(self.sandbox.file(provider, &f.path)?).unwrap())))).collect()
    }
}

/// Bytes that don't flood the screen when they differ.
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
