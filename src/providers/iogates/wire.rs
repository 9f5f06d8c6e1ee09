//! The JSON that ioGates receives and sends (providers.md 1.4 to 1.12). Every field may be missing.

use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::php_json;
use crate::model::Secret;

/// `POST /api/authtoken`: a user's name and password, or a share URL, never both.
#[derive(Serialize)]
pub struct SignIn<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<&'a str>,
    /// In lower case (OQ-5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<&'a str>,
    #[serde(rename = "deviceId")]
    pub device_id: &'a str,
    #[serde(rename = "appName")]
    pub app_name: &'a str,
}

/// The answer to `POST /api/authtoken`.
#[derive(Debug, Default, Deserialize)]
pub struct SignedIn {
    #[serde(default, deserialize_with = "php_json::secret")]
    pub token: Option<Secret>,
    #[serde(default, deserialize_with = "php_json::object")]
    pub profile: Option<Profile>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Profile {
    #[serde(default, deserialize_with = "php_json::id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub username: Option<String>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub realname: Option<String>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub accountname: Option<String>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub email: Option<String>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub expires: Option<String>,
    /// `Active`, `Inactive`, `Blocked`, `ValidationRequired`.
    #[serde(default, deserialize_with = "php_json::text")]
    pub status: Option<String>,
}

/// `GET /api/authinfo/{token}`.
#[derive(Debug, Default, Deserialize)]
pub struct AuthInfo {
    /// In lower case; none when the server lists nothing at all.
    #[serde(default, deserialize_with = "php_json::words")]
    pub available: Option<Vec<String>>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub default: Option<String>,
    #[serde(default, deserialize_with = "php_json::object")]
    pub ftp: Option<FtpOffer>,
    #[serde(default, deserialize_with = "php_json::object")]
    pub plupload: Option<Web>,
    #[serde(default, deserialize_with = "php_json::object")]
    pub tus: Option<Web>,
    /// Bytes; 0 = no limit.
    #[serde(default, deserialize_with = "php_json::number")]
    pub max_file_size: Option<u64>,
    /// Bytes.
    #[serde(default, deserialize_with = "php_json::number")]
    pub available_storage: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
pub struct FtpOffer {
    #[serde(default, deserialize_with = "php_json::text")]
    pub server: Option<String>,
    #[serde(default, deserialize_with = "php_json::number")]
    pub port: Option<u64>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub ssl: Option<bool>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub username: Option<String>,
    #[serde(default, deserialize_with = "php_json::secret")]
    pub password: Option<Secret>,
    /// `ftp` or `ftps`.
    #[serde(default, deserialize_with = "php_json::text")]
    pub protocol: Option<String>,
}

/// TUS or plupload.
#[derive(Debug, Default, Deserialize)]
pub struct Web {
    /// Contains a token, in its path or its query.
    #[serde(default, deserialize_with = "php_json::text")]
    pub server: Option<String>,
    /// Bytes of one request; 0 = no limit.
    #[serde(default, deserialize_with = "php_json::number")]
    pub chunk_size: Option<u64>,
    /// Bytes; 0 = no limit.
    #[serde(default, deserialize_with = "php_json::number")]
    pub max_file_size: Option<u64>,
    /// `https` or `http`.
    #[serde(default, deserialize_with = "php_json::text")]
    pub protocol: Option<String>,
}

/// `POST /api/file`.
#[derive(Serialize)]
pub struct NewFile<'a> {
    /// A path from the token's root without a leading slash, or a name in `parent`.
    pub name: &'a str,
    /// A MIME type, or `other`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute<'a>>,
    /// Bytes; the server then refuses an upload of another size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Lower-case hex; the server then refuses an upload with another MD5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub md5: Option<&'a str>,
}

#[derive(Serialize)]
pub struct Attribute<'a> {
    pub name: &'a str,
    /// A number or text.
    pub value: Value,
}

/// `POST /api/files`.
#[derive(Serialize)]
pub struct NewFiles<'a> {
    pub files: Vec<NewFile<'a>>,
}

/// One file or folder, from `POST /api/file`, `GET /api/file/{id}` and `GET /api/files`.
#[derive(Debug, Default, Deserialize)]
pub struct File {
    #[serde(default, deserialize_with = "php_json::id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub name: Option<String>,
    /// `dir`, a MIME type, or `movie`, `audio`, `image`, `other`.
    #[serde(rename = "type", default, deserialize_with = "php_json::text")]
    pub kind: Option<String>,
    #[serde(default)]
    pub attributes: Value,
    /// None, 0 or an unknown id at the top.
    #[serde(default, deserialize_with = "php_json::id")]
    pub parent: Option<String>,
    #[serde(default, deserialize_with = "php_json::date")]
    pub created: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub editable: Option<bool>,
    /// Bytes; null even for a finished file (OQ-11).
    #[serde(default, deserialize_with = "php_json::number")]
    pub size: Option<u64>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub transfer_name: Option<String>,
    /// Works like a password. None until the bytes are there, or without the permission to download.
    #[serde(default, deserialize_with = "php_json::text")]
    pub download: Option<String>,
    /// None until the bytes are there.
    #[serde(default, deserialize_with = "php_json::md5")]
    pub md5: Option<String>,
    #[serde(rename = "Etag", alias = "etag", default)]
    pub etag: Value,
    /// The name to upload under.
    #[serde(default, deserialize_with = "php_json::text")]
    pub upload_filename: Option<String>,
}

