//! Mistakes in the arguments, reported in one line as every other failure: what is wrong, and what to write instead.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::tree::is_short_help;
use crate::error::{Error, Kind};

/// Words of other tools, and ours. The rest of a line is an option.
const COMMANDS: &[(&str, &str)] = &[
    ("upload", "put"),
    ("push", "put"),
    ("send", "put"),
    ("download", "get"),
    ("fetch", "get"),
    ("pull", "get"),
    ("delete", "rm"),
    ("del", "rm"),
    ("remove", "rm"),
    ("erase", "rm"),
    ("unlink", "rm"),
    ("deletefile", "rm"),
    ("rmdir", "rm -r"),
    ("purge", "rm -r"),
    ("move", "mv"),
    ("moveto", "mv"),
    ("rename", "mv"),
    ("ren", "mv"),
    ("list", "ls"),
    ("dir", "ls"),
    ("ll", "ls -l"),
    ("lsl", "ls -l"),
    ("lsf", "ls -R"),
    ("lsjson", "ls --json"),
    ("copy", "cp"),
    ("copyto", "cp"),
    ("mirror", "sync"),
    ("rsync", "sync"),
    ("size", "du"),
    ("df", "about"),
    ("quota", "about"),
    ("whoami", "about"),
    ("info", "stat"),
    ("config", "remote add"),
    ("configure", "remote add"),
    ("init", "remote add"),
    ("setup", "remote add"),
    ("add", "remote add"),
    ("remotes", "remote list"),
    ("listremotes", "remote list"),
    ("auth", "login"),
    ("signin", "login"),
    ("signout", "logout"),
    ("url", "link"),
    ("publiclink", "link"),
    ("md", "mkdir"),
    ("resume", "transfers resume"),
    ("jobs", "transfers list"),
    ("search", "find"),
    ("locate", "find"),
    ("type", "cat"),
    ("check", "remote check"),
    ("test", "remote check"),
    ("ping", "remote check"),
    ("favourite", "star"),
    ("favorite", "star"),
    ("completion", "completions"),
    ("manual", "man"),
    ("errors", "help errors"),
];

/// The same below `haul remote`.
const REMOTE_COMMANDS: &[(&str, &str)] = &[
    ("rm", "remove"),
    ("del", "remove"),
    ("delete", "remove"),
    ("forget", "remove"),
    ("ls", "list"),
    ("mv", "rename"),
    ("ren", "rename"),
    ("move", "rename"),
    ("new", "add"),
    ("create", "add"),
    ("edit", "set"),
    ("update", "set"),
    ("change", "set"),
    ("config", "set"),
    ("info", "show"),
    ("get", "show"),
    ("test", "check"),
    ("ping", "check"),
];

const TRANSFERS: &[&str] = &["put", "get", "cp", "mv", "cat"];
const LISTINGS: &[&str] = &["ls", "du", "find", "tree", "stat"];

/// Options of other tools: for which commands, the option, and what to write instead.
const OPTIONS: &[(&[&str], &[&str], &str)] = &[
    (&["rm"], &["-f", "--force"], "write `--yes`: then nothing is asked"),
    (TRANSFERS, &["-f", "--force", "--overwrite"], "write `--if-exists replace`"),
    (TRANSFERS, &["--ignore-existing", "--skip-existing", "--no-clobber"], "write `--if-exists skip`"),
    (TRANSFERS, &["--transfers", "--parallel", "--concurrency", "--threads"], "write `--jobs`"),
    (TRANSFERS, &["--limit-rate", "--bandwidth", "--max-rate"], "write `--bwlimit`"),
    (&["put", "cp"], &["--delete"], "write haul sync --delete FROM TO"),
    (&["ls"], &["-t"], "write `--sort time`"),
    (&["ls"], &["-S"], "write `--sort size`"),
    (&["ls"], &["-a", "-A", "--all"], "leave it out: all entries are listed anyway"),
    (&["ls"], &["-1"], "leave it out: each name has a line of its own anyway"),
    (LISTINGS, &["--human-readable", "--human"], "leave it out: sizes are readable anyway, `--bytes` shows exact ones"),
    (&["find"], &["-name"], "write `--name`"),
    (&["find"], &["-type"], "write `--kind file` or `--kind folder`"),
    (&["find"], &["-size"], "write `--size`"),
];

