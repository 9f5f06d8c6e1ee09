//! `haul about`.

use crate::support::env::TestEnv;
use crate::support::remotes::hosts;
use crate::support::stand_ins::StandIns;

#[test]
fn account_limits_and_protocols_are_shown() {
    let env = TestEnv::new();
    for (remote, account, protocols) in [
        ("iogates", "ann", &["tus", "plupload", "ftps"][..]),
        ("giga0", "ann", &["multipart"]),
        ("fileago", "ann@example.com", &["multipart"]),
    ] {
        // With and without the colon.
        let about = env.json(&["about", &format!("{remote}:")]).ends_with(0).events("about");
        let again = env.json(&["about", remote]).ends_with(0).events("about");
        let about = &about[0];
        for field in ["account", "quota", "limits", "protocols"] {
            assert_eq!(again[0][field], about[field], "{remote}: {field}");
        }
        assert_eq!((&about["remote"], &about["provider"], &about["account"]), (&remote.into(), &remote.into(), &account.into()));
        assert_eq!(about["protocols"], serde_json::json!(protocols), "{remote}");
        let shown = env.home.run(&["about", remote]).ends_with(0).stdout;
        assert!(shown.starts_with(&format!("{remote} (")) && shown.contains(account) && shown.contains(&protocols.join(", ")), "{shown}");
    }
    env.sandbox.giga0().set(|package| package.max_upload_size = 5 << 30);
    let about = env.json(&["about", "giga0"]).ends_with(0).events("about");
    assert_eq!(about[0]["limits"]["file_size"], 5_u64 << 30);
}

#[test]
fn what_is_no_remote_is_refused() {
    let env = TestEnv::new();
    env.home.run(&["about", "nowhere:"]).ends_with(3).says("there is no such remote");
    env.home.run(&["about"]).ends_with(2);
    assert!(hosts().iter().all(|remote| env.requests(remote) == 0));
}
