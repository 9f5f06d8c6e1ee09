//! A form with one file, almost as browsers write it: text fields first, the file last. All bytes around the file are known
//! beforehand, so the request has a length and the file is never held in memory.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;

use crate::contract::Chunks;
use crate::protocols::http::streaming::StreamingRequest;

/// All parts of a form except the file's bytes.
pub struct FormFrame {
    boundary: String,
    before: Bytes,
    after: Bytes,
}

impl FormFrame {
    /// Names and values are sent as UTF-8; only characters that would break the form are escaped.
    pub fn new(fields: &[(String, String)], file_field: &str, file_name: &str) -> Self {
        FormFrame::with_boundary(boundary(), fields, file_field, file_name)
    }

    fn with_boundary(boundary: String, fields: &[(String, String)], file_field: &str, file_name: &str) -> Self {
        let mut before = String::new();
        for (name, value) in fields {
            let name = escape_quotes(name);
            before.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        let (field, name) = (escape_quotes(file_field), escape_quotes(file_name));
        before.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        ));
        let after = format!("\r\n--{boundary}--\r\n");
        FormFrame { boundary, before: before.into(), after: after.into() }
    }

    /// The request for the form around `file`, which has `size` bytes.
    pub fn around(self, file: Chunks, size: u64, request: RequestBuilder) -> StreamingRequest {
        let length = size.saturating_add((self.before.len() + self.after.len()) as u64);
        let body = stream::iter([Ok(self.before)]).chain(file).chain(stream::iter([Ok(self.after)]));
        let request = request.header(CONTENT_TYPE, format!("multipart/form-data; boundary={}", self.boundary));
        StreamingRequest { request, body: Box::pin(body), length }
    }
}

/// Escapes quotation marks as in a quoted string of RFC 2183, which PHP and others decode. No server decodes the `%22` of
/// browsers, so the file would get another name (seen at PHP). Line ends are escaped as browsers do.
pub fn escape_quotes(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "%0D").replace('\n', "%0A")
}

/// 128 random bits that no file can predict: the system seeds `RandomState`.
fn boundary() -> String {
    format!("haul-{:016x}{:016x}", RandomState::new().hash_one(1), RandomState::new().hash_one(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_to_the_byte() {
        let fields = [("chunk".to_owned(), "0".to_owned())];
        let frame = FormFrame::with_boundary("B".into(), &fields, "file", "ü \"q\"\r\n.txt");
        assert_eq!(
            std::str::from_utf8(&frame.before).unwrap(),
            "--B\r\nContent-Disposition: form-data; name=\"chunk\"\r\n\r\n0\r\n\
             --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ü \\\"q\\\"%0D%0A.txt\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        assert_eq!(frame.after, "\r\n--B--\r\n");
    }

    #[tokio::test]
    async fn the_length_told_is_the_length_sent() {
        let frame = FormFrame::new(&[], "file", "ü");
        let file: Chunks = Box::pin(stream::iter([Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"de"))]));
        let long = frame.around(file, 5, reqwest_request());
        let sent: Vec<_> = long.body.collect().await;
        let total: usize = sent.into_iter().map(|piece| piece.unwrap().len()).sum();
        assert_eq!(long.length, total as u64);
    }

    #[test]
    fn no_two_forms_share_a_boundary() {
        assert_ne!(boundary(), boundary());
    }

    fn reqwest_request() -> RequestBuilder {
        let network = crate::contract::Network { timeout: std::time::Duration::from_secs(1), ca_file: None, insecure: true };
        crate::protocols::http::Http::new(&network).unwrap().client().post("http://127.0.0.1:1/")
    }
}
