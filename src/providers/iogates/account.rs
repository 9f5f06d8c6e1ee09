//! What `about` and `login` tell of an ioGates account or share.

use serde_json::{Map, Value};

use super::IoGates;
use super::access::Credentials;
use super::offer::Offers;
use super::wire::{Profile, Share};
use crate::contract::{Error, Kind, Result};
use crate::model::{Account, Limits, Quota};

/// Proves the token by asking what it may upload. A share that may not upload is proved by listing instead.
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
        // Only shares have one; that the question is refused says nothing against the sign-in.
        Credentials::Share(_) | Credentials::Token(_) => (None, host.api.share().await.ok()),
    };
    Ok(account(user, access.profile(), offers.as_deref(), share))
}

/// Auth Info is for tokens that may upload (providers.md 1.5).
fn may_not_upload(error: &Error) -> bool {
    error.kind() == Kind::Refused && error.http_or_ftp_status() == Some(403)
}

fn account(user: Option<&str>, profile: Option<Profile>, offers: Option<&Offers>, share: Option<Share>) -> Account {
    let share = share.unwrap_or_default();
    let permission = share.permissions.as_ref().and_then(|p| p.upload);
    let mut account = Account {
        account: user.map(str::to_owned).or_else(|| share.name.clone()).or_else(|| profile.as_ref()?.username.clone()),
        quota: Quota { free: offers.and_then(|o| o.available_storage), ..Quota::default() },
        limits: Limits {
            file_size: offers.and_then(|o| o.max_file_size),
            may_upload: Some(offers.is_some() && permission != Some(false)),
            ..Limits::default()
        },
        protocols: offers.map(Offers::protocols).unwrap_or_default(),
        ..Account::default()
    };
    if let Some(status) = profile.as_ref().and_then(|p| p.status.as_deref()).filter(|s| !s.eq_ignore_ascii_case("active")) {
        account.warnings.push(format!("the account is not active: its status is {status}"));
    }
    if share.expired == Some(true) {
        account.warnings.push("the share has expired".to_owned());
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

fn extra(profile: Option<Profile>, offers: Option<&Offers>, share: Share) -> Map<String, Value> {
    let profile = profile.unwrap_or_default();
    let permissions = share.permissions.unwrap_or_default();
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
        ("master", permissions.master.map(Value::from)),
    ];
    own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::super::wire::SignedIn;
    use super::super::wire::examples::*;
    use super::*;
    use crate::contract::Network;
    use crate::model::Protocol;

    fn offers(text: &str) -> Offers {
        let network = Network { timeout: std::time::Duration::from_secs(1), ca_file: None, insecure: false };
        Offers::new(parse(text), &Url::parse("https://iogates.com/").unwrap(), &network)
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
        let profile = Profile { status: Some("Blocked".into()), ..Profile::default() };
        let account = account(None, Some(profile), None, Some(share));
        assert_eq!(account.account.as_deref(), Some("Rushes for the editor"));
        assert_eq!(account.limits.may_upload, Some(false));
        assert_eq!(
            account.warnings,
            ["the account is not active: its status is Blocked", "the share has expired", "these credentials may not upload"]
        );
    }
}
