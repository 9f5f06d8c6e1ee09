//! Aligned rows, and the table of the providers' abilities.

use serde_json::Value;

use crate::model::escape::escape_control;
use crate::model::report::ProviderLine;
use crate::render::text::columns::{bar, display_width, pad};

/// The number of rows that are aligned together: so the listing of a million files begins soon, and is never in memory as a
/// whole.
const GROUP: usize = 1000;

/// Rows and columns that wait for the rest of their table.
#[derive(Default)]
pub(crate) struct Tables {
    rows: Vec<String>,
    /// Rows with a size, as [`Tables::size_row`] takes them.
    sizes: Vec<(Option<u64>, String, String)>,
    providers: Vec<ProviderLine>,
}

/// Columns of the bar that compares a size with the largest of its neighbours.
const SIZE_BAR: usize = 20;

impl Tables {
    /// Takes a size in bytes, the same size as text, and what has this size. Returns a group of lines when the group is full. Each
    /// line has a bar: its share of the largest size in the group.
    pub(crate) fn size_row(&mut self, size: Option<u64>, shown: String, name: String) -> Option<String> {
        self.sizes.push((size, shown, name));
        (self.sizes.len() >= GROUP).then(|| with_bars(&std::mem::take(&mut self.sizes)))
    }

    /// Takes a row of cells separated by tabs; returns the lines of a group when it is full.
    pub(crate) fn row(&mut self, cells: String) -> Option<String> {
        self.rows.push(cells);
        (self.rows.len() >= GROUP).then(|| align_columns(&std::mem::take(&mut self.rows)))
    }

    pub(crate) fn provider(&mut self, line: ProviderLine) {
        self.providers.push(line);
    }

    /// The rows that still wait, without a line end after the last.
    pub(crate) fn rest(&mut self) -> Option<String> {
        let rows = std::mem::take(&mut self.rows);
        let sizes = std::mem::take(&mut self.sizes);
        let providers = std::mem::take(&mut self.providers);
        match (rows.is_empty(), providers.is_empty()) {
            _ if !sizes.is_empty() => Some(with_bars(&sizes)),
            (true, true) => None,
            (false, _) => Some(align_columns(&rows)),
            (true, false) => Some(align_columns(&cells(&providers).iter().map(|row| row.join("\t")).collect::<Vec<_>>())),
        }
    }
}

fn with_bars(sizes: &[(Option<u64>, String, String)]) -> String {
    let most = sizes.iter().filter_map(|(size, ..)| *size).max().unwrap_or(0).max(1);
    let row = |(size, shown, name): &(Option<u64>, String, String)| {
        let drawn = size.map_or_else(|| " ".repeat(SIZE_BAR), |size| bar(size, Some(most), SIZE_BAR).0);
        format!("{shown}\t{}\t{name}", pad(&drawn, SIZE_BAR))
    };
    align_columns(&sizes.iter().map(row).collect::<Vec<_>>())
}

/// Columns with two spaces between them; the last column is not padded.
fn align_columns(rows: &[String]) -> String {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split('\t').collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        let (_, padded) = row.split_last().unwrap_or((&"", &[]));
        widths.resize(widths.len().max(padded.len()), 0);
        widths.iter_mut().zip(padded).for_each(|(most, cell)| *most = display_width(cell).max(*most));
    }
    let line = |row: &Vec<&str>| {
        let last = row.len().saturating_sub(1);
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let room = widths.get(at).filter(|_| at < last).map_or(0, |most| most.saturating_sub(display_width(cell)) + 2);
            format!("{cell}{}", " ".repeat(room))
        });
        cells.collect::<String>()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The table of `haul providers`: a row for each ability, a column for each provider.
