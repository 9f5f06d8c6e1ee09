//! A resumed upload in this process: the order of notes and calls.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use haul::contract::{BoxFuture, Checksum, Chunks, Part, Source, TransferStore, UploadRequest};
use haul::model::Protocol;
use haul::state::State;
use haul::testing::upload_request;
use haul::transfer::fingerprint::FileFingerprint;
use haul::transfer::put::confirmation_queue::ConfirmationQueue;
use haul::transfer::source::file::FileSource;
use haul::transfer::upload::journal::Journal;
use haul::transfer::upload::upload;
use tokio::sync::Notify;

use crate::support::env::bytes;
use crate::support::fixture::{Fixture, each};

const ALL: u64 = 1_000_000;

/// A file whose first byte is not given out before the rest was asked for.
struct Late {
    file: FileSource,
    rest_is_asked_for: Arc<Notify>,
}

impl Source for Late {
    fn name(&self) -> &str {
        self.file.name()
    }
    fn size(&self) -> Option<u64> {
        self.file.size()
    }
    fn read(&self, from: u64, len: u64) -> Chunks {
        let rest = self.file.read(from, len);
        if from > 0 {
            self.rest_is_asked_for.notify_one();
            return rest;
        }
        let asked = self.rest_is_asked_for.clone();
        Box::pin(async move { asked.notified().await }.into_stream().flat_map(|()| futures_util::stream::empty()).chain(rest))
    }
    fn available(&self, from: u64, most: u64) -> BoxFuture<'_, haul::Result<u64>> {
        self.file.available(from, most)
    }
    fn check_unchanged(&self) -> haul::Result<()> {
        self.file.check_unchanged()
    }
}

/// A file of the user's, and what one run notes for the next.
struct Local {
    dir: tempfile::TempDir,
    content: Vec<u8>,
    ledger: Arc<dyn TransferStore>,
}

impl Local {
    fn new() -> Local {
        let (dir, content) = (tempfile::tempdir().unwrap(), bytes(ALL as usize, 9).0);
        std::fs::write(dir.path().join("film.bin"), &content).unwrap();
        let ledger = Arc::new(State::new(Some(dir.path().join("state"))));
        Local { dir, content, ledger }
    }

    fn file(&self) -> FileSource {
        FileSource::open(&self.dir.path().join("film.bin")).unwrap()
    }

    fn md5(&self) -> String {
        format!("{:x}", md5::compute(&self.content))
    }

    fn journal(&self) -> Journal {
        let place = ("studio".to_owned(), "/in/film.bin".to_owned());
        let source = FileFingerprint::of(&self.dir.path().join("film.bin")).unwrap();
        let shown = source.path.clone();
        Journal::new(self.ledger.clone(), "key".to_owned(), place, source, shown)
    }

    /// The first run: sends `parts` and dies. Before the last step of all, if these are all.
    async fn send_parts(&self, fixture: &Fixture, item: &UploadRequest, parts: u64, len: u64) {
        let mut begun = fixture.provider.open_upload(item).await.unwrap();
        let notes = self.journal();
        notes.record_opened(item, &begun.ticket, begun.session.as_ref(), false).unwrap();
        for n in 0..parts {
            let part = Part { source: item.source.clone(), offset: n * len, len, last: (n + 1) * len == ALL };
            begun.session.send(part).await.unwrap();
        }
        if parts * len == ALL {
            notes.finishing().unwrap();
        }
    }
}

async fn item(fixture: &Fixture, source: Arc<dyn Source>, md5: Option<String>) -> UploadRequest {
    let request = upload_request(source, fixture.folder("in").await, "film.bin");
    UploadRequest { checksum: Checksum { md5, from_remote: false }, chunk_size: Some(100_000), ..request }
}

/// Whether or not the first run knew the checksum of the whole.
#[tokio::test]
async fn the_rest_does_not_wait_for_the_head_to_be_read_again() {
    for known in [true, false] {
        each(async |fixture: Fixture| {
            if fixture.id() != "iogates" {
                return;
            }
            let local = Local::new();
            let md5 = known.then(|| local.md5());
            local.send_parts(&fixture, &item(&fixture, Arc::new(local.file()), md5.clone()).await, 8, 100_000).await;

            let late = Late { file: local.file(), rest_is_asked_for: Arc::default() };
            let (second, client) = (item(&fixture, Arc::new(late), md5).await, fixture.client());
            let queue = ConfirmationQueue::default();
            let sent = tokio::time::timeout(Duration::from_secs(60), upload(&client, 1, second, true, Some(local.journal()), &queue));
            let uploaded = sent.await.expect("the rest waits for the head").unwrap();
            assert_eq!((uploaded.resumed_from, uploaded.md5.unwrap()), (800_000, local.md5()));
            assert_eq!(fixture.read_stored("/in/film.bin").unwrap(), local.content);
        })
        .await;
    }
}

/// All bytes are there under the travelling name: the file can't be on its way in, so nobody waits for it to appear.
#[tokio::test]
async fn a_rename_that_was_not_done_is_done_at_once() {
    each(async |fixture: Fixture| {
        if fixture.id() != "iogates" {
            return;
        }
        let local = Local::new();
        let by_ftps = |item| UploadRequest { protocol: Some(Protocol::Ftps), ..item };
        local.send_parts(&fixture, &by_ftps(item(&fixture, Arc::new(local.file()), None).await), 1, ALL).await;

        let second = by_ftps(item(&fixture, Arc::new(local.file()), None).await);
        let mut client = fixture.client();
        client.policy.timeout = Duration::from_secs(600);
        let queue = ConfirmationQueue::default();
        let sent = tokio::time::timeout(Duration::from_secs(60), upload(&client, 1, second, true, Some(local.journal()), &queue));
        let uploaded = sent.await.expect("it waits for what can't come").unwrap();
        assert_eq!((uploaded.resumed_from, uploaded.md5.unwrap()), (ALL, local.md5()));
        assert_eq!(fixture.read_stored("/in/film.bin").unwrap(), local.content);
    })
    .await;
}
