//! Questions in a terminal: the questions, the effect of an answer, and that nothing is drawn over a question.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::command::Home;
use crate::support::env::TestEnv;

/// A command in a terminal of its own (`script`, util-linux).
struct Terminal {
    child: Child,
    seen: Arc<Mutex<String>>,
    read: usize,
}

impl Terminal {
    /// None where there is no `script`.
    fn of(home: &Home, args: &[&str]) -> Option<Terminal> {
        if Command::new("script").arg("--version").output().is_err() {
            assert!(std::env::var_os("HAUL_TEST_REQUIRE_SERVERS").is_none(), "`script` (util-linux) is missing");
            println!("skipped: there is no `script` to give the command a terminal");
            return None;
        }
        let like = home.command(args);
        let line = format!("{} {}", like.get_program().to_string_lossy(), args.join(" "));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env_clear().current_dir(home.path());
        script.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let seen = Arc::new(Mutex::new(String::new()));
        let (mut out, to) = (child.stdout.take().unwrap(), seen.clone());
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = out.read(&mut piece) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..read]));
            }
        });
        Some(Terminal { child, seen, read: 0 })
    }

    /// What was shown since the last answer, up to these words.
    fn until(&mut self, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let seen = self.seen.lock().unwrap()[self.read..].to_owned();
            if let Some(at) = seen.find(words) {
                self.read += at + words.len();
                return seen;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{words:?} is not in {seen:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn types(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Its status, and what else was shown.
    fn ends(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap().code();
        std::thread::sleep(Duration::from_millis(100));
        let seen = self.seen.lock().unwrap()[self.read..].to_owned();
        (status, seen)
    }
}

/// A command that still asks would keep the pipes of the test open.
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// A remote `cloud` in a file, and its password.
fn cloud(env: &TestEnv, more: &str) -> (Home, String) {
    let find = |key: &str| env.sandbox.env().into_iter().find(|(k, _)| k == key).unwrap().1;
    let home = Home::new();
    let url = find("HAUL_REMOTE_GIGA0_URL");
    home.file(".config/haul/config.toml", format!("[remotes.cloud]\nprovider = \"giga0\"\nurl = \"{url}\"\n{more}"));
    (home, find("HAUL_REMOTE_GIGA0_PASSWORD"))
}

fn username(env: &TestEnv) -> String {
    env.sandbox.env().into_iter().find(|(k, _)| k == "HAUL_REMOTE_GIGA0_USERNAME").unwrap().1
}

/// A first minute: a closed port, a wrong password, and then all as it should be.
#[test]
fn a_new_remote_is_asked_for_step_by_step() {
    let env = TestEnv::new();
    let find = |key: &str| env.sandbox.env().into_iter().find(|(k, _)| k == key).unwrap().1;
    let (url, user, password) = (find("HAUL_REMOTE_GIGA0_URL"), username(&env), find("HAUL_REMOTE_GIGA0_PASSWORD"));
    let home = Home::new();
    let Some(mut terminal) = Terminal::of(&home, &["remote", "add"]) else { return };
    terminal.until("Which provider is it?");
    terminal.until("Its number or name: ");
    terminal.types("dropbox\n");
    terminal.until("there is no such provider");
    terminal.until("Its number or name: ");
    terminal.types("2\n");
    terminal.until("as in NAME:PATH? [giga0]: ");
    terminal.types("cloud\n");
    terminal.until("[https://cloud.giga0.com]: ");
    terminal.types("http://127.0.0.1:1\n");
    terminal.until("can't be reached");
    terminal.until("[http://127.0.0.1:1]: ");
    terminal.types(&format!("{url}\n"));
    terminal.until("ok    ");
    terminal.until("User name");
    terminal.types(&format!("{user}\n"));
    terminal.until("1, 2 or 3 [1]: ");
    terminal.types("my-s3cret\n");
    let again = terminal.until("1, 2 or 3 [1]: ");
    assert!(again.contains("answer 1, 2 or 3"), "{again}");
    terminal.types("\n");
    terminal.until("password of cloud: ");
    terminal.types("wrong\n");
    let refused = terminal.until("Add this remote all the same? [y/N] ");
    assert!(refused.contains("refused the sign-in"), "{refused}");
    terminal.types("\n");
    terminal.until("User name");
    terminal.types(&format!("{user}\n"));
    terminal.until("1, 2 or 3 [1]: ");
    terminal.types("1\n");
    terminal.until("password of cloud: ");
    terminal.types(&format!("{password}\n"));
    terminal.until("added  cloud to ");
    let (status, said) = terminal.ends();
    assert!(status == Some(0) && said.contains("next: haul ls cloud:"), "{status:?} {said}");
    home.run(&["ls", "cloud:"]).ends_with(0);
    assert!(!std::fs::read_to_string(home.path().join(".config/haul/config.toml")).unwrap().contains(&password));
}

/// Each provider by answers alone, from its name to a remote that works.
#[test]
fn every_provider_can_be_added_by_answers() {
    let env = TestEnv::new();
    let sandbox: std::collections::HashMap<String, String> = env.sandbox.env().into_iter().collect();
    for provider in haul::providers::REGISTRY {
        let told = |key: &str| sandbox.get(&format!("HAUL_REMOTE_{}_{key}", provider.id.to_uppercase()));
        let home = Home::new();
        let mut args = vec!["remote".to_owned(), "add".to_owned()];
        args.extend(told("CA_FILE").filter(|_| provider.id == "ftp").map(|file| format!("ca_file={file}")));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let Some(mut terminal) = Terminal::of(&home, &args) else { return };
        terminal.until("Its number or name: ");
        terminal.types(&format!("{}\n", provider.id));
        terminal.until("as in NAME:PATH? [");
        terminal.types("mine\n");
        terminal.until("Address: ");
        terminal.types(&format!("{}\n", told("URL").unwrap()));
        terminal.until("ok    ");
        if let Some(user) = told("USERNAME") {
            terminal.until("User name");
            terminal.types(&format!("{user}\n"));
        }
        terminal.until("1, 2 or 3 [1]: ");
        terminal.types("\n");
        let secret = if told("PASSWORD").is_some() { "password" } else { "token" };
        terminal.until(&format!("{secret} of mine"));
        terminal.types(&format!("{}\n", told(&secret.to_uppercase()).unwrap()));
        terminal.until("added  mine to ");
        assert_eq!(terminal.ends().0, Some(0), "{}", provider.id);
        home.file("x.txt", "x");
        home.run(&["put", "-q", "x.txt", "mine:/"]).ends_with(0);
    }
}

/// Enter at each question leaves nothing to sign in with: haul says what to enter, and not to go to a terminal.
#[test]
fn a_person_who_enters_nothing_is_told_what_to_enter() {
    let env = TestEnv::new();
    let url = env.sandbox.env().into_iter().find(|(key, _)| key == "HAUL_REMOTE_IOGATES_URL").unwrap().1;
    let home = Home::new();
    let url = format!("url={url}");
    let Some(mut terminal) = Terminal::of(&home, &["remote", "add", "mine", "--provider", "iogates", &url]) else { return };
    terminal.until("User name");
    terminal.types("\n");
    let said = terminal.until("Add this remote all the same? [y/N] ");
    let says = "enter a user name and its password, the link of a share, or a token";
    assert!(said.replace("\r\n", "").contains(says) && !said.contains("in a terminal"), "{said}");
    terminal.types("\n");
    terminal.until("User name");
}

/// The password stays with its command, and what was given as arguments is not asked for.
#[test]
fn only_what_is_missing_is_asked_for() {
    let env = TestEnv::new();
    let find = |key: &str| env.sandbox.env().into_iter().find(|(k, _)| k == key).unwrap().1;
    let home = Home::new();
    home.file("secret", find("HAUL_REMOTE_GIGA0_PASSWORD"));
    let url = format!("url={}", find("HAUL_REMOTE_GIGA0_URL"));
    let Some(mut terminal) = Terminal::of(&home, &["remote", "add", "cloud", "-p", "yetishare", &url]) else { return };
    let before = terminal.until("User name");
    assert!(!before.contains("Which") && !before.contains("Address"), "{before}");
    terminal.types(&format!("{}\n", username(&env)));
    terminal.until("1, 2 or 3 [1]: ");
    terminal.types("2\n");
    terminal.until("The command that prints the password: ");
    terminal.types("cat secret\n");
    terminal.until("next: haul ls cloud:");
    assert_eq!(terminal.ends().0, Some(0));
    home.run(&["ls", "cloud:"]).ends_with(0);
    let config = std::fs::read_to_string(home.path().join(".config/haul/config.toml")).unwrap();
    assert!(
        config.contains("password_command = \"cat secret\"") && !home.path().join(".config/haul/credentials.toml").exists(),
        "{config}"
    );
}

#[test]
fn login_asks_for_name_and_password_though_something_is_kept() {
    let env = TestEnv::new();
    let (home, password) = cloud(&env, "");
    let user = username(&env);
    let Some(mut terminal) = Terminal::of(&home, &["login", "cloud"]) else { return };
    terminal.until("username of cloud: ");
    terminal.types(&format!("{user}\n"));
    terminal.until("password of cloud: ");
    terminal.types("wrong\n");
    let (status, said) = terminal.ends();
    assert_eq!(status, Some(4), "{said}");
    assert!(!said.contains("haul login"), "{said}");
    let mut terminal = Terminal::of(&home, &["login", "cloud"]).unwrap();
    terminal.until("username of cloud: ");
    terminal.types(&format!("{user}\n"));
    terminal.until("password of cloud: ");
    terminal.types(&format!("{password}\n"));
    assert_eq!(terminal.ends().0, Some(0));
    // Both are kept, and yet asked for again; Enter keeps the name.
    home.run(&["ls", "cloud:"]).ends_with(0);
    let mut terminal = Terminal::of(&home, &["login", "cloud"]).unwrap();
    terminal.until(&format!("username of cloud [{user}]: "));
    terminal.types("\n");
    terminal.until("password of cloud: ");
    terminal.types(&format!("{password}\n"));
    let (status, said) = terminal.ends();
    assert!(status == Some(0) && !said.contains(&password), "{said}");
}

/// Nobody is there to be asked: the refused secret is named, and the advice is none that was just followed.
#[test]
fn login_says_which_secret_was_refused() {
    let env = TestEnv::new();
    let (home, _) = cloud(&env, &format!("username = \"{}\"\n", username(&env)));
    let credentials = home.file(".config/haul/credentials.toml", "[remotes.cloud]\npassword = \"stale-secret\"\n");
    std::fs::set_permissions(credentials, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let ran = home.run(&["login", "cloud"]).ends_with(4).says("the password from `haul login` was refused").says("--password-stdin");
    assert!(!ran.stderr.contains("run `haul login"), "{}", ran.stderr);
    let wrong = home.command(&["login", "cloud"]).env("HAUL_REMOTE_CLOUD_PASSWORD", "other-stale-secret").output().unwrap();
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.status.code() == Some(4) && said.contains("the password from HAUL_REMOTE_CLOUD_PASSWORD was refused"), "{said}");
    let (bare, _) = cloud(&env, "");
    let ran = bare.run(&["login", "cloud"]).ends_with(4);
    assert!(!ran.stderr.contains("run `haul login"), "{}", ran.stderr);
}

#[test]
fn nothing_is_drawn_over_the_question_of_a_put() {
    let env = TestEnv::new();
    let (home, password) = cloud(&env, &format!("username = \"{}\"\n", username(&env)));
    home.file("a.txt", "content");
    let Some(mut terminal) = Terminal::of(&home, &["put", "a.txt", "cloud:/"]) else { return };
    terminal.until("password of cloud: ");
    // Ten frames would have been drawn.
    std::thread::sleep(Duration::from_millis(1_000));
    let meanwhile = terminal.seen.lock().unwrap()[terminal.read..].to_owned();
    assert_eq!(meanwhile, "");
    terminal.types(&format!("{password}\n"));
    assert_eq!(terminal.ends().0, Some(0));
    assert_eq!(env.arrivals("giga0").len(), 1);
}

/// A place by its URL has no remote that could hold a password.
#[test]
fn the_password_of_a_place_by_url_is_asked_for() {
    let env = TestEnv::new();
    let find = |key: &str| env.sandbox.env().into_iter().rfind(|(k, _)| k == key).unwrap().1;
    let (url, user, password) = (find("HAUL_REMOTE_FTP_URL"), find("HAUL_REMOTE_FTP_USERNAME"), find("HAUL_REMOTE_FTP_PASSWORD"));
    env.add_files("ftp", &["/in/a.txt"]);
    let home = Home::new().env([("SSL_CERT_FILE".to_owned(), find("HAUL_REMOTE_FTP_CA_FILE"))]);
    let place = format!("{}/in/", url.trim_end_matches('/').replacen("://", &format!("://{user}@"), 1));
    let Some(mut terminal) = Terminal::of(&home, &["ls", &place]) else { return };
    terminal.until("assword");
    terminal.types(&format!("{password}\n"));
    let (status, seen) = terminal.ends();
    assert_eq!(status, Some(0), "{seen}");
    assert!(seen.contains("a.txt") && !seen.contains(&password), "{seen}");

    let Some(mut terminal) = Terminal::of(&home, &["ls", &place]) else { return };
    terminal.until("assword");
    terminal.types("wrong\n");
    let (status, seen) = terminal.ends();
    assert_eq!(status, Some(4), "{seen}");
}
