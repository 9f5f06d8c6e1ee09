//! The hint of a message fits its failure: for the common failures the hint is the one that helps, and no other. Commands in
//! hints are run.

use haul::sandbox::Canned;

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;
use crate::support::remotes::that_can;

/// `args` end with `status` and a line that holds each of `says`, and none of `others`.
#[track_caller]
fn assert_hint(home: &Home, args: &[&str], status: i32, says: &[&str], others: &[&str]) -> Ran {
    let ran = home.run(args).ends_with(status);
    for words in says {
        assert!(ran.stderr.contains(words), "{args:?} does not say {words:?}: {}", ran.stderr);
    }
    // Advice that holds for other failures.
    for words in others.iter().chain(&["REMOTE"]) {
        assert!(!ran.stderr.replace("HAUL_REMOTE_", "").contains(words), "{args:?} says {words:?}: {}", ran.stderr);
    }
    ran
}

/// The commands in backticks, and the one that the line ends in.
fn commands(ran: &Ran) -> Vec<Vec<String>> {
    let quoted = ran.stderr.split('`').skip(1).step_by(2).filter(|text| text.starts_with("haul "));
    let ends = ran.stderr.lines().filter_map(|line| line.rsplit_once(": haul ")).map(|(_, rest)| rest);
    let all = quoted.map(|text| text.trim_start_matches("haul ")).chain(ends);
    all.map(|text| shlex::split(text).unwrap()).collect()
}

/// Runs the only command that was advised.
#[track_caller]
fn follow(home: &Home, ran: &Ran, input: &str) -> Ran {
    let commands = commands(ran);
    let [command] = commands.as_slice() else { panic!("{} commands in {}", commands.len(), ran.stderr) };
    home.run_with_input(&command.iter().map(String::as_str).collect::<Vec<_>>(), input.as_bytes())
}

const SIGN_IN: [&str; 3] = ["haul login", "password", "username"];
const ADDRESS: [&str; 3] = ["remote's url", "https://", "insecure"];

fn neither() -> Vec<&'static str> {
    [SIGN_IN, ADDRESS].concat()
}

#[test]
fn what_is_not_there() {
    let env = TestEnv::with_files("giga0", &["/in/a.txt"]);
    let home = &env.home;
    home.file("f.txt", "f");
    for args in [["put", "f.txt", "nowhere:/x"], ["get", "nowhere:/x", "."], ["cp", "giga0:/in/a.txt", "nowhere:/x"]] {
        assert_hint(home, &args, 3, &["`haul remote add nowhere --provider PROVIDER`", "`haul remote list`"], &neither());
    }
    assert_hint(home, &["ls", "gige0:/"], 3, &["write `giga0:`"], &neither());
    assert_hint(home, &["put", "missing.txt", "giga0:/in/"], 3, &["missing.txt"], &[&neither()[..], &["haul"][1..]].concat());
    for verb in ["get", "cat", "ls", "stat", "rm", "link"] {
        assert_hint(home, &[verb, "giga0:/in/missing"], 3, &["giga0:/in/missing"], &neither());
    }
    let ran = assert_hint(home, &["mkdir", "giga0:/no way/b"], 3, &["its parent folder does not exist"], &neither());
    follow(home, &ran, "").ends_with(0);
    assert!(env.listed_names("giga0:/no way").contains(&"b".to_owned()));
    assert_hint(home, &["put", "f.txt", "giga0:@999999/x"], 3, &[], &neither());
}

#[test]
fn what_is_in_the_way() {
    let env = TestEnv::with_files("giga0", &["/in/a.txt", "/in/b.txt", "/box/c.txt"]);
    let home = &env.home;
    home.file("a.txt", "another");
    let words = ["choose with --if-exists"];
    let ran = assert_hint(home, &["put", "--if-exists", "fail", "a.txt", "giga0:/in/"], 6, &words, &neither());
    assert!(ran.stderr.contains("update, replace, skip or rename"), "{}", ran.stderr);
    // What it offers is taken.
    for policy in ["update", "skip", "rename", "replace"] {
        home.run(&["put", "--if-exists", policy, "a.txt", "giga0:/in/"]).ends_with(0);
    }
    for verb in ["cp", "mv"] {
        let ran = assert_hint(home, &[verb, "giga0:/in/a.txt", "giga0:/in/b.txt"], 6, &words, &neither());
        assert!(!ran.stderr.contains("update"), "{}", ran.stderr);
    }
    assert_hint(home, &["get", "--if-exists", "fail", "giga0:/in/a.txt", "a.txt"], 6, &words, &neither());
    // A folder, and a top folder.
    let ran = assert_hint(home, &["rm", "giga0:/box"], 8, &["this is a folder"], &neither());
    follow(home, &ran, "").ends_with(0);
    assert!(!env.listed_names("giga0:/").contains(&"box".to_owned()));
    let ran = assert_hint(home, &["rm", "-r", "giga0:/"], 2, &["a top folder"], &neither());
    follow(home, &ran, "").ends_with(0);
    assert_eq!(env.listed_names("giga0:/"), Vec::<String>::new());
    // Two of one name are told apart by their ids.
    env.sandbox.fill("giga0", "/", ["x.txt".to_owned(), "x.txt".to_owned()].into_iter(), b"x").unwrap();
    assert_hint(home, &["cat", "giga0:/x.txt"], 3, &["as in giga0:@ID"], &neither());
}

