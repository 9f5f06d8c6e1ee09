//! The results of a run for later steps of a job: `$GITHUB_OUTPUT`, and a dotenv file in the form of GitLab's reports.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::model::Report;
use crate::model::report::Transfer;

/// The counts of a run, and its file if there is only one.
#[derive(Default)]
pub(crate) struct Outputs {
    files: u64,
    bytes: u64,
    failed: u64,
    is_known: bool,
    transfers: u64,
    one: Option<(Option<String>, Option<String>)>,
    receipt: Option<String>,
    dotenv: Option<File>,
}

impl Outputs {
    /// Sets the path of the receipt, and the dotenv file to write.
    pub(crate) fn go_to(&mut self, receipt: Option<&Path>, dotenv: Option<File>) {
        self.receipt = receipt.map(|path| path.display().to_string()).or_else(|| self.receipt.take());
        self.dotenv = dotenv.or_else(|| self.dotenv.take());
    }

    /// Adds a report. Messages and URLs are masked already.
    pub(crate) fn add(&mut self, report: &Report) {
        match report {
            Report::Transferred { transfer, .. } => self.add_transfer(transfer),
            Report::Summary(sum) => {
                self.is_known = true;
                self.files = self.files.saturating_add(sum.files);
                self.bytes = self.bytes.saturating_add(sum.bytes);
                self.failed = self.failed.saturating_add(sum.failed);
            }
            _ => {}
        }
    }

    fn add_transfer(&mut self, transfer: &Transfer) {
        self.transfers = self.transfers.saturating_add(1);
        self.one = (self.transfers == 1).then(|| (transfer.id.clone(), transfer.url.clone()));
    }

    /// Counts a failure of the whole command.
    pub(crate) fn add_error(&mut self) {
        self.is_known = true;
        self.failed = self.failed.saturating_add(1);
    }

    fn all(&self) -> Vec<(&'static str, String)> {
        let counts = [("files", self.files), ("bytes", self.bytes), ("failed", self.failed)];
        let mut all: Vec<(&'static str, String)> = counts.into_iter().map(|(name, count)| (name, count.to_string())).collect();
        all.extend(self.receipt.clone().map(|receipt| ("receipt", receipt)));
        let (id, url) = self.one.clone().unwrap_or_default();
        all.extend(id.map(|id| ("id", id)));
        all.extend(url.map(|url| ("url", url)));
        all
    }

    /// Appends to `$GITHUB_OUTPUT`, if anything was done.
    pub(crate) fn append_to(&self, path: &Path) -> io::Result<()> {
        if !self.is_known {
            return Ok(());
        }
        let text: String = self.all().into_iter().filter_map(|(name, value)| github_line(name, &value)).collect();
        OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
    }

    /// Writes the dotenv file. Returns the names of the values that it can't hold: GitLab supports neither quotes nor spaces
    /// there.
    pub(crate) fn write_dotenv(&mut self) -> io::Result<Vec<&'static str>> {
        let Some(mut file) = self.dotenv.take() else { return Ok(Vec::new()) };
        let (fit, unfit): (Vec<_>, Vec<_>) = self.all().into_iter().partition(|(_, value)| value.chars().all(|c| c.is_ascii_graphic()));
        let text: String = fit.into_iter().map(|(name, value)| format!("HAUL_{}={value}\n", name.to_uppercase())).collect();
        file.write_all(text.as_bytes())?;
        Ok(unfit.into_iter().map(|(name, _)| name).collect())
    }
}

/// `name=value`. None for a value with a line end: the runner would read the rest as a line of its own, which could set another
/// output.
fn github_line(name: &str, value: &str) -> Option<String> {
    (!value.contains(['\n', '\r'])).then(|| format!("{name}={value}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::TransferKind;
    use crate::render::testing;

    fn uploaded_report(id: &str) -> Report {
        let url = Some("https://h/a".to_owned());
        Report::Transferred {
            how: TransferKind::Uploaded,
            transfer: Transfer { id: Some(id.into()), url, ..testing::transfer("a", "/a", 1) },
        }
    }

    #[test]
    fn one_file_tells_its_id_and_url_and_several_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut outputs = Outputs::default();
        outputs.append_to(&path).unwrap();
        assert!(!path.exists(), "nothing was done");
        outputs.go_to(Some(Path::new("r.jsonl")), None);
        outputs.add(&uploaded_report("77"));
        outputs.add(&testing::summary());
        outputs.append_to(&path).unwrap();
        let told = || std::fs::read_to_string(&path).unwrap();
        assert_eq!(told(), "files=12\nbytes=3650722201\nfailed=1\nreceipt=r.jsonl\nid=77\nurl=https://h/a\n");
        std::fs::write(&path, "").unwrap();
        outputs.add(&uploaded_report("78"));
        outputs.add_error();
        outputs.append_to(&path).unwrap();
        assert_eq!(told(), "files=12\nbytes=3650722201\nfailed=2\nreceipt=r.jsonl\n");
    }

    #[test]
    fn no_value_of_a_server_sets_another_output() {
        let folder = tempfile::tempdir().unwrap();
        let (path, dotenv) = (folder.path().join("out"), folder.path().join("env"));
        let mut outputs = Outputs::default();
        outputs.go_to(Some(Path::new("my receipt")), Some(File::create(&dotenv).unwrap()));
        outputs.add(&uploaded_report("7\npath=/evil"));
        outputs.add(&Report::Summary(Default::default()));
        outputs.append_to(&path).unwrap();
        assert_eq!(outputs.write_dotenv().unwrap(), ["receipt", "id"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "files=0\nbytes=0\nfailed=0\nreceipt=my receipt\nurl=https://h/a\n");
        assert_eq!(std::fs::read_to_string(&dotenv).unwrap(), "HAUL_FILES=0\nHAUL_BYTES=0\nHAUL_FAILED=0\nHAUL_URL=https://h/a\n");
    }
}
