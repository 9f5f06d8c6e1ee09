//! `-vv` and `--log-file`: the requests, without secrets. A line goes through the renderer, which masks what it knows as
//! secret and steps in front of the bars, and to the file, which masks the same.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::render::Renderer;

/// What may speak, and how loud. `suppaftp` writes `PASS` in clear at TRACE, so nothing in the environment may raise it.
const LOG_FILTER: &str = "off,haul=debug,suppaftp=debug";

/// Requests are shown when `verbose` is 2 or more, and written where there is a file.
pub fn start(verbose: u8, renderer: &Renderer) {
    let file = renderer.log_file();
    if verbose < 2 && file.is_none() {
        return;
    }
    let filter = || EnvFilter::new(LOG_FILTER);
    let renderer = renderer.clone();
    let shown = (verbose >= 2).then(|| {
        tracing_subscriber::fmt::layer().event_format(Line { clock: true }).with_writer(move || renderer.log_writer()).with_filter(filter())
    });
    // The file writes the time itself.
    let kept = file.map(|file| {
        tracing_subscriber::fmt::layer().event_format(Line { clock: false }).with_writer(move || file.clone()).with_filter(filter())
    });
    // Fails only where a subscriber is set already, as in a test that runs several commands in one process.
    let _ = tracing_subscriber::registry().with(shown).with(kept).try_init();
}

/// `14:03:59.120 [a.mov] POST https://host/path -> 200 in 0.812s`: the time, the file that the work is about, and what was done.
struct Line {
    clock: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if self.clock {
            write!(writer, "{} ", Renderer::clock())?;
        }
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                write!(writer, "[{}] ", fields.fields.trim_start_matches("name="))?;
            }
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
