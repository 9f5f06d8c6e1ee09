//! The settings of a remote, from a list.

use std::collections::HashMap;

use crate::contract::{RemoteSettings, Result};
use crate::model::Secret;

/// Here a secret is like any other setting.
pub struct MapSettings(HashMap<String, String>);

impl MapSettings {
    pub fn new(pairs: &[(&str, &str)]) -> MapSettings {
        MapSettings(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }
}

impl From<HashMap<String, String>> for MapSettings {
    fn from(settings: HashMap<String, String>) -> MapSettings {
        MapSettings(settings)
    }
}

impl RemoteSettings for MapSettings {
    fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }
    fn secret(&self, key: &str) -> Result<Option<Secret>> {
        Ok(self.0.get(key).map(Secret::new))
    }
    fn is_set(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}
