//! `haul apply`: the actions of a plan. `sync/plans.rs` has more tests.

use crate::support::env::TestEnv;

#[test]
fn a_dry_run_of_a_plan_does_nothing() {
    let env = TestEnv::new();
    for name in ["a", "b", "old"] {
        env.home.file(&format!("src/{name}"), name);
    }
    env.home.run(&["sync", "src", "fileago:/t"]).ends_with(0);
    std::fs::remove_file(env.path("src/old")).unwrap();
    env.home.file("src/new", "new");
    env.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", "fileago:/t"]).ends_with(0);
    let before = env.there("fileago:/t");
    let ran = env.json(&["apply", "-n", "p.jsonl"]).ends_with(0);
    let mut told: Vec<String> = ran.events("planned").iter().map(|e| format!("{} {}", e["action"], e["path"])).collect();
    told.sort();
    assert_eq!(told, ["\"delete\" \"/t/old\"", "\"upload\" \"/t/new\""]);
    assert_eq!(env.there("fileago:/t"), before);
}
