//! What a hub grants to whom: how often one may ask, and how many may register (spec: requests, sync).

use std::net::IpAddr;
use std::time::Duration;

use wb_core::id::InstanceId;
use wb_core::time::Timestamp;
use wb_net::client_of;
use wb_net::rates::{Buckets, Rate, RetryAfter};
use wb_net::signed::Request;

use crate::places::LargeBodies;
use crate::problems::{self, Refusal};

/// Requests of one member. A member that takes in a whole hub asks a few times for each feed; one that asks
/// without end leaves the hub to the others.
pub const MEMBER_RATE: Rate = Rate {
    burst: 2_000,
    every_ms: 50,
};

/// Requests from one address of which nobody is known to have sent them. Dozens of communities may be behind
/// one address, and each asks a handful of times before it is known.
pub const ADDRESS_RATE: Rate = Rate {
    burst: 300,
    every_ms: 200,
};

/// First registrations from one address; keeps one machine from being a thousand members.
pub const NEW_PER_ADDRESS_RATE: Rate = Rate {
    burst: 30,
    every_ms: 120_000,
};

/// Codes of invitations that are brought from one address by who is no member: enough for everybody behind it, far too few
/// to find one.
pub const CODE_RATE: Rate = Rate {
    burst: 20,
    every_ms: 120_000,
};

/// First registrations from everywhere; keeps a thousand machines from filling the disk in a night.
pub const NEW_RATE: Rate = Rate {
    burst: 240,
    every_ms: 15_000,
};

/// Large bodies in memory at once, each with what it unpacks to. The rate is that of a household's line:
/// nobody honest is asked to give way to who waits.
pub const LARGE_BODIES: LargeBodies = LargeBodies {
    at_once: 4,
    grace: Duration::from_secs(5),
    bytes_per_second_min: 65_536,
};

/// Members or addresses of which it is known how often they asked; protects memory (some 5 MB).
const KEYS_MAX: usize = 65_536;

/// What a hub grants. The default is made of the constants of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubLimits {
    /// Requests of one member.
    pub member: Rate,
    /// Requests from one address of which nobody is known to have sent them.
    pub address: Rate,
    /// First registrations from one address.
    pub new_per_address: Rate,
    /// Codes of invitations from one address.
    pub code: Rate,
    /// First registrations from everywhere.
    pub new: Rate,
    /// Large bodies of members at once, and as many registrations.
    pub large_bodies: LargeBodies,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            member: MEMBER_RATE,
            address: ADDRESS_RATE,
            new_per_address: NEW_PER_ADDRESS_RATE,
            code: CODE_RATE,
            new: NEW_RATE,
            large_bodies: LARGE_BODIES,
        }
    }
}

/// Who asked how often.
#[derive(Debug)]
pub(crate) struct Charges {
    members: Buckets<InstanceId>,
    addresses: Buckets<IpAddr>,
    new_per_address: Buckets<IpAddr>,
    code: Buckets<IpAddr>,
    new: Buckets<()>,
}

impl Charges {
    pub(crate) fn new(limits: &HubLimits) -> Self {
        Self {
            members: Buckets::new(limits.member, KEYS_MAX),
            addresses: Buckets::new(limits.address, KEYS_MAX),
            new_per_address: Buckets::new(limits.new_per_address, KEYS_MAX),
            code: Buckets::new(limits.code, KEYS_MAX),
            new: Buckets::new(limits.new, 1),
        }
    }

    /// Charges a request to the instance that is proved to have sent it.
    pub(crate) fn member(&self, id: InstanceId, now: Timestamp) -> Result<(), Refusal> {
        let taken = self.members.take(id, now);
        taken.map_err(|RetryAfter(seconds)| problems::asks_too_often("this instance", seconds))
    }

    /// Charges a request to the address it came from.
    pub(crate) fn address(&self, request: &Request, now: Timestamp) -> Result<(), Refusal> {
        let taken = self.addresses.take(address(request), now);
        taken.map_err(|RetryAfter(seconds)| {
            problems::asks_too_often("somebody at this address", seconds)
        })
    }

    /// Charges a code that somebody brings who is no member.
    pub(crate) fn code(&self, request: &Request, now: Timestamp) -> Result<(), Refusal> {
        let taken = self.code.take(address(request), now);
        taken.map_err(|RetryAfter(seconds)| {
            problems::asks_too_often("somebody at this address who tries codes", seconds)
        })
    }

    /// Charges a first registration.
    pub(crate) fn registration(&self, request: &Request, now: Timestamp) -> Result<(), Refusal> {
        let taken = self.new_per_address.take(address(request), now);
        taken.map_err(|RetryAfter(seconds)| {
            problems::too_many_register("as many as may from this address", seconds)
        })?;
        let taken = self.new.take((), now);
        taken.map_err(|RetryAfter(seconds)| problems::too_many_register("very many", seconds))
    }
}

/// The address that is charged: of whoever asked, as far as a proxy that the operator named tells. A proxy
/// that is not named speaks for everybody unknown behind it; who is known is not charged by address.
fn address(request: &Request) -> IpAddr {
    let client = request.client();
    client.map_or(IpAddr::from([0; 4]), |client| client_of(client.address))
}
