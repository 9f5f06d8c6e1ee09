//! Faults that know no provider, and the end of a sandbox.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{bytes, world};

#[tokio::test]
async fn refusals_are_given_unread_and_an_answer_can_get_lost() {
    let world = world().await;
    let token = world.iogates_token().await;
    let url = world.url("iogates", "/api/file");
    let create = async || world.http.post(&url).header("token", &token).json(&json!({ "name": "a", "type": "other" })).send().await;
    let script = "iogates/file-create:503=7 iogates/file-create:500 iogates/file-create:html iogates/file-create:413";
    world.sandbox.faults().script(script).unwrap();
    let busy = create().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert_eq!(create().await.unwrap().status(), 500);
    assert_eq!(create().await.unwrap().status(), 413);
    let page = create().await.unwrap();
    assert_eq!((page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()), (200, "text/html; charset=utf-8"));
    assert_eq!(world.sandbox.counts().created("iogates"), 0);

    world.sandbox.faults().script("iogates/file-create:cut=0 iogates/file-create:slow=200").unwrap();
    assert!(create().await.is_err());
    assert_eq!(world.sandbox.counts().created("iogates"), 0);
    let begun = Instant::now();
    assert_eq!(create().await.unwrap().status(), 200);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    world.sandbox.faults().script("iogates/file-create:answer-lost").unwrap();
    assert!(create().await.is_err());
    assert_eq!(world.sandbox.counts().created("iogates"), 2);
    assert!(world.sandbox.faults().left().is_empty());
    assert_eq!(world.sandbox.counts().requests("iogates", "file-create"), 7);
}

#[tokio::test]
async fn an_upload_that_is_cut_does_not_reach_giga0() {
    let world = world().await;
    let token = world.giga0_token().await;
    let auth = [("access_token", token.as_str()), ("account_id", "158642")];
    let upload = world.url("giga0", "/api/v2/file/upload");
    world.sandbox.faults().script("giga0:cut=50000").unwrap();
    // The sign-in above carries no file and is not meant.
    assert!(world.post_form(&upload, &auth, ("upload_file", "a", &bytes(400_000))).await.is_err());
    assert!(world.sandbox.arrived().is_empty());
    world.sandbox.faults().script("giga0:data-error giga0:hash-placeholder").unwrap();
    let send = async || {
        let answer: Value = world.post_form(&upload, &auth, ("upload_file", "a", b"12")).await.unwrap().json().await.unwrap();
        answer["data"][0].clone()
    };
    assert_eq!(send().await["error"], "Storage space is full.");
    assert!(send().await["hash"].as_str().unwrap().contains('-'));
    assert_eq!(world.sandbox.arrived().len(), 1);
}

#[tokio::test]
async fn nothing_is_left_when_it_stops() {
    let world = world().await;
    let state = world.env("XDG_STATE_HOME").to_owned();
    assert!(fs::metadata(&state).unwrap().is_dir());
    let url = world.url("giga0", "/");
    drop(world.sandbox);
    assert!(fs::metadata(&state).is_err());
    assert!(world.http.get(url).send().await.is_err());
}
