//! The last step before a report is shown: secrets in messages, URLs and the provider's own fields become `***`. Names and
//! paths stay unchanged, because a script must find its file again.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::model::Report;
use crate::model::secret::mask;

pub(super) fn report(report: &Report) -> Cow<'_, Report> {
    if let Report::Entry { entry, .. } = report
        && entry.url.is_none()
        && entry.extra.is_empty()
    {
        return Cow::Borrowed(report);
    }
    let mut shown = report.clone();
    hide(&mut shown);
    Cow::Owned(shown)
}

/// Lists every report, so that a new one can't be shown before its fields are considered here.
fn hide(report: &mut Report) {
    match report {
        Report::Transferred { transfer, .. } => transfer.url.iter_mut().for_each(text),
        Report::Skipped { reason, .. } => text(reason),
        Report::Verify { reason, .. } => reason.iter_mut().for_each(text),
        Report::Failed(failure) => text(&mut failure.error.message),
        Report::Import { url, status, .. } => [url, status].into_iter().for_each(text),
        Report::Entry { entry, .. } | Report::Edit { entry, .. } => {
            entry.url.iter_mut().for_each(text);
            fields(&mut entry.extra);
        }
        Report::About { account, .. } => {
            account.warnings.iter_mut().for_each(text);
            fields(&mut account.extra);
        }
        Report::Remote(remote) => {
            remote.url.iter_mut().for_each(text);
            fields(&mut remote.settings);
        }
        Report::Check(check) => text(&mut check.detail),
        // The URL of an import may contain a secret.
        Report::Line { command, .. } => command.iter_mut().for_each(text),
        // Names, paths, numbers, and texts that users wrote. `link` shows a secret URL because the user asked for it.
        Report::Copied(_)
        | Report::Moved(_)
        | Report::Planned { .. }
        | Report::Created { .. }
        | Report::Deleted { .. }
        | Report::DeletedHere { .. }
        | Report::PlannedHere { .. }
        | Report::MovedHere { .. }
        | Report::Du { .. }
        | Report::Link { .. }
        | Report::Comments(_)
        | Report::Share { .. }
        | Report::Star { .. }
        | Report::Transfers { .. }
        | Report::Cleared { .. }
        | Report::Run { .. }
        | Report::Configured { .. }
        | Report::Login { .. }
        | Report::Logout { .. }
        | Report::Providers(_)
        | Report::Page { .. }
        | Report::Sandbox { .. }
        | Report::Arrived { .. }
        | Report::Progress { .. }
        | Report::Batch(_)
        | Report::Summary(_) => {}
    }
}

fn text(text: &mut String) {
    if let Cow::Owned(hidden) = mask(text) {
        *text = hidden;
    }
}

fn fields(map: &mut Map<String, Value>) {
    map.values_mut().for_each(value);
}

fn value(inside: &mut Value) {
    match inside {
        Value::String(said) => text(said),
        Value::Array(items) => items.iter_mut().for_each(value),
        Value::Object(map) => fields(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, EntryKind, RemotePath, Secret};
    use serde_json::json;

    #[test]
    fn secrets_are_hidden_in_urls_and_fields_but_names_stay() {
        let secret = Secret::new("mask-test-tok3n");
        let mut entry = Entry::new(EntryKind::File, "1", RemotePath::parse("/mask-test-tok3n.mov").unwrap());
        entry.url = Some(format!("https://h/{}/x", secret.expose()));
        entry.extra.insert("deep".into(), json!([{"a": "mask-test-tok3n!"}, 7]));
        let shown = report(&Report::Entry { remote: "r".into(), entry }).into_owned();
        let Report::Entry { entry, .. } = shown else { panic!("another report") };
        assert_eq!(entry.name, "mask-test-tok3n.mov");
        assert_eq!(entry.url.as_deref(), Some("https://h/***/x"));
        assert_eq!(entry.extra["deep"], json!([{"a": "***!"}, 7]));
    }
}
