//! The features that a server announces (FEAT, RFC 2389).

use super::reply::Reply;

/// The lines of the answer, in upper case.
#[derive(Clone, Debug, Default)]
pub struct Features(Vec<String>);

impl Features {
    /// A server that refuses the command has no features.
    pub fn from_reply(reply: &Reply) -> Features {
        let lines = reply.text.lines().filter(|_| reply.is_done());
        // The first and the last line belong to the reply itself.
        Features(lines.map(|line| line.trim().to_ascii_uppercase()).filter(|line| !line.starts_with("211")).collect())
    }

    /// True if `feature` is a whole line.
    pub fn has(&self, feature: &str) -> bool {
        self.0.iter().any(|line| line == feature)
    }

    /// True if the command is announced, with any arguments.
    pub fn knows(&self, command: &str) -> bool {
        self.0.iter().any(|line| line.split([' ', ';']).next() == Some(command))
    }

    /// RFC 3659, 7.8: MLST announces MLSD with it.
    pub fn lists_facts(&self) -> bool {
        self.knows("MLST") || self.knows("MLSD")
    }

    /// The command for the MD5 of a file, best first; none of them is a standard (providers.md 6.6).
    pub fn md5_command(&self) -> Option<&'static str> {
        if self.hash_has_md5() {
            return Some("HASH");
        }
        let of_its_own = ["XMD5", "MD5"].into_iter().find(|command| self.knows(command));
        of_its_own.or_else(|| self.has("SITE MD5").then_some("SITE MD5"))
    }

    /// `HASH SHA-256;SHA-1*;MD5`: the algorithms, the one in use with a star (draft-bryan-ftpext-hash).
    fn hash_has_md5(&self) -> bool {
        self.hashes().any(|name| name.trim_end_matches('*') == "MD5")
    }

    /// True if HASH uses another algorithm until MD5 is selected.
    pub fn must_choose_md5(&self) -> bool {
        self.hash_has_md5() && !self.hashes().any(|name| name == "MD5*")
    }

    fn hashes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|line| line.strip_prefix("HASH ")).flat_map(|names| names.split(';')).map(str::trim)
    }

    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_a_word_or_a_line() {
        let text = "211-Features:\r\n MDTM\r\n MFMT\r\n MLST modify*;size*;\r\n REST STREAM\r\n XMD5 path;start;end\r\n211 End";
        let features = Features::from_reply(&Reply { code: 211, text: text.to_owned() });
        assert!(features.knows("MFMT") && features.has("REST STREAM") && features.lists_facts());
        assert!(!features.knows("REST STREAM") && !features.knows("FEATURES") && !features.has("SIZE"));
        assert_eq!(features.md5_command(), Some("XMD5"));
        let hashes = |line: &str| {
            let features = Features::from_reply(&Reply { code: 211, text: format!("211-Features:\r\n {line}\r\n XMD5\r\n211 End") });
            (features.md5_command(), features.must_choose_md5())
        };
        assert_eq!(hashes("HASH SHA-256*;SHA-1;MD5"), (Some("HASH"), true));
        assert_eq!(hashes("hash sha-1;md5*;crc32"), (Some("HASH"), false));
        assert_eq!(hashes("HASH SHA-256*"), (Some("XMD5"), false));
        let refused = Features::from_reply(&Reply { code: 500, text: "500 MLST unknown".to_owned() });
        assert!(!refused.lists_facts() && refused.lines().is_empty());
    }
}
