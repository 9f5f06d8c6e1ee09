//! Creates the uploads of small files while the files before them are sent. Each upload is created by a request of its own (see
//! `creates_first` in [`super::upload`]): so a file waits for one answer and not for two. What a run that is killed leaves of them
//! is empty, and the server forgets it with time.

use futures_util::{StreamExt, stream};

use super::remote::TusRemote;
use super::upload;
use crate::contract::{BatchCreation, BoxFuture, Result, UploadRequest};

/// The number of creations that are on their way at once, beside the files that are sent.
const BATCH_SIZE: usize = 8;
/// The number of files whose uploads are created together: few, because the first file waits for all of them.
const TOGETHER: usize = 2 * BATCH_SIZE;

impl BatchCreation for TusRemote {
    fn most(&self) -> usize {
        TOGETHER
    }

    /// One that fails does not keep the others from being created.
    fn create_batch<'a>(&'a self, items: &'a [UploadRequest]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let creations: Vec<_> = items.iter().map(|item| create(self, item)).collect();
            let created = stream::iter(creations).buffer_unordered(BATCH_SIZE);
            created.fold(Ok(()), async |all: Result<()>, one| all.and(one)).await
        })
    }

    fn orphans(&self) -> Vec<String> {
        self.ahead.take_left_over().into_iter().map(|url| format!("@{url}")).collect()
    }
}

async fn create(remote: &TusRemote, item: &UploadRequest) -> Result<()> {
    // A file in several uploads has none of its own.
    if item.spans.len() > 1 || remote.ahead.has(item)? {
        return Ok(());
    }
    remote.ahead.store(item, upload::create(remote, item).await?)
}
