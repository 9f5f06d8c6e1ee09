//! What servers answer to the requests of a bare TUS remote, and what the command makes of each answer.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use crate::support::command::{Home, Ran};
use crate::support::env::bytes;
use crate::support::raw_http::{Raw, RawRequest, serve};

const OPTIONS: &str = "204\nTus-Version: 1.0.0\nTus-Extension: creation,termination";
const SIZE: usize = 5_000;

/// What a script answers to the n-th request of a method; none: as a server without faults does.
type Answer = Option<Option<String>>;

fn status(answer: &str) -> Answer {
    Some(Some(answer.to_owned()))
}

/// No answer at all.
const SILENCE: Answer = Some(None);

/// A server that keeps what it is sent, unless `script` says what it answers to a request, which it then has not done.
async fn server(script: impl Fn(&RawRequest, usize) -> Answer + Send + 'static) -> Raw {
    let (held, length) = (AtomicU64::new(0), AtomicU64::new(0));
    let counts: [AtomicUsize; 3] = Default::default();
    serve(move |_, seen| {
        let kind = match seen.method.as_str() {
            "PATCH" => 0,
            "HEAD" => 1,
            _ => 2,
        };
        if let Some(scripted) = script(seen, counts[kind].fetch_add(1, SeqCst)) {
            return scripted;
        }
        match seen.method.as_str() {
            "OPTIONS" => Some(OPTIONS.to_owned()),
            "POST" if seen.header("x-http-method-override").is_none() => {
                length.store(seen.header("upload-length").unwrap().parse().unwrap(), SeqCst);
                held.store(0, SeqCst);
                Some("201\nLocation: up/1".to_owned())
            }
            "PATCH" | "POST" if seen.header("upload-offset") != Some(&held.load(SeqCst).to_string()) => Some("409".to_owned()),
            "PATCH" | "POST" => {
                held.fetch_add(seen.body.len() as u64, SeqCst);
                Some(format!("204\nUpload-Offset: {}", held.load(SeqCst)))
            }
            "DELETE" => Some("204".to_owned()),
            _ => Some(format!("200\nUpload-Offset: {}\nUpload-Length: {}", held.load(SeqCst), length.load(SeqCst))),
        }
    })
    .await
}

fn put(raw: &Raw, size: usize, more: &[&str]) -> Ran {
    let keys = [("PROVIDER", "tus"), ("URL", raw.url.as_str())];
    let home = Home::new().env(keys.map(|(key, value)| (format!("HAUL_REMOTE_BOX_{key}"), value.to_owned())));
    home.file("a.bin", &bytes(size, 1).0);
    home.run(&[&["put", "--json", "a.bin", "box:/"], more].concat())
}