/// Help and version come back as they are.
pub fn explain_mistake(error: clap::Error, args: &[OsString], tree: &Command) -> Result<clap::Error, Error> {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Ok(error);
    }
    let (command, path) = find_command(args, tree);
    let words = std::iter::once("haul").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let usage = |message: String| Error::new(Kind::Usage, message);
    let see_help = format!("see `{words} --help`");
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    Err(match (error.kind(), context(ContextKind::InvalidArg), context(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, _, Some(typed)) => no_command(&typed, command, &words),
        (ErrorKind::UnknownArgument, Some(typed), _) if typed.starts_with('-') => {
            usage(format!("`{words}` has no option `{typed}`")).with_hint(other_option(&typed, command, &path, &error).unwrap_or(see_help))
        }
        (ErrorKind::UnknownArgument, Some(typed), _) => {
            usage(format!("`{words}` takes no further argument: {typed:?}")).with_hint(see_help)
        }
        (ErrorKind::MissingRequiredArgument, ..) => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(missing)) => missing.iter().map(|arg| strip_style(arg)).collect::<Vec<_>>().join(" "),
                _ => String::new(),
            };
            usage(format!("`{words}` needs {missing}"))
                .with_hint(format!("write it as {}; see `{words} --help`", usage_line(command, &words)))
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(option), _) => {
            wrong_value(&error, &option, args, tree).with_hint(see_help)
        }
        _ => usage(first_line(&error)).with_hint(see_help),
    })
}

/// `-h` beside a place was meant as in `ls -lh`: sizes that people read.
pub fn human_sizes(args: &[OsString], tree: &Command) -> Option<Error> {
    let (_, path) = find_command(args, tree);
    let verb = path.first().filter(|verb| LISTINGS.contains(&verb.as_str()))?;
    let typed: Vec<&OsString> = args.iter().skip(1).take_while(|arg| *arg != "--").filter(|arg| *arg != verb.as_str()).collect();
    let is_meant = typed.iter().any(|arg| is_short_help(arg) && arg.len() > 2)
        || typed.iter().any(|arg| is_short_help(arg)) && typed.iter().any(|arg| arg.to_string_lossy().contains(':'));
    if !is_meant {
        return None;
    }
    let without: Vec<String> = typed
        .iter()
        .filter_map(|arg| {
            let text = if is_short_help(arg) { arg.to_string_lossy().replace('h', "") } else { arg.to_string_lossy().into_owned() };
            (text != "-").then_some(text)
        })
        .collect();
    let line = std::iter::once("haul").chain([verb.as_str()]).chain(without.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let hint = format!("write `{line}`; --bytes shows exact sizes, --help shows help");
    Some(Error::new(Kind::Usage, "`-h` is help, and sizes are readable anyway").with_hint(hint))
}

/// The command that the words lead to, as far as they do.
fn find_command<'t>(args: &[OsString], tree: &'t Command) -> (&'t Command, Vec<String>) {
    let (mut command, mut path) = (tree, Vec::new());
    for word in args.iter().skip(1).filter_map(|arg| arg.to_str()).take_while(|arg| *arg != "--").filter(|arg| !arg.starts_with('-')) {
        match command.find_subcommand(word) {
            Some(sub) => {
                command = sub;
                path.push(sub.get_name().to_owned());
            }
            None if path.is_empty() && command.has_subcommands() && !word.contains(':') => {}
            None => break,
        }
    }
    (command, path)
}

/// `within` is the command that `words` lead to.
pub fn no_command(typed: &str, within: &Command, words: &str) -> Error {
    let no = |message: String| Error::new(Kind::Usage, message);
    let is_top = words == "haul";
    let theirs: &[(&str, &str)] = match words {
        "haul" => COMMANDS,
        "haul remote" => REMOTE_COMMANDS,
        _ => &[],
    };
    let error = no(format!("there is no command `{}`", if is_top { typed.to_owned() } else { format!("{words} {typed}") }));
    let ours = theirs.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(typed)).map(|(_, ours)| (*ours).to_owned());
    let known: Vec<&str> = within.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name).collect();
    let exists = |ours: &String| ours.split(' ').next().is_some_and(|first| known.contains(&first));
    match ours.filter(exists).or_else(|| nearest_word(typed, &known)) {
        Some(ours) => {
            let about =
                ours.split(' ').try_fold(within, |at, word| if word.starts_with('-') { Some(at) } else { at.find_subcommand(word) });
            let about = about.and_then(Command::get_about).map(|about| format!(" ({about})")).unwrap_or_default();
            error.with_hint(format!("write `{words} {ours}`{about}"))
        }
        None if typed.contains(':') => error.with_hint("a command comes first, as in `haul ls REMOTE:/folder`"),
        None => error.with_hint(format!("`{words} --help` lists all")),
    }
}

/// So many letters may be wrong.
fn most_errors(typed: &str) -> usize {
    if typed.chars().count() <= 5 { 1 } else { 2 }
}

