//! What can be configured for a TUS remote.

use reqwest::Url;

use crate::contract::{Error, Kind, ProviderContext, Result, Setting};
use crate::model::byte_size;
use crate::protocols::http::base_url;
use crate::protocols::tus::check_key;

/// The metadata key of the path, for a file that goes into a folder.
pub const PATH_KEY: &str = "path";
/// The metadata key of the MIME type, as browsers' clients send it. `metadata` may set another value.
pub const TYPE_KEY: &str = "filetype";
const NAME_KEY: &str = "filename";

const fn plain(key: &'static str, help: &'static str) -> Setting {
    Setting { key, help, secret: false, required: false, identifies: false }
}

pub static SETTINGS: &[Setting] = &[
    Setting { required: true, ..plain("url", "the creation endpoint, as https://HOST/files/") },
    Setting { secret: true, identifies: true, ..plain("token", "sent as `Authorization: Bearer`") },
    Setting { secret: true, identifies: true, ..plain("headers", "lines of `Name: value`, sent to the origin of url and to no other") },
    plain("metadata", "KEY=VALUE,… sent with every upload"),
    plain("name_key", "the metadata key of a file's name; filename unless given"),
    plain("chunk_size", "bytes of each request but the last, where the server wants them exactly so (6M)"),
    plain("ca_file", "PEM certificates to trust besides the system's"),
    plain("insecure", "true allows plain http"),
];

#[derive(Clone, Debug)]
pub struct Settings {
    /// The URL where uploads are created.
    pub endpoint: Url,
    /// The metadata of every upload.
    pub metadata: Vec<(String, String)>,
    pub name_key: String,
    /// Bytes of each part except the last.
    pub chunk_size: Option<u64>,
}

impl Settings {
    /// Fails with `Usage` when a value makes no sense.
    pub fn read(opening: &ProviderContext) -> Result<Settings> {
        let get = |key: &str| opening.secrets.get(key).filter(|value| !value.is_empty());
        let on = |error: Error| error.with_subject(opening.remote.clone());
        let url = get("url").ok_or_else(|| on(Error::new(Kind::Usage, "this remote has no url")))?;
        let mut endpoint = base_url(&url, opening.network.insecure).map_err(|e| match opening.is_url() {
            true => e.with_hint("use tus+https://, or make a remote with `insecure = true`, by `haul remote add`"),
            false => e,
        })?;
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err(on(Error::new(Kind::Usage, "a sign-in does not belong into the url").with_hint("set `token` or `headers`")));
        }
        endpoint.set_fragment(None);
        let name_key = get("name_key").unwrap_or_else(|| NAME_KEY.to_owned());
        check_key(&name_key).map_err(on)?;
        let metadata = get("metadata").map_or(Ok(Vec::new()), |text| pairs(&text)).map_err(on)?;
        let taken = metadata.iter().find(|(key, _)| *key == name_key || key == PATH_KEY);
        if let Some((key, _)) = taken {
            return Err(on(Error::new(Kind::Usage, format!("the file itself says the metadata key {key:?}"))));
        }
        let chunk_size = get("chunk_size").map(|text| bytes(&text)).transpose().map_err(on)?;
        Ok(Settings { endpoint, metadata, name_key, chunk_size })
    }
}

/// `KEY=VALUE,…`; a key without `=` has no value.
fn pairs(text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = key.trim();
        check_key(key)?;
        if pairs.iter().any(|(known, _)| known == key) {
            return Err(Error::new(Kind::Usage, format!("`metadata` has the key {key:?} twice")));
        }
        pairs.push((key.to_owned(), value.trim().to_owned()));
    }
    Ok(pairs)
}

fn bytes(text: &str) -> Result<u64> {
    match byte_size::parse(text).map_err(|why| Error::new(Kind::Usage, format!("chunk_size: {why}")))? {
        0 => Err(Error::new(Kind::Usage, "chunk_size can't be 0")),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::server::provider_context;

    fn read(told: &[(&'static str, &str)]) -> Result<Settings> {
        Settings::read(&provider_context(told, &Default::default()))
    }

    #[test]
    fn what_a_remote_may_say() {
        let url = ("url", "https://h.example/storage/v1/upload/resumable?x=1");
        let told = read(&[
            url,
            ("metadata", "bucketName=media, cacheControl=max-age=3600,requiresignedurls"),
            ("name_key", "objectName"),
            ("chunk_size", "6M"),
        ])
        .unwrap();
        assert_eq!(told.endpoint.as_str(), url.1);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(told.metadata, [pair("bucketName", "media"), pair("cacheControl", "max-age=3600"), pair("requiresignedurls", "")]);
        assert_eq!((told.name_key.as_str(), told.chunk_size), ("objectName", Some(6 << 20)));
        let plain = read(&[url]).unwrap();
        assert_eq!((plain.name_key.as_str(), plain.chunk_size, plain.metadata.len()), ("filename", None, 0));
    }

    #[test]
    fn what_makes_no_sense_is_found_at_once() {
        let url = ("url", "https://h.example/files/");
        for told in [
            &[][..],
            &[("url", "http://h.example/files/")],
            &[("url", "https://ann:pw@h.example/files/")],
            &[url, ("metadata", "filename=x")],
            &[url, ("metadata", "path=x")],
            &[url, ("metadata", "a=1,a=2")],
            &[url, ("metadata", "a b=1")],
            &[url, ("name_key", "a,b")],
            &[url, ("chunk_size", "0")],
            &[url, ("chunk_size", "many")],
        ] {
            assert_eq!(read(told).unwrap_err().kind(), Kind::Usage, "{told:?}");
        }
    }
}
