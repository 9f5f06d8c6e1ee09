//! iogates
