//! A completion, and the configuration that it comes from.

use std::path::PathBuf;

use crate::cli::args::default_option_names;
use crate::cli::context::Context;
use crate::cli::global::{CurrentRenderer, Global};
use crate::config::{Config, Env, LoadOptions};
use crate::error::Result;
use crate::providers::REGISTRY;

/// One way to go on.
#[derive(Debug, PartialEq)]
pub struct Completion {
    pub value: String,
    /// A few words beside it.
    pub about: String,
}

impl Completion {
    pub fn new(value: impl Into<String>, about: impl Into<String>) -> Completion {
        Completion { value: value.into(), about: about.into() }
    }
}

/// What completions may know of the configuration. One that can't be read has no remotes.
pub fn context(file: Option<&str>) -> Result<Context> {
    let env = Env::of_process();
    let place = LoadOptions { explicit: file.map(PathBuf::from), env: &env, options: &default_option_names(), prompt: None };
    let config = Config::load(place, REGISTRY)?;
    let global = Global { config: None, json: false, quiet: true, verbose: 0, progress: crate::render::Progress::None, log_file: None };
    Ok(Context::new(config, env, &global, CurrentRenderer::default()))
}
