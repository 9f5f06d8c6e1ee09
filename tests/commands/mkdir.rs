//! `haul mkdir`.

use crate::support::env::{Play, WITH_CHANGES, set};
use crate::support::stand_ins::StandIns;

#[test]
fn folders_are_made_once_and_parents_on_request() {
    for remote in WITH_CHANGES {
        let play = Play::with_files(remote, &["/file"]);
        let at = |path: &str| format!("{remote}:{path}");
        let made = play.json(&["mkdir", &at("/a"), &at("/b")]).ends_with(0).events("created");
        assert_eq!((&made[0]["path"], &made[1]["path"], &made[0]["kind"]), (&"/a".into(), &"/b".into(), &"folder".into()));
        assert_eq!(made[0]["id"], play.id(&at("/a")), "{remote}");
        play.home.run(&["mkdir", &at("/a")]).ends_with(6).says("it is there already");
        play.home.run(&["mkdir", &at("/c/d")]).ends_with(3).says("haul mkdir -p");
        assert_eq!(play.there(&at("")), set(["/a/", "/b/", "/file"]), "{remote}");
        for _ in 0..2 {
            play.home.run(&["mkdir", "-p", &at("/a/c/d")]).ends_with(0);
        }
        play.home.run(&["mkdir", "-p", &at("/file")]).ends_with(6);
        play.home.run(&["mkdir", "-p", &at("/file/x")]).ends_with(6).says("file");
        play.home.run(&["mkdir", &at("/")]).ends_with(6).says("the top folder is always there");
        assert_eq!(play.there(&at("")), set(["/a/", "/a/c/", "/a/c/d/", "/b/", "/file"]), "{remote}");
    }
}

#[test]
fn a_folder_is_made_with_visibility_and_password() {
    let play = Play::new();
    play.home.run(&["mkdir", "giga0:/unlisted", "--visibility", "unlisted"]).ends_with(0);
    let listed = play.json(&["ls", "giga0:/"]).ends_with(0).events("entry");
    assert_eq!(listed[0]["extra"]["visibility"], "unlisted");
    play.home.run_with_input(&["mkdir", "giga0:/locked", "--folder-password-stdin"], b"pw").ends_with(0);
    assert_eq!(play.sandbox.giga0().folder_password("/locked").as_deref(), Some(format!("{:x}", md5::compute("pw")).as_str()));
}
