//! `haul stat`.

use serde_json::Value;

use crate::support::listed_tree::filled_env;
use crate::support::remotes::hosts;

#[test]
fn stat_shows_all_that_is_known_of_a_place() {
    let env = filled_env();
    for remote in hosts() {
        let ran = env.home.run(&["stat", "--json", &format!("{remote}:/in/a.mov"), &format!("{remote}:/in"), &format!("{remote}:")]);
        let ran = ran.ends_with(0);
        let events = ran.events("entry");
        let (file, folder, root) = (&events[0], &events[1], &events[2]);
        assert_eq!((&file["remote"], &file["name"], &file["kind"]), (&remote.into(), &"a.mov".into(), &"file".into()));
        assert_eq!(file["size"], if remote == "iogates" { Value::Null } else { 5.into() }, "{remote}");
        assert!(file["modified"].is_string(), "{remote}: giga0's listings tell no time, the file itself does");
        let by_pattern = env.home.run(&["stat", "--json", &format!("{remote}:/in/a.*")]).ends_with(0);
        assert_eq!(by_pattern.events("entry"), std::slice::from_ref(file), "{remote}");
        assert_eq!((&folder["kind"], &folder["size"], &root["path"]), (&"folder".into(), &Value::Null, &"/".into()));
        // What an id names is the same thing.
        let again = env.home.run(&["stat", "--json", &format!("{remote}:@{}", file["id"].as_str().unwrap())]).ends_with(0);
        assert_eq!(again.events("entry")[0]["id"], file["id"], "{remote}");
        let shown = env.home.run(&["stat", &format!("{remote}:/in/größe ✓.txt")]).ends_with(0).stdout;
        assert!(shown.starts_with(&format!("{remote}:/in/größe ✓.txt\n  kind ")), "{shown}");
        let missing = env.home.run(&["stat", "--json", &format!("{remote}:/in/a.mov"), &format!("{remote}:/in/nope")]).ends_with(9);
        let failed = &missing.events("failed")[0];
        assert_eq!((&failed["path"], &failed["error"]["kind"]), (&"/in/nope".into(), &"not-found".into()), "{remote}");
        env.home.run(&["stat", &format!("{remote}:/nope")]).ends_with(3).says(&format!("haul: {remote}:/nope: "));
    }
}
