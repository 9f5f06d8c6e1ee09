//! The environment, the home folder, and the system's folders for configuration and state. They are read once at start and
//! passed on as a value; tests make their own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;

use super::single_line::ValueForm;
use crate::error::{Error, Kind, Result};

/// No `Debug`, because an environment contains secrets.
#[derive(Clone, Default)]
pub struct Env {
    /// Shared, because every remote keeps a copy.
    vars: Arc<BTreeMap<String, OsString>>,
    home: Option<PathBuf>,
    config_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
}

impl Env {
    /// The environment of this process. Variables whose name is not UTF-8 are left out, as haul has none of that kind.
    pub fn of_process() -> Env {
        let mut env = Env::new(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))));
        // Without a home (some containers) there is no file to read and no folder for state; that alone is no failure.
        if let Ok(system) = etcetera::base_strategy::choose_native_strategy() {
            env.home = Some(system.home_dir().to_owned());
            env.config_dir = Some(system.config_dir().join("haul"));
            // macOS and Windows have no folder for state: the next best is the folder for data of this machine.
            let state = system.state_dir().unwrap_or_else(|| if cfg!(windows) { system.cache_dir() } else { system.data_dir() });
            env.state_dir = Some(state.join("haul"));
        }
        if let Some(own) = env.path("HAUL_STATE_DIR") {
            env.state_dir = Some(own);
        }
        env
    }

    /// An environment of these variables only, without folders.
    pub fn new<K: Into<String>, V: Into<OsString>>(vars: impl IntoIterator<Item = (K, V)>) -> Env {
        Env { vars: vars.into_iter().map(|(k, v)| (k.into(), v.into())).collect::<BTreeMap<_, _>>().into(), ..Env::default() }
    }

    /// The folder for `config.toml`; none when the system has no home folder.
    pub fn config_dir(&self) -> Option<&Path> {
        self.config_dir.as_deref()
    }

    /// The folder for tokens and records: `HAUL_STATE_DIR`, else the system's; none when the system has no home folder.
    pub fn state_dir(&self) -> Option<&Path> {
        self.state_dir.as_deref()
    }

    /// The names of variables that begin with `prefix` and are not empty.
    pub fn names_beginning_with(&self, prefix: &str) -> Vec<&str> {
        self.vars
            .range(prefix.to_owned()..)
            .take_while(|(name, _)| name.starts_with(prefix))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// A variable that is set and not empty: a missing secret of a CI system becomes an empty text.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.vars.get(name).filter(|v| !v.is_empty()).map(PathBuf::from)
    }

    /// A variable of one line. Fails with `Usage` when the value is no single line of UTF-8.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>> {
        let value = self.vars.get(name).map(|value| readable(name, value)).transpose()?;
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Variables that begin with `prefix` and are not empty: full name and value, in the order of names. A line end at the end
    /// of a value is dropped. Fails with `Usage` when a value is not UTF-8 or has several lines (for a key that takes several:
    /// when they are not plain text).
    pub(super) fn beginning_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Result<(&'a str, &'a str)>> {
        let ours = self.vars.range(prefix.to_owned()..).take_while(move |(name, _)| name.starts_with(prefix));
        let read = ours.map(|(name, value)| Ok((name.as_str(), readable(name, value)?)));
        read.filter(|ours: &Result<(&str, &str)>| ours.as_ref().is_ok_and(|(_, value)| !value.is_empty()) || ours.is_err())
    }

    /// Resolves a path: `~` and `~/…` to the home folder, other relative paths below `base`.
    pub(super) fn resolve(&self, text: &str, base: &Path) -> PathBuf {
        match (text.strip_prefix('~'), &self.home) {
            (Some(""), Some(home)) => home.clone(),
            (Some(rest), Some(home)) if rest.starts_with(std::path::is_separator) => {
                home.join(rest.trim_start_matches(std::path::is_separator))
            }
            _ => base.join(text),
        }
    }

    #[cfg(test)]
    pub(crate) fn at_home(mut self, home: &Path) -> Env {
        self.home = Some(home.to_owned());
        self.config_dir = Some(home.join(".config/haul"));
        self
    }
}

fn readable<'a>(name: &str, value: &'a OsStr) -> Result<&'a str> {
    let text = value.to_str().ok_or_else(|| Error::new(Kind::Usage, "the value of this variable is not UTF-8").with_subject(name))?;
    ValueForm::of_variable(name).whole(text, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_variables_are_not_set() {
        let env = Env::new([
            ("HAUL_CONFIG", ""),
            ("HAUL_REMOTE_A_URL", ""),
            ("HAUL_REMOTE_B_URL", "x"),
            ("HAUL_REMOTE_C_URL", "\r\n"),
            ("HAUL_REMOTF", "y"),
        ]);
        assert_eq!(env.path("HAUL_CONFIG"), None);
        let ours: Vec<_> = env.beginning_with("HAUL_REMOTE_").map(Result::unwrap).collect();
        assert_eq!(ours, [("HAUL_REMOTE_B_URL", "x")]);
    }

    #[test]
    fn paths_under_home_and_beside_the_file() {
        let env = Env::default().at_home(Path::new("/home/ann"));
        let base = Path::new("/etc/haul");
        assert_eq!(env.resolve("~/ca.pem", base), Path::new("/home/ann/ca.pem"));
        assert_eq!(env.resolve("~", base), Path::new("/home/ann"));
        assert_eq!(env.resolve("~bob/ca.pem", base), Path::new("/etc/haul/~bob/ca.pem"));
        assert_eq!(env.resolve("ca.pem", base), Path::new("/etc/haul/ca.pem"));
        assert_eq!(env.resolve("/ca.pem", base), Path::new("/ca.pem"));
    }

    /// The folders come from the environment of a process, so another process looks them up.
    #[cfg(target_os = "linux")]
    #[test]
    fn folders_of_this_system() {
        const CHILD: &str = "HAUL_TEST_SHOWS_FOLDERS";
        if std::env::var_os(CHILD).is_some() {
            let env = Env::of_process();
            println!("[{} {}]", env.config_dir().unwrap().display(), env.state_dir().unwrap().display());
            return;
        }
        let shown_with = |config: &str, state: &str, own: &str| {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "--nocapture", "config::env::tests::folders_of_this_system"]);
            child.env(CHILD, "1").env("HOME", "/h").env("XDG_CONFIG_HOME", config).env("XDG_STATE_HOME", state).env("HAUL_STATE_DIR", own);
            let out = String::from_utf8(child.output().unwrap().stdout).unwrap();
            let line = out.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(line, _)| line.to_owned());
            line.unwrap_or(out)
        };
        let shown = |config: &str, state: &str| shown_with(config, state, "");
        assert_eq!(shown("/c", "/s"), "/c/haul /s/haul");
        assert_eq!(shown_with("/c", "/s", "/own"), "/c/haul /own");
        assert_eq!(shown("", "relative"), "/h/.config/haul /h/.local/state/haul");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_reported_by_its_name() {
        use std::os::unix::ffi::OsStringExt;
        let env = Env::new([("HAUL_REMOTE_A_URL", OsString::from_vec(vec![0xff]))]);
        let e = env.beginning_with("HAUL_REMOTE_").next().unwrap().unwrap_err();
        assert_eq!(e.kind(), Kind::Usage);
        assert_eq!(e.to_string(), "HAUL_REMOTE_A_URL: the value of this variable is not UTF-8");
    }
}
