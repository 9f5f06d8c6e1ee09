//! A form with PHP, and the order of its steps.

use std::fs;
use std::io;
use std::sync::atomic::Ordering;

use haul::Kind;
use haul::contract::{Recovery, UploadSession};
use haul::protocols::multipart;

use super::test_form::TestForm;
use super::{deliver, http, whole};
use crate::support::raw_http::serve;
use crate::support::web_servers;
use haul::testing::{MemorySource, bytes};

#[tokio::test]
async fn php_gets_what_was_sent() {
    let Some(server) = web_servers::form(&["upload_max_filesize=64M", "post_max_size=64M"]) else { return };
    for (name, size) in [("grüße 日本 🎈.txt", 9_000_001), ("plain.bin", 1), ("empty", 0)] {
        let source = MemorySource::new(bytes(size));
        let target = TestForm::new(&server.url, name);
        deliver(&mut multipart::open(&http(), target.clone(), source.len()), &source, 0).await.unwrap();
        let answer = target.answer();
        assert_eq!((answer["name"].as_str(), answer["size"].as_u64()), (Some(name), Some(source.len())));
        assert_eq!(answer["fields"], serde_json::json!({"access_token": "Ä\"&=", "folder_id": ""}));
        assert!(fs::read(server.stored_path("received")).unwrap() == source.bytes(), "{name}");
        assert_eq!(target.forms.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn quotes_in_a_name_arrive() {
    let Some(server) = web_servers::form(&[]) else { return };
    let source = MemorySource::new(bytes(10));
    let target = TestForm::new(&server.url, "a \"b\"\r\n.txt");
    deliver(&mut multipart::open(&http(), target.clone(), 10), &source, 0).await.unwrap();
    assert_eq!(target.answer()["name"], "a \"b\"%0D%0A.txt");
}

#[tokio::test]
async fn a_verdict_of_the_adapter_is_the_end() {
    let Some(server) = web_servers::form(&["upload_max_filesize=100K"]) else { return };
    let source = MemorySource::new(bytes(200_000));
    let mut session = multipart::open(&http(), TestForm::new(&server.url, "a"), source.len());
    let failure = session.send(whole(&source)).await.unwrap_err();
    assert_eq!((failure.kind(), failure.status_code()), (Kind::Refused, Some(400)));
}

#[tokio::test]
async fn an_unreadable_file_costs_no_token() {
    let raw = serve(|_, _| Some("200".to_owned())).await;
    let source = MemorySource::new(bytes(10));
    source.on_read_at(0, || Err(io::Error::from(io::ErrorKind::PermissionDenied)));
    let target = TestForm::new(&raw.url, "a");
    let failure = multipart::open(&http(), target.clone(), 10).send(whole(&source)).await.unwrap_err();
    assert_eq!((failure.kind(), target.forms.load(Ordering::SeqCst), raw.requests().len()), (Kind::Local, 0, 0));
}

#[tokio::test]
async fn a_file_that_fails_on_the_way_keeps_its_words() {
    let ours = || io::Error::other(haul::Error::new(Kind::Integrity, "the file changed").with_hint("send it again"));
    let faults = [
        (ours(), Kind::Integrity, "the file changed; send it again"),
        (io::Error::other("bad disk"), Kind::Local, "it can't be read: bad disk"),
    ];
    for (fault, kind, words) in faults {
        let raw = serve(|_, _| Some("200".to_owned())).await;
        let source = MemorySource::new(bytes(2_000_000));
        source.on_read_at(1_000_000, move || Err(fault));
        let failure = multipart::open(&http(), TestForm::new(&raw.url, "a"), 2_000_000).send(whole(&source)).await.unwrap_err();
        assert_eq!((failure.kind(), failure.to_string().as_str()), (kind, words));
        assert_eq!(raw.requests().len(), 0, "no whole request arrived");
    }
}

#[tokio::test]
async fn a_lost_answer_is_for_the_provider_to_clear_up() {
    let raw = serve(|_, _| None).await;
    let source = MemorySource::new(bytes(10));
    let mut session = multipart::open(&http(), TestForm::new(&raw.url, "a"), 10);
    let failure = session.send(whole(&source)).await.unwrap_err();
    assert_eq!(failure.kind(), Kind::Interrupted);
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver);
    assert_eq!(raw.requests().len(), 1);
}
