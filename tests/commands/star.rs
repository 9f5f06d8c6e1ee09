//! `haul star`.

use crate::support::env::{Play, set};

#[test]
fn starred_files_are_favourites() {
    let play = Play::with_files("fileago", &["/a", "/d/b"]);
    let ran = play.json(&["star", "fileago:/a", "fileago:/d/b"]).ends_with(0);
    assert_eq!(ran.stdout.lines().next().unwrap(), r#"{"schema":1,"event":"star","remote":"fileago","path":"/a","starred":true}"#);
    assert_eq!(play.there("fileago:@favorites"), set(["/a", "/b"]));
    // A favourite lies elsewhere. It is looked for there when the answer is lost.
    play.script("fileago/delete:answer-lost");
    play.home.run(&["rm", "fileago:@favorites/a"]).ends_with(0);
    assert_eq!(play.asked("fileago", "delete"), 1);
    play.home.run(&["star", "fileago:/none"]).ends_with(3);
}
