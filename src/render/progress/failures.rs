//! The failures of one run, told again where other lines have pushed them out of sight: before the summary they are read.

use crate::model::report::Failure;
use crate::model::secret::masked;
use crate::render::Renderer;
use crate::render::text::phrases::failed;
use crate::render::text::units;

/// More of them are a list for `--failed-to`.
const MOST_REPEATED: usize = 25;

#[derive(Default)]
pub(super) struct ToldFailures {
    lines: Vec<String>,
    count: u64,
    is_buried: bool,
    untried: u64,
    /// Why files were left out: a failure that was told, and a thousand lines of them would hide.
    why_untried: String,
}

impl ToldFailures {
    pub(super) fn add(&mut self, failure: &Failure) {
        if failure.untried {
            self.untried += 1;
            self.why_untried.clone_from(&failure.error.message);
            return;
        }
        self.count += 1;
        if self.lines.len() < MOST_REPEATED {
            self.lines.push(failed(failure));
        }
    }

    /// Another line stands below them now.
    pub(super) fn are_buried(&mut self) {
        self.is_buried |= self.count > 0;
    }

    /// Repeats them, unless they stand right above. Once.
    pub(super) fn tell(&mut self, renderer: &Renderer) {
        let ToldFailures { lines, count, is_buried, untried, why_untried } = std::mem::take(self);
        let style = renderer.style();
        if is_buried && !style.json && !style.quiet {
            renderer.aside(&format!("{} failed:", units::count(count, "file")));
            lines.iter().for_each(|line| renderer.aside(&format!("  {}", masked(line))));
            let more = count.saturating_sub(lines.len() as u64);
            if more > 0 {
                renderer.aside(&format!("  … and {more} more; `--failed-to FILE` lists them all"));
            }
        }
        if untried > 0 && style.verbose == 0 {
            renderer.failure(&format!("{} {why_untried}", units::count(untried, "file")));
        }
    }
}
