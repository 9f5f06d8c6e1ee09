//! `haul comments`.

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::stand_ins::StandIns;

/// A film of 25 frames a second at `/cut/a.mov`, and a text beside it.
fn cinema() -> TestEnv {
    let env = TestEnv::with_share_link();
    env.home.file("a.mov", "film");
    env.home.file("n.txt", "text");
    env.home.run(&["put", "-q", "a.mov", "n.txt", "iogates:/cut/"]).ends_with(0);
    env
}

fn list_comments(env: &TestEnv, file: &str) -> Vec<Value> {
    env.home.run(&["comments", "--json", file]).ends_with(0).events("comments")
}

#[test]
fn a_comment_is_added_answered_changed_and_removed() {
    let env = cinema();
    let film = "iogates:/cut/a.mov";
    let first = env.home.run(&["comments", "add", film, "--json", "--at", "00:00:12:05", "--to", "15", "--text", "wrong\ntake"]);
    let first = first.ends_with(0).events("comments").remove(0);
    assert_eq!((&first["timecode"], &first["timecode_out"]), (&"00:00:12:05".into(), &"00:00:15:00".into()));
    assert_eq!(
        (&first["source_timecode"], &first["text"], &first["path"]),
        (&"00:00:12:05".into(), &"wrong\ntake".into(), &"/cut/a.mov".into())
    );
    assert_eq!(first["times"], serde_json::json!([{"start_ms": 12_200, "end_ms": 15_000}]));
    let id = first["id"].as_str().unwrap();

    let answer = env.home.run_with_input(&["comments", "add", film, "--json", "--parent", id, "--text", "-"], b"no, right\n");
    let answer = answer.ends_with(0).events("comments").remove(0);
    assert_eq!((&answer["parent"], &answer["text"], &answer["timecode"]), (&id.into(), &"no, right".into(), &Value::Null));

    env.home.run(&["comments", "edit", film, id, "--text", "odd take"]).ends_with(0);
    let there = list_comments(&env, film);
    assert_eq!(there, env.home.run(&["comments", "list", "--json", film]).ends_with(0).events("comments"));
    assert_eq!(there.len(), 2);
    assert_eq!(
        (&there[0]["text"], &there[0]["timecode"], &there[0]["timecode_out"]),
        (&"odd take".into(), &"00:00:12:05".into(), &"00:00:15:00".into())
    );
    env.home.run(&["comments", "edit", film, id, "--at", "1ms"]).ends_with(0);
    assert_eq!(list_comments(&env, film)[0]["times"], serde_json::json!([{"start_ms": 1, "end_ms": null}]));
    let shown = env.home.run(&["comments", film]).ends_with(0).stdout;
    assert!(shown.starts_with("00:00:00:00  Ann Example  ") && shown.contains(&format!("@{id}\n    odd take\n-  Ann")), "{shown}");

    let removed = env.home.run(&["comments", "rm", "--json", film, id]).ends_with(0).events("comments");
    assert_eq!((&removed[0]["id"], &removed[0]["removed"]), (&id.into(), &true.into()));
    assert_eq!(list_comments(&env, film).len(), 1);
    env.home.run(&["comments", "rm", film, id]).ends_with(3).says("this file has no comment");
    env.home.run(&["comments", "edit", film, id, "--text", "x"]).ends_with(3);
    env.home.run(&["comments", "add", film, "--parent", id, "--text", "x"]).ends_with(3);
    assert_eq!(list_comments(&env, film).len(), 1);
}

