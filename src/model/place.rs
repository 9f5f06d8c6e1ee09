//! Where something is: `REMOTE:PATH`, `REMOTE:@ID/sub/path`. The words of the command line, parsed once.

use std::fmt;

use crate::error::{Error, Kind, Result};

/// A cleaned path on a remote: names without `/`, no `.`, no `..`, nothing that breaks a line of a protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RemotePath(Vec<String>);

impl RemotePath {
    pub fn root() -> Self {
        Self::default()
    }

    /// Cleans `text`. Refuses `..` (status 2) and names that no remote can hold (status 8).
    pub fn parse(text: &str) -> Result<Self> {
        let mut names = Vec::new();
        for name in text.split('/') {
            match name {
                "" | "." => {}
                ".." => {
                    return Err(Error::new(Kind::Usage, "\"..\" has no meaning in a remote path")
                        .on(text)
                        .hint("write the path from the root"));
                }
                name => names.push(check_name(name)?.to_owned()),
            }
        }
        Ok(RemotePath(names))
    }

    pub fn names(&self) -> &[String] {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub fn name(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    pub fn parent(&self) -> Option<RemotePath> {
        let (_, parents) = self.0.split_last()?;
        Some(RemotePath(parents.to_vec()))
    }

    /// `name` may come from a local file or a server: it is checked as in [`RemotePath::parse`].
    pub fn join(&self, name: &str) -> Result<RemotePath> {
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            return Err(Error::new(Kind::Refused, "this can't be the name of a file or folder").on(format!("{name:?}")));
        }
        let mut names = self.0.clone();
        names.push(check_name(name)?.to_owned());
        Ok(RemotePath(names))
    }

    /// This path, seen from below `top`; none when it is not below it.
    pub fn below(&self, top: &RemotePath) -> Option<RemotePath> {
        self.0.strip_prefix(top.0.as_slice()).map(|rest| RemotePath(rest.to_vec()))
    }

    pub fn join_all(&self, more: &RemotePath) -> RemotePath {
        RemotePath(self.0.iter().chain(&more.0).cloned().collect())
    }
}

/// CR, LF and NUL end a command of FTP or a line of a header: a name with one of them would become a command of its own
/// (providers.md 6.2).
fn check_name(name: &str) -> Result<&str> {
    match name.chars().find(|c| matches!(c, '\r' | '\n' | '\0')) {
        None => Ok(name),
        Some(_) => Err(Error::new(Kind::Refused, "the name holds a line break or NUL, which no remote can store")
            .on(name)
            .hint("rename the file first")),
    }
}

/// Always begins with `/`.
impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

impl serde::Serialize for RemotePath {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for RemotePath {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        RemotePath::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What a path starts from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The account's own top folder.
    Top,
    /// A node named by the provider's own id; its form is the provider's affair (`125`, `file:9`, `home:UUID`).
    Id(String),
}

/// A place on some remote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub root: Root,
    pub path: RemotePath,
}

impl Place {
    pub fn at(path: RemotePath) -> Self {
        Place { root: Root::Top, path }
    }

    pub fn join(&self, name: &str) -> Result<Place> {
        Ok(Place { root: self.root.clone(), path: self.path.join(name)? })
    }

    /// `path`, counted from this place's root, as reports show it: below `/@ID` where an id is the root, as `/` alone would
    /// name another place.
    pub fn shown(&self, path: &RemotePath) -> RemotePath {
        match &self.root {
            Root::Top => path.clone(),
            Root::Id(id) => RemotePath(std::iter::once(format!("@{id}")).chain(path.0.iter().cloned()).collect()),
        }
    }

    pub fn parent(&self) -> Option<Place> {
        Some(Place { root: self.root.clone(), path: self.path.parent()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Root::Top => write!(f, "{}", self.path),
            Root::Id(id) if self.path.is_root() => write!(f, "@{id}"),
            Root::Id(id) => write!(f, "@{id}{}", self.path),
        }
    }
}

/// `REMOTE:PATH` as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As typed; remotes are matched without regard to case.
    pub remote: String,
    pub place: Place,
    /// The path ended in `/` or is the root: it names a folder, there or not.
    pub folder: bool,
}

impl Address {
    /// None when `text` is a local path: no colon, a slash before the colon, or a first letter that is no remote's.
    pub fn parse(text: &str) -> Result<Option<Address>> {
        let Some((remote, rest)) = text.split_once(':') else { return Ok(None) };
        if remote.is_empty() || remote.contains(['/', '\\']) || remote == "." {
            return Ok(None);
        }
        if !remote.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            return Ok(None);
        }
        Ok(Some(Address {
            remote: remote.to_owned(),
            place: parse_place(rest)?,
            folder: rest.is_empty() || rest.ends_with('/') || rest.ends_with("/."),
        }))
    }

