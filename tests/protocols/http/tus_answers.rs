//! TUS with wrong answers, and with answers of unusual servers.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use haul::Kind;
use haul::contract::{Chunking, Recovery, UploadSession};
use haul::protocols::tus;
use haul::protocols::tus::{TusServer, TusSession, TusTarget};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha1::{Digest, Sha1};

use super::{deliver, http, part, whole};
use crate::support::raw_http::{Raw, RawRequest, listen, read_head, serve};
use haul::testing::{MemorySource, bytes};

const SIZE: u64 = 600 << 10;
const OPTIONS: &str = "204\nTus-Version: 1.0.0\nTus-Extension: creation,checksum\nTus-Checksum-Algorithm: md5,sha1";

/// A server that makes uploads and leaves PATCH and HEAD to `answer`, which gets how many of that method came before.
async fn server(options: &'static str, answer: impl Fn(&RawRequest, usize) -> String + Send + 'static) -> Raw {
    let patches = std::sync::atomic::AtomicUsize::new(0);
    serve(move |_, seen| {
        Some(match seen.method.as_str() {
            "OPTIONS" => options.to_owned(),
            "POST" if seen.header("x-http-method-override").is_none() => "201\nLocation: up/1?key=2".to_owned(),
            _ => answer(seen, patches.fetch_add(1, std::sync::atomic::Ordering::SeqCst)),
        })
    })
    .await
}

fn target(raw: &Raw, size: Option<u64>) -> TusTarget {
    let headers = HeaderMap::from_iter([(HeaderName::from_static("token"), HeaderValue::from_static("key"))]);
    TusTarget { endpoint: raw.url.clone(), metadata: vec![], headers, size, chunk_size: None, manners: TusServer::default() }
}

async fn create_session(raw: &Raw) -> TusSession {
    tus::create(&http(), target(raw, Some(SIZE))).await.unwrap()
}

fn source() -> Arc<MemorySource> {
    MemorySource::new(bytes(SIZE))
}

fn offset(n: u64) -> String {
    format!("204\nUpload-Offset: {n}")
}

/// The answer to a PATCH that is kept whole.
fn accepted_answer(seen: &RawRequest) -> String {
    let number = |name: &str| seen.header(name).unwrap().parse::<u64>().unwrap();
    offset(number("upload-offset") + number("content-length"))
}

fn standing(offset: u64) -> String {
    format!("200\nUpload-Offset: {offset}\nUpload-Length: {SIZE}\nUpload-Metadata: \u{fc} /w==")
}

#[tokio::test]
async fn the_wire_is_as_the_protocol_says() {
    let raw = server("404", |_, _| offset(SIZE)).await;
    let mut session = create_session(&raw).await;
    assert_eq!(session.url().unwrap().as_str(), format!("{}up/1?key=2", raw.url));
    deliver(&mut session, &source(), 0).await.unwrap();
    let [_, post, patch] = &raw.requests()[..] else { panic!("{:?}", raw.requests().len()) };
    assert_eq!((post.method.as_str(), post.header("content-length"), post.header("upload-length")), ("POST", Some("0"), Some("614400")));
    assert_eq!((post.header("tus-resumable"), post.header("token")), (Some("1.0.0"), Some("key")));
    assert_eq!((patch.method.as_str(), patch.path.as_str()), ("PATCH", "/files/up/1?key=2"));
    assert_eq!(patch.header("content-type"), Some("application/offset+octet-stream"));
    assert_eq!((patch.header("upload-offset"), patch.header("content-length")), (Some("0"), Some("614400")));
    assert_eq!((patch.header("tus-resumable"), patch.header("token")), (Some("1.0.0"), Some("key")));
    assert_eq!(patch.header("upload-checksum"), None, "nobody announced it");
    assert!(patch.body == source().bytes());
}

