//! A real terminal: tmux, which re-wraps its lines when its window changes, as most terminals do.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::command::Home;

pub struct TmuxScreen {
    /// The name of its own server.
    socket: String,
}

impl TmuxScreen {
    /// Runs a shell line in a window of that size. None if there is no tmux.
    pub fn of(home: &Home, (columns, rows): (u16, u16), line: &str) -> Option<TmuxScreen> {
        if Command::new("tmux").arg("-V").output().is_err() {
            assert!(std::env::var_os("HAUL_TEST_REQUIRE_SERVERS").is_none(), "tmux is missing");
            println!("skipped: there is no tmux");
            return None;
        }
        // The name of a server that is ending may still be in use.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let socket = home.path().join(format!("tmux-{}", COUNT.fetch_add(1, Ordering::Relaxed))).to_string_lossy().into_owned();
        let like = home.command(&[]);
        // The window stays after the command, also after Ctrl-C, which the shell receives as well. The cursor is at the bottom
        // of the window, as in a terminal that was used before.
        let script = home.file(
            "run.sh",
            format!("trap : INT\ncd {}\nseq -f 'before %g' 1 60\n{line}\necho \"[ended $?]\"\nexec sleep 600\n", home.path().display()),
        );
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &socket, "-f", "/dev/null", "new-session", "-d", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        tmux.args(["sh", script.to_str().unwrap()]).env_clear();
        let own = std::path::Path::new(env!("CARGO_BIN_EXE_haul")).parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        tmux.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        tmux.env("PATH", format!("{}:{path}", own.display()))
            .env("TERM", "screen-256color")
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8");
        let started = tmux.output().unwrap();
        assert!(started.status.success(), "{started:?}");
        Some(TmuxScreen { socket })
    }

    fn tmux(&self, args: &[&str]) -> Output {
        Command::new("tmux").args(["-S", &self.socket]).args(args).output().unwrap()
    }

    /// The visible output of the command, without lines that have scrolled away.
    pub fn shows(&self) -> String {
        let shown = String::from_utf8(self.tmux(&["capture-pane", "-p"]).stdout).unwrap();
        let own = shown.rsplit_once("before 60\n").map_or(&*shown, |(_, own)| own);
        own.trim_end().to_owned()
    }

    /// The same with its colours.
    pub fn shows_coloured(&self) -> String {
        String::from_utf8(self.tmux(&["capture-pane", "-p", "-e"]).stdout).unwrap()
    }

    /// The visible output as soon as `fits` accepts it.
    #[track_caller]
    pub fn until(&self, fits: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let shown = self.shows();
            if fits(&shown) {
                return shown;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "it does not come:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn resize(&self, columns: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string()]);
    }

    pub fn types(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }
}

impl Drop for TmuxScreen {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
