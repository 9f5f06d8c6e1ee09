//! The storage of the stand-ins: bytes on disk, hashed as they come, and the record of what arrived, which tests compare with
//! their source. Bytes are written in the order in which they are received and without a background writer: after a cut upload
//! exactly the received bytes are stored.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;

use crate::model::Protocol;

/// The complete bytes of a file, on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    pub file: PathBuf,
    /// Bytes.
    pub size: u64,
    /// The MD5 in lower-case hex.
    pub md5: String,
}

impl Content {
    /// Hashes an existing file.
    pub fn read(path: &Path) -> io::Result<Content> {
        let mut writer = Hashing::default();
        let mut file = File::open(path)?;
        let mut block = vec![0; 256 * 1024];
        loop {
            match file.read(&mut block)? {
                0 => break,
                n => writer.take(block.get(..n).unwrap_or_default()),
            }
        }
        Ok(writer.content(path))
    }
}

#[derive(Clone)]
struct Hashing {
    md5: md5::Context,
    size: u64,
}

impl Default for Hashing {
    fn default() -> Self {
        Hashing { md5: md5::Context::new(), size: 0 }
    }
}

impl Hashing {
    fn take(&mut self, bytes: &[u8]) {
        self.md5.consume(bytes);
        self.size += bytes.len() as u64;
    }

    fn content(self, path: &Path) -> Content {
        Content { file: path.to_owned(), size: self.size, md5: format!("{:x}", self.md5.finalize()) }
    }
}

/// A file that grows. [`UploadFile::mark`] and [`UploadFile::rewind_to`] undo bytes that must not count.
pub struct UploadFile {
    path: PathBuf,
    hashing: Hashing,
}

/// A position to go back to.
pub struct Checkpoint(Hashing);

impl UploadFile {
    pub fn new(path: PathBuf) -> io::Result<Self> {
        File::create(&path)?;
        Ok(UploadFile { path, hashing: Hashing::default() })
    }

    /// The number of bytes that count.
    pub fn size(&self) -> u64 {
        self.hashing.size
    }

    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        file.seek(SeekFrom::Start(self.hashing.size))?;
        file.write_all(bytes)?;
        self.hashing.take(bytes);
        Ok(())
    }

    /// Appends a whole other file, block by block.
    pub fn append_file(&mut self, other: &Path) -> io::Result<()> {
        let mut from = File::open(other)?;
        let mut block = vec![0; 256 * 1024];
        loop {
            match from.read(&mut block)? {
                0 => return Ok(()),
                n => self.append(block.get(..n).unwrap_or_default())?,
            }
        }
    }

    pub fn mark(&self) -> Checkpoint {
        Checkpoint(self.hashing.clone())
    }

    pub fn rewind_to(&mut self, mark: Checkpoint) -> io::Result<()> {
        self.hashing = mark.0;
        OpenOptions::new().write(true).open(&self.path)?.set_len(self.hashing.size)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn content(&self) -> Content {
        self.hashing.clone().content(&self.path)
    }
}

/// One complete file that reached a stand-in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arrived {
    pub provider: String,
    /// The path from the account's root, with a leading slash.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The MD5 in lower-case hex.
    pub md5: String,
    pub protocol: Protocol,
}

/// The number of requests to each stand-in; tests of faults check them. Keys of the maps begin with the provider's name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    requests: BTreeMap<String, u64>,
    uploads: BTreeMap<String, u64>,
    sign_ins: BTreeMap<String, u64>,
    created: BTreeMap<String, u64>,
}

impl Counts {
    /// Requests of one kind: `requests("iogates", "tus-patch")`, `requests("giga0", "file/upload")`,
    /// `requests("fileago", "upload-token")`. The kinds are named beside each stand-in's routes.
    pub fn requests(&self, provider: &str, kind: &str) -> u64 {
        self.requests.get(&format!("{provider} {kind}")).copied().unwrap_or(0)
    }

    /// All requests to one provider.
    pub fn all_requests(&self, provider: &str) -> u64 {
        of(&self.requests, provider).sum()
    }

    /// Bytes of file content received by one upload, including repeated ones. `upload` is the name that it was sent under: the
    /// upload name at ioGates (without `.download`), the file's own name elsewhere.
    pub fn received_bytes(&self, provider: &str, upload: &str) -> u64 {
        self.uploads.get(&format!("{provider} {upload}")).copied().unwrap_or(0)
    }

    /// Bytes of file content received by one provider, including repeated ones.
    pub fn all_received_bytes(&self, provider: &str) -> u64 {
        of(&self.uploads, provider).sum()
    }

    /// Sign-ins that were accepted.
    pub fn sign_ins(&self, provider: &str) -> u64 {
        self.sign_ins.get(provider).copied().unwrap_or(0)
    }

    /// File entries created, with or without content.
    pub fn created_count(&self, provider: &str) -> u64 {
        self.created.get(provider).copied().unwrap_or(0)
    }
}

fn of<'a>(map: &'a BTreeMap<String, u64>, provider: &'a str) -> impl Iterator<Item = u64> + 'a {
    map.iter().filter(move |(k, _)| k.split(' ').next() == Some(provider)).map(|(_, n)| *n)
}

/// The disk and the records, shared by all stand-ins.
pub struct Store {
    folder: PathBuf,
    next: AtomicU64,
    arrived: Mutex<Vec<Arrived>>,
    asked: Mutex<Vec<(String, String)>>,
    counts: Mutex<Counts>,
}

impl Store {
    pub fn new(folder: PathBuf) -> Self {
        Store { folder, next: AtomicU64::new(1), arrived: Mutex::default(), asked: Mutex::default(), counts: Mutex::default() }
    }

    /// A new path for content.
    pub fn new_path(&self) -> PathBuf {
        self.folder.join(format!("{:06}", self.next.fetch_add(1, Ordering::Relaxed)))
    }

    pub fn grow(&self) -> io::Result<UploadFile> {
        UploadFile::new(self.new_path())
    }

    pub fn arrive(&self, provider: &str, path: String, content: &Content, protocol: Protocol) {
        let arrived = Arrived { provider: provider.to_owned(), path, size: content.size, md5: content.md5.clone(), protocol };
        self.arrived.lock().push(arrived);
    }

    pub fn arrivals(&self) -> Vec<Arrived> {
        self.arrived.lock().clone()
    }

    pub fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }

    pub fn count_request(&self, provider: &str, kind: &str) {
        *self.counts.lock().requests.entry(format!("{provider} {kind}")).or_default() += 1;
        self.asked.lock().push((provider.to_owned(), kind.to_owned()));
    }

    pub fn request_kinds(&self, provider: &str) -> Vec<String> {
        self.asked.lock().iter().filter(|(by, _)| by == provider).map(|(_, kind)| kind.clone()).collect()
    }

    pub fn count_received(&self, provider: &str, upload: &str, bytes: usize) {
        *self.counts.lock().uploads.entry(format!("{provider} {upload}")).or_default() += bytes as u64;
    }

    pub fn count_sign_in(&self, provider: &str) {
        *self.counts.lock().sign_ins.entry(provider.to_owned()).or_default() += 1;
    }

    pub fn count_created(&self, provider: &str) {
        *self.counts.lock().created.entry(provider.to_owned()).or_default() += 1;
    }
}