#[tokio::test]
async fn a_damaged_part_is_sent_again() {
    let raw = server(OPTIONS, |seen, n| match (seen.method.as_str(), n) {
        ("HEAD", _) => standing(0),
        (_, 0) => "460 Checksum Mismatch".to_owned(),
        _ => offset(SIZE),
    })
    .await;
    let course = deliver(&mut create_session(&raw).await, &source(), 0).await.unwrap();
    assert_eq!(course.offsets, [0, 0]);
    assert_eq!((course.failures[0].kind(), course.failures[0].status_code()), (Kind::Interrupted, Some(460)));
    let sum = format!("sha1 {}", BASE64_STANDARD.encode(Sha1::digest(source().bytes())));
    for patch in raw.requests().iter().filter(|s| s.method == "PATCH") {
        assert_eq!(patch.header("upload-checksum"), Some(sum.as_str()));
    }
}

#[tokio::test]
async fn md5_where_the_server_knows_no_sha1() {
    let options = "200\nTus-Version: 1.0.0\nTus-Extension: checksum\nTus-Checksum-Algorithm: crc32, MD5";
    let raw = server(options, |_, _| offset(SIZE)).await;
    deliver(&mut create_session(&raw).await, &source(), 0).await.unwrap();
    let sum = format!("md5 {}", BASE64_STANDARD.encode(md5::compute(source().bytes()).0));
    assert_eq!(raw.requests()[2].header("upload-checksum"), Some(sum.as_str()));
}

#[tokio::test]
async fn the_servers_offset_is_the_truth() {
    let raw = server("404", |seen, n| match (seen.method.as_str(), n) {
        (_, 0) => offset(1000),
        (_, 1) => "409".to_owned(),
        ("HEAD", 2) => standing(500),
        _ => accepted_answer(seen),
    })
    .await;
    let course = deliver(&mut create_session(&raw).await, &source(), 0).await.unwrap();
    // What was kept of a large part is little: the next ones are smaller.
    let part = 256 << 10;
    assert_eq!(course.offsets, [0, 1000, 500, 500 + part, 500 + 2 * part]);
    assert_eq!((course.failures[0].kind(), course.failures[0].status_code()), (Kind::Interrupted, Some(409)));
    assert!(raw.requests().last().unwrap().body == source().bytes()[500 + 2 * part as usize..]);
}

#[tokio::test]
async fn offsets_that_make_no_sense() {
    for reply in [
        "204\nUpload-Offset: -1",
        "204\nUpload-Offset: +7",
        "204\nUpload-Offset: 7\nUpload-Offset: 8",
        "204\nUpload-Offset: 1e3",
        "204",
        "200\nX: y\n\n<html>",
    ] {
        let raw = server("404", move |_, _| reply.to_owned()).await;
        let failure = create_session(&raw).await.send(whole(&source())).await.unwrap_err();
        assert_eq!(failure.kind(), Kind::Protocol, "{reply}");
    }
}

