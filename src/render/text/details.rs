//! Output of several lines, a field on each: an account, an entry, a remote.

use chrono::Local;
use serde_json::{Map, Value};

use crate::model::escape::escape_control;
use crate::model::report::{CommentLine, RemoteLine};
use crate::model::{Account, Entry, EntryKind};
use crate::render::style::Style;
use crate::render::text::columns::bar;
use crate::render::text::phrases::{address, bytes};
use crate::render::text::units;

/// Columns of the bar that shows how full an account is.
const QUOTA_BAR: usize = 20;

/// A title, and below it the known fields, with their values in one column.
struct Details {
    title: String,
    fields: Vec<(String, String)>,
}

impl Details {
    fn new(title: String) -> Details {
        Details { title, fields: Vec::new() }
    }

    fn field(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.fields.push((escape_control(name).into_owned(), escape_control(value.as_ref()).into_owned()));
        }
    }

    fn extra(&mut self, fields: &Map<String, Value>) {
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            self.field(name, Some(plain_text(value)));
        }
    }

    fn text(self) -> String {
        let width = self.fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let lines = self.fields.iter().map(|(name, value)| format!("\n  {name:<width$}  {value}"));
        std::iter::once(self.title).chain(lines).collect()
    }
}

/// A provider's field as text: `Scene 4, Take two words`, `upload true, comments false`.
fn plain_text(value: &Value) -> String {
    let joined = |parts: Vec<String>, by: &str| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(by);
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // For an object in a list the values of its fields are joined; an object alone shows each field with its name.
        Value::Array(items) => {
            let one = |item: &Value| match item {
                Value::Object(fields) => joined(fields.values().map(plain_text).collect(), " "),
                item => plain_text(item),
            };
            joined(items.iter().map(one).collect(), ", ")
        }
        Value::Object(fields) => joined(fields.iter().map(|(name, value)| format!("{name} {}", plain_text(value))).collect(), ", "),
        other => other.to_string(),
    }
}

pub(crate) fn about(remote: &str, provider: &str, account: &Account, style: &Style) -> String {
    let shown = |size: Option<u64>| size.map(|size| bytes(size, style));
    let quota = match (shown(account.quota.used), shown(account.quota.total)) {
        (Some(used), Some(total)) => Some(format!("{used} of {total} used")),
        (Some(used), None) => Some(format!("{used} used")),
        (None, total) => total.map(|total| format!("{total} in all")),
    };
    let free = shown(account.quota.free).map(|free| format!("{free} free"));
    let mut quota: Vec<String> = quota.into_iter().chain(free).collect();
    if let (true, Some(used), Some(total @ 1..)) = (style.terminal.out, account.quota.used, account.quota.total) {
        let (full, empty) = bar(used, Some(total), QUOTA_BAR);
        let percent = u128::from(used.min(total)) * 100 / u128::from(total);
        quota = vec![format!("{full}{empty} {percent}%  {}", quota.join(", "))];
    }
    let protocols: Vec<&str> = account.protocols.iter().map(|protocol| protocol.name()).collect();

    let mut block = Details::new(format!("{} ({provider})", escape_control(remote)));
    block.field("account", account.account.as_ref());
    block.field("package", account.package.as_ref());
    block.field("quota", (!quota.is_empty()).then(|| quota.join(", ")));
    block.field("one file", shown(account.limits.file_size).map(|size| format!("{size} at most")));
    block.field("at once", account.limits.uploads_at_once.map(|most| format!("{} at most", units::count(most as u64, "upload"))));
    block.field("at once", account.limits.downloads_at_once.map(|most| format!("{} at most", units::count(most as u64, "download"))));
    block.field("uploads", (account.limits.may_upload == Some(false)).then_some("not allowed"));
    block.field("downloads", (account.limits.may_download == Some(false)).then_some("not allowed"));
    block.field("protocols", (!protocols.is_empty()).then(|| protocols.join(", ")));
    block.extra(&account.extra);
    for warning in &account.warnings {
        block.field("warning", Some(warning));
    }
    block.text()
}

