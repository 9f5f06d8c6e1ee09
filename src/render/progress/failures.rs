//! Repeats the failures of a run before the summary, if later lines have moved them out of sight.

use crate::model::report::Failure;
use crate::model::secret::mask;
use crate::render::Renderer;
use crate::render::text::phrases::display_failure;
use crate::render::text::units;

/// The longest list that is repeated; for more failures there is `--failed-to`.
const MAX_REPEATED: usize = 25;

#[derive(Default)]
pub(super) struct PrintedFailures {
    lines: Vec<String>,
    count: u64,
    is_buried: bool,
    untried: u64,
    /// Why files were not attempted. A thousand equal lines would hide the failure that was the reason.
    why_untried: String,
}

impl PrintedFailures {
    pub(super) fn add(&mut self, failure: &Failure) {
        if failure.untried {
            self.untried += 1;
            self.why_untried.clone_from(&failure.error.message);
            return;
        }
        self.count += 1;
        if self.lines.len() < MAX_REPEATED {
            self.lines.push(display_failure(failure));
        }
    }

    /// Notes that later lines stand below the failures.
    pub(super) fn mark_buried(&mut self) {
        self.is_buried |= self.count > 0;
    }

    /// Repeats the failures once, unless they are the last lines already.
    pub(super) fn print(&mut self, renderer: &Renderer) {
        let PrintedFailures { lines, count, is_buried, untried, why_untried } = std::mem::take(self);
        let style = renderer.style();
        if is_buried && !style.json && !style.quiet {
            renderer.aside(&format!("{} failed:", units::count(count, "file")));
            lines.iter().for_each(|line| renderer.aside(&format!("  {}", mask(line))));
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