#[tokio::test]
async fn what_a_look_after_a_failure_says() {
    let cut = haul::Error::new(Kind::Interrupted, "cut");
    let cases: &[(&str, std::result::Result<Recovery, Kind>)] = &[
        ("200\nUpload-Offset: 7\nUpload-Length: 614400", Ok(Recovery::ResumeAt(7))),
        ("204\nUpload-Offset: 7", Ok(Recovery::ResumeAt(7))),
        ("200\nUpload-Offset: 7\nUpload-Length: 8", Ok(Recovery::StartOver)),
        ("404", Ok(Recovery::StartOver)),
        ("410", Ok(Recovery::StartOver)),
        ("403", Ok(Recovery::StartOver)),
        ("400", Ok(Recovery::StartOver)),
        ("409", Err(Kind::Busy)),
        ("401", Err(Kind::Expired)),
        ("423", Err(Kind::Busy)),
        ("503\nRetry-After: 3", Err(Kind::Busy)),
        ("500", Err(Kind::Interrupted)),
        ("200", Err(Kind::Protocol)),
        ("200\nUpload-Offset: 99999999999999999999", Err(Kind::Protocol)),
        ("200\nUpload-Offset: +7", Err(Kind::Protocol)),
        ("200\nUpload-Offset: 7\nUpload-Offset: 8", Err(Kind::Protocol)),
        ("200\nUpload-Offset: 614401", Ok(Recovery::StartOver)),
    ];
    for (reply, expected) in cases {
        let raw = server("404", move |_, _| reply.to_string()).await;
        let found = create_session(&raw).await.recover(&cut).await.map_err(|e| e.kind());
        assert_eq!(&found, expected, "{reply}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_out() {
    let raw = serve(|_, seen| match seen.method.as_str() {
        "OPTIONS" => Some("405".to_owned()),
        "POST" => Some("201\nLocation: /files/1".to_owned()),
        "HEAD" => Some(standing(SIZE)),
        _ => None,
    })
    .await;
    let course = deliver(&mut create_session(&raw).await, &source(), 0).await.unwrap();
    assert_eq!(course.offsets, [0, SIZE], "all was there: nothing is sent again");
    assert_eq!(raw.count("PATCH"), 1);
}

/// More than was sent is told as it is; whoever sends it knows that such an upload is worth nothing.
#[tokio::test]
async fn an_offset_beyond_the_file_ends_the_upload() {
    let raw = server("404", |seen, _| if seen.method == "HEAD" { standing(SIZE + 1) } else { offset(SIZE + 1) }).await;
    let mut session = create_session(&raw).await;
    assert_eq!(session.send(whole(&source())).await.unwrap(), SIZE + 1);
    assert!(!session.is_spoilt());
    assert_eq!(session.recover(&haul::Error::new(Kind::Interrupted, "cut")).await.unwrap(), Recovery::StartOver);
    assert!(session.is_spoilt());
}

/// tusd, @tus/server, rustus and tus-php say these of uploads that may go on: where they stand decides. Said twice at the
/// same byte they are final.
#[tokio::test]
async fn some_refusals_are_looked_into_once() {
    for status in ["400", "416", "417", "422"] {
        let raw = server("404", move |seen, n| match (seen.method.as_str(), n) {
            ("HEAD", _) => standing(1000),
            (_, 0) => format!("{status}\nX: y\n\nERR_UPLOAD_INTERRUPTED"),
            _ => accepted_answer(seen),
        })
        .await;
        let course = deliver(&mut create_session(&raw).await, &source(), 0).await.unwrap();
        assert_eq!((course.offsets, course.failures[0].kind()), (vec![0, 1000], Kind::Interrupted), "{status}");

        let raw = server("404", move |seen, _| if seen.method == "HEAD" { standing(0) } else { status.to_owned() }).await;
        let failure = deliver(&mut create_session(&raw).await, &source(), 0).await.unwrap_err();
        assert_eq!((failure.kind(), raw.count("PATCH")), (Kind::Refused, 2), "{status}");
    }
}

/// A finish hook that says no after all bytes are stored: HEAD says "complete", and it is no success.
#[tokio::test]
async fn a_refused_end_is_no_success() {
    for (status, spoilt) in [("500", true), ("422", true), ("403", true), ("504", false), ("409", false), ("423", false)] {
        let raw = server("404", move |seen, _| if seen.method == "HEAD" { standing(SIZE) } else { status.to_owned() }).await;
        let mut session = create_session(&raw).await;
        let failure = session.send(whole(&source())).await.unwrap_err();
        assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(SIZE), "{status}");
        let ended = session.finish().await.map_err(|e| (e.kind(), e.status_code()));
        let wanted = if spoilt { Err((Kind::Refused, status.parse().ok())) } else { Ok(()) };
        assert_eq!((ended, session.is_spoilt()), (wanted, spoilt), "{status}");
    }
}

/// A line that breaks again and again before anything is kept gets smaller parts; one that keeps much does not.
#[tokio::test]
async fn parts_shrink_where_little_gets_through() {
    let source = MemorySource::new(bytes(3 << 20));
    for (kept, most) in [(0, 1536 << 10), (2 << 20, 3 << 20)] {
        let raw = serve(move |_, seen| match seen.method.as_str() {
            "OPTIONS" => Some("404".to_owned()),
            "POST" => Some("201\nLocation: up/1".to_owned()),
            "HEAD" => Some(format!("200\nUpload-Offset: {kept}")),
            _ => None,
        })
        .await;
        let mut session = tus::create(&http(), target(&raw, Some(3 << 20))).await.unwrap();
        let failure = session.send(whole(&source)).await.unwrap_err();
        assert_eq!(session.recover(&failure).await.unwrap(), Recovery::ResumeAt(kept));
        assert_eq!(session.chunking(), Chunking::Parts(most), "{kept}");
    }
}

/// A balancer keeps an upload on one machine by its cookie.
#[tokio::test]
async fn cookies_last_as_long_as_the_upload() {
    let raw = serve(|_, seen| {
        Some(match seen.method.as_str() {
            "OPTIONS" => "404".to_owned(),
            "POST" => "201\nLocation: up/1\nSet-Cookie: node=a; Path=/; HttpOnly".to_owned(),
            _ => format!("{}\nSet-Cookie: node=b; Path=/", accepted_answer(seen)),
        })
    })
    .await;
    let mut session = create_session(&raw).await;
    session.send(part(&source(), 0, 1000, false)).await.unwrap();
    session.send(part(&source(), 1000, SIZE - 1000, true)).await.unwrap();
    create_session(&raw).await;
    let cookies: Vec<_> = raw.requests().iter().map(|seen| seen.header("cookie").map(str::to_owned)).collect();
    let cookie = |text: &str| Some(text.to_owned());
    assert_eq!(cookies, [None, None, cookie("node=a"), cookie("node=b"), None, None]);
}

#[tokio::test]
async fn patch_in_disguise() {
    let raw = server("404", |seen, _| match (seen.method.as_str(), seen.header("upload-offset")) {
        ("PATCH", _) => "405".to_owned(),
        ("HEAD", _) => standing(0),
        (_, Some("0")) => offset(1000),
        _ => accepted_answer(seen),
    })
    .await;
    deliver(&mut create_session(&raw).await, &source(), 0).await.unwrap();
    assert_eq!((raw.count("PATCH"), raw.count("HEAD"), raw.count("POST")), (1, 1, 5), "remembered after the first");
    let second = &raw.requests()[5];
    assert_eq!(second.header("x-http-method-override"), Some("PATCH"));
    assert!(second.body == source().bytes()[1000..1000 + (256 << 10)]);
}

#[tokio::test]
async fn too_large_parts_shrink() {
    let raw = server("404", |seen, _| {
        let length: u64 = seen.header("content-length").map_or(0, |l| l.parse().unwrap());
        let from: u64 = seen.header("upload-offset").map_or(0, |o| o.parse().unwrap());
        match seen.method.as_str() {
            "HEAD" => standing(0),
            _ if length > 300 << 10 => "413".to_owned(),
            _ => offset(from + length),
        }
    })
    .await;
    let mut session = create_session(&raw).await;
    assert_eq!(session.chunking(), Chunking::Parts(SIZE));
    let course = deliver(&mut session, &source(), 0).await.unwrap();
    assert_eq!(course.offsets, [0, 0, 256 << 10, 512 << 10]);
    assert_eq!((course.failures[0].kind(), course.failures[0].status_code()), (Kind::Busy, Some(413)));

    let raw = server("404", |seen, _| if seen.method == "HEAD" { standing(0) } else { "413".to_owned() }).await;
    let failure = deliver(&mut create_session(&raw).await, &source(), 0).await.unwrap_err();
    assert_eq!((failure.kind(), raw.count("PATCH")), (Kind::Refused, 2));
}

#[tokio::test]
async fn an_empty_patch_only_where_it_is_needed() {
    for (held, patches) in [("200\nUpload-Offset: 0\nUpload-Length: 0", 0), ("200\nUpload-Offset: 0", 1)] {
        let raw = server("404", move |seen, _| if seen.method == "HEAD" { held.to_owned() } else { offset(0) }).await;
        let mut session = tus::create(&http(), target(&raw, Some(0))).await.unwrap();
        deliver(&mut session, &MemorySource::new(bytes(0)), 0).await.unwrap();
        assert_eq!(raw.count("PATCH"), patches, "{held}");
    }
}

#[tokio::test]
async fn refused_before_anything_is_made() {
    let raw = server("200\nAllow: POST", |_, _| offset(0)).await;
    assert_eq!(tus::create(&http(), target(&raw, None)).await.err().unwrap().kind(), Kind::NeedsSize);
    let raw2 = server("204\nTus-Version: 1.0.0\nTus-Max-Size: 100", |_, _| offset(0)).await;
    assert_eq!(tus::create(&http(), target(&raw2, Some(101))).await.err().unwrap().kind(), Kind::Refused);
    assert_eq!((raw.count("POST"), raw2.count("POST")), (0, 0));
}

#[tokio::test]
async fn creations_that_fail() {
    let cases = [
        ("201", Kind::Protocol),
        ("201\nLocation: http://192.0.2.1/1", Kind::Protocol),
        ("200\nX: y\n\n<html>welcome", Kind::Protocol),
        ("302\nLocation: /login", Kind::Protocol),
        ("401", Kind::Expired),
        ("403", Kind::Refused),
        ("412\nTus-Version: 0.2", Kind::Unsupported),
        ("413", Kind::Refused),
        ("503", Kind::Busy),
        ("500", Kind::Interrupted),
    ];
    for (reply, kind) in cases {
        let raw = serve(move |_, seen| Some(if seen.method == "OPTIONS" { "404" } else { reply }.to_owned())).await;
        let failure = tus::create(&http(), target(&raw, Some(1))).await.err().unwrap();
        assert_eq!(failure.kind(), kind, "{reply}: {failure}");
    }
}

#[tokio::test]
async fn what_stays_behind_is_named() {
    let raw = server(OPTIONS, |_, _| "500".to_owned()).await;
    assert_eq!(create_session(&raw).await.abort().await.as_deref(), Some("1"), "termination is not announced");
    assert_eq!(raw.count("DELETE"), 0);
    let raw = server("204\nTus-Version: 1.0.0\nTus-Extension: termination", |_, _| "500".to_owned()).await;
    assert_eq!(create_session(&raw).await.abort().await.as_deref(), Some("1"), "the server failed to remove it");
    assert_eq!(raw.count("DELETE"), 1);
}

#[tokio::test]
async fn the_end_is_looked_at_when_no_answer_told_it() {
    let raw = server("404", |_, n| standing(if n == 0 { SIZE } else { 5 })).await;
    create_session(&raw).await.finish().await.unwrap();
    assert_eq!(create_session(&raw).await.finish().await.unwrap_err().kind(), Kind::Integrity);
}

#[tokio::test]
async fn a_short_part_of_an_unknown_file_tells_no_length() {
    let options = "204\nTus-Version: 1.0.0\nTus-Extension: creation,creation-defer-length";
    let raw = server(options, |seen, _| {
        let length: u64 = seen.header("content-length").unwrap().parse().unwrap();
        offset(seen.header("upload-offset").unwrap().parse::<u64>().unwrap() + length)
    })
    .await;
    let source = MemorySource::of_unknown_size(bytes(30));
    let mut session = tus::create(&http(), target(&raw, None)).await.unwrap();
    assert_eq!(session.chunking(), Chunking::Parts(8 << 20));
    session.send(part(&source, 0, 10, false)).await.unwrap();
    session.send(part(&source, 10, 20, true)).await.unwrap();
    session.finish().await.unwrap();
    let seen = raw.requests();
    assert_eq!((seen[1].header("upload-defer-length"), seen[1].header("upload-length")), (Some("1"), None));
    assert_eq!((seen[2].header("upload-length"), seen[3].header("upload-length")), (None, Some("30")));
    assert_eq!(seen.len(), 4);
}

/// Ctrl-C must not wait for a server that says nothing.
#[tokio::test]
async fn a_question_that_is_given_up_ends_its_request() {
    let (listener, url) = listen().await;
    let target = TusTarget {
        endpoint: url.clone(),
        metadata: vec![],
        headers: HeaderMap::new(),
        size: Some(1),
        chunk_size: None,
        manners: TusServer::default(),
    };
    let mut session = tus::resume(&http(), target, url);
    let cut = haul::Error::new(Kind::Interrupted, "cut");
    let asked = tokio::spawn(async move { session.recover(&cut).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(read_head(&mut stream).await.unwrap().method, "HEAD");
    asked.abort();
    let mut rest = Vec::new();
    let end = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
    assert_eq!(tokio::time::timeout(std::time::Duration::from_secs(5), end).await.unwrap().unwrap(), 0);
}
