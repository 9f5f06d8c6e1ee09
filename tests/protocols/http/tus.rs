//! TUS with the official Node server: its disk contains what was sent.

use std::fs;

use haul::Kind;
use haul::contract::{Recovery, UploadSession};
use haul::protocols::tus;
use haul::protocols::tus::{TusServer, TusSession, TusTarget};
use reqwest::Url;
use reqwest::header::HeaderMap;

use super::{deliver, http, part, whole};
use crate::support::raw_http::cutting_proxy;
use crate::support::web_servers;
use crate::support::web_servers::Server;
use haul::testing::{MemorySource, bytes};

const DAY: u64 = 24 * 3600 * 1000;
const MIB: u64 = 1 << 20;

fn target(endpoint: &Url, size: Option<u64>, chunk_size: Option<u64>) -> TusTarget {
    let metadata = vec![("filename".to_owned(), "grüße, \"1\".bin".to_owned()), ("empty".to_owned(), String::new())];
    TusTarget { endpoint: endpoint.clone(), metadata, headers: HeaderMap::new(), size, chunk_size, manners: TusServer::default() }
}

fn id(session: &TusSession) -> String {
    session.url().unwrap().path_segments().unwrap().next_back().unwrap().to_owned()
}

fn read_stored(server: &Server, session: &TusSession) -> Vec<u8> {
    fs::read(server.stored_path(&id(session))).unwrap()
}

#[tokio::test]
async fn one_patch() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let source = MemorySource::new(bytes(3 * MIB + 17));
    let mut session = tus::create(&http(), target(&server.url, Some(source.len()), None)).await.unwrap();
    let course = deliver(&mut session, &source, 0).await.unwrap();
    assert_eq!(course.offsets, [0]);
    assert!(read_stored(&server, &session) == source.bytes());
    let record = fs::read_to_string(server.stored_path(&format!("{}.json", id(&session)))).unwrap();
    assert!(record.contains("grüße, \\\"1\\\".bin"), "{record}");
}

#[tokio::test]
async fn several_parts() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let source = MemorySource::new(bytes(2 * MIB + 1));
    let mut session = tus::create(&http(), target(&server.url, Some(source.len()), Some(MIB))).await.unwrap();
    let course = deliver(&mut session, &source, 0).await.unwrap();
    assert_eq!(course.offsets, [0, MIB, 2 * MIB]);
    assert!(read_stored(&server, &session) == source.bytes());
    assert_eq!(source.bytes_read(), source.len());
}

#[tokio::test]
async fn a_cut_line_costs_no_more_than_a_part() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let proxy = cutting_proxy(&server.url, 2 * MIB + MIB / 2).await;
    let source = MemorySource::new(bytes(4 * MIB + 123));
    let mut session = tus::create(&http(), target(&proxy.url, Some(source.len()), Some(MIB))).await.unwrap();
    let course = deliver(&mut session, &source, 0).await.unwrap();
    assert!(read_stored(&server, &session) == source.bytes());
    assert_eq!(course.failures[0].kind(), Kind::Interrupted);
    assert_eq!(course.offsets[..3], [0, MIB, 2 * MIB]);
    assert!(course.offsets[3] >= 2 * MIB, "{:?}", course.offsets);
    assert!(source.bytes_read() <= source.len() + 2 * MIB, "{} of {}", source.bytes_read(), source.len());
}

#[tokio::test]
async fn one_long_patch_goes_on_where_it_was_cut() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let proxy = cutting_proxy(&server.url, 5 * MIB).await;
    let source = MemorySource::new(bytes(8 * MIB));
    let mut session = tus::create(&http(), target(&proxy.url, Some(source.len()), None)).await.unwrap();
    let course = deliver(&mut session, &source, 0).await.unwrap();
    assert!(read_stored(&server, &session) == source.bytes());
    let went_on = *course.offsets.last().unwrap();
    assert!(went_on > 0 && went_on <= 5 * MIB, "{:?}", course.offsets);
}

