//! The state of the ioGates stand-in, and the check of tokens.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use super::NAME;
use super::model::{Access, Entry, Root, Settings, TusUpload};
use super::reply::refusal;
use crate::model::Protocol;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::faults::{FaultHit, RequestInfo};
use crate::sandbox::middleware::{Shared, kind_of};
use crate::sandbox::options::SandboxOptions;
use crate::sandbox::random;
use crate::sandbox::responses::HandlerResult;
use crate::sandbox::storage::{Content, UploadFile};

/// The header that carries the token, as three documents spell it.
const SPELLINGS: [&str; 3] = ["authorization", "authorisation", "token"];

#[derive(Default)]
pub struct State {
    pub settings: Settings,
    pub access: Vec<Access>,
    /// Device ids and tokens that passed the second factor.
    pub passed: Vec<String>,
    /// The pending code of each token.
    pub codes: HashMap<String, String>,
    /// The last code that was sent, until it is read.
    pub sms: Option<String>,
    pub entries: BTreeMap<u64, Entry>,
    pub tus: HashMap<String, TusUpload>,
    /// Part files of plupload by token key and name: they stay until their last chunk arrives.
    pub parts: HashMap<(String, String), UploadFile>,
    pub comments: BTreeMap<u64, Value>,
    pub shares: BTreeMap<u64, Value>,
    last_id: u64,
}

impl State {
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        // Real ids have five digits.
        61_000 + self.last_id
    }
}

/// The stand-in, as a handler of requests is handed it.
pub type Host = axum::extract::State<Arc<Iogates>>;

pub struct Iogates {
    pub(super) shared: Arc<Shared>,
    pub(super) origin: String,
    pub(super) username: String,
    pub(super) password: String,
    share_url: String,
    /// Folders of the FTP users.
    pub(super) ftp_folder: PathBuf,
    pub(super) ftp_port: u16,
    state: Mutex<State>,
}

impl Iogates {
    pub(in crate::sandbox) fn new(
        shared: Arc<Shared>,
        origin: String,
        ftp_folder: PathBuf,
        ftp_port: u16,
        options: &SandboxOptions,
    ) -> Self {
        let share_url = format!("{origin}/show/15/{}/{}/", random::hex(8), random::hex(32));
        Iogates {
            shared,
            origin,
            username: "ann".to_owned(),
            password: options.secret(random::alnum(20)),
            share_url,
            ftp_folder,
            ftp_port,
            state: Mutex::default(),
        }
    }

    pub fn username(&self) -> &str {
        &self.username
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// A link that signs in without a user: `https://HOST/show/15/<hex>/<md5>/`.
    pub fn share_url(&self) -> &str {
        &self.share_url
    }

    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Stores `file`, which a real server received, under the upload name of an entry. Returns true if the entry has content
    /// now.
    pub fn came_in(&self, name: &str, file: &Path, protocol: Protocol) -> io::Result<bool> {
        self.take_in(Root::Account, name, Content::read(file)?, protocol);
        Ok(self.state().entries.values().any(|entry| entry.upload_filename == name && entry.content.is_some()))
    }

    /// Removes all entries, as a user of the website can; the API has no such call.
    pub fn remove_entries(&self) {
        self.state().entries.clear();
    }

    /// The two-factor code in the last SMS; each SMS is read once.
    pub fn sms_code(&self) -> Option<String> {
        self.state().sms.take()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn hit(&self, fault: Fault) -> Option<FaultHit> {
        self.shared.faults.hit(NAME, fault)
    }

    /// Checks the token: any of the three spellings of the header is accepted (providers.md 1.3), unless the script accepts
    /// only one.
    pub(super) fn guest(&self, headers: &HeaderMap) -> HandlerResult<Access> {
        let access = self.guest_before_code(headers)?;
        let state = self.state();
        let passed = access.device.as_ref().is_some_and(|d| state.passed.contains(d)) || state.passed.contains(&access.token);
        if state.settings.two_factor && !passed {
            return Err(refusal(StatusCode::FORBIDDEN, "Two factor authentication required"));
        }
        Ok(access)
    }

    pub(super) fn guest_before_code(&self, headers: &HeaderMap) -> HandlerResult<Access> {
        let only = |spelling: &str| self.shared.faults.spoils(NAME, Fault::OnlyHeader, spelling);
        let accepted = |spelling: &&str| SPELLINGS.iter().all(|other| other == spelling || !only(other));
        let shown = SPELLINGS.into_iter().filter(accepted).find_map(|spelling| {
            let text = headers.get(spelling)?.to_str().ok()?;
            if spelling == "token" { Some(text) } else { text.strip_prefix("Bearer ") }
        });
        let Some(shown) = shown else { return Err(refusal(StatusCode::UNAUTHORIZED, "Token missing")) };
        let asked = RequestInfo { provider: NAME, kind: kind_of(headers), carries_file: false };
        if self.shared.faults.take(asked, Fault::Expired).is_some() {
            self.state().access.retain(|a| a.token != shown);
        }
        self.access(|a| a.token == shown).ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "Invalid token"))
    }

    pub(super) fn access(&self, fits: impl Fn(&Access) -> bool) -> Option<Access> {
        self.state().access.iter().find(|a| fits(a)).cloned()
    }

    /// A share's token needs its own permission for uploads and downloads.
    pub(super) fn may_upload(&self, access: &Access) -> HandlerResult<()> {
        let state = self.state();
        if access.root == Root::Share && (!state.settings.share_may_upload || state.settings.share_expired) {
            return Err(refusal(StatusCode::FORBIDDEN, "The token has no upload capability"));
        }
        Ok(())
    }

    /// True for the share's link. Only its path counts: the host may be spelled differently.
    pub(super) fn is_share(&self, url: &str) -> bool {
        let path = |u: &str| u.split_once("/show/").map(|(_, p)| p.trim_end_matches('/').to_owned());
        path(url).is_some() && path(url) == path(&self.share_url)
    }
}