#[test]
fn who_we_are() {
    for remote in that_can(&["list"]) {
        let env = TestEnv::new();
        let variable = format!("HAUL_REMOTE_{}_PASSWORD", remote.to_uppercase());
        let ls = format!("{remote}:/");
        let TestEnv { sandbox, home, _runtime } = env;
        let home = home.env([(variable.clone(), "wrong".to_owned())]);
        // Another password would be of no use while the variable is set.
        let advice = if remote == "ftp" { ["credentials", "`haul remote show ftp`"] } else { ["username", "password"] };
        assert_hint(&home, &["ls", &ls], 4, &advice, &[&ADDRESS[..], &["haul login"]].concat());
        let (_, password) = sandbox.env().into_iter().find(|(name, _)| *name == variable).unwrap();
        let home = home.env([(variable.clone(), String::new())]);
        let ran = assert_hint(&home, &["ls", &ls], 4, &[&format!("run `haul login {remote}`"), &format!("or set {variable}")], &ADDRESS);
        let Some(login) = commands(&ran).pop() else { panic!("no command in {}", ran.stderr) };
        let login: Vec<&str> = login.iter().map(String::as_str).chain(["--password-stdin"]).collect();
        home.run_with_input(&login, password.as_bytes()).ends_with(0);
        home.run(&["ls", &ls]).ends_with(0);
        drop((sandbox, _runtime));
    }
    // A share's link is all that there is to sign in with.
    let env = TestEnv::with_share_link();
    let home = &env.home;
    env.sandbox.faults().answer(Canned::new("iogates", "sign-in", 401, "no").times(9));
    assert_hint(home, &["ls", "shared:/"], 4, &["share_url"], &["username", "password", "haul login"]);
}

#[test]
fn what_is_at_the_other_end() {
    let env = TestEnv::new();
    env.home.file("f.txt", "f");
    let set = |home: Home, key: &str, value: &str| home.env([(format!("HAUL_REMOTE_{key}"), value.to_owned())]);
    let TestEnv { sandbox, home, _runtime } = env;
    let home = set(home, "IOGATES_CA_FILE", "");
    // The FTP library of the stand-in breaks off a handshake now and then; a certificate that is not trusted ends the tries.
    let ftps = ["put", "--protocol=ftps", "--retries=5", "f.txt", "iogates:/"];
    assert_hint(&home, &ftps, 5, &["certificate is not trusted", "`ca_file`"], &[&SIGN_IN[..], &["insecure"]].concat());
    // Nobody listens there.
    let home = set(set(home, "GIGA0_URL", "http://127.0.0.1:1"), "FTP_URL", "ftp://127.0.0.1:1/");
    for args in [["put", "--retries=1", "f.txt", "giga0:/"], ["ls", "--retries=1", "-q", "giga0:/"], ["ls", "--retries=1", "-q", "ftp:/"]] {
        assert_hint(&home, &args, 5, &["127.0.0.1"], &neither());
    }
    // In clear to somebody else's machine.
    for (remote, key, clear) in [("fileago", "FILEAGO_URL", "http://files.example.com"), ("ftp", "FTP_URL", "ftp://files.example.com/")] {
        let home = set(Home::new().env(sandbox.env()), key, clear);
        assert_hint(&home, &["ls", &format!("{remote}:/")], 2, &["insecure=true"], &["haul login"]);
        let home = set(home, &format!("{}_INSECURE", remote.to_uppercase()), "true");
        assert_hint(&home, &["ls", "--retries=1", "--timeout=1s", &format!("{remote}:/")], 5, &[], &["insecure"]);
    }
    drop((sandbox, _runtime));
}

#[test]
fn what_the_server_does_not_want() {
    let env = TestEnv::new();
    let home = &env.home;
    home.file("f.txt", "f");
    let full = r#"{"status":"error","response":"You do not have enough storage space left.","_status":"error"}"#;
    env.sandbox.faults().answer(Canned::new("giga0", "file/upload", 200, full).times(9));
    assert_hint(home, &["put", "f.txt", "giga0:/"], 8, &["storage"], &neither());
    env.sandbox.faults().clear();
    let no = r#"{"status":"error","msg":"Permission denied"}"#;
    env.sandbox.faults().answer(Canned::new("fileago", "upload", 403, no).times(9));
    assert_hint(home, &["put", "f.txt", "fileago:/"], 8, &["ask the owner for permission", "`haul login fileago`"], &ADDRESS);
    env.sandbox.faults().clear();
    assert_hint(home, &["rm", "iogates:/f.txt"], 10, &["giga0", "can"], &neither());
    assert_hint(home, &["ls", "tus:/"], 10, &["can"], &neither());
    // All was sent, and does not show: where to look.
    env.sandbox.faults().script("giga0/file/upload:read-page*always").unwrap();
    let ran = assert_hint(home, &["put", "--retries=2", "f.txt", "giga0:/to look/"], 13, &["before putting it again"], &neither());
    env.sandbox.faults().clear();
    follow(home, &ran, "").ends_with(0);
}

#[test]
fn what_was_meant_otherwise() {
    let env = TestEnv::with_files("giga0", &["/a.txt"]);
    let home = &env.home;
    assert_hint(home, &["put", "giga0:/a.txt", "fileago:/"], 2, &["`haul cp`"], &neither());
    home.run(&["cp", "giga0:/a.txt", "fileago:/"]).ends_with(0);
    assert_hint(home, &["cp", "giga0:/a.txt", "./here"], 2, &["`haul get`"], &neither());
    assert_hint(home, &["cat", "--json", "giga0:/a.txt"], 2, &["`haul get`"], &neither());
    assert_hint(home, &["get", "giga0:/a.txt/"], 3, &["leave out the last slash"], &neither());
    // Which argument is missing is said in JSON, too.
    for args in [["remote", "check", "--json"], ["login", "--json", "-q"], ["tree", "--json", "-q"]] {
        let ran = home.run(&args).ends_with(2);
        assert!(ran.stdout.contains("needs REMOTE"), "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
}
