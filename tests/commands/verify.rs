//! `haul verify`.

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::remotes::hosts;

#[test]
fn a_receipt_can_be_verified_later() {
    for remote in hosts() {
        let env = TestEnv::new();
        for (name, content) in [("a.txt", "one"), ("b.txt", "two"), ("c.txt", "three")] {
            env.home.file(&format!("d/{name}"), content);
        }
        env.home.run(&["put", "--receipt", "r.jsonl", "d/", &format!("{remote}:/r")]).ends_with(0);
        let text = std::fs::read_to_string(env.home.file("touch", "").with_file_name("r.jsonl")).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        for key in ["source", "remote", "path", "id", "size", "md5", "protocol", "verified", "finished", "seconds", "tries"] {
            assert!(lines.iter().all(|l| !l[key].is_null()), "{remote}: {key} is missing in {text}");
        }
        let same = env.home.run(&["verify", "--json", "r.jsonl"]).ends_with(0).events("verify");
        assert!(same.len() == 3 && same.iter().all(|v| v["status"] == "same"), "{remote}: {same:?}");

        env.home.file("d/b.txt", "TWO!");
        if remote != "iogates" {
            env.home.run(&["put", "d/b.txt", &format!("{remote}:/r/")]).ends_with(0);
            let after = env.home.run(&["verify", "--json", "r.jsonl"]).ends_with(9).events("verify");
            let status = |path: &str| after.iter().find(|v| v["path"] == path).unwrap()["status"].clone();
            assert_eq!((status("/r/a.txt"), status("/r/b.txt")), ("same".into(), "changed".into()), "{remote}");
        }
    }
}

#[test]
fn a_file_below_an_id_is_looked_for_there() {
    let env = TestEnv::new();
    env.home.file("b.txt", "two");
    env.home.run(&["mkdir", "giga0:/deep"]).ends_with(0);
    let id = env.home.run(&["stat", "--json", "giga0:/deep"]).events("entry")[0]["id"].as_str().unwrap().to_owned();
    let target = format!("giga0:@{id}/r/");
    env.home.run(&["put", "--receipt", "r.jsonl", "b.txt", &target]).ends_with(0);
    let verify = || env.home.run(&["verify", "--json", "r.jsonl"]).events("verify")[0].clone();
    assert_eq!((&verify()["status"], &verify()["path"]), (&"same".into(), &format!("/@{id}/r/b.txt").into()));
    env.home.file("b.txt", "TWO!");
    env.home.run(&["put", "b.txt", &target]).ends_with(0);
    assert_eq!(verify()["status"], "changed", "another entry has its place");
}

#[test]
fn bad_receipts_are_refused() {
    let env = TestEnv::new();
    env.home.file("d/a.txt", "x");
    env.home.file("bad", "{\"schema\":1}\n");
    env.home.run(&["verify", "nope"]).ends_with(3);
    env.home.run(&["verify", "bad"]).ends_with(2).says("line 1");
    env.home.run(&["put", "--receipt", "no/such/folder", "d/a.txt", "giga0:/"]).ends_with(12);
    assert!(env.arrivals("giga0").is_empty(), "nothing is sent when the receipt can't be written");
}
