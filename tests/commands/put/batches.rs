//! One request that makes the entries of many small files.

use std::collections::BTreeMap;

use crate::support::env::{Content, TestEnv};

/// So many files in four folders, whose names repeat in each, and each with its own content.
fn files(env: &TestEnv, number: usize) -> BTreeMap<String, Content> {
    let file = |n: usize| {
        let (name, content) = (format!("d{}/f{:03}.txt", n % 4, n / 4), format!("content {n}"));
        env.home.file(&format!("src/{name}"), &content);
        (format!("/in/{name}"), Content(content.into_bytes()))
    };
    (0..number).map(file).collect()
}

fn put(env: &TestEnv) -> crate::support::command::Ran {
    env.home.run(&["put", "--json", "-v", "src/", "iogates:/in"])
}

#[test]
fn fifty_entries_by_one_request() {
    let env = TestEnv::with_share_link();
    let wanted = files(&env, 120);
    env.script("iogates:answers-mixed");
    put(&env).ends_with(0);
    assert_eq!(env.arrivals("iogates"), wanted);
    // 30 files in each folder: a batch of 50 holds some names twice, which are asked for apart.
    assert_eq!((env.request_count("iogates", "files-create"), env.request_count("iogates", "file-create")), (5, 0));
    assert_eq!(env.sandbox.counts().created_count("iogates"), 120);
}

#[test]
fn one_file_alone_is_made_alone() {
    let env = TestEnv::with_share_link();
    env.home.file("src/a", "a");
    put(&env).ends_with(0);
    assert_eq!((env.request_count("iogates", "files-create"), env.request_count("iogates", "file-create")), (0, 1));
}

#[test]
fn a_lost_answer_is_looked_for_and_nothing_is_made_twice() {
    let env = TestEnv::with_share_link();
    let wanted = files(&env, 40);
    env.script("iogates/files-create:answer-lost");
    put(&env).ends_with(0);
    assert!(env.sandbox.faults().remaining().is_empty());
    assert_eq!(env.arrivals("iogates"), wanted);
    assert_eq!(env.sandbox.counts().created_count("iogates"), 40);
}

#[test]
fn what_was_not_made_is_made_again() {
    for fault in ["500", "html", "429=0", "503=0"] {
        let env = TestEnv::with_share_link();
        let wanted = files(&env, 12);
        env.script(&format!("iogates/files-create:{fault}"));
        put(&env).ends_with(0);
        assert_eq!(env.arrivals("iogates"), wanted, "{fault}");
        assert_eq!(env.sandbox.counts().created_count("iogates"), 12, "{fault}");
    }
}

#[test]
fn a_server_that_makes_no_batches_gets_each_file_alone() {
    let env = TestEnv::with_share_link();
    let wanted = files(&env, 60);
    env.script("iogates:no-files-post");
    put(&env).ends_with(0).says("started one by one");
    assert_eq!(env.arrivals("iogates"), wanted);
    assert_eq!((env.request_count("iogates", "files-create"), env.request_count("iogates", "file-create")), (1, 60));
}

#[test]
fn an_entry_that_nobody_can_use_is_reported() {
    let env = TestEnv::with_share_link();
    let wanted = files(&env, 12);
    env.script("iogates:answers-renamed");
    let ran = put(&env).ends_with(0).says("empty entries stay on the server: iogates:@61");
    assert_eq!(env.arrivals("iogates"), wanted);
    assert_eq!(env.sandbox.counts().created_count("iogates"), 13);
    assert_eq!(ran.stderr.matches("iogates:@").count(), 1, "{}", ran.stderr);
}

#[test]
fn what_is_stopped_leaves_entries_behind_and_says_so() {
    let env = TestEnv::with_share_link();
    files(&env, 12);
    env.script("iogates/tus-create:413 iogates/plupload:413 iogates:server-absent=ftp");
    let ran = env.home.run(&["put", "--fail-fast", "-j", "1", "src/d0", "iogates:/in"]);
    ran.ends_with(8).says("empty entries stay on the server");
}

#[test]
fn each_file_is_still_judged_by_itself() {
    let env = TestEnv::with_share_link();
    let wanted = files(&env, 12);
    env.home.run(&["put", "-q", "src/", "iogates:/in"]).ends_with(0);
    env.home.file("src/d0/new.txt", "new");
    env.home.file("src/d0/large.bin", vec![7; 2 << 20]);
    let ran = put(&env).ends_with(0);
    assert_eq!((ran.events("skipped").len(), ran.events("uploaded").len()), (12, 2));
    assert_eq!(env.arrivals("iogates").len(), wanted.len() + 2);
    assert_eq!((env.request_count("iogates", "files-create"), env.request_count("iogates", "file-create")), (4, 2));
    let dry = env.home.run(&["put", "-n", "--json", "--if-exists", "replace", "src/", "iogates:/in"]).ends_with(0);
    assert_eq!(dry.events("planned").len(), 14);
    assert_eq!(env.request_count("iogates", "files-create"), 4);
}
