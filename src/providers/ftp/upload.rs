//! Uploads: a file is sent as `NAME.haul-part` and gets its name at the end.

use super::remote::FtpRemote;
use super::replace::ASIDE;
use super::resolve::path_of_id;
use crate::contract::{Error, Kind, Result, Upload, UploadHandle, UploadRequest};
use crate::model::{Entry, EntryKind, RemotePath};
use crate::protocols::ftp;
use crate::protocols::ftp::FtpTarget;

const ON_ITS_WAY: &str = ".haul-part";

/// The server would read a line break as the end of the command.
pub fn check_name(name: &str) -> Result<()> {
    RemotePath::root().join(name)?;
    if name.contains(['\r', '\n', '\0']) {
        return Err(Error::new(Kind::Refused, "this name can't be sent by FTP")
            .with_subject(format!("{name:?}"))
            .with_hint("rename the file"));
    }
    Ok(())
}

impl FtpRemote {
    pub(super) async fn upload(&self, item: &UploadRequest) -> Result<Upload> {
        let (ticket, target) = self.prepare(item)?;
        let session = ftp::open(self.pool().await?, target).await?;
        Ok(Upload { ticket, session: Box::new(session) })
    }

    /// Resumes what an earlier run began, under the temporary name in its note.
    pub(super) async fn resume(&self, item: &UploadRequest, ticket: &UploadHandle, note: &str) -> Result<Option<Upload>> {
        let (_, target) = self.prepare(item)?;
        // A file that replaces another keeps its temporary name until the older one is gone.
        let keeps_name = target.temporary.as_deref() == Some(target.name.as_str());
        let name = if keeps_name { note.to_owned() } else { target.name.clone() };
        // None for a file that was sent under its own name from the first byte on.
        let temporary = Some(note.to_owned()).filter(|note| *note != name || keeps_name);
        let confirmed = target.confirmed.map(|(entry, _)| (entry, ticket.confirmed_entry.clone()));
        let session = ftp::open(self.pool().await?, FtpTarget { name, temporary, confirmed, is_new: false, ..target }).await?;
        Ok(Some(Upload { ticket: ticket.clone(), session: Box::new(session) }))
    }

    /// Everything before the first command.
    fn prepare(&self, item: &UploadRequest) -> Result<(UploadHandle, FtpTarget)> {
        check_name(&item.name)?;
        if let Some(other) = item.protocol.filter(|forced| *forced != self.protocol()) {
            let why = format!("the url of this remote stands for {}, not for {other}", self.protocol());
            return Err(Error::new(Kind::Unsupported, why).with_hint("leave --protocol out"));
        }
        // The folder's id is its path on the server; its `path` may begin at an id.
        let path = path_of_id(&item.folder)?.join(&item.name)?;
        let name = self.path_of(&path);
        let travelling = format!("{name}{ON_ITS_WAY}");
        let replaces = item.replaces.is_some();
        // If a run died between the two renames of a replacement, no file has the name itself.
        let aside = format!("{}{ASIDE}", item.name);
        let is_left = !replaces && item.siblings.candidates(&[&aside]).any(|entry| entry.name == aside && !entry.is_folder());
        let size = item.source.size();
        let ticket = UploadHandle {
            path: item.path()?,
            id: Some(path.to_string()),
            upload_name: replaces.then(|| format!("{path}{ON_ITS_WAY}")),
            folder: Some(item.folder.id.clone()),
            size,
            ..UploadHandle::default()
        };
        // A file that replaces another gets its name in a separate step.
        let confirmed = (!replaces).then(|| {
            let entry = Entry::new(EntryKind::File, path.to_string(), ticket.path.clone());
            (entry, ticket.confirmed_entry.clone())
        });
        let older = is_left.then(|| format!("{name}{ASIDE}"));
        let target = FtpTarget {
            name: if replaces { travelling.clone() } else { name },
            temporary: Some(travelling),
            size,
            modified: item.source.modified_at(),
            must_be_free: !replaces,
            may_go_direct: !replaces,
            is_new: !replaces && item.reusable.is_none(),
            older,
            confirmed,
        };
        Ok((ticket, target))
    }
}
