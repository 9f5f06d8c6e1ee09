//! Puts a new copy in the place of an older one (OQ-20). giga0 never overwrites: the new copy arrived as `name (2)`, so the
//! older one goes to the trash and the new one gets the name. After a failure the same call resumes where it stopped.

use super::entry;
use super::entry::file_number;
use super::names;
use super::remote::Giga0;
use crate::contract::{Error, Kind, Result};
use crate::model::Entry;
use crate::model::similar_names::is_alike;

impl Giga0 {
    pub(super) async fn replace_entry(&self, old: &Entry, new: &Entry, name: &str) -> Result<Entry> {
        let (old_number, new_number) = (file_number(old)?, file_number(new)?);
        match self.api.file_delete(old_number).await {
            // The older copy is gone already: another user or an earlier try removed it.
            Err(e) if e.kind() == Kind::NotFound => {}
            Err(e) => return Err(both_left_error(old, new, e)),
            Ok(()) => {}
        }
        if new.name == name {
            return Ok(new.clone());
        }
        let row = self.api.file_rename(new_number, name).await.map_err(|e| misnamed_error(old, new, name, e))?;
        // The site refuses no name: only the answer shows whether it took the name (providers.md 2.8).
        let named = row.name.clone().unwrap_or_default();
        if named != name && named != names::apply_site_rules(name) && !is_alike(&named, name) {
            let refused = Error::new(Kind::Refused, format!("the site named it {named:?}"));
            return Err(misnamed_error(old, new, name, refused));
        }
        let mut placed = entry::of_file(row, new.path.parent().as_ref())?;
        placed.id.clone_from(&new.id);
        placed.size = placed.size.or(new.size);
        placed.md5.clone_from(&new.md5);
        Ok(placed)
    }
}

/// Both copies are left. After a lost answer the message says that the older copy may still be there.
fn both_left_error(old: &Entry, new: &Entry, why: Error) -> Error {
    let still = if why.may_have_happened() { "may still be there" } else { "could not be removed" };
    let text =
        format!("the new copy is complete as {:?} (@{}), but the older one, {:?} (@{}), {still}", new.name, new.id, old.name, old.id);
    error_about(text, old, why).with_hint("run the same command again, or remove the one you don't want")
}

fn misnamed_error(old: &Entry, new: &Entry, name: &str, why: Error) -> Error {
    let text = format!(
        "the new copy is complete, but still named {:?} (@{}) instead of {name:?}; the older one (@{}) is in the trash",
        new.name, new.id, old.id
    );
    error_about(text, old, why).with_hint(format!("give @{} its name on the site", new.id))
}

fn error_about(text: String, old: &Entry, why: Error) -> Error {
    let error = if why.is_unread_answer() { Error::unread_answer(text) } else { Error::new(why.kind(), text) };
    let error = error.with_subject(old.path.to_string()).with_retry_after(why.retry_after());
    match why.status_code() {
        Some(status) => error.with_status(status).with_cause(why),
        None => error.with_cause(why),
    }
}
