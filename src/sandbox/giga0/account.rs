//! The sign-in and the account (providers.md, 2.2 to 2.4).

use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::NAME;
use super::fields::text;
use super::params::Params;
use super::reply::success;
use super::state::{ACCOUNT_ID, Giga0, LoginKind};
use crate::sandbox::faults::RequestInfo;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::random;
use crate::sandbox::responses::HandlerResult;

/// A token expires after this time without use.
const IDLE: Duration = Duration::from_secs(3600);

/// This number of refused logins locks the account, so a client that repeats a login is detected.
const LOGINS: u32 = 5;

const WRONG: &str =
    "Could not authenticate user. The username and password may be invalid or your account may be locked from too many failed logins.";

impl Giga0 {
    /// Every call except /authorize needs both parameters, and the token must be the current one.
    pub(super) fn check_token(&self, call: &str, params: &Params) -> HandlerResult<()> {
        let token = params.get("access_token").ok_or_else(|| self.missing("access_token"))?;
        let account = params.get("account_id").ok_or_else(|| self.missing("account_id"))?;
        let asked = RequestInfo { provider: NAME, kind: call, carries_file: call == "file/upload" };
        let expired = self.shared.faults.take(asked, Fault::Expired).is_some();
        let mut state = self.state();
        if expired {
            state.token = None;
        }
        match &mut state.token {
            Some((live, used)) if live == token && account == ACCOUNT_ID && used.elapsed() < IDLE => {
                *used = Instant::now();
                if self.shared.faults.take(asked, Fault::LastUse).is_some() {
                    state.token = None;
                }
                Ok(())
            }
            _ => Err(self.error("Could not validate access_token and account_id, please reauthenticate or try again.")),
        }
    }
}

/// The message about a missing parameter names a parameter of the kind of login that the site wants.
pub fn authorize(host: &Giga0, params: &Params) -> Response {
    let kind = match host.state().package.login {
        LoginKind::Either if params.get("key1").is_some() || params.get("key2").is_some() => LoginKind::Keys,
        LoginKind::Either => LoginKind::Password,
        kind => kind,
    };
    let names = if kind == LoginKind::Keys { ("key1", "key2") } else { ("username", "password") };
    let (Some(first), Some(second)) = (params.get(names.0), params.get(names.1)) else {
        let missing = if params.get(names.0).is_none() { names.0 } else { names.1 };
        return host.missing(missing).into_response();
    };
    let right = if kind == LoginKind::Keys { host.keys() } else { (host.username(), host.password()) };
    if kind == LoginKind::Keys
        && let Some(short) = [(names.0, first), (names.1, second)].into_iter().find(|(_, v)| v.len() != 64)
    {
        return host.error(&format!("The {} param must be 64 characters in length.", short.0)).into_response();
    }
    let mut state = host.state();
    if (first, second) != right || state.failed_logins >= LOGINS {
        state.failed_logins += 1;
        drop(state);
        let why = if kind == LoginKind::Keys { "Could not authenticate user. The key pair may be invalid." } else { WRONG };
        return host.error(why).into_response();
    }
    state.failed_logins = 0;
    let token = random::alnum(128);
    // The account's earlier token becomes invalid here.
    state.token = Some((token.clone(), std::time::Instant::now()));
    host.shared.store.count_sign_in(NAME);
    success(json!({ "data": { "access_token": token, "account_id": ACCOUNT_ID } }))
}

pub fn disable(host: &Giga0) -> HandlerResult {
    host.state().token = None;
    Ok(success(json!({ "response": "Token removed or no longer available." })))
}

pub fn info(host: &Giga0) -> HandlerResult {
    Ok(success(json!({ "data": {
        "id": ACCOUNT_ID, "username": host.username(), "level_id": "20", "email": "ann@example.com",
        "lastlogindate": "2017-02-18 11:43:39", "lastloginip": "127.0.0.1", "status": "active", "title": "Ms",
        "firstname": "Ann", "lastname": "Example", "languageId": "1", "datecreated": null, "lastPayment": null,
        "paidExpiryDate": "0000-00-00 00:00:00", "storageLimitOverride": null,
    }})))
}

pub fn package(host: &Giga0) -> HandlerResult {
    let package = host.state().package.clone();
    Ok(success(json!({ "data": {
        "id": "20", "label": "Premium Account", "max_upload_size": text(package.max_upload_size),
        "can_upload": text(u8::from(package.can_upload)), "wait_between_downloads": "0", "download_speed": "0",
        "max_storage_bytes": text(package.max_storage_bytes), "show_site_adverts": "0", "show_upgrade_screen": "1",
        "days_to_keep_inactive_files": "0", "concurrent_uploads": text(package.concurrent_uploads),
        "concurrent_downloads": text(package.concurrent_downloads), "downloads_per_24_hours": "0",
        "download_size_per_24_hours": "0", "max_download_filesize_allowed": "0", "max_remote_download_urls": "50",
        "level_type": "paid user", "on_upgrade_page": "0",
    }})))
}
