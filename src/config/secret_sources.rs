//! The sources of a secret that take an action: read a file, run a command, ask the user. Each returns one line.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;

use super::private_file;
use super::single_line::ValueForm;
use crate::error::{Error, Kind, Result};
use crate::model::Secret;
use crate::model::escape::shorten;

/// Asks the user: gets the text to show, returns none when there is no terminal or nothing was typed.
pub type Prompt = Arc<dyn Fn(&str) -> Result<Option<Secret>> + Send + Sync>;

const WORDS_SHOWN: usize = 200;

/// Returns the first line of the file. Fails with `Usage` when it is missing, empty, or readable for other users.
pub(super) fn file(path: &Path, origin: &str, form: ValueForm) -> Result<Secret> {
    let missing = || Error::new(Kind::Usage, format!("there is no file {}", path.display())).with_subject(origin);
    let found = private_file::read(path)?.ok_or_else(missing)?;
    let secret = value(&found.text, origin, form);
    if found.open_to_others {
        return Err(private_file::too_open(path));
    }
    secret?.ok_or_else(|| Error::new(Kind::Usage, "the first line of this file is empty").with_subject(path.display().to_string()))
}

/// Returns the first line that `command` prints. The shell runs the command without standard input: a tool that must ask has
/// its own window or the terminal. Fails with `Auth` when the command gives no secret.
pub(super) fn command(command: &str, origin: &str, form: ValueForm) -> Result<Secret> {
    let failed = |why: String| Error::new(Kind::Auth, why).with_subject(origin);
    let output = shell(command)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| failed("the command for this secret can't be started".to_owned()).with_cause(e))?;
    // Registered as a secret before any message, so that not even our own error can show it.
    let secret = value(&String::from_utf8_lossy(&output.stdout), origin, form);
    if !output.status.success() {
        return Err(failed(format!("the command for this secret failed: {}", last_words(&output))));
    }
    if std::str::from_utf8(&output.stdout).is_err() {
        return Err(failed("the command for this secret printed something that is not UTF-8".to_owned()));
    }
    secret?.ok_or_else(|| failed("the command for this secret printed nothing".to_owned()))
}

#[cfg(not(windows))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

/// The command line is passed to `cmd` unchanged: `cmd` has its own rules for quotes.
#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    std::os::windows::process::CommandExt::raw_arg(shell.arg("/C"), command);
    shell
}

fn last_words(output: &Output) -> String {
    let words = shorten(&String::from_utf8_lossy(&output.stderr), WORDS_SHOWN);
    if words.is_empty() { output.status.to_string() } else { format!("{}: {words}", output.status) }
}

/// Removes the line end. `pass` and similar tools have the password in the first line and notes below.
fn value(text: &str, origin: &str, form: ValueForm) -> Result<Option<Secret>> {
    text.lines().take(if form == ValueForm::Line { 1 } else { usize::MAX }).for_each(|line| drop(Secret::new(line)));
    let line = form.beginning(text, origin)?;
    Ok((!line.is_empty()).then(|| Secret::new(line)))
}

static ONE_QUESTION_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A [`Prompt`] on the terminal, without echo. Returns none without a terminal. Fails with `Cancelled` at Ctrl-C.
pub fn ask_on_terminal(question: &str) -> Result<Option<Secret>> {
    let _turn = ONE_QUESTION_AT_A_TIME.lock();
    match rpassword::prompt_password(question) {
        Ok(typed) => value(&typed, question.trim_end_matches(": "), ValueForm::Line),
        Err(e) if e.kind() == std::io::ErrorKind::Interrupted => Err(Error::new(Kind::Cancelled, "interrupted")),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_command_gives_its_first_line() {
        assert_eq!(command("printf 'hunter22\\r\\nuser: ann\\n'", "x", ValueForm::Line).unwrap().expose(), "hunter22");
        assert_eq!(command("printf '  spaces stay '", "x", ValueForm::Line).unwrap().expose(), "  spaces stay ");
        assert_eq!(command("printf '\\357\\273\\277hunter23\\r'", "x", ValueForm::Line).unwrap().expose(), "hunter23");
        let typed = command("printf 'hunter24\\033[A\\n'", "HAUL_REMOTE_A_PASSWORD_COMMAND", ValueForm::Line).unwrap_err();
        assert_eq!(typed.kind(), Kind::Usage);
        let told = "HAUL_REMOTE_A_PASSWORD_COMMAND: it holds a control character (U+001B); write the value as one line of plain text";
        assert_eq!(typed.to_string(), told);
        assert_eq!(command("cat; echo no-input", "x", ValueForm::Line).unwrap().expose(), "no-input", "standard input must be empty");
    }

    #[test]
    fn a_failed_command_says_how_and_why() {
        let wrong = |text: &str| {
            let e = command(text, "c.toml, line 3, column 1", ValueForm::Line).unwrap_err();
            assert_eq!(e.kind(), Kind::Auth);
            e.to_string()
        };
        assert_eq!(
            wrong("echo half-a-secret; echo 'the vault\n is locked' >&2; exit 7"),
            "c.toml, line 3, column 1: the command for this secret failed: exit status: 7: the vault is locked"
        );
        assert_eq!(wrong("kill -9 $$"), "c.toml, line 3, column 1: the command for this secret failed: signal: 9 (SIGKILL)");
        assert_eq!(wrong("true"), "c.toml, line 3, column 1: the command for this secret printed nothing");
        assert!(wrong("no-such-program-here").contains("exit status: 127"));
        assert!(wrong("printf '\\377'").ends_with("not UTF-8"));
    }

    #[test]
    fn a_file_gives_its_first_line_if_nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let name = path.display();
        assert_eq!(file(&path, "KEY", ValueForm::Line).unwrap_err().to_string(), format!("KEY: there is no file {name}"));
        std::fs::write(&path, "hunter22\n").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let e = file(&path, "KEY", ValueForm::Line).unwrap_err();
            assert_eq!(e.kind(), Kind::Usage);
            assert!(e.to_string().ends_with(&format!("run `chmod 600 {name}`")), "{mode:o} {e}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(file(&path, "KEY", ValueForm::Line).unwrap().expose(), "hunter22");
        std::fs::remove_file(&path).unwrap();
        // What PowerShell's `>` writes.
        let wide: Vec<u8> = "hunter22\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (content, why) in [(&wide[..], "U+0000"), (b"hunter\x0122\n", "U+0001")] {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let e = file(&path, "KEY", ValueForm::Line).unwrap_err();
            assert_eq!((e.kind(), e.to_string().starts_with("KEY: it holds a control character")), (Kind::Usage, true), "{e}");
            assert!(e.to_string().contains(why) && !e.to_string().contains("hunter"), "{e}");
        }
        std::fs::write(&path, "apikey: hunter24\nx-upsert: true\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(file(&path, "KEY", ValueForm::Lines).unwrap().expose(), "apikey: hunter24\nx-upsert: true");
        std::fs::write(&path, "\u{feff}hunter22\r\nnotes").unwrap();
        assert_eq!(file(&path, "KEY", ValueForm::Line).unwrap().expose(), "hunter22");
        std::fs::write(&path, "\nsecond").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(file(&path, "KEY", ValueForm::Line).unwrap_err().kind(), Kind::Usage);
    }
}
