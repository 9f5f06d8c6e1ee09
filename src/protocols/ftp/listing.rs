//! Listings of folders: MLSD if the server supports it, else the lines of LIST (RFC 3659, 7; RFC 959).

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use chrono::{DateTime, NaiveDateTime, Utc};
use suppaftp::list::{File, ListParser};

use super::pool::FtpPool;
use super::reading::{open_reading, read_lines};
use super::reply::Reply;
use crate::error::{Error, Kind, Result};
use crate::model::escape::shorten;
use crate::protocols::lenient_json::digits;

const WORDS_SHOWN: usize = 120;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteKind {
    File,
    Folder,
    /// A symbolic link, and its target if the server reports it.
    Link(Option<String>),
}

/// One row of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    pub name: String,
    pub kind: RemoteKind,
    /// Bytes.
    pub size: Option<u64>,
    pub modified: Option<DateTime<Utc>>,
}

/// Lists `folder` (empty: the folder of the sign-in). `each` gets a row, or the name of an unreadable row if the name is known.
/// Fails with `NotFound` for a path that is no folder or that the server can't open, and with `Protocol` and the first line for a listing in an unknown form.
pub async fn list(
    pool: &Arc<FtpPool>,
    folder: &str,
    mut each: impl FnMut(std::result::Result<ListedFile, Option<String>>) -> Result<()>,
) -> Result<()> {
    let has_facts = pool.features().await?.lists_facts();
    let (verb, parse): (&str, fn(&str) -> ParsedRow) = if has_facts { ("MLSD", parse_facts) } else { ("LIST", parse_line) };
    let command = if folder.is_empty() { verb.to_owned() } else { format!("{verb} {}", unmistakable(folder)) };
    let reading = open_reading(pool, &command, 0, "the listing").await?;
    let own_name = folder.rsplit('/').next().filter(|name| !has_facts && !name.is_empty());
    let (mut has_read, mut first_unread, mut rows, mut names_itself) = (false, None::<String>, 0_usize, false);
    read_lines(reading.lines(), |line| {
        let Ok(text) = std::str::from_utf8(line) else { return each(Err(None)) };
        match parse(text) {
            ParsedRow::Of(file) => {
                (has_read, rows) = (true, rows + 1);
                names_itself = file.kind == RemoteKind::Folder && own_name == Some(file.name.as_str());
                each(Ok(file))
            }
            ParsedRow::Nothing => {
                has_read = true;
                Ok(())
            }
            ParsedRow::Unread(name) => {
                first_unread.get_or_insert_with(|| text.to_owned());
                each(Err(name))
            }
        }
    })
    .await?;
    // vsftpd answers for a folder that it can't open as for a file: with the row of the folder itself, and success.
    if let Some(name) = own_name.filter(|_| names_itself && rows == 1)
        && !pool.has_folder(&format!("{folder}/{name}")).await?
    {
        return Err(Error::new(Kind::NotFound, "the server lists the folder itself in place of its content"));
    }
    match first_unread {
        Some(line) if !has_read => {
            let why = anyhow::anyhow!("its first line is {:?}", shorten(&line, WORDS_SHOWN));
            Err(Error::new(Kind::Protocol, "the server's listing has a form that is not known").with_cause(why))
        }
        _ => Ok(()),
    }
}

/// The entry at `path`, by MLST. None: the server does not know that command, does not answer it, or answers in a form of its own.
pub async fn stat(pool: &Arc<FtpPool>, path: &str) -> Result<Option<Option<ListedFile>>> {
    pool.features().await?;
    if !pool.behaviour.tries_mlst() {
        return Ok(None);
    }
    let Some(reply) = pool.query_mlst(path).await? else { return Ok(None) };
    match reply.code {
        550 | 450 => Ok(Some(None)),
        _ if reply.is_done() => {
            let last = path.rsplit('/').next().unwrap_or(path).to_owned();
            // The server may return a whole path as the name.
            Ok(row_in(&reply).map(|file| Some(ListedFile { name: last, ..file })))
        }
        400..=499 => Err(pool.with_server_name(reply.refusal("the question for a file"))),
        _ => Ok(None),
    }
}

/// Reads the answer to MLST. The row is on its own line, which begins with a blank; some servers leave the blank out.
pub(super) fn row_in(reply: &Reply) -> Option<ListedFile> {
    reply.text.lines().filter(|line| !line.starts_with("250")).find_map(|line| match parse_facts(line.trim_start()) {
        ParsedRow::Of(file) => Some(file),
        ParsedRow::Nothing | ParsedRow::Unread(_) => None,
    })
}

