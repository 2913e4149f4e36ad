//! Which hosts may be asked, and at which addresses: a name leads where its owner wants, also into this machine or the network that it
//! stands in, so what it leads to is checked, once, and connected to.

use kgq_syntax::error::{Error, Result};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Why an address is not connected to.
#[derive(Debug)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Hosts that are named, each with its port; without one, with those of HTTP and HTTPS.
#[derive(Debug)]
pub struct Hosts(Vec<(String, Option<u16>)>);

impl Hosts {
    pub fn new(named: &[String]) -> Self {
        let host = |named: &String| {
            let parted = named.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
            match parted.and_then(|(host, port)| Some((host, port.parse().ok()?))) {
                Some((host, port)) => (plain(host), Some(port)),
                None => (plain(named), None),
            }
        };
        Self(named.iter().map(host).collect())
    }

    /// # Errors
    /// That the host of an address is not named.
    pub fn check(&self, address: &str) -> Result<()> {
        let uri: Uri = address.parse().map_err(|_| Error::input(format!("`{address}` is no address on the web")))?;
        if self.names(&uri) {
            return Ok(());
        }
        Err(Error::policy(format!("{address} is not asked: its host is not named"))
            .hint("name it in kgq.toml: `hosts = [\"…\"]` below `[net]`"))
    }

    fn names(&self, uri: &Uri) -> bool {
        let (Some(host), Some(port)) = (uri.host().map(plain), port(uri)) else { return false };
        self.0.iter().any(|(named, at)| *named == host && at.map_or([80, 443].contains(&port), |at| at == port))
    }

    /// Whether an address is named by itself.
    fn names_address(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(named, _)| named.parse() == Ok(address))
    }
}

fn plain(host: &str) -> String {
    host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

fn port(uri: &Uri) -> Option<u16> {
    uri.port_u16().or(match uri.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })
}

/// Looks names up, and gives only addresses that may be connected to.
#[derive(Debug)]
pub struct Checked {
    hosts: Arc<Hosts>,
}

impl Checked {
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self { hosts }
    }
}

impl Resolver for Checked {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let refused = |why: String| ureq::Error::Other(Box::new(Refused(why)));
        if !self.hosts.names(uri) {
            return Err(refused("its host is not named".into()));
        }
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|found| is_public(found.ip()) || self.hosts.names_address(found.ip())) {
            allowed.push(*address);
        }
        match (allowed.is_empty(), found.first()) {
            (false, _) => Ok(allowed),
            (true, Some(first)) => Err(refused(format!("its name leads to {}, which is not public", first.ip()))),
            (true, None) => Err(ureq::Error::HostNotFound),
        }
    }
}

/// Whether an address is one of the public internet (IANA's registries of special-purpose addresses).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && b & 0b1100_0000 == 64;
    let is_of_protocols = a == 192 && b == 0 && c == 0;
    let is_benchmark = a == 198 && b & 0b1111_1110 == 18;
    !(a == 0
        || a >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || is_shared
        || is_of_protocols
        || is_benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments();
    // An address of the fourth version stands in those of NAT64 and of 6to4.
    let [.., a, b] = first;
    match first {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => return is_public_v4(of_parts(a, b)),
        [0x2002, a, b, ..] => return is_public_v4(of_parts(a, b)),
        _ => {}
    }
    // Of all others, 2000::/3 alone is given out; Teredo, documentation and benchmarks lie in it.
    first[0] & 0xe000 == 0x2000 && !matches!(first, [0x2001, 0 | 2 | 0xdb8, ..] | [0x3fff, ..])
}

fn of_parts(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_machines_nearby_are_not_public() {
        for near in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(near.parse().unwrap()), "{near}");
        }
        for far in ["93.184.215.14", "100.128.0.1", "2606:4700::1111", "64:ff9b::5db8:d70e", "172.32.0.1"] {
            assert!(is_public(far.parse().unwrap()), "{far}");
        }
    }

    #[test]
    fn a_host_is_asked_at_the_ports_that_are_named() {
        let hosts = Hosts::new(&["Data.example".into(), "127.0.0.1:3030".into(), "[::1]:8080".into()]);
        for named in
            ["https://data.example/sparql", "http://DATA.example.", "http://127.0.0.1:3030/x", "http://[::1]:8080/"]
        {
            assert!(hosts.check(named).is_ok(), "{named}");
        }
        for other in [
            "https://data.example:8443/",
            "http://127.0.0.1/",
            "http://data.example.evil.example/",
            "http://data.example@evil.example/",
            "ftp://data.example/",
            "http://localhost:3030/",
        ] {
            assert!(hosts.check(other).is_err(), "{other}");
        }
    }
}
