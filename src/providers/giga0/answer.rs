//! Decides what each reply of giga0 means. A failure may come with HTTP 200, a success without any mark, and a proxy may answer
//! with a page of its own (providers.md 2.1). So the text decides if the status alone does not.

use anyhow::anyhow;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wire::{Envelope, Status};
use crate::contract::{Error, Kind, Result};
use crate::model::escape::shorten;
use crate::protocols::http::response::HttpReply;

const WORDS_SHOWN: usize = 200;
const CHECK_URL: &str = "check the remote's url";

/// What the site's texts mean, in lower case; the first match wins. Any other text is a plain refusal: storage full, type
/// banned, not allowed (texts of the site's uploader, providers.md 2.5).
const MEANINGS: &[(&str, Kind)] = &[
    ("could not validate access_token", Kind::Expired),
    ("username could not be found", Kind::Expired),
    ("could not authenticate", Kind::Auth),
    // The site posts the file to itself: the file may be stored although the inner answer was lost (providers.md 2.5).
    ("no response received from", Kind::Interrupted),
    ("no method found", Kind::Unsupported),
    ("could not find", Kind::NotFound),
    // haul did send the parameter: the form was lost on the way.
    ("please provide the", Kind::Protocol),
];

/// Checks that the call was a success. Fails with the kind that the reply means.
pub fn verdict(reply: &HttpReply) -> Result<()> {
    match complaint(reply)? {
        None => Ok(()),
        Some(text) => Err(error_from_text(reply, &text)),
    }
}

/// Returns the `data` of a reply that [`verdict`] called a success. Fails with `Protocol` when there is none.
pub fn data<T: DeserializeOwned>(reply: &HttpReply) -> Result<T> {
    content(reply)?.ok_or_else(|| Error::unread_answer("the site's answer holds no data"))
}

/// Returns the site's error text; none is a success. A status or a page that rules out such a text is an error.
pub(super) fn complaint(reply: &HttpReply) -> Result<Option<String>> {
    let status = reply.status.as_u16();
    let Some(marks) = marks(reply) else { return Err(page(reply)) };
    let text = [&marks.response, &marks.message, &marks.zero].into_iter().find_map(message_in);
    if matches!(status, 300..=399 | 408 | 429 | 500..=599) {
        return Err(by_status(reply, text.as_deref().unwrap_or_default()));
    }
    let status_is =
        |word: &str| [&marks.call_status, &marks.status].iter().any(|m| m.as_deref().is_some_and(|m| m.eq_ignore_ascii_case(word)));
    let failed = status_is("error") || marks.result == Some(false) || marks.success == Some(false);
    let succeeded = status_is("success") || marks.result == Some(true) || marks.success == Some(true);
    if !failed && (succeeded || reply.is_success() && marks.data.is_some()) {
        return Ok(None);
    }
    match text {
        Some(text) => Ok(Some(text)),
        None if reply.is_success() => Err(Error::unread_answer("the site's answer tells neither success nor failure")),
        None => Err(by_status(reply, "")),
    }
}

/// None when the body is no JSON object.
fn marks(reply: &HttpReply) -> Option<Status> {
    if !looks_like_json(reply) {
        return None;
    }
    serde_json::from_slice(reply.object()).ok()
}

fn looks_like_json(reply: &HttpReply) -> bool {
    reply.object().starts_with(b"{")
}

pub(super) fn content<T: DeserializeOwned>(reply: &HttpReply) -> Result<Option<T>> {
    serde_json::from_slice::<Envelope<T>>(reply.object()).map(|e| e.data).map_err(|_| half_json(reply))
}

/// The error does not quote the body, which may hold a token that is not registered with the masking yet.
fn half_json(reply: &HttpReply) -> Error {
    let bytes = reply.body.len();
    Error::unread_answer(format!("the site's answer makes no sense: {bytes} bytes that are no answer of this API"))
        .with_hint("check the remote's url; a proxy may have cut the answer")
}

/// The error for a web page, an empty body or a cut answer in place of JSON: maintenance, a firewall, a size limit, a wrong
/// url.
fn page(reply: &HttpReply) -> Error {
    match reply.status.as_u16() {
        200..=299 if looks_like_json(reply) => half_json(reply),
        200..=299 => reply.protocol_error("it is not JSON"),
        404 | 405 => reply.error().with_kind(Kind::Protocol).with_hint(CHECK_URL),
        _ => reply.error(),
    }
}