/// Many servers would read a name that begins with a hyphen as options.
fn unmistakable(path: &str) -> String {
    if path.starts_with('-') { format!("./{path}") } else { path.to_owned() }
}

enum ParsedRow {
    Of(ListedFile),
    /// A line that is no entry: a total, the folder itself.
    Nothing,
    /// The name of the row, if it can be read.
    Unread(Option<String>),
}

/// `modify=20261126201500;size=12;type=file; name` (RFC 3659, 7.2).
fn parse_facts(line: &str) -> ParsedRow {
    if line.trim().is_empty() {
        return ParsedRow::Nothing;
    }
    let Some((facts, name)) = line.split_once(' ') else { return ParsedRow::Unread(None) };
    let fact = |key: &str| {
        facts.split(';').filter_map(|fact| fact.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    };
    let kind = fact("type").unwrap_or_default().to_owned();
    let kind = match kind.to_ascii_lowercase().as_str() {
        "cdir" | "pdir" => return ParsedRow::Nothing,
        "dir" => RemoteKind::Folder,
        "file" => RemoteKind::File,
        // The type may be left out (RFC 3659, 7.5).
        "" if fact("sizd").is_some() => RemoteKind::Folder,
        "" if fact("size").is_some() => RemoteKind::File,
        other if other.starts_with("os.unix=slink") || other.starts_with("os.unix=symlink") => {
            RemoteKind::Link(kind.split_once(':').map(|(_, target)| target.to_owned()))
        }
        // A device or a socket.
        other if other.starts_with("os.") => return ParsedRow::Unread(Some(name.to_owned())),
        _ => return ParsedRow::Unread(Some(name.to_owned())),
    };
    if name.is_empty() {
        return ParsedRow::Unread(None);
    }
    if matches!(name, "." | "..") {
        return ParsedRow::Nothing;
    }
    let size = if kind == RemoteKind::File { fact("size").and_then(digits) } else { None };
    ParsedRow::Of(ListedFile { name: name.to_owned(), kind, size, modified: fact("modify").and_then(time_of) })
}

/// `YYYYMMDDHHMMSS`, perhaps with a fraction, in UTC.
pub fn time_of(text: &str) -> Option<DateTime<Utc>> {
    let whole = text.trim().get(..14)?;
    NaiveDateTime::parse_from_str(whole, "%Y%m%d%H%M%S").ok().map(|time| time.and_utc())
}

/// A line in the form of `ls -l`, or of DIR.
fn parse_line(line: &str) -> ParsedRow {
    if line.trim().is_empty() || is_total(line) {
        return ParsedRow::Nothing;
    }
    // suppaftp parses the three kinds that have bytes, but not the marks of an ACL and of SELinux.
    let plain = without_mark(line);
    let (file, blanks) = match ListParser::parse_posix(&plain) {
        Ok(file) => {
            let blanks = blanks_before(&plain, file.name());
            (file, blanks)
        }
        Err(_) => match ListParser::parse_dos(line) {
            Ok(file) => (file, 0),
            Err(_) => return ParsedRow::Unread(None),
        },
    };
    if matches!(file.name(), "." | "..") && blanks == 0 {
        return ParsedRow::Nothing;
    }
    let row = row_of(&file);
    ParsedRow::Of(ListedFile { name: format!("{}{}", " ".repeat(blanks), row.name), ..row })
}

/// The number of blanks at the start of the name. One blank separates the name from the time; suppaftp drops all of them.
fn blanks_before(line: &str, name: &str) -> usize {
    let head = line.strip_suffix(name).unwrap_or_default();
    (head.len() - head.trim_end_matches(' ').len()).saturating_sub(1)
}

fn is_total(line: &str) -> bool {
    line.trim_start().strip_prefix("total ").is_some_and(|number| number.trim().bytes().all(|byte| byte.is_ascii_digit()))
}

/// Removes the last character of `-rw-r--r--+` and `-rw-r--r--.`.
fn without_mark(line: &str) -> String {
    match line.as_bytes().get(10) {
        Some(b'+' | b'.' | b'@') => format!("{}{}", line.get(..10).unwrap_or_default(), line.get(11..).unwrap_or_default()),
        _ => line.to_owned(),
    }
}

fn row_of(file: &File) -> ListedFile {
    let kind = match () {
        () if file.is_symlink() => RemoteKind::Link(file.symlink().map(|target| target.display().to_string())),
        () if file.is_directory() => RemoteKind::Folder,
        () => RemoteKind::File,
    };
    let seconds = file.modified().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    ListedFile {
        name: file.name().to_owned(),
        size: (kind == RemoteKind::File).then_some(file.size() as u64),
        modified: seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(row: ParsedRow) -> Option<(String, RemoteKind, Option<u64>)> {
        match row {
            ParsedRow::Of(file) => Some((file.name, file.kind, file.size)),
            _ => None,
        }
    }

    #[test]
    fn facts_of_real_servers() {
        let file = |name: &str, size| Some((name.to_owned(), RemoteKind::File, Some(size)));
        assert_eq!(read(parse_facts("modify=20261126201500;perm=adfr;size=12;type=file;unique=801U; a b.txt")), file("a b.txt", 12));
        assert_eq!(read(parse_facts("Type=file;Size=0;Modify=20261126201500.123; ü")), file("ü", 0));
        assert_eq!(read(parse_facts("type=dir;sizd=4096;modify=20261126201500; in")), Some(("in".to_owned(), RemoteKind::Folder, None)));
        let link = RemoteKind::Link(Some("../b".to_owned()));
        assert_eq!(read(parse_facts("type=OS.unix=slink:../b;size=3; l")), Some(("l".to_owned(), link, None)));
        assert!(matches!(parse_facts("type=cdir;modify=20261126201500; /in"), ParsedRow::Nothing));
        assert!(matches!(parse_facts("type=pdir; .."), ParsedRow::Nothing));
        assert!(matches!(parse_facts("size=3;type=OS.unix=chr-1/3; null"), ParsedRow::Unread(Some(name)) if name == "null"));
        assert!(matches!(parse_facts("type=OS.unix=socket;size=0; s"), ParsedRow::Unread(Some(name)) if name == "s"));
        assert_eq!(read(parse_facts("SIZE=7;MODIFY=20261126201500;  two blanks")), file(" two blanks", 7));
        assert_eq!(read(parse_facts("sizd=4096; in")), Some(("in".to_owned(), RemoteKind::Folder, None)));
        assert!(matches!(parse_facts("<html>"), ParsedRow::Unread(None)));
    }

    #[test]
    fn lines_of_real_servers() {
        let file = |name: &str, size| Some((name.to_owned(), RemoteKind::File, Some(size)));
        assert_eq!(read(parse_line("-rw-------    1 1000     1000         4096 Nov 26 19:33 a b.bin")), file("a b.bin", 4096));
        assert_eq!(read(parse_line("-rw-r--r--+   1 ftp      ftp    5000000000 Nov 26  2025 big")), file("big", 5_000_000_000));
        assert_eq!(
            read(parse_line("drwxr-xr-x    2 0        0            4096 Jan 01 00:00 in")),
            Some(("in".to_owned(), RemoteKind::Folder, None))
        );
        let link = RemoteKind::Link(Some("/etc/passwd".to_owned()));
        assert_eq!(
            read(parse_line("lrwxrwxrwx    1 0        0              11 Jan 01 00:00 l -> /etc/passwd")),
            Some(("l".to_owned(), link, None))
        );
        assert_eq!(read(parse_line("-rw-------    1 1000     1000            6 Nov 26 19:33   blank")), file("  blank", 6));
        assert_eq!(read(parse_line("11-26-26  07:33PM                 4096 a.bin")), file("a.bin", 4096));
        assert_eq!(read(parse_line("11-26-26  07:33PM       <DIR>          in")), Some(("in".to_owned(), RemoteKind::Folder, None)));
        assert!(matches!(parse_line("total 12"), ParsedRow::Nothing));
        assert!(matches!(parse_line("somebody's own form"), ParsedRow::Unread(None)));
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(time_of("20261126201500.5").unwrap().to_rfc3339(), "2026-11-26T20:15:00+00:00");
        assert_eq!((time_of("2026"), time_of("20269926201500"), time_of("ü0261126201500")), (None, None, None));
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
        fn any_line_is_a_row_or_none(line in arbitrary::text(), facts in "[a-zA-Z=;:. 0-9/-]{0,40}") {
            for line in [line, facts] {
                for row in [parse_facts(&line), parse_line(&line)] {
                    if let ParsedRow::Of(file) = row {
                        prop_assert!(!file.name.is_empty() && file.name != ".." && file.name != ".");
                    }
                }
            }
        }
    }
}
