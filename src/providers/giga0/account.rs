//! What giga0 reports about an account and its package (providers.md 2.4). A limit of 0 is no limit.

use serde_json::Value;

use super::entry::date;
use super::wire::{Info, Package};
use crate::contract::lookup::known_fields;
use crate::model::{Account, Limits, Protocol, Quota};

pub fn limits(package: &Package) -> Limits {
    let count = |told| limit(told).and_then(|n| usize::try_from(n).ok());
    Limits {
        file_size: limit(package.max_upload_size),
        uploads_at_once: count(package.concurrent_uploads),
        downloads_at_once: count(package.concurrent_downloads),
        may_upload: package.can_upload,
        ..Limits::default()
    }
}

pub fn account(info: Info, package: Package) -> Account {
    let limits = limits(&package);
    let mut warnings = Vec::new();
    if limits.may_upload == Some(false) {
        warnings.push("this account's package allows no uploads".to_owned());
    }
    if let Some(status) = info.status.as_deref().filter(|s| !s.eq_ignore_ascii_case("active")) {
        warnings.push(format!("the site calls this account {status}"));
    }
    if let Some(days) = limit(package.days_to_keep_inactive_files) {
        warnings.push(format!("the site removes files that nobody downloads for {days} days"));
    }
    Account {
        account: info.username,
        package: package.label,
        quota: Quota { total: limit(info.storage).or(limit(package.max_storage_bytes)), used: None, free: None },
        limits,
        protocols: vec![Protocol::Multipart],
        warnings,
        extra: known_fields([
            ("email", info.email.map(Value::from)),
            ("status", info.status.map(Value::from)),
            ("level_id", info.level_id.map(Value::from)),
            ("level_type", package.level_type.map(Value::from)),
            ("paid_until", date(&info.paid_until).map(|d| d.to_rfc3339().into())),
            ("wait_between_downloads", limit(package.wait_between_downloads).map(Value::from)),
            ("days_to_keep_inactive_files", limit(package.days_to_keep_inactive_files).map(Value::from)),
        ]),
    }
}

fn limit(told: Option<u64>) -> Option<u64> {
    told.filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::giga0::wire::Envelope;

    #[test]
    fn the_documented_account_and_package() {
        let info = include_str!("../../../fixtures/giga0/account_info.json");
        let info = serde_json::from_str::<Envelope<Info>>(info).unwrap().data.unwrap();
        let package = include_str!("../../../fixtures/giga0/account_package.json");
        let package = serde_json::from_str::<Envelope<Package>>(package).unwrap().data.unwrap();
        let account = account(info, package);
        assert_eq!(account.account.as_deref(), Some("admin"));
        assert_eq!(account.package.as_deref(), Some("Premium Account"));
        assert_eq!(account.limits.file_size, Some(1 << 30));
        assert_eq!(account.limits.uploads_at_once, Some(100));
        assert_eq!(account.limits.may_upload, Some(true));
        assert_eq!(account.quota.total, None, "0 is no limit");
        assert!(account.warnings.is_empty(), "{:?}", account.warnings);
        assert_eq!(account.extra["email"], "email@yoursite.com");
    }

    #[test]
    fn what_a_user_should_know() {
        let info = Info {
            status: Some("suspended".into()),
            storage: Some(5000),
            paid_until: Some("0000-00-00 00:00:00".into()),
            ..Info::default()
        };
        let package =
            Package { can_upload: Some(false), max_storage_bytes: Some(9), days_to_keep_inactive_files: Some(60), ..Package::default() };
        let account = account(info, package);
        assert_eq!(account.quota.total, Some(5000), "the account's own number counts");
        assert_eq!(account.limits.file_size, None);
        assert_eq!(account.warnings.len(), 3, "{:?}", account.warnings);
        assert!(!account.extra.contains_key("paid_until"));
    }
}
