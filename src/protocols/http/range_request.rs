//! The request of a download.

use reqwest::Url;

/// A file by GET, from one of its bytes on.
pub struct RangeRequest<'a> {
    /// Usually works like a password: no message and no log shows it.
    pub url: Url,
    /// The first byte, counted from the start of the file.
    pub from: u64,
    /// The size of the whole file in bytes, if known.
    pub size: Option<u64>,
    /// The file's name, and its MIME type if the provider reports it: the file itself may be HTML.
    pub name: &'a str,
    pub mime: Option<&'a str>,
}
