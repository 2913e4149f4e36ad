//! Identifies clients by their token name or their address, so that each gets its share of the server ([`super::shares`]).

use axum::http::HeaderMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// Identified by the name of its token.
    Token(String),
    Address(IpAddr),
    /// No client address, as for requests that this program makes itself.
    Unknown,
}

impl Client {
    /// Identifies the client behind this peer address. If the peer is a known proxy, the entry that the proxy appended to
    /// `X-Forwarded-For` counts, and nothing that the client could have written before it.
    pub fn at(peer: SocketAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> Self {
        let mut address = plain(peer.ip());
        let told = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
        let told: Vec<&str> = told.flat_map(|value| value.split(',')).collect();
        for hop in told.into_iter().rev() {
            if !proxies.contains(&address) {
                break;
            }
            match hop.trim().parse() {
                Ok(before) => address = plain(before),
                Err(_) => break,
            }
        }
        Self::Address(network(address))
    }
}

/// Turns an IPv4 address mapped into IPv6 back into IPv4.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Masks an IPv6 address to its /64 network: one customer usually holds all its addresses.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) if address.is_loopback() => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let proxies: Vec<IpAddr> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        match Client::at(SocketAddr::new(peer.parse().unwrap(), 1), &headers, &proxies) {
            Client::Address(address) => address.to_string(),
            Client::Token(_) | Client::Unknown => unreachable!(),
        }
    }

    #[test]
    fn what_is_forwarded_counts_as_far_as_named_proxies_have_written_it() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["203.0.113.9, 198.51.100.7"], &["192.0.2.1"]), "198.51.100.7");
        assert_eq!(client("192.0.2.1", &["203.0.113.9", "192.0.2.2"], &["192.0.2.1", "192.0.2.2"]), "203.0.113.9");
        assert_eq!(client("192.0.2.1", &["nobody"], &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &["198.51.100.7"], &["192.0.2.1"]), "198.51.100.7");
    }

    #[test]
    fn addresses_of_one_network_of_the_sixth_version_are_one_client() {
        assert_eq!(client("2001:db8::1", &[], &[]), client("2001:db8::ffff:2", &[], &[]));
        assert_ne!(client("2001:db8::1", &[], &[]), client("2001:db8:0:1::1", &[], &[]));
    }
}
