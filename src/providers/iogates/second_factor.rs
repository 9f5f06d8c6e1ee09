//! The second factor (providers.md 1.11): a share or an account may issue a token and then refuse everything until the user has
//! entered a code from an SMS. The server remembers that for the token and the device.

use std::sync::atomic::Ordering;

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;

use super::api::step;
use super::remote::IoGates;
use super::{answer, php_json};
use crate::contract::{BoxFuture, Error, Kind, Result, SecondFactor, StoredToken};
use crate::model::Secret;
use crate::protocols::http::response::HttpReply;

#[derive(Default, Deserialize)]
struct CodeSent {
    #[serde(default, deserialize_with = "php_json::text")]
    message: Option<String>,
}

impl SecondFactor for IoGates {
    fn is_code_wanted(&self) -> bool {
        self.api.code_wanted.load(Ordering::Relaxed)
    }
    fn send_code(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(send(self))
    }
    fn enter_code<'a>(&'a self, code: &'a Secret) -> BoxFuture<'a, Result<()>> {
        Box::pin(enter(self, code))
    }
}

async fn send(host: &IoGates) -> Result<String> {
    let token = host.api.token().await?;
    let reply = host.api.send(&token, at(host, Method::GET, &token).await?).await?;
    let sent: CodeSent = host.api.check_verdict(&token, answer::read(&reply)).await?;
    Ok(sent.message.unwrap_or_else(|| "a code was sent by SMS".to_owned()))
}

/// Sends the code by POST, as the older document says. The newer one says GET, but GET also sends an SMS (OQ-6).
async fn enter(host: &IoGates, code: &Secret) -> Result<()> {
    let token = host.api.token().await?;
    let field = [("authcode", code.expose())];
    let mut reply = host.api.send(&token, at(host, Method::POST, &token).await?.form(&field)).await?;
    if reply.status.as_u16() == 405 {
        reply = host.api.send(&token, at(host, Method::GET, &token).await?.query(&field)).await?;
    }
    verdict(&reply)?;
    host.api.code_wanted.store(false, Ordering::Relaxed);
    Ok(())
}

async fn at(host: &IoGates, method: Method, token: &StoredToken) -> Result<RequestBuilder> {
    host.api.request(method, &format!("api/apiauth/twofactorsms/{}", step(token.token.expose()))).await
}

fn verdict(reply: &HttpReply) -> Result<()> {
    let refused = match reply.status.as_u16() {
        200..=299 => return Ok(()),
        400 => "the server did not get the code",
        401 => "the code is wrong",
        403 => "the code is too old, or none is waited for",
        404 => "no code was sent",
        _ => return Err(reply.error()),
    };
    Err(Error::new(Kind::Auth, refused).with_status(reply.status.as_u16()).with_hint("run `haul login REMOTE` again for a new code"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::contract::Provider;
    use crate::testing::server::{TestServer, provider_context};

    const SENT: (u16, &str) = (200, r#"{"message": "Code sent", "type": "sms", "auth_required": true}"#);

    fn host(server: &TestServer) -> IoGates {
        IoGates::new(provider_context(&[("url", &server.url), ("token", "33c666119")], &Arc::default())).unwrap()
    }

    async fn enter_code(status: u16) -> (Result<()>, Vec<String>) {
        let server = TestServer::in_order(&[(status, "{}"), (200, "{}")]).await;
        let outcome = host(&server).enter_code(&Secret::new("4711")).await;
        (outcome, server.texts())
    }

    #[tokio::test]
    async fn a_code_is_sent_and_entered() {
        let server = TestServer::in_order(&[SENT, (200, "")]).await;
        let host = host(&server);
        assert_eq!(host.send_code().await.unwrap(), "Code sent");
        host.enter_code(&Secret::new("4711")).await.unwrap();
        assert_eq!(server.lines(), ["GET /api/apiauth/twofactorsms/33c666119", "POST /api/apiauth/twofactorsms/33c666119"]);
        assert!(server.texts()[1].ends_with("\r\n\r\nauthcode=4711"), "{}", server.texts()[1]);
    }

    #[tokio::test]
    async fn only_405_makes_it_a_get() {
        let (outcome, asked) = enter_code(405).await;
        outcome.unwrap();
        assert!(asked[1].starts_with("GET /api/apiauth/twofactorsms/33c666119?authcode=4711 "), "{}", asked[1]);
        for (status, why) in [(400, "did not get"), (401, "wrong"), (403, "too old"), (404, "no code was sent")] {
            let (outcome, asked) = enter_code(status).await;
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.status_code(), asked.len()), (Kind::Auth, Some(status), 1));
            assert!(error.to_string().contains(why), "{error}");
        }
        assert_eq!(enter_code(500).await.0.unwrap_err().kind(), Kind::Interrupted);
    }

    #[tokio::test]
    async fn what_the_server_asks_for_is_remembered() {
        let server = TestServer::in_order(&[(403, r#"{"message": "Two factor authentication required"}"#), (200, "{}")]).await;
        let host = host(&server);
        assert!(!host.is_code_wanted());
        let error = host.sign_in().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        assert!(error.to_string().ends_with("run `haul login my-remote` and enter it"), "{error}");
        assert!(host.is_code_wanted());
        host.enter_code(&Secret::new("4711")).await.unwrap();
        assert!(!host.is_code_wanted());
    }
}
