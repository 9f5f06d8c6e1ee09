//! `haul unstar`.

use crate::support::env::{TestEnv, set};

#[test]
fn the_mark_goes_and_the_file_stays() {
    let env = TestEnv::with_files("fileago", &["/a", "/d/b"]);
    env.home.run(&["star", "fileago:/a", "fileago:/d/b"]).ends_with(0);
    env.script("fileago/change:answer-lost");
    let ran = env.json(&["unstar", "fileago:@favorites/b"]).ends_with(0);
    assert_eq!((&ran.events("star")[0]["path"], &ran.events("star")[0]["starred"]), (&"/@favorites/b".into(), &false.into()));
    assert_eq!(env.there("fileago:@favorites"), set(["/a"]));
    // By the path of the file, too; and what has no mark is no failure.
    for _ in 0..2 {
        env.home.run(&["unstar", "fileago:/a"]).ends_with(0);
        assert!(env.there("fileago:@favorites").is_empty());
    }
    assert_eq!(env.there("fileago:"), set(["/a", "/d/", "/d/b"]));
    env.home.run(&["unstar", "fileago:/none"]).ends_with(3);
}
