//! plupload with its own receiver under PHP, and with answers of other receivers.

use std::fs;

use haul::Kind;
use haul::contract::{Chunking, Recovery, UploadSession};
use haul::protocols::plupload;
use haul::protocols::plupload::{PluploadSession, PluploadTarget};
use reqwest::Url;
use reqwest::header::HeaderMap;

use super::{deliver, http, part, whole};
use crate::support::raw_http::{Raw, serve};
use crate::support::web_servers;
use haul::testing::{MemorySource, bytes};

const NAME: &str = "0123456789abcdef.bin";
const OK: &str = "200\nX: y\n\n{\"jsonrpc\" : \"2.0\", \"result\" : null, \"id\" : \"id\"}";

fn open(url: &Url, size: u64, chunk_size: Option<u64>) -> PluploadSession {
    let headers = HeaderMap::new();
    plupload::open(&http(), PluploadTarget { url: url.clone(), name: NAME.to_owned(), headers, chunk_size, size })
}

#[tokio::test]
async fn what_arrives_is_what_was_sent() {
    let Some(server) = web_servers::plupload(&[]) else { return };
    for (size, chunk_size, chunks) in
        [(2_500_000, Some(1_000_000), 3), (2_000_000, Some(1_000_000), 2), (1_000_000, None, 1), (0, Some(5), 1)]
    {
        let source = MemorySource::new(bytes(size));
        let mut session = open(&server.url, source.len(), chunk_size);
        let course = deliver(&mut session, &source, 0).await.unwrap();
        assert_eq!(course.offsets.len(), chunks);
        assert!(fs::read(server.stored_path(NAME)).unwrap() == source.bytes(), "{size}");
        assert_eq!(fs::read_dir(server.stored_path("")).unwrap().count(), 1, "no part file is left");
        fs::remove_file(server.stored_path(NAME)).unwrap();
    }
}

#[tokio::test]
async fn chunks_above_php_s_limits() {
    // Above upload_max_filesize the receiver says so; above post_max_size only PHP's own warning does.
    for (setting, code) in [("upload_max_filesize=100K", "103"), ("post_max_size=100K", "too large")] {
        let Some(server) = web_servers::plupload(&["display_errors=1", setting]) else { return };
        let source = MemorySource::new(bytes(200_000));
        let mut session = open(&server.url, source.len(), None);
        let failure = session.send(whole(&source)).await.unwrap_err();
        assert_eq!(failure.kind(), Kind::Refused, "{setting}");
        assert!(failure.to_string().contains(code), "{setting}: {failure}");
        assert!(!server.stored_path(NAME).exists());
        assert_eq!(session.abort().await.as_deref(), Some(NAME));
    }
}

#[tokio::test]
async fn a_receiver_that_can_t_write_says_so() {
    let Some(server) = web_servers::plupload(&[]) else { return };
    fs::create_dir(server.stored_path(&format!("{NAME}.part"))).unwrap();
    let source = MemorySource::new(bytes(10));
    let failure = open(&server.url, 10, None).send(whole(&source)).await.unwrap_err();
    assert_eq!(failure.kind(), Kind::Refused);
    assert!(failure.to_string().contains("error 102, Failed to open output stream."), "{failure}");
}

