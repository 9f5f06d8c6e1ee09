//! Places: `REMOTE:PATH`, `REMOTE:@ID/sub/path`, or a URL; parsed from the command line.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::place_text::{PlaceText, is_url};
use super::url_place;
use crate::error::{Error, Kind, Result};

/// A normalised path on a remote: its names contain no `/`, are neither `.` nor `..`, and hold nothing that breaks a line of a
/// protocol. A path that begins at a node's id shows the id, because `/` alone would name another place. Two paths are equal
/// when their names are.
#[derive(Clone, Debug, Default)]
pub struct RemotePath {
    names: Vec<String>,
    under: Option<Arc<str>>,
}

impl PartialEq for RemotePath {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for RemotePath {}

impl Hash for RemotePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.names.hash(state);
    }
}

impl PartialOrd for RemotePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RemotePath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.names.cmp(&other.names)
    }
}

impl RemotePath {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Parses and normalises `text`.
    ///
    /// # Errors
    /// `Usage` for `..`; `Refused` for a name with a line break or NUL.
    pub fn parse(text: &str) -> Result<Self> {
        let mut names = Vec::new();
        for name in text.split('/') {
            match name {
                "" | "." => {}
                ".." => {
                    return Err(Error::new(Kind::Usage, "\"..\" has no meaning in a remote path")
                        .with_subject(text)
                        .with_hint("write the path from the root"));
                }
                name => names.push(check_name(name)?.to_owned()),
            }
        }
        Ok(RemotePath { names, under: None })
    }

    /// The same names, below the node `id`.
    pub fn anchored_at(self, id: &str) -> Self {
        RemotePath { under: Some(id.into()), ..self }
    }

    /// The names from the top down.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// True for the path without names.
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// The last name; none for the root.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    /// The path without its last name; none for the root.
    pub fn parent(&self) -> Option<RemotePath> {
        let (_, parents) = self.names.split_last()?;
        Some(self.with(parents.to_vec()))
    }

    fn with(&self, names: Vec<String>) -> RemotePath {
        RemotePath { names, under: self.under.clone() }
    }

    /// Appends a name, which may come from a local file or a server: it is checked as in [`RemotePath::parse`].
    ///
    /// # Errors
    /// `Refused` when the text can't be a name.
    pub fn join(&self, name: &str) -> Result<RemotePath> {
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            return Err(Error::new(Kind::Refused, "this can't be the name of a file or folder").with_subject(format!("{name:?}")));
        }
        let mut names = self.names.clone();
        names.push(check_name(name)?.to_owned());
        Ok(self.with(names))
    }

    /// This path relative to `top`; none when it is not below `top`.
    pub fn below(&self, top: &RemotePath) -> Option<RemotePath> {
        self.names.strip_prefix(top.names.as_slice()).map(|rest| RemotePath { names: rest.to_vec(), under: None })
    }

    /// This path, followed by the names of another.
    pub fn join_path(&self, more: &RemotePath) -> RemotePath {
        self.with(self.names.iter().chain(&more.names).cloned().collect())
    }

    /// The path with each name replaced by `name`; each new name is checked as in [`RemotePath::join`].
    ///
    /// # Errors
    /// `Refused` when one of the new names can't be a name.
    pub fn map_names(&self, name: impl Fn(&str) -> String) -> Result<RemotePath> {
        self.names.iter().try_fold(self.with(Vec::new()), |path, old| path.join(&name(old)))
    }

    /// Writes the names without the id, for records that are read again.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize_names<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_str(&RemotePath { names: self.names.clone(), under: None })
    }
}

/// CR, LF and NUL end a command of FTP or a line of a header: the text after one of them would be read as a command of its own
/// (providers.md 6.2).
fn check_name(name: &str) -> Result<&str> {
    match name.chars().find(|c| matches!(c, '\r' | '\n' | '\0')) {
        None => Ok(name),
        Some(_) => Err(Error::new(Kind::Refused, "the name holds a line break or NUL, which no remote can store")
            .with_subject(name)
            .with_hint("rename the file first")),
    }
}