    /// Where a command takes a remote, `studio` and `studio:` are the same.
    pub fn parse_remote(text: &str) -> Result<Address> {
        let with_colon = if text.contains(':') { text.to_owned() } else { format!("{text}:") };
        Address::parse(&with_colon)?.ok_or_else(|| {
            Error::new(Kind::Usage, "this is not a remote address").on(text).hint("write REMOTE:PATH; `haul ls` lists the remotes")
        })
    }
}

fn parse_place(rest: &str) -> Result<Place> {
    let Some(after) = rest.strip_prefix('@') else { return Ok(Place::at(RemotePath::parse(rest)?)) };
    let (id, path) = after.split_once('/').unwrap_or((after, ""));
    if id.is_empty() {
        return Err(Error::new(Kind::Usage, "there is no id after \"@\"")
            .on(rest)
            .hint("a name that begins with @ is written with a leading slash: REMOTE:/@name"));
    }
    check_name(id)?;
    Ok(Place { root: Root::Id(id.to_owned()), path: RemotePath::parse(path)? })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.remote, self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> String {
        Address::parse(text).unwrap().unwrap().to_string()
    }

    #[test]
    fn slashes_mean_the_same_place() {
        assert_eq!(place("studio:a//b/./c/"), "studio:/a/b/c");
        assert_eq!(place("studio:/a/b"), place("studio:a/b"));
        assert_eq!(place("studio:"), "studio:/");
    }

    #[test]
    fn ids_and_names_that_look_like_ids() {
        assert_eq!(place("work:@home:3d76/Docs"), "work:@home:3d76/Docs");
        assert_eq!(place("cloud:/@name"), "cloud:/@name");
        assert!(matches!(Address::parse("cloud:/@name").unwrap().unwrap().place.root, Root::Top));
        assert_eq!(place("cloud:@file:9"), "cloud:@file:9");
        assert_eq!(Address::parse("cloud:@").unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn local_paths_with_a_colon() {
        assert!(Address::parse("./a:b").unwrap().is_none());
        assert!(Address::parse("/x/a:b").unwrap().is_none());
        assert!(Address::parse("plain").unwrap().is_none());
    }

    #[test]
    fn a_folder_is_told_by_its_slash() {
        assert!(Address::parse("s:/a/").unwrap().unwrap().folder);
        assert!(Address::parse("s:").unwrap().unwrap().folder);
        assert!(!Address::parse("s:/a").unwrap().unwrap().folder);
    }

    #[test]
    fn hostile_names() {
        assert_eq!(RemotePath::parse("/a/../b").unwrap_err().kind(), Kind::Usage);
        assert_eq!(RemotePath::parse("/a\r\nDELE x").unwrap_err().kind(), Kind::Refused);
        assert_eq!(RemotePath::root().join("..").unwrap_err().kind(), Kind::Refused);
        assert_eq!(RemotePath::root().join("a/b").unwrap_err().kind(), Kind::Refused);
        assert_eq!(RemotePath::root().join("a\0").unwrap_err().kind(), Kind::Refused);
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::model::noise;

    proptest! {
        #![proptest_config(noise::config())]

        #[test]
        fn paths_hold_names_only(text in noise::text(), name in noise::text()) {
            let sound = |path: &RemotePath| path.names().iter().all(|n| {
                !n.is_empty() && n != "." && n != ".." && !n.contains(['/', '\r', '\n', '\0'])
            });
            if let Ok(path) = RemotePath::parse(&text) {
                prop_assert!(sound(&path), "{path:?}");
                prop_assert_eq!(&RemotePath::parse(&path.to_string()).unwrap(), &path);
                if let Ok(child) = path.join(&name) {
                    prop_assert!(sound(&child) && child.name() == Some(&name) && child.parent().as_ref() == Some(&path));
                }
            }
        }

        #[test]
        fn an_address_that_is_shown_can_be_typed(text in noise::text(), remote in "[a-z.]{1,5}") {
            match Address::parse(&format!("{remote}:{text}")) {
                Ok(Some(address)) => {
                    let again = Address::parse(&address.to_string()).unwrap().unwrap();
                    // A first name that begins with `@` is typed behind a slash.
                    prop_assert_eq!(again.place, address.place);
                }
                Ok(None) => {}
                Err(error) => noise::assert_harmless(&error.to_string()),
            }
        }
    }
}
