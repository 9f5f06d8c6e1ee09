//! Downloads of FileAgo: the path contains the user's key, and no header is needed (providers.md 3.6). The path is not publicly
//! documented: it is a constant here, and a remote may configure another (OQ-26).

use reqwest::Url;

use super::entry::revision;
use super::remote::FileAgo;
use crate::contract::{Download, Error, Kind, Result};
use crate::model::Entry;
use crate::protocols::http::download;
use crate::protocols::http::download::{Opened, RangeRequest};

/// Relative to the server's root.
const PATH: &str = "resources/auth/download/{key}/{id}/{revision}/{name}";
pub const HELP: &str = "where downloads are, if not at resources/auth/download/{key}/{id}/{revision}/{name}";
/// The newest revision, for servers since version 1.4.0.
const LATEST: &str = "latest";
/// The newest revision, in the form that earlier clients used.
const NEWEST: &str = "999999999999999";
const DOWNLOAD: &str = "download";

impl FileAgo {
    pub(super) async fn download(&self, file: &Entry, from: u64) -> Result<Download> {
        if file.is_folder() {
            return Err(Error::new(Kind::Refused, "this is a folder, not a file").with_subject(file.path.to_string()));
        }
        let number = revision(file).map(|number| number.to_string());
        let refused = match self.fetch(file, number.as_deref().unwrap_or(LATEST), from).await {
            Err(error) if is_about_the_revision(&error) => error,
            outcome => return outcome,
        };
        // A part of a revision that the server no longer keeps is useless: the newest revision is another content.
        let from = if number.is_some() { 0 } else { from };
        match self.fetch(file, NEWEST, from).await {
            Err(error) if is_about_the_revision(&error) => Err(refused),
            outcome => outcome,
        }
    }

    async fn fetch(&self, file: &Entry, revision: &str, from: u64) -> Result<Download> {
        let (key, token) = self.api.download_key().await?;
        let path = self.api.download_path.as_deref().unwrap_or(PATH);
        // No URL can hold these names; the id alone selects the file.
        let name = if matches!(file.name.as_str(), "" | "." | "..") { "file" } else { &file.name };
        let values = [("{key}", key.expose()), ("{id}", &file.id), ("{revision}", revision), ("{name}", name)];
        let url = address(&self.api.base, path, &values)?;
        let ask = RangeRequest { url, from, size: file.size, name: &file.name, mime: None };
        match download::open(&self.api.http, &ask).await {
            Ok(Opened::File(download)) => Ok(download),
            Ok(Opened::Page(page)) => Err(page.error()),
            Err(error) => {
                let error = if error.status_code() == Some(403) { self.forbidden(file, error).await } else { error };
                if error.kind() == Kind::Expired {
                    self.api.reject(&token).await;
                }
                Err(error)
            }
        }
    }

    /// "Read" does not include "download" (providers.md 3.3): the error lists what this user may do. If that includes
    /// downloads, the key has expired together with the token (3.6).
    async fn forbidden(&self, file: &Entry, error: Error) -> Error {
        match self.api.my_access(&file.id).await {
            Ok(words) if words.iter().any(|word| word == DOWNLOAD) => error.with_kind(Kind::Expired),
            Ok(words) => Error::new(Kind::Refused, format!("you may not download this file, only: {}", words.join(", ")))
                .with_status(403)
                .with_hint("ask its owner for the permission to download"),
            Err(asked) if asked.kind() == Kind::Expired => asked,
            Err(_) => error,
        }
    }
}

/// 401 and 403 refuse the user; these refuse the revision.
fn is_about_the_revision(error: &Error) -> bool {
    matches!(error.status_code(), Some(400 | 404 | 405 | 406 | 410 | 422))
}

/// Each value becomes one step of the path, whatever it contains.
fn address(base: &Url, path: &str, values: &[(&str, &str)]) -> Result<Url> {
    let mut url = base.clone();
    if let Ok(mut steps) = url.path_segments_mut() {
        steps.pop_if_empty();
        for step in path.split('/').filter(|step| !step.is_empty()) {
            let value = values.iter().find(|(name, _)| *name == step).map_or(step, |(_, value)| *value);
            if matches!(value, "" | "." | "..") {
                return Err(Error::new(Kind::Refused, "no download address can be made with this id").with_subject(format!("{value:?}")));
            }
            steps.push(value);
        }
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_stays_one_step() {
        let base = Url::parse("https://files.example/fa/").unwrap();
        let at = |path: &str, name: &str| {
            address(&base, path, &[("{key}", "6dba"), ("{id}", "a-b"), ("{revision}", "3"), ("{name}", name)]).map(String::from)
        };
        assert_eq!(at(PATH, "ü 1%.mov").unwrap(), "https://files.example/fa/resources/auth/download/6dba/a-b/3/%C3%BC%201%25.mov");
        assert_eq!(at(PATH, "a/../b?c#d").unwrap(), "https://files.example/fa/resources/auth/download/6dba/a-b/3/a%2F..%2Fb%3Fc%23d");
        assert_eq!(at("/dl/{id}/{key}/", "x").unwrap(), "https://files.example/fa/dl/a-b/6dba");
        assert_eq!(at(PATH, "..").unwrap_err().kind(), Kind::Refused);
    }
}
