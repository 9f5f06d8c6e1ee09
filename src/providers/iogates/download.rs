//! Downloads of ioGates: a plain GET of the entry's own URL, which works like a password (providers.md 1.10). The URL is
//! requested anew each time, as its lifetime is not documented.

use reqwest::Url;

use super::remote::IoGates;
use crate::contract::{Download, Error, Kind, Result};
use crate::model::{Entry, Secret};
use crate::protocols::http::download;
use crate::protocols::http::download::{Opened, RangeRequest};

pub async fn open(host: &IoGates, file: &Entry, from: u64) -> Result<Download> {
    let url = address(host, file).await?;
    let mime = file.extra.get("type").and_then(|kind| kind.as_str());
    let ask = RangeRequest { url, from, size: file.size, name: &file.name, mime };
    match download::open(&host.api.http, &ask).await? {
        Opened::File(download) => Ok(download),
        Opened::Page(page) => Err(page.error()),
    }
}

pub async fn link(host: &IoGates, file: &Entry) -> Result<Secret> {
    Ok(Secret::new(address(host, file).await?))
}

/// Returns the download URL. Fails with `Refused` when there is none: the entry has no content yet, or the token may not
/// download.
async fn address(host: &IoGates, file: &Entry) -> Result<Url> {
    let shown = host.api.file(&file.id).await?;
    let Some(download) = shown.download else {
        return Err(match shown.md5 {
            None => Error::new(Kind::Refused, "no bytes of this file have arrived there yet, or you may not download it"),
            Some(_) => Error::new(Kind::Refused, "you may not download this file").with_hint("ask the owner for the download of originals"),
        });
    };
    download::redirect_target(&host.api.access().await?.origin, &download)
}
