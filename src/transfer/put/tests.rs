//! A put to a remote that can do nothing but take uploads.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::plan::{PlanStep, PutItem};
use super::plan_stream::PlanStream;
use super::run::PutRun;
use super::{ChecksumMode, PutJob, PutOptions, put};
use crate::contract::{AnyProvider, Events};
use crate::model::report::{TransferKind, Verified};
use crate::model::{Address, Event, Report};
use crate::testing::minimal_provider::{MinimalProvider, Received};
use crate::transfer::source::SourceSpec;
use crate::transfer::{IfExists, RemoteClient, RetryPolicy};

fn job(received: &Arc<Received>, to: &str, if_exists: IfExists, state: &Path) -> (PutJob, UnboundedReceiver<Event>) {
    let (events, told) = Events::channel();
    let provider: AnyProvider = Arc::new(MinimalProvider(received.clone()));
    let policy = RetryPolicy { tries: 3, timeout: Duration::from_secs(30), min_rate: 0 };
    let job = PutJob {
        client: RemoteClient::new("m".to_owned(), provider.into(), policy, events),
        ledger: Arc::new(crate::state::State::new(Some(state.to_owned()))),
        remote_key: "m".to_owned(),
        target: Address::parse_remote(to).unwrap(),
        options: PutOptions {
            if_exists,
            size_only: false,
            checksum: ChecksumMode::Auto,
            protocol: None,
            chunk_size: None,
            streams: 1,
            copies_on_server: false,
            jobs: 2,
            dry_run: false,
            fail_fast: false,
            stdin_size: None,
            metadata: Arc::default(),
            filter: Arc::default(),
        },
    };
    (job, told)
}

async fn run(received: &Arc<Received>, to: &str, sources: &[String], if_exists: IfExists) -> Vec<Report> {
    let state = tempfile::tempdir().unwrap();
    let (job, mut told) = job(received, to, if_exists, state.path());
    put(job, sources).await.unwrap();
    let mut reports = Vec::new();
    while let Some(event) = told.recv().await {
        if let Event::Finished { report, .. } = event {
            reports.push(*report);
        }
    }
    reports
}

/// No look before and none behind: the session's own offset is the proof.
#[tokio::test]
async fn a_remote_that_only_takes_uploads_gets_files() {
    let local = tempfile::tempdir().unwrap();
    let content = [("a.bin", &b"0123456789"[..]), ("empty", b""), ("sub/b.bin", b"abc")];
    std::fs::create_dir(local.path().join("sub")).unwrap();
    for (name, bytes) in content {
        std::fs::write(local.path().join(name), bytes).unwrap();
    }
    let received = Arc::<Received>::default();
    let sources: Vec<String> = ["a.bin", "empty", "sub"].map(|name| local.path().join(name).to_string_lossy().into_owned()).into();
    for policy in [IfExists::Update, IfExists::Fail] {
        let reports = run(&received, "m:/in/", &sources, policy).await;
        assert_eq!(reports.len(), 3, "{reports:?}");
        for report in &reports {
            let Report::Transferred { how: TransferKind::Uploaded, transfer } = report else { panic!("{report:?}") };
            assert_eq!(transfer.verified, Verified::Size, "{report:?}");
        }
        let files = received.files.lock();
        let arrived: Vec<_> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
        assert_eq!(arrived, [("/in/a.bin", content[0].1), ("/in/empty", content[1].1), ("/in/sub/b.bin", content[2].1)]);
    }
    assert!(received.calls.load(Ordering::Relaxed) > 0);
}

/// One file to a path that ends without a slash gets that name.
#[tokio::test]
async fn a_file_gets_the_name_of_its_place() {
    let local = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(local.path(), "bytes").unwrap();
    let received = Arc::<Received>::default();
    run(&received, "m:film.mov", &[local.path().to_string_lossy().into_owned()], IfExists::Update).await;
    assert_eq!(received.files.lock().keys().collect::<Vec<_>>(), ["/film.mov"]);
}

/// A walk that goes on only when the file before has arrived.
#[tokio::test]
async fn the_first_file_is_sent_while_the_walk_goes_on() {
    let local = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let received = Arc::<Received>::default();
    let (job, mut told) = job(&received, "m:/in/", IfExists::Update, state.path());
    let (arrived, top) = (received.clone(), local.path().to_owned());
    let steps = (0..5_u8).map(move |n| {
        let begun = std::time::Instant::now();
        while arrived.files.lock().len() < usize::from(n) {
            assert!(begun.elapsed() < Duration::from_secs(60), "file {n} did not come");
            std::thread::yield_now();
        }
        let path = top.join(format!("{n}"));
        std::fs::write(&path, [n; 10]).unwrap();
        let folder = crate::model::RemotePath::parse("/in").unwrap();
        PlanStep::Put(PutItem { origin: SourceSpec::File(path), folder, name: n.to_string(), size: Some(10) })
    });
    let (run, _) = PutRun::begin(job).await.unwrap();
    run.execute(PlanStream::of(|| steps)).await;
    drop(run);
    assert_eq!(received.files.lock().len(), 5);
    let mut totals = Vec::new();
    while let Some(event) = told.recv().await {
        match event {
            Event::Planned { files, bytes } => totals.push((files, bytes)),
            Event::Finished { report, .. } => assert!(matches!(*report, Report::Transferred { .. }), "{report:?}"),
            _ => {}
        }
    }
    assert_eq!(totals, [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]);
}
