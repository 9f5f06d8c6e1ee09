//! One page about the delivered files, for people who do not use a terminal. The page needs no other file, no network and no
//! script, and prints well. Names come from other people, so they never become markup.

mod delivered;
mod plot;

use std::fmt::Write;

use chrono::{DateTime, Local, SecondsFormat, Utc};

pub use self::delivered::Delivered;
use crate::model::escape::escape_control;
use crate::model::report::Verified;
use crate::render::text::units;

/// The content of the page.
pub struct Delivery {
    pub title: String,
    pub files: Vec<Delivered>,
    /// Sources that failed; none where no list of them was given. A receipt does not name them.
    pub failed: Option<Vec<String>>,
    /// When the page was made.
    pub made: DateTime<Utc>,
}

const STYLE: &str = include_str!("style.css");

/// The browser loads and runs nothing, whatever a name contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

impl Delivery {
    /// The whole page.
    pub fn html(&self) -> String {
        let mut page = String::with_capacity(4096 + self.files.len() * 600);
        let title = escape(&self.title);
        page.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.push_str(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n"));
        page.push_str(
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n",
        );
        page.push_str(&format!("<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"));
        self.add_facts(&mut page);
        self.add_failures(&mut page);
        if !self.files.is_empty() {
            page.push_str("<section>\n<h2>Throughput</h2>\n");
            page.push_str(&plot::svg(&self.files));
            page.push_str("</section>\n");
            self.add_table(&mut page);
        }
        page.push_str(&format!("<footer>Made by haul {} on {}.</footer>\n</body>\n</html>\n", env!("CARGO_PKG_VERSION"), time(self.made)));
        page
    }

    fn add_facts(&self, page: &mut String) {
        let bytes = self.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        let mut facts = vec![("Files", self.files.len().to_string()), ("Size", size_html(bytes))];
        if let Some((begin, end)) = plot::span(&self.files) {
            facts.push(("From", time(begin)));
            facts.push(("To", time(end)));
            let seconds = (end - begin).as_seconds_f64();
            let rate = if seconds > 0.0 { format!(", {}", units::rate(bytes as f64 / seconds)) } else { String::new() };
            facts.push(("In all", format!("{}{rate}", units::span(seconds))));
        }
        let by = |wanted| self.files.iter().filter(|file| file.verified == wanted).count();
        let verified = [(Verified::Md5, "by MD5"), (Verified::Size, "by size"), (Verified::None, "not at all")];
        let verified: Vec<String> =
            verified.iter().filter(|(how, _)| by(*how) > 0).map(|(how, words)| format!("{} {words}", by(*how))).collect();
        if !verified.is_empty() {
            facts.push(("Verified", verified.join(", ")));
        }
        match self.failed.as_deref() {
            None => {}
            Some([]) => facts.push(("Failed", "none".to_owned())),
            Some(failed) => facts.push(("Failed", format!("<strong class=\"bad\">{}</strong>", failed.len()))),
        }
        page.push_str("<dl>\n");
        for (name, value) in facts {
            let _ = writeln!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
        page.push_str("</dl>\n");
    }

    fn add_failures(&self, page: &mut String) {
        let Some(failed) = self.failed.as_deref().filter(|failed| !failed.is_empty()) else { return };
        page.push_str("<section class=\"failures\">\n<h2>Failed</h2>\n<ul>\n");
        for source in failed {
            let _ = writeln!(page, "<li>{}</li>", name(source));
        }
        page.push_str("</ul>\n</section>\n");
    }

    fn add_table(&self, page: &mut String) {
        page.push_str("<section>\n<h2>Files</h2>\n<table>\n<thead><tr><th>File</th><th>Delivered to</th><th>Size</th>");
        page.push_str("<th>Checksum</th><th>Verified</th><th>Protocol</th><th>Finished</th><th>Took</th><th>Rate</th><th>Tries</th></tr></thead>\n<tbody>\n");
        for file in &self.files {
            page.push_str(&row(file));
        }
        page.push_str("</tbody>\n</table>\n</section>\n");
    }
}

fn row(file: &Delivered) -> String {
    let md5 = file.md5.as_deref().map_or_else(|| "–".to_owned(), |md5| format!("<code>{}</code>", escape(md5)));
    let (verified, class) = match file.verified {
        Verified::Md5 => ("MD5 compared", "good"),
        Verified::Size => ("size compared", "fair"),
        Verified::None => ("not verified", "bad"),
    };
    let rate = if file.seconds > 0.0 { units::rate(file.size as f64 / file.seconds) } else { "–".to_owned() };
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td><td>{md5}</td><td class=\"{class}\">{verified}</td><td>{}</td>\
         <td>{}</td><td class=\"number\">{}</td><td class=\"number\">{rate}</td><td class=\"number\">{}</td></tr>\n",
        name(&file.source),
        name(&file.place),
        size_html(file.size),
        file.protocol.name(),
        time(file.finished),
        units::span(file.seconds),
        file.tries
    )
}

/// `<span title="3650722201 bytes">3.4 GiB</span>`
fn size_html(bytes: u64) -> String {
    format!("<span title=\"{bytes} bytes\">{}</span>", units::size(bytes))
}

/// In the local time zone, with its offset.
fn time(time: DateTime<Utc>) -> String {
    let local = time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z");
    format!("<time datetime=\"{}\">{local}</time>", time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Isolates the text direction of a name from the text around it.
fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(text))
}

/// Escapes text: control characters become visible, and nothing is markup, also within an attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in escape_control(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::delivered::testing::file;
    use super::*;

