//! `haul rm`.

use std::process::Command;

use crate::support::env::{TestEnv, set};
use crate::support::remotes::hosts_that_change;

#[test]
fn files_and_folders_go() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/a", "/b", "/d/c", "/d/e/f", "/k/x"]);
        let at = |path: &str| format!("{remote}:{path}");
        let (file, folder) = (env.id(&at("/a")), env.id(&at("/d")));
        env.home.run(&["rm", &at("/d")]).ends_with(8).says("haul rm -r");
        env.home.run(&["rm", &at("/a/")]).ends_with(3).says("a file, not a folder");
        let planned = env.json(&["rm", "-rn", &at("/a"), &at("/d")]).ends_with(0).events("planned");
        assert_eq!((&planned[0]["action"], &planned[1]["path"]), (&"delete".into(), &"/d".into()));
        assert_eq!(env.there(&at("")), set(["/a", "/b", "/d/", "/d/c", "/d/e/", "/d/e/f", "/k/", "/k/x"]));
        // The one that is not there does not keep the others.
        let ran = env.json(&["rm", "-r", &at("a"), &at("/none"), &at("/d")]).ends_with(9);
        assert_eq!(
            ran.stdout.lines().collect::<Vec<_>>(),
            [
                format!(r#"{{"schema":1,"event":"deleted","remote":"{remote}","path":"/a","id":"{file}","kind":"file"}}"#),
                format!(
                    r#"{{"schema":1,"event":"failed","remote":"{remote}","path":"/none","error":{{"kind":"not-found","message":"{remote}:/none: there is no such file or folder","status":null,"retryable":false}}}}"#
                ),
                format!(r#"{{"schema":1,"event":"deleted","remote":"{remote}","path":"/d","id":"{folder}","kind":"folder"}}"#),
            ]
        );
        assert_eq!(env.there(&at("")), set(["/b", "/k/", "/k/x"]), "{remote}");
        env.home.run(&["rm", &at("/none"), &at("/gone")]).ends_with(3);
        let by_id = env.json(&["rm", &at(&format!("@{}", env.id(&at("/b"))))]).ends_with(0);
        assert!(by_id.events("deleted")[0]["path"].as_str().unwrap().starts_with("/@"), "no path that names something else");
        env.home.run(&["rm", "-r", "--yes", &at("")]).ends_with(0);
        assert!(env.there(&at("")).is_empty(), "{remote}");
    }
}

#[test]
fn after_a_lost_answer_the_server_is_checked() {
    for (remote, call) in [("giga0", "file/delete"), ("fileago", "delete")] {
        let env = TestEnv::with_files(remote, &["/a", "/b", "/c", "/d/x"]);
        let at = |path: &str| format!("{remote}:{path}");
        let asked = |env: &TestEnv| env.sandbox.counts().requests(remote, call);
        env.script(&format!("{remote}/{call}:answer-lost"));
        env.home.run(&["rm", &at("/a")]).ends_with(0);
        assert_eq!(asked(&env), 1, "{remote}: not removed twice");
        env.script(&format!("{remote}/{call}:answer-lost"));
        env.home.run(&["rm", &at(&format!("@{}", env.id(&at("/b"))))]).ends_with(0);
        assert_eq!(asked(&env), 2, "{remote}: by its id, too");
        env.script(&format!("{remote}/{call}:cut=0 {remote}/{call}:503=0"));
        env.home.run(&["rm", &at("/c")]).ends_with(0);
        assert_eq!(asked(&env), 5);
        let folder = if remote == "giga0" { "folder/delete" } else { "delete" };
        env.script(&format!("{remote}/{folder}:answer-lost"));
        env.home.run(&["rm", "-r", &at("/d")]).ends_with(0);
        env.faults_are_used_up();
        assert!(env.there(&at("")).is_empty());
        if remote == "fileago" {
            let trash: Vec<String> =
                env.there("fileago:@trash").into_iter().filter_map(|p| p.rsplit_once('/').map(|(_, n)| n.to_owned())).collect();
            assert_eq!(trash.iter().filter(|n| !n.is_empty()).collect::<Vec<_>>(), ["a", "b", "c", "x"], "nothing is gone for good");
        }
    }
}

