//! Stops the deletions of a sync before the first deletion: where FROM is empty, where a part of FROM can't be read, and where more
//! files would be deleted than the user can have meant.

use crate::error::{Error, Kind, Result};

/// The number of names in a message.
const NAMES: usize = 3;

/// The facts that are known before the first deletion.
pub(super) struct Guard<'a> {
    /// FROM as typed; `to`: TO as typed.
    pub from: &'a str,
    pub to: &'a str,
    /// The number of files at FROM that the filter takes.
    pub from_files: u64,
    /// The number of files at TO that the filter takes.
    pub to_files: u64,
    /// `--max-delete`
    pub most: Option<u64>,
    /// A file was sent or moved, or may have been.
    pub has_begun: bool,
}

impl Guard<'_> {
    /// Checks the deletion of the files `names` at TO. Fails with `Refused` where FROM has no file, and where there are more names
    /// than allowed.
    pub fn check(&self, names: &[String]) -> Result<()> {
        let many = names.len() as u64;
        if many == 0 {
            return Ok(());
        }
        let Guard { from, to, from_files, to_files, most, has_begun } = self;
        let nothing = if *has_begun { "nothing was deleted" } else { "nothing was done" };
        let doomed = format!("{} would be deleted ({})", files(many), display_names(names));
        if *from_files == 0 {
            return Err(Error::new(Kind::Refused, format!("{from} holds no file, and at {to} {doomed}; {nothing}"))
                .with_hint("check that the source is there (a disk that is not mounted?)"));
        }
        let limit = most.unwrap_or(to_files / 2);
        if many <= limit {
            return Ok(());
        }
        let than = match most {
            Some(most) => format!("--max-delete {most}"),
            None => format!("half of the {} there", files(*to_files)),
        };
        Err(Error::new(Kind::Refused, format!("at {to} {doomed}, more than {than}; {nothing}"))
            .with_hint(format!("if you want that, add --max-delete {many}")))
    }
}

/// Checks that all of FROM could be read. Fails with `Refused` for any unread part: files of TO would look as if FROM lacked these files.
/// `doomed`: the files that would be deleted.
pub(super) fn check_complete(from: &str, unread: &[String], doomed: &[String]) -> Result<()> {
    if unread.is_empty() {
        return Ok(());
    }
    let places = if unread.len() == 1 { "1 folder".to_owned() } else { format!("{} folders", unread.len()) };
    let stays = match doomed.len() as u64 {
        0 => String::new(),
        many => format!(": {} {} ({})", files(many), if many == 1 { "stays" } else { "stay" }, display_names(doomed)),
    };
    let why = format!("{places} of {from} can't be read ({}), so nothing was deleted{stays}", display_names(unread));
    Err(Error::new(Kind::Refused, why).with_hint("make the source readable, then run the same command again"))
}

fn files(many: u64) -> String {
    if many == 1 { "1 file".to_owned() } else { format!("{many} files") }
}

/// Returns the first names as a text, such as `a, b, c, …`.
pub(super) fn display_names(names: &[String]) -> String {
    let more = if names.len() > NAMES { ", …" } else { "" };
    format!("{}{more}", names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from_files: u64, to_files: u64, most: Option<u64>, many: usize) -> Result<(), String> {
        let names: Vec<String> = (0..many).map(|n| format!("f{n}")).collect();
        let guard = Guard { from: "src", to: "r:/in", from_files, to_files, most, has_begun: false };
        guard.check(&names).map_err(|e| {
            assert_eq!(e.kind(), Kind::Refused);
            e.to_string()
        })
    }

    #[test]
    fn more_than_half_and_more_than_the_limit() {
        for (from, to, most, many) in [(1, 10, None, 5), (1, 10, Some(9), 9), (0, 10, None, 0), (1, 1, Some(1), 1), (1, 2, None, 1)] {
            assert_eq!(check(from, to, most, many), Ok(()), "{from} {to} {most:?} {many}");
        }
        for (from, to, most, many) in [(1, 10, None, 6), (1, 10, Some(0), 1), (0, 10, Some(10), 1), (1, 1, None, 1), (1, 3, None, 2)] {
            assert!(check(from, to, most, many).is_err(), "{from} {to} {most:?} {many}");
        }
        let text = check(4, 10, None, 6).unwrap_err();
        assert!(text.contains("6 files would be deleted (f0, f1, f2, …), more than half of the 10 files there"), "{text}");
        assert!(text.contains("--max-delete 6"), "{text}");
        let text = check(4, 10, Some(2), 3).unwrap_err();
        assert!(text.contains("3 files would be deleted (f0, f1, f2), more than --max-delete 2"), "{text}");
        let text = check(0, 10, Some(99), 1).unwrap_err();
        assert!(text.contains("src holds no file") && text.contains("1 file would be deleted (f0)"), "{text}");
    }

    #[test]
    fn an_unreadable_part_stops_deletions() {
        let unread = ["src/secret".to_owned()];
        assert!(check_complete("src", &[], &["a".to_owned()]).is_ok());
        let text = check_complete("src", &unread, &["a".to_owned(), "b".to_owned()]).unwrap_err().to_string();
        assert!(text.contains("1 folder of src can't be read (src/secret), so nothing was deleted: 2 files stay (a, b)"), "{text}");
    }
}
