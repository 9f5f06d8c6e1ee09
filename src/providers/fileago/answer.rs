//! Decides what each reply of FileAgo means. Error bodies are undocumented (providers.md 3.2): the status decides, then
//! `status` and `msg` of the body, then a few words in `msg`.

use anyhow::anyhow;
use serde::de::DeserializeOwned;

use super::wire::{Many, One, Status, UploadToken};
use crate::contract::{Error, Kind, Result};
use crate::model::Secret;
use crate::model::escape::shorten;
use crate::protocols::http::response::HttpReply;

const WORDS_SHOWN: usize = 200;
pub(super) const CHECK_URL: &str = "check the remote's url";

/// Success is any 2xx with an empty body or a body that reports success (OQ-24). Fails with the kind that the reply means.
pub fn verdict(reply: &HttpReply) -> Result<()> {
    let Some(marks) = marks(reply) else {
        return if reply.is_success() && is_blank(reply) { Ok(()) } else { Err(page(reply)) };
    };
    let said_success = marks.status.as_deref().is_none_or(|s| s.eq_ignore_ascii_case("success"));
    if reply.is_success() && said_success { Ok(()) } else { Err(error_from_text(reply, &message(&marks))) }
}

/// The object in `data`.
pub fn parse_one<T: DeserializeOwned>(reply: &HttpReply) -> Result<T> {
    parse_reply::<One<T>>(reply)?.data.ok_or_else(|| Error::unread_answer("the server's answer holds no data"))
}

/// The list in `data`. Fails with `Protocol` when there is none: a lost answer is not an empty folder.
pub fn many<T: DeserializeOwned>(reply: &HttpReply) -> Result<Vec<T>> {
    parse_reply::<Many<T>>(reply)?.data.ok_or_else(|| Error::unread_answer("the server's answer holds no list"))
}

pub fn upload_token(reply: &HttpReply) -> Result<Secret> {
    parse_reply::<UploadToken>(reply)?.token.ok_or_else(|| Error::new(Kind::Protocol, "the server gave no upload token"))
}

/// Checks the answer to `POST /upload/{token}`. Its body is optional (providers.md 3.2): a body that is neither JSON nor a web
/// page (plain text, half an answer) counts as absent, and the listing shows whether the file is there. A dead upload token (a
/// token lives for seconds, and for one try) is `Interrupted`: the caller looks first, then tries again with a fresh token.
pub fn check_upload(reply: &HttpReply) -> Result<()> {
    let Err(error) = verdict(reply) else { return Ok(()) };
    if reply.is_success() && !reply.is_page() && marks(reply).is_none() {
        return Ok(());
    }
    let text = marks(reply).map(|m| message(&m)).unwrap_or_default();
    let status = reply.status.as_u16();
    if matches!(status, 401 | 404 | 410) || error.kind() == Kind::Expired || text.to_lowercase().contains("token") {
        return Err(with_status(Error::new(Kind::Interrupted, "the server no longer accepts the upload token"), reply, &text));
    }
    match status {
        413 => Err(error.with_hint("the server's proxy limits the size of uploads (50 GB as shipped); ask its operators")),
        _ => Err(error),
    }
}

/// None when the body is no JSON object.
pub(super) fn marks(reply: &HttpReply) -> Option<Status> {
    if !looks_like_json(reply) {
        return None;
    }
    serde_json::from_slice(reply.object()).ok()
}

pub(super) fn message(marks: &Status) -> String {
    shorten(marks.msg.as_deref().unwrap_or_default(), WORDS_SHOWN)
}

fn is_blank(reply: &HttpReply) -> bool {
    reply.body.trim_ascii().is_empty()
}

fn looks_like_json(reply: &HttpReply) -> bool {
    reply.object().starts_with(b"{")
}

pub(super) fn parse_reply<T: DeserializeOwned>(reply: &HttpReply) -> Result<T> {
    serde_json::from_slice(reply.object()).map_err(|_| half_json(reply))
}

/// The error does not quote the body, which may hold a token that is not registered with the masking yet.
fn half_json(reply: &HttpReply) -> Error {
    let bytes = reply.body.len();
    Error::unread_answer(format!("the server's answer makes no sense: {bytes} bytes that are no answer of this API"))
        .with_hint("check the remote's url; a proxy may have cut the answer")
}

