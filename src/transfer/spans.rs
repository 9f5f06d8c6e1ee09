//! The spans of a file that travel side by side (`--streams`), each over a connection of its own.

use std::ops::Range;

/// The smallest span in bytes: below this a second connection costs more than it saves.
const MIN_SPAN: u64 = 8 << 20;

/// Spans of about the same size, none below [`MIN_SPAN`] unless it is the whole.
pub(crate) fn split(size: u64, streams: usize) -> Vec<Range<u64>> {
    let count = (streams as u64).min(size / MIN_SPAN).max(1);
    let step = size / count;
    (0..count).map(|n| n * step..if n + 1 == count { size } else { (n + 1) * step }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_the_file_without_a_gap() {
        for (size, streams, count) in [(0, 4, 1), (MIN_SPAN, 4, 1), (2 * MIN_SPAN, 4, 2), (100 << 20, 4, 4), ((100 << 20) + 3, 3, 3)] {
            let spans = split(size, streams);
            assert_eq!(spans.len(), count, "{size} {streams}");
            assert_eq!((spans[0].start, spans[count - 1].end), (0, size));
            assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }
}
