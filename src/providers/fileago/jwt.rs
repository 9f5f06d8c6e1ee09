//! Reads from a FileAgo token when it expires (providers.md 3.1). That saves a failed request; the server decides whether the
//! token is valid.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

/// A token that expires sooner than this is not used for a new request.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

#[derive(Deserialize)]
struct Claims {
    exp: i64,
}

/// True when the token expires within a minute from `now`; false for a text that can't be read.
pub fn is_old(token: &str, now: DateTime<Utc>) -> bool {
    expiry(token).is_some_and(|end| end <= now + MARGIN)
}

fn expiry(token: &str) -> Option<DateTime<Utc>> {
    let claims = token.split('.').nth(1)?.trim_end_matches('=');
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    DateTime::from_timestamp(claims.exp, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(claims: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_documented_token_ends_in_2018() {
        let auth: serde_json::Value = serde_json::from_str(include_str!("../../../fixtures/fileago/auth.json")).unwrap();
        let token = auth["token"].as_str().unwrap();
        assert_eq!(expiry(token).unwrap().timestamp(), 1_538_706_022);
        assert!(is_old(token, Utc::now()));
        assert!(!is_old(token, DateTime::from_timestamp(1_538_706_022 - 61, 0).unwrap()));
        assert!(is_old(token, DateTime::from_timestamp(1_538_706_022 - 60, 0).unwrap()));
    }

    #[test]
    fn what_cannot_be_read_is_not_old() {
        for token in ["", "abc", "a.b.c", "..", &with("{}"), &with(r#"{"exp":"soon"}"#), &with("[1"), &with(r#"{"exp":9e99}"#)] {
            assert!(!is_old(token, Utc::now()), "{token}");
        }
        assert!(!is_old(&with(&format!(r#"{{"exp":{}}}"#, i64::MAX)), Utc::now()));
        assert!(is_old(&with(r#"{"exp":0}"#), Utc::now()));
    }
}
