//! Failures, each with the same kind for every provider.

use std::time::Duration;

use haul::contract::Kind;

use super::at;
use crate::support::fixture::{Fixture, each, each_with_tokens};

#[tokio::test]
async fn a_wrong_password_is_asked_about_once() {
    each(async |fixture: Fixture| {
        let provider = fixture.with("password", "wrong-guess");
        for _ in 0..3 {
            let error = provider.sign_in().await.unwrap_err();
            assert_eq!(error.kind(), Kind::Auth, "{}: {error}", fixture.id());
            assert!(error.hint().is_some() && !error.to_string().contains("wrong-guess"), "{}: {error}", fixture.id());
        }
        assert_eq!(provider.renew_token().await.unwrap_err().kind(), Kind::Auth, "{}", fixture.id());
        let root = provider.stat(&at("/nope")).await.unwrap_err();
        assert_eq!(root.kind(), Kind::Auth, "{}", fixture.id());
        let counts = fixture.sandbox.counts();
        assert_eq!(
            counts.requests(fixture.id(), fixture.stand_in().sign_in_kind()),
            1,
            "{}: a repeated wrong sign-in locks accounts",
            fixture.id()
        );
        assert_eq!(counts.sign_ins(fixture.id()), 0);
    })
    .await;
}

#[tokio::test]
async fn an_old_token_is_expired_and_renewed() {
    each_with_tokens(async |fixture: Fixture| {
        let root = fixture.provider.stat(&at("/")).await.unwrap();
        // Opened anew: no listing is kept.
        let provider = fixture.anew();
        provider.sign_in().await.unwrap();
        let before = fixture.sandbox.counts().sign_ins(fixture.id());
        fixture.script(":expired");
        let error = provider.list(&root).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Expired, "{}: {error}", fixture.id());
        provider.renew_token().await.unwrap();
        provider.renew_token().await.unwrap();
        provider.list(&root).await.unwrap();
        assert_eq!(fixture.sandbox.counts().sign_ins(fixture.id()), before + 1, "{}: a second renewal has nothing to do", fixture.id());
    })
    .await;
}

#[tokio::test]
async fn failures_of_the_line_have_their_kinds() {
    each_with_tokens(async |fixture: Fixture| {
        let root = fixture.provider.stat(&at("/")).await.unwrap();
        // Opened anew: no listing is kept.
        let provider = fixture.anew();
        let cases = [
            ("429=7", Kind::Busy, Some(Duration::from_secs(7)), Some(429)),
            ("503=9", Kind::Busy, Some(Duration::from_secs(9)), Some(503)),
            ("500", Kind::Interrupted, None, Some(500)),
            ("html", Kind::Protocol, None, Some(200)),
            ("413", Kind::Refused, None, Some(413)),
            ("cut=0", Kind::Interrupted, None, None),
            ("answer-lost", Kind::Interrupted, None, None),
        ];
        for (fault, kind, wait, status) in cases {
            fixture.script(&format!("/{}:{fault}", fixture.stand_in().listing_kind()));
            let error = provider.list(&root).await.unwrap_err();
            let told = (error.kind(), error.retry_after(), error.status_code());
            assert_eq!(told, (kind, wait, status), "{} {fault}: {error}", fixture.id());
            assert!(fixture.sandbox.faults().remaining().is_empty(), "{} {fault}", fixture.id());
        }
        provider.list(&root).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    each(async |fixture: Fixture| {
        // Port 1 of loopback: nobody listens there.
        let scheme = fixture.setting("url").split(':').next().unwrap().replace("https", "http");
        let provider = fixture.with("url", &format!("{scheme}://127.0.0.1:1"));
        let error = provider.sign_in().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable, "{}: {error}", fixture.id());
        assert_eq!(provider.reach().await.unwrap_err().kind(), Kind::Unreachable, "{}", fixture.id());
    })
    .await;
}

#[tokio::test]
async fn a_lost_sign_in_is_no_refusal() {
    each_with_tokens(async |fixture: Fixture| {
        fixture.script(&format!("/{}:500", fixture.stand_in().sign_in_kind()));
        assert_eq!(fixture.provider.sign_in().await.unwrap_err().kind(), Kind::Interrupted, "{}", fixture.id());
        fixture.provider.sign_in().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sign_out_forgets_the_token() {
    each_with_tokens(async |fixture: Fixture| {
        fixture.provider.sign_in().await.unwrap();
        fixture.provider.sign_out().await.unwrap();
        fixture.provider.sign_in().await.unwrap();
        assert_eq!(fixture.sandbox.counts().sign_ins(fixture.id()), 2, "{}", fixture.id());
    })
    .await;
}
