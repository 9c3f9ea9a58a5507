//! Where a hub or a peer is: the base address that everything is asked below.
//!
//! One address has one written form, so that two spellings of a peer are never two peers. What a
//! person may paste by mistake (credentials, a query, a number that means an address) has an error
//! of its own. Nothing is resolved here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::reach::is_global;

/// Longest address that is read; protects pages and logs that show it.
pub const BASE_BYTES_MAX: usize = 2_048;

/// Longest host name, as in DNS.
const NAME_BYTES_MAX: usize = 253;

/// Longest label of a host name, as in DNS.
const LABEL_BYTES_MAX: usize = 63;

/// How the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Readable on the way; for this machine, a local network, or behind a proxy.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The word in an address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Who is asked: a name, or an address written out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name to resolve, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// The base address of a hub or peer.
///
/// ```
/// use wb_net::Base;
///
/// let base = Base::parse("HTTPS://Hub.Example.org:443/wb/")?;
/// assert_eq!(base.to_string(), "https://hub.example.org/wb");
/// # Ok::<(), wb_net::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Base {
    scheme: Scheme,
    host: Host,
    port: u16,
    /// Empty, or begins with a slash and does not end with one.
    path: String,
}

impl Base {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, one error for each thing a person can get wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > BASE_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(AddressError::Scheme),
        };
        if rest.contains('#') {
            return Err(AddressError::Fragment);
        }
        if rest.contains('?') {
            return Err(AddressError::Query);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(AddressError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        Ok(Self {
            scheme,
            host: read_host(host)?,
            port: port.map_or(Ok(scheme.default_port()), read_port)?,
            path: read_path(path)?,
        })
    }

    /// How the bytes travel.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Who is asked.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, given or by default.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path that everything is below: empty, or with a slash in front and none behind.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host and port as in the `Host` header; the port only when it is not the default one.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether the host is `localhost` or an address that is not on the public internet, written out:
    /// whoever typed it meant this machine or this network. Of other names nothing is known before
    /// they are resolved.
    #[must_use]
    pub fn is_literal_local(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Address(address) => !is_global(*address),
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.as_str();
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

impl FromStr for Base {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Parts `host:port`, where the host may be an IPv6 address in brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), AddressError> {
    let host_end = if authority.starts_with('[') {
        authority.find(']').ok_or(AddressError::Host)? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at(host_end);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(AddressError::Host),
    }
}

fn read_port(text: &str) -> Result<u16, AddressError> {
    // `parse` alone would also read `+80`.
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if is_digits && port > 0 => Ok(port),
        _ => Err(AddressError::Port),
    }
}

fn read_host(text: &str) -> Result<Host, AddressError> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or(AddressError::Host)?;
        let address: Ipv6Addr = inner.parse().map_err(|_| AddressError::Host)?;
        return Ok(Host::Address(address.into()));
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let name = text.to_ascii_lowercase();
    if !is_name(&name) {
        return Err(AddressError::Host);
    }
    Ok(Host::Name(name))
}

/// Whether a text is a host name that no resolver can take for an address.
///
/// Resolvers read `127.1`, `0x7f000001` and `2130706433` as addresses, so a last label that looks
/// like a number is refused, as browsers do.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label) && !is_number
}

/// Takes the slash off the end; dots, empty parts and escapes would give one place several names.
fn read_path(text: &str) -> Result<String, AddressError> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte))
    };
    match path.strip_prefix('/') {
        None => Ok(String::new()),
        Some(parts) if parts.split('/').all(is_plain) => Ok(path.to_owned()),
        Some(_) => Err(AddressError::Path),
    }
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is longer than [`BASE_BYTES_MAX`].
    #[error("the address is longer than {BASE_BYTES_MAX} bytes")]
    TooLong,
    /// It does not begin with a scheme we speak.
    #[error("an address begins with http:// or https://")]
    Scheme,
    /// It carries a name or password.
    #[error("an address has no user name or password in it")]
    UserInfo,
    /// The host is neither a name nor an address.
    #[error(
        "the host is neither a name nor an address; names are in ASCII, IPv6 stands in brackets"
    )]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// The path is not plain.
    #[error("the path has empty or dotted parts, escapes, or characters that need one")]
    Path,
    /// It has a query.
    #[error("an address has no query (`?`)")]
    Query,
    /// It has a fragment.
    #[error("an address has no fragment (`#`)")]
    Fragment,
}
