//! `--settle`: a local file that changed a moment ago, or since it was planned, is left for the next run.

use super::plan::PutItem;
use super::run::PutRun;
use crate::error::Result;
use crate::model::Report;
use crate::transfer::filter::Filter;
use crate::transfer::source::SourceSpec;
use crate::transfer::source::file::unreadable;

/// Why the file is not sent; none: it has settled, or nobody asked.
pub(in crate::transfer) async fn reason_unsettled(item: &PutItem, filter: &Filter) -> Result<Option<String>> {
    let (Some(_), SourceSpec::File(path)) = (filter.settle(), &item.origin) else { return Ok(None) };
    let meta = tokio::fs::metadata(path).await.map_err(|e| unreadable(path, e))?;
    if let Some(planned) = item.size.filter(|planned| *planned != meta.len()) {
        return Ok(Some(format!("it had {planned} bytes when it was found and has {} now: somebody is writing it", meta.len())));
    }
    let modified = meta.modified().map_err(|e| unreadable(path, e))?;
    Ok(filter.reason_unsettled(modified.into(), chrono::Utc::now()))
}

impl PutRun {
    pub(super) fn postponed_report(&self, item: &PutItem, reason: String) -> Result<Report> {
        Ok(Report::Skipped {
            source: item.display_source(),
            remote: self.job.target.remote.clone(),
            path: self.job.target.place.display_path(&item.folder.join(&item.name)?),
            target: None,
            id: None,
            size: item.size,
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::RemotePath;
    use crate::transfer::filter::FilterSpec;

    #[tokio::test]
    async fn a_file_that_changed_or_grew_is_left_for_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "12345").unwrap();
        let spec = |settle| FilterSpec { settle, ..FilterSpec::default() };
        let (minute, none) = (Filter::new(spec(Some(Duration::from_secs(60)))).unwrap(), Filter::default());
        let item =
            |size| PutItem { origin: SourceSpec::File(path.clone()), folder: RemotePath::root(), name: "f".into(), size: Some(size) };
        assert!(reason_unsettled(&item(5), &minute).await.unwrap().unwrap().contains("--settle"));
        assert_eq!(reason_unsettled(&item(5), &none).await.unwrap(), None);
        let old = std::fs::File::options().append(true).open(&path).unwrap();
        old.set_modified(std::time::SystemTime::now() - Duration::from_secs(600)).unwrap();
        assert_eq!(reason_unsettled(&item(5), &minute).await.unwrap(), None);
        assert!(reason_unsettled(&item(4), &minute).await.unwrap().unwrap().contains("has 5 now"));
    }
}
