//! The conditions of `find` beside the filter: name, kind, and a size as in `find` of Unix.

use glob::Pattern as Glob;

use super::pattern::name_pattern;
use crate::model::{Entry, EntryKind};

/// A condition for a size, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SizeBound {
    Above(u64),
    Below(u64),
    Exactly(u64),
}

/// A pattern for names.
#[derive(Clone, Debug)]
pub struct NamePattern {
    pattern: Glob,
    ignores_case: bool,
}

impl NamePattern {
    pub fn new(text: &str) -> NamePattern {
        NamePattern { pattern: name_pattern(text), ignores_case: false }
    }

    /// Makes a pattern that takes small and capital letters of all scripts as equal. The `glob` crate does so for ASCII only, so
    /// pattern and name are turned into small letters.
    pub fn ignoring_case(text: &str) -> NamePattern {
        NamePattern { pattern: name_pattern(&text.to_lowercase()), ignores_case: true }
    }

    fn fits(&self, name: &str) -> bool {
        if self.ignores_case { self.pattern.matches(&name.to_lowercase()) } else { self.pattern.matches(name) }
    }
}

/// Conditions that must all hold; none = any entry.
pub struct Conditions {
    pub name: Option<NamePattern>,
    pub kind: Option<EntryKind>,
    pub size: Option<SizeBound>,
}

impl Conditions {
    /// Do the name and the kind of the entry fit?
    pub fn is_fitting_name(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.kind) && self.name.as_ref().is_none_or(|name| name.fits(&entry.name))
    }

    /// Does the size of the entry fit? None: the size is not known. A folder has no size, so a folder fits no condition for a size.
    pub fn is_fitting_size(&self, entry: &Entry) -> Option<bool> {
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

    #[test]
    fn what_is_not_told_is_known_as_that() {
        let mut entry = Entry::new(EntryKind::File, "1", RemotePath::parse("/a.mov").unwrap());
        let none = || Conditions { name: None, kind: None, size: None };
        let below = Conditions { size: Some(SizeBound::Below(10)), ..none() };
        assert_eq!((none().is_fitting_size(&entry), below.is_fitting_size(&entry)), (Some(true), None));
        entry.size = Some(9);
        assert_eq!(below.is_fitting_size(&entry), Some(true));
        assert_eq!(below.is_fitting_size(&Entry::new(EntryKind::Folder, "", RemotePath::root())), Some(false));
        let named = |pattern: &str| Conditions { name: Some(NamePattern::new(pattern)), ..none() }.is_fitting_name(&entry);
        assert!(named("*.mov") && !named("*.MOV") && !named("mov"));
        let mut entry = Entry::new(EntryKind::File, "1", RemotePath::parse("/ÄRGER.Mov").unwrap());
        let either =
            |pattern: &str, entry: &Entry| Conditions { name: Some(NamePattern::ignoring_case(pattern)), ..none() }.is_fitting_name(entry);
        assert!(either("ärger*.MOV", &entry) && !either("b*", &entry));
        entry.name = "[x".into();
        assert!(either("[X", &entry), "a bracket that nothing closes");
    }
}
