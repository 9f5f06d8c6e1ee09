//! A server that refuses in the middle of a body and closes the connection: haul still reads the refusal.

use std::sync::atomic::Ordering;
use std::time::Duration;

use haul::contract::UploadSession;
use haul::protocols::multipart;
use haul::{Error, Kind};
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::test_form::TestForm;
use super::{http, whole};
use crate::support::raw_http::{RawRequest, frame, listen, read_head};
use haul::testing::{MemorySource, bytes};

const SIZE: usize = 8 << 20;

/// Posts a file that the server is going to refuse: the failure, and how many forms were asked for.
async fn posts(url: &Url, size: usize) -> (Error, usize) {
    let source = MemorySource::new(bytes(size as u64));
    let target = TestForm::new(url, "a.bin");
    let failure = multipart::open(&http(), target.clone(), source.len()).send(whole(&source)).await.unwrap_err();
    (failure, target.forms.load(Ordering::SeqCst))
}

async fn read_body(stream: &mut TcpStream, seen: &mut RawRequest, until: usize) {
    while seen.body.len() < until && stream.read_buf(&mut seen.body).await.is_ok_and(|n| n > 0) {}
}

/// Closes so that the client gets a reset, and everything on its way to it is lost.
fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

async fn refuse(stream: &mut TcpStream) {
    let _ = stream.write_all(frame("413\nX: y\n\nat most 5 MB", false).as_bytes()).await;
}

#[tokio::test]
async fn a_refusal_lost_in_a_reset_is_asked_for_again() {
    let (listener, url) = listen().await;
    let server: JoinHandle<(RawRequest, RawRequest)> = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut first = read_head(&mut stream).await.unwrap();
        read_body(&mut stream, &mut first, 64 << 10).await;
        reset(&stream);
        drop(stream);

        let (mut stream, _) = listener.accept().await.unwrap();
        let mut second = read_head(&mut stream).await.unwrap();
        read_body(&mut stream, &mut second, 16 << 10).await;
        refuse(&mut stream).await;
        // To the end of what the client sends: it must not go on.
        read_body(&mut stream, &mut second, usize::MAX).await;
        (first, second)
    });
    let (failure, forms) = posts(&url, SIZE).await;
    assert_eq!((failure.kind(), failure.status_code()), (Kind::Refused, Some(413)));
    assert!(failure.to_string().contains("at most 5 MB"), "{failure}");
    let (first, second) = server.await.unwrap();
    assert_eq!(forms, 2);
    assert_eq!((first.path.as_str(), second.path.as_str()), ("/files/?token=1", "/files/?token=2"));
    assert_eq!(first.header("content-length"), second.header("content-length"));
    assert_eq!(second.body.len(), 16 << 10);
    let source = MemorySource::new(bytes(SIZE as u64));
    let beginning = &source.bytes()[..8 << 10];
    assert!(second.body.windows(beginning.len()).any(|w| w == beginning), "the file's own first bytes");
}

/// Nobody wants the rest of a file that is refused.
#[tokio::test]
async fn after_a_refusal_no_more_is_sent() {
    const LARGE: usize = 32 << 20;
    let (listener, url) = listen().await;
    let (refused, heard) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = read_head(&mut stream).await.unwrap();
        refuse(&mut stream).await;
        heard.await.unwrap();
        read_body(&mut stream, &mut seen, usize::MAX).await;
        seen.body.len()
    });
    let (failure, forms) = posts(&url, LARGE).await;
    assert_eq!((failure.status_code(), forms), (Some(413), 1));
    refused.send(()).unwrap();
    let sent = server.await.unwrap();
    assert!(sent < LARGE, "{sent}");
}

/// As servers do it: the answer is sent, the rest is left unread, and whether the client sees the answer or the reset
/// is chance.
#[tokio::test]
async fn a_server_that_answers_413_after_64_kib_and_closes() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Ok(mut seen) = read_head(&mut stream).await else { continue };
            let beginning = read_body(&mut stream, &mut seen, 64 << 10);
            let _ = tokio::time::timeout(Duration::from_millis(200), beginning).await;
            refuse(&mut stream).await;
        }
    });
    for _ in 0..8 {
        let (failure, _) = posts(&url, SIZE).await;
        assert_eq!((failure.kind(), failure.status_code()), (Kind::Refused, Some(413)));
    }
    server.abort();
}

#[tokio::test]
async fn a_line_that_breaks_twice_is_a_broken_line() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut seen = read_head(&mut stream).await.unwrap();
            read_body(&mut stream, &mut seen, 10_000).await;
            reset(&stream);
        }
    });
    let (failure, forms) = posts(&url, SIZE).await;
    assert_eq!((failure.kind(), failure.status_code(), forms), (Kind::Interrupted, None, 2));
    server.await.unwrap();
}

/// The server may have acted on a request that it has whole: nothing is asked then.
#[tokio::test]
async fn a_reset_after_the_last_byte_stays_a_doubt() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = read_head(&mut stream).await.unwrap();
        let length = seen.header("content-length").unwrap().parse().unwrap();
        read_body(&mut stream, &mut seen, length).await;
        reset(&stream);
        drop(stream);
        listener
    });
    let (failure, forms) = posts(&url, 100_000).await;
    assert_eq!((failure.kind(), forms), (Kind::Interrupted, 1));
    drop(server.await.unwrap());
}
