//! The state of the TUS server.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Duration, Utc};
use parking_lot::{Mutex, MutexGuard};

use super::name::NAME;
use crate::model::Protocol;
use crate::sandbox::faults::FaultHit;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::middleware::Shared;
use crate::sandbox::options::SandboxOptions;
use crate::sandbox::random;
use crate::sandbox::storage::{Content, UploadFile};
use crate::sandbox::tus_append::{Slot, TusUploads};
use crate::sandbox::tus_headers::{Concat, Creation, Refused};

/// How long an upload is kept.
const KEPT: Duration = Duration::hours(24);

pub struct TusHost {
    pub(super) shared: Arc<Shared>,
    pub(super) origin: String,
    pub(super) token: String,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// The uploads by the last step of their addresses.
    pub uploads: BTreeMap<String, Upload>,
    /// The largest size of a file, in bytes; 0 = no limit.
    pub max_size: u64,
    last: u64,
}

pub(super) struct Upload {
    /// The number in the order of creation.
    number: u64,
    /// The path with a leading slash, from the metadata `path`, else `filename`.
    pub path: String,
    /// Bytes; none = not known yet.
    pub length: Option<u64>,
    pub metadata_text: Option<String>,
    pub concat: Concat,
    /// `Upload-Concat`, for HEAD.
    pub concat_text: Option<String>,
    pub bytes: Arc<Mutex<UploadFile>>,
    pub expires: DateTime<Utc>,
    /// A PATCH is being received.
    pub busy: bool,
    /// Terminated or expired: its address answers 410.
    pub gone: bool,
    /// Complete, and recorded as arrived.
    pub done: bool,
}

impl Upload {
    pub fn offset(&self) -> u64 {
        self.bytes.lock().size()
    }

    fn is_file(&self) -> bool {
        self.done && !self.gone && self.concat != Concat::Partial
    }
}

impl TusHost {
    pub(in crate::sandbox) fn new(shared: Arc<Shared>, origin: String, options: &SandboxOptions) -> TusHost {
        TusHost { shared, origin, token: options.secret(random::alnum(32)), state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn hit(&self, fault: Fault) -> Option<FaultHit> {
        self.shared.faults.hit(NAME, fault)
    }

    pub(super) fn check_token(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if shown == Some(&self.token) { Ok(()) } else { Err((StatusCode::UNAUTHORIZED, "a token is wanted")) }
    }

    /// # Returns
    /// The last step of the new upload's address.
    pub(super) fn create(&self, creation: &Creation) -> Result<String, Refused> {
        let bytes = self.shared.store.grow().map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "the disk refused"))?;
        let named = creation.metadata("path").or_else(|| creation.metadata("filename")).unwrap_or_default();
        let path = format!("/{}", named.trim_start_matches('/'));
        let id = random::hex(32);
        let mut state = self.state();
        state.last += 1;
        let upload = Upload {
            number: state.last,
            path,
            length: creation.length,
            metadata_text: creation.metadata_text.clone(),
            concat: creation.concat.clone(),
            concat_text: creation.concat_text.clone(),
            bytes: Arc::new(Mutex::new(bytes)),
            expires: Utc::now() + KEPT,
            busy: false,
            gone: false,
            done: false,
        };
        state.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    /// Fills a final upload from its parts, once all of them are complete.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn join(&self, id: &str) -> std::io::Result<()> {
        let mut state = self.state();
        let Some((bytes, ids)) = state.uploads.get(id).filter(|upload| upload.length.is_none()).and_then(|upload| match &upload.concat {
            Concat::Final(ids) => Some((upload.bytes.clone(), ids.clone())),
            Concat::Partial | Concat::No => None,
        }) else {
            return Ok(());
        };
        let parts: Option<Vec<_>> = ids.iter().map(|id| state.uploads.get(id).filter(|part| part.length == Some(part.offset()))).collect();
        let Some(parts) = parts else { return Ok(()) };
        let mut whole = bytes.lock();
        for part in parts {
            whole.append_file(part.bytes.lock().path())?;
        }
        let removes = self.hit(Fault::TusPartsGone).is_some();
        for id in ids.iter().filter(|_| removes) {
            state.uploads.remove(id);
        }
        if let Some(upload) = state.uploads.get_mut(id) {
            upload.length = Some(whole.size());
        }
        Ok(())
    }

    /// The final uploads that this one is a part of.
    fn finals_of(&self, part: &str) -> Vec<String> {
        let state = self.state();
        let has_it = |upload: &Upload| matches!(&upload.concat, Concat::Final(ids) if ids.iter().any(|id| id == part));
        state.uploads.iter().filter(|(_, upload)| has_it(upload)).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn newest(&self, path: &str) -> Option<Content> {
        let state = self.state();
        let files = state.uploads.values().filter(|upload| upload.is_file() && upload.path == path);
        let newest = files.max_by_key(|upload| upload.number)?;
        Some(newest.bytes.lock().content())
    }

    pub(super) fn contents(&self) -> Vec<(String, Content)> {
        let state = self.state();
        let mut files: Vec<_> = state.uploads.values().filter(|upload| upload.is_file()).collect();
        files.sort_by_key(|upload| upload.number);
        files.into_iter().map(|upload| (upload.path.clone(), upload.bytes.lock().content())).collect()
    }

    /// Path and MD5 of each file.
    pub(super) fn files(&self) -> Vec<(String, String)> {
        let state = self.state();
        let files = state.uploads.values().filter(|upload| upload.is_file());
        files.map(|upload| (upload.path.clone(), upload.bytes.lock().content().md5)).collect()
    }
}

impl TusUploads for TusHost {
    fn hit(&self, fault: Fault) -> Option<FaultHit> {
        TusHost::hit(self, fault)
    }

    fn largest(&self) -> u64 {
        self.state().max_size
    }

    fn with_slot<T>(&self, id: &str, work: impl FnOnce(Slot<'_>) -> T) -> Option<T> {
        let mut state = self.state();
        let Upload { length, busy, bytes, concat, .. } = state.uploads.get_mut(id)?;
        Some(work(Slot { length, busy, bytes, is_final: matches!(concat, Concat::Final(_)) }))
    }

    fn count_received(&self, id: &str, bytes: usize) {
        let name = self.state().uploads.get(id).map(|upload| upload.path.clone()).unwrap_or_default();
        self.shared.store.count_received(NAME, &name, bytes);
    }

    /// Records an upload that is complete, once.
    fn hand_over(&self, id: &str) {
        let mut state = self.state();
        let Some(upload) = state.uploads.get_mut(id) else { return };
        if upload.done || upload.length != Some(upload.offset()) {
            return;
        }
        upload.done = true;
        if upload.concat == Concat::Partial {
            drop(state);
            for id in self.finals_of(id) {
                // A disk that is full shows itself at the next request.
                let _ = self.join(&id);
                self.hand_over(&id);
            }
            return;
        }
        let (path, content) = (upload.path.clone(), upload.bytes.lock().content());
        drop(state);
        self.shared.store.arrive(NAME, path, &content, Protocol::Tus);
    }
}
