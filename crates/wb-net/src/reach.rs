//! Which addresses may be connected to.
//!
//! A peer's address is a suggestion from elsewhere: it may name this machine, the router or a cloud's
//! metadata service, or be a DNS name that points there. So addresses are judged after resolving, the
//! moment before connecting, and those judged are the ones connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Only what is routed on the public internet.
    Global,
    /// Also this machine and its network; the operator said so for this peer.
    Lan,
}

impl Reach {
    /// Whether this address may be connected to.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Global => is_global(address),
            Self::Lan => true,
        }
    }
}

/// An IPv4 block: its first address and the length of its prefix.
type Block4 = (Ipv4Addr, u32);

/// An IPv6 block: its first address and the length of its prefix.
type Block6 = (Ipv6Addr, u32);

/// IPv4 that is not the public internet, from the special-purpose registry of IANA (RFC 6890). Where
/// the registry makes an exception inside a block, no hub lives there, and the whole block is out.
const NOT_GLOBAL_4: &[Block4] = &[
    // This network; on Linux 0.0.0.0 reaches this machine.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Shared behind a provider's translation.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // This machine.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // This link; cloud metadata services live here.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays from 6to4, withdrawn.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarks between networks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Many at once.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and the broadcast address.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The only part of IPv6 that is given out for the public internet.
const GLOBAL_6: Block6 = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What within [`GLOBAL_6`] is not the public internet.
const NOT_GLOBAL_6: &[Block6] = &[
    // Protocol assignments: Teredo, benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4, which carries any IPv4 address inside.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

/// IPv6 forms that stand for the IPv4 address in their last 32 bits: mapped by this machine, and
/// translated by the network (NAT64), which is how an IPv6-only network reaches an IPv4 hub.
const STANDS_FOR_4: &[Block6] = &[
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
];

/// Whether an address is routed on the public internet.
///
/// ```
/// use wb_net::reach::is_global;
///
/// assert!(is_global("93.184.215.14".parse()?));
/// assert!(!is_global("::ffff:10.0.0.1".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_4(address),
        IpAddr::V6(address) if STANDS_FOR_4.iter().any(|block| within_6(address, *block)) => {
            let [.., a, b, c, d] = address.octets();
            is_global_4(Ipv4Addr::new(a, b, c, d))
        }
        IpAddr::V6(address) => {
            within_6(address, GLOBAL_6)
                && !NOT_GLOBAL_6.iter().any(|block| within_6(address, *block))
        }
    }
}

fn is_global_4(address: Ipv4Addr) -> bool {
    !NOT_GLOBAL_4.iter().any(|(first, prefix)| {
        let shift = Ipv4Addr::BITS - prefix;
        address.to_bits() >> shift == first.to_bits() >> shift
    })
}

fn within_6(address: Ipv6Addr, (first, prefix): Block6) -> bool {
    let shift = Ipv6Addr::BITS - prefix;
    address.to_bits() >> shift == first.to_bits() >> shift
}
