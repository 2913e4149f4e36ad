//! Who asks: known by the name of a token, else by an address, so that one client does not take all places.

use axum::http::HeaderMap;
use rustc_hash::FxHashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// By the name of its token.
    Token(String),
    Address(IpAddr),
    /// Not told, as for what this program asks of itself.
    Unknown,
}

impl Client {
    /// Who asks from this address, or through the proxy that has it: then what the proxy adds at the end of `X-Forwarded-For` counts,
    /// and nothing that the client could have written before it.
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

/// An address of the fourth version in the sixth's dress is one of the fourth.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Of the sixth version, a customer has all addresses of a network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) if address.is_loopback() => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// How many requests of each client are there.
type Open = Arc<Mutex<FxHashMap<Client, usize>>>;

/// Counts the requests of each client.
#[derive(Debug)]
pub struct Clients {
    most: Option<usize>,
    open: Open,
}

/// A request that is there, until it is dropped.
#[derive(Debug)]
pub struct Presence(Option<(Client, Open)>);

impl Clients {
    pub fn new(most: Option<usize>) -> Self {
        Self { most, open: Arc::default() }
    }

    /// Counts one more request of a client.
    ///
    /// # Errors
    /// How many there may be, where there are as many.
    pub fn enter(&self, client: &Client) -> Result<Presence, usize> {
        let Some(most) = self.most else { return Ok(Presence(None)) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client.clone()).or_default();
        if *count >= most {
            return Err(most);
        }
        *count += 1;
        Ok(Presence(Some((client.clone(), Arc::clone(&self.open)))))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let Some((client, open)) = &self.0 else { return };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(client)),
        }
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

    #[test]
    fn a_client_is_refused_when_so_many_of_its_requests_are_there_and_forgotten_when_none_is() {
        let clients = Clients::new(Some(2));
        let [one, other] = ["one", "other"].map(|name| Client::Token(name.into()));
        let first = clients.enter(&one).unwrap();
        let _second = clients.enter(&one).unwrap();
        assert_eq!(clients.enter(&one).unwrap_err(), 2);
        drop(clients.enter(&other).unwrap());
        drop(first);
        drop(clients.enter(&one).unwrap());
        assert_eq!(clients.open.lock().unwrap().len(), 1);
        assert!(Clients::new(None).enter(&one).is_ok());
    }
}
