//! What a download asks for.

use reqwest::Url;

/// A file by GET, from one of its bytes on.
pub struct RangeRequest<'a> {
    /// Works like a password as a rule: it is shown nowhere, neither in messages nor in logs.
    pub url: Url,
    /// First byte, counted from the start of the file.
    pub from: u64,
    /// Bytes of the whole file, where they are known.
    pub size: Option<u64>,
    /// The file's name, and its MIME type where the provider tells: a file may be HTML itself.
    pub name: &'a str,
    pub mime: Option<&'a str>,
}
