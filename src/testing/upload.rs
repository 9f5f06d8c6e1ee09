//! An upload as the engine asks for it.

use std::sync::Arc;

use crate::contract::{Checksum, Source, UploadRequest};
use crate::model::Entry;

/// A new file in `folder`, by any protocol, with nothing known of it but its size.
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
        reusable: None,
        on_created: None,
    }
}
