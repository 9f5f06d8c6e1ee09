//! Decides what each reply of ioGates means. No error body is documented (providers.md 1.4), so only the status counts; any 2xx
//! is a success (OQ-10). Errors never quote JSON: every answer of ioGates may hold a token, a password or a download URL.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::protocols::http::host_of;
use crate::protocols::http::response::HttpReply;

/// Returns the content of a successful reply, else an error for its status.
pub fn read<T: DeserializeOwned>(reply: &HttpReply) -> Result<T> {
    if !reply.is_success() {
        return Err(refusal(reply));
    }
    // Every answer of ioGates is an object; serde would also accept a list.
    if reply.object().first() != Some(&b'{') {
        return Err(reply.protocol_error("a JSON object was expected"));
    }
    serde_json::from_slice(reply.object()).map_err(|e| {
        incomplete(reply, "JSON that can't be read").with_cause(anyhow::anyhow!("at line {}, column {}", e.line(), e.column()))
    })
}

/// The answer was understood, but lacks something that it must have.
pub fn incomplete(reply: &HttpReply, what: &str) -> Error {
    Error::unread_answer(format!("the server answered {what}")).with_status(reply.status.as_u16()).with_subject(host_of(&reply.url))
}

/// 400, 401 and 403 to the sign-in are a refusal of the credentials, never a stale token: a second try would not help.
pub fn read_sign_in<T: DeserializeOwned>(reply: &HttpReply) -> Result<T> {
    match (reply.status.as_u16(), read(reply)) {
        (status @ (400 | 401 | 403), Err(error)) if error.kind() != Kind::Auth => {
            Err(Error::new(Kind::Auth, "the server refused the sign-in")
                .with_status(status)
                .with_subject(host_of(&reply.url))
                .with_cause(anyhow::anyhow!("{}", format!("HTTP {status}: {}", reply.excerpt()).trim_end_matches(": ")))
                .with_hint("check the username and the password of this remote"))
        }
        (404 | 410, Err(error)) => Err(error.with_hint("check the url of this remote")),
        (_, verdict) => verdict,
    }
}

fn refusal(reply: &HttpReply) -> Error {
    if matches!(reply.status.as_u16(), 401 | 403) && asks_for_code(reply) {
        return code_needed_error().with_status(reply.status.as_u16());
    }
    reply.error()
}

/// A share with a second factor issues a token, but refuses everything else until the user has entered the code from an SMS
/// (providers.md 1.11; the form of that refusal is not documented).
pub fn code_needed_error() -> Error {
    Error::new(Kind::Auth, "the server wants a code that it sends by SMS")
}

fn asks_for_code(reply: &HttpReply) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(reply.object()) else { return false };
    let marked = ["auth_required", "two_factor"].iter().any(|key| body.get(key).and_then(Value::as_bool) == Some(true));
    let said = body.get("message").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    marked || ["two-factor", "two factor", "twofactor"].iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, Url};

    use super::super::wire::{Files, SignedIn};
    use super::*;

    fn reply(status: u16, body: &str) -> HttpReply {
        HttpReply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: Default::default(),
            url: Url::parse("https://iogates.example/api/x").unwrap(),
            body: body.to_owned().into(),
        }
    }

    #[test]
    fn verdicts() {
        for (status, body, wanted) in [
            (200, "<html>Maintenance", Kind::Protocol),
            (200, "[]", Kind::Protocol),
            (200, "", Kind::Protocol),
            (200, r#"{"files": ["#, Kind::Protocol),
            (302, "", Kind::Protocol),
            (400, "{}", Kind::Refused),
            (401, "{}", Kind::Expired),
            (401, r#"{"auth_required": true}"#, Kind::Auth),
            (403, "{}", Kind::Refused),
            (403, r#"{"message": "Two-factor code missing"}"#, Kind::Auth),
            (404, "", Kind::NotFound),
            (429, "", Kind::Busy),
            (502, "<html>", Kind::Interrupted),
        ] {
            assert_eq!(read::<Files>(&reply(status, body)).unwrap_err().kind(), wanted, "{status} {body}");
        }
        assert_eq!(read::<Files>(&reply(201, r#" {"files": [], "map": []}"#)).unwrap().files.unwrap().len(), 0);
    }

    #[test]
    fn a_refused_sign_in_is_final() {
        for status in [400, 401, 403] {
            assert_eq!(read_sign_in::<SignedIn>(&reply(status, "no")).unwrap_err().kind(), Kind::Auth, "{status}");
        }
        assert_eq!(read_sign_in::<SignedIn>(&reply(500, "")).unwrap_err().kind(), Kind::Interrupted);
        assert_eq!(read_sign_in::<SignedIn>(&reply(404, "")).unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn broken_json_is_not_quoted() {
        let error = read::<SignedIn>(&reply(200, r#"{"token": "123-Hidden", "profile": "#)).unwrap_err();
        assert!(!error.to_string().contains("Hidden"), "{error}");
        assert!(error.to_string().contains("column"), "{error}");
    }
}