pub(crate) fn entry(remote: &str, entry: &Entry, style: &Style) -> String {
    let size = entry.size.map(|size| match style.exact {
        true => size.to_string(),
        false => format!("{} ({size} bytes)", units::size(size)),
    });
    let mut block = Details::new(address(remote, &entry.path));
    block.field("kind", Some(if entry.kind == EntryKind::File { "file" } else { "folder" }));
    block.field("size", size);
    block.field("modified", entry.modified.map(|time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z").to_string()));
    block.field("id", Some(&entry.id));
    block.field("md5", entry.md5.as_ref());
    block.field("url", entry.url.as_ref());
    block.extra(&entry.extra);
    block.text()
}

pub(crate) fn remote(remote: &RemoteLine) -> String {
    let mut block = Details::new(escape_control(&remote.name).into_owned());
    block.field("provider", Some(&remote.provider));
    block.field("url", remote.url.as_ref());
    block.field("origin", Some(&remote.origin));
    let told = ["provider", "url"];
    block.extra(&remote.settings.iter().filter(|(name, _)| !told.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect());
    block.text()
}

/// `00:00:12:05  ann  2020-07-07 10:14  @61007` and the text below it, with its line breaks. If the source has its own
/// timecode, that is shown too.
pub(crate) fn comment(comment: &CommentLine) -> String {
    // A file without a frame rate has milliseconds only.
    let first = comment.times.first();
    let (start, end) = match &comment.timecode {
        Some(start) => (Some(start.clone()), comment.timecode_out.clone()),
        None => (first.map(|span| clock(span.start_ms)), first.and_then(|span| span.end_ms).map(clock)),
    };
    let mut time = start.unwrap_or_else(|| "-".to_owned());
    if let Some(end) = end {
        time.push_str(&format!(" to {end}"));
    }
    if let Some(source) = comment.source_timecode.as_ref().filter(|source| comment.timecode.as_ref() != Some(source)) {
        time.push_str(&format!(" (source {source})"));
    }
    let owner = comment.owner.as_deref().unwrap_or("?");
    let created = units::moment(comment.created, &Local);
    let removed = if comment.removed { "  (removed)" } else { "" };
    let text: Vec<String> = comment.text.lines().map(|line| format!("    {}", escape_control(line))).collect();
    let parent = comment.parent.as_ref().map(|id| format!("  answers @{}", escape_control(id))).unwrap_or_default();
    format!(
        "{}  {}  {created}  @{}{parent}{removed}\n{}",
        escape_control(&time),
        escape_control(owner),
        escape_control(&comment.id),
        text.join("\n")
    )
}

/// `01:12.200`, with hours before it if there are any: the form that `--at` takes.
fn clock(millis: i64) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes:02}:{seconds:02}.{millis:03}"),
        hours => format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing;

    #[test]
    fn an_entry_with_all_its_fields() {
        let mut file = testing::entry();
        file.modified = None;
        file.md5 = Some(testing::MD5.into());
        assert_eq!(
            entry("studio", &file, &Style::default()),
            "studio:/in/a.mov\n  kind   file\n  size   3.4 GiB (3650722201 bytes)\n  id     77\n  md5    \
             900150983cd24fb0d6963f7d28e17f72\n  url    https://studio.example/77\n  views  3"
        );
    }

    #[test]
    fn a_comment_with_its_places() {
        let mut line = testing::comment();
        line.text = "wrong\nt\u{1b}ake".into();
        assert_eq!(comment(&line), "00:00:12:05 to 00:00:15:00 (source 10:00:12:05)  ann  -  @12\n    wrong\n    t\\u{1b}ake");
        (line.timecode_out, line.source_timecode) = (None, line.timecode.clone());
        (line.parent, line.removed, line.text) = (Some("11".into()), true, String::new());
        assert_eq!(comment(&line), "00:00:12:05  ann  -  @12  answers @11  (removed)\n");
        line.timecode = None;
        line.source_timecode = None;
        line.times = vec![crate::model::timecode::TimeSpan { start_ms: 72_200, end_ms: Some(3_600_001) }];
        assert!(comment(&line).starts_with("01:12.200 to 01:00:00.001  ann"), "{}", comment(&line));
        line.times = Vec::new();
        assert!(comment(&line).starts_with("-  ann"));
    }

    #[test]
    fn a_remote_without_its_secrets() {
        assert_eq!(
            remote(&testing::remote()),
            "studio\n  provider  iogates\n  url       https://iogates.com\n  origin    file\n  password  ***\n  username  ann"
        );
    }

    #[test]
    fn a_providers_own_fields_are_words() {
        let told = |json: &str| plain_text(&serde_json::from_str(json).unwrap());
        assert_eq!(told(r#"[{"name":"Scene","value":4},{"name":"Take","value":"two words"}]"#), "Scene 4, Take two words");
        assert_eq!(told(r#"{"upload":true,"comments":false}"#), "upload true, comments false");
        assert_eq!(told(r#"["a",null,2]"#), "a, 2");
    }

    #[test]
    fn a_quota_is_drawn_where_a_person_looks() {
        let mut terminal = Style::default();
        terminal.terminal.out = true;
        let text = about("studio", "iogates", &testing::account(), &terminal);
        assert!(text.contains("  quota      ━━╸───────────────── 12%  12.0 GiB of 100.0 GiB used, 88.0 GiB free\n"), "{text}");
    }

    #[test]
    fn an_account_that_tells_little() {
        let mut account = Account::default();
        assert_eq!(about("x", "giga0", &account, &Style::default()), "x (giga0)");
        account.limits.may_upload = Some(false);
        account.quota.used = Some(2048);
        let exact = Style { exact: true, ..Style::default() };
        assert_eq!(about("x", "giga0", &account, &exact), "x (giga0)\n  quota    2048 used\n  uploads  not allowed");
    }
}
