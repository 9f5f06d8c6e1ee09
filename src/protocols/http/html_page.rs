//! A web page in place of a file. Some sites report refusals in this way: a redirect to `/error?e=MESSAGE` or to a sign-in
//! page, or HTTP 200 with HTML (providers.md 2.6).

use reqwest::Url;

use crate::error::{Error, Kind};
use crate::model::escape::shorten;
use crate::protocols::http::excerpt::without_tags;

const WORDS_SHOWN: usize = 200;

/// The last path steps of pages that are no files.
const KNOWN: &[&str] = &["error", "register", "login", "signin", "sign-in", "upgrade"];

#[derive(Debug, PartialEq, Eq)]
pub struct HtmlPage {
    /// The text of the page, in a few words; may be empty.
    pub reason: String,
    /// The server redirected to this page: a refusal, not an accident.
    pub sent: bool,
}

impl HtmlPage {
    /// The page, if this URL is one of the known pages. None if the file itself has that name.
    pub(crate) fn at(url: &Url, file: &str) -> Option<HtmlPage> {
        let last = url.path_segments()?.rfind(|step| !step.is_empty())?.to_ascii_lowercase();
        if last == file.to_ascii_lowercase() {
            return None;
        }
        let stem = last.split('.').next().unwrap_or_default();
        KNOWN
            .contains(&stem)
            .then(|| HtmlPage { reason: refresh_target(url).unwrap_or_else(|| format!("sent to the site's {stem} page")), sent: true })
    }

    pub(crate) fn read(url: &Url, body: &[u8], sent: bool) -> HtmlPage {
        let said = String::from_utf8_lossy(body);
        let reason =
            refresh_target(url).unwrap_or_else(|| if said.contains('<') { visible_text(&said) } else { shorten(&said, WORDS_SHOWN) });
        HtmlPage { reason, sent }
    }

    /// The error for services without a better text: `Refused` after a redirect, else `Protocol`.
    pub fn error(&self) -> Error {
        let kind = if self.sent { Kind::Refused } else { Kind::Protocol };
        self.error_of(kind)
    }

    pub fn error_of(&self, kind: Kind) -> Error {
        let error = Error::new(kind, "the server sent a page in place of the file");
        if self.reason.is_empty() { error } else { error.with_cause(anyhow::anyhow!("{}", self.reason)) }
    }
}

fn refresh_target(url: &Url) -> Option<String> {
    let (_, said) = url.query_pairs().find(|(name, _)| name == "e")?;
    Some(shorten(&said, WORDS_SHOWN)).filter(|said| !said.is_empty())
}

/// The title, else the first visible words.
fn visible_text(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| Some((at + lower.get(at..)?.find('>')? + 1, at + lower.get(at..)?.find("</title")?)));
    let title = title.and_then(|(from, to)| html.get(from..to)).map(|title| shorten(title, WORDS_SHOWN));
    title.filter(|title| !title.is_empty()).unwrap_or_else(|| shorten(&without_tags(html), WORDS_SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn known_pages_and_their_reason() {
        let at = |text: &str| HtmlPage::at(&url(text), "a.mov").map(|page| page.reason);
        assert_eq!(at("https://h/error?e=You+must+wait+30%20seconds").as_deref(), Some("You must wait 30 seconds"));
        assert_eq!(at("https://h/error.html?e=File%20has%20been%20removed.").as_deref(), Some("File has been removed."));
        assert_eq!(at("https://h/site/register.html").as_deref(), Some("sent to the site's register page"));
        assert_eq!(at("https://h/login/").as_deref(), Some("sent to the site's login page"));
        assert_eq!(at("https://fs1.h/2Vv/a.mov?download_token=x"), None);
        assert_eq!(at("https://fs1.h/"), None);
        assert_eq!(HtmlPage::at(&url("https://h/2Vv/Login.html"), "login.html"), None, "the file itself");
    }

    #[test]
    fn what_a_page_says() {
        let read = |body: &str| HtmlPage::read(&url("https://h/x"), body.as_bytes(), false).reason;
        assert_eq!(read("<!DOCTYPE html><html><head><TITLE lang=en> Please\n wait </TITLE>"), "Please wait");
        assert_eq!(read("<html><body><h1>Down</h1> for  <b>maintenance</b>"), "Down for maintenance");
        assert_eq!(read(r#"{"error": "no"}"#), r#"{"error": "no"}"#);
        assert_eq!(read("<title></title>"), "");
        assert_eq!(read("</title><title"), "");
        assert_eq!(read(""), "");
        assert_eq!(read("<title>\x1b[2Jü</title>"), "\\u{1b}[2Jü");
    }

    #[test]
    fn being_sent_there_is_a_refusal() {
        let page = |sent| HtmlPage { reason: "no".into(), sent };
        assert_eq!((page(true).error().kind(), page(false).error().kind()), (Kind::Refused, Kind::Protocol));
        assert_eq!(page(true).error().to_string(), "the server sent a page in place of the file: no");
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
        fn a_page_says_a_few_harmless_words(body in arbitrary::body(&["{}"]), html in arbitrary::text(), address in arbitrary::text(), sent in any::<bool>()) {
            let url = Url::parse("https://h.example/a/").unwrap().join(&address).unwrap_or_else(|_| Url::parse("https://h.example/").unwrap());
            for bytes in [body, html.into_bytes()] {
                arbitrary::assert_error_is_safe(&HtmlPage::read(&url, &bytes, sent).error());
            }
            if let Some(page) = HtmlPage::at(&url, "a.mov") {
                arbitrary::assert_error_is_safe(&page.error());
            }
        }
    }
}
