//! A value without quotes is the usual mistake in a TOML file. The parser reports it as a wrong number or key; haul says what to
//! write.

/// What is wrong at `at` (in bytes), and the line to write.
pub(super) struct Unquoted {
    pub at: usize,
    pub message: String,
    pub hint: String,
}

/// The keys of a remote whose values haul may repeat: a value of any other key may be a secret, or contain one.
const PLAIN_KEYS: &[&str] = &["provider", "protocol", "insecure", "username"];
/// A value of several words or lines is not repeated.
const MAX_SHOWN: usize = 40;

/// Looks at the line of a syntax error. None: there is no value without quotes in the line.
pub(super) fn find(text: &str, error_at: usize) -> Option<Unquoted> {
    let line_start = text.get(..error_at)?.rfind('\n').map_or(0, |n| n + 1);
    let line = text.get(line_start..)?.lines().next()?;
    let before = line.get(..error_at - line_start)?;
    // The keys of a table in one line: `studio = { provider = iogates }`.
    let (start, is_inline) = before.rfind('{').map_or((0, false), |brace| (before.rfind(',').map_or(brace, |n| n.max(brace)) + 1, true));
    let (key, value) = line.get(start..)?.split_once('=')?;
    let (name, value_start) = (key.trim(), start + key.len() + 1);
    let key = name.rsplit('.').next().unwrap_or_default().trim().trim_matches('"');
    if name.is_empty() || !key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)) {
        return None;
    }
    let typed = value.trim_start();
    let at = line_start + value_start + (value.len() - typed.len());
    if let Some(items) = typed.strip_prefix('[') {
        return find_in_list(items, error_at.checked_sub(at + 1)?).then(|| Unquoted {
            at: error_at,
            message: format!("a text in the list of `{key}` is not in quotes"),
            hint: format!("write `{name} = [\"…\", \"…\"]`"),
        });
    }
    let end = if is_inline { typed.find([',', '}', '#']) } else { typed.find(" #") };
    let word = typed.get(..end.unwrap_or(typed.len()))?.trim();
    // The value begins with a quote or opens a table: something else is wrong. A value that is missing has no word.
    if word.is_empty() || word.starts_with(['"', '\'', '{', '#']) || error_at < at {
        return None;
    }
    let hint = match truth(key, word) {
        Some(truth) => format!("write `{name} = {truth}`"),
        None if may_be_shown(text.get(..line_start)?, key, word) => format!("write `{name} = \"{word}\"`"),
        None => format!("write `{name} = \"…\"`, with the value between the quotes"),
    };
    Some(Unquoted { at, message: format!("the value of `{key}` is not in quotes"), hint })
}

/// Does a word without quotes begin at `error_at` in the list?
fn find_in_list(items: &str, error_at: usize) -> bool {
    let (before, after) = (items.get(..error_at).unwrap_or_default(), items.get(error_at..).unwrap_or_default());
    let is_at_item = before.trim_end().is_empty() || before.trim_end().ends_with(',');
    is_at_item && after.starts_with(|c: char| !c.is_whitespace() && !"\"'[]{},#".contains(c))
}

/// `True` and `yes` are usual in other files.
fn truth(key: &str, word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        "yes" | "on" if key == "insecure" => Some(true),
        "no" | "off" if key == "insecure" => Some(false),
        _ => None,
    }
}

fn may_be_shown(above: &str, key: &str, word: &str) -> bool {
    let section = above.lines().rev().map(str::trim).find(|line| line.starts_with('[')).unwrap_or_default();
    let is_option = section.trim_end_matches(|c| c != ']') == "[defaults]";
    let is_word = word.len() <= MAX_SHOWN && word.chars().all(|c| c.is_alphanumeric() || "_-.@/+".contains(c));
    is_word && (is_option || PLAIN_KEYS.contains(&key))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::file::{CONFIG, parse};

    fn error_text(text: &str) -> String {
        parse(Path::new("c.toml"), text, CONFIG).err().unwrap_or_else(|| panic!("{text}")).to_string()
    }

    #[test]
    fn a_word_without_quotes_is_told_with_what_to_write() {
        for (line, says) in [
            ("provider = iogates", "column 12: the value of `provider` is not in quotes; write `provider = \"iogates\"`"),
            ("provider=ftp # mine", "column 10: the value of `provider` is not in quotes; write `provider = \"ftp\"`"),
            ("provider = giga0", "column 12: the value of `provider` is not in quotes; write `provider = \"giga0\"`"),
            ("provider = nan-store", "column 12: the value of `provider` is not in quotes; write `provider = \"nan-store\"`"),
            ("provider = true-store", "column 12: the value of `provider` is not in quotes; write `provider = \"true-store\"`"),
            ("username = ann@example.org", "column 12: the value of `username` is not in quotes; write `username = \"ann@example.org\"`"),
            ("username = 007", "column 12: the value of `username` is not in quotes; write `username = \"007\"`"),
            ("insecure = yes", "column 12: the value of `insecure` is not in quotes; write `insecure = true`"),
            ("insecure = False", "column 12: the value of `insecure` is not in quotes; write `insecure = false`"),
        ] {
            assert_eq!(error_text(&format!("[remotes.a]\n{line}\nurl = \"x\"\n")), format!("c.toml, line 2, {says}"), "{line}");
        }
        let says = "c.toml, line 2, column 12: the value of `progress` is not in quotes; write `progress = \"plain\"`";
        assert_eq!(error_text("[defaults]\nprogress = plain\n"), says);
        let says = "c.toml, line 2, column 18: the value of `provider` is not in quotes; write `provider = \"iogates\"`";
        assert_eq!(error_text("[remotes]\na = { provider = iogates, url = \"x\" }\n"), says);
        let says = "c.toml, line 2, column 23: a text in the list of `exclude` is not in quotes; write `exclude = [\"…\", \"…\"]`";
        assert_eq!(error_text("[defaults]\nexclude = [\"*.tmp\",   .DS_Store]\n"), says);
        assert_eq!(error_text("[defaults]\nexclude = [*.tmp]\n"), says.replace("23", "12"));
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_not_repeated() {
        for line in [
            "password = hunter22",
            "password = 22hunter # old",
            "token=hunter22",
            "url = https://ann:hunter22@host/",
            "password_command = pass show hunter22",
            "providr = hunter22",
            "username = ann hunter22",
            "headers = hunter22=x",
        ] {
            let told = error_text(&format!("[remotes.a]\n{line}\n"));
            let key = line.split_once('=').unwrap().0.trim();
            let says = format!("the value of `{key}` is not in quotes; write `{key} = \"…\"`, with the value between the quotes");
            assert!(told.ends_with(&says) && !told.contains("hunter22"), "{told}");
        }
    }

    #[test]
    fn other_mistakes_keep_the_words_of_the_parser() {
        for text in
            ["[remotes.a]\nurl = \"x\n", "[remotes.a]\nurl\n", "[remotes.a\n", "[remotes.a]\nurl = \n", "a = \"x\" y\n", "url = { x\n"]
        {
            let told = error_text(text);
            assert!(!told.contains("quotes"), "{text:?}: {told}");
        }
    }
}
