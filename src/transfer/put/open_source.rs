//! The source of a file that is to be sent.

use std::ops::Range;
use std::sync::Arc;

use super::plan::PutItem;
use crate::contract::Source;
use crate::error::Result;
use crate::transfer::source::SourceSpec;
use crate::transfer::source::file::{FileSource, read_sizeless_file, unreadable};
use crate::transfer::source::open_file::OpenFile;
use crate::transfer::source::stdin::{StdinSource, standard_input};
use crate::transfer::spans::split;

/// With what is read to an end that nobody knows before. `file`: of a local one, as it was looked at.
pub(super) async fn open_source(item: &PutItem, file: Option<OpenFile>) -> Result<(Arc<dyn Source>, Option<Arc<StdinSource>>)> {
    let stream = match (&item.origin, file) {
        (SourceSpec::Remote(original), _) => return Ok((Arc::new(original.source().await?), None)),
        (SourceSpec::Stdin, _) => StdinSource::new(standard_input()?, item.size),
        (SourceSpec::File(path), None) => return Ok((Arc::new(FileSource::open(path)?), None)),
        (SourceSpec::File(path), Some(opened)) if opened.is_unmeasured() => {
            let OpenFile { head, file, .. } = opened;
            let content = read_sizeless_file(head, file).map_err(|e| unreadable(path, e))?;
            StdinSource::with_name(item.display_source(), content, None)
        }
        (SourceSpec::File(path), Some(opened)) => {
            let content = opened.whole();
            let OpenFile { file, meta, changed_ns, .. } = opened;
            return Ok((Arc::new(FileSource::from_open_file(file, &meta, path, changed_ns, content)?), None));
        }
    };
    let stream = Arc::new(stream);
    Ok((stream.clone(), Some(stream)))
}

/// The spans of the source that may travel side by side: only of one that can be read at several places at once.
pub(super) fn spans_of(source: &dyn Source, streams: usize) -> Vec<Range<u64>> {
    match source.size() {
        Some(size) if !source.is_one_stream() => split(size, streams),
        _ => Vec::new(),
    }
}
