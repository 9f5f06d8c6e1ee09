//! tus/mod
