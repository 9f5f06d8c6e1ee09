//! Copies a large file whose source and target are on one account by a call to the server: no byte passes this machine.

use std::ops::ControlFlow;

use super::file::UploadTarget;
use super::options::ChecksumMode;
use super::plan::PutItem;
use super::run::PutRun;
use crate::error::{Error, Kind, Result};
use crate::model::report::Placed;
use crate::model::{Entry, Event, Report};
use crate::transfer::change::ConfirmedChanges;
use crate::transfer::folder_cache::ListedFolder;
use crate::transfer::source::RemoteFile;
use crate::transfer::upload::confirm::discard;
use crate::transfer::upload::journal::Journal;
use crate::transfer::walk::is_fatal;

/// The least size in bytes of a file that the server copies. Where the answer of the server does not name the copy (FileAgo,
/// providers.md 3.4), the target folder is listed after each copy. Streaming a smaller file is faster than listing a large folder.
const COPIED_FROM: u64 = 1 << 20;

impl PutRun {
    /// Lets the server copy the file, and returns the report. Returns `way` where the file must be streamed instead: `can_copy` says
    /// no, or the server refused. Fails with `Unknown` or `Integrity` where a copy may exist already, with a fatal error of the server,
    /// where the source can't be looked at after the copy, and where the file changed or another client took the name.
    pub(super) async fn copy_on_server(&self, item: &PutItem, way: Box<UploadTarget>) -> Result<ControlFlow<Report, Box<UploadTarget>>> {
        let Some(original) = item.origin.original().filter(|original| self.can_copy(original, &way)) else {
            return Ok(ControlFlow::Continue(way));
        };
        let client = &self.job.client;
        if let Some(journal) = &way.journal {
            journal.record_copying().await?;
        }
        let changes = ConfirmedChanges::new(client.clone());
        let copy = match changes.copy_into(&original.entry, &way.folder.entry, &[]).await {
            Ok(copy) => copy,
            // The server may have made a copy, or no request can succeed: streaming the file would not help.
            Err(error) if matches!(error.kind(), Kind::Unknown | Kind::Integrity) || is_fatal(error.kind()) => {
                return Err(error.with_subject(item.display_source()));
            }
            Err(error) => {
                client
                    .events
                    .send(Event::Note(format!("{}: the server does not copy the file, so it is streamed: {error}", item.display_source())));
                return Ok(ControlFlow::Continue(way));
            }
        };
        let changed = match original.is_still_there().await {
            // The copy may have another content than the file that was listed.
            Err(error) => Some(error),
            Ok(_) if copy.name != way.name => Some(Error::new(Kind::Exists, "another client took the name meanwhile")),
            Ok(_) if has_other_md5(original, &copy) => Some(Error::new(Kind::Integrity, "the MD5 of the server's copy differs")),
            Ok(_) => None,
        };
        if let Some(changed) = changed {
            return Err(discard(client, &copy, None, changed.with_subject(item.display_source())).await);
        }
        self.remember(&copy, original.md5.clone(), original.identity());
        if let Some(journal) = &way.journal {
            journal.close()?;
        }
        let (source, remote, path) = (item.display_source(), self.job.target.remote.clone(), copy.path.clone());
        let (id, kind, size) = (Some(copy.id), copy.kind, copy.size.or(item.size));
        Ok(ControlFlow::Break(Report::Copied(Placed { source, remote, path, id, kind, size })))
    }

    /// Finds the copy of an earlier run that was killed after its request for the copy: a new file of that name and size, and of no
    /// other MD5. The copy is noted, so that the file counts as equal.
    pub(in crate::transfer) fn adopt_copy(&self, item: &PutItem, journal: Option<&Journal>, folder: &ListedFolder) -> Result<()> {
        let (Some(original), Some(journal)) = (item.origin.original(), journal) else { return Ok(()) };
        let Some(before) = journal.ids_before_copy()? else { return Ok(()) };
        let mut new = folder.find_by_name(&item.name).filter(|entry| !before.contains(&entry.id));
        let (Some(copy), None) = (new.next(), new.next()) else { return Ok(()) };
        let is_copy = !copy.is_folder() && !copy.incomplete && copy.size == original.entry.size && !has_other_md5(original, copy);
        if is_copy {
            self.remember(copy, original.md5.clone(), original.identity());
            journal.close()?;
        }
        Ok(())
    }

    /// May the server copy this file? A copy of the server keeps its name and replaces nothing. A file whose MD5 is to be compared is
    /// streamed through this machine. A file without MD5, version and time is streamed, too (giga0 lists neither MD5s
    /// nor times): this machine computes its MD5, which tells the next run that both sides are equal.
    fn can_copy(&self, original: &RemoteFile, way: &UploadTarget) -> bool {
        let (options, identity) = (&self.job.options, original.identity());
        let is_recognised = original.md5.is_some() || identity.version.is_some() || identity.modified_ns != 0;
        options.copies_on_server
            && original.remote == self.job.remote_key
            && !original.moves
            && is_recognised
            && original.entry.size.is_some_and(|size| size >= COPIED_FROM)
            && matches!(options.checksum, ChecksumMode::Auto | ChecksumMode::None)
            && way.fresh
            && way.replaces.is_none()
            && way.name == original.entry.name
            && way.folder.find_by_name(&way.name).next().is_none()
            && self.job.client.has(|can| can.copies.is_some())
    }
}

/// True if both MD5s are known and differ.
fn has_other_md5(original: &RemoteFile, copy: &Entry) -> bool {
    original.md5.as_ref().zip(copy.md5.as_ref()).is_some_and(|(ours, theirs)| !ours.eq_ignore_ascii_case(theirs))
}
