//! Downloads of giga0: a URL that contains a token, often on another host; a refusal comes as a web page (providers.md 2.6).
//! The URL is requested anew each time: a stale URL also returns a page.

use std::time::Duration;

use reqwest::Url;

use super::entry::file_number;
use super::remote::Giga0;
use crate::contract::{Download, Error, Kind, Result};
use crate::model::{Entry, Secret};
use crate::protocols::http::download;
use crate::protocols::http::download::{HtmlPage, Opened, RangeRequest};

/// The longest wait that haul obeys; the user decides about a longer one.
const MAX_WAIT: Duration = Duration::from_secs(3600);

impl Giga0 {
    pub(super) async fn download(&self, file: &Entry, from: u64) -> Result<Download> {
        let url = self.download_url(file).await?;
        let mime = file.extra.get("type").and_then(|kind| kind.as_str());
        let ask = RangeRequest { url, from, size: file.size, name: &file.name, mime };
        match download::open(&self.api.http, &ask).await? {
            Opened::File(download) => Ok(download),
            Opened::Page(page) => Err(verdict(&page)),
        }
    }

    /// Returns a URL that works for about a day.
    pub(super) async fn download_link(&self, file: &Entry) -> Result<Secret> {
        Ok(Secret::new(self.download_url(file).await?))
    }

    async fn download_url(&self, file: &Entry) -> Result<Url> {
        let found = self.api.file_download(file_number(file)?).await?;
        let url = found.download_url.ok_or_else(|| Error::new(Kind::Protocol, "the site gave no address for the download"))?;
        download::redirect_target(&self.api.base, &url)
    }
}

/// The error for a page: wait between downloads, too many at once, removed, premium only, a daily limit (providers.md 2.6). The
/// first two are transient.
fn verdict(page: &HtmlPage) -> Error {
    let said = page.reason.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["removed", "deleted", "not found", "no longer available"]) {
        return page.error_of(Kind::NotFound);
    }
    if has(&["daily", "per day", "premium", "upgrade", "register"]) {
        return page.error_of(Kind::Refused);
    }
    if has(&["wait", "too many", "concurrent", "at the same time", "at once", "simultaneous", "parallel"]) {
        return page.error_of(Kind::Busy).with_retry_after(parse_wait(&said));
    }
    page.error()
}

/// Finds the wait in `… wait 30 seconds …`. `said` is in lower case.
fn parse_wait(said: &str) -> Option<Duration> {
    let words: Vec<&str> = said.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(2).find_map(|pair| {
        let [number, unit] = pair else { return None };
        let seconds = match unit.get(..3)? {
            "sec" => 1,
            "min" => 60,
            "hou" => 3600,
            _ => return None,
        };
        Some(Duration::from_secs(number.parse::<u64>().ok()?.saturating_mul(seconds)).min(MAX_WAIT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_pages_mean() {
        for (reason, sent, kind, seconds) in [
            ("You must wait 30 seconds between downloads.", true, Kind::Busy, Some(30)),
            ("Please wait 2 minutes.", true, Kind::Busy, Some(120)),
            ("Please wait 99999999999999999999 minutes.", true, Kind::Busy, None),
            ("Please wait 99999 hours.", true, Kind::Busy, Some(3600)),
            ("You have too many concurrent downloads.", true, Kind::Busy, None),
            ("Please wait", false, Kind::Busy, None),
            ("File has been removed.", true, Kind::NotFound, None),
            ("You have reached your daily limit, wait 12 hours", true, Kind::Refused, None),
            ("Only premium users may download this.", true, Kind::Refused, None),
            ("sent to the site's login page", true, Kind::Refused, None),
            ("Down for maintenance", false, Kind::Protocol, None),
            ("", false, Kind::Protocol, None),
        ] {
            let error = verdict(&HtmlPage { reason: reason.to_owned(), sent });
            assert_eq!((error.kind(), error.retry_after().map(|wait| wait.as_secs())), (kind, seconds), "{reason}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
