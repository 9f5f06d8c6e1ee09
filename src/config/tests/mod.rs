//! The configuration as a whole: which source wins, and what is said of mistakes.

#[cfg(test)]
pub(crate) mod fixtures;

mod secrets;

use std::fs;

use super::tests::fixtures::PROVIDERS;
use super::*;

/// A home folder of its own.
struct Home {
    dir: tempfile::TempDir,
    vars: Vec<(String, String)>,
    prompt: Option<Prompt>,
}

impl Home {
    fn new(config: &str) -> Home {
        let home = Home { dir: tempfile::tempdir().unwrap(), vars: Vec::new(), prompt: None };
        home.write("config.toml", config);
        home
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(".config/haul").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        chmod(&path, 0o600);
        path
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join(".config/haul/config.toml")
    }

    fn var(mut self, name: &str, value: impl Into<String>) -> Home {
        self.vars.push((name.to_owned(), value.into()));
        self
    }

    fn load_from(&self, explicit: Option<PathBuf>) -> Result<Config> {
        let env = Env::new(self.vars.clone()).at_home(self.dir.path());
        Config::load(LoadOptions { explicit, env: &env, options: &["jobs", "if-exists"], prompt: self.prompt.clone() }, PROVIDERS)
    }

    fn load(&self) -> Config {
        self.load_from(None).unwrap()
    }

    fn secret(&self, remote: &str, key: &str) -> Option<String> {
        self.load().remote(remote).unwrap().secrets().secret(key).unwrap().map(|s| s.expose().to_owned())
    }

    /// The failure's kind and text; the file's path is `FILE` in it.
    fn failure(&self) -> (Kind, String) {
        let e = self.load_from(None).err().unwrap();
        (e.kind(), e.to_string().replace(&self.config().display().to_string(), "FILE"))
    }
}

#[cfg(unix)]
fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn chmod(_: &Path, _: u32) {}

fn failure_text(config: &str) -> String {
    let (kind, text) = Home::new(config).failure();
    assert_eq!(kind, Kind::Usage);
    text
}

const STUDIO: &str = "[remotes.Studio]\nprovider = \"iogates\"\nusername = \"ann\"\n";

#[test]
fn the_file_is_found_in_order() {
    let home = Home::new(STUDIO);
    assert_eq!(home.load().remotes().len(), 1);
    let other = home.write("other.toml", "[remotes.a]\nprovider = \"giga0\"\n[remotes.b]\nprovider = \"YetiShare\"\n");
    let home = home.var("HAUL_CONFIG", other.display().to_string());
    let names = |config: &Config| config.remotes().iter().map(|r| (r.name.clone(), r.provider.id)).collect::<Vec<_>>();
    assert_eq!(names(&home.load()), [("a".to_owned(), "giga0"), ("b".to_owned(), "giga0")]);
    assert_eq!(names(&home.load_from(Some(home.config())).unwrap()), [("Studio".to_owned(), "iogates")]);
}

#[test]
fn a_missing_file_is_empty_unless_the_user_names_it() {
    let home = Home::new("").var("HAUL_CONFIG", "/nowhere/config.toml");
    assert!(home.load().remotes().is_empty());
    let e = home.load_from(Some("/nowhere/config.toml".into())).err().unwrap();
    assert_eq!((e.kind(), e.to_string().as_str()), (Kind::Usage, "/nowhere/config.toml: there is no such configuration file"));
    let without_home = Config::load(LoadOptions { explicit: None, env: &Env::default(), options: &[], prompt: None }, PROVIDERS).unwrap();
    assert_eq!(without_home.add_remote("a", &fixtures::IOGATES, &[]).unwrap_err().kind(), Kind::Usage);
}

