//! A put to a remote that can do nothing but take uploads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{ChecksumMode, PutJob, PutOptions, put};
use crate::contract::{AnyProvider, Events};
use crate::model::report::Verified;
use crate::model::{Address, Event, Report};
use crate::testing::minimal_provider::{MinimalProvider, Received};
use crate::transfer::{IfExists, RemoteClient, RetryPolicy};

async fn run(received: &Arc<Received>, to: &str, sources: &[String], if_exists: IfExists) -> Vec<Report> {
    let (events, mut told) = Events::channel();
    let provider: AnyProvider = Arc::new(MinimalProvider(received.clone()));
    let policy = RetryPolicy { tries: 3, timeout: Duration::from_secs(30), min_rate: 0 };
    let state = tempfile::tempdir().unwrap();
    let job = PutJob {
        client: RemoteClient::new("m".to_owned(), provider.into(), policy, events),
        ledger: Arc::new(crate::state::State::new(Some(state.path().to_owned()))),
        remote_key: "m".to_owned(),
        target: Address::parse_remote(to).unwrap(),
        options: PutOptions {
            if_exists,
            checksum: ChecksumMode::Auto,
            protocol: None,
            chunk_size: None,
            jobs: 2,
            dry_run: false,
            fail_fast: false,
            stdin_size: None,
            metadata: Arc::default(),
        },
    };
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
            let Report::Uploaded(transfer) = report else { panic!("{report:?}") };
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
