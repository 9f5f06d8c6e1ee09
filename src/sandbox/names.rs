//! The names of the stand-ins, in the order of [`super::registry::STAND_INS`].

pub const NAMES: &[&str] = &[super::iogates::NAME, super::giga0::NAME, super::fileago::NAME, super::ftp::NAME, super::tus::NAME];

/// The kinds of requests of each stand-in: in scripts of faults, in counts and in the log.
const KINDS: &[&[&str]] = &[super::iogates::KINDS, super::giga0::KINDS, super::fileago::KINDS, super::ftp::KINDS, super::tus::KINDS];

/// The kinds of a stand-in's requests; none for an unknown name.
pub fn kinds_of(name: &str) -> &'static [&'static str] {
    NAMES.iter().zip(KINDS).find(|(known, _)| **known == name).map_or(&[], |(_, kinds)| *kinds)
}

/// The name in `known` that was probably meant.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let by_distance = known.map(|name| (strsim::damerau_levenshtein(typed, name), name)).min();
    by_distance.filter(|(distance, name)| *distance <= (name.len() / 3).max(1)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stand_in_has_kinds_and_none_twice() {
        for name in NAMES {
            let kinds = kinds_of(name);
            assert!(kinds.len() > 3, "{name}");
            assert!(kinds.iter().enumerate().all(|(at, kind)| !kinds.iter().skip(at + 1).any(|other| other == kind)), "{name}");
        }
        assert!(kinds_of("nobody").is_empty());
        assert_eq!(nearest("tus-pacth", kinds_of(NAMES[0]).iter().copied()), Some("tus-patch"));
        assert_eq!(nearest("nothing like that", NAMES.iter().copied()), None);
    }
}
