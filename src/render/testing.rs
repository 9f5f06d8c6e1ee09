//! For the tests of this module: one report of every kind, and streams that store or refuse what is written.

use std::io::{self, Write};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde_json::json;

use crate::error::{Error, Kind};
use crate::model::account::{Limits, Quota};
use crate::model::report::{CheckLine, CommentLine, Failure, ProviderLine, RemoteLine, Summary, Transfer, TransferKind, Verified};
use crate::model::timecode::TimeSpan;
use crate::model::{Account, Entry, EntryKind, Protocol, RemotePath, Report};
use crate::render::{Renderer, Style};

pub const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

pub fn path(text: &str) -> RemotePath {
    RemotePath::parse(text).unwrap()
}

pub fn transfer(source: &str, to: &str, size: u64) -> Transfer {
    Transfer {
        source: source.into(),
        remote: "studio".into(),
        path: path(to),
        id: Some("77".into()),
        size,
        md5: Some(MD5.into()),
        verified: Verified::Md5,
        protocol: Protocol::Tus,
        resumed_from: 0,
        retries: 0,
        seconds: 80.5,
        stamp: None,
        target: None,
        kept: None,
        url: None,
    }
}

pub fn failure(source: &str, to: &str) -> Failure {
    let error = Error::new(Kind::Refused, "the account is full").with_hint("delete something").with_status(507);
    Failure::new(&error).of_source(source).at("studio", path(to))
}

pub fn entry() -> Entry {
    let time = DateTime::parse_from_rfc3339("2026-10-01T23:30:10Z").unwrap().with_timezone(&Utc);
    let mut entry = Entry::new(EntryKind::File, "77", path("/in/a.mov"));
    entry.size = Some(3_650_722_201);
    entry.modified = Some(time);
    entry.url = Some("https://studio.example/77".into());
    entry.extra.insert("views".into(), json!(3));
    entry
}

pub fn entry_report(entry: Entry) -> Report {
    Report::Entry { remote: "studio".into(), entry }
}

pub fn account() -> Account {
    Account {
        account: Some("ann".into()),
        package: Some("Pro".into()),
        quota: Quota { total: Some(100 << 30), used: Some(12 << 30), free: Some(88 << 30) },
        limits: Limits { file_size: Some(10 << 30), uploads_at_once: Some(4), may_upload: Some(true), ..Limits::default() },
        protocols: vec![Protocol::Tus, Protocol::Ftps],
        warnings: vec!["the share ends tomorrow".into()],
        extra: Default::default(),
    }
}

pub fn provider(title: &'static str, folders: bool, protocols: Vec<Protocol>) -> ProviderLine {
    let abilities = [("folders", folders), ("removal", true)].map(|(name, held)| (name.to_owned(), json!(held)));
    ProviderLine { provider: "x", title, protocols, abilities: abilities.into_iter().collect() }
}

pub fn remote() -> RemoteLine {
    RemoteLine {
        name: "studio".into(),
        provider: "iogates".into(),
        url: Some("https://iogates.com".into()),
        origin: "file".into(),
        settings: [("password", "***"), ("username", "ann")].map(|(k, v)| (k.to_owned(), json!(v))).into_iter().collect(),
    }
}

pub fn check(ok: bool) -> Report {
    Report::Check(CheckLine { remote: "studio".into(), step: "name resolution".into(), ok, detail: "192.0.2.7".into() })
}

pub fn comment() -> CommentLine {
    CommentLine {
        remote: "studio".into(),
        path: Some("/in/a.mov".into()),
        id: "12".into(),
        parent: None,
        owner: Some("ann".into()),
        created: None,
        text: "wrong\ntake".into(),
        removed: false,
        timecode: Some("00:00:12:05".into()),
        timecode_out: Some("00:00:15:00".into()),
        source_timecode: Some("10:00:12:05".into()),
        times: vec![TimeSpan { start_ms: 12_200, end_ms: Some(15_000) }],
    }
}

pub fn progress() -> Report {
    Report::Progress {
        files: 3,
        of_files: 12,
        bytes: 1 << 30,
        of_bytes: Some(4 << 30),
        bytes_per_second: 43.0 * 1_048_576.0,
        seconds_left: Some(80.0),
    }
}

pub fn summary() -> Report {
    Report::Summary(Summary { files: 12, bytes: 3_650_722_201, skipped: 2, failed: 1, seconds: 80.0, ..Summary::default() })
}

pub fn all() -> Vec<Report> {
    let remote_name = || "studio".to_owned();
    let mut uploaded = transfer("a.mov", "/in/a.mov", 3_650_722_201);
    uploaded.resumed_from = 1 << 30;
    uploaded.retries = 2;
    vec![
        Report::Transferred { how: TransferKind::Uploaded, transfer: uploaded },
        Report::Skipped {
            source: "a.mov".into(),
            remote: remote_name(),
            path: path("/in/a.mov"),
            target: None,
            id: Some("77".into()),
            size: Some(3),
            reason: "same MD5".into(),
        },
        Report::Planned {
            action: "upload",
            source: Some("a.mov".into()),
            remote: remote_name(),
            path: path("/in/a.mov"),
            target: None,
            size: Some(2048),
        },
        Report::Created { remote: remote_name(), path: path("/in"), id: Some("5".into()), kind: "folder" },
        Report::Failed(failure("b.mov", "/in/b.mov")),
        entry_report(entry()),
        Report::About { remote: remote_name(), provider: "iogates", account: Box::new(account()) },
        Report::Login { remote: remote_name(), account: Some("ann".into()) },
        Report::Logout { remote: remote_name(), revoked: true },
        Report::Remote(remote()),
        check(true),
        Report::Providers(provider("ioGates", false, vec![Protocol::Tus, Protocol::Ftps])),
        Report::Arrived { provider: "iogates".into(), path: "/in/a.mov".into(), size: 2048, md5: MD5.into(), protocol: "tus".into() },
        Report::Comments(comment()),
        progress(),
        summary(),
    ]
}

/// A stream that stores what was written.
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that always fails with this error.
pub struct Failing(pub io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub fn capture(style: Style) -> (Renderer, Captured, Captured) {
    let (out, err) = (Captured::default(), Captured::default());
    (Renderer::onto(style, Box::new(out.clone()), Box::new(err.clone())), out, err)
}
