//! A resumed upload in process: what waits for what.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use haul::contract::{BoxFuture, Checksum, Chunks, Ledger, Part, Source, UploadItem};
use haul::state::State;
use haul::transfer::journal::Journal;
use haul::transfer::source::{FileSource, Identity};
use haul::transfer::upload::upload;
use tokio::sync::Notify;

use crate::contract::world::{World, each};
use crate::put::bytes;

const ALL: u64 = 1_000_000;
const SENT: u64 = 800_000;

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

async fn item(world: &World, source: Arc<dyn Source>, md5: Option<String>) -> UploadItem {
    UploadItem {
        source,
        folder: world.folder("in").await,
        siblings: [].into(),
        name: "film.bin".to_owned(),
        checksum: Checksum { md5 },
        metadata: Arc::default(),
        replaces: None,
        protocol: None,
        avoid: Vec::new(),
        chunk_size: Some(100_000),
        unused: None,
        made: None,
    }
}

/// Whether or not the first run knew the checksum of the whole.
#[tokio::test]
async fn the_rest_does_not_wait_for_the_head_to_be_read_again() {
    for known in [true, false] {
        each(async |world: World| {
            if world.id() != "iogates" {
                return;
            }
            let dir = tempfile::tempdir().unwrap();
            let (path, content) = (dir.path().join("film.bin"), bytes(ALL as usize, 9).0);
            std::fs::write(&path, &content).unwrap();
            let ledger: Arc<dyn Ledger> = Arc::new(State::new(Some(dir.path().join("state"))));
            let place = || ("studio".to_owned(), "/in/film.bin".to_owned());
            let journal = || Journal::new(ledger.clone(), "key".to_owned(), place(), Identity::of(&path).unwrap());
            let file = || FileSource::open(&path).unwrap();
            let md5 = known.then(|| format!("{:x}", md5::compute(&content)));

            let first = item(&world, Arc::new(file()), md5.clone()).await;
            let mut begun = world.provider.open_upload(&first).await.unwrap();
            let notes = journal();
            notes.opened(&first, &begun.ticket, begun.session.protocol(), begun.session.note()).unwrap();
            for offset in (0..SENT).step_by(100_000) {
                begun.session.send(Part { source: first.source.clone(), offset, len: 100_000, last: false }).await.unwrap();
            }
            drop(begun);

            let late = Late { file: file(), rest_is_asked_for: Arc::default() };
            let second = item(&world, Arc::new(late), md5.clone()).await;
            let desk = world.desk();
            let sent = tokio::time::timeout(Duration::from_secs(60), upload(&desk, 1, second, true, Some(journal())));
            let uploaded = sent.await.expect("the rest waits for the head").unwrap();
            assert_eq!((uploaded.resumed_from, uploaded.md5.unwrap()), (SENT, format!("{:x}", md5::compute(&content))));
            assert_eq!(world.stored("/in/film.bin").unwrap(), content);
        })
        .await;
    }
}
