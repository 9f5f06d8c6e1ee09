use futures_util::StreamExt;

use super::*;
use crate::contract::Network;
use crate::testing::server::{Answer, TestRequest, TestServer};

const CONTENT: &str = "0123456789";

fn http() -> Http {
    Http::new(&Network { timeout: Duration::from_secs(10), ca_file: None, insecure: false }).unwrap()
}

fn ask(url: &str, from: u64, size: Option<u64>) -> RangeRequest<'static> {
    RangeRequest { url: Url::parse(url).unwrap(), from, size, name: "a.bin", mime: None }
}

/// What was received: first byte, size as announced, the bytes; or the page's reason.
async fn came(ask: &RangeRequest<'_>) -> Result<Result<(u64, Option<u64>, String), String>> {
    Ok(match open(&http(), ask).await? {
        Opened::Page(page) => Err(page.reason),
        Opened::File(download) => {
            let pieces: Vec<_> = download.chunks.map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap()).collect().await;
            Ok((download.from, download.size, pieces.concat()))
        }
    })
}

/// Answers a range with `status` and `range`, and the whole file to anybody else.
async fn server(status: u16, range: &'static str, body: &'static str) -> TestServer {
    TestServer::start(move |asked: &TestRequest| -> Answer {
        match asked.head.contains("\r\nrange: bytes=4-\r\n") {
            true => (status, range, body.to_owned()),
            false => (200, "", CONTENT.to_owned()),
        }
    })
    .await
}

#[tokio::test]
async fn a_range_is_believed_only_when_it_fits() {
    let rest = || (4, Some(10), CONTENT[4..].to_owned());
    let all = || (0, Some(10), CONTENT.to_owned());
    for (status, range, body, wanted, requests) in [
        (206, "Content-Range: bytes 4-9/10\r\n", "456789", rest(), 1),
        (206, "Content-Range: bytes 3-9/10\r\n", "3456789", all(), 2),
        (206, "Content-Range: bytes 4-8/10\r\n", "45678", all(), 2),
        (206, "Content-Range: bytes 4-10/11\r\n", "456789x", all(), 2),
        (206, "", "456789", all(), 2),
        (200, "", CONTENT, all(), 1),
        (204, "", "", all(), 2),
        (416, "Content-Range: bytes */10\r\n", "", all(), 2),
        (416, "Content-Range: bytes */4\r\n", "", (4, Some(4), String::new()), 1),
    ] {
        let server = server(status, range, body).await;
        let size = if range.contains("*/4") { None } else { Some(10) };
        let got = came(&ask(&server.url, 4, size)).await.unwrap().unwrap();
        assert_eq!((got, server.lines().len()), (wanted, requests), "{status} {range:?}");
    }
    let silent = TestServer::start(|_| (416, "", String::new())).await;
    assert_eq!(came(&ask(&silent.url, 10, Some(10))).await.unwrap(), Ok((10, Some(10), String::new())));
    assert_eq!(came(&ask(&silent.url, 4, Some(10))).await.unwrap_err().status_code(), Some(416));
}

#[tokio::test]
async fn nothing_of_ours_is_sent_along() {
    let server = TestServer::start(|_| (200, "", CONTENT.to_owned())).await;
    came(&ask(&server.url, 0, None)).await.unwrap().unwrap();
    let head = server.last().head;
    let names: Vec<&str> = head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert_eq!(names.iter().filter(|n| !["accept", "accept-encoding", "user-agent", "host"].contains(n)).count(), 0, "{head}");
    assert!(head.contains("accept-encoding: identity"), "{head}");
}

/// `0123456789` packed by gzip.
const PACKED: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x33, 0x30, 0x34, 0x32, 0x36, 0x31, 0x35, 0x33, 0xb7, 0xb0, 4, 0, 0xc6, 0xc7, 0x84, 0xa6, 10, 0, 0,
    0,
];

