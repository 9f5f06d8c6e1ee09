//! The paths that a file imports, read from its text.

use super::source_tree::SourceFile;

/// The steps of a path, such as `crate`, `model`, `Entry`.
pub type Path = Vec<String>;

/// All paths that a file imports, as they are written.
pub fn paths_of(file: &SourceFile) -> Vec<Path> {
    use_paths(file).into_iter().map(|(_, path)| path).chain(inline_paths(file)).collect()
}

/// The paths of all `use` items, with whether each is visible outside.
pub fn use_paths(file: &SourceFile) -> Vec<(bool, Path)> {
    let code: Vec<&str> = file.code_lines().into_iter().map(|(_, line)| line).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for item in code.split(';') {
        let Some(at) = item.rfind("use ") else { continue };
        let before = item[..at].lines().last().unwrap_or_default().trim_start();
        if !(before.is_empty() || before.starts_with("pub")) || item[at..].contains('=') {
            continue;
        }
        let mut paths = Vec::new();
        expand(&[], item[at + 4..].trim(), &mut paths);
        found.extend(paths.into_iter().map(|path| (!before.is_empty(), path)));
    }
    found
}

/// `a::{b, c::d as e}` becomes `a::b` and `a::c::d`.
fn expand(prefix: &[String], tree: &str, found: &mut Vec<Path>) {
    let steps = |text: &str| text.split("::").map(|s| s.trim().to_owned()).filter(|s| !s.is_empty() && s != "self").collect::<Path>();
    match tree.split_once('{') {
        None => {
            let path = tree.split(" as ").next().unwrap();
            let mut whole = [prefix.to_vec(), steps(path)].concat();
            if path.starts_with("self::") {
                whole.insert(0, "self".to_owned());
            }
            found.extend((!whole.is_empty()).then_some(whole));
        }
        Some((before, inner)) => {
            let mut own = [prefix.to_vec(), steps(before)].concat();
            if before.starts_with("self::") {
                own.insert(0, "self".to_owned());
            }
            let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
            let (mut depth, mut start) = (0, 0);
            for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        let part = inner[start..at].trim();
                        if !part.is_empty() {
                            expand(&own, part, found);
                        }
                        start = at + 1;
                    }
                    _ => {}
                }
            }
        }
    }
}

/// `super::x::y` and `crate::x::y` in the middle of code, and `child::x` of a module's own child. A visibility
/// (`pub(in crate::x)`) imports nothing.
fn inline_paths(file: &SourceFile) -> Vec<Path> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    // What a `use` item leads to is told by `use_paths`: up to its brace it is no path of an item.
    let is_use = |line: &str| line.starts_with("use ") || (line.starts_with("pub") && line.contains(" use "));
    for (_, line) in file.code_lines().into_iter().filter(|(_, line)| !is_use(line.trim_start())) {
        let is_visibility = |word: &str| line.contains(&format!("pub(in {word})"));
        for word in line.split(|c| !is_path(c)).filter(|word| word.contains("::") && !word.starts_with(':') && !is_visibility(word)) {
            let path: Path = word.split("::").filter(|step| !step.is_empty()).map(str::to_owned).collect();
            found.extend((!path.is_empty()).then_some(path));
        }
    }
    found
}
