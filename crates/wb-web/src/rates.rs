//! How often pages may be asked for: by a member, by an address of which nobody is in, and at the door.
//!
//! Who is in is charged by account, so that nobody is locked out by who shares an address.

use std::net::IpAddr;

use wb_core::id::RecordId;
use wb_core::time::Timestamp;
use wb_net::client_of;
use wb_net::rates::{Buckets, Rate, RetryAfter};

use crate::limits::{ADDRESS_RATE, DOOR_RATE, MEMBER_RATE, PICTURE_RATE, RATE_KEYS_MAX};

/// How much is granted. The default is made of the constants of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteLimits {
    /// Pages of one member.
    pub member: Rate,
    /// Pages for browsers of one address that are not in.
    pub address: Rate,
    /// Log-in, invitations and links, from one address.
    pub door: Rate,
    /// Pictures that are fetched for one member.
    pub picture: Rate,
}

impl Default for SiteLimits {
    fn default() -> Self {
        Self {
            member: MEMBER_RATE,
            address: ADDRESS_RATE,
            door: DOOR_RATE,
            picture: PICTURE_RATE,
        }
    }
}

/// Who asked how often.
#[derive(Debug)]
pub(crate) struct Charges {
    members: Buckets<RecordId>,
    addresses: Buckets<IpAddr>,
    door: Buckets<IpAddr>,
    pictures: Buckets<RecordId>,
}

impl Charges {
    pub fn new(limits: SiteLimits) -> Self {
        Self {
            members: Buckets::new(limits.member, RATE_KEYS_MAX),
            addresses: Buckets::new(limits.address, RATE_KEYS_MAX),
            door: Buckets::new(limits.door, RATE_KEYS_MAX),
            pictures: Buckets::new(limits.picture, RATE_KEYS_MAX),
        }
    }

    /// Charges a page to who asks for it, and what is at the door to the address as well.
    pub fn page(
        &self,
        member: Option<RecordId>,
        address: IpAddr,
        is_at_door: bool,
        now: Timestamp,
    ) -> Result<(), RetryAfter> {
        let address = client_of(address);
        match member {
            Some(member) => self.members.take(member, now)?,
            None => self.addresses.take(address, now)?,
        }
        if is_at_door {
            self.door.take(address, now)?;
        }
        Ok(())
    }

    /// Charges a picture to the member for whom it is fetched.
    pub fn picture(&self, member: RecordId, now: Timestamp) -> Result<(), RetryAfter> {
        self.pictures.take(member, now)
    }
}
