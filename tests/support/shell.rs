//! Splits a shell line into its commands and words, as far as help, hints and documents need that.

/// One command of a pipe, split into words at blanks; only quotes are handled.
pub fn split(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in command.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None, "an open quote in {command}");
    words.extend(word);
    words
}

/// The commands of a line, split at `|`, `>`, `<`, `&&` and `;` outside of quotes.
pub fn commands(line: &str) -> Vec<String> {
    let (mut all, mut quote) = (vec![String::new()], None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            ('|' | '>' | '<' | '&' | ';', None) => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all.into_iter().map(|command| command.trim().to_owned()).filter(|command| !command.is_empty()).collect()
}

#[test]
fn lines_are_divided_as_a_shell_does() {
    assert_eq!(split("haul find x: --name '*.mov' \"a b\" ''"), ["haul", "find", "x:", "--name", "*.mov", "a b", ""]);
    assert_eq!(commands("haul ls --json x: | jq '.a | .b' > out"), ["haul ls --json x:", "jq '.a | .b'", "out"]);
}
