//! The file of `--log-file`.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use chrono::Local;
use parking_lot::Mutex;

use crate::model::escape::escape_control;
use crate::model::secret::mask;

/// `--log-file`: all messages, also those that are not shown, each line with its time and without secrets.
#[derive(Clone, Debug)]
pub struct LogFile(Arc<Mutex<File>>);

impl LogFile {
    /// Opens the file for appending. A missing file is made, and only its owner may read it. Fails with the system's error.
    pub fn open(path: &Path) -> io::Result<LogFile> {
        let mut options = File::options();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(LogFile(Arc::new(Mutex::new(options.open(path)?))))
    }

    /// A write error (a full disk) is ignored: the work goes on.
    pub(super) fn write_line(&self, text: &str) {
        let time = Local::now().format("%Y-%m-%dT%H:%M:%S%.3f%:z");
        let lines: String = mask(text).lines().map(|line| format!("{time} {}\n", escape_control(line))).collect();
        let _ = self.0.lock().write_all(lines.as_bytes());
    }
}

impl Write for LogFile {
    /// Takes whole lines, as `tracing_subscriber` writes them.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.write_line(&String::from_utf8_lossy(lines));
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
