//! `haul star`.

use crate::support::env::{TestEnv, set};

#[test]
fn starred_files_are_favourites() {
    let env = TestEnv::with_files("fileago", &["/a", "/d/b"]);
    let ran = env.json(&["star", "fileago:/a", "fileago:/d/b"]).ends_with(0);
    assert_eq!(ran.stdout.lines().next().unwrap(), r#"{"schema":1,"event":"star","remote":"fileago","path":"/a","starred":true}"#);
    assert_eq!(env.there("fileago:@favorites"), set(["/a", "/b"]));
    // A favourite lies elsewhere. It is looked for there when the answer is lost.
    env.script("fileago/delete:answer-lost");
    env.home.run(&["rm", "fileago:@favorites/a"]).ends_with(0);
    assert_eq!(env.request_count("fileago", "delete"), 1);
    env.home.run(&["star", "fileago:/none"]).ends_with(3);
}
