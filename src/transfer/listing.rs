//! Requests for entries of a remote, with the warnings that belong to the answers.

use super::client::RemoteClient;
use crate::contract::Entries;
use crate::error::{Error, Kind, Result};
use crate::model::escape::shell_word;
use crate::model::{Entry, Event, Place, RemotePath, Root};

impl RemoteClient {
    /// The entries of a folder. Rows that can't be read cause a warning.
    ///
    /// # Errors
    /// The last failure of the call, when no further try is due; `Unsupported` where the provider lists nothing.
    pub async fn list(&self, folder: &Entry) -> Result<Entries> {
        let entries = self.call(|p| p.list(folder)).await?;
        if let Some(said) = entries.faults.warning() {
            self.events.warn_once(format!("{}: {said}", self.address(&folder.path)));
        }
        Ok(entries)
    }

    /// As `list`, for callers that take all entries of a folder: rows that can't be read are a failure beside the entries.
    ///
    /// # Errors
    /// As [`RemoteClient::list`].
    pub async fn list_whole(&self, folder: &Entry) -> Result<(Entries, Option<Error>)> {
        let entries = self.call(|p| p.list(folder)).await?;
        let left_out = entries.faults.warning().map(|said| Error::new(Kind::Protocol, said).with_subject(self.address(&folder.path)));
        Ok((entries, left_out))
    }

    /// The entry at `place`. Where nothing has that name, the name is tried under which the server stored what was put there.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous` when two entries have the name, or the last failure of the call.
    pub async fn stat(&self, place: &Place) -> Result<Entry> {
        let missing = match self.call(|p| p.stat(place)).await {
            Err(error) if error.kind() == Kind::NotFound => error,
            found => return found.inspect(|entry| self.tell_passed_over(entry)),
        };
        // As the provider itself says that it writes the names on the way there; and then as a file was seen to be named.
        let written = Place { path: self.stored_path(&place.path)?, ..place.clone() };
        let learned = self.learned.as_ref().and_then(|learned| learned.place(&written));
        let candidates = [Some(&written).filter(|written| *written != place), learned.as_ref()];
        for candidate in candidates.into_iter().flatten() {
            match self.call(|p| p.stat(candidate)).await {
                Ok(entry) if Some(candidate) != learned.as_ref() || !entry.is_folder() => {
                    self.events.send(Event::Note(format!("{}: stored as {:?}", self.address(&place.path), entry.name)));
                    self.tell_passed_over(&entry);
                    return Ok(entry);
                }
                Err(error) if error.kind() != Kind::NotFound => return Err(error),
                _ => {}
            }
        }
        Err(missing)
    }

    /// The path as the provider says that it writes its names (giga0 leaves tags and outer blanks out).
    pub(crate) fn stored_path(&self, path: &RemotePath) -> Result<RemotePath> {
        path.map_names(|name| self.inspect(|p| p.stored_name(name)).into_owned())
    }

    /// How a user can find out whether a file has come to `path`: a command, where the remote can list.
    pub(crate) fn how_to_look(&self, path: &RemotePath) -> String {
        match path.parent().filter(|_| self.has(|can| can.browse.is_some())) {
            Some(folder) => format!("look with `haul ls {}`", shell_word(&self.address(&folder))),
            None => "ask whoever runs the server".to_owned(),
        }
    }

    /// What the provider tells of a file when it is asked for that one alone, where its listings lack times (giga0,
    /// providers.md 2.9); its path stays the listed one.
    ///
    /// # Errors
    /// As [`RemoteClient::stat`].
    pub async fn with_time(&self, listed: Entry) -> Result<Entry> {
        let place = Place { root: Root::Id(listed.id.clone()), path: RemotePath::root() };
        let told = self.stat(&place).await?;
        Ok(Entry {
            path: listed.path,
            name: listed.name,
            size: told.size.or(listed.size),
            md5: told.md5.or(listed.md5),
            url: told.url.or(listed.url),
            ..told
        })
    }

    /// Notes that the newest of several entries of one name was taken, and how to reach the others.
    pub fn tell_passed_over(&self, entry: &Entry) {
        if entry.passed_over > 0 {
            let (path, id, others) = (self.address(&entry.path), &entry.id, entry.passed_over);
            self.events
                .send(Event::Note(format!("{path}: the newest of {} entries of this name is @{id}; {others} passed over", others + 1)));
        }
    }
}
