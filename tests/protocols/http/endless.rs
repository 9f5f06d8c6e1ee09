//! Answers without an end: they take only limited memory and time.

use std::time::Duration;

use haul::Kind;
use haul::contract::Network;
use haul::protocols::http::Http;
use haul::protocols::http::download::{Opened, RangeRequest, open};
use reqwest::Url;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;

use crate::support::raw_http::{listen, read_head};

/// Sends a head, and then one piece after another, each after `pause`, as long as somebody listens. Gives the bytes sent.
async fn pouring(head: &'static str, piece: usize, pause: Duration) -> (Url, JoinHandle<usize>) {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await.unwrap();
        stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let piece = vec![b'['; piece];
        let mut sent = 0;
        while stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
            tokio::time::sleep(pause).await;
        }
        sent
    });
    (url, server)
}

fn http(timeout: Duration) -> Http {
    Http::new(&Network { timeout, ca_file: None, insecure: false }).unwrap()
}

#[tokio::test]
async fn a_refusal_without_end_is_one_all_the_same() {
    for head in ["403 Forbidden", "500 Failed\r\nContent-Length: 99999999999999"] {
        let (url, server) = pouring(head, 64 << 10, Duration::ZERO).await;
        let http = http(Duration::from_secs(20));
        let reply = http.call(http.client().get(url)).await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.body.len()), (head[..3].parse().unwrap(), 1 << 20));
        let shown = reply.error().to_string();
        assert!(shown.len() < 600, "{shown}");
        // What stands in the sockets between us was sent too.
        let sent = server.await.unwrap();
        assert!(sent < 64 << 20, "{sent}");
    }
}

#[tokio::test]
async fn the_answer_to_an_upload_is_short() {
    let (url, server) = pouring("200 OK", 64 << 10, Duration::ZERO).await;
    let http = http(Duration::from_secs(20));
    let error = http.call_without_timeout(http.client().post(url)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
    assert!(error.to_string().contains("has no end (over 1 MiB)"), "{error}");
    server.await.unwrap();
}

#[tokio::test]
async fn an_answer_that_drips_is_given_up() {
    let (url, server) = pouring("200 OK", 1, Duration::from_millis(5)).await;
    let http = http(Duration::from_millis(100));
    let error = http.call(http.client().get(url)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Interrupted, "{error}");
    server.await.unwrap();
}

/// A byte now and then keeps each wait short; the whole is bounded.
#[tokio::test]
async fn a_page_that_drips_in_place_of_a_file_is_read_no_longer_than_the_time_out() {
    let begun = std::time::Instant::now();
    let http = http(Duration::from_secs(2));
    for (head, page) in [("200 OK\r\nContent-Type: text/html", true), ("503 Busy", false)] {
        let (url, server) = pouring(head, 1, Duration::from_millis(50)).await;
        let ask = RangeRequest { url, from: 0, size: Some(10), name: "a.bin", mime: None };
        match open(&http, &ask).await {
            Ok(Opened::Page(said)) if page => assert!(said.reason.starts_with("[["), "{}", said.reason),
            Err(error) if !page => assert_eq!(error.kind(), Kind::Busy, "{error}"),
            _ => panic!("{head}"),
        }
        server.await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(120), "64 KiB would take two hours: {:?}", begun.elapsed());
}
