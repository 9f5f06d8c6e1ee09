//! The options of every verb, and the renderer that they lead to.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::BoolishValueParser;
use parking_lot::Mutex;

use crate::config::ask_on_terminal;
use crate::error::Result;
use crate::model::Secret;
use crate::render::{Progress, Renderer};

#[derive(Args, Clone)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Configuration file [default: $HAUL_CONFIG, else the system's place for haul/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON object a line on standard output, and nothing else
    #[arg(long, global = true, env = "HAUL_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,
    /// Print only errors
    #[arg(short, long, global = true, env = "HAUL_QUIET", value_parser = BoolishValueParser::new())]
    pub quiet: bool,
    /// Print notes and retries; twice: requests, without secrets
    #[arg(short, long, global = true, action = clap::ArgAction::Count, env = "HAUL_VERBOSE", value_parser = verbosity)]
    pub verbose: u8,
    /// Append all messages of -vv to FILE, with the time; the screen shows no more than before
    #[arg(long, global = true, value_name = "FILE", env = "HAUL_LOG_FILE")]
    pub log_file: Option<PathBuf>,
    /// auto, bar, plain or none
    #[arg(long, global = true, value_name = "P", default_value = "auto", env = "HAUL_PROGRESS", hide_possible_values = true, value_parser = super::value_parsers::one_of(&["auto", "bar", "plain", "none"], progress))]
    pub progress: Progress,
}

/// A count, or yes or no as of the switches.
fn verbosity(text: &str) -> Result<u8, String> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" => Ok(1),
        "false" | "no" | "off" | "n" | "f" => Ok(0),
        number => number.parse().map_err(|_| format!("{text:?} is no number of -v")),
    }
}

fn progress(text: &str) -> Result<Progress> {
    text.parse()
}

/// The renderer in use, for questions that are asked from far below.
#[derive(Clone, Default)]
pub struct CurrentRenderer(Arc<Mutex<Option<Renderer>>>);

impl CurrentRenderer {
    pub fn is_of(&self, renderer: &Renderer) {
        *self.0.lock() = Some(renderer.clone());
    }

    pub fn ask(&self, question: &str) -> Result<Option<Secret>> {
        let renderer = self.0.lock().clone();
        match renderer {
            Some(renderer) => renderer.while_a_person_types(|| ask_on_terminal(question)),
            None => ask_on_terminal(question),
        }
    }
}