fn cells(providers: &[ProviderLine]) -> Vec<Vec<String>> {
    let mut abilities: Vec<&String> = Vec::new();
    for ability in providers.iter().flat_map(|line| line.abilities.keys()) {
        if !abilities.contains(&ability) {
            abilities.push(ability);
        }
    }
    let across = |first: &str, cell: &dyn Fn(&ProviderLine) -> String| -> Vec<String> {
        std::iter::once(first.to_owned()).chain(providers.iter().map(cell)).collect()
    };
    let protocols = |line: &ProviderLine| line.protocols.iter().map(|protocol| protocol.name()).collect::<Vec<_>>().join(", ");
    let mut table = vec![across("", &|line| line.title.to_owned()), across("protocols", &protocols)];
    table.extend(abilities.iter().map(|ability| across(ability, &|line| tick(line.abilities.get(*ability)))));
    table
}

fn tick(held: Option<&Value>) -> String {
    match held {
        Some(Value::Bool(true)) => "✓".to_owned(),
        None | Some(Value::Bool(false) | Value::Null) => "-".to_owned(),
        Some(Value::String(how)) => escape_control(how).into_owned(),
        Some(other) => other.to_string(),
    }
}

/// The same table for the README, in Markdown, with a line end after the last row.
pub fn providers_markdown(providers: &[ProviderLine]) -> String {
    let mut text = String::new();
    for (number, row) in cells(providers).iter().enumerate() {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
        if number == 0 {
            text.push_str(&format!("|{}\n", "---|".repeat(row.len())));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protocol;
    use crate::render::testing;

    fn two() -> Vec<ProviderLine> {
        vec![
            testing::provider("ioGates", false, vec![Protocol::Tus, Protocol::Ftps]),
            testing::provider("giga0", true, vec![Protocol::Multipart]),
        ]
    }

    #[test]
    fn providers_stand_side_by_side() {
        let mut tables = Tables::default();
        two().into_iter().for_each(|line| tables.provider(line));
        let wanted = "           ioGates    giga0\nprotocols  tus, ftps  multipart\nfolders    -          ✓\nremoval    ✓          ✓";
        assert_eq!(tables.rest().unwrap(), wanted);
        assert_eq!(tables.rest(), None);
    }

    #[test]
    fn the_same_table_in_markdown() {
        assert_eq!(
            providers_markdown(&two()),
            "|  | ioGates | giga0 |\n|---|---|---|\n| protocols | tus, ftps | multipart |\n| folders | - | ✓ |\n| removal | ✓ | ✓ |\n"
        );
    }

    #[test]
    fn rows_are_aligned_by_what_is_seen() {
        let mut tables = Tables::default();
        assert_eq!(tables.row("folder\t-\t5\tclips/".into()), None);
        assert_eq!(tables.row("file\t日本\t77777\ta.mov".into()), None);
        assert_eq!(tables.rest().unwrap(), "folder  -     5      clips/\nfile    日本  77777  a.mov");
    }

    #[test]
    fn sizes_are_compared_by_bars() {
        let mut tables = Tables::default();
        for (size, shown) in [(Some(25), "25 B"), (None, "?"), (Some(100), "100 B")] {
            assert_eq!(tables.size_row(size, format!("{shown:>10}"), "r:/a".into()), None);
        }
        let rows = tables.rest().unwrap();
        let bars: Vec<usize> = rows.lines().map(|row| row.matches(['━', '╸']).count()).collect();
        assert_eq!(bars, [6, 0, 20], "{rows}");
        assert!(rows.lines().all(|row| row.ends_with("  r:/a") && row.chars().count() == 10 + 2 + 20 + 2 + 4), "{rows}");
        assert_eq!(tables.rest(), None);
    }

    #[test]
    fn a_long_listing_comes_in_groups() {
        let mut tables = Tables::default();
        let groups: Vec<String> = (0..2500).filter_map(|n| tables.row(format!("{n}\tx"))).collect();
        assert_eq!(groups.iter().map(|group| group.lines().count()).collect::<Vec<_>>(), [1000, 1000]);
        assert_eq!(tables.rest().unwrap().lines().count(), 500);
    }
}
