//! An entry of ioGates as `haul` shows it. A download URL is shown only without its secret.

use reqwest::Url;
use serde_json::Value;

use super::wire::File;
use crate::contract::Metadata;
use crate::contract::lookup::known_fields;
use crate::model::{Entry, EntryKind, RemotePath, Secret};

/// True until the bytes have arrived: `md5` and `download` are null so long (providers.md 1.7).
pub fn is_empty(file: &File) -> bool {
    file.md5.is_none() && file.download.is_none()
}

/// Like [`is_empty`], for listings: a token that may not download gets neither field, but `Etag` counts what has arrived
/// (providers.md 1.7).
fn is_unfinished(file: &File) -> bool {
    let etag = file.etag.as_u64().or_else(|| file.etag.as_str()?.trim_matches('"').parse().ok());
    is_empty(file) && etag.is_none_or(|n| n == 0)
}

/// `modified` is the time when the entry was created: ioGates reports no other time, and never changes a file's bytes.
pub fn entry_of(file: File, path: RemotePath) -> Entry {
    let folder = file.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("dir"));
    let kind = if folder { EntryKind::Folder } else { EntryKind::File };
    let unfinished = !folder && is_unfinished(&file);
    let mut entry = Entry { incomplete: unfinished, ..Entry::new(kind, file.id.unwrap_or_default(), path) };
    if let Some(name) = file.name {
        entry.name = name;
    }
    entry.size = file.size.filter(|_| !folder);
    entry.modified = file.created;
    entry.md5 = file.md5;
    entry.url = file.download.as_deref().and_then(without_secret);
    let own = [
        ("type", file.kind.map(Value::from)),
        ("attributes", Some(file.attributes).filter(|a| a.as_array().is_some_and(|a| !a.is_empty()) || a.is_object())),
        ("description", file.description.map(Value::from)),
        ("editable", file.editable.map(Value::from)),
        ("transfer_name", file.transfer_name.map(Value::from)),
        ("Etag", Some(file.etag).filter(|e| e.is_number() || e.is_string())),
    ];
    entry.extra = known_fields(own).into();
    entry
}

/// The type and the attributes of an entry as the server lists them (providers.md 1.6).
pub fn metadata_of(entry: &Entry) -> Metadata {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pair = |pair: &Value| Some((pair.get("name")?.as_str()?.to_owned(), text(pair.get("value")?)));
    let attributes = entry.extra.get("attributes").and_then(|list| list.as_array());
    Metadata {
        kind: entry.extra.get("type").and_then(|kind| kind.as_str()).map(str::to_owned),
        attributes: attributes.into_iter().flatten().filter_map(pair).collect(),
    }
}

/// `https://HOST/download-file/59537/0/0/1/0/***`: the last step of a download URL works like a password (providers.md 1.10).
fn without_secret(download: &str) -> Option<String> {
    let mut url = Url::parse(download).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    url.set_query(None);
    url.set_fragment(None);
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().pop().push("***");
    Some(url.into())
}

/// Registers the secret of a download URL with the masking. Not done for whole listings: their URLs are masked here and kept
/// nowhere, and 20,000 secrets would make each printed line slow.
pub fn remember_secret(file: &File) {
    let Some(download) = file.download.as_deref() else { return };
    let path = download.split(['?', '#']).next().unwrap_or(download);
    drop(Secret::new(download));
    if let Some(last) = path.trim_end_matches('/').rsplit('/').next() {
        drop(Secret::new(last));
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::examples::*;
    use super::*;
    use crate::model::secret::mask;

    #[test]
    fn an_uploaded_file_shows_all_but_its_secret() {
        let file: File = parse(FILE_UPLOADED);
        assert!(!is_empty(&file));
        remember_secret(&file);
        let entry = entry_of(file, RemotePath::parse("/Show/My Title").unwrap());
        assert_eq!((entry.id.as_str(), entry.kind, entry.size), ("61463", EntryKind::File, None));
        assert_eq!(entry.modified.unwrap().to_rfc3339(), "2019-06-18T14:55:12+00:00");
        assert_eq!(
            serde_json::to_string(&entry.extra).unwrap(),
            r#"{"type":"movie","attributes":[{"name":"My Attribute","value":"Some Value"}],"editable":true,"transfer_name":"My Title.mp4","Etag":1}"#
        );
        let shown = serde_json::to_string(&entry).unwrap();
        assert!(shown.contains("/download-file/59537/0/0/1/0/***") && !shown.contains("351-YC20"), "{shown}");
        assert_eq!(mask("got 351-YC20zxKNb7a5PoxtRjazw7A23TpfZ0Kd"), "got ***");
    }

    #[test]
    fn urls_lose_every_part_that_may_be_secret() {
        assert_eq!(without_secret("https://u:p@h.example/a/b/?token=1#x").as_deref(), Some("https://h.example/a/***"));
        assert_eq!(without_secret("javascript:alert(1)"), None);
        assert_eq!(without_secret("/relative/secret"), None);
    }
}
