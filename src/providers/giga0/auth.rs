//! The sign-in of giga0: which of the two kinds of credentials, the call itself, and the hint of a refusal (providers.md 2.2,
//! OQ-14). One sign-in for each call, because repeated refusals lock an account.

use anyhow::anyhow;
use reqwest::Url;

use super::answer;
use super::wire::Grant;
use crate::contract::{Error, Kind, ProviderContext, Result, StoredToken};
use crate::model::Secret;
use crate::protocols::http::Http;
use crate::protocols::http::response::HttpReply;

/// The credentials of the remote.
pub enum Credentials {
    Password { username: String },
    Keys { key1: Secret },
}

impl Credentials {
    /// Takes the keys when both are configured, else username and password. Reads no password. Fails with `Auth` when neither
    /// is set.
    pub async fn of(opening: &ProviderContext) -> Result<Credentials> {
        match (opening.secrets.is_set("key1"), opening.secrets.is_set("key2")) {
            (true, true) => {
                let key1 = opening.secret("key1").await?.ok_or_else(|| opening.no_credentials("key1"))?;
                return Ok(Credentials::Keys { key1 });
            }
            (false, false) => {}
            (one, _) if opening.secrets.get("username").is_none() => {
                return Err(opening.no_credentials(if one { "key2" } else { "key1" }));
            }
            _ => {}
        }
        let username = opening.secrets.get("username").filter(|name| !name.is_empty());
        Ok(Credentials::Password { username: username.ok_or_else(|| opening.no_credentials("username"))? })
    }

    /// The name of the account in the store of tokens; it contains no secret.
    pub fn label(&self) -> String {
        match self {
            Credentials::Password { username } => username.clone(),
            Credentials::Keys { key1 } => {
                let digest = format!("{:x}", md5::compute(key1.expose()));
                format!("key {}", digest.get(..8).unwrap_or_default())
            }
        }
    }

    /// `POST /authorize`. Fails with `Auth` when the site refuses.
    pub async fn authorize(&self, http: &Http, url: Url, opening: &ProviderContext) -> Result<StoredToken> {
        let reply = match self {
            Credentials::Password { username } => {
                let password = opening.secret("password").await?.ok_or_else(|| opening.no_credentials("password"))?;
                let form = [("username", username.as_str()), ("password", password.expose())];
                http.call(http.client().post(url).form(&form)).await?
            }
            Credentials::Keys { key1 } => {
                let key2 = opening.secret("key2").await?.ok_or_else(|| opening.no_credentials("key2"))?;
                let form = [("key1", key1.expose()), ("key2", key2.expose())];
                http.call(http.client().post(url).form(&form)).await?
            }
        };
        self.parse_token(&reply).map_err(|e| e.with_subject(opening.remote.clone()))
    }

    /// Any error text of the site is a refused sign-in.
    fn parse_token(&self, reply: &HttpReply) -> Result<StoredToken> {
        let complaint = answer::complaint(reply).map_err(|e| match e.kind() {
            Kind::Expired | Kind::Refused => e.with_kind(Kind::Auth),
            _ => e,
        })?;
        if let Some(text) = complaint {
            return Err(self.refusal(reply, &text));
        }
        match answer::content::<Grant>(reply)? {
            Some(Grant { access_token: Some(token), account_id: Some(account) }) => {
                Ok(StoredToken { token, fields: vec![("account_id".to_owned(), account)] })
            }
            _ => Err(Error::new(Kind::Protocol, "the site signed us in, but gave no access token")),
        }
    }

