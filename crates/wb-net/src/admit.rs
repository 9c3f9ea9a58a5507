//! How many connections one client may hold.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::proxies::Proxies;

/// The part of an IPv6 address that is counted as one client: whoever has one address has the /64.
const CLIENT_PREFIX_6: u32 = 64;

/// Counts the connections of each client.
#[derive(Debug)]
pub(crate) struct Admission {
    per_client_max: usize,
    proxies: Arc<Proxies>,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    client: Option<IpAddr>,
}

impl Admission {
    pub(crate) fn new(per_client_max: usize, proxies: Arc<Proxies>) -> Arc<Self> {
        Arc::new(Self {
            per_client_max,
            proxies,
            held: Mutex::default(),
        })
    }

    /// A place for a connection from this address, or none when its client holds enough.
    ///
    /// This machine and named proxies are not counted: behind a proxy everybody comes from it.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let is_for_others = address.to_canonical().is_loopback() || self.proxies.holds(address);
        let client = (!is_for_others).then(|| client_of(address));
        if let Some(client) = client {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let count = held.get(&client).copied().unwrap_or_default();
            if count >= self.per_client_max {
                return None;
            }
            held.insert(client, count + 1);
        }
        Some(Place {
            admission: Arc::clone(self),
            client,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(client) = self.client else {
            return;
        };
        let mut held = self
            .admission
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                held.remove(&client);
            }
        }
    }
}

/// The part of an address that is counted as one client: of IPv6 the first 64 bits.
#[must_use]
pub fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        address @ IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let mask = u128::MAX << (Ipv6Addr::BITS - CLIENT_PREFIX_6);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_client_holds_so_many_places_and_gets_them_back() {
        let admission = Admission::new(2, Arc::default());
        let first = admission.admit(ip("198.51.100.1")).expect("a place");
        let second = admission.admit(ip("::ffff:198.51.100.1")).expect("a place");
        assert!(admission.admit(ip("198.51.100.1")).is_none());
        assert!(admission.admit(ip("198.51.100.2")).is_some());
        drop(first);
        assert!(admission.admit(ip("198.51.100.1")).is_some());
        drop(second);
        assert!(admission.held.lock().expect("not poisoned").is_empty());
    }

    #[test]
    fn a_client_is_a_whole_network_of_ipv6() {
        let admission = Admission::new(1, Arc::default());
        let held = admission.admit(ip("2001:db8:0:1::1"));
        assert!(held.is_some());
        assert!(admission.admit(ip("2001:db8:0:1:ffff::2")).is_none());
        assert!(admission.admit(ip("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn this_machine_and_proxies_that_are_named_are_not_counted() {
        let admission = Admission::new(0, Arc::new("203.0.113.7".parse().expect("an address")));
        for address in [
            "127.0.0.1",
            "127.1.2.3",
            "::1",
            "::ffff:127.0.0.1",
            "203.0.113.7",
        ] {
            assert!(admission.admit(ip(address)).is_some(), "{address}");
        }
        assert!(admission.admit(ip("203.0.113.8")).is_none());
    }
}
