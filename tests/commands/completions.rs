//! `haul completions`: in the shells themselves, and haul's answers to them.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;

/// What a shell is told at the end of a line.
fn complete(home: &Home, shell: &str, line: &str) -> Vec<String> {
    let mut command = home.command(&[]);
    let output = command.env("_HAUL_COMPLETE", shell).env("_HAUL_COMPLETE_LINE", line).output().unwrap();
    Ran::of(output).ends_with(0).stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

/// The same question until the listing has come: another process looks, and nobody waits for that one.
fn until(home: &Home, line: &str, wanted: &[&str]) {
    let begun = Instant::now();
    loop {
        let found = complete(home, "fish", line);
        if found == wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{line}: {found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn remotes_and_paths_on_remotes_are_completed() {
    let env = TestEnv::with_files("giga0", &["/in/a b.mov", "/in/clips/c.mov", "/in/x.txt"]);
    assert_eq!(complete(&env.home, "fish", "haul ls gi"), ["giga0:"]);
    assert_eq!(complete(&env.home, "fish", "haul remote show io"), ["iogates"]);
    until(&env.home, "haul ls giga0:/in/", &["giga0:/in/a b.mov", "giga0:/in/clips/", "giga0:/in/x.txt"]);
    until(&env.home, "haul get giga0:in/c", &["giga0:in/clips/"]);
    assert_eq!(complete(&env.home, "bash", "haul ls giga0:/in/a"), ["/in/a\\ b.mov"], "bash divides words at colons");
    assert_eq!(complete(&env.home, "bash", "haul ls 'giga0:/in/a"), ["giga0:/in/a b.mov"]);
    // From memory: nobody asks again.
    let before = env.requests("giga0");
    complete(&env.home, "fish", "haul ls giga0:/in/");
    assert_eq!(env.requests("giga0"), before);
    assert!(complete(&env.home, "fish", "haul ls nowhere:/").is_empty());
}

/// A slow server, a wrong password, a command for a secret: the answer comes at once, and nothing is asked twice.
#[test]
fn nobody_waits_for_a_server_and_no_sign_in_is_repeated() {
    let env = TestEnv::with_files("giga0", &["/in/a.mov"]);
    env.script("giga0:slow=5000*always");
    let begun = Instant::now();
    assert!(complete(&env.home, "fish", "haul ls giga0:/in/").is_empty());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let find = |key: &str| env.sandbox.env().into_iter().find(|(k, _)| k == key).unwrap().1;
    let home = Home::new();
    let (url, user) = (find("HAUL_REMOTE_FILEAGO_URL"), find("HAUL_REMOTE_FILEAGO_USERNAME"));
    home.file(".config/haul/config.toml", format!("[remotes.work]\nprovider = \"fileago\"\nurl = \"{url}\"\nusername = \"{user}\"\n"));
    let wrong = |line: &str| {
        let mut command = home.command(&[]);
        command.env("_HAUL_COMPLETE", "fish").env("_HAUL_COMPLETE_LINE", line).env("HAUL_REMOTE_WORK_PASSWORD", "wrong").output().unwrap();
    };
    let begun = Instant::now();
    wrong("haul ls work:/");
    while env.requests("fileago") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody asked");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(1));
    let before = env.requests("fileago");
    wrong("haul ls work:/");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(env.requests("fileago"), before, "a refused sign-in is not repeated");
    let with_command = format!(
        "[remotes.work]\nprovider = \"fileago\"\nurl = \"{url}\"\nusername = \"{user}\"\npassword_command = \"touch ran; echo x\"\n"
    );
    let home = Home::new();
    home.file(".config/haul/config.toml", with_command);
    complete(&home, "fish", "haul ls work:/");
    std::thread::sleep(Duration::from_secs(1));
    assert!(!home.path().join("ran").exists(), "no command is run");
}

#[test]
fn each_shell_has_a_script() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "nushell"] {
        home.run(&["completions", shell]).ends_with(0).prints("_HAUL_COMPLETE");
    }
    home.run(&["completions", "tcsh"]).ends_with(2).says("bash");
}

fn is_there(shell: &str) -> bool {
    let found = Command::new(shell).arg("-c").arg("true").status().is_ok_and(|status| status.success());
    if !found {
        assert!(std::env::var_os("HAUL_TEST_REQUIRE_SERVERS").is_none(), "{shell} is missing");
        println!("skipped: there is no {shell}");
    }
    found
}

/// Runs `script` in a shell that finds haul under its name.
fn in_shell(home: &Home, shell: &str, script: &str) -> String {
    let haul = home.command(&[]);
    let folder = std::path::Path::new(haul.get_program()).parent().unwrap().to_owned();
    let mut command = Command::new(shell);
    command.arg("-c").arg(script).current_dir(home.path()).env_clear();
    command.envs(haul.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let path = std::env::join_paths([folder, "/usr/bin".into(), "/bin".into()]).unwrap();
    let output = command.env("PATH", path).env("TERM", "dumb").output().unwrap();
    assert!(output.stderr.is_empty(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The function that bash calls, with the words as readline divides them.
#[test]
fn bash_completes() {
    let env = TestEnv::with_files("giga0", &["/in/a b.mov", "/in/x.txt"]);
    if !is_there("bash") {
        return;
    }
    until(&env.home, "haul ls giga0:/in/", &["giga0:/in/a b.mov", "giga0:/in/x.txt"]);
    let ask = |words: &str, line: &str| {
        let script = format!(
            "source <(haul completions bash); COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); COMP_LINE={line}; COMP_POINT=${{#COMP_LINE}}; _haul; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        in_shell(&env.home, "bash", &script).trim_end().to_owned()
    };
    assert_eq!(ask("haul pu", "'haul pu'"), "put");
    assert_eq!(ask("haul ls gi", "'haul ls gi'"), "giga0:");
    assert_eq!(ask("haul ls giga0 : /in/x", "'haul ls giga0:/in/x'"), "/in/x.txt");
    assert_eq!(ask("haul ls giga0 : /in/a", "'haul ls giga0:/in/a'"), "/in/a\\ b.mov");
}

#[test]
fn fish_completes() {
    let env = TestEnv::with_files("giga0", &["/in/a b.mov", "/in/x.txt"]);
    if !is_there("fish") {
        return;
    }
    until(&env.home, "haul ls giga0:/in/", &["giga0:/in/a b.mov", "giga0:/in/x.txt"]);
    let ask = |line: &str| {
        let told = in_shell(&env.home, "fish", &format!("haul completions fish | source; complete -C '{line}'"));
        told.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ask("haul pu"), ["put"]);
    assert_eq!(ask("haul ls gig"), ["giga0:"]);
    assert_eq!(ask("haul ls giga0:/in/x"), ["giga0:/in/x.txt"]);
}

/// zsh completes only on a terminal: the function is given words as the line editor has them, and a `compadd` that tells.
#[test]
fn zsh_completes() {
    let env = TestEnv::with_files("giga0", &["/in/x.txt"]);
    if !is_there("zsh") {
        return;
    }
    until(&env.home, "haul ls giga0:/in/", &["giga0:/in/x.txt"]);
    let ask = |words: &str, current: usize| {
        let script = format!(
            "compdef() {{ }}; compadd() {{ print -l -- ${{(P)@[-1]}} }}; source <(haul completions zsh); words=({words}); CURRENT={current}; _haul"
        );
        in_shell(&env.home, "zsh", &script).trim_end().to_owned()
    };
    assert_eq!(ask("haul pu", 2), "put");
    assert_eq!(ask("haul ls gig", 3), "giga0:");
    assert_eq!(ask("haul ls giga0:/in/x", 3), "giga0:/in/x.txt");
}

/// The closure that nushell calls, in the nushell that `tests/servers/install-web.sh` fetches.
#[test]
fn nushell_completes() {
    let env = TestEnv::with_files("giga0", &["/in/a b.mov", "/in/x.txt"]);
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let servers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/npm/node_modules");
    let nu = servers.join(format!("@nushell/linux-{arch}/bin/nu"));
    if !is_there(nu.to_str().unwrap()) {
        return;
    }
    until(&env.home, "haul ls giga0:/in/", &["giga0:/in/a b.mov", "giga0:/in/x.txt"]);
    env.home.file("haul.nu", env.home.run(&["completions", "nushell"]).ends_with(0).stdout);
    let ask = |spans: &str| {
        let script = format!("source haul.nu; do $env.config.completions.external.completer [{spans}] | get value | to text");
        in_shell(&env.home, nu.to_str().unwrap(), &script).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ask("haul pu"), ["put"]);
    assert_eq!(ask("haul ls gig"), ["giga0:"]);
    assert_eq!(ask("haul ls giga0:/in/"), ["giga0:/in/a b.mov", "giga0:/in/x.txt"]);
}
