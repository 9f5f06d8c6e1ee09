//! The values of the ioGates stand-in's state: settings, tokens, entries, TUS uploads.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde_json::Value;

use crate::sandbox::storage::{Content, UploadFile};

/// Settings that a test or a user may change while the stand-in runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Upload methods on offer, in the server's order.
    pub available: Vec<String>,
    /// The method that the server recommends.
    pub default: String,
    /// Largest body of one PATCH or chunk, in bytes; 0 = no limit.
    pub chunk_size: u64,
    /// Largest file, in bytes; 0 = no limit.
    pub max_file_size: u64,
    /// Free space, in bytes.
    pub available_storage: u64,
    /// Whether the second factor must be passed first.
    pub two_factor: bool,
    /// The permissions of the share link.
    pub share_may_upload: bool,
    pub share_may_download: bool,
    /// Whether the share has expired.
    pub share_expired: bool,
    /// The timecode of every film: the label of its first frame, frames per second, milliseconds.
    pub timecode: (String, f64, i64),
    /// Real servers in place of the stand-in's own; [`super::Iogates::came_in`] reports what they received.
    pub ftp_elsewhere: Option<FtpElsewhere>,
    /// The URL where TUS uploads are created there.
    pub tus_elsewhere: Option<String>,
}

/// An FTPS server on 127.0.0.1.
#[derive(Clone, Debug)]
pub struct FtpElsewhere {
    pub port: u16,
    pub username: String,
    pub password: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            available: ["ftp", "plupload", "tus"].map(str::to_owned).to_vec(),
            default: "ftp".to_owned(),
            chunk_size: 33_554_432,
            max_file_size: 0,
            available_storage: 29_301_996_265,
            two_factor: false,
            share_may_upload: true,
            share_may_download: true,
            share_expired: false,
            timecode: ("00:00:00:00".to_owned(), 25.0, 0),
            ftp_elsewhere: None,
            tus_elsewhere: None,
        }
    }
}

/// The root of a token: the account's own, or the folder that is shared by link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    Account,
    Share,
}

/// A token and the data that was issued with it.
#[derive(Clone)]
pub struct Access {
    pub token: String,
    pub root: Root,
    /// The token's short form in upload URLs.
    pub upload_key: String,
    pub ftp_user: String,
    pub ftp_password: String,
    pub device: Option<String>,
}

/// A file or a folder.
pub struct Entry {
    pub id: u64,
    pub root: Root,
    pub name: String,
    pub kind: String,
    pub attributes: Value,
    pub parent: Option<u64>,
    pub created: DateTime<Utc>,
    /// Announced at creation; the upload is checked against them.
    pub size: Option<u64>,
    pub md5: Option<String>,
    /// The name to upload under; the first upload that fits uses it up.
    pub upload_filename: String,
    pub content: Option<Content>,
    /// The secret in the download URL.
    pub secret: String,
}

impl Entry {
    pub fn is_folder(&self) -> bool {
        self.kind == "dir"
    }
}

/// One TUS upload.
pub struct TusUpload {
    /// The token's key, as in the URL.
    pub key: String,
    pub root: Root,
    /// The name of the upload; a partial upload may have none.
    pub filename: Option<String>,
    /// Bytes; none = not known yet.
    pub length: Option<u64>,
    pub metadata_text: Option<String>,
    /// `Upload-Concat` as HEAD shows it.
    pub concat: Option<String>,
    pub bytes: Arc<Mutex<UploadFile>>,
    pub expires: DateTime<Utc>,
    /// A PATCH is being received.
    pub busy: bool,
    /// Terminated or expired: its URL answers 410.
    pub gone: bool,
    /// Moved to its entry.
    pub done: bool,
}

impl TusUpload {
    pub fn is_partial(&self) -> bool {
        self.concat.as_deref() == Some("partial")
    }

    pub fn is_final(&self) -> bool {
        self.concat.as_deref().is_some_and(|c| c.starts_with("final"))
    }

    pub fn offset(&self) -> u64 {
        self.bytes.lock().size()
    }
}
