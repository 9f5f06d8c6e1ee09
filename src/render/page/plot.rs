//! Throughput over time, as a drawing without a script: the bytes of each file are spread evenly over its duration.

use std::fmt::Write;

use chrono::{DateTime, Local, TimeDelta, Utc};

use super::delivered::Delivered;
use crate::render::text::units;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 78.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 10.0;

/// The largest number of points of the line.
const STEPS: usize = 160;

/// The time from the first byte to the end of the last file.
pub(super) fn span(files: &[Delivered]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let begin = files.iter().map(start_time).min()?;
    let end = files.iter().map(|file| file.finished).max()?;
    Some((begin, end))
}

/// The begin of the transfer. A receipt may be edited by hand: an impossible duration counts as 0.
fn start_time(file: &Delivered) -> DateTime<Utc> {
    let took = if file.seconds.is_finite() && file.seconds > 0.0 { file.seconds.min(1e9) } else { 0.0 };
    file.finished.checked_sub_signed(TimeDelta::milliseconds((took * 1000.0) as i64)).unwrap_or(file.finished)
}

/// Bytes per second in each step between the two times.
fn rates(files: &[Delivered], begin: DateTime<Utc>, end: DateTime<Utc>) -> Vec<f64> {
    let all = (end - begin).as_seconds_f64().max(0.001);
    let step = all / STEPS as f64;
    let mut rates = vec![0.0; STEPS];
    for file in files {
        let from = (start_time(file) - begin).as_seconds_f64();
        let to = (file.finished - begin).as_seconds_f64().max(from + step / 1000.0);
        let rate = file.size as f64 / (to - from);
        let first = ((from / step) as usize).min(STEPS - 1);
        let last = ((to / step) as usize).min(STEPS - 1);
        for (at, sum) in rates.iter_mut().enumerate().take(last + 1).skip(first) {
            let (left, right) = (at as f64 * step, (at + 1) as f64 * step);
            // The last step also includes what ends at its end.
            let right = if at + 1 == STEPS { right.max(to) } else { right };
            *sum += rate * (to.min(right) - from.max(left)).max(0.0) / step;
        }
    }
    rates
}

pub(super) fn svg(files: &[Delivered]) -> String {
    let Some((begin, end)) = span(files) else { return String::new() };
    let rates = rates(files, begin, end);
    let most = rates.iter().copied().fold(1.0, f64::max);
    let (right, foot) = (WIDTH - 10.0, HEIGHT - BOTTOM);
    let x = |at: usize| LEFT + (right - LEFT) * at as f64 / (STEPS - 1) as f64;
    let y = |rate: f64| foot - (foot - TOP) * rate / most;
    let mut line = String::new();
    for (at, rate) in rates.iter().enumerate() {
        let _ = write!(line, "{}{:.1},{:.1}", if at == 0 { "M" } else { "L" }, x(at), y(*rate));
    }
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Throughput over time, {} at most\">\n", units::rate(most));
    for part in [0.0, 0.5, 1.0] {
        let at = y(most * part);
        let _ = writeln!(svg, "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, at + 4.0, units::rate(most * part));
    }
    let _ =
        writeln!(svg, "<path class=\"area\" d=\"{line}L{right:.1},{foot:.1}L{LEFT:.1},{foot:.1}Z\"/>\n<path class=\"line\" d=\"{line}\"/>");
    let middle = begin + (end - begin) / 2;
    for (place, anchor, time) in [(LEFT, "start", begin), ((LEFT + right) / 2.0, "middle", middle), (right, "end", end)] {
        let _ = writeln!(svg, "<text x=\"{place:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>", HEIGHT - 6.0, label(time, end - begin));
    }
    svg + "</svg>\n"
}

fn label(time: DateTime<Utc>, span: TimeDelta) -> String {
    let format = if span > TimeDelta::hours(20) { "%Y-%m-%d %H:%M" } else { "%H:%M:%S" };
    time.with_timezone(&Local).format(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::delivered::testing::file;
    use super::*;

    #[test]
    fn the_bytes_of_the_plot_are_those_of_the_files() {
        let files = vec![file("a", 1_000_000, 10, 10.0), file("b", 3_000_000, 20, 5.0), file("c", 500, 20, 0.0)];
        let (begin, end) = span(&files).unwrap();
        assert_eq!((end - begin).num_seconds(), 20);
        let rates = rates(&files, begin, end);
        let sum: f64 = rates.iter().map(|rate| rate * 20.0 / STEPS as f64).sum();
        assert!((sum - 4_000_500.0).abs() < 2000.0, "{sum}");
        assert!((rates[10] - 100_000.0).abs() < 1.0, "{}", rates[10]);
        assert_eq!(rates[STEPS * 6 / 10], 0.0, "nothing moved");
    }

    #[test]
    fn receipts_that_make_no_sense_do_no_harm() {
        for seconds in [f64::NAN, f64::INFINITY, -5.0, 1e300] {
            let text = svg(&[file("a", u64::MAX, 10, seconds), file("b", 0, 10, 0.0)]);
            assert!(!text.contains("NaN") && !text.contains("inf"), "{seconds}: {text}");
        }
        assert_eq!(svg(&[]), "");
        assert!(svg(&[file("a", 5, 0, 0.0)]).contains("<path class=\"line\""));
    }
}