/// The one that a typing error away may have been meant; of words this short no letter more.
fn nearest_word(typed: &str, known: &[&str]) -> Option<String> {
    let typed = typed.to_lowercase();
    let distance = |word: &&str| strsim::osa_distance(&typed, word);
    let best = known.iter().copied().min_by_key(|word| (distance(word), word.len().abs_diff(typed.len())))?;
    let most = most_errors(&typed);
    let begins = || known.iter().copied().find(|word| typed.len() > 2 && (word.starts_with(&typed) || typed.starts_with(*word)));
    let near = if distance(&best) <= most && typed.len() > 1 { Some(best) } else { begins() };
    near.or_else(|| find_abbreviated(&typed, known)).map(str::to_owned)
}

/// The only word that begins alike and has all these letters in this order: `rnm` is `rename`.
fn find_abbreviated<'w>(typed: &str, known: &[&'w str]) -> Option<&'w str> {
    let has_all = |word: &&&str| {
        let mut letters = word.chars();
        typed.chars().all(|typed| letters.any(|letter| letter == typed)) && word.chars().next() == typed.chars().next()
    };
    let mut fits = known.iter().filter(has_all);
    match (fits.next(), fits.next()) {
        (Some(word), None) if typed.trim_start_matches('-').chars().count() > 2 => Some(word),
        _ => None,
    }
}

fn other_option(typed: &str, command: &Command, path: &[String], error: &clap::Error) -> Option<String> {
    let typed = typed.split('=').next().unwrap_or(typed);
    let verb = path.first().map_or("", String::as_str);
    let foreign = OPTIONS.iter().find(|(verbs, options, _)| verbs.contains(&verb) && options.contains(&typed));
    if let Some((_, _, instead)) = foreign {
        return Some((*instead).to_owned());
    }
    let longs: Vec<String> =
        command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(Arg::get_long).map(|long| format!("--{long}")).collect();
    let longs: Vec<&str> = longs.iter().map(String::as_str).collect();
    let near = nearest_word(typed, &longs).filter(|_| typed.starts_with("--"));
    let theirs = || match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(near)) if strsim::osa_distance(near, typed) <= near.len() / 3 => Some(near.clone()),
        _ => None,
    };
    near.or_else(theirs).map(|near| format!("write `{near}`"))
}

/// Names the variable where the value comes from a variable and not from an option.
fn wrong_value(error: &clap::Error, option: &str, args: &[OsString], tree: &Command) -> Error {
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => "",
    };
    let long = option.split([' ', '=', '.']).next().unwrap_or(option).trim_start_matches("--");
    let is_typed = args.iter().any(|arg| {
        let arg = arg.to_string_lossy();
        arg == value || !value.is_empty() && arg.starts_with('-') && arg.ends_with(value)
    });
    let variable = variable_of(long, tree).filter(|variable| !is_typed && std::env::var(variable).is_ok_and(|set| set == value));
    let said = first_line(error);
    let said = match &variable {
        Some(variable) => said.replace(&format!("'{option}'"), variable),
        None => said,
    };
    let values = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            let known: Vec<&str> = values.iter().map(String::as_str).collect();
            nearest_word(value, &known).map_or_else(|| format!(": use one of {}", values.join(", ")), |near| format!(": write `{near}`"))
        }
        _ => String::new(),
    };
    Error::new(Kind::Usage, format!("{said}{values}"))
}

