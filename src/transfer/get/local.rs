//! The local side of a download: which names may stand here, and folders that are entered only when they are real ones.
//! Names come from servers; nothing may lead out of the folder that the user named.

use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::transfer::download::open_folder::{LocalFolder, display_path};
use crate::transfer::download::part_file::is_reserved;

/// `LOCAL` as the user typed it, and what it turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// Each source lands in it under its own name.
    Folder(PathBuf),
    /// The one file's new name, in that folder.
    File(PathBuf, String),
}

impl Local {
    /// `as_folder`: the sources need a folder, whatever is there. Fails with `Exists` when a file is in the way of it.
    pub fn of(typed: &str, as_folder: bool) -> Result<Local> {
        let path = Path::new(typed);
        let there = std::fs::metadata(path).ok();
        let says_folder = typed.ends_with(['/', std::path::MAIN_SEPARATOR]) || path.file_name().is_none();
        match there {
            Some(meta) if meta.is_dir() => return Ok(Local::Folder(path.to_owned())),
            Some(_) if as_folder || says_folder => {
                return Err(Error::new(Kind::Exists, "a file is in the way of the folder").with_subject(typed));
            }
            None if as_folder || says_folder => return Ok(Local::Folder(path.to_owned())),
            _ => {}
        }
        // A link that the user names is followed: its target is meant, and the part lies beside that.
        let path = if path.is_symlink() { std::fs::canonicalize(path).map_err(|_| broken_link_error(path))? } else { path.to_owned() };
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::new(Kind::Refused, "this name is not UTF-8").with_subject(typed))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Local::File(parent.to_owned(), check_name(name)?.to_owned()))
    }

    pub fn folder(&self) -> &Path {
        match self {
            Local::Folder(path) | Local::File(path, _) => path,
        }
    }
}

/// The folder `below` the user's own; `make`: with what is missing of it. Fails with `Refused` where a link leads away, and
/// with `Exists` where a file is in the way.
pub fn create_dirs_safely(top: &LocalFolder, below: &[String], make: bool) -> Result<LocalFolder> {
    below.iter().try_fold(top.clone(), |here, name| here.enter(check_name(name)?, make))
}

/// Refuses a name that would leave its folder, or that this system can't hold.
pub fn check_name(name: &str) -> Result<&str> {
    let why = if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        Some("it would lead out of its folder")
    } else if is_reserved(name) {
        Some("downloads in progress have such names")
    } else if cfg!(windows) {
        unfit_for_windows(name)
    } else {
        None
    };
    match why {
        None => Ok(name),
        Some(why) => Err(Error::new(Kind::Refused, format!("no file here can have the name {name:?}: {why}"))
            .with_hint("fetch it under another name: haul get REMOTE:@ID NAME")),
    }
}

/// Separators and streams, device names with any extension, and what Windows strips from the end of a name.
fn unfit_for_windows(name: &str) -> Option<&'static str> {
    const DEVICES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    if name.contains(['\\', ':', '<', '>', '"', '|', '?', '*']) || name.chars().any(|c| c.is_ascii_control()) {
        return Some("it holds a character that Windows keeps for itself");
    }
    if name.ends_with(['.', ' ']) {
        return Some("Windows takes dots and blanks from its end");
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let is_port = port.is_some_and(|number| matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"));
    (is_port || DEVICES.contains(&stem.as_str())).then_some("it names a device")
}

fn broken_link_error(path: &Path) -> Error {
    Error::new(Kind::Refused, "this symbolic link leads nowhere").on_local(display_path(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_lead_away() {
        for name in ["", ".", "..", "a/b", "/etc/passwd", "../x", "a\0b", ".x.haul-part", ".x.haul-part.json"] {
            assert_eq!(check_name(name).unwrap_err().kind(), Kind::Refused, "{name:?}");
        }
        for name in ["a", "...", ".hidden", "größe ✓.mov", "-rf", "a\nb", "C:"] {
            assert!(check_name(name).is_ok() || cfg!(windows), "{name:?}");
        }
    }

    #[test]
    fn names_that_windows_keeps_for_itself() {
        for name in ["CON", "con.txt", "nul .tar.gz", "Com1", "LPT9.x", "com¹", "a:b", "C:", "a\\b", "x.", "x ", "a\x1b", "what?"] {
            assert!(unfit_for_windows(name).is_some(), "{name:?}");
        }
        for name in ["console", "com", "com10", "lpt", "nullable.txt", "a.con", ".x", "ü"] {
            assert!(unfit_for_windows(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn what_local_means() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(at("file"), "").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        let of = |name: &str, as_folder| Local::of(&at(name), as_folder);
        let file = |name: &str| Local::File(dir.path().to_owned(), name.to_owned());
        assert_eq!(of("file", false).unwrap(), file("file"));
        assert_eq!(of("new", false).unwrap(), file("new"));
        assert_eq!(of("new", true).unwrap(), Local::Folder(at("new").into()));
        assert_eq!(of("new/", false).unwrap(), Local::Folder(at("new/").into()));
        assert_eq!(of("folder", false).unwrap(), Local::Folder(at("folder").into()));
        assert_eq!(of("file", true).unwrap_err().kind(), Kind::Exists);
        assert_eq!(Local::of("new", false).unwrap(), Local::File(".".into(), "new".to_owned()));
        assert_eq!(Local::of(".", false).unwrap(), Local::Folder(".".into()));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
            std::os::unix::fs::symlink(at("nowhere"), at("broken")).unwrap();
            let real = std::fs::canonicalize(dir.path()).unwrap();
            assert_eq!(of("link", false).unwrap(), Local::File(real, "file".to_owned()));
            assert_eq!(of("broken", false).unwrap_err().kind(), Kind::Refused);
        }
    }

    #[test]
    fn no_name_leads_out_of_the_top() {
        let dir = tempfile::tempdir().unwrap();
        let top = LocalFolder::open(&dir.path().join("top"), true).unwrap();
        let below = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert!(create_dirs_safely(&top, &below(&["c", "d"]), true).unwrap().is_open() && dir.path().join("top/c/d").is_dir());
        for names in [&["..", "x"], &["c", ".."], &["c/../..", "x"], &["/", "x"]] {
            assert_eq!(create_dirs_safely(&top, &below(names), true).unwrap_err().kind(), Kind::Refused, "{names:?}");
        }
        assert!(!dir.path().join("x").exists());
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
        fn a_name_stays_in_its_folder(name in arbitrary::text()) {
            match check_name(&name) {
                Ok(name) => {
                    prop_assert!(!name.contains(['/', '\0']) && !matches!(name, "" | "." | ".."));
                    let path = Path::new("/top").join(name);
                    prop_assert_eq!(path.parent(), Some(Path::new("/top")));
                    prop_assert!(Path::new(name).is_relative());
                }
                Err(error) => arbitrary::assert_escaped(&error.to_string()),
            }
        }

        #[test]
        fn windows_names_hold_nothing_of_its_own(name in arbitrary::text()) {
            if unfit_for_windows(&name).is_none() {
                prop_assert!(!name.contains(['\\', ':', '*', '?', '\n']) && !name.ends_with(['.', ' ']));
            }
        }
    }
}
