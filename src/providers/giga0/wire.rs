//! giga0's JSON as it comes: ids, sizes and counters are strings in most places and numbers in others, and any field may be
//! null (providers.md 2.1). No field makes the parsing fail; a missing one is none.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::model::Secret;
use crate::protocols::lenient_json;

/// The marks that tell success from failure; different versions of the script use different ones (providers.md 2.1).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Status {
    #[serde(rename = "_status", deserialize_with = "lenient_json::text")]
    pub call_status: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient_json::flag")]
    pub result: Option<bool>,
    #[serde(deserialize_with = "lenient_json::flag")]
    pub success: Option<bool>,
    pub response: Value,
    pub message: Value,
    /// The text of the answer to an unknown call.
    #[serde(rename = "0")]
    pub zero: Value,
    pub data: Option<IgnoredAny>,
}

/// The same answer, read for its content.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub struct Envelope<T> {
    #[serde(default = "none")]
    pub data: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

/// `/authorize`.
#[derive(Deserialize)]
pub struct Grant {
    #[serde(default, deserialize_with = "lenient_json::secret")]
    pub access_token: Option<Secret>,
    #[serde(default, deserialize_with = "lenient_json::secret")]
    pub account_id: Option<Secret>,
}

/// `/account/info`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Info {
    #[serde(deserialize_with = "lenient_json::text")]
    pub username: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub level_id: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub email: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub status: Option<String>,
    #[serde(rename = "paidExpiryDate", deserialize_with = "lenient_json::text")]
    pub paid_until: Option<String>,
    /// Bytes; replaces the limit of the package.
    #[serde(rename = "storageLimitOverride", deserialize_with = "lenient_json::number")]
    pub storage: Option<u64>,
}

/// `/account/package`; 0 = no limit.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Package {
    #[serde(deserialize_with = "lenient_json::text")]
    pub label: Option<String>,
    /// Bytes.
    #[serde(deserialize_with = "lenient_json::number")]
    pub max_upload_size: Option<u64>,
    #[serde(deserialize_with = "lenient_json::flag")]
    pub can_upload: Option<bool>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub max_storage_bytes: Option<u64>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub concurrent_uploads: Option<u64>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub concurrent_downloads: Option<u64>,
    /// Seconds.
    #[serde(deserialize_with = "lenient_json::number")]
    pub wait_between_downloads: Option<u64>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub days_to_keep_inactive_files: Option<u64>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub level_type: Option<String>,
}

/// A folder of `/folder/listing`, `/folder/info`, `/folder/create`, `/folder/edit`, `/folder/move`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Folder {
    #[serde(deserialize_with = "lenient_json::text")]
    pub id: Option<String>,
    #[serde(rename = "folderName", deserialize_with = "lenient_json::text")]
    pub name: Option<String>,
    #[serde(rename = "parentId", deserialize_with = "lenient_json::text")]
    pub parent: Option<String>,
    /// The MD5 of the folder's password. Listings lack it.
    #[serde(rename = "accessPassword", deserialize_with = "lenient_json::secret")]
    pub password: Option<Secret>,
    /// Bytes of the whole content; a cached number (providers.md 2.9).
    #[serde(rename = "totalSize", deserialize_with = "lenient_json::number")]
    pub total_size: Option<u64>,
    /// 0 private, 1 unlisted, 2 public.
    #[serde(rename = "isPublic", deserialize_with = "lenient_json::number")]
    pub is_public: Option<u64>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub date_added: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub date_updated: Option<String>,
    #[serde(rename = "url_folder", deserialize_with = "lenient_json::text")]
    pub url: Option<String>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub child_folder_count: Option<u64>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub file_count: Option<u64>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub status: Option<String>,
}

/// A file of `/folder/listing`, `/file/info`, `/file/edit`. `url_file_delete` works like a password and is not read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct File {
    #[serde(deserialize_with = "lenient_json::text")]
    pub id: Option<String>,
    #[serde(rename = "filename", deserialize_with = "lenient_json::text")]
    pub name: Option<String>,
    #[serde(rename = "shortUrl", deserialize_with = "lenient_json::text")]
    pub short_url: Option<String>,
    #[serde(rename = "fileType", deserialize_with = "lenient_json::text")]
    pub mime: Option<String>,
    /// Bytes.
    #[serde(rename = "fileSize", deserialize_with = "lenient_json::number")]
    pub size: Option<u64>,
    /// Only in listings.
    #[serde(deserialize_with = "lenient_json::text")]
    pub status: Option<String>,
    /// Only in `/file/info` (providers.md 2.8).
    #[serde(deserialize_with = "lenient_json::text")]
    pub file_status: Option<String>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub downloads: Option<u64>,
    #[serde(rename = "uploadedDate", deserialize_with = "lenient_json::text")]
    pub uploaded: Option<String>,
    #[serde(rename = "folderId", deserialize_with = "lenient_json::text")]
    pub folder_id: Option<String>,
    #[serde(rename = "url_file", deserialize_with = "lenient_json::text")]
    pub url: Option<String>,
}

/// The one object of `/file/upload`'s list. `delete_url` and `delete_hash` work like passwords and are not read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Stored {
    #[serde(deserialize_with = "lenient_json::text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub size: Option<u64>,
    /// Set although the call was a success: the site refused the file.
    pub error: Value,
    #[serde(deserialize_with = "lenient_json::text")]
    pub hash: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub short_url: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub file_id: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub url: Option<String>,
}

/// The `data` of `/file/upload`: a list of one object, or the object itself.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum UploadAnswer {
    List(Vec<Stored>),
    One(Box<Stored>),
}

/// `/file/download`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SearchResult {
    #[serde(deserialize_with = "lenient_json::text")]
    pub file_id: Option<String>,
    /// Works like a password for about a day.
    #[serde(deserialize_with = "lenient_json::text")]
    pub download_url: Option<String>,
}

/// `/file/copy`: the only answer whose rows are not in `data` (providers.md 2.8).
#[derive(Deserialize)]
pub struct Copied {
    pub new_file: Envelope<File>,
}

/// `/file/url_upload_add` and `/file/url_upload_status` (providers.md 2.7).
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Scheduled {
    #[serde(rename = "scheduled_item_id", deserialize_with = "lenient_json::text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub status: Option<String>,
    /// Bytes.
    #[serde(deserialize_with = "lenient_json::number")]
    pub total_size: Option<u64>,
    /// Null, false, an empty list or absent before the end.
    pub downloaded_file: Value,
}
