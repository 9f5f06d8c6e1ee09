//! A share link as a remote: what it shows, and what it forbids.

use crate::support::env::TestEnv;
use crate::support::stand_ins::StandIns;

#[test]
fn a_share_is_a_remote_like_any_other() {
    let env = TestEnv::with_share_link();
    env.home.file("d/a.txt", "one");
    env.home.file("d/b/c.txt", "two");
    env.home.run(&["put", "d/", "shared:/in"]).ends_with(0);
    let paths: Vec<String> = env.arrivals("iogates").into_keys().collect();
    assert_eq!(paths, ["/in/a.txt", "/in/b/c.txt"]);
    let listed = env.home.run(&["ls", "-R", "shared:/"]).ends_with(0).stdout;
    assert_eq!(listed, "shared:/in/\nshared:/in/a.txt\nshared:/in/b/\nshared:/in/b/c.txt\n");
    assert_eq!(env.home.run(&["ls", "iogates:"]).ends_with(0).stdout, "", "another root");

    let about = env.home.run(&["about", "--json", "shared"]).ends_with(0).events("about").remove(0);
    assert_eq!((&about["account"], &about["limits"]["may_upload"]), (&"Shared with you".into(), &true.into()));
    assert_eq!((&about["limits"]["may_download"], &about["limits"]["expired"]), (&true.into(), &false.into()));
    assert_eq!(about["quota"]["free"], 29_301_996_265_u64);
    let extra = &about["extra"];
    assert_eq!((&extra["file_id"], &extra["share_type"], &extra["owner"]), (&"60999".into(), &"dir".into(), &"Ann Example".into()));
    assert_eq!(extra["permissions"]["attachments"], false);
    let spoken = env.home.run(&["-vv", "about", "shared"]).ends_with(0);
    assert!(!spoken.stderr.contains(env.sandbox.iogates().share_url()), "{}", spoken.stderr);
}

#[test]
fn what_a_share_forbids_is_refused_before_anything_is_sent() {
    let env = TestEnv::with_share_link();
    env.home.file("a.txt", "one");
    let nothing_sent = || {
        assert_eq!(
            (
                env.request_count("iogates", "file-create"),
                env.request_count("iogates", "files-create"),
                env.request_count("iogates", "tus-create")
            ),
            (0, 0, 0)
        );
        assert!(env.arrivals("iogates").is_empty());
    };
    env.sandbox.iogates().set(|s| s.share_may_upload = false);
    env.home.run(&["put", "a.txt", "shared:/"]).ends_with(8).says("this account may not upload");
    env.home.run(&["ls", "shared:/"]).ends_with(0);
    let about = env.home.run(&["about", "shared"]).ends_with(0);
    assert!(about.stdout.contains("uploads      not allowed") && about.stdout.matches("these credentials may not upload").count() == 1);
    env.sandbox.iogates().set(|s| (s.share_may_upload, s.share_expired) = (true, true));
    env.home.run(&["put", "a.txt", "shared:/"]).ends_with(8).says("the share or account has expired");
    env.home.run(&["put", "-n", "a.txt", "shared:/"]).ends_with(8);
    let about = env.home.run(&["about", "--json", "shared"]).ends_with(0).events("about").remove(0);
    assert_eq!(about["limits"]["expired"], true);
    env.sandbox.iogates().set(|s| (s.share_expired, s.max_file_size) = (false, 2));
    env.home.run(&["put", "a.txt", "shared:/"]).ends_with(8).says("3 bytes are more than this account may have in one file");
    nothing_sent();
}
