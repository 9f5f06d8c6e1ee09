//! The script of each shell, and the form of the answer for it.

use std::fmt::Write;

use super::candidate::Completion;
use super::words::TypedLine;

/// Readline also divides words at colons that are not quoted: the answer does not repeat the part before the last colon.
const BASH: &str = r#"_haul() {
    COMPREPLY=()
    local one
    while IFS= read -r one; do COMPREPLY+=("$one"); done < <(
        _HAUL_COMPLETE=bash _HAUL_COMPLETE_LINE="${COMP_LINE:0:COMP_POINT}" _HAUL_COMPLETE_BREAKS="$COMP_WORDBREAKS" "${COMP_WORDS[0]}" 2>/dev/null
    )
    case "${COMPREPLY[*]}" in *[/:=]) compopt -o nospace 2>/dev/null ;; esac
}
complete -o nosort -F _haul haul 2>/dev/null || complete -F _haul haul
"#;

const ZSH: &str = r#"#compdef haul
_haul() {
    local -a lines open_values open_shown values shown
    local line value about
    lines=("${(@f)$(_HAUL_COMPLETE=zsh ${words[1]} -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        [[ -n $line ]] || continue
        value=${line%%$'\t'*}
        about=${line#*$'\t'}
        [[ $about == $line || -z $about ]] && about=$value || about="$value  -- $about"
        if [[ $value == *[/:=] ]]; then
            open_values+=("$value"); open_shown+=("$about")
        else
            values+=("$value"); shown+=("$about")
        fi
    done
    (( $#open_values )) && compadd -l -S '' -d open_shown -a open_values
    (( $#values )) && compadd -l -d shown -a values
    (( $#open_values + $#values ))
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _haul "$@"
else
    compdef _haul haul
fi
"#;

const FISH: &str = r#"function __haul_complete
    set -l words (commandline -opc) (commandline -ct)
    env _HAUL_COMPLETE=fish $words[1] -- $words 2>/dev/null
end
complete -c haul -f -k -a '(__haul_complete)'
"#;

const POWERSHELL: &str = r#"Register-ArgumentCompleter -Native -CommandName haul -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $text = $commandAst.ToString()
    $env:_HAUL_COMPLETE = 'powershell'
    $env:_HAUL_COMPLETE_LINE = if ($cursorPosition -gt $text.Length) { "$text " } else { $text.Substring(0, $cursorPosition) }
    $lines = & $commandAst.CommandElements[0].Value 2>$null
    Remove-Item Env:_HAUL_COMPLETE, Env:_HAUL_COMPLETE_LINE
    $lines | ForEach-Object {
        $value, $about = $_ -split "`t", 2
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
}
"#;

const NUSHELL: &str = r#"let haul_before = $env.config.completions?.external?.completer?
let haul_completer = {|spans|
    if ($spans.0 | path basename | str replace '.exe' '') == 'haul' {
        with-env { _HAUL_COMPLETE: nushell } { ^$spans.0 -- ...$spans }
        | lines
        | each {|line|
            let parts = ($line | split row "\t")
            { value: $parts.0, description: ($parts | get --optional 1 | default '') }
        }
    } else if $haul_before != null {
        do $haul_before $spans
    }
}
$env.config.completions.external = { enable: true, completer: $haul_completer }
"#;

/// The shells that there is a script for.
pub const SHELLS: &[&str] = &["bash", "zsh", "fish", "powershell", "nushell"];

/// What a shell reads once; `shell` is one of [`SHELLS`].
pub fn script(shell: &str) -> &'static str {
    match shell {
        "zsh" => ZSH,
        "fish" => FISH,
        "powershell" => POWERSHELL,
        "nushell" => NUSHELL,
        _ => BASH,
    }
}

/// A line for each candidate.
pub fn format_for_shell(shell: &str, typed: &TypedLine, found: &[Completion]) -> String {
    let mut text = String::new();
    // A name with a line break can't be told to any shell.
    for candidate in found.iter().filter(|candidate| !candidate.value.contains(['\n', '\t'])) {
        let _ = match shell {
            "bash" => writeln!(text, "{}", of_bash(typed, &candidate.value)),
            "powershell" => writeln!(text, "{}\t{}", of_powershell(&candidate.value), candidate.about),
            _ if candidate.about.is_empty() => writeln!(text, "{}", candidate.value),
            _ => writeln!(text, "{}\t{}", candidate.value, candidate.about),
        };
    }
    text
}

/// The rest of a word behind its last break, with what the shell would take for a sign of its own behind a backslash.
fn of_bash(typed: &TypedLine, value: &str) -> String {
    if typed.quote.is_some() {
        return value.to_owned();
    }
    let breaks = std::env::var("_HAUL_COMPLETE_BREAKS").unwrap_or_else(|_| ":=".to_owned());
    let is_break = |c: char| (c == ':' || c == '=') && breaks.contains(c);
    let begins = typed.current.rfind(is_break).map_or(0, |at| at + 1);
    let rest = value.get(begins..).unwrap_or(value);
    let mut escaped = String::new();
    for c in rest.chars() {
        if " '\"\\$&();|<>*?[]{}!#`".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn of_powershell(value: &str) -> String {
    let is_plain = value.chars().all(|c| c.is_alphanumeric() || "/:=.-_~@".contains(c));
    if is_plain { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_gets_what_stands_behind_the_colon() {
        let typed = |current: &str, quote| TypedLine { before: vec!["haul".into()], current: current.into(), quote };
        assert_eq!(of_bash(&typed("studio:/in", None), "studio:/in/a b.mov"), "/in/a\\ b.mov");
        assert_eq!(of_bash(&typed("studio:/in", Some('\'')), "studio:/in/a b.mov"), "studio:/in/a b.mov");
        assert_eq!(of_bash(&typed("st", None), "studio:"), "studio:");
        assert_eq!(of_bash(&typed("--if-exists=s", None), "--if-exists=skip"), "skip");
    }
}
