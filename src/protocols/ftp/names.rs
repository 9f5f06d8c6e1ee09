//! Other temporary names, for when the first one can't be used; and the error for a name that is taken.

use crate::error::{Error, Kind};

/// The error when another program has made a file of that name since the folder was listed.
pub fn name_taken_error() -> Error {
    Error::new(Kind::Exists, "another file got this name during the upload").with_hint("run the same command again: --if-exists decides")
}

/// `a.mov.download` becomes `a.mov.2.download`: the server recognises an unfinished file by its ending.
pub fn number_name(name: &str, number: u32) -> String {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    match name.rfind('.') {
        Some(dot) if dot > file => format!("{}.{number}{}", &name[..dot], &name[dot..]),
        _ => format!("{name}.{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_stays() {
        for (name, other) in
            [("a.mov.download", "a.mov.2.download"), ("in.x/a", "in.x/a.2"), ("in/.a", "in/.a.2"), ("é.haul-part", "é.2.haul-part")]
        {
            assert_eq!(number_name(name, 2), other);
        }
    }
}
