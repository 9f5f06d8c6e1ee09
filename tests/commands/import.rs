//! `haul import`.

use crate::support::env::TestEnv;
use crate::support::fixed_answers::one_file_server;
use crate::support::stand_ins::StandIns;

#[test]
fn the_site_fetches_the_file_itself() {
    let env = TestEnv::with_files("giga0", &["/a"]);
    // A file of the other stand-in behind a URL that needs no sign-in is not to be had; any loopback server will do.
    let server = one_file_server(b"film");
    let url = format!("http://{server}/film.mov");
    let ran = env.json(&["import", "--wait", &url, "giga0:/films/"]).ends_with(0);
    let events = ran.events("import");
    let (first, last) = (&events[0], events.last().unwrap());
    assert_eq!((&first["done"], &first["path"], &first["url"]), (&false.into(), &"/films".into(), &url.as_str().into()));
    assert_eq!((&last["done"], &last["status"], &last["path"]), (&true.into(), &"complete".into(), &"/films/film.mov".into()));
    assert_eq!((&last["file"], &last["id"]), (&env.id("giga0:/films/film.mov").into(), &first["id"]));
    assert_eq!(env.text("giga0", "/films/film.mov"), "film");

    let failed = env.json(&["import", "--wait", "https://user:s3cr3t-pw@192.0.2.1/x?X-Sig=s1gnature", &url, "giga0:/"]).ends_with(9);
    assert_eq!(failed.events("failed")[0]["error"]["kind"], "refused");
    assert!(failed.events("failed")[0]["error"]["message"].as_str().unwrap().contains("failed"));
    for secret in ["s3cr3t-pw", "s1gnature"] {
        assert!(!failed.stdout.contains(secret) && !failed.stderr.contains(secret), "{}", failed.stdout);
    }
    assert_eq!(failed.events("failed")[0]["source"], "https://user:***@192.0.2.1/x?X-Sig=***");

    let (add, asked) = ("file/url_upload_add", env.sandbox.counts().requests("giga0", "file/url_upload_add"));
    env.script(&format!("giga0/{add}:answer-lost"));
    env.home.run(&["import", &url, "giga0:/once/"]).ends_with(13).says("check the folder");
    assert_eq!(env.sandbox.counts().requests("giga0", add), asked + 1, "asked twice it would be fetched twice");
    env.script("giga0/file/url_upload_status:500");
    env.home.run(&["import", "--wait", &url, "giga0:/again/"]).ends_with(0);
    env.home.run(&["import", &url, "giga0:/a/"]).ends_with(6);
    env.sandbox.giga0().set(|package| package.imports = false);
    env.home.run(&["import", &url, "giga0:/"]).ends_with(8).says("Background URL downloading is not enabled");
}
