//! What `about` and `login` report about an ioGates account or share.

use serde_json::{Map, Value};

use super::auth::Credentials;
use super::remote::IoGates;
use super::upload::methods::{UploadMethods, limit};
use super::wire::{Permissions, Profile, Share};
use crate::contract::{Error, Kind, Result};
use crate::model::{Account, Limits, Quota};

/// Checks the token by asking for the upload methods. A share that may not upload is checked by a listing instead.
pub async fn sign_in(host: &IoGates) -> Result<Account> {
    let access = host.api.access().await?;
    let offers = match host.api.offers().await {
        Ok(offers) => Some(offers),
        Err(error) if may_not_upload(&error) => {
            host.listing.current(&host.api).await?;
            None
        }
        Err(error) => return Err(error),
    };
    let (user, share) = match &access.credentials {
        Credentials::User(name) => (Some(name.as_str()), None),
        // Only shares answer this call; a refusal does not mean that the sign-in failed.
        Credentials::Share(_) | Credentials::Token(_) => (None, host.api.share().await.ok()),
    };
    Ok(account(user, access.profile(), offers.as_deref(), share))
}

/// Auth Info answers 403 to a token that may not upload (providers.md 1.5).
fn may_not_upload(error: &Error) -> bool {
    error.kind() == Kind::Refused && error.status_code() == Some(403)
}

fn account(user: Option<&str>, profile: Option<Profile>, offers: Option<&UploadMethods>, share: Option<Share>) -> Account {
    let is_share = share.is_some();
    let share = share.unwrap_or_default();
    let permissions = share.permissions.clone().unwrap_or_default();
    let mut account = Account {
        account: user.map(str::to_owned).or_else(|| share.name.clone()).or_else(|| profile.as_ref()?.username.clone()),
        quota: Quota { free: offers.and_then(|o| o.available_storage).or(share.available_storage), ..Quota::default() },
        limits: Limits {
            file_size: offers.and_then(|o| o.max_file_size).or(limit(share.max_file_size)),
            may_upload: Some(offers.is_some() && permissions.upload != Some(false)),
            may_download: permissions.master.filter(|_| is_share),
            expired: share.expired,
            ..Limits::default()
        },
        protocols: offers.map(UploadMethods::protocols).unwrap_or_default(),
        ..Account::default()
    };
    if let Some(status) = profile.as_ref().and_then(|p| p.status.as_deref()).filter(|s| !s.eq_ignore_ascii_case("active")) {
        account.warnings.push(format!("the account is not active: its status is {status}"));
    }
    if share.expired == Some(true) {
        let on = share.expires.as_ref().map(|when| format!(" on {when}")).unwrap_or_default();
        account.warnings.push(format!("the share has expired{on}"));
    }
    if account.limits.may_upload == Some(false) {
        account.warnings.push("these credentials may not upload".to_owned());
    }
    for (protocol, why) in offers.into_iter().flat_map(|o| &o.closed) {
        account.warnings.push(format!("{protocol} is on offer, but can't be used: {why}"));
    }
    account.extra = extra(profile, offers, share);
    account
}

fn extra(profile: Option<Profile>, offers: Option<&UploadMethods>, share: Share) -> Map<String, Value> {
    let profile = profile.unwrap_or_default();
    let own = [
        ("id", profile.id.map(Value::from)),
        ("realname", profile.realname.map(Value::from)),
        ("accountname", profile.accountname.map(Value::from)),
        ("email", profile.email.map(Value::from)),
        ("status", profile.status.map(Value::from)),
        ("expires", share.expires.or(profile.expires).map(Value::from)),
        ("default", offers.and_then(|o| o.default.clone()).map(Value::from)),
        ("share", share.name.map(Value::from)),
        ("share_type", share.kind.map(Value::from)),
        ("file_id", share.file_id.map(Value::from)),
        ("owner", share.owner.and_then(|owner| owner.realname.or(owner.username)).map(Value::from)),
        ("expired", share.expired.map(Value::from)),
        ("permissions", share.permissions.map(|p| permissions_json(&p))),
    ];
    own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// The permissions that the server reports, under its own names.
fn permissions_json(permissions: &Permissions) -> Value {
    let mut told = serde_json::to_value(permissions).unwrap_or_default();
    if let Some(map) = told.as_object_mut() {
        map.retain(|_, told| !told.is_null());
    }
    told
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::super::wire::SignedIn;
    use super::super::wire::examples::*;
    use super::*;
    use crate::contract::Network;
    use crate::model::Protocol;

    fn offers(text: &str) -> UploadMethods {
        let network = Network { timeout: std::time::Duration::from_secs(1), ca_file: None, insecure: false };
        UploadMethods::new(parse(text), &Url::parse("https://iogates.com/").unwrap(), &network)
    }

    #[test]
    fn a_user_with_room() {
        let profile = parse::<SignedIn>(TOKEN).profile;
        let account = account(Some("ann"), profile, Some(&offers(AUTHINFO)), None);
        assert_eq!(account.account.as_deref(), Some("ann"));
        assert_eq!((account.quota.free, account.limits.file_size), (Some(29_301_996_265), Some(524_288_000)));
        assert_eq!(account.limits.may_upload, Some(true));
        assert_eq!(account.protocols, [Protocol::Tus, Protocol::Plupload, Protocol::Ftps]);
        assert!(account.warnings.is_empty(), "{:?}", account.warnings);
        assert_eq!(account.extra.get("accountname"), Some(&Value::from("Studio")));
    }

    #[test]
    fn a_share_that_may_not_upload_has_expired_or_is_blocked() {
        let mut share: Share = parse(SHARE);
        share.expired = Some(true);
        share.expires = Some("2020-01-01".into());
        let profile = Profile { status: Some("Blocked".into()), ..Profile::default() };
        let account = account(None, Some(profile), None, Some(share));
        assert_eq!(account.account.as_deref(), Some("Rushes for the editor"));
        assert_eq!((account.limits.may_upload, account.limits.may_download, account.limits.expired), (Some(false), Some(true), Some(true)));
        assert_eq!((account.quota.free, account.limits.file_size), (Some(1000), None));
        let extra = serde_json::to_string(&account.extra).unwrap();
        assert_eq!(
            extra,
            r#"{"status":"Blocked","expires":"2020-01-01","share":"Rushes for the editor","share_type":"dir","file_id":"61460","owner":"ann","expired":true,"permissions":{"master":true,"converted":false,"description":true,"comments":true,"attachments":false,"upload":false,"metainfo":true}}"#
        );
        assert_eq!(
            account.warnings,
            ["the account is not active: its status is Blocked", "the share has expired on 2020-01-01", "these credentials may not upload"]
        );
    }
}