#[test]
fn mistakes_in_the_file_name_line_column_and_the_nearest_word() {
    assert_eq!(
        failure_text("[remotes.a]\nprovider = \"iogates\"\nusrname = \"x\"\n"),
        "FILE, line 3, column 1: a remote of ioGates has no key `usrname`; write `username`"
    );
    assert_eq!(
        failure_text("[remotes.a]\nprovider = \"iogate\"\n"),
        "FILE, line 2, column 12: there is no provider `iogate`; write `iogates`"
    );
    assert_eq!(
        failure_text("\n[remotes.a]\nurl = \"x\"\n"),
        "FILE, line 2, column 10: the remote `a` has no `provider`; use one of: iogates, giga0"
    );
    assert_eq!(
        failure_text("[remotes.a]\nprovider = \"iogates\"\n\n[remotes.A]\nprovider = \"giga0\"\n"),
        "FILE, line 4, column 10: `a` and `A` are the same name: case does not count; rename one of them"
    );
    assert_eq!(
        failure_text("[remotes.\"a b\"]\nprovider = \"iogates\"\n"),
        "FILE, line 1, column 10: \"a b\" can't be a remote's name; use letters, digits, `-`, `_` and `.`"
    );
    assert_eq!(failure_text("[defaults]\n  jbos = 1\n"), "FILE, line 2, column 3: there is no option `jbos`; write `jobs`");
    assert_eq!(failure_text("[remote.a]\n"), "FILE, line 1, column 2: there is no key `remote` here; write `remotes`");
    let key = "[remotes.a]\nprovider = \"iogates\"\n";
    assert_eq!(
        failure_text(&format!("{key}username = 7\n")),
        "FILE, line 3, column 12: `username` must be a string, not a TOML number; write it in quotes: `username = \"…\"`"
    );
    assert_eq!(
        failure_text(&format!("{key}password = 12345\n")),
        "FILE, line 3, column 12: `password` must be a string, not a TOML number; write it in quotes: `password = \"…\"`"
    );
    assert_eq!(
        failure_text(&format!("{key}insecure = \"true\"\n")),
        "FILE, line 3, column 12: `insecure` must be a boolean, not a TOML string; write `insecure = true` or `insecure = false`"
    );
    assert_eq!(
        failure_text("[remotes.a]\nprovider = true\n"),
        "FILE, line 2, column 12: `provider` must be a string, not a TOML boolean; write it in quotes: `provider = \"…\"`"
    );
    assert_eq!(
        failure_text(&format!("{key}key1 = \"x\"\n")).split(';').next().unwrap(),
        "FILE, line 3, column 1: a remote of ioGates has no key `key1`"
    );
    assert_eq!(
        failure_text(&format!("{key}protocol = \"scp\"\n")),
        "FILE, line 3, column 12: there is no upload protocol \"scp\"; use tus, plupload, ftps, ftp, multipart or auto"
    );
}

#[test]
fn a_file_that_can_not_be_read_is_local() {
    let home = Home::new("").var("HAUL_CONFIG", "/");
    assert_eq!(home.failure().0, Kind::Local);
}

#[test]
fn a_remote_of_the_environment_alone() {
    let home = Home::new(STUDIO)
        .var("HAUL_REMOTE_MY_CI_PROVIDER", "YETISHARE")
        .var("HAUL_REMOTE_MY_CI_URL", "https://bob:url-password@x.example/api?k=v")
        .var("HAUL_REMOTE_MY_CI_PASSWORD", "swordfish")
        .var("HAUL_REMOTE_MY_CI_INSECURE", "Yes");
    let config = home.load();
    for name in ["my-ci", "MY_CI", "my.ci"] {
        assert_eq!(config.remote(name).unwrap().name, "my_ci");
    }
    let remote = config.remote("my-ci").unwrap();
    assert_eq!(remote.provider.id, "giga0");
    assert_eq!(crate::model::secret::mask("at bob:url-password@x"), "at bob:***@x");
    assert_eq!(remote.secrets().secret("password").unwrap().unwrap().expose(), "swordfish");
    assert!(remote.network(Duration::from_secs(9)).insecure);
    let line = serde_json::to_string(&remote.remote_line()).unwrap();
    assert_eq!(
        line,
        "{\"name\":\"my_ci\",\"provider\":\"giga0\",\"url\":\"https://***@x.example/api?***\",\"origin\":\"environment\",\
         \"settings\":{\"insecure\":\"true\",\"password\":\"***\",\"provider\":\"YETISHARE\",\"url\":\"https://***@x.example/api?***\"}}"
    );
    let e = config.remove_remote("my-ci").unwrap_err();
    assert_eq!(
        e.to_string(),
        "my-ci: this remote is not in the configuration file; change the variables HAUL_REMOTE_MY_CI_…, which make it"
    );
}

