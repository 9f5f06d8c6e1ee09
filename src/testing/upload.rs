//! An upload request as the engine makes it.

use std::sync::Arc;

use crate::contract::{Checksum, Source, UploadRequest};
use crate::model::Entry;

/// A new file in `folder`, for any protocol, with only its size known.
pub fn upload_request(source: Arc<dyn Source>, folder: Entry, name: &str) -> UploadRequest {
    UploadRequest {
        source,
        folder,
        siblings: [].into(),
        name: name.to_owned(),
        checksum: Checksum::default(),
        metadata: Arc::default(),
        replaces: None,
        protocol: None,
        avoid: Vec::new(),
        chunk_size: None,
        spans: Vec::new(),
        reusable: None,
        on_created: None,
    }
}