/// The form to type after `REMOTE:`: `/a/b`, or `@ID/a/b`.
impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.under {
            Some(id) => write!(f, "@{id}")?,
            None if self.names.is_empty() => f.write_str("/")?,
            None => {}
        }
        self.names.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

/// Always begins with `/`: `/a/b`, or `/@ID/a/b`.
impl serde::Serialize for RemotePath {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        match self.under {
            Some(_) => s.collect_str(&format_args!("/{self}")),
            None => s.collect_str(self),
        }
    }
}

impl<'de> serde::Deserialize<'de> for RemotePath {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        RemotePath::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The start of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The account's own top folder.
    Top,
    /// A node named by the provider's own id; each provider has its own form (`125`, `file:9`, `home:UUID`).
    Id(String),
}

/// A place on some remote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The start of the path.
    pub root: Root,
    /// The path below the root.
    pub path: RemotePath,
}

impl Place {
    /// The place at that path, from the account's top folder.
    pub fn at(path: RemotePath) -> Self {
        Place { root: Root::Top, path }
    }

    /// The place of that name in this one; the name is checked as in [`RemotePath::join`].
    ///
    /// # Errors
    /// `Refused` when the text can't be a name.
    pub fn join(&self, name: &str) -> Result<Place> {
        Ok(Place { root: self.root.clone(), path: self.path.join(name)? })
    }

    /// `path`, below this place's root, as reports show it.
    pub fn display_path(&self, path: &RemotePath) -> RemotePath {
        match &self.root {
            Root::Top => path.clone(),
            Root::Id(id) => path.clone().anchored_at(id),
        }
    }

    /// The folder that holds this place; none for a root.
    pub fn parent(&self) -> Option<Place> {
        Some(Place { root: self.root.clone(), path: self.path.parent()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.display_path(&self.path))
    }
}

/// `REMOTE:PATH` as typed, or a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// As typed; remotes are matched without regard to case. For a URL the part before the path.
    pub remote: String,
    /// The part after the colon.
    pub place: Place,
    /// The path ends in `/` or is the root: it names a folder, even if the folder does not exist.
    pub folder: bool,
}

impl Address {
    /// Parses an address. None when `text` is a local path: no colon, a slash before the colon, or a first letter that no
    /// remote's name may have.
    ///
    /// # Errors
    /// `Usage` for `..` or an empty id; `Refused` for a name that no remote can hold.
    pub fn parse(text: &str) -> Result<Option<Address>> {
        if let Some(url) = url_place::parse(text)? {
            return match &url.rest {
                None => {
                    let folder = is_folder(&url.path);
                    Ok(Some(Address { remote: url.remote, place: Place::at(RemotePath::parse(&url.path)?), folder }))
                }
                Some(rest) => Address::at(url.remote, rest).map(Some),
            };
        }
        let Some((remote, rest)) = text.split_once(':') else { return Ok(None) };
        if remote.is_empty() || remote.contains(['/', '\\']) || remote == "." {
            return Ok(None);
        }
        if !remote.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            return Ok(None);
        }
        Address::at(remote.to_owned(), rest).map(Some)
    }

    /// `rest` is the text after the colon.
    fn at(remote: String, rest: &str) -> Result<Address> {
        Ok(Address { place: parse_place(rest).map_err(|e| e.with_remote(&remote))?, folder: !names_a_url(rest) && is_folder(rest), remote })
    }

    /// A remote and a path in the form to type: `REMOTE:PATH`, or a URL.
    pub fn text(remote: &str, path: impl fmt::Display) -> String {
        PlaceText { remote, path }.to_string()
    }

    /// True for a place that is a URL and needs no configured remote.
    pub fn is_url(&self) -> bool {
        is_url(&self.remote)
    }

    /// Parses the address of a remote; `studio` and `studio:` are the same here.
    ///
    /// # Errors
    /// `Usage` when the text is no remote's address; otherwise those of [`Address::parse`].
    pub fn parse_remote(text: &str) -> Result<Address> {
        let with_colon = if text.contains(':') { text.to_owned() } else { format!("{text}:") };
        Address::parse(&with_colon)?.ok_or_else(|| {
            Error::new(Kind::Usage, "this is not a remote address")
                .with_subject(text)
                .with_hint("write REMOTE:PATH; `haul ls` lists the remotes")
        })
    }
}