#[test]
fn files_in_the_trash_are_restored_and_removed() {
    let env = TestEnv::with_files("fileago", &["/a", "/b", "/d/x"]);
    env.home.run(&["rm", "-r", "fileago:/a", "fileago:/b", "fileago:/d"]).ends_with(0);
    let trash = env.there("fileago:@trash");
    let day = trash.first().unwrap().clone();
    assert_eq!(trash, [String::new(), "a".into(), "b".into(), "d/".into(), "d/x".into()].map(|p| format!("{day}{p}")).into());
    // With its day, and without: the name alone is looked for in all days.
    env.home.run(&["mv", &format!("fileago:@trash{day}a"), "fileago:/"]).ends_with(0);
    env.home.run(&["mv", "fileago:@trash/d", "fileago:/restored"]).ends_with(0);
    assert_eq!(env.there("fileago:"), set(["/a", "/restored/", "/restored/x"]));
    assert_eq!(env.text("fileago", "/restored/x"), "content of /d/x");
    env.home.run(&["mv", "fileago:@trash/none", "fileago:/"]).ends_with(3);
    // In the trash it is for good.
    let ran = env.json(&["rm", "fileago:@trash/b"]).ends_with(0);
    assert_eq!(ran.events("deleted")[0]["path"], "/@trash/b");
    assert_eq!(env.there("fileago:@trash"), std::collections::BTreeSet::from([day.clone()]));
    // Two of one name, of one day: the ids tell them apart.
    env.home.run(&["rm", "fileago:/a"]).ends_with(0);
    env.add_files("fileago", &["/a"]);
    env.home.run(&["rm", "fileago:/a"]).ends_with(0);
    env.home.run(&["mv", "fileago:@trash/a", "fileago:/"]).ends_with(3).says("2 entries have this name");
    env.home.run(&["rm", "-r", "fileago:@trash"]).ends_with(2);
    env.home.run(&["rm", "-r", "--yes", "fileago:@trash"]).ends_with(0);
    assert!(env.there("fileago:@trash").is_empty());
}

/// `script` gives the command a terminal.
#[test]
fn in_a_terminal_the_user_is_asked() {
    if Command::new("script").arg("--version").output().is_err() {
        let required = std::env::var_os("HAUL_TEST_REQUIRE_SERVERS").is_some();
        assert!(!required, "`script` (util-linux) is missing: it gives the command a terminal");
        println!("skipped: there is no `script` to give the command a terminal");
        return;
    }
    let env = TestEnv::with_files("giga0", &["/d/a", "/d/e/b", "/f"]);
    let ask = |args: &[&str], answer: &str| {
        let haul = env.home.command(args);
        let line: Vec<String> =
            std::iter::once(haul.get_program()).chain(haul.get_args()).map(|a| a.to_string_lossy().into_owned()).collect();
        let mut script = Command::new("script");
        script.args(["-qec", &line.join(" "), "/dev/null"]).env_clear().current_dir(haul.get_current_dir().unwrap());
        script.envs(haul.get_envs().filter_map(|(k, v)| Some((k, v?)))).env("TERM", "xterm");
        use std::io::Write;
        let mut child = script.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
        // Kept open: a closed input would end the terminal before the answer is read.
        let mut input = child.stdin.take().unwrap();
        input.write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(input);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (status, said) = ask(&["rm", "-r", "giga0:/d"], "n\n");
    assert!(
        status == Some(0) && said.contains("Remove giga0:/d, with 3 entries? [y/N]") && said.contains("left alone"),
        "{status:?} {said}"
    );
    assert_eq!(env.there("giga0:"), set(["/d/", "/d/a", "/d/e/", "/d/e/b", "/f"]));
    let (status, said) = ask(&["rm", "giga0:/f"], "");
    assert!(status == Some(0) && !said.contains('?'), "a file needs no question: {said}");
    let (status, said) = ask(&["rm", "-r", "giga0:/d"], "y\n");
    assert!(status == Some(0) && said.contains("deleted"), "{said}");
    assert!(env.there("giga0:").is_empty());
}
