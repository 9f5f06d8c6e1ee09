//! What goes wrong, and the one kind that each failure has with every provider.

use std::time::Duration;

use haul::contract::Kind;

use super::at;
use crate::support::fixture::{World, each};

#[tokio::test]
async fn a_wrong_password_is_asked_about_once() {
    each(async |world: World| {
        let provider = world.with("password", "wrong-guess");
        for _ in 0..3 {
            let error = provider.sign_in().await.unwrap_err();
            assert_eq!(error.kind(), Kind::Auth, "{}: {error}", world.id());
            assert!(error.hint().is_some() && !error.to_string().contains("wrong-guess"), "{}: {error}", world.id());
        }
        assert_eq!(provider.renew_token().await.unwrap_err().kind(), Kind::Auth, "{}", world.id());
        let root = provider.stat(&at("/nope")).await.unwrap_err();
        assert_eq!(root.kind(), Kind::Auth, "{}", world.id());
        let counts = world.sandbox.counts();
        assert_eq!(
            counts.requests(world.id(), world.stand_in().sign_in_kind()),
            1,
            "{}: a repeated wrong sign-in locks accounts",
            world.id()
        );
        assert_eq!(counts.sign_ins(world.id()), 0);
    })
    .await;
}

#[tokio::test]
async fn an_old_token_is_expired_and_renewed() {
    each(async |world: World| {
        let root = world.provider.stat(&at("/")).await.unwrap();
        // Opened anew: no listing is kept.
        let provider = world.anew();
        provider.sign_in().await.unwrap();
        let before = world.sandbox.counts().sign_ins(world.id());
        world.script(":expired");
        let error = provider.list(&root).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Expired, "{}: {error}", world.id());
        provider.renew_token().await.unwrap();
        provider.renew_token().await.unwrap();
        provider.list(&root).await.unwrap();
        assert_eq!(world.sandbox.counts().sign_ins(world.id()), before + 1, "{}: a second renewal has nothing to do", world.id());
    })
    .await;
}

#[tokio::test]
async fn failures_of_the_line_have_their_kinds() {
    each(async |world: World| {
        let root = world.provider.stat(&at("/")).await.unwrap();
        // Opened anew: no listing is kept.
        let provider = world.anew();
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
            world.script(&format!("/{}:{fault}", world.stand_in().listing_kind()));
            let error = provider.list(&root).await.unwrap_err();
            let told = (error.kind(), error.retry_after(), error.status_code());
            assert_eq!(told, (kind, wait, status), "{} {fault}: {error}", world.id());
            assert!(world.sandbox.faults().left().is_empty(), "{} {fault}", world.id());
        }
        provider.list(&root).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    each(async |world: World| {
        // Port 1 of loopback: nobody listens there.
        let provider = world.with("url", "http://127.0.0.1:1");
        let error = provider.sign_in().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable, "{}: {error}", world.id());
        assert_eq!(provider.reach().await.unwrap_err().kind(), Kind::Unreachable, "{}", world.id());
    })
    .await;
}

#[tokio::test]
async fn a_lost_sign_in_is_no_refusal() {
    each(async |world: World| {
        world.script(&format!("/{}:500", world.stand_in().sign_in_kind()));
        assert_eq!(world.provider.sign_in().await.unwrap_err().kind(), Kind::Interrupted, "{}", world.id());
        world.provider.sign_in().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sign_out_forgets_the_token() {
    each(async |world: World| {
        world.provider.sign_in().await.unwrap();
        world.provider.sign_out().await.unwrap();
        world.provider.sign_in().await.unwrap();
        assert_eq!(world.sandbox.counts().sign_ins(world.id()), 2, "{}", world.id());
    })
    .await;
}
