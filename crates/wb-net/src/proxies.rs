//! Who asks, where a proxy stands in front: proxies that the operator named are believed, nobody else.
//!
//! What a proxy says about the client is in `Forwarded` (RFC 7239) or in `X-Forwarded-For`. Each proxy adds
//! the address it was asked from at the end, so both are read from there, for as long as who added is named.
//! A proxy writes one of the two and may hand on the other as the client sent it; where both are there and
//! do not agree, neither is believed.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};

/// Proxies that one setting may name; protects from a list that takes long to look through.
pub const PROXIES_MAX: usize = 64;

/// Hops that are looked at, from the nearest; protects from a header of thousands.
const HOPS_MAX: usize = 16;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// By which road a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    /// In the clear, from whoever asks.
    Direct,
    /// By a proxy that the operator named.
    Proxy,
    /// Over TLS that ends here.
    Tls,
}

/// Who asks, in the extensions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address: of the connection, or what a proxy that is believed says.
    pub address: IpAddr,
    /// By which road it came.
    pub road: Road,
}

/// The proxies that an operator named, by address or by network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

/// A list that names no proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxiesError {
    /// Something that is no address.
    #[error(
        "`{0}` is no address; name those of your proxies with commas between, such as \"127.0.0.1\" or \"10.0.0.0/24\""
    )]
    NotAnAddress(String),
    /// More than [`PROXIES_MAX`].
    #[error(
        "at most {PROXIES_MAX} proxies can be named; name their network instead, such as \"10.0.0.0/24\""
    )]
    TooMany,
}

impl FromStr for Proxies {
    type Err = ProxiesError;

    /// Reads addresses and networks with commas between; nothing names none.
    fn from_str(text: &str) -> Result<Self, ProxiesError> {
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let networks: Vec<Network> = names.map(str::parse).collect::<Result<_, _>>()?;
        if networks.len() > PROXIES_MAX {
            return Err(ProxiesError::TooMany);
        }
        Ok(Self(networks))
    }
}

impl FromStr for Network {
    type Err = ProxiesError;

    fn from_str(text: &str) -> Result<Self, ProxiesError> {
        let wrong = || ProxiesError::NotAnAddress(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let address = address.to_canonical();
        let whole = bits(address).1;
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| wrong())?,
            None => whole,
        };
        if prefix > whole {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }
}

/// An address as a number, and of how many bits that is.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        let (own, whole) = bits(self.address);
        let (other, other_whole) = bits(address);
        let differ = (own ^ other).checked_shr(whole - self.prefix).unwrap_or(0);
        whole == other_whole && differ == 0
    }
}

impl Proxies {
    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.holds(address))
    }

    /// Who asks, by where the connection comes from and what the headers say.
    #[must_use]
    pub fn client(&self, remote: IpAddr, headers: &HeaderMap) -> Client {
        let remote = remote.to_canonical();
        if !self.holds(remote) {
            return Client {
                address: remote,
                road: Road::Direct,
            };
        }
        let forwarded = self.first_unknown(remote, headers, &FORWARDED, forwarded_for);
        let listed = self.first_unknown(remote, headers, &X_FORWARDED_FOR, address_of);
        let address = match (forwarded, listed) {
            (Some(one), Some(other)) if one == other => one,
            (Some(one), None) | (None, Some(one)) => one,
            (Some(_), Some(_)) | (None, None) => remote,
        };
        Client {
            address,
            road: Road::Proxy,
        }
    }

    /// From the end of a list, the first address that is not of a proxy; where the list ends or cannot be
    /// read, the last that was added by one. None where there is no such header.
    fn first_unknown(
        &self,
        remote: IpAddr,
        headers: &HeaderMap,
        name: &HeaderName,
        read: fn(&str) -> Option<IpAddr>,
    ) -> Option<IpAddr> {
        let lines: Vec<&str> = headers
            .get_all(name)
            .iter()
            .map(|line| line.to_str().unwrap_or_default())
            .collect();
        if lines.is_empty() {
            return None;
        }
        let joined = lines.join(",");
        let mut nearest = remote;
        for hop in joined.rsplit(',').take(HOPS_MAX) {
            let Some(address) = read(hop) else {
                break;
            };
            nearest = address.to_canonical();
            if !self.holds(nearest) {
                break;
            }
        }
        Some(nearest)
    }
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let (_, value) = named.next()?;
    let value = value.trim();
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    address_of(quoted.unwrap_or(value))
}