fn is_folder(path: &str) -> bool {
    path.is_empty() || path.ends_with('/') || path.ends_with("/.")
}

/// An id that is a URL (the address of a TUS upload) takes the whole text after `@`: its slashes do not separate names.
fn names_a_url(rest: &str) -> bool {
    rest.starts_with("@https://") || rest.starts_with("@http://")
}

fn parse_place(rest: &str) -> Result<Place> {
    let Some(after) = rest.strip_prefix('@') else { return Ok(Place::at(RemotePath::parse(rest)?)) };
    let (id, path) = if names_a_url(rest) { (after, "") } else { after.split_once('/').unwrap_or((after, "")) };
    if id.is_empty() {
        return Err(Error::new(Kind::Usage, "there is no id after \"@\"")
            .with_subject(rest)
            .with_hint("a name that begins with @ is written with a leading slash: REMOTE:/@name"));
    }
    check_name(id)?;
    Ok(Place { root: Root::Id(id.to_owned()), path: RemotePath::parse(path)?.anchored_at(id) })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PlaceText { remote: &self.remote, path: &self.place }.fmt(f)
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
    fn an_id_that_is_a_url_is_taken_whole() {
        for url in ["https://h.example:8443/files/a%2Fb?x=1//2", "http://127.0.0.1:9/f/1/"] {
            let address = Address::parse(&format!("tus:@{url}")).unwrap().unwrap();
            assert_eq!(address.place, Place { root: Root::Id(url.to_owned()), path: RemotePath::root() });
            assert_eq!((address.to_string(), address.folder), (format!("tus:@{url}"), false));
        }
        assert_eq!(Address::parse("tus:@https://h\r\nx").unwrap_err().kind(), Kind::Refused);
    }

    #[test]
    fn a_path_below_an_id_says_so_wherever_it_goes() {
        let place = Address::parse("work:@home:3d76/Docs").unwrap().unwrap().place;
        let file = place.path.join("a").unwrap();
        assert_eq!(
            (file.to_string(), serde_json::to_string(&file).unwrap()),
            ("@home:3d76/Docs/a".into(), r#""/@home:3d76/Docs/a""#.into())
        );
        let top = place.path.parent().unwrap();
        assert_eq!((top.to_string(), serde_json::to_string(&top).unwrap()), ("@home:3d76".into(), r#""/@home:3d76""#.into()));
        assert_eq!(file.below(&place.path).unwrap().to_string(), "/a");
        assert_eq!(top.join_path(&RemotePath::parse("/x").unwrap()).to_string(), "@home:3d76/x");
    }

    #[test]
    fn local_paths_with_a_colon() {
        assert!(Address::parse("./a:b").unwrap().is_none());
        assert!(Address::parse("/x/a:b").unwrap().is_none());
        assert!(Address::parse("plain").unwrap().is_none());
    }

    #[test]
    fn a_folder_is_reported_by_its_slash() {
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
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn paths_hold_names_only(text in arbitrary::text(), name in arbitrary::text()) {
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
        fn an_address_that_is_shown_can_be_typed(text in arbitrary::text(), remote in "[a-z.]{1,5}") {
            match Address::parse(&format!("{remote}:{text}")) {
                Ok(Some(address)) => {
                    let again = Address::parse(&address.to_string()).unwrap().unwrap();
                    // A first name that begins with `@` is written with a slash before it.
                    prop_assert_eq!(again.place, address.place);
                }
                Ok(None) => {}
                Err(error) => arbitrary::assert_escaped(&error.to_string()),
            }
        }
    }
}
