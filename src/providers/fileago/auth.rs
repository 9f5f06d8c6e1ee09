//! Decides what the reply to FileAgo's `POST /auth` means (providers.md 3.1). A refused sign-in gets a hint, and never counts
//! as a network failure.

use super::answer::{CHECK_URL, by_status, marks, message, page, parse_reply, verdict, with_status};
use super::wire::Grant;
use crate::contract::{Error, Kind, Result, StoredToken};
use crate::protocols::http::response::HttpReply;

/// The token of `POST /auth`. An answer without a token, or with a status that is not success, is a refused sign-in: kind
/// `Auth`.
pub fn parse_token(reply: &HttpReply) -> Result<StoredToken> {
    match reply.status.as_u16() {
        300..=399 | 408 | 429 | 500..=599 => return Err(by_status(reply, &marks(reply).map(|m| message(&m)).unwrap_or_default())),
        404 | 405 if marks(reply).is_none() => return Err(reply.error().with_kind(Kind::Protocol).with_hint(CHECK_URL)),
        _ => {}
    }
    let Some(marks) = marks(reply) else {
        return Err(if reply.is_success() { page(reply) } else { refused_sign_in(reply, "") });
    };
    if let Err(e) = verdict(reply) {
        return Err(if e.kind() == Kind::Protocol { e } else { refused_sign_in(reply, &message(&marks)) });
    }
    let grant: Grant = parse_reply(reply)?;
    let Some(token) = grant.token else { return Err(refused_sign_in(reply, &message(&marks))) };
    let fields = grant.fileaccesskey.map(|key| ("fileaccesskey".to_owned(), key));
    Ok(StoredToken { token, fields: fields.into_iter().collect() })
}

/// The API documents neither a second factor nor a forced change of the password (OQ-31): the hint explains them.
fn refused_sign_in(reply: &HttpReply, text: &str) -> Error {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    let hint = if has(&["2fa", "otp", "two-factor", "two factor", "second factor", "authenticator", "code"]) {
        "this account asks for a second factor, which the API can't give; use an account without it"
    } else if has(&["change", "expired", "reset"]) && lower.contains("password") {
        "sign in with a browser once and set a new password"
    } else if reply.is_success() && text.is_empty() {
        "check whether the account asks for a second factor or a new password; the API can give neither"
    } else {
        "check username (an email address) and password"
    };
    with_status(Error::new(Kind::Auth, "the server refused the sign-in"), reply, text).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::server::reply;

    fn error(msg: &str) -> String {
        serde_json::json!({"status": "error", "msg": msg}).to_string()
    }

    #[test]
    fn the_documented_sign_in() {
        let token = parse_token(&reply(200, include_str!("../../../fixtures/fileago/auth.json"))).unwrap();
        assert!(token.token.expose().starts_with("eyJhbGci"));
        assert!(token.field("fileaccesskey").unwrap().expose().starts_with("6dba6924"));
    }

    #[test]
    fn refused_sign_ins_say_what_to_do() {
        for (status, body, hint) in [
            (401, error("Invalid username or password"), "check username"),
            (403, String::new(), "check username"),
            (200, error("OTP required"), "this account asks for a second factor"),
            (200, r#"{"status":"success","msg":""}"#.to_owned(), "check whether the account"),
            (200, error("You must change your password"), "sign in with a browser"),
            (404, error("User not found"), "check username"),
            (400, error("bad request"), "check username"),
            (200, r#"{"status":"failed","token":"abcdefgh"}"#.to_owned(), "check whether the account"),
        ] {
            let e = parse_token(&reply(status, &body)).unwrap_err();
            assert_eq!(e.kind(), Kind::Auth, "{body}");
            assert!(e.hint().unwrap().starts_with(hint), "{e}");
        }
    }

    #[test]
    fn a_sign_in_that_nobody_judged_is_not_refused() {
        for (status, body, kind) in [
            (500, error("oops"), Kind::Interrupted),
            (429, String::new(), Kind::Busy),
            (404, "<html>".to_owned(), Kind::Protocol),
            (200, "<html>".to_owned(), Kind::Protocol),
            (200, r#"{"token":"eyJhbGci"#.to_owned(), Kind::Protocol),
            (200, String::new(), Kind::Protocol),
        ] {
            let e = parse_token(&reply(status, &body)).unwrap_err();
            assert_eq!(e.kind(), kind, "{status} {body}");
            assert!(!e.to_string().contains("eyJ"), "{e}");
        }
    }
}
