//! Whether all that is known of an upload's content agrees: the MD5 that was told or computed before its first byte, that of
//! the bytes that passed, and that of the source as it lies there now.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::confirm::verify;
use crate::contract::{Checksum, Source};
use crate::error::{Error, Kind, Result};
use crate::model::Entry;
use crate::model::report::Verified;
use crate::transfer::source::file::{changed_source_error, md5_of};
use crate::transfer::source::meter::Meter;

/// What is to be found out beside the sending.
pub(crate) struct Sums {
    source: Arc<dyn Source>,
    meter: Arc<Meter>,
    /// The MD5 of all that passed the meter, once that is over.
    passed: Option<Option<String>>,
    /// Of the whole source, where an earlier run has sent a part of it, which does not pass the meter.
    beside: Option<AbortOnDropHandle<Result<String>>>,
    checksum: Checksum,
    /// An earlier run has sent a part.
    taken_up: bool,
    /// Sums are computed at all.
    hash: bool,
}

impl Sums {
    /// `sent`: bytes that an earlier run has brought, if there was one; `hash`: compute sums at all.
    pub(crate) async fn begin(
        meter: &Arc<Meter>,
        source: &Arc<dyn Source>,
        checksum: &Checksum,
        sent: Option<u64>,
        hash: bool,
    ) -> Result<Self> {
        let unheard = sent.filter(|_| hash && !checksum.from_remote);
        // One stream brings the head before the rest; else the whole is hashed beside the sending.
        let (source, meter, checksum) = (source.clone(), meter.clone(), checksum.clone());
        let mut sums = Sums { source, meter, passed: None, beside: None, checksum, taken_up: sent.is_some(), hash };
        match unheard {
            Some(sent) if sums.source.is_one_stream() => sums.meter.read_over(sent).await?,
            Some(_) => sums.read_beside(),
            None => {}
        }
        Ok(sums)
    }

    /// Reads the whole source beside the sending, where not all of its bytes pass in their order.
    pub(crate) fn read_beside(&mut self) {
        if self.beside.is_some() || !self.hash || self.checksum.from_remote {
            return;
        }
        let source = self.source.clone();
        self.beside = Some(AbortOnDropHandle::new(tokio::spawn(async move { md5_of(source.as_ref()).await })));
    }

    /// The `size` bytes of the file are accepted, and no other passes: the thread that hashes them is given back, for a file may
    /// wait long for its confirmation, and many wait at once.
    pub(crate) async fn finish(&mut self, size: u64) {
        if self.beside.is_none() && self.passed.is_none() {
            self.passed = Some(self.meter.md5(size).await);
        }
    }

    /// The MD5 of what is there, and what was compared. Fails with `Integrity` where something does not agree. `unproven`:
    /// nothing proves that what an earlier run sent is of this content, so that only the provider's word on the whole does.
    pub(crate) async fn compare(&mut self, entry: &Entry, size: u64, unproven: bool) -> Result<(Option<String>, Verified)> {
        let md5 = self.finished_md5(size).await?;
        match verify(entry, size, md5.as_deref())? {
            Verified::Size | Verified::None if unproven => {
                let why = "an earlier run sent a part of it, and nothing proves that the file has not changed since";
                Err(Error::new(Kind::Integrity, why).on_local(self.source.name()))
            }
            verified => Ok((md5, verified)),
        }
    }

    /// Of the `size` bytes that are there, as far as it was computed. Fails with `Integrity` when they are a mixture, or not
    /// what the source holds.
    async fn finished_md5(&mut self, size: u64) -> Result<Option<String>> {
        self.finish(size).await;
        let passed = match self.beside.take() {
            Some(beside) => Some(beside.await.map_err(|e| Error::new(Kind::Other, "the checksum could not be computed").with_cause(e))??),
            None => self.passed.take().flatten(),
        };
        if let (Some(before), Some(passed)) = (&self.checksum.md5, &passed)
            && !before.eq_ignore_ascii_case(passed)
        {
            return Err(self.differ(before, passed));
        }
        let md5 = passed.or_else(|| self.checksum.md5.clone());
        // Its mode, its name or its content: only reading it again tells which.
        if self.source.is_touched() && md5 != Some(md5_of(self.source.as_ref()).await?) {
            return Err(changed_source_error(self.source.name()));
        }
        Ok(md5)
    }

