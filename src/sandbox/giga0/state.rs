//! The state of the giga0 stand-in: one account, its one valid token, its files and folders.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use crate::sandbox::middleware::Shared;
use crate::sandbox::options::SandboxOptions;
use crate::sandbox::random;
use crate::sandbox::storage::Content;

pub const ACCOUNT_ID: &str = "158642";

/// The kind of credentials that /authorize wants: a setting of the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginKind {
    #[default]
    Either,
    Password,
    Keys,
}

/// The account's limits; 0 is no limit.
#[derive(Clone, Debug)]
pub struct Package {
    pub can_upload: bool,
    /// Bytes.
    pub max_upload_size: u64,
    /// Bytes.
    pub max_storage_bytes: u64,
    pub concurrent_uploads: u64,
    pub concurrent_downloads: u64,
    /// Files of this size in bytes and larger get a placeholder as their hash.
    pub no_hash_from: u64,
    pub login: LoginKind,
    /// Whether the site fetches URLs for the user.
    pub imports: bool,
}

impl Default for Package {
    fn default() -> Self {
        Package {
            can_upload: true,
            max_upload_size: 0,
            max_storage_bytes: 0,
            concurrent_uploads: 100,
            concurrent_downloads: 0,
            no_hash_from: 0,
            login: LoginKind::Either,
            imports: true,
        }
    }
}

pub struct File {
    pub id: u64,
    pub folder: Option<u64>,
    pub name: String,
    pub short: String,
    pub kind: String,
    pub trashed: bool,
    pub uploaded: DateTime<Utc>,
    pub downloads: u64,
    pub content: Content,
}

pub struct Folder {
    pub id: u64,
    pub parent: Option<u64>,
    pub name: String,
    pub public: u8,
    pub password: Option<String>,
    pub trashed: bool,
    pub added: DateTime<Utc>,
    pub updated: Option<DateTime<Utc>>,
}

#[derive(Default)]
pub struct State {
    pub package: Package,
    /// The one valid token, and the time of its last use.
    pub token: Option<(String, Instant)>,
    pub failed_logins: u32,
    pub files: BTreeMap<u64, File>,
    pub folders: BTreeMap<u64, Folder>,
    /// Download tokens, each with its file.
    pub downloads: HashMap<String, u64>,
    /// URLs that wait to be fetched, or are being fetched.
    pub waiting: HashSet<String>,
    pub imports: BTreeMap<u64, Value>,
    last_id: u64,
}

pub struct Giga0 {
    pub(super) shared: Arc<Shared>,
    pub(super) origin: String,
    username: String,
    password: String,
    keys: (String, String),
    state: Mutex<State>,
}

impl Giga0 {
    pub(in crate::sandbox) fn new(shared: Arc<Shared>, origin: String, options: &SandboxOptions) -> Self {
        Giga0 {
            shared,
            origin,
            username: "ann".to_owned(),
            password: options.secret(random::alnum(20)),
            keys: (random::alnum(64), random::alnum(64)),
            state: Mutex::default(),
        }
    }

    pub fn username(&self) -> &str {
        &self.username
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// `key1` and `key2` of the account page.
    pub fn keys(&self) -> (&str, &str) {
        (&self.keys.0, &self.keys.1)
    }

    pub fn set(&self, change: impl FnOnce(&mut Package)) {
        change(&mut self.state().package);
    }

    /// The MD5 that protects the folder at a path; none when it is open.
    pub fn folder_password(&self, path: &str) -> Option<String> {
        let state = self.state();
        let mut folders = state.folders.values().filter(|f| !f.trashed);
        folders.find(|f| state.name_key(f.parent, &f.name) == path)?.password.clone()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The newest active file at a path.
    pub(in crate::sandbox) fn find(&self, path: &str) -> Option<Content> {
        let state = self.state();
        let mut files = state.files.values().rev().filter(|f| !f.trashed);
        files.find(|f| state.path(f) == path).map(|f| f.content.clone())
    }

    pub(in crate::sandbox) fn files(&self) -> Vec<(String, Content)> {
        let state = self.state();
        state.files.values().filter(|f| !f.trashed).map(|f| (state.path(f), f.content.clone())).collect()
    }

    pub(in crate::sandbox) fn entries(&self, folder: &str) -> Vec<(String, Option<String>)> {
        let state = self.state();
        let inside = |f: &&File| !f.trashed && state.path(f).strip_suffix(&f.name) == Some(&format!("{folder}/"));
        state.files.values().filter(inside).map(|f| (f.name.clone(), Some(f.content.md5.clone()))).collect()
    }
}

impl State {
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        1_000 + self.last_id
    }

    /// Adds a file. If its folder has the name already, the name becomes `name (2).ext`; no file is ever overwritten.
    pub fn add_file(&mut self, folder: Option<u64>, name: &str, content: Content) -> u64 {
        let name = self.free_name(folder, name);
        self.add_file_as(folder, name, content)
    }

    pub fn add_file_as(&mut self, folder: Option<u64>, name: String, content: Content) -> u64 {
        let id = self.next_id();
        let file = File {
            id,
            folder,
            name,
            short: short(id),
            // The type that the upload sent is ignored.
            kind: "application/octet-stream".to_owned(),
            trashed: false,
            uploaded: Utc::now(),
            downloads: 0,
            content,
        };
        self.files.insert(id, file);
        id
    }

    fn free_name(&self, folder: Option<u64>, name: &str) -> String {
        let taken = |name: &str| self.files.values().any(|f| !f.trashed && f.folder == folder && f.name == name);
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
            _ => (name, String::new()),
        };
        let mut free = name.to_owned();
        for n in 2u64.. {
            if !taken(&free) {
                break;
            }
            free = format!("{stem} ({n}){extension}");
        }
        free
    }

    pub fn active_folder(&self, id: u64) -> bool {
        self.folders.get(&id).is_some_and(|f| !f.trashed)
    }

    /// The path from the account's root, with a leading slash.
    pub fn path(&self, file: &File) -> String {
        self.name_key(file.folder, &file.name)
    }

    fn name_key<'a>(&'a self, folder: Option<u64>, name: &'a str) -> String {
        let mut names = vec![name];
        let mut at = folder;
        while let Some(folder) = at.and_then(|id| self.folders.get(&id)) {
            names.push(&folder.name);
            at = folder.parent;
        }
        names.push("");
        names.reverse();
        names.join("/")
    }
}

/// A public id in base 62.
fn short(id: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut rest = id + 7_688;
    let mut text = String::new();
    while rest > 0 {
        if let Some(digit) = DIGITS.get((rest % 62) as usize) {
            text.insert(0, char::from(*digit));
        }
        rest /= 62;
    }
    text
}