pub(super) fn message_in(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null | Value::Bool(false) => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(shorten(&text, WORDS_SHOWN)).filter(|t| !t.is_empty())
}

fn classify(text: &str) -> Option<Kind> {
    let text = text.to_lowercase();
    MEANINGS.iter().find(|(words, _)| text.contains(words)).map(|(_, kind)| *kind)
}

pub(super) fn error_from_text(reply: &HttpReply, text: &str) -> Error {
    let status = reply.status.as_u16();
    let kind = match (classify(text), status) {
        (Some(kind), _) => kind,
        (None, 405) => Kind::Protocol,
        (None, 401 | 404 | 410) => return by_status(reply, text),
        (None, _) => Kind::Refused,
    };
    let clause = match kind {
        Kind::Expired => "the site no longer accepts the access token",
        Kind::Auth => "the site refused the sign-in",
        Kind::NotFound => "there is no such file or folder",
        Kind::Interrupted => "the site failed",
        Kind::Unsupported => "the site has no such call",
        Kind::Protocol => "the site did not understand the request",
        _ => "the site refused",
    };
    let error = with_status(Error::new(kind, clause).with_cause(anyhow!("{text}")), reply);
    match kind {
        Kind::Unsupported => error.with_hint("check the remote's url; the site may run an older version"),
        Kind::Protocol => error.with_hint("check the remote's url; a proxy may have cut the request"),
        _ => error,
    }
}

/// The status decides the kind; the text only goes into the message.
fn by_status(reply: &HttpReply, text: &str) -> Error {
    let judged = reply.error();
    if text.is_empty() {
        return judged;
    }
    let clause = match judged.kind() {
        Kind::Expired => "the site no longer accepts the access token",
        Kind::NotFound => "there is no such file or folder",
        Kind::Busy => "the site asks for patience",
        Kind::Interrupted => "the site failed",
        _ => return judged,
    };
    with_status(Error::new(judged.kind(), clause).with_retry_after(judged.retry_after()).with_cause(anyhow!("{text}")), reply)
}

