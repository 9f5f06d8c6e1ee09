//! `-vv`: the requests, without secrets. A line of ours goes through the renderer, which masks what it knows as secret
//! and steps in front of the bars.

use tracing_subscriber::EnvFilter;

use crate::render::Renderer;

/// What may speak, and how loud. `suppaftp` writes `PASS` in clear at TRACE, so nothing in the environment may raise it.
const LOG_FILTER: &str = "off,haul=debug,suppaftp=debug";

/// Nothing is written unless `verbose` is 2 or more.
pub fn start(verbose: u8, renderer: &Renderer) {
    if verbose < 2 {
        return;
    }
    let renderer = renderer.clone();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(LOG_FILTER))
        .without_time()
        .with_level(false)
        .with_ansi(false)
        .with_writer(move || renderer.log_writer());
    // Fails only where a subscriber is set already, as in a test that runs several commands in one process.
    let _ = lines.try_init();
}
