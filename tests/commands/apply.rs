//! `haul apply`: what a plan says. More of it is in `sync/plans.rs`.

use crate::support::env::Play;

#[test]
fn a_dry_run_of_a_plan_does_nothing() {
    let play = Play::new();
    for name in ["a", "b", "old"] {
        play.home.file(&format!("src/{name}"), name);
    }
    play.home.run(&["sync", "src", "fileago:/t"]).ends_with(0);
    std::fs::remove_file(play.path("src/old")).unwrap();
    play.home.file("src/new", "new");
    play.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", "fileago:/t"]).ends_with(0);
    let before = play.there("fileago:/t");
    let ran = play.json(&["apply", "-n", "p.jsonl"]).ends_with(0);
    let mut told: Vec<String> = ran.events("planned").iter().map(|e| format!("{} {}", e["action"], e["path"])).collect();
    told.sort();
    assert_eq!(told, ["\"delete\" \"/t/old\"", "\"upload\" \"/t/new\""]);
    assert_eq!(play.there("fileago:/t"), before);
}