    /// The site names the parameter that is missing, which shows the kind of sign-in that it wants.
    fn refusal(&self, reply: &HttpReply, text: &str) -> Error {
        let error = answer::error_from_text(reply, text);
        if error.kind() == Kind::Unsupported {
            return error;
        }
        let lower = text.to_lowercase();
        let misses = |names: [&str; 2]| lower.contains("provide") && names.iter().any(|n| lower.contains(n));
        let (clause, hint) = match self {
            Credentials::Password { .. } if misses(["key1", "key2"]) => (
                "this site signs in with API keys, not with a user name and a password",
                "set key1 and key2 of the remote; the site's account page shows them",
            ),
            Credentials::Keys { .. } if misses(["username", "password"]) => (
                "this site signs in with a user name and a password, not with API keys",
                "remove key1 and key2 of the remote, and set username and password",
            ),
            Credentials::Password { .. } => {
                ("the site refused the sign-in", "check username and password; too many wrong tries lock the account")
            }
            Credentials::Keys { .. } => {
                ("the site refused the API keys", "check key1 and key2: 64 letters and digits each, from the site's account page")
            }
        };
        answer::with_status(Error::new(Kind::Auth, clause).with_cause(anyhow!("{text}")).with_hint(hint), reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::server::reply;

    fn error(text: &str) -> String {
        serde_json::json!({"response": text, "_status": "error"}).to_string()
    }

    fn password() -> Credentials {
        Credentials::Password { username: "ann".into() }
    }

    fn keys() -> Credentials {
        Credentials::Keys { key1: Secret::new("k".repeat(64)) }
    }

    #[test]
    fn the_documented_token() {
        let token = password().parse_token(&reply(200, include_str!("../../../fixtures/giga0/authorize.json"))).unwrap();
        assert_eq!((token.token.expose().len(), token.field("account_id").unwrap().expose()), (128, "158642"));
        let number = r#"{"data":{"access_token":"abcdefgh","account_id":158642},"_status":"success"}"#;
        assert_eq!(password().parse_token(&reply(200, number)).unwrap().field("account_id").unwrap().expose(), "158642");
    }

    #[test]
    fn the_site_shows_which_kind_it_wants() {
        let e = password().parse_token(&reply(200, error("Please provide the key1 value."))).unwrap_err();
        assert!(e.kind() == Kind::Auth && e.hint().unwrap().starts_with("set key1 and key2"), "{e}");
        let e = keys().parse_token(&reply(200, error("Please provide the username param."))).unwrap_err();
        assert!(e.kind() == Kind::Auth && e.hint().unwrap().contains("set username and password"), "{e}");
        let e = password().parse_token(&reply(200, error("Please provide the password param."))).unwrap_err();
        assert!(e.kind() == Kind::Auth && e.hint().unwrap().starts_with("check username"), "{e}");
    }

    #[test]
    fn every_refusal_is_final_and_every_failure_of_the_line_is_not() {
        for (status, body, kind) in [
            (200, include_str!("../../../fixtures/giga0/error.json").to_owned(), Kind::Auth),
            (200, error("Your account level does not have access to the API, please contact site support."), Kind::Auth),
            (200, error("Could not issue token"), Kind::Auth),
            (401, error("Could not validate access_token"), Kind::Auth),
            (401, String::new(), Kind::Auth),
            (403, "<html>Forbidden".to_owned(), Kind::Auth),
            (404, r#"{"0":"No method found in authorize","_status":"error"}"#.to_owned(), Kind::Unsupported),
            (404, "<html>".to_owned(), Kind::Protocol),
            (200, "<html>".to_owned(), Kind::Protocol),
            (200, r#"{"_status":"success","data":{"access_token":"","account_id":"1"}}"#.to_owned(), Kind::Protocol),
            (200, r#"{"_status":"success","data":[]}"#.to_owned(), Kind::Protocol),
            (429, error("slow down"), Kind::Busy),
            (500, error("oops"), Kind::Interrupted),
        ] {
            assert_eq!(password().parse_token(&reply(status, &body)).unwrap_err().kind(), kind, "{status} {body}");
        }
    }

    #[test]
    fn a_label_shows_no_key() {
        let label = keys().label();
        assert_eq!(label, format!("key {}", &format!("{:x}", md5::compute("k".repeat(64)))[..8]));
        assert_eq!(password().label(), "ann");
    }
}