/// The error for a proxy's page, or a cut answer, in place of JSON.
pub(super) fn page(reply: &HttpReply) -> Error {
    match reply.status.as_u16() {
        200..=299 if looks_like_json(reply) => half_json(reply),
        200..=299 => reply.protocol_error("it is not JSON"),
        404 => reply.error().with_hint(CHECK_URL),
        405 => reply.error().with_kind(Kind::Protocol).with_hint(CHECK_URL),
        _ => by_status(reply, ""),
    }
}

fn error_from_text(reply: &HttpReply, text: &str) -> Error {
    let by_words = classify(text);
    let kind = match reply.status.as_u16() {
        200..=299 | 400 | 403 | 422 => by_words.unwrap_or(Kind::Refused),
        405 => Kind::Protocol,
        _ => return by_status(reply, text),
    };
    if kind == Kind::Refused && reply.status.as_u16() == 403 {
        return by_status(reply, text);
    }
    with_status(Error::new(kind, clause(kind)), reply, text)
}

/// No error texts are documented: only unambiguous words are read.
fn classify(text: &str) -> Option<Kind> {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if has(&["token", "session"]) && has(&["expired", "invalid", "not valid"]) || has(&["unauthorized", "unauthorised", "not logged in"]) {
        return Some(Kind::Expired);
    }
    if has(&["not found", "no such", "not exist", "n't exist"]) {
        return Some(Kind::NotFound);
    }
    has(&["already exist", "file exists", "name exists"]).then_some(Kind::Exists)
}

/// The status decides the kind; the text only goes into the message.
pub(super) fn by_status(reply: &HttpReply, text: &str) -> Error {
    let judged = reply.error();
    let error = match text {
        "" => judged,
        _ => with_status(Error::new(judged.kind(), clause(judged.kind())).with_retry_after(judged.retry_after()), reply, text),
    };
    match reply.status.as_u16() {
        // The token is valid, so signing in again would not help.
        403 if is_about_room(text) => error.with_hint("free some space there, or ask for more storage"),
        // A token works only from the address that it was issued to (providers.md 3.1).
        403 => {
            error.with_hint("ask the owner for permission; if this machine's address has changed, sign in again with `haul login REMOTE`")
        }
        _ => error,
    }
}

fn is_about_room(text: &str) -> bool {
    let text = text.to_lowercase();
    ["quota", "storage", "space", "too large", "too big", "limit"].iter().any(|word| text.contains(word))
}

fn clause(kind: Kind) -> &'static str {
    match kind {
        Kind::Expired => "the server no longer accepts the token",
        Kind::NotFound => "there is no such file or folder",
        Kind::Exists => "something of this name is there already",
        Kind::Busy => "the server is busy and asks to wait",
        Kind::Interrupted => "the server failed",
        Kind::Protocol => "the server did not understand the request",
        _ => "the server refused",
    }
}