/// Adds the HTTP status, unless the failure came with a 2xx.
pub(super) fn with_status(error: Error, reply: &HttpReply) -> Error {
    if reply.is_success() { error } else { error.with_status(reply.status.as_u16()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::providers::giga0::wire::Folder;

    fn reply(status: u16, body: &str) -> HttpReply {
        let headers = [(reqwest::header::RETRY_AFTER, "7".parse().unwrap())].into_iter().collect();
        let url = "https://site.example/api/v2/x".parse().unwrap();
        HttpReply { status: status.try_into().unwrap(), headers, url, body: body.to_owned().into() }
    }

    fn error(text: &str) -> String {
        serde_json::json!({"response": text, "_status": "error", "_datetime": "2024-11-05 06:08:40"}).to_string()
    }

    fn kind(status: u16, body: &str) -> Kind {
        verdict(&reply(status, body)).unwrap_err().kind()
    }

    #[test]
    fn every_form_of_success() {
        for body in [
            include_str!("../../../fixtures/giga0/disable_access_token.json"),
            include_str!("../../../fixtures/giga0/folder_listing.json"),
            r#"{"_status":"SUCCESS"}"#,
            r#"{"status":"success"}"#,
            r#"{"result":true}"#,
            r#"{"data":{"status":"error"}}"#,
            " \n{\"data\":[]}",
        ] {
            verdict(&reply(200, body)).unwrap();
        }
    }

    #[test]
    fn every_form_of_error() {
        assert_eq!(kind(200, include_str!("../../../fixtures/giga0/error.json")), Kind::Auth);
        for (status, body, expected) in [
            (200, r#"{"message":"storage is full","result":false}"#, Kind::Refused),
            (200, r#"{"success":false,"message":"no"}"#, Kind::Refused),
            (200, r#"{"success":"0","response":{"a":1}}"#, Kind::Refused),
            (404, r#"{"0":"No method found in /file/uplod","_status":"error"}"#, Kind::Unsupported),
            (200, r#"{"message":"Username could not be found.","result":false}"#, Kind::Expired),
            (400, r#"{"_status":"error","response":"Bad input parameter"}"#, Kind::Refused),
            (401, r#"{"_status":"error","response":"Bad or expired token"}"#, Kind::Expired),
            (403, r#"{"_status":"error","response":"Not allowed"}"#, Kind::Refused),
            (404, r#"{"_status":"error","response":"File not found at the provided path."}"#, Kind::NotFound),
            (405, r#"{"_status":"error","response":"Request method not expected"}"#, Kind::Protocol),
            (429, r#"{"_status":"error","response":"Maximum API request limit reached"}"#, Kind::Busy),
            (500, r#"{"_status":"error","response":"Could not find a disk"}"#, Kind::Interrupted),
            (503, r#"{"_status":"error","response":"soon"}"#, Kind::Busy),
            (401, "", Kind::Expired),
            (413, "<html>Request Entity Too Large</html>", Kind::Refused),
            (429, "<html>", Kind::Busy),
            (502, "<html>Bad gateway", Kind::Interrupted),
            (404, "<html>Not Found", Kind::Protocol),
            (302, "", Kind::Protocol),
            (200, "<html>Maintenance", Kind::Protocol),
            (200, "", Kind::Protocol),
            (200, "[]", Kind::Protocol),
            (200, r#"{"_status":"succ"#, Kind::Protocol),
            (200, "{}", Kind::Protocol),
            (200, r#"{"_status":"error"}"#, Kind::Protocol),
            (200, r#"{"data":null}"#, Kind::Protocol),
        ] {
            assert_eq!(kind(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn every_documented_text() {
        for (text, expected) in [
            ("Could not validate access_token and account_id, please reauthenticate or try again.", Kind::Expired),
            ("Could not validate access_token, please reauthenticate", Kind::Expired),
            ("Could not find file based on file_id.", Kind::NotFound),
            ("Could not find folder based on folder_id.", Kind::NotFound),
            ("Could not find the destination folder id defined by copy_to_folder_id.", Kind::NotFound),
            ("Could not find the destination folder id defined by new_parent_folder_id.", Kind::NotFound),
            ("Could not generate download url.", Kind::Refused),
            ("Could not parse the file_url_base64 parameter. Ensure it's base64 encoded.", Kind::Refused),
            ("Did not receive uploaded file.", Kind::Refused),
            ("Filesize received was zero.", Kind::Refused),
            ("Error uploading file. No response received from: https://site.example/x", Kind::Interrupted),
            ("PHP Curl module does not exist on your server/web hosting. It will need to be enabled.", Kind::Refused),
            ("Please provide the access_token param.", Kind::Protocol),
            ("Please provide the account_id param.", Kind::Protocol),
            ("Please provide the file_id param.", Kind::Protocol),
            ("Please provide the folder_id param.", Kind::Protocol),
            ("Please provide the folder_name param.", Kind::Protocol),
            ("Please provide the new_parent_folder_id param.", Kind::Protocol),
            ("Error on: https://site.example. You have no storage left.", Kind::Refused),
        ] {
            let e = verdict(&reply(200, &error(text))).unwrap_err();
            assert_eq!((e.kind(), e.status_code()), (expected, None), "{text}");
            assert!(e.to_string().contains(text.trim_end_matches('.')), "{e}");
        }
    }

    #[test]
    fn patience_keeps_the_sites_own_wish() {
        let e = verdict(&reply(429, &error("Maximum API request limit reached"))).unwrap_err();
        assert_eq!((e.retry_after(), e.status_code()), (Some(Duration::from_secs(7)), Some(429)));
    }

    #[test]
    fn a_cut_answer_shows_none_of_its_words() {
        let cut = r#"{"data":{"access_token":"lGoVSof0VRwq1Gaza8fO"#;
        let e = verdict(&reply(200, cut)).unwrap_err();
        assert!(!format!("{e} {e:?}").contains("lGoVS"), "{e}");
    }

    #[test]
    fn data_of_the_wrong_shape() {
        for body in [r#"{"_status":"success"}"#, r#"{"_status":"success","data":null}"#, r#"{"_status":"success","data":"x"}"#] {
            assert_eq!(data::<Folder>(&reply(200, body)).err().unwrap().kind(), Kind::Protocol, "{body}");
        }
    }
}