/// The methods in their order; those that carry bytes with their offset.
fn requests(raw: &Raw) -> Vec<String> {
    let shown = |seen: &RawRequest| match seen.header("upload-offset") {
        Some(offset) => format!("PATCH {offset}"),
        None => seen.method.clone(),
    };
    raw.requests().iter().map(shown).filter(|method| method != "OPTIONS").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_upload_is_waited_for() {
    for locked in ["409", "423"] {
        let raw = server(move |seen, n| match (seen.method.as_str(), n) {
            ("PATCH", 0) => SILENCE,
            ("HEAD", 0 | 1) => status(locked),
            _ => None,
        })
        .await;
        put(&raw, SIZE, &[]).ends_with(0);
        let seen = requests(&raw);
        assert_eq!(seen[..5], ["POST", "PATCH 0", "HEAD", "HEAD", "HEAD"], "{locked}");
        assert_eq!((raw.count("PATCH"), raw.count("POST"), seen.last().unwrap().as_str()), (2, 1, "PATCH 0"), "{locked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_stays_locked_is_not_waited_for_without_end() {
    for locked in ["409", "423"] {
        let raw = server(move |seen, _| match seen.method.as_str() {
            "PATCH" => SILENCE,
            "HEAD" => status(locked),
            _ => None,
        })
        .await;
        put(&raw, SIZE, &["--retries", "3"]).ends_with(5).says("still holds the upload");
        assert_eq!((raw.count("PATCH"), raw.count("POST"), raw.count("DELETE")), (1, 1, 0), "{locked}");
        assert!(raw.count("HEAD") <= 3, "{}", raw.count("HEAD"));
    }
}

/// A refusal of one request says little of the upload: some servers answer so to what a newer request has overtaken.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_part_is_looked_into_before_anything_else() {
    for refused in ["400", "409", "413", "416", "417", "422", "423", "460", "500", "503"] {
        let raw = server(move |seen, n| (seen.method == "PATCH" && n == 0).then(|| Some(refused.to_owned()))).await;
        put(&raw, 1 << 20, &[]).ends_with(0);
        assert_eq!(requests(&raw)[..4], ["POST", "PATCH 0", "HEAD", "PATCH 0"], "{refused}");
    }
}

/// tus-php looks at no offset of 0: it would append the bytes to those that it has.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_byte_is_never_sent_twice_without_a_look() {
    for answer in ["", "400", "405", "409", "413", "423", "460", "500", "501", "502", "503\nRetry-After: 0", "204\nUpload-Offset: 0"] {
        let raw = server(move |seen, n| {
            let is_first = seen.method == "PATCH" && n < 2;
            is_first.then(|| Some(answer.to_owned()).filter(|answer| !answer.is_empty()))
        })
        .await;
        put(&raw, 1 << 20, &[]);
        let seen = requests(&raw);
        assert!(seen.iter().filter(|asked| *asked == "PATCH 0").count() > 1, "{answer}: {seen:?}");
        assert!(seen.windows(2).all(|pair| pair != ["PATCH 0", "PATCH 0"]), "{answer}: {seen:?}");
    }
}

/// A check of the whole file says no when the server has the last byte already.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_to_the_last_part_is_no_success() {
    for (refused, exit) in
        [("400\n\nERR_HOOK: a virus", 8), ("403\n\nERR_HOOK: a virus", 8), ("422\n\nERR_HOOK: a virus", 8), ("500\n\nERR_HOOK: a virus", 8)]
    {
        let raw = server(move |seen, _| match seen.method.as_str() {
            "PATCH" => status(refused),
            "HEAD" => status(&format!("200\nUpload-Offset: {SIZE}\nUpload-Length: {SIZE}")),
            _ => None,
        })
        .await;
        put(&raw, SIZE, &[]).ends_with(exit).says("a virus");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_gets_one_empty_request() {
    let raw = server(|_, _| None).await;
    put(&raw, 0, &[]).ends_with(0);
    let patches: Vec<usize> = raw.requests().iter().filter(|seen| seen.method == "PATCH").map(|seen| seen.body.len()).collect();
    assert_eq!(patches, [0]);
}

/// The answer was lost, and the look says that all is there; or that the address is by now a file of another length.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_finished_there_is_never_deleted() {
    let raw = server(|seen, n| match (seen.method.as_str(), n) {
        ("PATCH", 0) => SILENCE,
        ("HEAD", _) => status(&format!("200\nUpload-Offset: {SIZE}\nUpload-Length: {SIZE}")),
        _ => None,
    })
    .await;
    put(&raw, SIZE, &[]).ends_with(0);
    assert_eq!((raw.count("PATCH"), raw.count("DELETE")), (1, 0));

    let raw = server(|seen, n| match (seen.method.as_str(), n) {
        ("PATCH", 0) => SILENCE,
        ("HEAD", 0 | 1) => status("200\nUpload-Offset: 9999\nUpload-Length: 9999"),
        _ => None,
    })
    .await;
    put(&raw, SIZE, &[]).ends_with(0);
    assert_eq!((raw.count("POST"), raw.count("DELETE")), (2, 0), "{:?}", requests(&raw));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_draft_is_told_apart() {
    const DRAFT: &str = "204\nUpload-Draft-Interop-Version: 8\nUpload-Limit: max-size=1000000";
    let raw = server(|seen, _| (seen.method != "PATCH").then(|| Some(DRAFT.to_owned()))).await;
    put(&raw, SIZE, &[]).ends_with(10).says("Internet-Draft").says("TUS 1.0.0");
    assert_eq!(raw.count("PATCH"), 0);
}