    fn page(files: Vec<Delivered>, failed: &[&str]) -> String {
        let failed = Some(failed.iter().map(|name| (*name).to_owned()).collect());
        Delivery { title: "Monday <1>".into(), files, failed, made: DateTime::from_timestamp(1_790_000_100, 0).unwrap() }.html()
    }

    #[test]
    fn nothing_is_said_of_failures_that_nobody_listed() {
        let delivery = Delivery { title: "t".into(), files: vec![file("a", 1, 1, 1.0)], failed: None, made: DateTime::UNIX_EPOCH };
        assert!(!delivery.html().contains("Failed"));
    }

    #[test]
    fn all_that_a_receipt_tells_is_there() {
        let html =
            page(vec![file("a.mov", 2048, 10, 2.0), Delivered { verified: Verified::None, md5: None, ..file("b.mov", 10, 20, 0.0) }], &[]);
        for words in [
            "<title>Monday &lt;1&gt;</title>",
            "<dt>Files</dt><dd>2</dd>",
            "<bdi>a.mov</bdi></td><td><bdi>studio:/in/a.mov</bdi>",
            "<span title=\"2048 bytes\">2.0 KiB</span>",
            "<code>900150983cd24fb0d6963f7d28e17f72</code>",
            "<td class=\"good\">MD5 compared</td><td>tus</td>",
            "<td class=\"bad\">not verified</td>",
            "<dd>1 by MD5, 1 not at all</dd>",
            "<dt>Failed</dt><dd>none</dd>",
            "1.0 KiB/s",
            "<svg",
        ] {
            assert!(html.contains(words), "{words} is not in {html}");
        }
    }

    /// No part of a name is markup, and nothing is loaded.
    #[test]
    fn names_are_text_and_nothing_is_loaded() {
        let evil = "\"><script>alert(1)</script><img src=x onerror='y'>&amp;\u{202e}\u{7}\n.mov";
        let html = page(vec![file(evil, 1, 0, 1.0)], &[evil]);
        assert_eq!(
            html.matches("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;y&#39;&gt;&amp;amp;").count(),
            3
        );
        for tag in ["<script", "<img", "<link", "<iframe", "<a ", "@import"] {
            assert!(!html.contains(tag), "{tag}");
        }
        assert!(!html.contains(['\u{202e}', '\u{7}']) && html.contains("\\u{202e}\\u{7}\\n.mov"));
        assert!(html.contains("default-src 'none'"));
        let addresses: Vec<&str> = html.match_indices("http").map(|(at, _)| html.get(at..at + 11).unwrap()).collect();
        assert!(addresses.iter().all(|at| *at == "http-equiv="), "{addresses:?}");
        assert!(!html.contains("url("));
    }

    #[test]
    fn a_page_without_files_has_the_failures() {
        let html = page(Vec::new(), &["x.mov"]);
        assert!(html.contains("<li><bdi>x.mov</bdi></li>") && html.contains("<strong class=\"bad\">1</strong>"), "{html}");
        assert!(!html.contains("<svg") && !html.contains("<table"));
    }
}
