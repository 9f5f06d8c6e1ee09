//! Entries as servers list them. A name that can't stand in a path (a slash, a line break, `..`) must neither hide other
//! entries nor become a path of its own.

use serde_json::{Map, Value};

use crate::model::RemotePath;

/// The path of an entry called `name` in `folder`. A name that can't stand in a path gets a harmless one: the entry is
/// still listed under its own name, and reached by its id.
pub fn safe_child_path(folder: &RemotePath, name: &str) -> RemotePath {
    if let Ok(path) = folder.join(name) {
        return path;
    }
    let harmless = name.replace(['/', '\r', '\n', '\0'], "_");
    let harmless = if harmless.trim_matches('.').is_empty() { "_" } else { &harmless };
    folder.join(harmless).unwrap_or_else(|_| folder.clone())
}

/// The value of `Entry::extra` and `Account::extra`: the fields that the server reported.
pub fn known_fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_in_their_folder() {
        let folder = RemotePath::parse("/a").unwrap();
        let cases = [("b", "/a/b"), ("../x", "/a/.._x"), ("..", "/a/_"), ("", "/a/_"), ("x\r\ny", "/a/x__y"), ("...", "/a/...")];
        for (name, path) in cases {
            assert_eq!(safe_child_path(&folder, name).to_string(), path, "{name:?}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn any_name_has_a_place_in_its_folder(name in arbitrary::text()) {
            let folder = RemotePath::parse("/a/b").unwrap();
            let path = safe_child_path(&folder, &name);
            prop_assert_eq!(path.parent(), Some(folder));
        }
    }
}
