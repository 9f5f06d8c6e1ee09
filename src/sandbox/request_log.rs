//! Writes a JSON line for each request to a stand-in, for users who test a script.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use parking_lot::Mutex;
use serde_json::json;

/// Longer steps of a path are ids that work like a password.
const MAX_STEP: usize = 24;

#[derive(Default)]
pub struct RequestLog(Option<Mutex<File>>);

/// An HTTP request and its answer.
pub struct Answered {
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// Bytes of the body, if they were announced.
    pub length: Option<u64>,
    pub status: u16,
    pub took: Duration,
}

impl RequestLog {
    pub fn to(file: Option<File>) -> RequestLog {
        RequestLog(file.map(Mutex::new))
    }

    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// A request of FTP has no answer in the log.
    pub fn add(&self, remote: &str, kind: &str, answered: Option<Answered>) {
        let Some(file) = &self.0 else { return };
        let mut line = json!({ "at": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true), "remote": remote, "kind": kind });
        if let (Some(answered), Some(fields)) = (answered, line.as_object_mut()) {
            let path: Vec<&str> = answered.path.split('/').map(|step| if step.len() > MAX_STEP { "***" } else { step }).collect();
            fields.insert("method".to_owned(), answered.method.into());
            fields.insert("path".to_owned(), path.join("/").into());
            fields.insert("request_bytes".to_owned(), answered.length.into());
            fields.insert("status".to_owned(), answered.status.into());
            fields.insert("seconds".to_owned(), answered.took.as_secs_f64().into());
        }
        // A write error is ignored: there is no place to report it, and the stand-ins go on.
        let _ = file.lock().write_all(format!("{line}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_request_without_what_opens_something() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let log = RequestLog::to(Some(file.reopen().unwrap()));
        let path = format!("/upload/{}/7", "x".repeat(32));
        let answered = Answered { method: "PATCH".into(), path, length: Some(5), status: 204, took: Duration::from_millis(500) };
        log.add("iogates", "tus-patch", Some(answered));
        log.add("ftp", "ftp-stor", None);
        file.flush().unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<&str> = text.lines().map(|line| line.split_once("\"remote\"").unwrap().1).collect();
        assert_eq!(
            lines,
            [
                r#":"iogates","kind":"tus-patch","method":"PATCH","path":"/upload/***/7","request_bytes":5,"status":204,"seconds":0.5}"#,
                r#":"ftp","kind":"ftp-stor"}"#
            ]
        );
        RequestLog::default().add("ftp", "ftp-stor", None);
    }
}
