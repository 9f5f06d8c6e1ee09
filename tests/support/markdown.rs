//! The parts of a document that tests use: fenced blocks, hidden commands, commands between backticks, links, headings.

/// A fenced block: its language, the number of its first line (from 0), and its lines.
pub struct Block<'a> {
    pub language: &'a str,
    pub first: usize,
    pub lines: Vec<&'a str>,
}

pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let (mut found, mut open) = (Vec::new(), None::<Block>);
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some(Block { language: language.trim(), first: number + 1, lines: Vec::new() }),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// The lines outside of blocks.
pub fn prose(text: &str) -> Vec<&str> {
    let mut is_inside = false;
    let outside = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_inside ^= is_fence;
        !is_inside && !is_fence
    });
    outside.collect()
}

/// The text of `<!-- NAME: TEXT -->`, or of `<!-- $ TEXT -->` for the name `$`.
pub fn comment<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let inside = line.trim().strip_prefix("<!-- ")?.strip_suffix("-->")?;
    inside.strip_prefix(name)?.strip_prefix([':', ' ']).map(str::trim)
}

/// The texts between backticks.
pub fn texts_in_backticks(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The targets of links of the form `[text](target)`.
pub fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The anchors of the headings, as web sites that show Markdown form them.
pub fn anchors(text: &str) -> Vec<String> {
    let of_heading = |line: &str| {
        let title = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?.to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
    };
    prose(text).into_iter().filter_map(of_heading).collect()
}

#[test]
fn a_document_is_taken_apart() {
    let text = "# A b, c\n`haul ls`\n```console\n$ x\ny\n```\n<!-- $ touch a -->\n[see](b.md#c)\n";
    let [block] = &blocks(text)[..] else { panic!("one block") };
    assert_eq!((block.language, block.first, &block.lines[..]), ("console", 3, &["$ x", "y"][..]));
    assert_eq!(prose(text).len(), 4);
    assert_eq!(text.lines().filter_map(|line| comment(line, "$")).collect::<Vec<_>>(), ["touch a"]);
    assert_eq!(comment("<!-- remotes: a=b -->", "remotes"), Some("a=b"));
    assert_eq!(text.lines().flat_map(links).collect::<Vec<_>>(), ["b.md#c"]);
    assert_eq!(anchors(text), ["a-b-c"]);
}
