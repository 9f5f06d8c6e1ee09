//! The conditions of `find` beside the filter: name, kind, and a size as `find` of Unix takes it.

use glob::Pattern as Glob;

use crate::model::{Entry, EntryKind};

/// A bound of a size, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SizeBound {
    Above(u64),
    Below(u64),
    Exactly(u64),
}

/// Conditions that must all hold; none = any entry.
pub struct Conditions {
    pub name: Option<Glob>,
    /// Small and capital letters are the same in `name`.
    pub ignores_case: bool,
    pub kind: Option<EntryKind>,
    pub size: Option<SizeBound>,
}

impl Conditions {
    /// Do name and kind fit?
    pub fn named(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.kind) && self.name.as_ref().is_none_or(|name| self.fits(name, &entry.name))
    }

    fn fits(&self, pattern: &Glob, name: &str) -> bool {
        // The crate compares only ASCII letters without their case.
        match self.ignores_case {
            true => Glob::new(&pattern.as_str().to_lowercase()).is_ok_and(|small| small.matches(&name.to_lowercase())),
            false => pattern.matches(name),
        }
    }

    /// None: the size is not known. Folders have no size.
    pub fn sized(&self, entry: &Entry) -> Option<bool> {
        let Some(bound) = self.size else { return Some(true) };
        if entry.is_folder() {
            return Some(false);
        }
        let size = entry.size?;
        Some(match bound {
            SizeBound::Above(limit) => size > limit,
            SizeBound::Below(limit) => size < limit,
            SizeBound::Exactly(wanted) => size == wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemotePath;
    use crate::transfer::filter::name_pattern;

    #[test]
    fn what_is_not_told_is_known_as_that() {
        let mut entry = Entry::new(EntryKind::File, "1", RemotePath::parse("/a.mov").unwrap());
        let none = || Conditions { name: None, ignores_case: false, kind: None, size: None };
        let below = Conditions { size: Some(SizeBound::Below(10)), ..none() };
        assert_eq!((none().sized(&entry), below.sized(&entry)), (Some(true), None));
        entry.size = Some(9);
        assert_eq!(below.sized(&entry), Some(true));
        assert_eq!(below.sized(&Entry::new(EntryKind::Folder, "", RemotePath::root())), Some(false));
        let named = |pattern: &str| Conditions { name: Some(name_pattern(pattern)), ..none() }.named(&entry);
        assert!(named("*.mov") && !named("*.MOV") && !named("mov"));
        let mut entry = Entry::new(EntryKind::File, "1", RemotePath::parse("/ÄRGER.Mov").unwrap());
        let either =
            |pattern: &str, entry: &Entry| Conditions { name: Some(name_pattern(pattern)), ignores_case: true, ..none() }.named(entry);
        assert!(either("ärger*.MOV", &entry) && !either("b*", &entry));
        entry.name = "[x".into();
        assert!(either("[X", &entry), "a bracket that nothing closes");
    }
}
