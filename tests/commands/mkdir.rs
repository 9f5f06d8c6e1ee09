//! `haul mkdir`.

use crate::support::env::{TestEnv, set};
use crate::support::remotes::hosts_that_change;
use crate::support::stand_ins::StandIns;

#[test]
fn folders_are_made_once_and_parents_on_request() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/file"]);
        let at = |path: &str| format!("{remote}:{path}");
        let made = env.json(&["mkdir", &at("/a"), &at("/b")]).ends_with(0).events("created");
        assert_eq!((&made[0]["path"], &made[1]["path"], &made[0]["kind"]), (&"/a".into(), &"/b".into(), &"folder".into()));
        assert_eq!(made[0]["id"], env.id(&at("/a")), "{remote}");
        env.home.run(&["mkdir", &at("/a")]).ends_with(6).says("it exists already");
        env.home.run(&["mkdir", &at("/c/d")]).ends_with(3).says("haul mkdir -p");
        assert_eq!(env.there(&at("")), set(["/a/", "/b/", "/file"]), "{remote}");
        for _ in 0..2 {
            env.home.run(&["mkdir", "-p", &at("/a/c/d")]).ends_with(0);
        }
        env.home.run(&["mkdir", "-p", &at("/file")]).ends_with(6);
        env.home.run(&["mkdir", "-p", &at("/file/x")]).ends_with(6).says("file");
        env.home.run(&["mkdir", &at("/")]).ends_with(6).says("the top folder always exists");
        assert_eq!(env.there(&at("")), set(["/a/", "/a/c/", "/a/c/d/", "/b/", "/file"]), "{remote}");
    }
}

#[test]
fn a_folder_is_made_with_visibility_and_password() {
    let env = TestEnv::new();
    env.home.run(&["mkdir", "giga0:/unlisted", "--visibility", "unlisted"]).ends_with(0);
    let listed = env.json(&["ls", "giga0:/"]).ends_with(0).events("entry");
    assert_eq!(listed[0]["extra"]["visibility"], "unlisted");
    env.home.run_with_input(&["mkdir", "giga0:/locked", "--folder-password-stdin"], b"pw").ends_with(0);
    assert_eq!(env.sandbox.giga0().folder_password("/locked").as_deref(), Some(format!("{:x}", md5::compute("pw")).as_str()));
}
