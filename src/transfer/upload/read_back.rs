//! Whether a file that was found by its name and size holds what was sent. After a cut nobody can tell how much the server has
//! read: bytes that left this program may have stood in buffers of the system or of a proxy. A stranger may have put a file of
//! that name and size meanwhile. Where the provider tells no MD5, the content alone can tell whose file it is.

use futures_util::StreamExt;

use crate::contract::{Chunks, Source};
use crate::error::{Error, Result};
use crate::model::Entry;
use crate::transfer::client::RemoteClient;
use crate::transfer::source::remote::RemoteSource;

/// Bytes that are read back from the beginning of the file: the whole of most files, and not much of a large one.
const COMPARED: u64 = 16 << 20;

/// True when the first [`COMPARED`] bytes of `entry` are those of `source`. None: the source can't be read a second time.
/// Fails when the file there can't be read.
pub(crate) async fn has_same_content(desk: &RemoteClient, entry: &Entry, source: &dyn Source) -> Result<Option<bool>> {
    let Some(size) = source.size() else { return Ok(None) };
    let len = size.min(COMPARED);
    let Ok(ours) = md5_of(source.peek(0, len)).await else { return Ok(None) };
    let there = RemoteSource::open(desk, entry, desk.address(&entry.path)).await?;
    let theirs = md5_of(there.read(0, len)).await.map_err(|e| Error::reading(&e).with_subject(there.name().to_owned()))?;
    Ok(Some(ours == theirs))
}

async fn md5_of(mut chunks: Chunks) -> std::io::Result<md5::Digest> {
    let mut context = md5::Context::new();
    while let Some(piece) = chunks.next().await {
        context.consume(&piece?);
    }
    Ok(context.finalize())
}