#[tokio::test]
async fn a_source_that_fails_keeps_its_words_and_a_later_run_goes_on() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let fault = std::io::Error::other(haul::Error::new(Kind::Integrity, "the file changed"));
    let source = MemorySource::new(bytes(3 * MIB));
    source.on_read_at(MIB + MIB / 2, move || Err(fault));
    let target = target(&server.url, Some(source.len()), Some(MIB));
    let mut session = tus::create(&http(), target.clone()).await.unwrap();
    let failure = deliver(&mut session, &source, 0).await.unwrap_err();
    assert_eq!((failure.kind(), failure.message().as_str()), (Kind::Integrity, "the file changed"));

    let mut later = tus::resume(&http(), target, session.url().unwrap().clone());
    let Recovery::ResumeAt(offset) = later.recover(&failure).await.unwrap() else { panic!("gone") };
    assert!((MIB..=MIB + MIB / 2).contains(&offset), "{offset}");
    deliver(&mut later, &source, offset).await.unwrap();
    assert!(read_stored(&server, &later) == source.bytes());
}

#[tokio::test]
async fn an_empty_file_needs_no_patch() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let source = MemorySource::new(bytes(0));
    let mut session = tus::create(&http(), target(&server.url, Some(0), None)).await.unwrap();
    deliver(&mut session, &source, 0).await.unwrap();
    assert_eq!(read_stored(&server, &session), b"");
}

#[tokio::test]
async fn the_length_may_come_last() {
    let Some(server) = web_servers::tus(DAY) else { return };
    for size in [2 * MIB, MIB + 5, 0] {
        let source = MemorySource::of_unknown_size(bytes(size));
        let mut session = tus::create(&http(), target(&server.url, None, Some(MIB))).await.unwrap();
        assert!(session.takes_unknown_size());
        deliver(&mut session, &source, 0).await.unwrap();
        assert!(read_stored(&server, &session) == source.bytes(), "{size}");
    }
    // The end is found out only after the last byte: an empty part tells the length.
    let source = MemorySource::of_unknown_size(bytes(1000));
    let mut session = tus::create(&http(), target(&server.url, None, None)).await.unwrap();
    assert_eq!(session.send(part(&source, 0, 1000, false)).await.unwrap(), 1000);
    assert_eq!(session.send(part(&source, 1000, 0, true)).await.unwrap(), 1000);
    session.finish().await.unwrap();
    let record = fs::read_to_string(server.stored_path(&format!("{}.json", id(&session)))).unwrap();
    assert!(record.contains("\"size\":1000"), "{record}");
}

#[tokio::test]
async fn a_length_told_in_a_cut_patch_is_not_told_again() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let proxy = cutting_proxy(&server.url, MIB / 2).await;
    let source = MemorySource::of_unknown_size(bytes(MIB));
    let mut session = tus::create(&http(), target(&proxy.url, None, None)).await.unwrap();
    let course = deliver(&mut session, &source, 0).await.unwrap();
    assert!(!course.failures.is_empty());
    assert!(read_stored(&server, &session) == source.bytes());
}

#[tokio::test]
async fn giving_up_removes_the_upload() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let source = MemorySource::new(bytes(1000));
    let target = target(&server.url, Some(2000), None);
    let mut session = tus::create(&http(), target.clone()).await.unwrap();
    session.send(part(&source, 0, 1000, false)).await.unwrap();
    assert!(server.stored_path(&id(&session)).exists());
    assert_eq!(session.abort().await, None);
    assert!(!server.stored_path(&id(&session)).exists());
    let mut later = tus::resume(&http(), target, session.url().unwrap().clone());
    assert_eq!(later.abort().await, None, "what is gone does not stay behind");
}

#[tokio::test]
async fn unknown_and_expired_uploads_start_over() {
    let Some(server) = web_servers::tus(1) else { return };
    let source = MemorySource::new(bytes(10));
    let target = target(&server.url, Some(10), Some(9));
    let failure = haul::Error::new(Kind::Interrupted, "cut");

    let mut unknown = tus::resume(&http(), target.clone(), server.url.join("/files/0123456789abcdef").unwrap());
    assert_eq!(unknown.send(whole(&source)).await.unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(unknown.recover(&failure).await.unwrap(), Recovery::StartOver);

    let mut expiring = tus::create(&http(), target).await.unwrap();
    assert!(expiring.expires().is_some());
    while expiring.recover(&failure).await.unwrap() != Recovery::StartOver {}
}

#[tokio::test]
async fn an_upload_of_another_size_is_not_continued() {
    let Some(server) = web_servers::tus(DAY) else { return };
    let session = tus::create(&http(), target(&server.url, Some(10), Some(9))).await.unwrap();
    let mut later = tus::resume(&http(), target(&server.url, Some(11), None), session.url().unwrap().clone());
    let failure = haul::Error::new(Kind::Interrupted, "cut");
    assert_eq!(later.recover(&failure).await.unwrap(), Recovery::StartOver);
}
