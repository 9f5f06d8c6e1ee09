//! `haul share`.

use crate::support::env::{TestEnv, set};
use crate::support::stand_ins::StandIns;

#[test]
fn copies_reach_users_and_groups() {
    let env = TestEnv::with_files("fileago", &["/a", "/d/b"]);
    let (ann, group) = (env.sandbox.fileago().colleague().to_owned(), env.sandbox.fileago().group().to_owned());
    let both = format!("{ann},{group}");
    let ran = env.json(&["share", "fileago:/a", "--with", &both]).ends_with(0);
    assert_eq!(
        ran.stdout,
        format!("{{\"schema\":1,\"event\":\"share\",\"remote\":\"fileago\",\"path\":\"/a\",\"with\":[\"{ann}\",\"{group}\"]}}\n")
    );
    env.home.run(&["share", "fileago:/d", "--with", &group, "--with", &ann]).ends_with(0);
    let incoming = format!("fileago:@incoming:{group}");
    assert_eq!(env.there(&incoming), set(["/a", "/d/", "/d/b"]));
    assert_eq!(env.text("fileago", &format!("/incoming:{ann}/d/b")), "content of /d/b");
    env.home.run(&["share", "fileago:/a", "--with", "nobody"]).ends_with(8).says("Unknown user or group");
    env.home.run(&["share", "fileago:/none", "--with", &ann]).ends_with(3);
    // It can't be looked at, so it is not done twice.
    let asked = env.sandbox.counts().requests("fileago", "change");
    env.script("fileago/change:answer-lost");
    env.home.run(&["share", "fileago:/a", "--with", &ann]).ends_with(13).says("whether the copy was shared is not known");
    assert_eq!(env.sandbox.counts().requests("fileago", "change"), asked + 1);
}
