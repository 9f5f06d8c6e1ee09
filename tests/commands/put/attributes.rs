//! Types and attributes that ioGates stores with a file.

use crate::support::env::TestEnv;

#[test]
fn types_and_attributes_are_stored() {
    let env = TestEnv::with_share_link();
    env.home.file("a.mov", "film");
    env.home.file("b.mov", "film");
    let args =
        ["put", "a.mov", "b.mov", "iogates:/m/", "--attr", "Scene=127", "--attr", "Take=007", "--attr", "Note=a=b, c", "--type", "movie"];
    env.home.run(&args).ends_with(0);
    let entries = env.home.run(&["ls", "--json", "iogates:/m"]).ends_with(0).events("entry");
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!(entry["extra"]["type"], "movie");
        let wanted = r#"[{"name":"Scene","value":127},{"name":"Take","value":"007"},{"name":"Note","value":"a=b, c"}]"#;
        assert_eq!(entry["extra"]["attributes"].to_string(), wanted);
    }
    for remote in ["giga0", "fileago"] {
        let before = env.sandbox.counts().all_requests(remote);
        env.home.run(&["put", "a.mov", &format!("{remote}:/"), "--attr", "Scene=1"]).ends_with(10).says("ioGates can");
        env.home.run(&["put", "a.mov", &format!("{remote}:/"), "--type", "movie"]).ends_with(10);
        assert_eq!(env.sandbox.counts().all_requests(remote), before);
    }
    env.home.run(&["put", "a.mov", "iogates:/", "--attr", "Scene"]).ends_with(2).says("NAME=VALUE");
    env.home.run(&["put", "a.mov", "iogates:/", "--attr", "=1"]).ends_with(2);
}