#[test]
fn single_keys_of_the_file_give_way_to_the_environment() {
    let home = Home::new(STUDIO).var("HAUL_REMOTE_studio_USERNAME", "bob").var("HAUL_REMOTE_STUDIO_CA_FILE", "ca.pem");
    let remote = home.load().remote("STUDIO").unwrap();
    assert_eq!(remote.name, "Studio");
    assert_eq!(remote.secrets().get("username").as_deref(), Some("bob"));
    assert_eq!(remote.network(Duration::ZERO).ca_file.unwrap(), Path::new("ca.pem"));
    assert_eq!(remote.remote_line().origin, "file and environment");
    assert_eq!(remote.remote_line().settings["username"], "bob");
    // The provider too: the rest of the remote is judged by the new one.
    let home = Home::new("[remotes.s]\nurl = \"https://x\"\nkey1 = \"kkkk\"\n").var("HAUL_REMOTE_S_PROVIDER", "giga0");
    assert_eq!(home.load().remote("s").unwrap().provider.id, "giga0");
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let told = |name: &str, value: &str| Home::new(STUDIO).var(name, value).failure();
    let usage = |text: &str| (Kind::Usage, text.to_owned());
    let no_provider = "HAUL_REMOTE_X_PROVIDER: there is no provider `gigao`; write `giga0`";
    assert_eq!(told("HAUL_REMOTE_X_PROVIDER", "gigao"), usage(no_provider));
    let (kind, text) = told("HAUL_REMOTE_STUDIO_KEY1", "secret-key");
    assert_eq!(kind, Kind::Usage);
    assert!(text.starts_with("HAUL_REMOTE_STUDIO_KEY1: a remote of ioGates has no key `key1`; use one of: username, password, "), "{text}");
    assert_eq!(told("HAUL_REMOTE_STUDIO_INSECURE", "si"), usage("HAUL_REMOTE_STUDIO_INSECURE: `insecure` must be true or false"));
    let both = Home::new("[remotes.a-b]\nprovider=\"iogates\"\n[remotes.a_b]\nprovider=\"iogates\"\n");
    assert_eq!(both.load().remotes().len(), 2);
    let both = both.var("HAUL_REMOTE_A_B_USERNAME", "x").failure();
    assert_eq!(both, usage("HAUL_REMOTE_A_B_USERNAME: this variable fits two remotes: `a-b` and `a_b`; rename one of them"));
}

#[test]
fn an_unknown_remote_is_not_found_and_the_nearest_named() {
    let home = Home::new(STUDIO).var("HAUL_REMOTE_OLD_PASSWORD", "swordfish");
    let told = |name: &str| home.load().remote(name).err().map(|e| (e.kind(), e.to_string())).unwrap();
    let near = "stduio: there is no such remote; write `Studio:`, or add it with `haul remote add stduio --provider PROVIDER`".to_owned();
    assert_eq!(told("stduio"), (Kind::NotFound, near));
    let far = "x: there is no such remote; add it with `haul remote add x --provider PROVIDER`; `haul remote list` shows those there are"
        .to_owned();
    assert_eq!(told("x"), (Kind::NotFound, far));
    let half = "old: the environment sets keys of this remote, but not its provider; set HAUL_REMOTE_OLD_PROVIDER".to_owned();
    assert_eq!(told("old"), (Kind::Usage, half));
}

#[test]
fn missing_plain_keys_are_reported_by_both_their_names() {
    let home = Home::new("[remotes.my-x]\nprovider = \"giga0\"\n[remotes.y]\nprovider = \"iogates\"\n");
    let told = home.load().remote("my-x").unwrap().check_complete().unwrap_err().to_string();
    assert_eq!(told, "my-x: this remote has no `url`: the site's address; run `haul remote set my-x url=…`, or set HAUL_REMOTE_MY_X_URL");
    home.load().remote("y").unwrap().check_complete().unwrap();
}

#[test]
fn commands_change_the_files_and_the_next_run_sees_it() {
    let home = Home::new("");
    fs::remove_dir_all(home.dir.path().join(".config")).unwrap();
    let config = home.load();
    config.add_remote("Studio", &fixtures::IOGATES, &[("username".to_owned(), "ann".to_owned())]).unwrap();
    config.save_credentials("Studio", "password", &Secret::new("hunter22")).unwrap();
    assert_eq!(home.secret("studio", "password").as_deref(), Some("hunter22"));
    let shown = serde_json::to_string(&home.load().remote("studio").unwrap().remote_line().settings).unwrap();
    assert_eq!(shown, "{\"provider\":\"iogates\",\"username\":\"ann\",\"password\":\"***\"}");
    home.load().remove_remote("STUDIO").unwrap();
    assert!(home.load().remotes().is_empty());
    assert!(!home.load().forget_credentials("studio").unwrap(), "the secret went with its remote");
}

#[test]
fn beside_a_device_there_are_no_credentials() {
    if cfg!(unix) {
        let config = Home::new("").var("HAUL_CONFIG", "/dev/null").load();
        assert_eq!(config.save_credentials("a", "password", &Secret::new("hunter22")).unwrap_err().kind(), Kind::Usage);
        assert_eq!(config.add_remote("a", &fixtures::IOGATES, &[]).unwrap_err().kind(), Kind::Usage);
    }
}