/// An address with or without port, of IPv6 with or without brackets.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
        return Some(socket.ip());
    }
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    inside.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Who asks, from a connection and pairs of header and value.
    fn client(proxies: &str, remote: &str, headers: &[(&'static str, &str)]) -> (String, Road) {
        let proxies: Proxies = proxies.parse().unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let client = proxies.client(ip(remote), &map);
        (client.address.to_string(), client.road)
    }

    #[test]
    fn nobody_is_believed_who_was_not_named() {
        for headers in [
            &[("x-forwarded-for", "192.0.2.1")][..],
            &[("forwarded", "for=192.0.2.1")],
        ] {
            for proxies in ["", "10.0.0.1", "198.51.100.0/30"] {
                let came = client(proxies, "198.51.100.7", headers);
                assert_eq!(came, ("198.51.100.7".to_owned(), Road::Direct), "{proxies}");
            }
        }
    }

    #[test]
    fn a_proxy_is_believed_about_who_asked_it_and_not_about_what_it_was_told() {
        for (value, address) in [
            ("192.0.2.1", "192.0.2.1"),
            // The first was sent by the client, the last added by the proxy.
            ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
            ("127.0.0.1, 192.0.2.1", "192.0.2.1"),
            ("evil, 192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            // Two proxies that are both named.
            ("203.0.113.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
            // What cannot be read ends there.
            ("192.0.2.1, unknown", "10.0.0.1"),
            ("192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("", "10.0.0.1"),
        ] {
            let came = client("10.0.0.0/24", "10.0.0.1", &[("x-forwarded-for", value)]);
            assert_eq!(came, (address.to_owned(), Road::Proxy), "{value}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (value, address) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=203.0.113.9, proto=https; for=192.0.2.43", "192.0.2.43"),
            ("for=192.0.2.43, for=\"_hidden\"", "127.0.0.1"),
            ("for=192.0.2.43, proto=https", "127.0.0.1"),
        ] {
            let came = client("127.0.0.1, ::1", "127.0.0.1", &[("forwarded", value)]);
            assert_eq!(came, (address.to_owned(), Road::Proxy), "{value}");
        }
    }

    #[test]
    fn of_two_headers_that_do_not_agree_neither_is_believed() {
        let both = |forwarded, listed| {
            let headers = [("forwarded", forwarded), ("x-forwarded-for", listed)];
            client("127.0.0.1", "127.0.0.1", &headers).0
        };
        assert_eq!(both("for=192.0.2.1", "192.0.2.1"), "192.0.2.1");
        assert_eq!(both("for=203.0.113.9", "192.0.2.1"), "127.0.0.1");
    }

    #[test]
    fn several_lines_of_a_header_are_one_list() {
        let lines = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        assert_eq!(client("127.0.0.1", "127.0.0.1", &lines).0, "192.0.2.1");
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        let proxies: Proxies = "10.1.0.0/16, 2001:db8::/32, ::ffff:192.0.2.7, 0.0.0.0/32"
            .parse()
            .unwrap();
        for (address, is_held) in [
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("::ffff:10.1.0.9", true),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("::", false),
        ] {
            assert_eq!(proxies.holds(ip(address)), is_held, "{address}");
        }
        let all: Proxies = "0.0.0.0/0".parse().unwrap();
        assert!(all.holds(ip("198.51.100.1")) && !all.holds(ip("2001:db8::1")));
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in [
            "true",
            "proxy.example",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/x",
            "1.2.3",
        ] {
            let error = text.parse::<Proxies>().unwrap_err();
            assert_eq!(error, ProxiesError::NotAnAddress(text.to_owned()));
        }
        let many = vec!["10.0.0.1"; PROXIES_MAX + 1].join(",");
        assert_eq!(many.parse::<Proxies>(), Err(ProxiesError::TooMany));
        assert!(" , ".parse::<Proxies>().unwrap().is_empty());
    }
}
