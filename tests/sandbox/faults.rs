//! Faults that are the same for all providers, and the end of a sandbox.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{bytes, fixture};

#[tokio::test]
async fn refusals_are_given_unread_and_an_answer_can_get_lost() {
    let fixture = fixture().await;
    let token = fixture.iogates_token().await;
    let url = fixture.url("iogates", "/api/file");
    let create = async || fixture.http.post(&url).header("token", &token).json(&json!({ "name": "a", "type": "other" })).send().await;
    let script = "iogates/file-create:503=7 iogates/file-create:500 iogates/file-create:html iogates/file-create:413";
    fixture.sandbox.faults().script(script).unwrap();
    let busy = create().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert_eq!(create().await.unwrap().status(), 500);
    assert_eq!(create().await.unwrap().status(), 413);
    let page = create().await.unwrap();
    assert_eq!((page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()), (200, "text/html; charset=utf-8"));
    assert_eq!(fixture.sandbox.counts().created_count("iogates"), 0);

    fixture.sandbox.faults().script("iogates/file-create:cut=0 iogates/file-create:slow=200").unwrap();
    assert!(create().await.is_err());
    assert_eq!(fixture.sandbox.counts().created_count("iogates"), 0);
    let begun = Instant::now();
    assert_eq!(create().await.unwrap().status(), 200);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    fixture.sandbox.faults().script("iogates/file-create:answer-lost").unwrap();
    assert!(create().await.is_err());
    assert_eq!(fixture.sandbox.counts().created_count("iogates"), 2);
    assert!(fixture.sandbox.faults().remaining().is_empty());
    assert_eq!(fixture.sandbox.counts().requests("iogates", "file-create"), 7);
}

#[tokio::test]
async fn an_upload_that_is_cut_does_not_reach_giga0() {
    let fixture = fixture().await;
    let token = fixture.giga0_token().await;
    let auth = [("access_token", token.as_str()), ("account_id", "158642")];
    let upload = fixture.url("giga0", "/api/v2/file/upload");
    fixture.sandbox.faults().script("giga0:cut=50000").unwrap();
    // The sign-in above carries no file and is not meant.
    assert!(fixture.post_form(&upload, &auth, ("upload_file", "a", &bytes(400_000))).await.is_err());
    assert!(fixture.sandbox.arrivals().is_empty());
    fixture.sandbox.faults().script("giga0:data-error giga0:hash-placeholder").unwrap();
    let send = async || {
        let answer: Value = fixture.post_form(&upload, &auth, ("upload_file", "a", b"12")).await.unwrap().json().await.unwrap();
        answer["data"][0].clone()
    };
    assert_eq!(send().await["error"], "Storage space is full.");
    assert!(send().await["hash"].as_str().unwrap().contains('-'));
    assert_eq!(fixture.sandbox.arrivals().len(), 1);
}

#[tokio::test]
async fn nothing_is_left_when_it_stops() {
    let fixture = fixture().await;
    let state = fixture.env("XDG_STATE_HOME").to_owned();
    assert!(fs::metadata(&state).unwrap().is_dir());
    let url = fixture.url("giga0", "/");
    drop(fixture.sandbox);
    assert!(fs::metadata(&state).is_err());
    assert!(fixture.http.get(url).send().await.is_err());
}
