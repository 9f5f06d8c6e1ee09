//! `haul report`.

use crate::support::env::TestEnv;

/// The text between tags, in order, and the names of the tags: enough of HTML for a page that we write ourselves.
fn parse_html(html: &str) -> (Vec<String>, Vec<String>) {
    let (mut texts, mut tags) = (Vec::new(), Vec::new());
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        if !text.trim().is_empty() {
            texts.push(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&"));
        }
        let (tag, after) = after.split_once('>').expect("a tag that does not end");
        tags.push(tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap().to_owned());
        rest = after;
    }
    (texts, tags)
}

#[test]
fn a_page_shows_what_receipts_and_failures_tell() {
    let env = TestEnv::new();
    let evil = "<img src=x onerror=alert(1)>&\"'.mov";
    for (name, content) in [("a.txt", "one"), (evil, "two"), ("empty", "")] {
        env.home.file(&format!("d/{name}"), content);
    }
    env.home.run(&["put", "--receipt", "r.jsonl", "--failed-to", "failed.txt", "d", "giga0:/"]).ends_with(9);
    // Put again: the last time counts.
    env.home.run(&["put", "--if-exists", "replace", "--receipt", "r2.jsonl", "d/a.txt", "giga0:/d/"]).ends_with(0);
    let told =
        env.home.run(&["report", "r.jsonl", "r2.jsonl", "--failed", "failed.txt", "--title", "Day <1>", "-o", "page.html"]).ends_with(0);
    assert_eq!(told.stdout, "written  page.html  (2 files, 6 B, 1 failed)\n");
    let page = std::fs::read_to_string(env.path("page.html")).unwrap();
    let (texts, tags) = parse_html(&page);
    for text in ["Day <1>", &format!("d/{evil}"), "empty", "MD5 compared", "multipart"] {
        assert!(texts.iter().any(|found| found == text), "{text}: {texts:?}");
    }
    assert_eq!(texts.iter().filter(|text| *text == "giga0:/d/a.txt").count(), 1, "{texts:?}");
    assert!(texts.iter().any(|text| *text == format!("{:x}", md5::compute("two"))));
    for tag in ["script", "img", "a", "link", "iframe", "object"] {
        assert!(!tags.iter().any(|found| found == tag), "{tag}");
    }
    assert_eq!(tags.iter().filter(|tag| *tag == "svg").count(), 2, "opened and closed");
    assert!(page.contains("Content-Security-Policy"));
    // Without a file it goes to standard output, and scripts get an event where it does not.
    assert!(env.home.run(&["report", "r.jsonl"]).ends_with(0).stdout.starts_with("<!DOCTYPE html>"));
    let event = env.home.run(&["report", "--json", "r.jsonl", "-o", "page.html"]).ends_with(0).events("report").remove(0);
    assert_eq!((&event["files"], &event["bytes"], &event["path"]), (&2.into(), &6.into(), &"page.html".into()));
    env.home.run(&["report", "--json", "r.jsonl"]).ends_with(2);
    env.home.run(&["report", "none.jsonl"]).ends_with(3);
    env.home.run(&["report", "page.html"]).ends_with(2).says("line 1");
    env.home.run(&["report", "r.jsonl", "-o", "no/such/page.html"]).ends_with(12);
}
