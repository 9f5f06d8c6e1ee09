//! Unclear points of the documents and habits of servers: the adapter must work with every reading (providers.md 7 and 8).

use crate::support::env::{Content, TestEnv};
use crate::support::stand_ins::StandIns;

fn bytes(len: usize) -> Content {
    Content((0..len as u64).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect())
}

/// Puts a film and a small file, and finds them there; returns the protocol of the first.
#[track_caller]
fn works(env: &TestEnv, remote: &str, more: &[&str]) -> String {
    let film = bytes(700_001);
    env.home.file("film.mov", &film.0);
    env.home.file("n.txt", "note");
    let target = format!("{remote}:/r");
    let ran = env.home.run(&[&["put", "--json", "-v", "film.mov", "n.txt", &target], more].concat()).ends_with(0);
    let there = env.arrivals("iogates");
    assert_eq!(there.get("/r/film.mov"), Some(&film), "{}", ran.stderr);
    assert_eq!(there.get("/r/n.txt"), Some(&Content(b"note".to_vec())));
    assert_eq!(there.len(), 2);
    let uploaded = ran.events("uploaded");
    assert!(uploaded.iter().all(|e| e["verified"] == "md5"), "{}", ran.stdout);
    let listed = env.home.run(&["ls", &target]).ends_with(0).stdout;
    assert_eq!(listed, "film.mov\nn.txt\n");
    uploaded[0]["protocol"].as_str().unwrap().to_owned()
}

#[test]
fn every_spelling_of_the_token_header() {
    for spelling in ["authorization", "authorisation", "token"] {
        for remote in ["iogates", "shared"] {
            let env = TestEnv::with_share_link();
            env.script(&format!("iogates:only-header={spelling}"));
            assert_eq!(works(&env, remote, &[]), "tus", "{spelling}");
            env.home.run(&["about", &format!("{remote}:")]).ends_with(0);
        }
    }
}

#[test]
fn ids_as_strings_maps_as_lists_and_files_that_take_their_time() {
    let env = TestEnv::with_share_link();
    env.script("iogates:ids-as-strings iogates:map-as-list iogates:late-download*5");
    assert_eq!(works(&env, "iogates", &[]), "tus");
    assert_eq!(env.sandbox.faults().remaining().len(), 2, "the late looks are used up");
}

#[test]
fn a_method_without_an_address_is_no_method() {
    for how in ["server-blank", "server-absent"] {
        let env = TestEnv::with_share_link();
        env.script(&format!("iogates:{how}=tus"));
        assert_eq!(works(&env, "iogates", &[]), "plupload", "{how}");
        env.script(&format!("iogates:{how}=plupload"));
        env.home.file("g.bin", &bytes(3).0);
        let ran = env.home.run(&["put", "--json", "g.bin", "iogates:/"]).ends_with(0);
        assert_eq!(ran.events("uploaded")[0]["protocol"], "ftps", "{how}");
        env.home.run(&["put", "--protocol", "tus", "g.bin", "iogates:/x/"]).ends_with(10);
        env.script(&format!("iogates:{how}=ftp"));
        let made = env.sandbox.counts().created_count("iogates");
        env.home.run(&["put", "g.bin", "iogates:/y/"]).ends_with(10);
        assert_eq!(env.sandbox.counts().created_count("iogates"), made, "no empty entry");
    }
}

#[test]
fn only_what_is_on_offer_is_used() {
    for (available, wanted) in [(&["plupload", "ftp"][..], "plupload"), (&["ftp"], "ftps"), (&["ftp", "tus"], "tus")] {
        let env = TestEnv::with_share_link();
        env.sandbox.iogates().set(|s| s.available = available.iter().map(|a| (*a).to_owned()).collect());
        assert_eq!(works(&env, "iogates", &[]), wanted);
    }
}

#[test]
fn a_closed_protocol_gives_way_to_the_next_one_with_the_same_entry() {
    let env = TestEnv::with_share_link();
    env.script("iogates/tus-create:413*always");
    assert_eq!(works(&env, "iogates", &[]), "plupload");
    assert_eq!(env.sandbox.counts().created_count("iogates"), 2);
    let env = TestEnv::with_share_link();
    env.script("iogates/tus-create:html*always iogates:server-blank=plupload");
    assert_eq!(works(&env, "iogates", &[]), "ftps");
    assert_eq!(env.sandbox.counts().created_count("iogates"), 2);
}

/// OQ-3: the server of the documents takes the exact name, the one of 2017 wanted the extension behind it.
#[test]
fn the_name_with_its_extension_is_for_those_who_ask_for_it() {
    let mut env = TestEnv::with_share_link();
    env.home = env.home.env([("HAUL_REMOTE_IOGATES_APPEND_EXTENSION".to_owned(), "true".to_owned())]);
    env.script("iogates:name-with-extension");
    assert_eq!(works(&env, "iogates", &["--protocol", "tus"]), "tus");

    let env = TestEnv::with_share_link();
    env.script("iogates:name-with-extension");
    env.home.file("film.mov", "x");
    let ran = env.home.run(&["put", "--protocol", "tus", "--timeout", "1s", "film.mov", "iogates:/r/"]).ends_with(13);
    ran.says("the file does not appear").says("append_extension");
}

#[test]
fn a_token_that_runs_out_is_renewed_once() {
    let env = TestEnv::with_share_link();
    env.home.run(&["ls", "iogates:"]).ends_with(0);
    env.script("iogates/files:expired");
    assert_eq!(works(&env, "iogates", &["-j", "8"]), "tus");
    assert_eq!(env.sandbox.counts().sign_ins("iogates"), 2);
    assert!(env.request_count("iogates", "files") > 0);
}
