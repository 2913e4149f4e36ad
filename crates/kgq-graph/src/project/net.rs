//! `[net]` in kgq.toml: which other machines queries and `-d` may ask. Without it, none.

use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetSettings {
    /// Hosts by name or by address, with a port if it is none of the usual ones: `query.example`, `127.0.0.1:3030`.
    #[serde(default)]
    pub hosts: Vec<String>,
}
