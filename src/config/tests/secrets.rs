//! Where a secret comes from, who is asked for it, and which files are refused.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Home, STUDIO, chmod};
use crate::error::Kind;
use crate::model::Secret;

/// Every source at once; then the first is taken away, and so on.
#[test]
fn secrets_come_from_the_first_source_that_has_them() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let mut home = Home::new("");
    home.prompt = Some(Arc::new(move |question: &str| {
        assert_eq!(question, "password of studio: ");
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Secret::new("by-prompt")))
    }));
    let in_env = home.write("in-env", "by-env-file\n");
    home.write("in-file", "by-file\n");
    home.write("credentials.toml", "[remotes.STUDIO]\npassword = \"by-credentials\"\n");
    let vars = [
        ("HAUL_REMOTE_STUDIO_PASSWORD", "by-env".to_owned(), "by-env"),
        ("HAUL_REMOTE_STUDIO_PASSWORD_FILE", in_env.display().to_string(), "by-env-file"),
        ("HAUL_REMOTE_STUDIO_PASSWORD_COMMAND", "echo by-env-command".to_owned(), "by-env-command"),
    ];
    home.vars = vars.iter().map(|(name, value, _)| ((*name).to_owned(), value.clone())).collect();
    let lines = [
        ("password_file = \"in-file\"", "by-file"),
        ("password_command = \"echo by-command\"", "by-command"),
        ("", "by-credentials"),
        ("password = \"by-plain\"", "by-plain"),
    ];
    let write = |home: &Home, from: usize| {
        let rest: Vec<&str> = lines.iter().skip(from).map(|(line, _)| *line).collect();
        home.write("config.toml", &format!("[remotes.studio]\nprovider = \"iogates\"\n{}\n", rest.join("\n")));
    };
    write(&home, 0);
    for (_, _, expected) in &vars {
        assert_eq!(home.secret("studio", "password").as_deref(), Some(*expected));
        home.vars.remove(0);
    }
    for (from, (line, expected)) in lines.iter().enumerate() {
        assert_eq!(home.secret("studio", "password").as_deref(), Some(*expected));
        if line.is_empty() {
            fs::remove_file(home.dir.path().join(".config/haul/credentials.toml")).unwrap();
        }
        assert!(home.load().remote("studio").unwrap().secrets().is_set("password"));
        write(&home, from + 1);
    }
    assert!(!home.load().remote("studio").unwrap().secrets().is_set("password"));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(home.secret("studio", "password").as_deref(), Some("by-prompt"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    home.prompt = None;
    assert_eq!(home.secret("studio", "password"), None);
}

#[test]
fn nobody_is_asked_twice_and_only_what_was_typed_is_for_keeping() {
    let mut home = Home::new("[remotes.s]\nprovider = \"giga0\"\nkey1_command = \"echo x >> runs; echo by-command\"\n");
    let runs = home.dir.path().join("runs");
    home.write("config.toml", &fs::read_to_string(home.config()).unwrap().replace("runs", runs.to_str().unwrap()));
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    home.prompt = Some(Arc::new(move |_: &str| Ok((counter.fetch_add(1, Ordering::SeqCst) > 0).then(|| Secret::new("typed-in")))));
    let remote = home.load().remote("s").unwrap();
    let (secrets, same) = (remote.secrets(), remote.clone().secrets());
    assert!(!runs.exists(), "nothing runs before it is needed");
    assert!(secrets.is_set("key1") && !secrets.is_set("password"));
    assert_eq!(secrets.secret("password").unwrap(), None, "an empty answer is none");
    for secrets in [&secrets, &same] {
        assert_eq!(secrets.secret("password").unwrap().unwrap().expose(), "typed-in");
        assert_eq!(secrets.secret("key1").unwrap().unwrap().expose(), "by-command");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(fs::read_to_string(&runs).unwrap(), "x\n");
    assert_eq!(remote.prompted_secret("password").unwrap().expose(), "typed-in");
    assert!(remote.prompted_secret("key1").is_none());
    remote.give("key1", Secret::new("given"));
    assert_eq!(secrets.secret("key1").unwrap().unwrap().expose(), "given");
    assert_eq!(remote.prompted_secret("key1").unwrap().expose(), "given");
}

#[test]
fn files_with_secrets_must_be_closed_to_others() {
    let plain = Home::new(STUDIO);
    chmod(&plain.config(), 0o644);
    assert_eq!(plain.load().remotes().len(), 1, "without a secret anybody may read it");
    let secret = Home::new(&format!("{STUDIO}password = \"hunter22\"\n"));
    chmod(&secret.config(), 0o640);
    let refused = "FILE: this file holds a password or token, but others may read or change it; run `chmod 600 FILE`".to_owned();
    assert_eq!(secret.failure(), (Kind::Usage, refused));
    chmod(&secret.config(), 0o600);
    assert_eq!(secret.secret("studio", "password").as_deref(), Some("hunter22"));

    let file = Home::new(&format!("{STUDIO}password_file = \"~/p w\"\n"));
    let path = file.dir.path().join("p w");
    fs::write(&path, "hunter22").unwrap();
    chmod(&path, 0o604);
    let e = file.load().remote("studio").unwrap().secrets().secret("password").unwrap_err();
    assert_eq!(e.hint().unwrap(), format!("run `chmod 600 '{}'`", path.display()));
    let kept = Home::new(STUDIO);
    chmod(&kept.write("credentials.toml", "[remotes.studio]\npassword = \"hunter22\"\n"), 0o644);
    assert!(kept.failure().1.ends_with("credentials.toml`"));
}

#[test]
fn a_failing_command_is_reported_by_its_line() {
    let home = Home::new(&format!("{STUDIO}password_command = \"echo locked >&2; exit 3\"\n"));
    let e = home.load().remote("studio").unwrap().secrets().secret("password").unwrap_err();
    let expected = format!("{}, line 4, column 20: the command for this secret failed: exit status: 3: locked", home.config().display());
    assert_eq!((e.kind(), e.to_string()), (Kind::Auth, expected));
}

/// A command in such a file would be run: a file that another user may write is refused by name, with or without a secret in
/// it.
#[test]
fn what_others_may_write_is_not_relied_on() {
    let text = "[remotes.s]\nprovider = \"iogates\"\nusername = \"ann\"\npassword_command = \"touch planted; echo x\"\n";
    for (what, mode) in [("", 0o777), ("", 0o770), ("config.toml", 0o666), ("config.toml", 0o620), ("credentials.toml", 0o606)] {
        let home = Home::new(text);
        home.write("credentials.toml", "# nothing is kept\n");
        let path = home.config().with_file_name(what);
        chmod(&path, mode);
        let e = home.load_from(None).err().unwrap();
        let path = path.display().to_string();
        let path = path.trim_end_matches('/');
        let said = format!("{path}: haul does not rely on this: others may change it; run `chmod go-w {path}`");
        assert_eq!((e.kind(), e.to_string()), (Kind::Usage, said));
        let written = home.load_from(Some(PathBuf::from("/dev/null")));
        assert!(written.is_ok(), "{what}: a device holds nothing");
    }
    let home = Home::new(text);
    chmod(&home.config(), 0o644);
    home.load();
    // Only the administrator can give a file away.
    if std::os::unix::fs::chown(home.config(), Some(4711), None).is_ok() {
        let e = home.load_from(None).err().unwrap();
        assert!(e.to_string().contains("it belongs to another user (uid 4711); run `chown -h 0 "), "{e}");
    }
}

#[test]
fn nothing_is_written_where_others_could_change_it() {
    let home = Home::new("");
    let config = home.load();
    chmod(home.config().parent().unwrap(), 0o777);
    let e = config.save_credentials("s", "password", &Secret::new("hunter22")).unwrap_err();
    assert!(e.kind() == Kind::Usage && e.to_string().contains("chmod go-w"), "{e}");
    assert!(!home.config().with_file_name("credentials.toml").exists());
}