    fn differ(&self, before: &str, passed: &str) -> Error {
        let why = if self.checksum.from_remote {
            format!("the MD5 differs: {before} is told at the source, {passed} came")
        } else if self.taken_up {
            format!("the file is not the one that an earlier run sent a part of: the MD5 differs: {before} then, {passed} now")
        } else {
            return changed_source_error(self.source.name());
        };
        Error::new(Kind::Integrity, why).on_local(self.source.name())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    use futures_util::StreamExt;

    use super::*;
    use crate::contract::Events;
    use crate::transfer::source::file::FileSource;

    struct Fixture {
        file: tempfile::NamedTempFile,
        meter: Arc<Meter>,
        source: Arc<dyn Source>,
    }

    /// A file whose change shows.
    fn fixture() -> Fixture {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "content").unwrap();
        std::thread::sleep(Duration::from_millis(30));
        let source: Arc<dyn Source> = Arc::new(FileSource::open(file.path()).unwrap());
        let meter = Arc::new(Meter::new(source.clone(), 1, Events::channel().0, None, true));
        Fixture { file, meter, source }
    }

    fn md5(content: &str) -> String {
        format!("{:x}", md5::compute(content))
    }

    impl Fixture {
        /// All is sent, then `change` happens.
        async fn ends(&self, checksum: Checksum, sent: Option<u64>, change: impl FnOnce(&Path)) -> Result<Option<String>> {
            let mut sums = Sums::begin(&self.meter, &self.source, &checksum, sent, true).await?;
            self.meter.read(sent.unwrap_or(0), 7 - sent.unwrap_or(0)).for_each(|_| async {}).await;
            change(self.file.path());
            sums.finished_md5(7).await
        }
    }

    fn before(content: &str) -> Checksum {
        Checksum { md5: Some(md5(content)), from_remote: false }
    }

    fn put_back(path: &Path, content: &str) {
        let then = path.metadata().unwrap().modified().unwrap();
        std::fs::write(path, content).unwrap();
        std::fs::File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    }

    #[tokio::test]
    async fn what_passed_is_what_counts() {
        assert_eq!(fixture().ends(Checksum::default(), None, |_| ()).await.unwrap(), Some(md5("content")));
        assert_eq!(fixture().ends(before("content"), None, |_| ()).await.unwrap(), Some(md5("content")));
        let changed = fixture().ends(before("CONTENT"), None, |_| ()).await.unwrap_err();
        assert_eq!((changed.kind(), changed.to_string().contains("changed while it was read")), (Kind::Integrity, true), "{changed}");
        let told = Checksum { from_remote: true, ..before("CONTENT") };
        assert!(fixture().ends(told, None, |_| ()).await.unwrap_err().to_string().contains("is told at the source"));
    }

    #[tokio::test]
    async fn the_whole_is_compared_with_what_an_earlier_run_knew() {
        assert_eq!(fixture().ends(Checksum::default(), Some(3), |_| ()).await.unwrap(), Some(md5("content")));
        assert_eq!(fixture().ends(before("content"), Some(3), |_| ()).await.unwrap(), Some(md5("content")));
        let mixture = fixture().ends(before("CONTENT"), Some(3), |_| ()).await.unwrap_err();
        assert!(mixture.to_string().contains("an earlier run sent a part"), "{mixture}");
        assert_eq!(mixture.kind(), Kind::Integrity);
    }

    #[tokio::test]
    async fn a_change_that_was_put_back_while_it_was_sent_is_found() {
        for checksum in [Checksum::default(), before("content")] {
            let changed = fixture().ends(checksum.clone(), None, |path| put_back(path, "CONTENT")).await.unwrap_err();
            assert_eq!(changed.kind(), Kind::Integrity);
            let chmod = |path: &Path| std::fs::set_permissions(path, PermissionsExt::from_mode(0o640)).unwrap();
            assert_eq!(fixture().ends(checksum, None, chmod).await.unwrap(), Some(md5("content")));
        }
    }
}
