//! An upload as an entry: its address is its id, and its size is the number of bytes that the server holds.

use reqwest::Url;
use serde_json::Value;

use crate::contract::lookup::known_fields;
use crate::model::{Entry, EntryKind, RemotePath};
use crate::protocols::tus::UploadStatus;

/// `name_key` is the metadata key of the name, which some servers report.
pub fn of_status(upload: &Url, status: &UploadStatus, name_key: &str) -> Entry {
    let mut entry = Entry::new(EntryKind::File, upload.as_str(), RemotePath::root().anchored_at(upload.as_str()));
    let told = |key: &str| status.metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
    let last_step = || upload.path_segments().and_then(|mut steps| steps.rfind(|step| !step.is_empty())).map(str::to_owned);
    entry.name = told(name_key).filter(|name| !name.is_empty()).or_else(last_step).unwrap_or_default();
    entry.url = Some(upload.to_string());
    entry.size = Some(status.offset);
    entry.incomplete = status.length != Some(status.offset);
    let metadata = status.metadata.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    entry.extra = known_fields([
        ("length", status.length.map(Value::from)),
        ("expires", status.expires.map(|at| Value::from(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)))),
        ("metadata", Some(Value::Object(metadata)).filter(|_| !status.metadata.is_empty())),
    ])
    .into();
    entry
}

/// The entry of a finished upload.
pub fn of_finished(upload: &Url, path: RemotePath, size: Option<u64>) -> Entry {
    let url = Some(upload.to_string());
    Entry { size, url, ..Entry::new(EntryKind::File, upload.as_str(), path) }
}