/// What is left of `GET /api/files` (all entries below the token's root, in one flat list) without its rows: an empty list.
#[derive(Debug, Default, Deserialize)]
pub struct Files {
    #[serde(default, deserialize_with = "php_json::objects")]
    pub files: Option<Vec<IgnoredAny>>,
}

/// `GET /api/share`: what a share link allows.
#[derive(Debug, Default, Deserialize)]
pub struct Share {
    #[serde(default, deserialize_with = "php_json::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub expired: Option<bool>,
    #[serde(default, deserialize_with = "php_json::text")]
    pub expires: Option<String>,
    #[serde(default, deserialize_with = "php_json::object")]
    pub permissions: Option<Permissions>,
    /// The documents print the key with a space (OQ-13).
    #[serde(alias = "fileid", alias = "file id", default, deserialize_with = "php_json::id")]
    pub file_id: Option<String>,
    #[serde(default, deserialize_with = "php_json::object")]
    pub owner: Option<Profile>,
    /// Bytes; 0 = no limit.
    #[serde(default, deserialize_with = "php_json::number")]
    pub max_file_size: Option<u64>,
    /// Bytes.
    #[serde(default, deserialize_with = "php_json::number")]
    pub available_storage: Option<u64>,
    /// `dir` or `file`.
    #[serde(rename = "type", default, deserialize_with = "php_json::text")]
    pub kind: Option<String>,
    /// The share wants a code sent by SMS before anything else.
    #[serde(default, deserialize_with = "php_json::flag")]
    pub two_factor: Option<bool>,
}

/// What the receiver of a share may do; none if the server does not say.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Permissions {
    /// The original files may be downloaded.
    #[serde(default, deserialize_with = "php_json::flag")]
    pub master: Option<bool>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub converted: Option<bool>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub description: Option<bool>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub comments: Option<bool>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub attachments: Option<bool>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub upload: Option<bool>,
    #[serde(default, deserialize_with = "php_json::flag")]
    pub metainfo: Option<bool>,
}

/// The example answers of the documentation, made valid JSON.
#[cfg(test)]
pub mod examples {
    pub const TOKEN: &str = include_str!("../../../fixtures/iogates/token.json");
    pub const AUTHINFO: &str = include_str!("../../../fixtures/iogates/authinfo.json");
    pub const AUTHINFO_BLANK_SERVERS: &str = include_str!("../../../fixtures/iogates/authinfo_blank_servers.json");
    pub const AUTHINFO_PHP_HABITS: &str = include_str!("../../../fixtures/iogates/authinfo_php_habits.json");
    pub const FILE_CREATED: &str = include_str!("../../../fixtures/iogates/file_created.json");
    pub const FILE_UPLOADED: &str = include_str!("../../../fixtures/iogates/file_uploaded.json");
    pub const FILES: &str = include_str!("../../../fixtures/iogates/files.json");
    pub const SHARE: &str = include_str!("../../../fixtures/iogates/share.json");

    pub fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::examples::*;
    use super::*;

    #[test]
    fn the_documented_answers_are_understood() {
        let signed: SignedIn = parse(TOKEN);
        assert_eq!(signed.token.unwrap().expose(), "123-BodrEJHrC43KejPcM0nzTl05gUMi3i8ruzGN");
        assert_eq!(signed.profile.unwrap().status.as_deref(), Some("Active"));

        let created: File = parse(FILE_CREATED);
        assert_eq!((created.id.as_deref(), created.parent.as_deref()), (Some("61463"), Some("61462")));
        assert_eq!(created.upload_filename.as_deref(), Some("56f06ba8311c2"));
        assert_eq!(created.created.unwrap().to_rfc3339(), "2020-07-07T08:14:21+00:00");
        assert!(created.download.is_none() && created.md5.is_none() && created.size.is_none());

        let share: Share = parse(SHARE);
        assert_eq!((share.file_id.as_deref(), share.owner.unwrap().username.as_deref()), (Some("61460"), Some("ann")));
        assert_eq!(share.permissions.unwrap().upload, Some(false));
    }

    #[test]
    fn php_habits_do_no_harm() {
        let info: AuthInfo = parse(AUTHINFO_PHP_HABITS);
        assert_eq!(info.available.unwrap(), ["tus", "ftp"]);
        assert!(info.ftp.is_none() && info.plupload.is_none());
        assert_eq!(info.tus.unwrap().chunk_size, Some(33_554_432));
        assert_eq!((info.max_file_size, info.available_storage), (Some(524_288_000), None));

        let all_wrong: File = parse(r#"{"id": [], "name": {}, "type": null, "attributes": null, "size": "?", "Etag": "x", "md5": 1}"#);
        assert!(all_wrong.id.is_none() && all_wrong.name.is_none() && all_wrong.size.is_none() && all_wrong.md5.is_none());
    }

    #[test]
    fn a_user_signs_in_without_a_url_and_a_share_without_a_name() {
        let share = SignIn { username: None, password: None, url: Some("u"), device_id: "d", app_name: "haul" };
        assert_eq!(serde_json::to_string(&share).unwrap(), r#"{"url":"u","deviceId":"d","appName":"haul"}"#);
    }
}
