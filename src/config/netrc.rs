//! `~/.netrc`: users and passwords for hosts, in the file that ftp, curl and git also read.

use std::path::Path;

use super::private_file;
use crate::error::Result;
use crate::model::Secret;

/// What the file contains for one host.
#[derive(Debug, Default, PartialEq)]
pub(super) struct NetrcEntry {
    pub login: Option<String>,
    pub password: Option<Secret>,
}

/// The host of an entry.
#[derive(Debug, PartialEq)]
enum Machine {
    Named(String),
    Default,
}

/// Returns the first entry of `host`, and of `user` if one is given. Also none when there is no such file. Fails with `Usage`
/// when other users may read the password that was found.
pub(super) fn find(path: &Path, host: &str, user: Option<&str>, or_default: bool) -> Result<Option<NetrcEntry>> {
    let Some(file) = private_file::read(path)? else { return Ok(None) };
    let is_ours = |machine: &Machine| match machine {
        Machine::Named(name) => name.eq_ignore_ascii_case(host),
        Machine::Default => or_default,
    };
    let is_user = |entry: &NetrcEntry| user.is_none() || entry.login.is_none() || entry.login.as_deref() == user;
    let found = parse(&file.text).into_iter().find(|(machine, entry)| is_ours(machine) && is_user(entry)).map(|(_, entry)| entry);
    if file.open_to_others && found.as_ref().is_some_and(|entry| entry.password.is_some()) {
        return Err(private_file::too_open(path));
    }
    Ok(found)
}

fn parse(text: &str) -> Vec<(Machine, NetrcEntry)> {
    let mut entries: Vec<(Machine, NetrcEntry)> = Vec::new();
    let mut words = Words { rest: text, begins_line: true };
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" => entries.extend(words.next().map(|name| (Machine::Named(name), NetrcEntry::default()))),
            "default" => entries.push((Machine::Default, NetrcEntry::default())),
            "macdef" => words.pass_macro(),
            key @ ("login" | "user" | "password" | "account") => {
                let Some(value) = words.next() else { break };
                match (entries.last_mut(), key) {
                    (Some((_, entry)), "login" | "user") => entry.login = Some(value),
                    (Some((_, entry)), "password") => entry.password = Some(Secret::new(value)),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    entries
}

/// Words between blanks. A word in double quotes may contain blanks, and a backslash there escapes the next character.
struct Words<'a> {
    rest: &'a str,
    begins_line: bool,
}

impl Words<'_> {
    fn next(&mut self) -> Option<String> {
        loop {
            let word = self.rest.trim_start();
            let blanks = self.rest.len() - word.len();
            self.begins_line |= self.rest.get(..blanks).is_some_and(|blanks| blanks.contains('\n'));
            self.rest = word;
            // Only at the begin of a line: elsewhere `#` may begin a password.
            match word.strip_prefix('#').filter(|_| self.begins_line) {
                Some(comment) => self.rest = comment.find('\n').map_or("", |end| comment.get(end..).unwrap_or_default()),
                None => break,
            }
        }
        self.begins_line = false;
        if let Some(quoted) = self.rest.strip_prefix('"') {
            return Some(self.read_quoted(quoted));
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    fn read_quoted(&mut self, text: &str) -> String {
        let (mut word, mut chars) = (String::new(), text.char_indices());
        let mut end = text.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => word.extend(chars.next().map(|(_, c)| match c {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    c => c,
                })),
                c => word.push(c),
            }
        }
        self.rest = self.rest.get(1 + end..).unwrap_or_default();
        word
    }

    /// Skips a macro of ftp, which ends with an empty line.
    fn pass_macro(&mut self) {
        self.begins_line = true;
        self.rest = self.rest.split_once("\n\n").map_or("", |(_, below)| below);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::error::Kind;

    const TEXT: &str = "# all of it\nmachine ftp.example login ann password s3cret-a\n\
        machine ftp.example\n\tlogin bob\n\taccount x password \"s3cret \\\"b\\\\\"\n\
        macdef init\ncd /x\nmachine no.example login n password n\n\n\
        machine ftp.example login #carl password #s3cret\n\
        default login anonymous password me@home\nmachine late.example";

    fn entry(login: &str, password: &str) -> Option<NetrcEntry> {
        Some(NetrcEntry { login: Some(login.to_owned()), password: Some(Secret::new(password)) })
    }

    #[test]
    fn the_entry_of_a_host_and_user_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("netrc");
        let of = |host: &str, user: Option<&str>, or_default| find(&path, host, user, or_default).unwrap();
        assert_eq!(of("ftp.example", None, true), None, "there is no file");
        std::fs::write(&path, TEXT).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(of("FTP.example", None, true), entry("ann", "s3cret-a"));
        assert_eq!(of("ftp.example", Some("bob"), true), entry("bob", "s3cret \"b\\"));
        assert_eq!(of("ftp.example", Some("#carl"), true), entry("#carl", "#s3cret"));
        assert_eq!(of("no.example", None, false), None, "what stands in a macro is none");
        assert_eq!(of("other.example", None, true), entry("anonymous", "me@home"));
        assert_eq!(of("other.example", None, false), None);
        assert_eq!(of("other.example", Some("ann"), true), None);
    }

    #[test]
    fn a_password_that_others_may_read_is_refused_and_the_rest_is_nobodys_business() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("netrc");
        std::fs::write(&path, TEXT).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = find(&path, "ftp.example", None, true).unwrap_err();
        assert!(error.kind() == Kind::Usage && error.to_string().contains("chmod 600"), "{error}");
        assert_eq!(find(&path, "other.example", None, false).unwrap(), None);
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
        fn any_text_is_read_to_its_end(text in prop_oneof![arbitrary::text(), "(machine |login |password |default|macdef |\"|\\\\|#|\n| |a){0,30}"]) {
            // Word by word, because a password that `parse` finds would be masked in the texts of all other tests.
            let mut words = Words { rest: &text, begins_line: true };
            while let Some(word) = words.next() {
                if word == "macdef" {
                    words.pass_macro();
                }
            }
            assert_eq!(words.rest, "");
        }
    }
}
