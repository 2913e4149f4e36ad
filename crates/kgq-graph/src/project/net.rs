//! `[net]` in kgq.toml: the other machines that queries and `-d` may ask. Without it, none.

use serde::Deserialize;
use std::net::Ipv6Addr;

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetSettings {
    /// Hosts by name or address, with a port if it is not the default one: `query.example`, `127.0.0.1:3030`.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// Checks that a text names a host, with or without a port.
///
/// # Errors
/// A text that is not a host, such as an address with a path.
pub fn check_host(host: &str) -> Result<(), String> {
    let bare = |name: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
        !name.is_empty() && !name.starts_with('.') && name.chars().all(is_name)
    };
    let bracketed = |name: &str| {
        name.strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .is_some_and(|name| name.parse::<Ipv6Addr>().is_ok())
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let with_port = host.rsplit_once(':').is_some_and(|(name, port)| (bare(name) || bracketed(name)) && is_port(port));
    if bare(host) || bracketed(host) || with_port || host.parse::<Ipv6Addr>().is_ok() {
        return Ok(());
    }
    Err(format!(
        "`{host}` is no host: write it like `query.example` or `query.example:8080`, without `http://` and without a path"
    ))
}

#[cfg(test)]
mod tests {
    use super::check_host;

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port_or_without() {
        for host in [
            "data.example",
            "Data.example.",
            "127.0.0.1:3030",
            "[::1]:8080",
            "::1",
            "[::1]",
            "localhost",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(check_host(host), Ok(()), "{host}");
        }
        for host in
            ["http://x/y", "x/y", "", "user@x", "x:", "x:0", "x:99999", "x y", "*.example", "x?y", "[x]:80", "http://x"]
        {
            assert!(check_host(host).is_err(), "{host}");
        }
    }
}
