use futures_util::StreamExt;

use super::*;
use crate::contract::Network;
use crate::protocols::scripted::{Answer, Asked, Scripted};

const CONTENT: &str = "0123456789";

fn http() -> Http {
    Http::new(&Network { timeout: Duration::from_secs(10), ca_file: None, insecure: false }).unwrap()
}

fn ask(url: &str, from: u64, size: Option<u64>) -> Ask<'static> {
    Ask { url: Url::parse(url).unwrap(), from, size, name: "a.bin", mime: None }
}

/// What came: first byte, size as told, the bytes; or the page's reason.
async fn came(ask: &Ask<'_>) -> Result<Result<(u64, Option<u64>, String), String>> {
    Ok(match open(&http(), ask).await? {
        Opened::Page(page) => Err(page.reason),
        Opened::File(download) => {
            let pieces: Vec<_> = download.chunks.map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap()).collect().await;
            Ok((download.from, download.size, pieces.concat()))
        }
    })
}

/// Answers a range with `status` and `range`, and the whole file to anybody else.
async fn server(status: u16, range: &'static str, body: &'static str) -> Scripted {
    Scripted::start(move |asked: &Asked| -> Answer {
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
    let silent = Scripted::start(|_| (416, "", String::new())).await;
    assert_eq!(came(&ask(&silent.url, 10, Some(10))).await.unwrap(), Ok((10, Some(10), String::new())));
    assert_eq!(came(&ask(&silent.url, 4, Some(10))).await.unwrap_err().http_or_ftp_status(), Some(416));
}

#[tokio::test]
async fn nothing_of_ours_is_sent_along_and_nothing_is_unpacked() {
    let server = Scripted::start(|_| (200, "Content-Encoding: gzip\r\n", "no gzip at all".to_owned())).await;
    assert_eq!(came(&ask(&server.url, 0, None)).await.unwrap(), Ok((0, Some(14), "no gzip at all".to_owned())));
    let head = server.last().head;
    let names: Vec<&str> = head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert_eq!(names.iter().filter(|n| !["accept", "accept-encoding", "user-agent", "host"].contains(n)).count(), 0, "{head}");
    assert!(head.contains("accept-encoding: identity"), "{head}");
}

#[tokio::test]
async fn redirects_are_followed_to_their_end_or_to_a_page() {
    let far = Scripted::start(|_| (200, "", CONTENT.to_owned())).await;
    let location: &'static str = Box::leak(format!("Location: {}/x?t=1\r\n", far.url).into_boxed_str());
    let near = Scripted::start(move |asked: &Asked| match asked.line.as_str() {
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
    assert_eq!(came(&Ask { name: "a.json", ..at("/json") }).await.unwrap(), Ok(json()));
    assert_eq!(came(&Ask { size: Some(11), ..at("/json") }).await.unwrap(), Ok(json()), "what is guessed from the first bytes");
    let page = Ask { name: "a.html", ..at("/html") };
    assert_eq!(came(&page).await.unwrap(), Ok((0, Some(19), "<title>Wait</title>".to_owned())));
    for path in ["/loop", "/lost", "/ftp"] {
        assert_eq!(came(&at(path)).await.unwrap_err().kind(), Kind::Protocol, "{path}");
    }
    let error = came(&at("/secret-of-the-file?t=another-secret")).await.unwrap_err();
    assert_eq!((error.kind(), error.http_or_ftp_status()), (Kind::NotFound, Some(404)));
    assert!(error.to_string().contains("nothing at GET /***?t=***"), "{error}");
}

#[test]
fn no_way_leads_from_https_to_http() {
    let base = Url::parse("https://h/a/b").unwrap();
    assert_eq!(leading_to(&base, "//g/x").unwrap().as_str(), "https://g/x");
    assert_eq!(leading_to(&base, "c").unwrap().as_str(), "https://h/a/c");
    assert_eq!(leading_to(&base, "http://h/a").unwrap_err().kind(), Kind::Refused);
    assert_eq!(leading_to(&base, "file:///etc/passwd").unwrap_err().kind(), Kind::Protocol);
    let plain = Url::parse("http://127.0.0.1/").unwrap();
    assert!(leading_to(&plain, "http://127.0.0.1/x").is_ok() && leading_to(&plain, "https://h/x").is_ok());
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
