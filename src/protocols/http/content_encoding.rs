//! Handles an unrequested `Content-Encoding`: haul requests `identity`, but some proxies and PHP servers compress all the same.

use std::io;

use async_compression::tokio::bufread::GzipDecoder;
use futures_util::StreamExt;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio_util::io::{ReaderStream, StreamReader};

use super::range_request::RangeRequest;
use crate::contract::Chunks;
use crate::error::{Error, Kind};

/// All codings of an answer, in lower case; none if there is only `identity`.
pub(crate) fn codings(headers: &HeaderMap) -> Option<String> {
    let told = headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    let told: Vec<String> = told.flat_map(|list| list.split(',').map(|coding| coding.trim().to_owned()).collect::<Vec<_>>()).collect();
    let packed: Vec<String> = told.into_iter().filter(|coding| !matches!(coding.as_str(), "" | "identity")).collect();
    (!packed.is_empty()).then(|| packed.join(", "))
}

/// The compression of the answer; none if it has the file's bytes. `length` is the size of the whole, as the answer states it.
/// Some servers mark a `.gz` file in this way (Apache's `AddEncoding`), although the compressed bytes are the file: then the
/// length equals the size in the listing.
pub(crate) fn coding(ask: &RangeRequest<'_>, headers: &HeaderMap, length: Option<u64>) -> Option<String> {
    let coding = codings(headers)?;
    let is_the_file = match (length, ask.size) {
        (Some(told), Some(listed)) => told == listed,
        _ => is_gzip(&coding) && has_packed_name(ask.name),
    };
    (!is_the_file).then_some(coding)
}

fn has_packed_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("gz" | "tgz" | "svgz"))
}

pub(crate) fn is_gzip(coding: &str) -> bool {
    matches!(coding, "gzip" | "x-gzip")
}

/// Decompresses. Fails with `Interrupted` where the data ends too early, with `Protocol` where the data is no gzip.
pub(crate) fn decompress(chunks: Chunks) -> Chunks {
    let mut decoder = GzipDecoder::new(StreamReader::new(chunks));
    decoder.multiple_members(true);
    Box::pin(ReaderStream::with_capacity(decoder, 64 << 10).map(|piece| piece.map_err(own)))
}

fn own(e: io::Error) -> io::Error {
    if e.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        return e;
    }
    let (kind, why) = match e.kind() {
        io::ErrorKind::UnexpectedEof => (Kind::Interrupted, "the server ended its answer before the end of the file"),
        _ => (Kind::Protocol, "the server calls the file packed by gzip, but it can't be unpacked"),
    };
    io::Error::other(Error::new(kind, why).with_cause(e))
}
