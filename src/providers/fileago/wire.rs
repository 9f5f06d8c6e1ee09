//! FileAgo's JSON as it comes. No field makes the parsing fail; a missing one is none (providers.md OQ-34).

use serde::{Deserialize, Deserializer};

use crate::model::Secret;
use crate::protocols::lenient_json;

/// The fields of the envelope (providers.md 3.2).
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Status {
    #[serde(deserialize_with = "lenient_json::text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub msg: Option<String>,
}

/// `POST /auth`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Grant {
    #[serde(deserialize_with = "lenient_json::secret")]
    pub token: Option<Secret>,
    /// A part of every download's path (providers.md 3.6).
    #[serde(deserialize_with = "lenient_json::secret")]
    pub fileaccesskey: Option<Secret>,
}

/// `GET /api/nodes/{id}/upload`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct UploadToken {
    #[serde(deserialize_with = "lenient_json::secret")]
    pub token: Option<Secret>,
}

#[derive(Deserialize)]
pub struct One<T> {
    pub data: Option<T>,
}

/// `data` that is null or false is an empty list; an answer without `data` has no list.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct Many<T> {
    #[serde(default = "absent_list", deserialize_with = "deserialize_list")]
    pub data: Option<Vec<T>>,
}

fn absent_list<T>() -> Option<Vec<T>> {
    None
}

fn deserialize_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    lenient_json::list(from).map(Some)
}

/// A file or folder: from a `dirlist`, or from its own details, which lack size and revision (providers.md 3.4).
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Node {
    #[serde(deserialize_with = "lenient_json::text")]
    pub name: Option<String>,
    /// `Dir` or `File`.
    #[serde(rename = "type", deserialize_with = "lenient_json::text")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub uuid: Option<String>,
    /// Bytes of a file; for a `Dir` the number of its entries.
    #[serde(deserialize_with = "lenient_json::number")]
    pub size: Option<u64>,
    /// Counted from 1; files only.
    #[serde(deserialize_with = "lenient_json::number")]
    pub revision: Option<u64>,
    /// Milliseconds since 1970.
    #[serde(deserialize_with = "lenient_json::number")]
    pub created: Option<u64>,
    /// Milliseconds since 1970.
    #[serde(deserialize_with = "lenient_json::number")]
    pub updated: Option<u64>,
    #[serde(deserialize_with = "lenient_json::flag")]
    pub is_starred: Option<bool>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub comment_count: Option<u64>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub public_shares: Option<u64>,
    #[serde(deserialize_with = "lenient_json::number")]
    pub private_shares: Option<u64>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub owner_type: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub owner_uuid: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub owner_fullname: Option<String>,
}

/// One step of a node's path, from the top.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PathStep {
    #[serde(deserialize_with = "lenient_json::text")]
    pub uuid: Option<String>,
}

/// `GET /api/groups/` (providers.md 3.3).
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Group {
    #[serde(rename = "group_name", deserialize_with = "lenient_json::text")]
    pub name: Option<String>,
    #[serde(rename = "group_uuid", deserialize_with = "lenient_json::text")]
    pub uuid: Option<String>,
}