#[test]
fn the_timecode_of_the_source() {
    let env = cinema();
    env.home.run(&["comments", "add", "iogates:/cut/a.mov", "--at", "12.2", "--text", "x"]).ends_with(0);
    for (source, fps, offset, label, there) in [
        ("10:00:00:00", 25.0, 0, "00:00:12:05", "10:00:12:05"),
        ("10:00:00:00", 25.0, 36_000_000, "00:00:12:05", "10:00:12:05"),
        ("00:00:00:00", 50.0, -200, "00:00:12:10", "00:00:12:00"),
        ("01:00:00:00", 23.976, 1_000, "00:00:12:04", "01:00:13:04"),
    ] {
        env.sandbox.iogates().set(|s| s.timecode = (source.to_owned(), fps, offset));
        let comment = list_comments(&env, "iogates:/cut/a.mov").remove(0);
        assert_eq!((&comment["timecode"], &comment["source_timecode"]), (&label.into(), &there.into()), "{source} {fps} {offset}");
    }
}

#[test]
fn what_is_no_film_has_no_timecode() {
    let env = cinema();
    let text = "iogates:/cut/n.txt";
    env.home.run(&["comments", "add", text, "--at", "00:00:01:00", "--text", "x"]).ends_with(2).says("no frames");
    env.home.run(&["comments", "add", text, "--at", "1", "--text", "x"]).ends_with(0);
    let comment = list_comments(&env, text).remove(0);
    assert_eq!((&comment["timecode"], &comment["source_timecode"]), (&Value::Null, &Value::Null));
    assert_eq!(comment["times"][0]["start_ms"], 1000);
}

#[test]
fn after_a_lost_answer_no_comment_is_added_twice() {
    let env = cinema();
    let film = "iogates:/cut/a.mov";
    env.script("iogates/comment:answer-lost");
    env.home.run(&["comments", "add", film, "--text", "once"]).ends_with(0);
    assert!(env.sandbox.faults().remaining().is_empty());
    let there = list_comments(&env, film);
    assert_eq!(there.len(), 1);
    assert_eq!(env.request_count("iogates", "comment"), 1);
    env.script("iogates/comment:500");
    env.home.run(&["comments", "add", film, "--text", "twice tried"]).ends_with(0);
    assert_eq!(list_comments(&env, film).len(), 2);
    env.script("iogates/comment:answer-lost");
    env.home.run(&["comments", "rm", film, there[0]["id"].as_str().unwrap()]).ends_with(0);
    assert_eq!(list_comments(&env, film).len(), 1);
    env.script("iogates:map-as-list iogates:ids-as-strings iogates/comments:429=0");
    assert_eq!(list_comments(&env, film).len(), 1);
    assert!(list_comments(&env, "iogates:/cut/n.txt").is_empty());
}

#[test]
fn bad_input_is_reported_before_anything_is_sent() {
    let env = cinema();
    let before = env.sandbox.counts().all_requests("iogates");
    let film = "iogates:/cut/a.mov";
    let run = |args: &[&str]| env.home.run(&[&["comments"], args].concat());
    run(&[]).ends_with(2);
    run(&["add", film]).ends_with(2);
    run(&["add", film, "--text", " "]).ends_with(2).says("needs some text");
    run(&["add", film, "--text", "x", "--at", "noon"]).ends_with(2).says("this is no time");
    run(&["add", film, "--text", "x", "--at", "00:00:01;00"]).ends_with(2).says("drop-frame");
    run(&["add", film, "--text", "x", "--to", "3"]).ends_with(2);
    run(&["edit", film, "7"]).ends_with(2);
    run(&["iogates:"]).ends_with(2).says("only files have comments");
    run(&["nowhere:/x"]).ends_with(3);
    run(&["giga0:/x"]).ends_with(10).says("ioGates can");
    run(&["rm", "fileago:/x", "7"]).ends_with(10);
    assert_eq!(env.sandbox.counts().all_requests("iogates"), before);
    run(&["iogates:/cut"]).ends_with(2).says("only files have comments");
    run(&["iogates:/cut/none.mov"]).ends_with(3);
    run(&["add", film, "--text", "x", "--at", "3", "--to", "2"]).ends_with(2).says("--to lies before --at");
    run(&["add", film, "--text", "x", "--at", "00:00:00:25"]).ends_with(2).says("no frame 25");
    assert!(list_comments(&env, film).is_empty());
}
