//! Wildcards in the addresses of listing commands.

use crate::support::listed_tree::{filled_env, paths};
use crate::support::remotes::hosts;

#[test]
fn wildcards_stand_for_names() {
    let env = filled_env();
    for remote in hosts() {
        let stat = |path: &str| paths(&env.home.run(&["stat", "--json", &format!("{remote}:{path}")]).ends_with(0));
        assert_eq!(stat("/in/*.mov"), ["/in/a.mov", "/in/b.mov"], "{remote}");
        assert_eq!(stat("in/?.txt"), ["/in/x.txt"], "{remote}");
        assert_eq!(stat("/i*/cl*/[!-]*.mov"), ["/in/clips/c.mov"], "{remote}");
        assert_eq!(stat("/**/*.mov").len(), 5, "{remote}");
        assert_eq!(stat("/in/clips/**"), ["/in/clips/-d.mov", "/in/clips/c.mov", "/in/clips/old", "/in/clips/old/e.mov"], "{remote}");
        assert_eq!(stat("/in/*/"), ["/in/clips", "/in/empty"], "{remote}: folders only");
        assert_eq!(stat("/in/[x].txt"), ["/in/[x].txt"], "{remote}: the name itself wins over what it fits");
        let none = env.home.run(&["ls", &format!("{remote}:/in/*.avi")]).ends_with(3);
        assert_eq!(none.stderr, format!("haul: {remote}:/in/*.avi: nothing there matches these wildcards\n"));
        env.home.run(&["ls", "--literal", &format!("{remote}:/in/*.mov")]).ends_with(3).says("there is no such file");
        let literal = env.home.run(&["ls", "--literal", &format!("{remote}:/in/[x].txt")]).ends_with(0);
        assert_eq!(literal.stdout, "[x].txt\n", "{remote}");
        let listed = env.home.run(&["ls", &format!("{remote}:/in/[ac]*")]).ends_with(0);
        assert_eq!(listed.stdout, format!("a.mov\n\n{remote}:/in/clips:\n-d.mov\nc.mov\nold/\n"));
        let one = env.home.run(&["ls", &format!("{remote}:/in/cl*")]).ends_with(0);
        assert_eq!(one.stdout, "-d.mov\nc.mov\nold/\n", "{remote}: one folder needs no heading");
    }
    // Only folders that the pattern leads into are listed: root, /in, and the literal name is looked up again.
    let before = env.sandbox.counts().requests("giga0", "folder/listing");
    env.home.run(&["stat", "giga0:/in/cl*/c.mov"]).ends_with(0);
    assert_eq!(env.sandbox.counts().requests("giga0", "folder/listing") - before, 3);
}
