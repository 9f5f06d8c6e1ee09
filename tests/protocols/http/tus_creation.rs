//! TUS: a small file is sent in the request that creates its upload, if the server announces that.

use haul::Kind;
use haul::contract::{Recovery, UploadSession};
use haul::protocols::tus;
use haul::protocols::tus::{Servers, TusServer, TusTarget};
use reqwest::header::HeaderMap;

use super::{deliver, http, whole};
use crate::support::raw_http::{Raw, serve};
use crate::support::web_servers;
use haul::testing::{MemorySource, bytes};

const OPTIONS: &str = "204\nTus-Version: 1.0.0\nTus-Extension: creation, Creation-With-Upload";
const SIZE: usize = 5_000;

fn target(url: &reqwest::Url) -> TusTarget {
    let metadata = vec![("filename".to_owned(), "grüße.bin".to_owned())];
    TusTarget {
        endpoint: url.clone(),
        metadata,
        headers: HeaderMap::new(),
        size: Some(SIZE as u64),
        chunk_size: None,
        manners: TusServer::default(),
    }
}

/// A server that answers the n-th POST so; HEAD finds nothing, PATCH takes all.
async fn server(post: &'static [Option<&'static str>]) -> Raw {
    let posts = std::sync::atomic::AtomicUsize::new(0);
    serve(move |_, seen| match seen.method.as_str() {
        "OPTIONS" => Some(OPTIONS.to_owned()),
        "POST" => post[posts.fetch_add(1, std::sync::atomic::Ordering::SeqCst)].map(str::to_owned),
        "HEAD" => Some(format!("200\nUpload-Offset: 0\nUpload-Length: {SIZE}")),
        _ => Some(format!("204\nUpload-Offset: {SIZE}")),
    })
    .await
}

/// Method and bytes of each request after OPTIONS.
fn requests(raw: &Raw) -> Vec<(String, usize)> {
    raw.requests().into_iter().skip(1).map(|seen| (seen.method, seen.body.len())).collect()
}

fn sent_sizes(pairs: &[(&str, usize)]) -> Vec<(String, usize)> {
    pairs.iter().map(|(method, bytes)| ((*method).to_owned(), *bytes)).collect()
}

#[tokio::test]
async fn one_request_brings_a_small_file_to_a_real_server() {
    let Some(server) = web_servers::tus(24 * 3600 * 1000) else { return };
    let source = MemorySource::new(bytes(SIZE as u64));
    let mut session = tus::create(&http(), target(&server.url)).await.unwrap();
    assert_eq!((session.url(), session.note()), (None, None), "nothing is created before the bytes are sent");
    let course = deliver(&mut session, &source, 0).await.unwrap();
    assert_eq!(course.offsets, [0]);
    let id = session.url().unwrap().path_segments().unwrap().next_back().unwrap().to_owned();
    assert!(std::fs::read(server.stored_path(&id)).unwrap() == source.bytes());
    let record = std::fs::read_to_string(server.stored_path(&format!("{id}.json"))).unwrap();
    assert!(record.contains("grüße.bin"), "{record}");
}

#[tokio::test]
async fn the_request_is_as_the_protocol_says() {
    let raw = server(&[Some("201\nLocation: up/1\nUpload-Offset: 5000")]).await;
    let source = MemorySource::new(bytes(SIZE as u64));
    let mut session = tus::create(&http(), target(&raw.url)).await.unwrap();
    deliver(&mut session, &source, 0).await.unwrap();
    assert_eq!(requests(&raw), sent_sizes(&[("POST", SIZE)]));
    let post = &raw.requests()[1];
    for (name, value) in [
        ("tus-resumable", "1.0.0"),
        ("upload-length", "5000"),
        ("content-length", "5000"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-metadata", "filename Z3LDvMOfZS5iaW4="),
    ] {
        assert_eq!(post.header(name), Some(value), "{name}");
    }
    assert!(post.body == source.bytes());
}

#[tokio::test]
async fn what_the_creation_did_not_take_goes_in_a_patch() {
    for (answers, then) in [
        (&[Some("201\nLocation: up/1")][..], sent_sizes(&[("POST", SIZE), ("PATCH", SIZE)])),
        (&[Some("201\nLocation: up/1\nUpload-Offset: 0")], sent_sizes(&[("POST", SIZE), ("PATCH", SIZE)])),
        (&[Some("201\nLocation: up/1\nUpload-Offset: 1200")], sent_sizes(&[("POST", SIZE), ("PATCH", SIZE - 1200)])),
        (&[Some("413"), Some("201\nLocation: up/1")], sent_sizes(&[("POST", SIZE), ("POST", 0), ("PATCH", SIZE)])),
        (&[Some("400"), Some("201\nLocation: up/1")], sent_sizes(&[("POST", SIZE), ("POST", 0), ("PATCH", SIZE)])),
    ] {
        let raw = server(answers).await;
        let mut session = tus::create(&http(), target(&raw.url)).await.unwrap();
        deliver(&mut session, &MemorySource::new(bytes(SIZE as u64)), 0).await.unwrap();
        assert_eq!(requests(&raw), then, "{answers:?}");
    }
}

#[tokio::test]
async fn after_a_lost_answer_the_next_try_creates_first() {
    let raw = server(&[None, Some("201\nLocation: up/1")]).await;
    let (servers, http, source) = (Servers::default(), http(), MemorySource::new(bytes(SIZE as u64)));
    let mut session = tus::create_on(&servers, &http, target(&raw.url)).await.unwrap();
    let failure = session.send(whole(&source)).await.unwrap_err();
    assert_eq!(failure.kind(), Kind::Interrupted);
    assert_eq!(session.recover(&failure).await.unwrap(), Recovery::StartOver, "nobody knows the upload's address");
    assert_eq!(session.abort().await, None);
    let mut session = tus::create_on(&servers, &http, target(&raw.url)).await.unwrap();
    assert_eq!(session.url().unwrap().path(), "/files/up/1");
    deliver(&mut session, &source, 0).await.unwrap();
    assert_eq!(requests(&raw), sent_sizes(&[("POST", SIZE), ("POST", 0), ("PATCH", SIZE)]));
}

#[tokio::test]
async fn answers_that_make_no_sense() {
    for (answer, kind) in [
        ("201\nUpload-Offset: 5000", Kind::Protocol),
        ("201\nLocation: http://stranger.example/1\nUpload-Offset: 5000", Kind::Protocol),
        ("201\nLocation: up/1\nUpload-Offset: -1", Kind::Protocol),
        ("200\n\n<html>", Kind::Protocol),
        ("403\n\nno", Kind::Refused),
        ("422\n\nnot such a file", Kind::Refused),
    ] {
        let answer: &'static [Option<&'static str>] = Box::leak(Box::new([Some(answer)]));
        let raw = server(answer).await;
        let mut session = tus::create(&http(), target(&raw.url)).await.unwrap();
        let failure = session.send(whole(&MemorySource::new(bytes(SIZE as u64)))).await.unwrap_err();
        assert_eq!(failure.kind(), kind, "{answer:?}");
    }
}