/// Adds the HTTP status, unless the failure came with a 2xx.
pub(super) fn with_status(error: Error, reply: &HttpReply, text: &str) -> Error {
    let error = if reply.is_success() { error } else { error.with_status(reply.status.as_u16()) };
    if text.is_empty() { error } else { error.with_cause(anyhow!("{text}")) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::providers::fileago::wire::Node;

    fn reply(status: u16, body: &str) -> HttpReply {
        let headers = [(reqwest::header::RETRY_AFTER, "7".parse().unwrap())].into_iter().collect();
        let url = "https://fileago.example/api/nodes/x".parse().unwrap();
        HttpReply { status: status.try_into().unwrap(), headers, url, body: body.to_owned().into() }
    }

    fn error(msg: &str) -> String {
        serde_json::json!({"status": "error", "msg": msg}).to_string()
    }

    #[test]
    fn every_form_of_success() {
        for (status, body) in [
            (204, ""),
            (200, " \n"),
            (200, include_str!("../../../fixtures/fileago/dirlist.json")),
            (200, include_str!("../../../fixtures/fileago/upload.json")),
            (201, r#"{"data":{"uuid":"x"}}"#),
            (200, r#"{"status":"Success"}"#),
        ] {
            verdict(&reply(status, body)).unwrap();
        }
    }

    #[test]
    fn every_form_of_error() {
        for (status, body, expected) in [
            (401, error("Authorization required"), Kind::Expired),
            (401, "<html>".to_owned(), Kind::Expired),
            (403, error("You have no write permission"), Kind::Refused),
            (403, error("Token is invalid for this address"), Kind::Expired),
            (403, "<html>".to_owned(), Kind::Refused),
            (404, error("gone"), Kind::NotFound),
            (404, "<html>".to_owned(), Kind::NotFound),
            (405, String::new(), Kind::Protocol),
            (405, error("method"), Kind::Protocol),
            (409, error("busy name"), Kind::Exists),
            (400, error("A node with this name already exists"), Kind::Exists),
            (400, error("Node does not exist"), Kind::NotFound),
            (400, error("bad"), Kind::Refused),
            (413, "<html>".to_owned(), Kind::Refused),
            (429, error("slow down"), Kind::Busy),
            (500, error("Node not found"), Kind::Interrupted),
            (502, "<html>Bad gateway".to_owned(), Kind::Interrupted),
            (503, String::new(), Kind::Busy),
            (302, String::new(), Kind::Protocol),
            (200, "<html>Maintenance".to_owned(), Kind::Protocol),
            (200, "[]".to_owned(), Kind::Protocol),
            (200, r#"{"status":"succ"#.to_owned(), Kind::Protocol),
            (200, error("Token expired"), Kind::Expired),
            (200, error("Quota exceeded"), Kind::Refused),
            (200, r#"{"status":"failed"}"#.to_owned(), Kind::Refused),
            (200, r#"{"status":"error","msg":{"a":1}}"#.to_owned(), Kind::Refused),
        ] {
            assert_eq!(verdict(&reply(status, &body)).unwrap_err().kind(), expected, "{status} {body}");
        }
    }

    #[test]
    fn the_servers_own_words_and_wishes_are_kept() {
        let full = verdict(&reply(403, &error("Quota exceeded"))).unwrap_err();
        assert!(full.to_string().contains("free some space there") && !full.to_string().contains("sign in"), "{full}");
        let e = verdict(&reply(403, &error("You have no write permission"))).unwrap_err();
        assert!(e.to_string().contains("You have no write permission") && e.status_code() == Some(403), "{e}");
        let e = verdict(&reply(429, &error("slow down"))).unwrap_err();
        assert_eq!(e.retry_after(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn data_that_is_not_told_is_no_empty_folder() {
        assert_eq!(many::<Node>(&reply(200, include_str!("../../../fixtures/fileago/dirlist.json"))).unwrap().len(), 2);
        for none in ["null", "false", "[]", "{}"] {
            assert!(many::<Node>(&reply(200, &format!(r#"{{"data":{none}}}"#))).unwrap().is_empty(), "{none}");
        }
        for body in [r#"{"status":"success"}"#, "", r#"{"data":["#] {
            assert_eq!(many::<Node>(&reply(200, body)).err().unwrap().kind(), Kind::Protocol, "{body}");
        }
        assert_eq!(parse_one::<Node>(&reply(204, "")).err().unwrap().kind(), Kind::Protocol);
        assert_eq!(parse_one::<Node>(&reply(200, r#"{"data":null}"#)).err().unwrap().kind(), Kind::Protocol);
    }

    #[test]
    fn upload_tokens() {
        assert_eq!(upload_token(&reply(200, include_str!("../../../fixtures/fileago/upload_token.json"))).unwrap().expose(), "UPLOADTOKEN");
        assert_eq!(upload_token(&reply(200, r#"{"status":"success","token":""}"#)).unwrap_err().kind(), Kind::Protocol);
    }

    #[test]
    fn an_uploads_answer() {
        check_upload(&reply(200, include_str!("../../../fixtures/fileago/upload.json"))).unwrap();
        for (status, body) in [(204, ""), (200, "OK"), (201, "[]"), (200, "\"done\""), (200, r#"{"status":"succ"#), (200, "null")] {
            check_upload(&reply(status, body)).unwrap();
        }
        for (status, body, kind) in [
            (401, String::new(), Kind::Interrupted),
            (404, "<html>".to_owned(), Kind::Interrupted),
            (403, error("Invalid upload token"), Kind::Interrupted),
            (400, error("This token is used up"), Kind::Interrupted),
            (403, error("No write permission"), Kind::Refused),
            (413, "<html>".to_owned(), Kind::Refused),
            (200, error("Quota exceeded"), Kind::Refused),
            (409, error("A file of this name already exists"), Kind::Exists),
            (504, "<html>".to_owned(), Kind::Interrupted),
            (200, "<html>".to_owned(), Kind::Protocol),
        ] {
            assert_eq!(check_upload(&reply(status, &body)).unwrap_err().kind(), kind, "{status} {body}");
        }
    }
}