#[tokio::test]
async fn the_form_is_plupload_s_own() {
    let raw = serve(|_, _| Some(OK.to_owned())).await;
    let mut url = raw.url.clone();
    url.set_query(Some("token=a%20b"));
    let source = MemorySource::new(bytes(5));
    let mut session = open(&url, 5, Some(3));
    assert_eq!(session.chunking(), Chunking::Parts(3));
    deliver(&mut session, &source, 0).await.unwrap();
    let seen = raw.requests();
    assert_eq!(seen.len(), 2);
    for (number, (request, bytes)) in seen.iter().zip([&source.bytes()[..3], &source.bytes()[3..]]).enumerate() {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/files/?token=a%20b"));
        let boundary = request.header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        let field = |name: &str, value: &str| format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        let head = field("name", NAME) + &field("chunk", &number.to_string()) + &field("chunks", "2");
        let file = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{NAME}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        let expected = [head.as_bytes(), file.as_bytes(), bytes, format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
        assert!(request.body == expected, "{}", String::from_utf8_lossy(&request.body));
    }
}

/// The first chunk is taken, the second gets `answer`.
async fn second_chunk(answer: Option<&'static str>) -> (Raw, Kind, Recovery) {
    let raw = serve(move |n, _| if n == 1 { answer.map(str::to_owned) } else { Some(OK.to_owned()) }).await;
    let source = MemorySource::new(bytes(5));
    let mut session = open(&raw.url, 5, Some(3));
    assert_eq!(session.send(part(&source, 0, 3, false)).await.unwrap(), 3);
    let failure = session.send(part(&source, 3, 2, true)).await.unwrap_err();
    let recovery = session.recover(&failure).await.unwrap();
    if recovery == Recovery::ResumeAt(3) {
        assert_eq!(session.send(part(&source, 3, 2, true)).await.unwrap(), 5);
    }
    (raw, failure.kind(), recovery)
}

#[tokio::test]
async fn only_what_was_refused_unread_is_sent_again() {
    let cases = [
        (Some("429\nRetry-After: 1"), Kind::Busy, Recovery::ResumeAt(3), 3),
        (Some("503"), Kind::Busy, Recovery::ResumeAt(3), 3),
        (Some("502"), Kind::Interrupted, Recovery::StartOver, 2),
        (None, Kind::Interrupted, Recovery::StartOver, 2),
        (Some("200\nX: y\n\n<html><input type=\"password\">"), Kind::Expired, Recovery::StartOver, 2),
        (Some("200\nX: y\n\n{\"error\":{\"code\":101,\"message\":\"m\"}}"), Kind::Interrupted, Recovery::StartOver, 2),
        (Some("200\nX: y\n\n{\"OK\":0,\"info\":\"no\"}"), Kind::Refused, Recovery::StartOver, 2),
    ];
    for (answer, kind, recovery, requests) in cases {
        let (raw, found, way) = second_chunk(answer).await;
        assert_eq!((found, way, raw.requests().len()), (kind, recovery, requests), "{answer:?}");
    }
}

/// Receivers that keep chunks by session take each one without its cookie for the first of another upload.
#[tokio::test]
async fn cookies_last_as_long_as_the_upload() {
    let raw = serve(|n, _| Some(OK.replacen("X: y", &format!("Set-Cookie: SESSION={n}; Path=/files"), 1))).await;
    let source = MemorySource::new(bytes(5));
    for _ in 0..2 {
        deliver(&mut open(&raw.url, 5, Some(3)), &source, 0).await.unwrap();
    }
    let cookies: Vec<_> = raw.requests().iter().map(|seen| seen.header("cookie").map(str::to_owned)).collect();
    assert_eq!(cookies, [None, Some("SESSION=0".to_owned()), None, Some("SESSION=2".to_owned())]);
}

/// The first chunk may still become smaller, a later one not: their numbers count pieces of one size.
#[tokio::test]
async fn a_first_chunk_that_is_too_large_shrinks() {
    for refusal in [
        "413\nX: y\n\n<html>",
        "200\nX: y\n\n<b>Warning</b>: POST Content-Length of 9 bytes exceeds the limit of 8 bytes",
        "200\nX: y\n\n{\"jsonrpc\":\"2.0\",\"error\":{\"code\":103,\"message\":\"Failed to move uploaded file.\"},\"id\":\"id\"}",
    ] {
        let raw = serve(move |_, seen| Some(if seen.body.len() > 300 << 10 { refusal } else { OK }.to_owned())).await;
        let source = MemorySource::new(bytes(1 << 20));
        let mut session = open(&raw.url, source.len(), None);
        let course = deliver(&mut session, &source, 0).await.unwrap();
        let part = 256 << 10;
        assert_eq!(course.offsets, [0, 0, 0, part, 2 * part, 3 * part]);
        assert!(course.failures.iter().all(|failure| failure.kind() == Kind::Busy), "{:?}", course.failures);
    }
    let raw = serve(|n, _| Some(if n == 1 { "413" } else { OK }.to_owned())).await;
    let source = MemorySource::new(bytes(1 << 20));
    let mut session = open(&raw.url, source.len(), Some(512 << 10));
    assert_eq!(deliver(&mut session, &source, 0).await.unwrap_err().kind(), Kind::Refused);
}

#[tokio::test]
async fn a_chunk_out_of_order_never_leaves() {
    let raw = serve(|_, _| Some(OK.to_owned())).await;
    let source = MemorySource::new(bytes(9));
    let mut session = open(&raw.url, 9, Some(3));
    for wrong in [part(&source, 3, 3, false), part(&source, 0, 2, false), part(&source, 0, 9, true)] {
        assert_eq!(session.send(wrong).await.unwrap_err().kind(), Kind::Other);
    }
    assert_eq!(raw.requests().len(), 0);
    assert_eq!(session.abort().await, None);
}
