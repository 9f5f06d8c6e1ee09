//! Completions while a user types: commands, options, their values, remotes, and paths on remotes. A shell asks by running haul
//! with `_HAUL_COMPLETE=SHELL`. The answer comes within a fifth of a second, and haul asks for no password.

mod candidate;
mod places;
mod shells;
mod words;

use std::process::ExitCode;

use clap::CommandFactory;

pub use shells::{SHELLS, script};

use super::args::Cli;
use super::top_help;
use crate::providers::REGISTRY;
use candidate::{Completion, context};
use words::{TypedLine, WantedWord};

/// Answers a shell that asks; none when this run is another one.
pub fn answer() -> Option<ExitCode> {
    if let Ok(place) = std::env::var(places::FILL) {
        places::fill(&place);
        return Some(ExitCode::SUCCESS);
    }
    let shell = std::env::var("_HAUL_COMPLETE").ok()?;
    let line = std::env::var("_HAUL_COMPLETE_LINE").ok();
    let typed = match &line {
        Some(line) => TypedLine::of_line(line),
        None => TypedLine::of_words(std::env::args().skip_while(|arg| arg != "--").skip(1).collect()),
    };
    let found = candidates(&typed);
    let text = shells::format_for_shell(&shell, &typed, &found);
    crate::render::Renderer::new(crate::render::Style::default()).out(&text);
    Some(ExitCode::SUCCESS)
}

fn candidates(typed: &TypedLine) -> Vec<Completion> {
    let tree = top_help::with_first_page(Cli::command());
    let file = typed.option("--config");
    words::wanted_words(&tree, typed).into_iter().flat_map(|wanted| values(&wanted, typed, file.as_deref())).collect()
}

fn values(wanted: &WantedWord, typed: &TypedLine, file: Option<&str>) -> Vec<Completion> {
    let begins = |candidate: &Completion| candidate.value.starts_with(&typed.current);
    let all: Vec<Completion> = match wanted {
        WantedWord::Words(words) => words.iter().map(|(word, about)| Completion::new(word, about)).collect(),
        WantedWord::Providers => REGISTRY
            .iter()
            .flat_map(|info| std::iter::once(&info.id).chain(info.aliases).map(|name| Completion::new(*name, info.title)))
            .collect(),
        WantedWord::Remotes => remotes(file, ""),
        WantedWord::Settings => settings(typed),
        WantedWord::Files => return local_files(&typed.current),
        WantedWord::Places => match typed.current.split_once(':') {
            Some((remote, path)) if !remote.contains('/') => return places::below(remote, path, file),
            _ => remotes(file, ":"),
        },
    };
    all.into_iter().filter(begins).collect()
}

fn remotes(file: Option<&str>, end: &str) -> Vec<Completion> {
    let Ok(context) = context(file) else { return Vec::new() };
    context.config.remotes().iter().map(|remote| Completion::new(format!("{}{end}", remote.name), remote.provider.title)).collect()
}

/// `KEY=`, of the provider that was named, or of the remote's own.
fn settings(typed: &TypedLine) -> Vec<Completion> {
    let named = typed.option("--provider").or_else(|| typed.option("-p")).and_then(|id| crate::providers::find(&id));
    let of_remote = || {
        let context = context(typed.option("--config").as_deref()).ok()?;
        typed.before.iter().find_map(|word| context.config.remote(word.trim_end_matches(':')).ok()).map(|remote| remote.provider)
    };
    let providers = match named.or_else(of_remote) {
        Some(provider) => vec![provider],
        None => REGISTRY.to_vec(),
    };
    let mut found: Vec<Completion> = Vec::new();
    for setting in providers.iter().flat_map(|info| info.settings) {
        let ends = if setting.secret { &["_command", "_file"][..] } else { &[""][..] };
        for end in ends {
            let value = format!("{}{end}=", setting.key);
            if !found.iter().any(|known| known.value == value) {
                found.push(Completion::new(value, setting.help));
            }
        }
    }
    found
}

/// Files and folders of this machine, as far as they are typed.
fn local_files(typed: &str) -> Vec<Completion> {
    let (folder, name) = typed.rsplit_once('/').map_or(("", typed), |(folder, name)| (folder, name));
    let shown = if typed.contains('/') { format!("{folder}/") } else { String::new() };
    let home = || std::env::var("HOME").unwrap_or_default();
    let real = match folder {
        "" if typed.starts_with('/') => "/".to_owned(),
        "" => ".".to_owned(),
        folder if folder == "~" || folder.starts_with("~/") => folder.replacen('~', &home(), 1),
        folder => folder.to_owned(),
    };
    let entries = std::fs::read_dir(real).into_iter().flatten().flatten();
    let mut found: Vec<Completion> = entries
        .filter_map(|entry| {
            let own = entry.file_name().into_string().ok()?;
            let is_folder = entry.path().is_dir();
            let is_wanted = own.starts_with(name) && (!own.starts_with('.') || name.starts_with('.'));
            is_wanted.then(|| Completion::new(format!("{shown}{own}{}", if is_folder { "/" } else { "" }), ""))
        })
        .collect();
    found.sort_by(|a, b| a.value.cmp(&b.value));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete_line(line: &str) -> Vec<String> {
        candidates(&TypedLine::of_line(line)).into_iter().map(|candidate| candidate.value).collect()
    }

    #[test]
    fn commands_options_and_values() {
        assert_eq!(complete_line("haul pu"), ["put"]);
        assert!(complete_line("haul ").contains(&"ls".to_owned()) && !complete_line("haul ").contains(&"-h".to_owned()));
        assert_eq!(complete_line("haul remote ren"), ["rename"]);
        assert!(complete_line("haul put --if-e").contains(&"--if-exists".to_owned()));
        assert_eq!(complete_line("haul put --if-exists r"), ["replace", "rename"]);
        assert_eq!(complete_line("haul put --if-exists=sk"), ["--if-exists=skip"]);
        assert_eq!(complete_line("haul remote add x --provider f"), ["fileago", "ftp", "ftps"]);
        assert_eq!(complete_line("haul remote add x -p tus tok"), ["token_command=", "token_file="]);
        assert_eq!(complete_line("haul completions zs"), ["zsh"]);
        assert!(complete_line("haul put --recurs").is_empty(), "what is hidden is not offered");
        assert!(complete_line("haul help aut").contains(&"auth".to_owned()));
        assert!(complete_line("haul --json l").contains(&"ls".to_owned()));
    }

    #[test]
    fn local_files_are_offered_where_they_are_meant() {
        assert!(complete_line("haul put src/cli/comp").contains(&"src/cli/complete/".to_owned()));
        assert!(complete_line("haul put --receipt Cargo.to").contains(&"Cargo.toml".to_owned()));
        assert!(complete_line("haul ls Cargo").is_empty());
    }
}