/// Answers each request with one head, to which `body` goes as it is.
async fn bare(head: &'static str, body: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await.unwrap();
            let head = format!("HTTP/1.1 {head}Connection: close\r\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, &[head.as_bytes(), body].concat()).await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn what_comes_packed_unasked_is_unpacked_and_a_packed_file_stays_one() {
    let plain = || Ok((0, None, CONTENT.to_owned()));
    for (head, size) in [
        ("200 OK\r\nContent-Encoding: gzip\r\n", Some(10)),
        ("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n", Some(10)),
        ("200 OK\r\nContent-Encoding: Identity, X-GZIP\r\nContent-Length: 30\r\n", None),
    ] {
        let url = bare(head, PACKED).await;
        assert_eq!(came(&ask(&url, 0, size)).await.unwrap(), plain(), "{head}");
        // A later byte of something packed is no byte of the file.
        assert_eq!(came(&ask(&url, 4, size)).await.unwrap(), plain(), "{head}");
    }
    let url = bare("206 X\r\nContent-Encoding: gzip\r\nContent-Range: bytes 4-29/30\r\nContent-Length: 26\r\n", &[7; 26]).await;
    assert_eq!(came(&ask(&url, 4, None)).await.unwrap_err().kind(), Kind::Protocol, "nor is a range of it");

    let url = bare("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n", PACKED).await;
    for own in [ask(&url, 0, Some(30)), RangeRequest { name: "a.tar.GZ", ..ask(&url, 0, None) }] {
        let Opened::File(download) = open(&http(), &own).await.unwrap() else { panic!() };
        let pieces: Vec<_> = download.chunks.map(|piece| piece.unwrap()).collect().await;
        assert_eq!((download.size, pieces.concat()), (Some(30), PACKED.to_vec()), "the file itself is packed");
    }
    let url = bare("200 OK\r\nContent-Encoding: br\r\n", PACKED).await;
    let error = came(&ask(&url, 0, Some(10))).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
    assert!(error.to_string().contains("packed (br), although nobody asked"), "{error}");
}

#[tokio::test]
async fn what_can_t_be_unpacked_is_no_file() {
    for (body, kind) in [(&PACKED[..20], Kind::Interrupted), (b"no gzip at all", Kind::Protocol)] {
        let url = bare("200 OK\r\nContent-Encoding: gzip\r\n", body).await;
        let Opened::File(mut download) = open(&http(), &ask(&url, 0, Some(10))).await.unwrap() else { panic!() };
        let error = loop {
            match download.chunks.next().await.unwrap() {
                Ok(_) => {}
                Err(e) => break crate::error::Error::reading(&e),
            }
        };
        assert_eq!(error.kind(), kind, "{error}");
    }
    let page = bare("200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n", PACKED).await;
    assert_eq!(came(&ask(&page, 0, None)).await.unwrap(), Err(CONTENT.to_owned()), "a page is read all the same");
}

#[tokio::test]
async fn redirects_are_followed_to_their_end_or_to_a_page() {
    let far = TestServer::start(|_| (200, "", CONTENT.to_owned())).await;
    let location: &'static str = Box::leak(format!("Location: {}/x?t=1\r\n", far.url).into_boxed_str());
    let near = TestServer::start(move |asked: &TestRequest| match asked.line.as_str() {
        "GET /far" => (302, location, String::new()),
        "GET /loop" => (302, "Location: /loop\r\n", String::new()),
        "GET /lost" => (302, "", String::new()),
        "GET /ftp" => (302, "Location: ftp://h/x\r\n", String::new()),
        "GET /refused" => (302, "Location: /error?e=Daily+limit\r\n", String::new()),
        "GET /json" => (200, "Content-Type: application/json\r\n", r#"{"error":1}"#.to_owned()),
        "GET /html" => (200, "Content-Type: text/html; charset=utf-8\r\n", "<title>Wait</title>".to_owned()),
        _ => (404, "", format!("nothing at {}", asked.line)),
    })
    .await;
    let at = |path: &str| ask(&format!("{}{path}", near.url), 0, None);
    assert_eq!(came(&at("/far")).await.unwrap(), Ok((0, Some(10), CONTENT.to_owned())));
    assert_eq!(far.last().line, "GET /x?t=1");
    assert_eq!(came(&at("/refused")).await.unwrap(), Err("Daily limit".to_owned()));
    assert_eq!(came(&at("/html")).await.unwrap(), Err("Wait".to_owned()));
    assert_eq!(came(&at("/json")).await.unwrap(), Err(r#"{"error":1}"#.to_owned()));
    let json = || (0, Some(11), r#"{"error":1}"#.to_owned());
    assert_eq!(came(&RangeRequest { name: "a.json", ..at("/json") }).await.unwrap(), Ok(json()));
    assert_eq!(came(&RangeRequest { size: Some(11), ..at("/json") }).await.unwrap(), Ok(json()), "what is guessed from the first bytes");
    let page = RangeRequest { name: "a.html", ..at("/html") };
    assert_eq!(came(&page).await.unwrap(), Ok((0, Some(19), "<title>Wait</title>".to_owned())));
    for path in ["/loop", "/lost", "/ftp"] {
        assert_eq!(came(&at(path)).await.unwrap_err().kind(), Kind::Protocol, "{path}");
    }
    let error = came(&at("/secret-of-the-file?t=another-secret")).await.unwrap_err();
    assert_eq!((error.kind(), error.status_code()), (Kind::NotFound, Some(404)));
    assert!(error.to_string().contains("nothing at GET /***?t=***"), "{error}");
}

#[test]
fn no_way_leads_from_https_to_http() {
    let base = Url::parse("https://h/a/b").unwrap();
    assert_eq!(redirect_target(&base, "//g/x").unwrap().as_str(), "https://g/x");
    assert_eq!(redirect_target(&base, "c").unwrap().as_str(), "https://h/a/c");
    assert_eq!(redirect_target(&base, "http://h/a").unwrap_err().kind(), Kind::Refused);
    assert_eq!(redirect_target(&base, "file:///etc/passwd").unwrap_err().kind(), Kind::Protocol);
    let plain = Url::parse("http://127.0.0.1/").unwrap();
    assert!(redirect_target(&plain, "http://127.0.0.1/x").is_ok() && redirect_target(&plain, "https://h/x").is_ok());
}

#[tokio::test]
async fn a_line_that_breaks_is_told_as_interrupted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Closing with something unread would reset the line, and the answer would be lost with it.
        tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234").await.unwrap();
    });
    let Opened::File(mut download) = open(&http(), &ask(&url, 0, None)).await.unwrap() else { panic!() };
    let error = loop {
        match download.chunks.next().await.unwrap() {
            Ok(_) => {}
            Err(e) => break crate::error::Error::reading(&e),
        }
    };
    assert_eq!(error.kind(), Kind::Interrupted);
    assert!(download.chunks.next().await.is_none());
}
