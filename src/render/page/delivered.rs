//! The facts that the page shows for each file.

use chrono::{DateTime, Utc};

use crate::model::Protocol;
use crate::model::report::Verified;

/// One delivered file, as a receipt records it.
pub struct Delivered {
    /// The local path, or another source.
    pub source: String,
    /// `REMOTE:PATH`.
    pub place: String,
    /// Bytes.
    pub size: u64,
    /// The MD5 in lower-case hex.
    pub md5: Option<String>,
    pub verified: Verified,
    pub protocol: Protocol,
    pub finished: DateTime<Utc>,
    pub seconds: f64,
    pub tries: u32,
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    pub(in crate::render::page) fn file(name: &str, size: u64, finished: i64, seconds: f64) -> Delivered {
        Delivered {
            source: name.to_owned(),
            place: format!("studio:/in/{name}"),
            size,
            md5: Some("900150983cd24fb0d6963f7d28e17f72".to_owned()),
            verified: Verified::Md5,
            protocol: Protocol::Tus,
            finished: DateTime::from_timestamp(1_790_000_000 + finished, 0).unwrap(),
            seconds,
            tries: 1,
        }
    }
}
