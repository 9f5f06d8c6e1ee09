//! Rules for the output of every run: no name appears twice in one line, a file of this machine is not shown as a place on a
//! remote, and each JSON line fits the schema.

use serde_json::Value;

use super::events;

/// The errors in the output of a run.
pub fn wrong(stdout: &str, stderr: &str) -> Vec<String> {
    let said = stderr.lines().filter(|line| is_said_twice(line)).map(|line| format!("named twice: {line}"));
    let events = stdout.lines().filter(|line| line.starts_with('{')).filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_events = events.filter(|event| event["event"] == "failed").flat_map(|event| {
        let message = event["error"]["message"].as_str().unwrap_or_default().to_owned();
        let twice = is_said_twice(&message).then(|| format!("named twice: {message}"));
        let remote = event["remote"].as_str().unwrap_or("\0");
        let elsewhere = event["error"]["kind"] == "local" && message.starts_with(&format!("{remote}:/"));
        twice.into_iter().chain(elsewhere.then(|| format!("a local file as a remote's: {message}")))
    });
    said.chain(of_events).chain(events::wrong(stdout)).collect()
}

/// `x: x: why`, `r:/x: /x: why`, `x: y: x: why`, and a hint that is given twice.
fn is_said_twice(line: &str) -> bool {
    let line = line.strip_prefix("haul: ").unwrap_or(line);
    let line = line.strip_prefix("warning: ").unwrap_or(line);
    let parts: Vec<&str> = line.split(": ").map(|part| part.trim_end_matches('/')).collect();
    let is_name = |part: &&str| part.len() > 1 && !part.contains(' ');
    let is_same = |a: &str, b: &str| a == b || (b.starts_with(['/', '@']) && a.strip_suffix(b).is_some_and(|rest| rest.ends_with(':')));
    // The last part is the reason.
    let named = parts.get(..parts.len().saturating_sub(1)).unwrap_or_default();
    let subjects: Vec<&str> = named.iter().copied().filter(is_name).collect();
    let by_name = subjects.iter().enumerate().any(|(at, a)| subjects.iter().skip(at + 1).any(|b| is_same(a, b) || is_same(b, a)));
    let advice: Vec<&str> = line.split("; ").skip(1).collect();
    // A clause that is repeated directly.
    by_name
        || advice.windows(2).any(|two| matches!(two, [a, b] if a == b))
        || parts.windows(2).any(|two| matches!(two, [a, b] if a == b && a.len() > 1))
}

#[test]
fn what_is_named_twice_is_found() {
    for line in [
        "haul: x.txt: x.txt: no",
        "haul: warning: r:/x: /x: no",
        "haul: r:/x: h:80: r:/x/: no",
        "r:/a b: it failed: it failed",
        "work:@12/a: @12/a: no",
        "haul: a: no; look; look",
    ] {
        assert!(is_said_twice(line), "{line}");
    }
    for line in ["haul: a: r:/a: it is there", "haul: r:/x: the server said no: HTTP 403: no", "", ": :", "haul: r:/x: no; look at r:/x"] {
        assert!(!is_said_twice(line), "{line}");
    }
    let local = r#"{"event":"failed","remote":"r","error":{"kind":"local","message":"r:/home/a: no"}}"#;
    assert_eq!(wrong(local, "").len(), 1);
    assert!(wrong(&local.replace("r:/home", "/home"), "haul: /home/a: no").is_empty());
}
