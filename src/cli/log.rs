//! `-vv` and `--log-file`: the requests, without secrets. A line goes through the renderer, which masks what it knows as
//! secret and steps in front of the bars, and to the file, which masks the same.

use std::ffi::OsString;
use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::commands::version;
use crate::render::Renderer;

/// What may speak, and how loud. `suppaftp` writes `PASS` in clear at TRACE, so nothing in the environment may raise it; haul logs
/// the FTP commands and replies itself.
const LOG_FILTER: &str = "off,haul=debug";

/// Requests are shown when `verbose` is 2 or more, and written where there is a file. The first line names this haul and `args`.
pub fn start(verbose: u8, renderer: &Renderer, args: &[OsString]) {
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
    tracing::debug!("{}: {}", version::program(), display_command(args));
}

/// The command without what may be a secret: of a URL only the host, of KEY=VALUE only the key, and nothing of a command of the
/// user's own (`haul sandbox -- COMMAND`). The renderer masks the secrets that haul knows.
fn display_command(args: &[OsString]) -> String {
    let mut line = String::from("haul");
    for arg in args.iter().skip(1).map(|arg| arg.to_string_lossy()) {
        if arg == "--" {
            return line + " -- …";
        }
        line.push(' ');
        line.push_str(&display_arg(&arg));
    }
    line
}

fn display_arg(arg: &str) -> String {
    if let Some((before, rest)) = arg.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        return format!("{before}://{host}{}", if rest.len() > host.len() { "/***" } else { "" });
    }
    match arg.split_once('=') {
        Some((key, _)) if !arg.starts_with('-') => format!("{key}=***"),
        _ if arg.contains(char::is_whitespace) || arg.is_empty() => format!("{arg:?}"),
        _ => arg.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_named_without_what_may_be_a_secret() {
        for (args, shown) in [
            (&["haul", "put", "-vv", "my film.mov", "studio:/in/"][..], "haul put -vv \"my film.mov\" studio:/in/"),
            (&["haul", "ls", "ftp://ann:s3cret@host:21/a?k=s3cret"], "haul ls ftp://host:21/***"),
            (&["haul", "import", "https://host/f?token=s3cret", "r:"], "haul import https://host/*** r:"),
            (&["haul", "--log-file=x", "ls", "https://host"], "haul --log-file=x ls https://host"),
            (&["haul", "remote", "set", "r", "password=s3cret"], "haul remote set r password=***"),
            (&["haul", "put", "--attr", "code=s3cret", "a", "r:"], "haul put --attr code=*** a r:"),
            (&["haul", "remote", "set", "r", "url=https://ann:s3cret@host/"], "haul remote set r url=https://host/***"),
            (&["haul", "sandbox", "-q", "--", "sh", "-c", "s3cret"], "haul sandbox -q -- …"),
        ] {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            assert_eq!(display_command(&args), shown);
        }
    }
}
