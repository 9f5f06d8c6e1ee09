//! `haul du`.

use serde_json::Value;

use crate::support::listed_tree::filled_env;
use crate::support::remotes::hosts_that_change;

#[test]
fn sizes_are_added_up() {
    let env = filled_env();
    for remote in hosts_that_change() {
        let at = format!("{remote}:/in");
        let all = env.home.run(&["du", "--json", &at]).ends_with(0);
        let told: Vec<(&str, u64, u64, u64)> =
            vec![("/in/clips/old", 10_000, 1, 0), ("/in/clips", 14_000, 3, 1), ("/in/empty", 0, 0, 0), ("/in", 14_025, 8, 3)];
        let number = |e: &Value, key: &str| e[key].as_u64().unwrap();
        let events = all.events("du");
        let got: Vec<_> =
            events.iter().map(|e| (e["path"].as_str().unwrap(), number(e, "bytes"), number(e, "files"), number(e, "folders"))).collect();
        assert_eq!(got, told, "{remote}");
        let sum = env.home.run(&["du", "-s", "--bytes", &at]).ends_with(0);
        assert_eq!(sum.stdout.split_whitespace().collect::<Vec<_>>(), ["14025", at.as_str()]);
        let top = env.home.run(&["du", "-d", "1", &at]).ends_with(0);
        let shown: Vec<Vec<&str>> = top.stdout.lines().map(|l| l.split_whitespace().collect()).collect();
        assert_eq!(shown[0], ["13.7", "KiB", &format!("{at}/clips")], "{}", top.stdout);
        assert_eq!(shown.len(), 3);
        // What lies in another is counted once.
        let twice = env.home.run(&["du", "-s", "--json", &format!("{at}/clips"), &at, &format!("{at}/a.mov")]).ends_with(0);
        assert_eq!(twice.events("du").len(), 1);
        assert_eq!(env.home.run(&["du", "--json", &format!("{at}/a.mov")]).ends_with(0).events("du")[0]["bytes"], 5);
    }
    let untold = env.home.run(&["du", "-s", "--json", "iogates:/in"]).ends_with(0).says("tells no size of 8 of these files");
    assert_eq!((&untold.events("du")[0]["bytes"], &untold.events("du")[0]["files"]), (&Value::Null, &8.into()));
    assert_eq!(env.home.run(&["du", "-s", "iogates:/in"]).ends_with(0).stdout.split_whitespace().next(), Some("?"));
    env.home.file("known.txt", "12345");
    env.home.run(&["put", "known.txt", "iogates:/mine/"]).ends_with(0);
    assert_eq!(env.home.run(&["du", "-s", "--json", "iogates:/mine"]).ends_with(0).events("du")[0]["bytes"], 5, "put there from here");
    env.home.run(&["put", "known.txt", "iogates:/in/"]).ends_with(0);
    assert_eq!(env.home.run(&["du", "-s", "--json", "iogates:/in"]).says("size of 8 of these").events("du")[0]["bytes"], 5, "what is told");
    env.home.run(&["du", "-s", "-d", "1", "giga0:"]).ends_with(2);
}
