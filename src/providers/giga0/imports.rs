//! URLs that the site fetches itself (providers.md 2.7). The site reports pending, downloading, processing, complete, cancelled
//! or failed (OQ-21). Other words are tolerated, and every word is shown as it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::entry;
use super::remote::Giga0;
use super::wire::{Scheduled, Stored};
use crate::contract::{BoxFuture, Import, Imports, Result};
use crate::model::{Entry, RemotePath};

const BEING_FETCHED: &str = "being fetched already";

impl Imports for Giga0 {
    fn start<'a>(&'a self, url: &'a str, folder: &'a Entry) -> BoxFuture<'a, Result<Import>> {
        Box::pin(async move {
            let scheduled = self.api.url_upload_add(&STANDARD.encode(url), &folder.id).await?;
            // For a URL that is queued already the site makes no second job, and reports a success.
            let known = scheduled.id.is_none().then(|| BEING_FETCHED.to_owned());
            let scheduled = Scheduled { status: known.or(scheduled.status), ..scheduled };
            Ok(import(scheduled.id.clone(), scheduled))
        })
    }
    fn status<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Import>> {
        Box::pin(async move { Ok(import(Some(id.to_owned()), self.api.url_upload_status(id).await?)) })
    }
}

fn import(id: Option<String>, row: Scheduled) -> Import {
    let file = serde_json::from_value::<Stored>(row.downloaded_file).ok().and_then(|f| entry::of_stored(f, &RemotePath::root()));
    let status = row.status.unwrap_or_else(|| "scheduled".to_owned());
    let word = status.to_lowercase();
    let failed = ["fail", "error", "cancel"].iter().any(|w| word.contains(w));
    Import { id, done: !failed && (word == "complete" || file.is_some()), failed, status, total: row.total_size, file }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (bool, bool, Option<String>, String) {
        let import = import(Some("52".to_owned()), serde_json::from_str(json).unwrap());
        (import.done, import.failed, import.file.map(|f| f.id), import.status)
    }

    #[test]
    fn states_are_read_with_tolerance() {
        let file = r#"{"file_id":7,"name":"a.bin","size":"3","url":"https://site.example/x"}"#;
        for (json, wanted) in [
            (format!(r#"{{"status":"complete","downloaded_file":{file}}}"#), (true, false, Some("file:7"), "complete")),
            (r#"{"status":"COMPLETE","downloaded_file":null}"#.into(), (true, false, None, "COMPLETE")),
            (format!(r#"{{"status":"stored","downloaded_file":{file}}}"#), (true, false, Some("file:7"), "stored")),
            (r#"{"status":"pending","downloaded_file":[]}"#.into(), (false, false, None, "pending")),
            (r#"{"status":"downloading","started":"2024-11-05 06:08:40"}"#.into(), (false, false, None, "downloading")),
            (r#"{"status":"processing"}"#.into(), (false, false, None, "processing")),
            (r#"{"status":"failed","finished":"2024-11-05 06:08:40"}"#.into(), (false, true, None, "failed")),
            (r#"{"status":"half-way","total_size":"9"}"#.into(), (false, false, None, "half-way")),
            (r#"{"status":"failed","downloaded_file":false}"#.into(), (false, true, None, "failed")),
            (r#"{"status":"Download Error"}"#.into(), (false, true, None, "Download Error")),
            (r#"{"status":"cancelled"}"#.into(), (false, true, None, "cancelled")),
            ("{}".into(), (false, false, None, "scheduled")),
        ] {
            let (done, failed, id, status) = read(&json);
            assert_eq!((done, failed, id.as_deref(), status.as_str()), wanted, "{json}");
        }
    }
}