fn variable_of(long: &str, tree: &Command) -> Option<String> {
    let own = tree.get_arguments().find(|arg| arg.get_long() == Some(long)).and_then(Arg::get_env);
    let own = own.and_then(|name| name.to_str()).map(str::to_owned);
    own.or_else(|| tree.get_subcommands().find_map(|sub| variable_of(long, sub)))
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// `haul put SOURCE… REMOTE:PATH`
fn usage_line(command: &Command, words: &str) -> String {
    let usage = command.clone().bin_name(words).render_usage().to_string();
    strip_style(&usage.trim().trim_start_matches("Usage: ").replace(" [OPTIONS]", ""))
}

/// `<REMOTE:PATH>...` as people write it.
fn strip_style(text: &str) -> String {
    text.replace(['<', '>'], "").replace("...", "…")
}

/// Returns the variable that was probably meant by `variable`, a name like ours that haul does not read.
pub fn near_variable(variable: &str, known: &[String]) -> Option<String> {
    let own = ["HAUL_REMOTE_", "HAUL_TEST_", "HAUL_FUZZ_", "HAUL_PLACE_"];
    if known.iter().any(|known| known == variable) || own.iter().any(|prefix| variable.starts_with(prefix)) {
        return None;
    }
    let typed = variable.trim_start_matches("HAUL_");
    let distance = |known: &&String| strsim::osa_distance(typed, known.trim_start_matches("HAUL_"));
    let near = known.iter().min_by_key(distance)?;
    (distance(&near) <= most_errors(typed)).then(|| near.clone())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    fn explain(line: &str) -> String {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let tree = Cli::command();
        match Cli::command().try_get_matches_from(&args) {
            Ok(_) => String::from("fine"),
            Err(error) => explain_mistake(error, &args, &tree).err().map_or_else(|| String::from("help"), |error| error.to_string()),
        }
    }

    #[test]
    fn commands_of_others_and_typing_errors_lead_to_ours() {
        for (typed, ours) in [
            ("upload", "haul put"),
            ("download", "haul get"),
            ("delete", "haul rm"),
            ("move", "haul mv"),
            ("list", "haul ls"),
            ("dir", "haul ls"),
            ("copy", "haul cp"),
            ("pt", "haul put"),
            ("lst", "haul ls"),
            ("tre", "haul tree"),
            ("transfer", "haul transfers"),
            ("config", "haul remote add"),
            ("remote renam", "haul remote rename"),
            ("remote lst", "haul remote list"),
            ("remote rnm", "haul remote rename"),
            ("remote rmv", "haul remote remove"),
            ("remote chk", "haul remote check"),
            ("remote rm", "haul remote remove"),
            ("remote mv", "haul remote rename"),
            ("remote edit", "haul remote set"),
            ("transfers clr", "haul transfers clear"),
            ("cmpltns", "haul completions"),
        ] {
            let told = explain(&format!("haul {typed}"));
            assert!(told.contains("there is no command `") && told.contains(&format!("{typed}`")), "{told}");
            assert!(told.contains(&format!("write `{ours}`")), "{typed}: {told}");
        }
        assert_eq!(explain("haul xyzzy"), "there is no command `xyzzy`; `haul --help` lists all");
        assert_eq!(explain("haul studio:/in"), "there is no command `studio:/in`; a command comes first, as in `haul ls REMOTE:/folder`");
    }

    #[test]
    fn every_word_of_others_leads_to_a_command_that_is_one() {
        for (theirs, ours) in REMOTE_COMMANDS {
            let tree = Cli::command();
            let remote = tree.find_subcommand("remote").unwrap();
            assert!(remote.find_subcommand(ours).is_some() && remote.find_subcommand(theirs).is_none(), "{theirs} -> {ours}");
        }
        for (theirs, ours) in COMMANDS.iter().filter(|(_, ours)| *ours != "sync") {
            let words: Vec<&str> = std::iter::once("haul").chain(ours.split(' ')).collect();
            let parsed = Cli::command().try_get_matches_from(words);
            let is_known = parsed.map_or_else(|e| !matches!(e.kind(), ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument), |_| true);
            assert!(is_known && Cli::command().find_subcommand(theirs).is_none(), "{theirs} -> {ours}");
        }
    }

    #[test]
    fn options_lead_to_ours() {
        assert_eq!(explain("haul put --job 3 a x:"), "`haul put` has no option `--job`; write `--jobs`");
        assert_eq!(explain("haul rm -f x:/a"), "`haul rm` has no option `-f`; write `--yes`: then nothing is asked");
        assert_eq!(explain("haul put --force a x:"), "`haul put` has no option `--force`; write `--if-exists replace`");
        assert_eq!(explain("haul rm --qwertz x:/a"), "`haul rm` has no option `--qwertz`; see `haul rm --help`");
        assert!(
            explain("haul cat").starts_with("`haul cat` needs REMOTE:PATH…; write it as haul cat REMOTE:PATH…"),
            "{}",
            explain("haul cat")
        );
        assert!(explain("haul ls --sort tiem x:").contains("write `time`"), "{}", explain("haul ls --sort tiem x:"));
        assert_eq!(explain("haul remote show a b"), "`haul remote show` takes no further argument: \"b\"; see `haul remote show --help`");
    }

    #[test]
    fn human_sizes_are_no_help() {
        let said =
            |line: &str| human_sizes(&line.split(' ').map(OsString::from).collect::<Vec<_>>(), &Cli::command()).map(|e| e.to_string());
        assert!(said("haul ls -lh x:/a").is_some_and(|told| told.contains("write `haul ls -l x:/a`")));
        assert!(said("haul du -h x:").is_some_and(|told| told.contains("write `haul du x:`")));
        assert_eq!((said("haul ls -h"), said("haul ls -l x:"), said("haul put -h a x:")), (None, None, None));
    }

    #[test]
    fn variables_that_nobody_reads() {
        let known = ["HAUL_JOBS", "HAUL_QUIET"].map(str::to_owned);
        assert_eq!(near_variable("HAUL_JBOS", &known).as_deref(), Some("HAUL_JOBS"));
        for fine in ["HAUL_JOBS", "HAUL_VERSION", "HAUL_REMOTE_X_URL", "HAUL_TEST_JOBS"] {
            assert_eq!(near_variable(fine, &known), None, "{fine}");
        }
    }
}
